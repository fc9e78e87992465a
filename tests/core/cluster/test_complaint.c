// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/cluster/complaint.h"

/* In the order of time: a failure, a success, and a look whether it is over. */
enum what { FAIL, GOOD, LOOK };

struct row {
    int64_t now_ms;
    enum what what;
    const char *kind; /* of a failure */
    int64_t times;    /* 0: say nothing */
};

static int64_t act(struct complaint *complaint, enum what what, const char *kind, int64_t now_ms) {
    if (what == FAIL) {
        return complaint_raise(complaint, kind, now_ms);
    }
    if (what == GOOD) {
        complaint_settle(complaint);
        return 0;
    }
    return complaint_step(complaint, now_ms);
}

static void check(const struct row *rows, size_t n_rows) {
    struct complaint complaint = {.is_open = false};
    for (size_t i = 0; i < n_rows; i++) {
        const struct row *row = &rows[i];
        int64_t times = act(&complaint, row->what, row->kind, row->now_ms);
        if (times != row->times) {
            fail_msg("row %zu: %lld", i, (long long)times);
        }
    }
}

static void test_complaint__the_same_is_said_once_a_minute(void **state) {
    static const struct row rows[] = {
        {0, FAIL, "", 1},     {1, FAIL, "", 0},      {59999, FAIL, "", 0},  {60000, FAIL, "", 3},
        {60000, FAIL, "", 0}, {119999, FAIL, "", 0}, {900000, FAIL, "", 3}, {959999, FAIL, "", 0},
    };
    (void)state;
    check(rows, COUNT_OF(rows));
}

static void test_complaint__it_is_over_a_minute_after_the_last_failure(void **state) {
    static const struct row rows[] = {
        {0, LOOK, NULL, 0},     {5, FAIL, "", 1},       {6, FAIL, "", 0},
        {7, GOOD, NULL, 0},     {60005, LOOK, NULL, 0}, {60006, LOOK, NULL, 2},
        {60007, LOOK, NULL, 0}, {60008, FAIL, "", 1},
    };
    (void)state;
    check(rows, COUNT_OF(rows));
}

static void test_complaint__without_a_success_it_is_never_over(void **state) {
    static const struct row rows[] = {
        {5, FAIL, "", 1},          {6, GOOD, NULL, 0},        {7, FAIL, "", 0},
        {67, LOOK, NULL, 0},       {10000000, LOOK, NULL, 0}, {10000001, GOOD, NULL, 0},
        {10000001, LOOK, NULL, 2},
    };
    (void)state;
    check(rows, COUNT_OF(rows));
}

static void test_complaint__another_kind_is_said_at_once_a_few_times_a_minute(void **state) {
    static const struct row rows[] = {
        {1, FAIL, "a", 1},     {2, FAIL, "a", 0},     {3, FAIL, "b", 2}, {4, FAIL, "b", 0},
        {5, FAIL, "a", 2},     {6, FAIL, "c", 1},     {7, FAIL, "d", 1}, {8, FAIL, "e", 0},
        {60000, FAIL, "f", 0}, {60001, FAIL, "g", 3},
    };
    (void)state;
    assert_int_equal(COMPLAINT_NEWS_MAX, 4);
    check(rows, COUNT_OF(rows));
}

static void test_complaint__a_long_kind_counts_to_its_end(void **state) {
    char one[1000];
    char other[1000];
    memset(one, 'x', sizeof(one));
    one[sizeof(one) - 1] = '\0';
    memcpy(other, one, sizeof(one));
    other[sizeof(other) - 2] = 'y';
    const struct row rows[] = {{1, FAIL, one, 1}, {2, FAIL, one, 0}, {3, FAIL, other, 2}};
    (void)state;
    check(rows, COUNT_OF(rows));
}

/* Ten minutes of failures, in the ways in which they come: at once, in turn with successes, seldom.
   Then it goes well. The log has a line a minute at most, and one when it is over. */
static void test_complaint__ten_minutes_are_eleven_lines_and_one_when_it_is_over(void **state) {
    static const struct {
        const char *name;
        int64_t interval_ms;
        bool has_successes;
        int64_t lines_max;
    } rows[] = {
        {"a thousand a second", 1, false, 11},
        {"a back-off", 800, false, 11},
        {"a list that works, and a watch that is forbidden", 1500, true, 11},
        {"a loop that looks every 10 s", 10000, false, 11},
        {"a back-off at its end, with successes", 36000, true, 11},
        {"just below a minute", 59999, true, 11},
        {"every five minutes", 300000, false, 3},
    };
    enum { TEN_MINUTES_MS = 600000 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct complaint complaint = {.is_open = false};
        int64_t n_lines = 0;
        int64_t n_over = 0;
        int64_t n_failures = 0;
        int64_t n_said = 0;
        int64_t now_ms = 0;
        for (; now_ms <= TEN_MINUTES_MS; now_ms += rows[i].interval_ms) {
            int64_t times = complaint_raise(&complaint, "", now_ms);
            n_failures++;
            n_said += times;
            n_lines += times > 0;
            if (rows[i].has_successes) {
                complaint_settle(&complaint);
            }
            n_over += complaint_step(&complaint, now_ms + rows[i].interval_ms - 1) > 0;
        }
        complaint_settle(&complaint);
        int64_t all = complaint_step(&complaint, now_ms + COMPLAINT_MINUTE_MS);
        if (n_lines > rows[i].lines_max || n_over != 0 || all != n_failures || n_said > all) {
            fail_msg("%s: %lld lines, %lld times over, %lld of %lld failures", rows[i].name,
                     (long long)n_lines, (long long)n_over, (long long)all, (long long)n_failures);
        }
        assert_int_equal(complaint_step(&complaint, now_ms + 2 * COMPLAINT_MINUTE_MS), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complaint__the_same_is_said_once_a_minute),
        cmocka_unit_test(test_complaint__it_is_over_a_minute_after_the_last_failure),
        cmocka_unit_test(test_complaint__without_a_success_it_is_never_over),
        cmocka_unit_test(test_complaint__another_kind_is_said_at_once_a_few_times_a_minute),
        cmocka_unit_test(test_complaint__a_long_kind_counts_to_its_end),
        cmocka_unit_test(test_complaint__ten_minutes_are_eleven_lines_and_one_when_it_is_over),
    };
    return cmocka_run_group_tests_name("core/complaint", tests, NULL, NULL);
}
