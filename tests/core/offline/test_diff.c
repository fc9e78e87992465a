// SPDX-License-Identifier: Apache-2.0
#include "core/offline/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

/* The diff without its two header lines. */
static char *diff(const char *old_text, const char *new_text, size_t context) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    diff_unified("a", "b", old_text, new_text, context, &out);
    static const char names[] = "--- a\n+++ b\n";
    const char *text = buffer_text(&out);
    if (out.size > 0) {
        assert_memory_equal(text, names, sizeof(names) - 1);
        text += sizeof(names) - 1;
    }
    return memory_copy(text, strlen(text));
}

struct row {
    const char *old_text;
    const char *new_text;
    const char *expected;
};

static void assert_rows(const struct row *rows, size_t n, size_t context) {
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *actual = diff(rows[i].old_text, rows[i].new_text, context);
        if (strcmp(actual, rows[i].expected) != 0) {
            fail_msg("from:\n%sto:\n%sexpected:\n%sbut:\n%s", rows[i].old_text, rows[i].new_text,
                     rows[i].expected, actual);
        }
    }
}

static void test_diff__names_both_texts(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    buffer_add_text(&out, "before\n");
    diff_unified("one.yaml", "one.yaml (admitted)", "x\n", "y\n", 3, &out);
    assert_string_equal(buffer_text(&out), "before\n--- one.yaml\n+++ one.yaml (admitted)\n"
                                           "@@ -1 +1 @@\n-x\n+y\n");
}

static void test_diff__of_equal_texts_is_nothing(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", "", ""},
        {"a\n", "a\n", ""},
        {"a", "a", ""},
        {"\n\n", "\n\n", ""},
    };
    assert_rows(rows, COUNT_OF(rows), 3);
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    diff_unified("a", "b", "same\n", "same\n", 3, &out);
    assert_int_equal(out.size, 0);
}

/* The expected diffs equal those of GNU diff -U3. */
static void test_diff__is_unified(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
        {"", "a\n", "@@ -0,0 +1 @@\n+a\n"},
        {"", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
        {"a\n", "", "@@ -1 +0,0 @@\n-a\n"},
        {"\n", "\n\n", "@@ -1 +1,2 @@\n \n+\n"},
        {"1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5\n6\n", "@@ -3,3 +3,4 @@\n 3\n 4\n 5\n+6\n"},
        {"1\n2\n3\n4\n5\n", "0\n1\n2\n3\n4\n5\n", "@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n"},
        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n6\n7\n8\n9\n",
         "@@ -2,7 +2,6 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n"},
        {"a\nb\nc\n", "c\nb\na\n", "@@ -1,3 +1,3 @@\n-a\n-b\n c\n+b\n+a\n"},
        {"a\nb\n", "c\nd\n", "@@ -1,2 +1,2 @@\n-a\n-b\n+c\n+d\n"},
    };
    assert_rows(rows, COUNT_OF(rows), 3);
}

static void test_diff__joins_hunks_that_touch(void **state) {
    (void)state;
    static const struct row rows[] = {
        /* Two changes with six lines between them share a hunk, */
        {"x\n1\n2\n3\n4\n5\n6\ny\n", "X\n1\n2\n3\n4\n5\n6\nY\n",
         "@@ -1,8 +1,8 @@\n-x\n+X\n 1\n 2\n 3\n 4\n 5\n 6\n-y\n+Y\n"},
        /* but not with seven. */
        {"x\n1\n2\n3\n4\n5\n6\n7\ny\n", "X\n1\n2\n3\n4\n5\n6\n7\nY\n",
         "@@ -1,4 +1,4 @@\n-x\n+X\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-y\n+Y\n"},
    };
    assert_rows(rows, COUNT_OF(rows), 3);
}

static void test_diff__has_the_context_that_is_asked_for(void **state) {
    (void)state;
    static const char from[] = "1\n2\n3\n4\n5\n6\n";
    static const char to[] = "1\n2\nx\n4\n6\n";
    static const struct {
        size_t context;
        const char *expected;
    } rows[] = {
        {0, "@@ -3 +3 @@\n-3\n+x\n@@ -5 +4,0 @@\n-5\n"},
        {1, "@@ -2,5 +2,4 @@\n 2\n-3\n+x\n 4\n-5\n 6\n"},
        {2, "@@ -1,6 +1,5 @@\n 1\n 2\n-3\n+x\n 4\n-5\n 6\n"},
        {SIZE_MAX, "@@ -1,6 +1,5 @@\n 1\n 2\n-3\n+x\n 4\n-5\n 6\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *actual = diff(from, to, rows[i].context);
        assert_string_equal(actual, rows[i].expected);
    }
}

static void test_diff__tells_of_a_missing_line_break(void **state) {
    (void)state;
#define NO_BREAK "\n\\ No newline at end of file\n"
    static const struct row rows[] = {
        {"a", "b", "@@ -1 +1 @@\n-a" NO_BREAK "+b" NO_BREAK},
        {"a", "a\n", "@@ -1 +1 @@\n-a" NO_BREAK "+a\n"},
        {"a\n", "a", "@@ -1 +1 @@\n-a\n+a" NO_BREAK},
        {"x\na", "y\na", "@@ -1,2 +1,2 @@\n-x\n+y\n a" NO_BREAK},
        {"a", "a\nb", "@@ -1 +1,2 @@\n-a" NO_BREAK "+a\n+b" NO_BREAK},
        {"", "a", "@@ -0,0 +1 @@\n+a" NO_BREAK},
    };
    assert_rows(rows, COUNT_OF(rows), 3);
#undef NO_BREAK
}

/* The end of the line at `at`, after its line break. */
static const char *line_end(const char *at) {
    const char *end = strchr(at, '\n');
    assert_non_null(end);
    return end + 1;
}

/* Removes a line from the front of a text, which must begin with it. */
static const char *take(const char *text, const char *line, size_t size) {
    assert_int_equal(strncmp(text, line, size), 0);
    return text + size;
}

/* Reads "12,3" or "12". */
static const char *read_range(const char *at, size_t *ret_from, size_t *ret_size) {
    char *end;
    *ret_from = strtoul(at, &end, 10);
    *ret_size = 1;
    if (*end == ',') {
        *ret_size = strtoul(end + 1, &end, 10);
    }
    return end;
}

static size_t count_lines(const char *from, const char *to) {
    size_t n = 0;
    while (from < to) {
        n += *from++ == '\n';
    }
    return n;
}

/* Applies a diff to a text as patch does, as strictly as possible. Counts the changed lines. */
static char *apply(const char *text, const char *hunks, size_t *ret_changes) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    const char *start = text;
    *ret_changes = 0;
    for (const char *at = hunks; *at != '\0';) {
        size_t old_from;
        size_t old_size;
        size_t new_from;
        size_t new_size;
        at = read_range(take(at, "@@ -", 4), &old_from, &old_size);
        at = read_range(take(at, " +", 2), &new_from, &new_size);
        at = take(at, " @@\n", 4);
        /* The header names an empty range by the line before it. */
        while (count_lines(start, text) + (old_size > 0) < old_from) {
            buffer_add(&out, text, (size_t)(line_end(text) - text));
            text = line_end(text);
        }
        assert_int_equal(count_lines(start, text) + (old_size > 0), old_from);
        const char *made = buffer_text(&out);
        assert_int_equal(count_lines(made, made + out.size) + (new_size > 0), new_from);
        while (old_size > 0 || new_size > 0) {
            char sign = *at++;
            size_t size = (size_t)(line_end(at) - at);
            bool has_break = at[size] != '\\';
            const char *line = at;
            at += size;
            if (!has_break) {
                at = take(at, "\\ No newline at end of file\n", 28);
            }
            assert_true(sign == ' ' || sign == '-' || sign == '+');
            *ret_changes += sign != ' ';
            if (sign != '+') {
                text = take(text, line, size - !has_break);
                old_size--;
            }
            if (sign != '-') {
                buffer_add(&out, line, size - !has_break);
                new_size--;
            }
        }
    }
    buffer_add_text(&out, text);
    return memory_copy(buffer_text(&out), out.size);
}

static uint32_t draw(uint32_t *seed, uint32_t n) {
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

/* Draws lines of one letter each, from the first `n_letters` letters. */
static void draw_text(uint32_t *seed, char *out, size_t n_lines, uint32_t n_letters) {
    for (size_t i = 0; i < n_lines; i++) {
        *out++ = (char)('a' + draw(seed, n_letters));
        *out++ = '\n';
    }
    out[-(n_lines > 0 && draw(seed, 4) == 0)] = '\0';
}

enum { LINES_MAX = 24 };

/* The fewest possible changes, by the text-book table of longest common subsequences. A last line
   without a line break counts as another line. */
static size_t count_fewest(const char *a, const char *b) {
    size_t common[LINES_MAX + 1][LINES_MAX + 1] = {{0}};
    size_t n_a = (strlen(a) + 1) / 2;
    size_t n_b = (strlen(b) + 1) / 2;
    for (size_t i = 1; i <= n_a; i++) {
        for (size_t k = 1; k <= n_b; k++) {
            const char *x = a + 2 * (i - 1);
            const char *y = b + 2 * (k - 1);
            size_t best = common[i - 1][k] > common[i][k - 1] ? common[i - 1][k] : common[i][k - 1];
            common[i][k] = x[0] == y[0] && x[1] == y[1] ? common[i - 1][k - 1] + 1 : best;
        }
    }
    return n_a + n_b - 2 * common[n_a][n_b];
}

static void test_diff__is_minimal_and_leads_from_one_text_to_the_other(void **state) {
    (void)state;
    uint32_t seed = 3;
    size_t n_texts = 0;
    for (int run = 0; run < 20000; run++) {
        char old_text[2 * LINES_MAX + 1];
        char new_text[2 * LINES_MAX + 1];
        uint32_t n_letters = 2 + draw(&seed, 8);
        draw_text(&seed, old_text, draw(&seed, LINES_MAX + 1), n_letters);
        draw_text(&seed, new_text, draw(&seed, LINES_MAX + 1), n_letters);
        size_t n_changes;
        AUTO_FREE char *hunks = diff(old_text, new_text, draw(&seed, 5));
        AUTO_FREE char *applied = apply(old_text, hunks, &n_changes);
        assert_string_equal(applied, new_text);
        assert_int_equal(n_changes, count_fewest(old_text, new_text));
        n_texts += n_changes > 0;
    }
    assert_true(n_texts > 10000);
}

/* Longer texts. The second is the first with a few changes. */
static void test_diff__leads_from_one_long_text_to_the_other(void **state) {
    (void)state;
    uint32_t seed = 5;
    for (int run = 0; run < 200; run++) {
        AUTO(buffer_fini) struct buffer old_text;
        AUTO(buffer_fini) struct buffer new_text;
        buffer_init(&old_text, SIZE_MAX);
        buffer_init(&new_text, SIZE_MAX);
        size_t n_edits = 0;
        for (int line = 0; line < 1000; line++) {
            uint32_t value = draw(&seed, 200);
            uint32_t edit = draw(&seed, 60);
            buffer_add_format(&old_text, "line %u\n", value);
            n_edits += edit == 0 ? 2 : edit <= 2;
            if (edit != 1) {
                buffer_add_format(&new_text, "line %u%s\n", value, edit == 0 ? "!" : "");
            }
            if (edit == 2) {
                buffer_add_text(&new_text, "new\n");
            }
        }
        size_t n_changes;
        AUTO_FREE char *hunks = diff(buffer_text(&old_text), buffer_text(&new_text), 3);
        AUTO_FREE char *applied = apply(buffer_text(&old_text), hunks, &n_changes);
        assert_string_equal(applied, buffer_text(&new_text));
        assert_in_range(n_changes, 1, n_edits);
    }
}

/* Two texts with one common line in the middle. */
static void make_apart(struct buffer *out, const char *name, size_t n_before, size_t n_behind) {
    buffer_init(out, SIZE_MAX);
    for (size_t i = 0; i < n_before + n_behind; i++) {
        buffer_add_text(out, i == n_before ? "shared\n" : "");
        buffer_add_format(out, "%s %zu\n", name, i);
    }
}

static void test_diff__replaces_all_past_its_limit(void **state) {
    (void)state;
    enum { HALF = DIFF_CHANGES_MAX / 4 };
    for (size_t more = 0; more <= 1; more++) {
        AUTO(buffer_fini) struct buffer old_text;
        AUTO(buffer_fini) struct buffer new_text;
        size_t n_changes;
        make_apart(&old_text, "old", HALF, HALF + more);
        make_apart(&new_text, "new", HALF, HALF);
        AUTO_FREE char *hunks = diff(buffer_text(&old_text), buffer_text(&new_text), 3);
        AUTO_FREE char *applied = apply(buffer_text(&old_text), hunks, &n_changes);
        assert_string_equal(applied, buffer_text(&new_text));
        assert_int_equal(n_changes, DIFF_CHANGES_MAX + 3 * more);
        assert_int_equal(strstr(hunks, "\n shared\n") != NULL, more == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diff__names_both_texts),
        cmocka_unit_test(test_diff__of_equal_texts_is_nothing),
        cmocka_unit_test(test_diff__is_unified),
        cmocka_unit_test(test_diff__joins_hunks_that_touch),
        cmocka_unit_test(test_diff__has_the_context_that_is_asked_for),
        cmocka_unit_test(test_diff__tells_of_a_missing_line_break),
        cmocka_unit_test(test_diff__is_minimal_and_leads_from_one_text_to_the_other),
        cmocka_unit_test(test_diff__leads_from_one_long_text_to_the_other),
        cmocka_unit_test(test_diff__replaces_all_past_its_limit),
    };
    return cmocka_run_group_tests_name("core/diff", tests, NULL, NULL);
}
