// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *memory) {
    if (memory == NULL) {
        fputs("capstan: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *memory_new(size_t count, size_t size) {
    return check(calloc(count > 0 ? count : 1, size));
}

void *memory_resize(void *owned, size_t count, size_t size) {
    bool is_too_large = size > 0 && count > SIZE_MAX / size;
    size_t bytes = count * size;
    return check(is_too_large ? NULL : realloc(owned, bytes > 0 ? bytes : 1));
}

void *memory_grow(void *owned, size_t n, size_t size) {
    bool is_full = (n & (n - 1)) == 0;
    return is_full ? memory_resize(owned, n == 0 ? 1 : n * 2, size) : owned;
}

char *memory_copy(const char *bytes, size_t size) {
    char *copy = memory_new(size + 1, 1);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

char *memory_format(const char *format, ...) {
    va_list values;
    va_start(values, format);
    assert(format != NULL); /* else gcc warns where UBSan looks for it */
    size_t size = (size_t)vsnprintf(NULL, 0, format, values) + 1;
    va_end(values);
    char *text = memory_new(size, 1);
    va_start(values, format);
    vsnprintf(text, size, format, values);
    va_end(values);
    return text;
}

/* A compiler drops a memset() of memory that is freed next. The empty statement claims to look at
   the memory, so the zeroes have to be there. */
void memory_wipe(void *bytes, size_t size) {
    if (size > 0) {
        memset(bytes, 0, size);
        __asm__ volatile("" : : "r"(bytes) : "memory");
    }
}

void memory_free_secret(char *owned_text) {
    if (owned_text != NULL) {
        memory_wipe(owned_text, strlen(owned_text));
        free(owned_text);
    }
}

void memory_auto_free(void *pointer_variable) {
    void *pointer;
    memcpy(&pointer, pointer_variable, sizeof(pointer));
    free(pointer);
}

void memory_auto_free_secret(void *pointer_variable) {
    char *pointer;
    memcpy(&pointer, pointer_variable, sizeof(pointer));
    memory_free_secret(pointer);
}
