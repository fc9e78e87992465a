// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

/*
 * Growing bytes with a hard limit. Going past the limit is remembered and not done: add as much as
 * you like and ask once at the end whether the buffer is whole.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"

struct buffer {
    char *bytes; /* not NUL-terminated; NULL while nothing was added */
    size_t size;
    size_t capacity;
    size_t limit;
    bool is_cut; /* something was not added, because it would have passed the limit */
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_fini(struct buffer *buffer);

/* buffer_fini() for secrets: zeroes the bytes first. What a buffer left behind when it grew is not
   zeroed. */
void buffer_wipe(struct buffer *buffer);

/* Empties the buffer and keeps its memory and its limit. */
void buffer_clear(struct buffer *buffer);

/* Adds all of it, or nothing of it if the limit would be passed. */
void buffer_add(struct buffer *buffer, const char *bytes, size_t size);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_byte(struct buffer *buffer, char byte);
void buffer_add_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds the standard base64 (RFC 4648 section 4, padded) of the bytes. */
void buffer_add_base64(struct buffer *buffer, const char *bytes, size_t size);

/* Makes room for `size` more bytes at once, so that adding them does not allocate. */
void buffer_reserve(struct buffer *buffer, size_t size);

/* The bytes as a C string: adds a NUL behind them that is not counted in size. */
const char *buffer_text(struct buffer *buffer);

#endif
