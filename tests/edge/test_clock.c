// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "edge/clock.h"

static void test_clock__wall_seconds_are_those_of_the_calendar(void **state) {
    (void)state;
    time_t before = time(NULL);
    int64_t now = clock_wall_seconds();
    /* time() reads a coarser clock, which may lag by a second. */
    assert_in_range(now, before, time(NULL) + 1);
}

static void test_clock__boot_time_is_one_clock_in_two_units(void **state) {
    (void)state;
    int64_t first_us = clock_boot_us();
    int64_t between_ms = clock_boot_ms();
    int64_t last_us = clock_boot_us();
    assert_true(first_us > 0);
    assert_in_range(between_ms, first_us / 1000, last_us / 1000);
}

static void test_clock__boot_time_moves_on_and_never_back(void **state) {
    (void)state;
    int64_t first = clock_boot_us();
    int64_t last = first;
    for (int i = 0; i < 1000000 && last == first; i++) {
        int64_t now = clock_boot_us();
        assert_true(now >= last);
        last = now;
    }
    assert_true(last > first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock__wall_seconds_are_those_of_the_calendar),
        cmocka_unit_test(test_clock__boot_time_is_one_clock_in_two_units),
        cmocka_unit_test(test_clock__boot_time_moves_on_and_never_back),
    };
    return cmocka_run_group_tests_name("edge/clock", tests, NULL, NULL);
}
