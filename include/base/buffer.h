// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

/*
 * Bytes that grow up to a hard limit. The buffer leaves out an addition that would pass the limit,
 * and sets is_cut. So callers add without checking, and look at is_cut once, at the end.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"

struct buffer {
    char *bytes; /* not NUL-terminated; NULL until the first addition */
    size_t size;
    size_t capacity;
    size_t limit;
    bool is_cut;    /* an addition was left out because of the limit */
    bool is_secret; /* zeroes memory before it leaves it, when it grows and in buffer_fini() */
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_init_secret(struct buffer *buffer, size_t limit);
void buffer_fini(struct buffer *buffer);

/* Empties the buffer and keeps its memory and its limit. */
void buffer_clear(struct buffer *buffer);

/* Each adds everything, or nothing if that would pass the limit. */
void buffer_add(struct buffer *buffer, const char *bytes, size_t size);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_byte(struct buffer *buffer, char byte);
void buffer_add_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds the standard base64 (RFC 4648 section 4, padded) of the bytes. */
void buffer_add_base64(struct buffer *buffer, const char *bytes, size_t size);

/* Makes room for `size` more bytes, so that adding them does not allocate. Does nothing if they
   would pass the limit. */
void buffer_reserve(struct buffer *buffer, size_t size);

/* The bytes as a C string: writes a NUL behind them, which `size` does not count. */
const char *buffer_text(struct buffer *buffer);

#endif
