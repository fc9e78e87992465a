// SPDX-License-Identifier: Apache-2.0
#include "core/offline/diff.h"

#include <stdbool.h>
#include <string.h>

#include "diff_lines.h"

/* Lines x_from to x_to of the old text, which are lines y_from to y_to of the new one. */
struct hunk {
    ptrdiff_t x_from, x_to;
    ptrdiff_t y_from, y_to;
};

struct diff {
    struct diff_lines old_lines;
    struct diff_lines new_lines;
    ptrdiff_t context;
    struct buffer *out;
};

static void diff_fini(struct diff *diff) {
    diff_lines_fini(&diff->old_lines);
    diff_lines_fini(&diff->new_lines);
}

/* Does the line stand in one text only? Not if there is none. */
static bool is_changed(const struct diff_lines *lines, ptrdiff_t i) {
    return i < lines->n && lines->at[i].is_changed;
}

static void pass_change(const struct diff *diff, struct hunk *hunk) {
    while (is_changed(&diff->old_lines, hunk->x_to)) {
        hunk->x_to++;
    }
    while (is_changed(&diff->new_lines, hunk->y_to)) {
        hunk->y_to++;
    }
}

/* How many lines are the same from the end of the hunk to the next change. */
static ptrdiff_t count_same(const struct diff *diff, const struct hunk *hunk) {
    ptrdiff_t n = 0;
    while (hunk->x_to + n < diff->old_lines.n && !is_changed(&diff->old_lines, hunk->x_to + n) &&
           !is_changed(&diff->new_lines, hunk->y_to + n)) {
        n++;
    }
    return n;
}

static bool is_at_end(const struct diff *diff, const struct hunk *hunk, ptrdiff_t n_same) {
    return hunk->x_to + n_same == diff->old_lines.n && hunk->y_to + n_same == diff->new_lines.n;
}

/* The next hunk behind one that is empty or was found before; false if there is none. Changes with
   no more unchanged lines between them than the context of both are one hunk. */
static bool find_hunk(const struct diff *diff, struct hunk *hunk) {
    ptrdiff_t n_same = count_same(diff, hunk);
    if (is_at_end(diff, hunk, n_same)) {
        return false;
    }
    ptrdiff_t n_before = MIN(n_same, diff->context);
    hunk->x_to += n_same;
    hunk->y_to += n_same;
    hunk->x_from = hunk->x_to - n_before;
    hunk->y_from = hunk->y_to - n_before;
    for (;;) {
        pass_change(diff, hunk);
        n_same = count_same(diff, hunk);
        if (is_at_end(diff, hunk, n_same) || n_same > 2 * diff->context) {
            break;
        }
        hunk->x_to += n_same;
        hunk->y_to += n_same;
    }
    n_same = MIN(n_same, diff->context);
    hunk->x_to += n_same;
    hunk->y_to += n_same;
    return true;
}

/* A range of no lines is named by the line before it; the size 1 goes without saying. */
static void print_range(struct buffer *out, char sign, ptrdiff_t from, ptrdiff_t to) {
    ptrdiff_t size = to - from;
    buffer_add_format(out, "%c%td", sign, size > 0 ? from + 1 : from);
    if (size != 1) {
        buffer_add_format(out, ",%td", size);
    }
}

static void print_line(struct buffer *out, char sign, const struct diff_line *line) {
    buffer_add_byte(out, sign);
    buffer_add(out, line->at, line->size);
    if (line->at[line->size - 1] != '\n') {
        buffer_add_text(out, "\n\\ No newline at end of file\n");
    }
}

static void print_hunk(const struct diff *diff, const struct hunk *hunk) {
    struct buffer *out = diff->out;
    ptrdiff_t x = hunk->x_from;
    ptrdiff_t y = hunk->y_from;
    buffer_add_text(out, "@@ ");
    print_range(out, '-', hunk->x_from, hunk->x_to);
    buffer_add_byte(out, ' ');
    print_range(out, '+', hunk->y_from, hunk->y_to);
    buffer_add_text(out, " @@\n");
    while (x < hunk->x_to || y < hunk->y_to) {
        if (is_changed(&diff->old_lines, x)) {
            print_line(out, '-', &diff->old_lines.at[x++]);
        } else if (is_changed(&diff->new_lines, y)) {
            print_line(out, '+', &diff->new_lines.at[y++]);
        } else {
            print_line(out, ' ', &diff->old_lines.at[x++]);
            y++;
        }
    }
}

void diff_unified(const char *old_name, const char *new_name, const char *old_text,
                  const char *new_text, size_t context_lines, struct buffer *out) {
    if (strcmp(old_text, new_text) == 0) {
        return;
    }
    AUTO(diff_fini) struct diff diff = {.out = out};
    struct hunk hunk = {0};
    diff_lines_init(&diff.old_lines, old_text);
    diff_lines_init(&diff.new_lines, new_text);
    diff_lines_compare(&diff.old_lines, &diff.new_lines);
    ptrdiff_t n = diff.old_lines.n;
    diff.context = context_lines < (size_t)n ? (ptrdiff_t)context_lines : n;
    buffer_add_format(out, "--- %s\n+++ %s\n", old_name, new_name);
    while (find_hunk(&diff, &hunk)) {
        print_hunk(&diff, &hunk);
    }
}
