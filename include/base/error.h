// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/*
 * An error is a value on the caller's stack: a kind for the caller to decide by, and one line of
 * text for people. Making one cannot fail and allocates nothing.
 *
 * A function that can fail returns bool, is MUST_CHECK, and takes `struct error *error` last. It
 * writes there only when it returns false. The text is one line in lower case without a full stop,
 * has foreign strings in quotes, and says what is wrong instead of "failed to".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"

enum error_kind {
    ERROR_INVALID,     /* the input is wrong */
    ERROR_NOT_FOUND,   /* the object or file is not there */
    ERROR_CONFLICT,    /* somebody else was faster */
    ERROR_EXPIRED,     /* the version to go on from is too old */
    ERROR_DENIED,      /* permission is missing */
    ERROR_TOO_LARGE,   /* a limit was passed */
    ERROR_TIMEOUT,     /* the time is over */
    ERROR_UNAVAILABLE, /* the file system or the network does not answer as it should */
    ERROR_INTERNAL,    /* a library or this program is at fault */
};

/* The error is not about one place of an input. */
#define ERROR_NO_OFFSET SIZE_MAX

struct error {
    enum error_kind kind;
    size_t offset; /* byte of the input that the error is about, or ERROR_NO_OFFSET */
    char text[480];
};

/* Sets the error and returns false, so that failing is one line. */
bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same, about byte `offset` of the input. */
bool error_set_at(struct error *error, enum error_kind kind, size_t offset, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Puts "context: " before the text; kind and offset stay. If both do not fit, the context loses its
   beginning, but keeps at least half of the room; then the text loses its end. Returns false. */
bool error_wrap(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
