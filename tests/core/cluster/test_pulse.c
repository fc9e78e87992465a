// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/cluster/pulse.h"

struct row {
    uint64_t turns;
    int64_t now_ms;
    int64_t still_ms;
};

static void check(const struct row *rows, size_t n_rows) {
    struct pulse pulse = {0};
    for (size_t i = 0; i < n_rows; i++) {
        int64_t still_ms = pulse_step(&pulse, rows[i].turns, rows[i].now_ms);
        if (still_ms != rows[i].still_ms) {
            fail_msg("row %zu: %lld", i, (long long)still_ms);
        }
    }
}

static void test_pulse__a_loop_that_turns_is_alive(void **state) {
    static const struct row rows[] = {
        {7, 5000, 0},  {8, 15000, 0},     {8, 15001, 1},
        {9, 25000, 0}, {1000, 900000, 0}, {3, 900001, 0},
    };
    (void)state;
    check(rows, COUNT_OF(rows));
}

static void test_pulse__a_loop_that_hangs_is_found_out_in_a_minute(void **state) {
    static const struct row rows[] = {
        {0, 1000, 0},      {0, 11000, 10000}, {0, 21000, 20000}, {0, 31000, 30000},
        {0, 41000, 40000}, {0, 51000, 50000}, {0, 60999, 59999}, {0, 61000, PULSE_STILL_MAX_MS},
        {0, 71000, 70000}, {1, 81000, 0},
    };
    (void)state;
    check(rows, COUNT_OF(rows));
}

/* The process or the machine was stopped, and the question comes before the loop has had its
   turn. */
static void test_pulse__who_was_stopped_has_time_to_go_on(void **state) {
    static const struct row rows[] = {
        {5, 1000, 0}, {5, 11000, 10000}, {5, 3611000, 30000}, {5, 3611001, 30001}, {6, 3621000, 0},
    };
    (void)state;
    check(rows, COUNT_OF(rows));
}

static void test_pulse__who_asks_seldom_finds_out_too(void **state) {
    static const struct row rows[] = {
        {5, 1000, 0}, {5, 61000, 20000}, {5, 121000, 40000}, {5, 181000, PULSE_STILL_MAX_MS}};
    (void)state;
    check(rows, COUNT_OF(rows));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pulse__a_loop_that_turns_is_alive),
        cmocka_unit_test(test_pulse__a_loop_that_hangs_is_found_out_in_a_minute),
        cmocka_unit_test(test_pulse__who_was_stopped_has_time_to_go_on),
        cmocka_unit_test(test_pulse__who_asks_seldom_finds_out_too),
    };
    return cmocka_run_group_tests_name("core/pulse", tests, NULL, NULL);
}
