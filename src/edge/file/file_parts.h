// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_FILE_FILE_PARTS_H
#define EDGE_FILE_FILE_PARTS_H

/*
 * Shared by file.c, file_find.c, file_walk.c and file_watch.c.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "base/attribute.h"
#include "base/error.h"

/* The deepest folder that is read, counted from the given one. */
#define FILE_DEPTH_MAX 32

/* Sets "doing 'path': reason", with the text of errno `number`. The kind is ERROR_NOT_FOUND or
   ERROR_UNAVAILABLE. Returns false. */
bool file_fail(struct error *error, int number, const char *doing, const char *path);

struct file_visitor {
    void *context;
    /* Called before the entries of a folder are read. May be NULL. */
    void (*enter)(void *context, const char *folder);
    /* Called for the path itself and for each thing below it. `status` is that of a link's target,
       or NULL if the link leads nowhere. */
    void (*visit)(void *context, const char *path, const struct stat *status);
    bool is_lenient; /* skip what cannot be read or lies too deep; otherwise it is an error */
};

/* Visits a file, or a folder and everything below it, in no order. Follows links, but not back into
   a folder that is being read. Skips names that begin with a dot. Returns false if the path does
   not exist, or for an error below it unless `is_lenient`. */
bool file_walk(const char *path, const struct file_visitor *visitor,
               struct error *error) MUST_CHECK;

#endif
