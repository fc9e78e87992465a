// SPDX-License-Identifier: Apache-2.0
#include "diff_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/attribute.h"
#include "base/hash.h"
#include "base/memory.h"
#include "core/offline/diff.h"

static size_t line_size(const char *at) {
    size_t size = strcspn(at, "\n");
    return size + (at[size] == '\n');
}

void diff_lines_init(struct diff_lines *lines, const char *text) {
    ptrdiff_t n = 0;
    for (const char *at = text; *at != '\0'; at += line_size(at)) {
        n++;
    }
    *lines = (struct diff_lines){.at = memory_new((size_t)n, sizeof(*lines->at)), .n = n};
    for (ptrdiff_t i = 0; i < n; i++) {
        size_t size = line_size(text);
        lines->at[i] = (struct diff_line){
            .at = text, .size = size, .hash = hash_bytes(HASH_EMPTY, text, size)};
        text += size;
    }
}

void diff_lines_fini(struct diff_lines *lines) {
    free(lines->at);
    *lines = (struct diff_lines){0};
}

/* The algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), section
   4b: from both ends of a box the furthest points are advanced that so many changes reach, one
   point on each diagonal x - y, until two meet. There the box is split. The space is linear. */

/* Lines x_from to x_to of the old text and y_from to y_to of the new one. */
struct box {
    ptrdiff_t x_from, x_to;
    ptrdiff_t y_from, y_to;
};

/* Changes on one half of the way, rounded up, and the diagonals beyond that are looked at. */
#define REACH_MAX ((DIFF_CHANGES_MAX + 1) / 2 + 2)

struct front {
    ptrdiff_t reach[2 * REACH_MAX + 1]; /* the furthest x on a diagonal, or NOWHERE */
};

struct comparison {
    struct diff_lines *old_lines;
    struct diff_lines *new_lines;
    struct front forward, backward;
};

#define NOWHERE ((ptrdiff_t)-1)

static ptrdiff_t *reach(struct front *front, ptrdiff_t diagonal) {
    return &front->reach[diagonal + REACH_MAX];
}

static bool is_same(const struct comparison *comparison, ptrdiff_t x, ptrdiff_t y) {
    const struct diff_line *a = &comparison->old_lines->at[x];
    const struct diff_line *b = &comparison->new_lines->at[y];
    return a->hash == b->hash && a->size == b->size && memcmp(a->at, b->at, a->size) == 0;
}

/* The furthest x on a diagonal after one more change: a line removed on the diagonal below, or one
   added on the diagonal above. */
static ptrdiff_t step(struct front *front, ptrdiff_t diagonal, ptrdiff_t width, ptrdiff_t height) {
    ptrdiff_t before = *reach(front, diagonal - 1);
    ptrdiff_t above = *reach(front, diagonal + 1);
    ptrdiff_t x = NOWHERE;
    if (before != NOWHERE && before < width) {
        x = before + 1;
    }
    if (above != NOWHERE && above - diagonal <= height && above > x) {
        x = above;
    }
    return x;
}

/* Follows equal lines from a point of the box, towards its end or, from the end, its beginning. */
static ptrdiff_t slide(const struct comparison *comparison, const struct box *box, ptrdiff_t x,
                       ptrdiff_t diagonal, bool is_backward) {
    ptrdiff_t width = box->x_to - box->x_from;
    ptrdiff_t height = box->y_to - box->y_from;
    while (x < width && x - diagonal < height) {
        ptrdiff_t y = x - diagonal;
        if (is_backward ? !is_same(comparison, box->x_to - 1 - x, box->y_to - 1 - y)
                        : !is_same(comparison, box->x_from + x, box->y_from + y)) {
            break;
        }
        x++;
    }
    return x;
}

/* One change more from one side. True if it met the other side, at *ret_x and *ret_y of the box as
   seen from this side. */
static bool advance(struct comparison *comparison, const struct box *box, ptrdiff_t n_changes,
                    bool is_backward, ptrdiff_t *ret_x, ptrdiff_t *ret_y) {
    ptrdiff_t width = box->x_to - box->x_from;
    ptrdiff_t height = box->y_to - box->y_from;
    ptrdiff_t delta = width - height;
    struct front *own = is_backward ? &comparison->backward : &comparison->forward;
    struct front *other = is_backward ? &comparison->forward : &comparison->backward;
    /* The other side has made as many changes, or is one behind. */
    ptrdiff_t n_other = is_backward ? n_changes : n_changes - 1;
    bool can_meet = (delta % 2 == 0) == is_backward;
    for (ptrdiff_t diagonal = -n_changes; diagonal <= n_changes; diagonal += 2) {
        ptrdiff_t x = n_changes == 0 ? 0 : step(own, diagonal, width, height);
        if (x != NOWHERE) {
            x = slide(comparison, box, x, diagonal, is_backward);
        }
        *reach(own, diagonal) = x;
        ptrdiff_t facing = delta - diagonal;
        if (!can_meet || x == NOWHERE || facing < -n_other || facing > n_other) {
            continue;
        }
        ptrdiff_t met = *reach(other, facing);
        if (met != NOWHERE && x + met >= width) {
            *ret_x = x;
            *ret_y = x - diagonal;
            return true;
        }
    }
    /* The next step looks so far. */
    *reach(own, -n_changes - 2) = NOWHERE;
    *reach(own, n_changes + 2) = NOWHERE;
    return false;
}

/* Finds a point on a shortest way through the box. False if that has more than DIFF_CHANGES_MAX
   changes. */
static bool find_split(struct comparison *comparison, const struct box *box, ptrdiff_t *ret_x,
                       ptrdiff_t *ret_y) {
    ptrdiff_t x;
    ptrdiff_t y;
    for (ptrdiff_t n = 0; 2 * n - 1 <= DIFF_CHANGES_MAX; n++) {
        if (advance(comparison, box, n, false, &x, &y)) {
            *ret_x = box->x_from + x;
            *ret_y = box->y_from + y;
            return true;
        }
        if (2 * n <= DIFF_CHANGES_MAX && advance(comparison, box, n, true, &x, &y)) {
            *ret_x = box->x_to - x;
            *ret_y = box->y_to - y;
            return true;
        }
    }
    return false;
}

static void strip_equal_ends(const struct comparison *comparison, struct box *box) {
    while (box->x_from < box->x_to && box->y_from < box->y_to &&
           is_same(comparison, box->x_from, box->y_from)) {
        box->x_from++;
        box->y_from++;
    }
    while (box->x_from < box->x_to && box->y_from < box->y_to &&
           is_same(comparison, box->x_to - 1, box->y_to - 1)) {
        box->x_to--;
        box->y_to--;
    }
}

static void mark(struct diff_lines *lines, ptrdiff_t from, ptrdiff_t to) {
    for (ptrdiff_t i = from; i < to; i++) {
        lines->at[i].is_changed = true;
    }
}

/* Each of the two parts has at most half of the changes, rounded up: the calls nest no deeper than
   the logarithm of DIFF_CHANGES_MAX. */
static void compare(struct comparison *comparison, struct box box) {
    strip_equal_ends(comparison, &box);
    bool is_empty = box.x_from == box.x_to || box.y_from == box.y_to;
    ptrdiff_t x = 0;
    ptrdiff_t y = 0;
    if (is_empty || !find_split(comparison, &box, &x, &y)) {
        mark(comparison->old_lines, box.x_from, box.x_to);
        mark(comparison->new_lines, box.y_from, box.y_to);
        return;
    }
    compare(comparison, (struct box){box.x_from, x, box.y_from, y});
    compare(comparison, (struct box){x, box.x_to, y, box.y_to});
}

void diff_lines_compare(struct diff_lines *old_lines, struct diff_lines *new_lines) {
    AUTO_FREE struct comparison *comparison = memory_new(1, sizeof(*comparison));
    comparison->old_lines = old_lines;
    comparison->new_lines = new_lines;
    compare(comparison, (struct box){0, old_lines->n, 0, new_lines->n});
}
