// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_OFFLINE_DIFF_LINES_H
#define CORE_OFFLINE_DIFF_LINES_H

/*
 * The lines of two texts, and which of them are in one text only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line and its line break, if it has one; borrowed. */
struct diff_line {
    const char *at;
    size_t size;
    uint64_t hash;
    bool is_changed; /* it has no counterpart in the other text */
};

struct diff_lines {
    struct diff_line *at;
    ptrdiff_t n;
};

/* `text` is borrowed. */
void diff_lines_init(struct diff_lines *lines, const char *text);
void diff_lines_fini(struct diff_lines *lines);

/* Marks what is changed. What is not changed is the same in both, line for line. */
void diff_lines_compare(struct diff_lines *old_lines, struct diff_lines *new_lines);

#endif
