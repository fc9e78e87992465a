// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_FILE_H
#define EDGE_FILE_H

/*
 * Files: reads with a limit, writes atomically, lists a tree, notices changes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

/* Reads a whole file into the buffer. The caller has initialised it; its limit bounds the file, and
   its old content is lost. Errors name the path: ERROR_NOT_FOUND, ERROR_TOO_LARGE,
   ERROR_UNAVAILABLE (also for a folder). */
bool file_read(const char *path, struct buffer *ret_content, struct error *error) MUST_CHECK;

/* The folder to read files from that belong together. In a mounted ConfigMap or Secret it is the
   current target of the kubelet's link `..data`, which is swapped as a whole. Otherwise it is the
   folder itself. If the target is gone when it is read, there is a newer one. Free with free().
   https://kubernetes.io/docs/concepts/storage/volumes/#configmap */
char *file_resolve_volume(const char *folder);

/* Writes a temporary file beside it and renames it, so that a reader sees the old file or the new
   one, whole. Errors: ERROR_NOT_FOUND (the folder), ERROR_UNAVAILABLE. */
bool file_write(const char *path, const char *bytes, size_t size, mode_t mode,
                struct error *error) MUST_CHECK;

/* Makes a folder and those above it. No error if it exists. */
bool file_make_folder(const char *path, mode_t mode, struct error *error) MUST_CHECK;

/* No error if it does not exist. */
bool file_remove(const char *path, struct error *error) MUST_CHECK;

struct file_list {
    char **paths; /* in byte order */
    size_t n_paths;
};

void file_list_fini(struct file_list *list);

/* If the path is a file, lists only that. Otherwise lists all files below it, at any depth, that
   end in .yaml, .yml or .json. Skips names that begin with a dot: editors' swap files, and the
   ..data folders of a mounted ConfigMap, whose files also have links beside them. Follows links,
   but never in a circle.

   A link with such a name that leads nowhere is listed too. Reading it is ERROR_NOT_FOUND, as for a
   file that has just gone. The kubelet leaves both behind for a moment. A folder that cannot be
   read, or lies more than 32 folders deep, is an error. Free with file_list_fini(). */
bool file_find(const char *path, struct file_list *ret_list, struct error *error) MUST_CHECK;

/*
 * Notices changes at or below some paths. It watches folders, not files, since files are replaced
 * by a rename, or by the kubelet's swap of the link `..data`.
 */
struct file_watch;

struct file_watch *file_watch_new(void);
void file_watch_free(struct file_watch *watch);

/* Watches a file, or a folder with all folders below it. If the path does not exist yet, watches
   the nearest folder above it. Adding a path twice does nothing. */
void file_watch_add(struct file_watch *watch, const char *path);

/* For poll(): readable when something may have changed. -1 if the kernel gives no inotify; then
   only regular calls of file_watch_changed() notice changes. */
int file_watch_descriptor(const struct file_watch *watch);

/* Reads pending events, watches new folders, and compares each path (names, sizes, times, modes,
   inodes, link targets) with the last look. Returns true if anything differs. Skips names that
   begin with a dot below a folder, as file_find() does.

   Call it when the descriptor is readable, and every 10 s: some changes make no events (a file
   behind a link that leads elsewhere, the rename of a folder far above). */
bool file_watch_changed(struct file_watch *watch);

#endif
