// SPDX-License-Identifier: Apache-2.0
#include "objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "core/offline/manifest.h"
#include "document.h"
#include "edge/file.h"

struct file_set {
    struct document_file *files;
    size_t n_files;
};

static void file_set_fini(struct file_set *set) {
    for (size_t i = 0; i < set->n_files; i++) {
        document_file_fini(&set->files[i]);
    }
    free(set->files);
}

/* The place of a visit. */
struct place {
    const struct document_file *file;
    size_t document;
    struct facts *facts; /* NULL while only checking */
    struct log *log;
};

static void log_object(const struct place *place, const struct object *object, size_t offset,
                       const char *problem) {
    const struct yaml_mark *mark = yaml_find(&place->file->documents[place->document], offset);
    log_event(place->log, LOG_WARN, "objects.remark", LOG_TEXT("problem", problem),
              LOG_TEXT("file", place->file->path), LOG_INTEGER("line", mark->line),
              LOG_TEXT("namespace", object->namespace), LOG_TEXT("name", object->name),
              LOG_TEXT("hint", "correct the file there; it is read again when it changes"));
}

static void on_object(void *context, const struct object *object, size_t offset) {
    const struct place *place = context;
    const char *fault =
        object->name[0] == '\0' ? "it has no metadata.name" : manifest_fault(object);
    if (place->facts == NULL) {
        return;
    }
    if (fault != NULL) {
        log_object(place, object, offset, fault);
    } else if (facts_put(place->facts, object)) {
        log_object(place, object, offset, "stands there twice; the last one counts");
    }
}

/* Reads all documents and puts their objects into the facts. Without facts, only sees whether they
   can be read. */
static bool walk(const struct file_set *set, struct facts *facts, struct log *log,
                 size_t *ret_n_others, struct error *error) {
    *ret_n_others = 0;
    for (size_t i = 0; i < set->n_files; i++) {
        const struct document_file *file = &set->files[i];
        for (size_t document = 0; document < file->n_documents; document++) {
            struct place place = {file, document, facts, log};
            const struct buffer *json = &file->documents[document].json;
            size_t n_others;
            if (!manifest_read(json->bytes, json->size, on_object, &place, &n_others, error)) {
                document_locate(file, document, error);
                return false;
            }
            *ret_n_others += n_others;
        }
    }
    return true;
}

/* A file that was listed in a folder may be gone by now, or may be a link that leads nowhere, as in
   a ConfigMap that loses a key. That is no error. */
static bool read_file(const char *path, bool is_listed, struct file_set *set, struct error *error) {
    struct document_file file;
    if (!document_file_read(path, &file, error)) {
        return is_listed && error->kind == ERROR_NOT_FOUND;
    }
    set->files = memory_resize(set->files, set->n_files + 1, sizeof(set->files[0]));
    set->files[set->n_files++] = file;
    if (file.n_documents == 0) {
        return error_set(error, ERROR_INVALID, "%s: is empty; remove it, or put an object there",
                         path);
    }
    return true;
}

static bool read_path(const char *path, struct file_set *set, struct error *error) {
    AUTO(file_list_fini) struct file_list list = {.paths = NULL};
    if (!file_find(path, &list, error)) {
        return false;
    }
    for (size_t i = 0; i < list.n_paths; i++) {
        bool is_listed = strcmp(list.paths[i], path) != 0;
        if (!read_file(list.paths[i], is_listed, set, error)) {
            return false;
        }
    }
    return true;
}

bool objects_load(const struct option_texts *paths, struct facts *facts, struct log *log,
                  size_t *ret_n_others, struct error *error) {
    AUTO(file_set_fini) struct file_set set = {.files = NULL};
    for (size_t i = 0; i < paths->n_items; i++) {
        if (!read_path(paths->items[i], &set, error)) {
            return false;
        }
    }
    if (!walk(&set, NULL, log, ret_n_others, error)) {
        return false;
    }
    uint64_t rounds[OBJECT_KIND_COUNT];
    for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
        rounds[kind] = facts_begin_round(facts, (enum object_kind)kind);
    }
    bool is_taken = walk(&set, facts, log, ret_n_others, error);
    for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
        facts_end_round(facts, (enum object_kind)kind, NULL, rounds[kind]);
    }
    return is_taken;
}
