// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/*
 * Allocation that never returns NULL: a process without memory ends with a line on stderr, and no
 * caller carries a branch that no test can reach. What a peer can make large has a limit that is
 * checked before it comes here.
 */

#include <stddef.h>

#include "base/attribute.h"

/* `count` zeroed elements of `size` bytes. Free with free(). */
void *memory_new(size_t count, size_t size);

/* Grows or shrinks an allocation (NULL counts as empty); new bytes are not zeroed. */
void *memory_resize(void *owned, size_t count, size_t size);

/* A NUL-terminated copy. Free with free(). */
char *memory_copy(const char *bytes, size_t size);

/* Zeroes secrets, in a way that compilers do not leave out; `bytes` may be NULL if `size` is 0.
   memory_free_secret() zeroes and frees a text; NULL is none. */
void memory_wipe(void *bytes, size_t size);
void memory_free_secret(char *owned_text);

/* For AUTO: frees what a pointer variable points to. */
void memory_auto_free(void *pointer_variable);

/* A local that is freed when it goes out of scope. */
#define AUTO_FREE AUTO(memory_auto_free)

#endif
