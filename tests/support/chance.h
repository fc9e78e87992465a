// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_CHANCE_H
#define TESTS_SUPPORT_CHANCE_H

/*
 * Pseudo-random numbers (splitmix64), the same on every machine.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

static inline uint64_t chance_next(struct chance *chance) {
    uint64_t z = (chance->state += 0x9e3779b97f4a7c15U);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

/* 0 to n - 1. */
static inline size_t chance_below(struct chance *chance, size_t n) {
    return (size_t)(chance_next(chance) >> 11) % n;
}

static inline bool chance_of(struct chance *chance, unsigned percent) {
    return chance_below(chance, 100) < percent;
}

/* One of the texts of an array; a text that is there twice is twice as likely. */
#define CHANCE_PICK(chance, array)                                                                 \
    ((array)[chance_below((chance), sizeof(array) / sizeof((array)[0]))])

#endif
