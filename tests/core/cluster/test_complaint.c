// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/cluster/complaint.h"

/* A failure, or, without a kind, a success. */
struct row {
    int64_t now_ms;
    const char *kind;
    int64_t times; /* 0: say nothing. Of a success: whether it was failing */
};

static void check(enum complaint_pace pace, const struct row *rows, size_t n_rows) {
    struct complaint complaint = {.is_failing = false};
    for (size_t i = 0; i < n_rows; i++) {
        const struct row *row = &rows[i];
        int64_t times = row->kind == NULL
                            ? complaint_settle(&complaint)
                            : complaint_raise(&complaint, pace, row->kind, row->now_ms);
        if (times != row->times) {
            fail_msg("row %zu: %lld", i, (long long)times);
        }
        assert_int_equal(complaint.is_failing, row->kind != NULL);
    }
}

static void test_complaint__the_same_is_said_once_a_minute(void **state) {
    static const struct row rows[] = {
        {0, "", 1},     {1, "", 0},      {59999, "", 0},  {60000, "", 3},
        {60000, "", 0}, {119999, "", 0}, {900000, "", 3}, {959999, "", 0},
    };
    (void)state;
    check(COMPLAINT_MINUTELY, rows, COUNT_OF(rows));
}

static void test_complaint__the_same_is_said_once_for_ever(void **state) {
    static const struct row rows[] = {{5, "", 1}, {6, "", 0}, {INT64_MAX, "", 0}};
    (void)state;
    check(COMPLAINT_ONCE, rows, COUNT_OF(rows));
}

static void test_complaint__after_a_success_it_is_said_at_once(void **state) {
    static const struct row rows[] = {
        {5, NULL, 0}, {5, "", 1}, {6, "", 0}, {7, NULL, 1}, {7, NULL, 0}, {8, "", 1}, {9, "", 0},
    };
    (void)state;
    check(COMPLAINT_ONCE, rows, COUNT_OF(rows));
    check(COMPLAINT_MINUTELY, rows, COUNT_OF(rows));
}

static void test_complaint__another_kind_is_said_at_once(void **state) {
    static const struct row rows[] = {
        {1, "a", 1}, {2, "a", 0}, {3, "b", 2}, {4, "b", 0}, {5, "a", 2}, {6, "a", 0},
    };
    (void)state;
    check(COMPLAINT_ONCE, rows, COUNT_OF(rows));
    check(COMPLAINT_MINUTELY, rows, COUNT_OF(rows));
}

static void test_complaint__a_kind_that_is_too_long_to_keep_is_the_same(void **state) {
    char kind[1000];
    memset(kind, 'x', sizeof(kind));
    kind[sizeof(kind) - 1] = '\0';
    const struct row rows[] = {{1, kind, 1}, {2, kind, 0}, {3, "x", 2}, {4, kind, 1}};
    (void)state;
    check(COMPLAINT_ONCE, rows, COUNT_OF(rows));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complaint__the_same_is_said_once_a_minute),
        cmocka_unit_test(test_complaint__the_same_is_said_once_for_ever),
        cmocka_unit_test(test_complaint__after_a_success_it_is_said_at_once),
        cmocka_unit_test(test_complaint__another_kind_is_said_at_once),
        cmocka_unit_test(test_complaint__a_kind_that_is_too_long_to_keep_is_the_same),
    };
    return cmocka_run_group_tests_name("core/complaint", tests, NULL, NULL);
}
