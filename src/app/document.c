// SPDX-License-Identifier: Apache-2.0
#include "document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "edge/file.h"

void document_file_fini(struct document_file *file) {
    for (size_t i = 0; i < file->n_documents; i++) {
        yaml_document_fini(&file->documents[i]);
    }
    free(file->documents);
    free(file->path);
    *file = (struct document_file){.path = NULL};
}

static bool read_documents(const struct buffer *content, struct document_file *file,
                           struct error *error) {
    struct yaml_stream *stream = yaml_open(content->bytes, content->size);
    bool is_good;
    bool has_more = true;
    do {
        struct yaml_document document;
        is_good = yaml_next(stream, &document, &has_more, error);
        if (is_good && has_more) {
            file->documents =
                memory_resize(file->documents, file->n_documents + 1, sizeof(document));
            file->documents[file->n_documents++] = document;
        }
    } while (is_good && has_more);
    yaml_close(stream);
    return is_good;
}

/* Turns the "line 3, column 5: ..." of edge/yaml into "file:3:5: ...", to which editors and
   terminals can jump. */
static bool fail_in_file(struct error *error, const char *path) {
    struct error inner = *error;
    unsigned line;
    unsigned column;
    int used = 0;
    if (sscanf(inner.text, "line %u, column %u: %n", &line, &column, &used) < 2 || used == 0) {
        return error_wrap(error, "%s", path);
    }
    memmove(error->text, inner.text + used, strlen(inner.text + used) + 1);
    return error_wrap(error, "%s:%u:%u", path, line, column);
}

bool document_file_parse(const char *path, const struct buffer *content,
                         struct document_file *ret_file, struct error *error) {
    AUTO(document_file_fini) struct document_file file = {.path = NULL};
    file.path = memory_copy(path, strlen(path));
    if (!read_documents(content, &file, error)) {
        return fail_in_file(error, path);
    }
    *ret_file = TAKE(file);
    return true;
}

bool document_file_read(const char *path, struct document_file *ret_file, struct error *error) {
    AUTO(buffer_fini) struct buffer content;
    buffer_init(&content, DOCUMENT_FILE_MAX);
    return file_read(path, &content, error) && document_file_parse(path, &content, ret_file, error);
}

void document_locate(const struct document_file *file, size_t document, struct error *error) {
    if (error->offset == ERROR_NO_OFFSET) {
        error_wrap(error, "%s", file->path);
        return;
    }
    const struct yaml_mark *mark = yaml_find(&file->documents[document], error->offset);
    error_wrap(error, "%s:%u:%u", file->path, mark->line, mark->column);
}

/* Finds the one document that is not empty. */
static bool find_policy(const struct document_file *file, size_t *ret_document,
                        struct error *error) {
    size_t n_found = 0;
    for (size_t i = 0; i < file->n_documents; i++) {
        const struct buffer *json = &file->documents[i].json;
        bool is_empty = json->size == 4 && memcmp(json->bytes, "null", 4) == 0;
        if (!is_empty && n_found++ > 0) {
            error_set_at(error, ERROR_INVALID, 0, "a policy is one document, and this is another");
            document_locate(file, i, error);
            return false;
        }
        if (!is_empty) {
            *ret_document = i;
        }
    }
    return n_found == 1 ||
           error_set(error, ERROR_INVALID, "%s: is empty; a policy is expected", file->path);
}

static bool decode_policy(const struct document_file *file, struct policy **ret_policy,
                          struct error *error) {
    size_t document = 0;
    if (!find_policy(file, &document, error)) {
        return false;
    }
    const struct buffer *json = &file->documents[document].json;
    if (!policy_decode(json->bytes, json->size, ret_policy, error)) {
        document_locate(file, document, error);
        return false;
    }
    return true;
}

bool document_read_policy(const char *path, struct policy **ret_policy, struct error *error) {
    AUTO(document_file_fini) struct document_file file = {.path = NULL};
    return document_file_read(path, &file, error) && decode_policy(&file, ret_policy, error);
}

bool document_parse_policy(const char *path, const struct buffer *content,
                           struct policy **ret_policy, struct error *error) {
    AUTO(document_file_fini) struct document_file file = {.path = NULL};
    return document_file_parse(path, content, &file, error) &&
           decode_policy(&file, ret_policy, error);
}
