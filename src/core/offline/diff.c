// SPDX-License-Identifier: Apache-2.0
#include "core/offline/diff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/attribute.h"
#include "base/memory.h"

/* A line with its line break, if it has one; borrowed. */
struct line {
    const char *at;
    size_t size;
    char sign; /* '-': removed, '+': added, ' ': the same in both texts */
};

struct lines {
    struct line *at;
    ptrdiff_t n;
};

static size_t line_size(const char *at) {
    size_t size = strcspn(at, "\n");
    return size + (at[size] == '\n');
}

static void lines_init(struct lines *lines, const char *text) {
    *lines = (struct lines){.n = 0};
    for (const char *at = text; *at != '\0'; at += line_size(at)) {
        lines->n++;
    }
    lines->at = memory_new((size_t)lines->n, sizeof(*lines->at));
    for (ptrdiff_t i = 0; i < lines->n; i++) {
        lines->at[i] = (struct line){.at = text, .size = line_size(text), .sign = ' '};
        text += lines->at[i].size;
    }
}

static void lines_fini(struct lines *lines) {
    free(lines->at);
}

/*
 * The greedy algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986),
 * section 2. Removing a line steps from (x, y) to (x + 1, y), adding one to (x, y + 1), and equal
 * lines lead on for nothing. After d changes the points lie on d + 1 diagonals, where x - y is
 * 2 * i - d for i from 0 to d. Row d holds the furthest x on each. The rows are kept, because the
 * way is found by going back through them.
 */
struct comparison {
    struct line *old_lines;
    struct line *new_lines;
    ptrdiff_t n_old;
    ptrdiff_t n_new;
    ptrdiff_t *rows; /* one behind the other */
};

#define NOWHERE ((ptrdiff_t)-1)

static ptrdiff_t *row(const struct comparison *comparison, ptrdiff_t d) {
    return comparison->rows + d * (d + 1) / 2;
}

/* The x on diagonal i of row d after one more change, which removes a line, adds one, or does
   either. NOWHERE if that leads out of a text. */
static ptrdiff_t after_removal(const struct comparison *comparison, ptrdiff_t d, ptrdiff_t i) {
    ptrdiff_t x = i > 0 ? row(comparison, d - 1)[i - 1] : NOWHERE;
    return x == NOWHERE || x == comparison->n_old ? NOWHERE : x + 1;
}

static ptrdiff_t after_addition(const struct comparison *comparison, ptrdiff_t d, ptrdiff_t i) {
    ptrdiff_t x = i < d ? row(comparison, d - 1)[i] : NOWHERE;
    return x == NOWHERE || x - (2 * i - d) > comparison->n_new ? NOWHERE : x;
}

static ptrdiff_t after_change(const struct comparison *comparison, ptrdiff_t d, ptrdiff_t i) {
    if (d == 0) {
        return 0;
    }
    return MAX(after_removal(comparison, d, i), after_addition(comparison, d, i));
}

static bool is_same(const struct line *a, const struct line *b) {
    return a->size == b->size && memcmp(a->at, b->at, a->size) == 0;
}

static ptrdiff_t pass_same(const struct comparison *comparison, ptrdiff_t x, ptrdiff_t y) {
    while (x < comparison->n_old && y < comparison->n_new &&
           is_same(&comparison->old_lines[x], &comparison->new_lines[y])) {
        x++;
        y++;
    }
    return x;
}

/* Fills the rows. Returns the fewest changes that lead to the end; NOWHERE if there are too many.
 */
static ptrdiff_t count_changes(struct comparison *comparison) {
    for (ptrdiff_t d = 0; d <= DIFF_CHANGES_MAX; d++) {
        size_t n_points = (size_t)((d + 1) * (d + 2) / 2);
        comparison->rows = memory_resize(comparison->rows, n_points, sizeof(*comparison->rows));
        for (ptrdiff_t i = 0; i <= d; i++) {
            ptrdiff_t diagonal = 2 * i - d;
            ptrdiff_t x = after_change(comparison, d, i);
            if (x != NOWHERE) {
                x = pass_same(comparison, x, x - diagonal);
            }
            row(comparison, d)[i] = x;
            if (x == comparison->n_old && x - diagonal == comparison->n_new) {
                return d;
            }
        }
    }
    return NOWHERE;
}

/* Goes back from the end, which was reached after d changes. */
static void mark_changes(const struct comparison *comparison, ptrdiff_t d) {
    ptrdiff_t i = (comparison->n_old - comparison->n_new + d) / 2;
    for (; d > 0; d--) {
        ptrdiff_t removed = after_removal(comparison, d, i);
        ptrdiff_t added = after_addition(comparison, d, i);
        if (removed > added) {
            comparison->old_lines[removed - 1].sign = '-';
            i--;
        } else {
            comparison->new_lines[added - (2 * i - d) - 1].sign = '+';
        }
    }
}

static void mark_all(const struct comparison *comparison) {
    for (ptrdiff_t x = 0; x < comparison->n_old; x++) {
        comparison->old_lines[x].sign = '-';
    }
    for (ptrdiff_t y = 0; y < comparison->n_new; y++) {
        comparison->new_lines[y].sign = '+';
    }
}

/* Sets the signs. Compares only the lines between equal ends. */
static void compare(const struct lines *old_lines, const struct lines *new_lines) {
    ptrdiff_t n_shared = MIN(old_lines->n, new_lines->n);
    ptrdiff_t start = 0;
    ptrdiff_t end = 0;
    while (start < n_shared && is_same(&old_lines->at[start], &new_lines->at[start])) {
        start++;
    }
    while (end < n_shared - start && is_same(&old_lines->at[old_lines->n - 1 - end],
                                             &new_lines->at[new_lines->n - 1 - end])) {
        end++;
    }
    struct comparison comparison = {
        .old_lines = old_lines->at + start,
        .new_lines = new_lines->at + start,
        .n_old = old_lines->n - start - end,
        .n_new = new_lines->n - start - end,
    };
    ptrdiff_t n_changes = count_changes(&comparison);
    if (n_changes == NOWHERE) {
        mark_all(&comparison);
    } else {
        mark_changes(&comparison, n_changes);
    }
    free(comparison.rows);
}

/* Merges the lines of both texts in the order of a diff. Lines that are in both come once. */
static void merge(const struct lines *old_lines, const struct lines *new_lines,
                  struct lines *ret_lines) {
    const struct line *old_line = old_lines->at;
    const struct line *new_line = new_lines->at;
    const struct line *old_end = old_line + old_lines->n;
    const struct line *new_end = new_line + new_lines->n;
    struct lines lines = {memory_new((size_t)(old_lines->n + new_lines->n), sizeof(*old_line)), 0};
    while (old_line < old_end || new_line < new_end) {
        if (old_line < old_end && old_line->sign == '-') {
            lines.at[lines.n++] = *old_line++;
        } else if (new_line < new_end && new_line->sign == '+') {
            lines.at[lines.n++] = *new_line++;
        } else {
            lines.at[lines.n++] = *old_line++;
            new_line++;
        }
    }
    *ret_lines = lines;
}

/* The first line from `i` on that is changed, or the number of lines. */
static ptrdiff_t find_change(const struct lines *lines, ptrdiff_t i) {
    while (i < lines->n && lines->at[i].sign == ' ') {
        i++;
    }
    return i;
}

/* The end of the hunk whose first change is line `i`. Changes share a hunk if the context of both
   leaves no line between them. */
static ptrdiff_t find_hunk_end(const struct lines *lines, ptrdiff_t i, ptrdiff_t context) {
    ptrdiff_t end = i + 1;
    for (i = find_change(lines, end); i < lines->n && i - end <= 2 * context;
         i = find_change(lines, end)) {
        end = i + 1;
    }
    return MIN(end + context, lines->n);
}

/* Counts the lines, but not those with this sign, which only the other text has. */
static ptrdiff_t count_without(const struct lines *lines, ptrdiff_t from, ptrdiff_t to, char sign) {
    ptrdiff_t n = 0;
    for (ptrdiff_t i = from; i < to; i++) {
        n += lines->at[i].sign != sign;
    }
    return n;
}

/* A range of no lines is named by the line before it; the size 1 goes without saying. */
static void print_range(struct buffer *out, char sign, ptrdiff_t n_before, ptrdiff_t size) {
    buffer_add_format(out, "%c%td", sign, size > 0 ? n_before + 1 : n_before);
    if (size != 1) {
        buffer_add_format(out, ",%td", size);
    }
}

static void print_line(struct buffer *out, const struct line *line) {
    buffer_add_byte(out, line->sign);
    buffer_add(out, line->at, line->size);
    if (line->at[line->size - 1] != '\n') {
        buffer_add_text(out, "\n\\ No newline at end of file\n");
    }
}

static void print_hunk(const struct lines *lines, ptrdiff_t from, ptrdiff_t to,
                       struct buffer *out) {
    buffer_add_text(out, "@@ ");
    print_range(out, '-', count_without(lines, 0, from, '+'), count_without(lines, from, to, '+'));
    buffer_add_byte(out, ' ');
    print_range(out, '+', count_without(lines, 0, from, '-'), count_without(lines, from, to, '-'));
    buffer_add_text(out, " @@\n");
    for (ptrdiff_t i = from; i < to; i++) {
        print_line(out, &lines->at[i]);
    }
}

void diff_unified(const char *old_name, const char *new_name, const char *old_text,
                  const char *new_text, size_t context_lines, struct buffer *out) {
    AUTO(lines_fini) struct lines old_lines;
    AUTO(lines_fini) struct lines new_lines;
    AUTO(lines_fini) struct lines lines;
    lines_init(&old_lines, old_text);
    lines_init(&new_lines, new_text);
    compare(&old_lines, &new_lines);
    merge(&old_lines, &new_lines, &lines);
    ptrdiff_t context = (ptrdiff_t)MIN(context_lines, (size_t)lines.n);
    ptrdiff_t end = 0;
    for (ptrdiff_t i = find_change(&lines, 0); i < lines.n; i = find_change(&lines, end)) {
        if (end == 0) {
            buffer_add_format(out, "--- %s\n+++ %s\n", old_name, new_name);
        }
        ptrdiff_t from = MAX(i - context, end);
        end = find_hunk_end(&lines, i, context);
        print_hunk(&lines, from, end, out);
    }
}
