// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base64.h"

enum { CAPACITY_MIN = 256 };

void buffer_init(struct buffer *buffer, size_t limit) {
    *buffer = (struct buffer){.limit = limit};
}

void buffer_init_secret(struct buffer *buffer, size_t limit) {
    *buffer = (struct buffer){.limit = limit, .is_secret = true};
}

void buffer_fini(struct buffer *buffer) {
    if (buffer->is_secret) {
        memory_wipe(buffer->bytes, buffer->capacity);
    }
    free(buffer->bytes);
    *buffer = (struct buffer){.limit = buffer->limit, .is_secret = buffer->is_secret};
}

void buffer_clear(struct buffer *buffer) {
    buffer->size = 0;
    buffer->is_cut = false;
}

/* realloc() would leave a copy of a secret behind. */
static void resize(struct buffer *buffer, size_t capacity) {
    if (buffer->is_secret && buffer->bytes != NULL) {
        char *bytes = memory_new(capacity, 1);
        memcpy(bytes, buffer->bytes, buffer->size);
        memory_wipe(buffer->bytes, buffer->capacity);
        free(buffer->bytes);
        buffer->bytes = bytes;
    } else {
        buffer->bytes = memory_resize(buffer->bytes, capacity, 1);
    }
    buffer->capacity = capacity;
}

static void grow(struct buffer *buffer, size_t needed) {
    if (needed <= buffer->capacity) {
        return;
    }
    size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity * 2;
    if (capacity < needed) {
        capacity = needed;
    }
    resize(buffer, capacity);
}

static bool fits(struct buffer *buffer, size_t size) {
    if (size > buffer->limit - buffer->size) {
        buffer->is_cut = true;
        return false;
    }
    return true;
}

void buffer_add(struct buffer *buffer, const char *bytes, size_t size) {
    if (size == 0 || !fits(buffer, size)) {
        return;
    }
    grow(buffer, buffer->size + size);
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

void buffer_add_text(struct buffer *buffer, const char *text) {
    buffer_add(buffer, text, strlen(text));
}

void buffer_add_byte(struct buffer *buffer, char byte) {
    if (buffer->size < buffer->capacity && buffer->size < buffer->limit) {
        buffer->bytes[buffer->size++] = byte;
    } else {
        buffer_add(buffer, &byte, 1);
    }
}

void buffer_add_format(struct buffer *buffer, const char *format, ...) {
    va_list values;
    va_start(values, format);
    va_list again;
    va_copy(again, values);
    int size = vsnprintf(NULL, 0, format, values);
    va_end(values);
    if (size > 0 && fits(buffer, (size_t)size)) {
        grow(buffer, buffer->size + (size_t)size + 1);
        vsnprintf(buffer->bytes + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

void buffer_add_base64(struct buffer *buffer, const char *bytes, size_t size) {
    size_t encoded_size = (size + 2) / 3 * 4;
    if (size == 0 || !fits(buffer, encoded_size)) {
        return;
    }
    grow(buffer, buffer->size + encoded_size);
    char *out = buffer->bytes + buffer->size;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned a = (unsigned char)bytes[i];
        unsigned b = left > 1 ? (unsigned char)bytes[i + 1] : 0;
        unsigned c = left > 2 ? (unsigned char)bytes[i + 2] : 0;
        *out++ = base64_digits[a >> 2];
        *out++ = base64_digits[(a & 3) << 4 | b >> 4];
        *out++ = left > 1 ? base64_digits[(b & 15) << 2 | c >> 6] : '=';
        *out++ = left > 2 ? base64_digits[c & 63] : '=';
    }
    buffer->size += encoded_size;
}

void buffer_reserve(struct buffer *buffer, size_t size) {
    if (size <= buffer->limit - buffer->size && buffer->size + size > buffer->capacity) {
        resize(buffer, buffer->size + size);
    }
}

const char *buffer_text(struct buffer *buffer) {
    grow(buffer, buffer->size + 1);
    buffer->bytes[buffer->size] = '\0';
    return buffer->bytes;
}
