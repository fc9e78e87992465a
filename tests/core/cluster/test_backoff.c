// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/cluster/backoff.h"

static void test_backoff__doubles_up_to_the_cap(void **state) {
    (void)state;
    static const int64_t expected[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000};
    struct backoff backoff = {.base_ms = 800, .cap_ms = 30000};
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(backoff.n_failures, i);
        assert_int_equal(backoff_next(&backoff, 0), expected[i]);
    }
}

static void test_backoff__chance_adds_less_than_once_as_much(void **state) {
    (void)state;
    static const struct {
        unsigned n_failures;
        uint32_t random;
        int64_t expected;
    } rows[] = {
        {0, 0, 1000},          {0, UINT32_C(1) << 31, 1500}, {0, UINT32_C(3) << 30, 1750},
        {0, UINT32_MAX, 1999}, {2, UINT32_C(1) << 31, 6000}, {2, UINT32_MAX, 7999},
        {3, 0, 5000},          {3, UINT32_MAX, 9999},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct backoff backoff = {1000, 5000, rows[i].n_failures};
        assert_int_equal(backoff_next(&backoff, rows[i].random), rows[i].expected);
    }
}

static void test_backoff__begins_anew_after_a_reset(void **state) {
    (void)state;
    struct backoff backoff = {.base_ms = 10, .cap_ms = 100};
    for (int i = 0; i < 5; i++) {
        (void)backoff_next(&backoff, 0);
    }
    backoff_reset(&backoff);
    assert_int_equal(backoff.n_failures, 0);
    assert_int_equal(backoff_next(&backoff, 0), 10);
    assert_int_equal(backoff_next(&backoff, 0), 20);
    assert_int_equal(backoff.cap_ms, 100);
}

static void test_backoff__holds_at_the_ends_of_its_numbers(void **state) {
    (void)state;
    static const struct {
        struct backoff backoff;
        int64_t least, most;
    } rows[] = {
        {{1, INT32_MAX, 30}, INT64_C(1) << 30, (INT64_C(1) << 31) - 1},
        {{1, INT32_MAX, 31}, INT32_MAX, 2 * (int64_t)INT32_MAX - 1},
        {{1, INT32_MAX, UINT_MAX}, INT32_MAX, 2 * (int64_t)INT32_MAX - 1},
        {{INT32_MAX, INT32_MAX, 1}, INT32_MAX, 2 * (int64_t)INT32_MAX - 1},
        {{500, 100, 0}, 100, 199},
        {{100, 100, 7}, 100, 199},
        {{0, 100, UINT_MAX}, 0, 0},
        {{7, 0, 3}, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct backoff least = rows[i].backoff;
        struct backoff most = rows[i].backoff;
        assert_int_equal(backoff_next(&least, 0), rows[i].least);
        assert_int_equal(backoff_next(&most, UINT32_MAX), rows[i].most);
        assert_true(most.n_failures >= rows[i].backoff.n_failures);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backoff__doubles_up_to_the_cap),
        cmocka_unit_test(test_backoff__chance_adds_less_than_once_as_much),
        cmocka_unit_test(test_backoff__begins_anew_after_a_reset),
        cmocka_unit_test(test_backoff__holds_at_the_ends_of_its_numbers),
    };
    return cmocka_run_group_tests_name("core/backoff", tests, NULL, NULL);
}
