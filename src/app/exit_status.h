// SPDX-License-Identifier: Apache-2.0
#ifndef APP_EXIT_STATUS_H
#define APP_EXIT_STATUS_H

/*
 * How the program ends.
 */

#include "base/error.h"

enum exit_status {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* it was asked rightly and could not do it */
    STATUS_USAGE = 2,  /* it was asked wrongly: unknown option, unusable input */
};

/* Prints "capstan: " and the error on stderr, and returns the status that its kind calls for. */
int exit_with(const struct error *error);

#endif
