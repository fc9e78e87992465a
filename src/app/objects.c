// SPDX-License-Identifier: Apache-2.0
#include "objects.h"

#include <stdlib.h>

#include "base/memory.h"
#include "core/manifest.h"
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

/* What a visit needs to know of where it is. */
struct place {
    const struct document_file *file;
    size_t document;
    struct facts *facts; /* NULL while only checking */
    const struct log *log;
};

static void log_object(const struct place *place, const struct object *object, size_t offset,
                       const char *problem) {
    const struct yaml_mark *mark = yaml_find(&place->file->documents[place->document], offset);
    log_event(place->log, LOG_WARN, "objects.remark", LOG_TEXT("problem", problem),
              LOG_TEXT("file", place->file->path), LOG_INTEGER("line", mark->line),
              LOG_TEXT("namespace", object->namespace), LOG_TEXT("name", object->name));
}

static void take_object(void *context, const struct object *object, size_t offset) {
    const struct place *place = context;
    const char *fault = manifest_fault(object);
    if (place->facts == NULL) {
        return;
    }
    if (fault != NULL) {
        log_object(place, object, offset, fault);
    } else if (facts_put(place->facts, object)) {
        log_object(place, object, offset, "stands there twice; the last one counts");
    }
}

/* Goes through all documents: without facts to see whether they can be read, with them to take what
   they hold. */
static bool walk(const struct file_set *set, struct facts *facts, const struct log *log,
                 struct error *error) {
    for (size_t i = 0; i < set->n_files; i++) {
        const struct document_file *file = &set->files[i];
        for (size_t document = 0; document < file->n_documents; document++) {
            struct place place = {file, document, facts, log};
            const struct buffer *json = &file->documents[document].json;
            size_t n_others;
            if (!manifest_read(json->bytes, json->size, take_object, &place, &n_others, error)) {
                document_locate(file, document, error);
                return false;
            }
        }
    }
    return true;
}

static bool read_path(const char *path, struct file_set *set, struct error *error) {
    AUTO(file_list_fini) struct file_list list = {.paths = NULL};
    if (!file_find(path, &list, error)) {
        return false;
    }
    for (size_t i = 0; i < list.n_paths; i++) {
        set->files = memory_resize(set->files, set->n_files + 1, sizeof(set->files[0]));
        if (!document_file_read(list.paths[i], &set->files[set->n_files], error)) {
            return false;
        }
        set->n_files++;
    }
    return true;
}

bool objects_load(const char *const *paths, size_t n_paths, struct facts *facts,
                  const struct log *log, struct error *error) {
    AUTO(file_set_fini) struct file_set set = {.files = NULL};
    for (size_t i = 0; i < n_paths; i++) {
        if (!read_path(paths[i], &set, error)) {
            return false;
        }
    }
    if (!walk(&set, NULL, log, error)) {
        return false;
    }
    facts_begin_round(facts);
    bool is_taken = walk(&set, facts, log, error);
    facts_end_round(facts);
    return is_taken;
}
