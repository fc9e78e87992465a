// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_HASH_H
#define BASE_HASH_H

/*
 * FNV-1a with 64 bits: short, and good enough for tables and fingerprints. It does not withstand
 * somebody who chooses the input. Inline, since requests look up facts with it.
 *
 * hash = hash_text(hash_text(HASH_EMPTY, namespace), name)
 */

#include <stddef.h>
#include <stdint.h>

/* The hash of nothing. */
#define HASH_EMPTY UINT64_C(0xCBF29CE484222325)

static inline uint64_t hash_byte(uint64_t hash, unsigned char byte) {
    return (hash ^ byte) * UINT64_C(0x100000001B3);
}

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) {
        hash = hash_byte(hash, at[i]);
    }
    return hash;
}

/* Ends with a byte that UTF-8 does not have, so that "ab", "c" and "a", "bc" differ. A NUL would do
   too, but xor with 0 makes gcc merge two multiplications and copy a register for every byte. */
static inline uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text != '\0'; text++) {
        hash = hash_byte(hash, (unsigned char)*text);
    }
    return hash_byte(hash, 0xFF);
}

/* For a table that takes the low bits: they depend on all bits then. */
static inline uint64_t hash_fold(uint64_t hash) {
    return hash ^ hash >> 32;
}

#endif
