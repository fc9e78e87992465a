// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/pace.h"

static int64_t take_all(struct pace *pace, int64_t now_ms) {
    int64_t n = 0;
    while (pace_take(pace, now_ms)) {
        n++;
    }
    return n;
}

static void test_pace__lets_a_burst_through_and_then_so_many_a_second(void **state) {
    static const struct {
        int64_t now_ms;
        int64_t n;
        int64_t next_ms;
    } rows[] = {
        {5000, 100, 5003}, /* 2.5 ms each */
        {5002, 0, 5003},   {5003, 1, 5005}, {5005, 1, 5008},       {5105, 40, 5108},
        {6105, 100, 6108}, {6104, 0, 6107}, {900000, 100, 900003},
    };
    struct pace pace = {.per_second = 400, .burst = 100};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t n = take_all(&pace, rows[i].now_ms);
        int64_t next_ms = pace_next_ms(&pace, rows[i].now_ms);
        if (n != rows[i].n || next_ms != rows[i].next_ms) {
            fail_msg("row %zu: %lld, next at %lld", i, (long long)n, (long long)next_ms);
        }
    }
}

/* Whenever the second begins, and however the demand comes. */
static void test_pace__no_second_has_more_than_burst_and_rate(void **state) {
    enum { SECONDS = 5, MS = SECONDS * 1000, STEP_MAX_MS = 40 };
    static int64_t taken[MS];
    (void)state;
    for (int64_t step_ms = 1; step_ms <= STEP_MAX_MS; step_ms++) {
        struct pace pace = {.per_second = 400, .burst = 100};
        int64_t within = 0;
        int64_t most = 0;
        for (int64_t ms = 0; ms < MS; ms++) {
            taken[ms] = ms % step_ms == 0 ? take_all(&pace, 7000 + ms) : 0;
            within += taken[ms] - (ms >= 1000 ? taken[ms - 1000] : 0);
            most = within > most ? within : most;
        }
        assert_in_range(most, 480, 500);
    }
}

static void test_pace__what_may_begin_next_may_begin_then(void **state) {
    struct pace pace = {.per_second = 3, .burst = 1};
    int64_t now_ms = 1;
    (void)state;
    for (int i = 0; i < 30; i++) {
        int64_t next_ms = pace_next_ms(&pace, now_ms);
        if (next_ms > now_ms) {
            assert_false(pace_take(&pace, next_ms - 1));
        }
        assert_true(pace_take(&pace, next_ms));
        now_ms = next_ms;
    }
    assert_in_range(now_ms, 29 * 333, 29 * 334 + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pace__lets_a_burst_through_and_then_so_many_a_second),
        cmocka_unit_test(test_pace__no_second_has_more_than_burst_and_rate),
        cmocka_unit_test(test_pace__what_may_begin_next_may_begin_then),
    };
    return cmocka_run_group_tests_name("core/pace", tests, NULL, NULL);
}
