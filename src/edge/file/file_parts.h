// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_FILE_FILE_PARTS_H
#define EDGE_FILE_FILE_PARTS_H

/*
 * What file.c, file_find.c and file_watch.c share.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "base/attribute.h"
#include "base/error.h"

/* Folders that lie deeper than this below the given one are not read. */
#define FILE_DEPTH_MAX 32

/* Sets "doing 'path': what errno says": ERROR_NOT_FOUND or ERROR_UNAVAILABLE. Returns false. */
bool file_fail(struct error *error, int number, const char *doing, const char *path);

struct file_visitor {
    void *context;
    /* Before the entries of a folder are read. May be NULL. */
    void (*enter)(void *context, const char *folder);
    /* The path itself, then each thing below it. The status is that of what a link leads to; NULL
       if it leads nowhere. */
    void (*visit)(void *context, const char *path, const struct stat *status);
    bool is_lenient; /* what cannot be read or lies too deep is passed over; else it is an error */
};

/* Visits a file, or a folder and what is below it, in no order. Links are followed, but not back
   into a folder that is being read. Names that begin with a dot are passed over. False if the path
   is not there. */
bool file_walk(const char *path, const struct file_visitor *visitor,
               struct error *error) MUST_CHECK;

#endif
