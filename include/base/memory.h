// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/*
 * Allocation that never returns NULL. Without memory, the process ends with a line on stderr: so no
 * caller carries a branch that no test can reach. Callers check the limit of everything that a peer
 * can make large before they allocate it.
 */

#include <stddef.h>

#include "base/attribute.h"

/* `count` zeroed elements of `size` bytes. Free with free(). */
void *memory_new(size_t count, size_t size);

/* Grows or shrinks an allocation (NULL counts as empty); new bytes are not zeroed. */
void *memory_resize(void *owned, size_t count, size_t size);

/* Makes room for one more element behind `n` of them. The capacity is always a power of two. */
void *memory_grow(void *owned, size_t n, size_t size);

/* A NUL-terminated copy. Free with free(). */
char *memory_copy(const char *bytes, size_t size);

/* A text as printf() makes it, of any length. Free with free(). */
char *memory_format(const char *format, ...) PRINTF_LIKE(1, 2);

/* Zeroes secrets, in a way that compilers do not leave out; `bytes` may be NULL if `size` is 0.
   memory_free_secret() zeroes a text up to its NUL and frees it; NULL is none. */
void memory_wipe(void *bytes, size_t size);
void memory_free_secret(char *owned_text);

/* For AUTO: frees the memory that a pointer variable points to. */
void memory_auto_free(void *pointer_variable);

/* Likewise, for a secret text. */
void memory_auto_free_secret(void *pointer_variable);

/* A local pointer whose memory is freed when it goes out of scope. */
#define AUTO_FREE        AUTO(memory_auto_free)
#define AUTO_FREE_SECRET AUTO(memory_auto_free_secret)

#endif
