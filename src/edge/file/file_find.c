// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "edge/file.h"
#include "file_parts.h"

static void list_add(struct file_list *list, const char *path) {
    list->paths = memory_grow(list->paths, list->n_paths, sizeof(*list->paths));
    list->paths[list->n_paths++] = memory_copy(path, strlen(path));
}

static bool has_suffix(const char *path) {
    static const char *const suffixes[] = {".yaml", ".yml", ".json"};
    size_t size = strlen(path);
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        size_t suffix_size = strlen(suffixes[i]);
        if (size > suffix_size && strcmp(path + size - suffix_size, suffixes[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A link that leads nowhere counts: it may have led to a file. */
static void on_path(void *context, const char *path, const struct stat *status) {
    if ((status == NULL || S_ISREG(status->st_mode)) && has_suffix(path)) {
        list_add(context, path);
    }
}

static int compare_paths(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

bool file_find(const char *path, struct file_list *ret_list, struct error *error) {
    struct stat status;
    if (stat(path, &status) != 0) {
        return file_fail(error, errno, "looking at", path);
    }
    AUTO(file_list_fini) struct file_list list = {0};
    if (!S_ISDIR(status.st_mode)) {
        list_add(&list, path);
    } else {
        struct file_visitor visitor = {.context = &list, .visit = on_path};
        if (!file_walk(path, &visitor, error)) {
            return false;
        }
        if (list.n_paths > 0) {
            qsort(list.paths, list.n_paths, sizeof(*list.paths), compare_paths);
        }
    }
    *ret_list = TAKE(list);
    return true;
}

void file_list_fini(struct file_list *list) {
    for (size_t i = 0; i < list->n_paths; i++) {
        free(list->paths[i]);
    }
    free(list->paths);
    *list = (struct file_list){0};
}
