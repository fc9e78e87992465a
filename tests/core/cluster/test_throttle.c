// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/cluster/throttle.h"

#define NOW INT64_C(777000000)

enum { LANES = 12, NONE = -1 };

static void expect_next(const struct throttle *throttle, int64_t at_ms) {
    int64_t next_ms = throttle_next_ms(throttle);
    if (next_ms != at_ms) {
        fail_msg("next at %+" PRId64 ", not %+" PRId64, next_ms - NOW, at_ms - NOW);
    }
}

/* Begins as many as may. */
static size_t begin_all(struct throttle *throttle, int64_t now_ms, unsigned tickets[LANES]) {
    size_t n = 0;
    while (throttle_next_ms(throttle) <= now_ms) {
        assert_true(n < LANES);
        tickets[n++] = throttle_begin(throttle, now_ms);
    }
    return n;
}

static void end(struct throttle *throttle, unsigned ticket, int64_t now_ms,
                enum throttle_news news) {
    throttle_end(throttle, ticket, now_ms, 0, news, NONE);
}

/* Fails once, so that the next is a probe; returns the time of the probe. */
static int64_t close_at(struct throttle *throttle, int64_t now_ms) {
    end(throttle, throttle_begin(throttle, now_ms), now_ms, THROTTLE_CLOSED);
    return throttle_next_ms(throttle);
}

static void test_throttle__two_begin_and_then_twice_as_many_each_time(void **state) {
    (void)state;
    static const size_t widths[] = {2, 4, 8, 12, 12};
    struct throttle throttle;
    unsigned tickets[LANES];
    throttle_init(&throttle, LANES);
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        size_t n = begin_all(&throttle, NOW + (int64_t)i, tickets);
        assert_int_equal(n, widths[i]);
        for (size_t j = 0; j < n; j++) {
            end(&throttle, tickets[j], NOW + (int64_t)i, THROTTLE_OPEN);
        }
    }
}

static void test_throttle__no_more_begin_than_there_are_lanes(void **state) {
    (void)state;
    for (size_t lanes = 1; lanes <= 3; lanes++) {
        struct throttle throttle;
        unsigned tickets[LANES];
        throttle_init(&throttle, lanes);
        assert_true(throttle_is_idle(&throttle));
        size_t n = begin_all(&throttle, NOW, tickets);
        assert_int_equal(n, lanes < 2 ? lanes : 2);
        assert_false(throttle_is_idle(&throttle));
        n += begin_all(&throttle, NOW + 500, tickets);
        n += begin_all(&throttle, NOW + 1000, tickets);
        assert_int_equal(n, lanes);
        expect_next(&throttle, INT64_MAX);
    }
}

static void test_throttle__after_a_failure_one_probes_and_then_twice_as_many(void **state) {
    (void)state;
    static const size_t widths[] = {1, 2, 4, 8, 12, 12};
    struct throttle throttle;
    unsigned tickets[LANES];
    throttle_init(&throttle, LANES);
    int64_t now = close_at(&throttle, NOW);
    assert_int_equal(now, NOW + 200);
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        size_t n = begin_all(&throttle, now, tickets);
        assert_int_equal(n, widths[i]);
        for (size_t j = 0; j < n; j++) {
            end(&throttle, tickets[j], now, THROTTLE_OPEN);
        }
    }
}

static void test_throttle__each_probe_that_fails_doubles_the_wait(void **state) {
    (void)state;
    static const struct {
        uint32_t random;
        int64_t wait_ms;
    } rows[] = {
        {0, 200},  {0, 400},   {0, 800},   {UINT32_MAX, 3199},  {0, 3200},
        {0, 6400}, {0, 12800}, {0, 15000}, {UINT32_MAX, 29999}, {0, 15000},
    };
    struct throttle throttle;
    throttle_init(&throttle, LANES);
    int64_t now = NOW;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned ticket = throttle_begin(&throttle, now);
        expect_next(&throttle, i == 0 ? INT64_MIN : INT64_MAX);
        throttle_end(&throttle, ticket, now, rows[i].random, THROTTLE_CLOSED, NONE);
        expect_next(&throttle, now + rows[i].wait_ms);
        now += rows[i].wait_ms;
    }
    end(&throttle, throttle_begin(&throttle, now), now, THROTTLE_OPEN);
    assert_int_equal(close_at(&throttle, now), now + 200); /* a success forgets them */
}

static void test_throttle__waits_as_long_as_the_server_says(void **state) {
    (void)state;
    static const struct {
        int64_t retry_after_ms;
        int64_t wait_ms;
    } rows[] = {
        {-1, 200},        {0, 200},         {200, 200},          {201, 201},       {30000, 30000},
        {300000, 300000}, {300001, 300000}, {INT64_MAX, 300000}, {INT64_MIN, 200},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct throttle throttle;
        throttle_init(&throttle, LANES);
        unsigned ticket = throttle_begin(&throttle, NOW);
        throttle_end(&throttle, ticket, NOW, 0, THROTTLE_CLOSED, rows[i].retry_after_ms);
        expect_next(&throttle, NOW + rows[i].wait_ms);
    }
}

/* Those that were under way at a failure fail alike. They neither lengthen the wait, unless the
   server says so, nor end it. */
static void test_throttle__what_was_under_way_has_no_news(void **state) {
    (void)state;
    static const struct {
        enum throttle_news news;
        int64_t retry_after_ms;
        int64_t wait_ms; /* from the first failure on */
    } rows[] = {
        {THROTTLE_CLOSED, NONE, 200}, {THROTTLE_CLOSED, 0, 200},       {THROTTLE_CLOSED, 150, 200},
        {THROTTLE_CLOSED, 151, 201},  {THROTTLE_CLOSED, 30000, 30050}, {THROTTLE_OPEN, NONE, 200},
        {THROTTLE_OPEN, 30000, 200},  {THROTTLE_UNKNOWN, NONE, 200},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct throttle throttle;
        unsigned tickets[LANES];
        throttle_init(&throttle, LANES);
        assert_int_equal(begin_all(&throttle, NOW, tickets), 2);
        end(&throttle, tickets[0], NOW, THROTTLE_CLOSED);
        throttle_end(&throttle, tickets[1], NOW + 50, 0, rows[i].news, rows[i].retry_after_ms);
        expect_next(&throttle, NOW + rows[i].wait_ms);
        assert_int_equal(begin_all(&throttle, NOW + rows[i].wait_ms, tickets), 1);
        end(&throttle, tickets[0], NOW + rows[i].wait_ms, THROTTLE_CLOSED);
        expect_next(&throttle, NOW + rows[i].wait_ms + 400);
    }
}

static void test_throttle__a_probe_does_not_wait_for_what_hangs(void **state) {
    (void)state;
    struct throttle throttle;
    unsigned tickets[LANES];
    throttle_init(&throttle, 3);
    assert_int_equal(begin_all(&throttle, NOW, tickets), 2);
    end(&throttle, tickets[0], NOW, THROTTLE_CLOSED);
    assert_int_equal(begin_all(&throttle, NOW + 200, tickets), 1);
    end(&throttle, tickets[0], NOW + 201, THROTTLE_OPEN);
    assert_int_equal(begin_all(&throttle, NOW + 201, tickets), 2);
    expect_next(&throttle, INT64_MAX); /* the one that hangs has a lane, too */
    end(&throttle, tickets[0], NOW + 202, THROTTLE_OPEN);
    assert_int_equal(begin_all(&throttle, NOW + 202, tickets), 1);
}

/* A probe may turn out to have nothing to do. */
static void test_throttle__a_probe_without_news_is_followed_by_another(void **state) {
    (void)state;
    struct throttle throttle;
    throttle_init(&throttle, LANES);
    int64_t now = close_at(&throttle, NOW);
    for (int i = 0; i < 3; i++) {
        unsigned ticket = throttle_begin(&throttle, now);
        expect_next(&throttle, INT64_MAX);
        end(&throttle, ticket, now, THROTTLE_UNKNOWN);
        assert_true(throttle_next_ms(&throttle) <= now);
    }
    assert_int_equal(close_at(&throttle, now), now + 400);
}

/* But a probe is waited for, however long it takes. */
static void test_throttle__a_slow_server_does_not_look_like_one_that_fails(void **state) {
    (void)state;
    struct throttle throttle;
    unsigned tickets[LANES];
    throttle_init(&throttle, LANES);
    assert_int_equal(begin_all(&throttle, NOW, tickets), 2);
    for (int64_t at = NOW + 500; at <= NOW + 5000; at += 500) {
        expect_next(&throttle, at);
        assert_int_equal(begin_all(&throttle, at, tickets), 1);
    }
    expect_next(&throttle, INT64_MAX);
    throttle_init(&throttle, LANES);
    throttle_begin(&throttle, close_at(&throttle, NOW));
    expect_next(&throttle, INT64_MAX);
}

static void test_throttle__begins_with_two_again_after_a_quiet_second(void **state) {
    (void)state;
    static const struct {
        int64_t quiet_ms;
        size_t width;
    } rows[] = {{0, LANES}, {999, LANES}, {1000, 2}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct throttle throttle;
        unsigned tickets[LANES];
        throttle_init(&throttle, LANES);
        for (int j = 0; j < LANES; j++) {
            end(&throttle, throttle_begin(&throttle, NOW), NOW, THROTTLE_OPEN);
        }
        assert_int_equal(begin_all(&throttle, NOW + rows[i].quiet_ms, tickets), rows[i].width);
    }
}

/* An API server refuses everything from some moment on, and answers at once or takes its time. In
   no second do more than 5 begin; with three throttles, which is more than fail at once, 10. */
static void test_throttle__few_begin_in_any_second_while_all_fail(void **state) {
    (void)state;
    enum { STEP_MS = 10, MINUTE_MS = 60000, PER_SECOND = 4, PER_MINUTE = 14 };
    static const int64_t latencies_ms[] = {0, 10, 90, 500, 3000};
    for (size_t i = 0; i < COUNT_OF(latencies_ms); i++) {
        static size_t begun[MINUTE_MS / STEP_MS];
        struct {
            unsigned ticket;
            int64_t ends_ms;
        } under_way[LANES] = {{0}};
        struct throttle throttle;
        size_t total = 0;
        throttle_init(&throttle, LANES);
        for (size_t at = 0; at < COUNT_OF(begun); at++) {
            int64_t now = NOW + (int64_t)at * STEP_MS;
            for (size_t j = 0; j < LANES; j++) {
                if (under_way[j].ends_ms != 0 && under_way[j].ends_ms <= now) {
                    under_way[j].ends_ms = 0;
                    end(&throttle, under_way[j].ticket, now, THROTTLE_CLOSED);
                }
            }
            begun[at] = 0;
            for (size_t j = 0; j < LANES && throttle_next_ms(&throttle) <= now; j++) {
                if (under_way[j].ends_ms == 0) {
                    under_way[j].ticket = throttle_begin(&throttle, now);
                    under_way[j].ends_ms = now + MAX(latencies_ms[i], STEP_MS);
                    begun[at]++;
                }
            }
            total += begun[at];
            size_t within = 0;
            for (size_t k = at >= 99 ? at - 99 : 0; k <= at; k++) {
                within += begun[k];
            }
            assert_in_range(within, 0, PER_SECOND);
        }
        assert_in_range(total, 3, PER_MINUTE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_throttle__two_begin_and_then_twice_as_many_each_time),
        cmocka_unit_test(test_throttle__no_more_begin_than_there_are_lanes),
        cmocka_unit_test(test_throttle__after_a_failure_one_probes_and_then_twice_as_many),
        cmocka_unit_test(test_throttle__each_probe_that_fails_doubles_the_wait),
        cmocka_unit_test(test_throttle__waits_as_long_as_the_server_says),
        cmocka_unit_test(test_throttle__what_was_under_way_has_no_news),
        cmocka_unit_test(test_throttle__a_probe_does_not_wait_for_what_hangs),
        cmocka_unit_test(test_throttle__a_probe_without_news_is_followed_by_another),
        cmocka_unit_test(test_throttle__a_slow_server_does_not_look_like_one_that_fails),
        cmocka_unit_test(test_throttle__begins_with_two_again_after_a_quiet_second),
        cmocka_unit_test(test_throttle__few_begin_in_any_second_while_all_fail),
    };
    return cmocka_run_group_tests_name("core/throttle", tests, NULL, NULL);
}
