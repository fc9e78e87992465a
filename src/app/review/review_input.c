// SPDX-License-Identifier: Apache-2.0
#include "review_input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "document.h"
#include "edge/file.h"

enum { PIECE_SIZE = 65536 };

static bool is_stdin(const char *path) {
    return strcmp(path, "-") == 0;
}

bool review_input_names_stdin(const struct option_texts *paths) {
    for (size_t i = 0; i < paths->n_items; i++) {
        if (is_stdin(paths->items[i])) {
            return true;
        }
    }
    return false;
}

bool review_input_read_stdin(struct buffer *ret_content, struct error *error) {
    char piece[PIECE_SIZE];
    ssize_t size = -1;
    buffer_init(ret_content, DOCUMENT_FILE_MAX);
    while (size != 0 && !ret_content->is_cut) {
        size = read(STDIN_FILENO, piece, sizeof(piece));
        if (size < 0 && errno != EINTR) {
            return error_set(error, ERROR_UNAVAILABLE, "reading standard input: %s",
                             strerror(errno));
        }
        buffer_add(ret_content, piece, size > 0 ? (size_t)size : 0);
    }
    return !ret_content->is_cut ||
           error_set(error, ERROR_TOO_LARGE, "standard input is larger than %d MiB",
                     DOCUMENT_FILE_MAX >> 20);
}

/* A walk through the input. `is_over`: a visit has ended it. */
struct reading {
    review_input_visit *visit;
    void *context;
    const struct document_file *file;
    size_t document;
    struct error *error;
    bool is_over;
};

static void on_item(void *context, const struct manifest_item *item) {
    struct reading *reading = context;
    if (reading->is_over) {
        return;
    }
    const struct yaml_mark *mark =
        yaml_find(&reading->file->documents[reading->document], item->offset);
    const struct review_input input = {
        .path = reading->file->path,
        .line = mark->line,
        .column = mark->column,
        .item = item,
    };
    reading->is_over = !reading->visit(reading->context, &input, reading->error);
}

static bool each_of_file(const struct document_file *file, struct reading *reading) {
    reading->file = file;
    for (size_t i = 0; i < file->n_documents; i++) {
        const struct buffer *json = &file->documents[i].json;
        reading->document = i;
        if (!manifest_split(json->bytes, json->size, on_item, reading, reading->error) ||
            reading->is_over) {
            document_locate(file, i, reading->error);
            return false;
        }
    }
    return true;
}

static bool each_of_stdin(const struct buffer *content, struct reading *reading) {
    AUTO(document_file_fini) struct document_file file = {.path = NULL};
    return document_file_parse(REVIEW_INPUT_STDIN, content, &file, reading->error) &&
           each_of_file(&file, reading);
}

/* `path` is a file or a folder. */
static bool each_of_path(const char *path, struct reading *reading) {
    AUTO(file_list_fini) struct file_list list = {.paths = NULL};
    if (!file_find(path, &list, reading->error)) {
        return false;
    }
    for (size_t i = 0; i < list.n_paths; i++) {
        AUTO(document_file_fini) struct document_file file = {.path = NULL};
        if (!document_file_read(list.paths[i], &file, reading->error) ||
            !each_of_file(&file, reading)) {
            return false;
        }
    }
    return true;
}

bool review_input_each(const struct option_texts *paths, const struct buffer *standard_input,
                       review_input_visit *visit, void *context, struct error *error) {
    struct reading reading = {.visit = visit, .context = context, .error = error};
    for (size_t i = 0; i < paths->n_items; i++) {
        const char *path = paths->items[i];
        bool is_good =
            is_stdin(path) ? each_of_stdin(standard_input, &reading) : each_of_path(path, &reading);
        if (!is_good) {
            return false;
        }
    }
    return true;
}
