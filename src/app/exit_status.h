// SPDX-License-Identifier: Apache-2.0
#ifndef APP_EXIT_STATUS_H
#define APP_EXIT_STATUS_H

/*
 * The exit statuses, and the one line on standard error.
 */

#include "base/error.h"

enum exit_status {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* the program could not do what it was asked */
    STATUS_USAGE = 2,  /* the user asked wrongly: unknown option, unusable input */
};

/* Prints "capstan: " and the text on standard error, as one line. Escapes control characters, since
   the text may quote a user or a file. */
void complain(const char *text);

/* Complains of the error. Returns the status for the error's kind. */
int exit_with(const struct error *error);

#endif
