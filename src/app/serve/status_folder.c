// SPDX-License-Identifier: Apache-2.0
#include "status_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "core/facts/status_body.h"
#include "edge/clock.h"
#include "edge/file.h"

enum { PATH_SIZE = 4096, STATUS_FILE_MAX = 64 * 1024, FOLDER_MODE = 0755, FILE_MODE = 0644 };

struct pass {
    struct facts *facts;
    const char *folder;
    struct log *log;
    struct metrics *metrics;
    int64_t now;
    size_t n_failed;
    struct error *problem; /* the first, if n_failed is not 0 */
};

static void add_failure(struct pass *pass, const struct error *error) {
    if (pass->n_failed++ == 0) {
        *pass->problem = *error;
    }
    metrics_add(pass->metrics, METRIC_STATUS_WRITES_ERROR, 1);
}

/* Drops slashes at the end of the folder, since remove_orphan() compares paths. */
static void make_path(const struct pass *pass, const char *namespace, const char *name,
                      char path[PATH_SIZE]) {
    size_t size = strlen(pass->folder);
    while (size > 1 && pass->folder[size - 1] == '/') {
        size--;
    }
    snprintf(path, PATH_SIZE, "%.*s/%s/%s.json", (int)size, pass->folder, namespace, name);
}

/* False if there is no such file, or it holds no usable object. */
static bool read_file(const char *path, struct object *ret_object) {
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    buffer_init(&content, STATUS_FILE_MAX);
    return file_read(path, &content, &error) &&
           object_decode(content.bytes, content.size, ret_object);
}

/* Finds the conditions as they are: the file's if it is about this very object, else the object's.
   Returns whether they are the file's. */
static bool find_live(const char *path, const struct fact *server,
                      struct condition ret_live[CONDITION_TYPE_COUNT]) {
    struct object object;
    bool is_same = read_file(path, &object) && object.kind == OBJECT_MCPSERVER &&
                   strcmp(object.uid, server->uid) == 0;
    memcpy(ret_live, is_same ? object.conditions : server->conditions, sizeof(object.conditions));
    return is_same;
}

static bool write_file(const struct pass *pass, const char *path, const struct fact *server,
                       const struct condition conditions[CONDITION_TYPE_COUNT],
                       struct error *error) {
    AUTO(buffer_fini) struct buffer document;
    char folder[PATH_SIZE];
    buffer_init(&document, STATUS_FILE_MAX);
    status_body_apply(TOOLHIVE_GROUP "/v1beta1", server->namespace, server->name, server->uid, NULL,
                      conditions, &document);
    buffer_add_byte(&document, '\n');
    snprintf(folder, sizeof(folder), "%s/%s", pass->folder, server->namespace);
    return file_make_folder(folder, FOLDER_MODE, error) &&
           file_write(path, document.bytes, document.size, FILE_MODE, error);
}

static void on_server(void *context, const struct fact *server) {
    struct pass *pass = context;
    const struct condition_subject subject = facts_condition_subject(server);
    struct condition live[CONDITION_TYPE_COUNT];
    struct condition wanted[CONDITION_TYPE_COUNT];
    struct error error;
    char path[PATH_SIZE];
    if (server->is_deleting) {
        return;
    }
    make_path(pass, server->namespace, server->name, path);
    bool is_there = find_live(path, server, live);
    if (!condition_step(&subject, live, pass->now, wanted) && is_there) {
        return;
    }
    if (!write_file(pass, path, server, wanted, &error)) {
        add_failure(pass, &error);
        return;
    }
    metrics_add(pass->metrics, METRIC_STATUS_WRITES_OK, 1);
    log_event(pass->log, LOG_INFO, "status.written", LOG_TEXT("namespace", server->namespace),
              LOG_TEXT("name", server->name),
              LOG_INTEGER("stdioReplicaCapped", wanted[CONDITION_TYPE_STDIO].is_true),
              LOG_INTEGER("sessionStorageWarning", wanted[CONDITION_TYPE_SESSION_STORAGE].is_true));
}

/* Removes the status of an object that is gone. The file must look like one of ours, at the path
   that we would write. */
static void remove_orphan(struct pass *pass, const char *path) {
    struct object object;
    struct fact server;
    struct error error;
    char expected[PATH_SIZE];
    if (!read_file(path, &object) || object.kind != OBJECT_MCPSERVER ||
        facts_find(pass->facts, OBJECT_MCPSERVER, object.namespace, object.name, &server)) {
        return;
    }
    make_path(pass, object.namespace, object.name, expected);
    if (strcmp(path, expected) == 0 && !file_remove(path, &error)) {
        add_failure(pass, &error);
    }
}

static void remove_orphans(struct pass *pass) {
    AUTO(file_list_fini) struct file_list list = {.paths = NULL};
    struct error error;
    if (!file_find(pass->folder, &list, &error)) {
        return;
    }
    for (size_t i = 0; i < list.n_paths; i++) {
        remove_orphan(pass, list.paths[i]);
    }
}

/* Both are absolute and without links. */
static bool is_at_or_below(const char *path, const char *folder) {
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

bool status_folder_open(const char *folder, const char *const *object_paths, size_t n_object_paths,
                        struct error *error) {
    if (!file_make_folder(folder, FOLDER_MODE, error)) {
        return error_wrap(error, "--status-dir");
    }
    AUTO_FREE char *real_folder = realpath(folder, NULL);
    for (size_t i = 0; real_folder != NULL && i < n_object_paths; i++) {
        AUTO_FREE char *real_path = realpath(object_paths[i], NULL);
        if (real_path != NULL &&
            (is_at_or_below(real_folder, real_path) || is_at_or_below(real_path, real_folder))) {
            return error_set(
                error, ERROR_INVALID,
                "--status-dir '%s' and --objects '%s' lie within each other, and would "
                "be taken for each other; choose another folder",
                folder, object_paths[i]);
        }
    }
    return true;
}

size_t status_folder_write(struct facts *facts, const char *folder, struct log *log,
                           struct metrics *metrics, struct error *ret_problem) {
    struct pass pass = {
        .facts = facts,
        .folder = folder,
        .log = log,
        .metrics = metrics,
        .now = clock_wall_seconds(),
        .problem = ret_problem,
    };
    facts_each(facts, OBJECT_MCPSERVER, on_server, &pass);
    remove_orphans(&pass);
    return pass.n_failed;
}
