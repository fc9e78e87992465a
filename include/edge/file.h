// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_FILE_H
#define EDGE_FILE_H

/*
 * Files: read with a cap, write so that nobody sees half of one, list a tree, notice change.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

/* Reads a whole file into the buffer (which the caller has initialised; its limit is the cap; what
   was in it is gone). Errors name the path: ERROR_NOT_FOUND, ERROR_TOO_LARGE, ERROR_UNAVAILABLE (a
   folder, too). */
bool file_read(const char *path, struct buffer *ret_content, struct error *error) MUST_CHECK;

/* Where files that belong together are to be read from: in a mounted ConfigMap or Secret the folder
   that the kubelet's link `..data` leads to now, which is swapped as a whole, else the folder
   itself. What the link leads to may be gone when it is read: then there is a newer one. Free with
   free(). https://kubernetes.io/docs/concepts/storage/volumes/#configmap */
char *file_resolve_volume(const char *folder);

/* Writes beside it and renames, so that a reader sees the old file or the new one, whole. */
bool file_write(const char *path, const char *bytes, size_t size, mode_t mode,
                struct error *error) MUST_CHECK;

/* Makes a folder and those above it. No error if it is there. */
bool file_make_folder(const char *path, mode_t mode, struct error *error) MUST_CHECK;

/* No error if it is not there. */
bool file_remove(const char *path, struct error *error) MUST_CHECK;

struct file_list {
    char **paths; /* in byte order */
    size_t n_paths;
};

void file_list_fini(struct file_list *list);

/* The path itself if it is a file; else all files below it, at any depth, that end in .yaml, .yml
   or .json. Names that begin with a dot are passed over (editors' swap files, and the ..data
   folders of a mounted ConfigMap, whose files are also linked beside them). Links are followed, but
   never round; one of such a name that leads nowhere is listed, and reading it is ERROR_NOT_FOUND,
   as where a file is gone meanwhile: the kubelet leaves both behind for a moment. A folder that
   cannot be read, or lies more than 32 folders deep, is an error. */
bool file_find(const char *path, struct file_list *ret_list, struct error *error) MUST_CHECK;

/*
 * Notices that something at or below some paths changed. It watches folders, not files, because
 * that is how files are replaced: by a rename, or by the kubelet's swap of the link `..data`.
 */
struct file_watch;

struct file_watch *file_watch_new(void);
void file_watch_free(struct file_watch *watch);

/* Watches a file or, with all folders below it, a folder. A path that is not there yet is watched
   through the nearest folder above it. Adding a path twice does nothing. */
void file_watch_add(struct file_watch *watch, const char *path);

/* Readable when there may be something to see; for poll(). -1 where the kernel gives no inotify:
   then only the regular look of the caller notices change. */
int file_watch_descriptor(const struct file_watch *watch);

/* Takes in what happened since the last call, follows new folders, and compares what stands at each
   path (names, sizes, times, modes, inodes, link targets) with the last look: true if anything
   differs. Names that begin with a dot are passed over below a folder, as by file_find().
   To be called when the descriptor is readable and, since not all change makes events (a file
   behind a link that leads elsewhere, a folder far above that is renamed), every 10 s. */
bool file_watch_changed(struct file_watch *watch);

#endif
