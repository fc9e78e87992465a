// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "file_parts.h"

struct folder_id {
    dev_t device;
    ino_t inode;
};

struct walk {
    const struct file_visitor *visitor;
    struct folder_id entered[FILE_DEPTH_MAX + 1]; /* the folders being read */
    size_t n_entered;
};

static bool walk_path(struct walk *walk, const char *path, struct error *error);

static void close_folder(DIR **folder) {
    if (*folder != NULL) {
        closedir(*folder);
    }
}

static bool walk_entries(struct walk *walk, const char *path, struct error *error) {
    if (walk->visitor->enter != NULL) {
        walk->visitor->enter(walk->visitor->context, path);
    }
    const char *slash = path[0] != '\0' && path[strlen(path) - 1] == '/' ? "" : "/";
    AUTO(close_folder) DIR *folder = opendir(path);
    if (folder == NULL) {
        return errno == ENOENT || file_fail(error, errno, "reading the folder", path);
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            return errno == 0 || file_fail(error, errno, "reading the folder", path);
        }
        if (entry->d_name[0] == '.') {
            continue;
        }
        AUTO_FREE char *below = memory_format("%s%s%s", path, slash, entry->d_name);
        if (!walk_path(walk, below, error)) {
            return false;
        }
    }
}

static bool walk_folder(struct walk *walk, const char *path, const struct stat *status,
                        struct error *error) {
    for (size_t i = 0; i < walk->n_entered; i++) {
        const struct folder_id *entered = &walk->entered[i];
        if (entered->device == status->st_dev && entered->inode == status->st_ino) {
            return true;
        }
    }
    if (walk->n_entered == COUNT_OF(walk->entered)) {
        return error_set(error, ERROR_TOO_LARGE, "the folder '%s' lies more than %d folders deep",
                         path, FILE_DEPTH_MAX);
    }
    walk->entered[walk->n_entered++] = (struct folder_id){status->st_dev, status->st_ino};
    bool is_read = walk_entries(walk, path, error);
    walk->n_entered--;
    return is_read;
}

static bool walk_path(struct walk *walk, const char *path, struct error *error) {
    const struct file_visitor *visitor = walk->visitor;
    struct stat status;
    if (stat(path, &status) != 0) {
        /* A link that leads nowhere, or a file that was just removed. The kubelet makes both when
           it removes a key from a mounted ConfigMap. */
        bool is_nowhere = errno == ENOENT || errno == ELOOP;
        if (!is_nowhere && !visitor->is_lenient) {
            return file_fail(error, errno, "looking at", path);
        }
        visitor->visit(visitor->context, path, NULL);
        return true;
    }
    visitor->visit(visitor->context, path, &status);
    return !S_ISDIR(status.st_mode) || walk_folder(walk, path, &status, error) ||
           visitor->is_lenient;
}

bool file_walk(const char *path, const struct file_visitor *visitor, struct error *error) {
    struct stat status;
    if (lstat(path, &status) != 0) {
        return file_fail(error, errno, "looking at", path);
    }
    struct walk walk = {.visitor = visitor};
    return walk_path(&walk, path, error);
}
