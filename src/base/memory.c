// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void give_up(void) {
    fputs("capstan: out of memory\n", stderr);
    abort();
}

void *memory_new(size_t count, size_t size) {
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL) {
        give_up();
    }
    return memory;
}

void *memory_resize(void *owned, size_t count, size_t size) {
    if (size > 0 && count > SIZE_MAX / size) {
        give_up();
    }
    size_t bytes = count * size;
    void *memory = realloc(owned, bytes > 0 ? bytes : 1);
    if (memory == NULL) {
        give_up();
    }
    return memory;
}

char *memory_copy(const char *bytes, size_t size) {
    char *copy = memory_new(size + 1, 1);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

/* A compiler drops a memset() of memory that is freed next; it has to do writes that are volatile.
 */
void memory_wipe(void *bytes, size_t size) {
    volatile unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) {
        at[i] = 0;
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
