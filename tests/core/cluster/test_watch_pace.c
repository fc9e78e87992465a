// SPDX-License-Identifier: Apache-2.0

/*
 * The times of core/cluster/watch's next requests after failures in a row.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch_fixtures.h"

/* Steps from `now_ms` to the next request. Returns its time. */
static int64_t next_order(struct watch *watch, int64_t now_ms, uint32_t random,
                          struct watch_order *order) {
    watch_step(watch, now_ms, random, order);
    if (order->verb == WATCH_WAIT) {
        assert_true(order->at_ms > now_ms && order->at_ms < INT64_MAX);
        now_ms = order->at_ms;
        watch_step(watch, now_ms, random, order);
        assert_int_not_equal(order->verb, WATCH_WAIT);
    }
    return now_ms;
}

static void test_watch__waits_twice_as_long_after_each_failure(void **state) {
    (void)state;
    static const int64_t waits[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    static const int statuses[] = {0, 200, CUT, 429, 500};
    struct watch watch;
    struct watch_order order;
    watch_init(&watch, "");
    int64_t now = next_order(&watch, 0, 0, &order);
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        end(&watch, now, 500);
        assert_int_equal(next_order(&watch, now, 0, &order), now + waits[i]);
        now += waits[i];
    }
    for (size_t j = 0; j < COUNT_OF(statuses); j++) {
        sync_at(&watch, 0, 0);
        now = next_order(&watch, 0, 0, &order);
        for (size_t i = 0; i < COUNT_OF(waits); i++) {
            end(&watch, now, statuses[j]);
            assert_int_equal(next_order(&watch, now, 0, &order), now + waits[i]);
            now += waits[i];
        }
    }
}

static void test_watch__chance_makes_the_wait_longer(void **state) {
    (void)state;
    struct watch watch;
    struct watch_outcome outcome = outcome_of(500);
    sync_at(&watch, 0, 0);
    expect_follow(&watch, 0, 0, 300, "7");
    watch_end(&watch, 0, UINT32_C(1) << 31, &outcome);
    expect_wait(&watch, 0, 1200);
}

/* The watch begins with a back-off of 1.6 s. Each row is an end of it, and the wait after that. */
static void test_watch__what_did_well_begins_the_back_off_anew(void **state) {
    (void)state;
    static const struct {
        int status;
        int64_t code;
        int64_t lasted_ms;
        const char *version; /* of an event in it, before any ERROR */
        int64_t wait_ms;
    } rows[] = {
        {200, NONE, 999, NULL, 1600},
        {200, NONE, 1000, NULL, 0},
        {200, NONE, 0, "8", 1000}, /* from its begin on */
        {200, NONE, 999, "8", 1},
        {200, NONE, 1000, "8", 0},
        {200, NONE, 0, "7", 1600}, /* nothing new */
        {200, NONE, 1000, "7", 0},
        {CUT, NONE, 999, NULL, 1600},
        {CUT, NONE, 1000, NULL, 800},
        {CUT, NONE, 0, "8", 800},
        {0, NONE, 0, "8", 800},
        {0, NONE, 119999, NULL, 1600},
        {0, NONE, 120000, NULL, 800},
        {CUT, 500, 119999, "8", 1600},
        {CUT, 500, 120000, "8", 800},
        {GARBLED, NONE, 119999, "8", 1600},
        {GARBLED, NONE, 120000, "8", 800},
        {CUT, 403, 5000, NULL, 1600},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct watch watch;
        struct watch_order order;
        sync_at(&watch, 0, 0);
        (void)next_order(&watch, 0, 0, &order);
        end(&watch, 0, 500);
        int64_t now = next_order(&watch, 0, 0, &order) + rows[i].lasted_ms;
        if (rows[i].version != NULL) {
            tell(&watch, FEED_BOOKMARK, rows[i].version, 0);
        }
        if (rows[i].code != NONE) {
            tell(&watch, FEED_ERROR, "", rows[i].code);
        }
        end(&watch, now, rows[i].status);
        int64_t wait = next_order(&watch, now, 0, &order) - now;
        if (wait != rows[i].wait_ms) {
            fail_msg("row %zu: %d ms", i, (int)wait);
        }
    }
}

/* For example, the API server forbids watches but allows lists. */
static void test_watch__lists_in_between_do_not_begin_the_back_off_anew(void **state) {
    (void)state;
    static const int64_t waits[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    struct watch watch;
    sync_at(&watch, 0, 0);
    int64_t now = 0;
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        struct watch_order order;
        now = next_order(&watch, now, 0, &order);
        assert_int_equal(order.verb, WATCH_FOLLOW);
        end(&watch, now, 403);
        expect_wait(&watch, now, now + waits[i]);
        now += waits[i];
        assert_true(give_page_at(&watch, now, "7", ""));
    }
}

static void test_watch__lists_after_five_minutes_of_failure(void **state) {
    (void)state;
    static const struct {
        int status;
        int64_t code;
        int64_t second_ms; /* the time of the second failure */
        const char *version;
        enum watch_verb expected;
    } rows[] = {
        {0, NONE, 300009, NULL, WATCH_FOLLOW},   {0, NONE, 300010, NULL, WATCH_LIST},
        {500, NONE, 300009, NULL, WATCH_FOLLOW}, {500, NONE, 300010, NULL, WATCH_LIST},
        {CUT, 500, 300009, NULL, WATCH_FOLLOW},  {CUT, 500, 300010, NULL, WATCH_LIST},
        {CUT, 500, 300010, "8", WATCH_FOLLOW},   {500, NONE, 300010, "8", WATCH_FOLLOW},
        {429, NONE, 300010, NULL, WATCH_FOLLOW},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct watch watch;
        struct watch_order order;
        sync_at(&watch, 0, UINT32_MAX);
        (void)next_order(&watch, 0, 0, &order);
        end(&watch, 10, 500);
        assert_true(next_order(&watch, 300000, 0, &order) == 300000);
        assert_int_equal(order.verb, WATCH_FOLLOW);
        if (rows[i].version != NULL) {
            tell(&watch, FEED_UPSERT, rows[i].version, 0);
        }
        if (rows[i].code != NONE) {
            tell(&watch, FEED_ERROR, "", rows[i].code);
        }
        end(&watch, rows[i].second_ms, rows[i].status);
        int64_t at = next_order(&watch, rows[i].second_ms, 0, &order);
        assert_true(at > rows[i].second_ms); /* not at once, in any case */
        if (order.verb != rows[i].expected) {
            fail_msg("row %zu: %d", i, order.verb);
        }
    }
}

static void test_watch__five_minutes_are_counted_anew_after_a_list(void **state) {
    (void)state;
    struct watch watch;
    struct watch_order order;
    sync_at(&watch, 0, UINT32_MAX);
    (void)next_order(&watch, 0, 0, &order);
    end(&watch, 0, 500);
    (void)next_order(&watch, 300000, 0, &order);
    end(&watch, 300000, 500);
    assert_true(give_page_at(&watch, 310000, "9", ""));
    expect_follow(&watch, 310000, 0, 300, "9");
    end(&watch, 310000, 500);
    expect_follow(&watch, 500000, 0, 290, "9");
}

static void test_watch__lists_after_three_server_errors_in_a_row(void **state) {
    (void)state;
    static const struct {
        const char *versions[3]; /* of an event before each ERROR */
        enum watch_verb expected[3];
    } rows[] = {
        {{NULL, NULL, NULL}, {WATCH_FOLLOW, WATCH_FOLLOW, WATCH_LIST}},
        {{NULL, NULL, "7"}, {WATCH_FOLLOW, WATCH_FOLLOW, WATCH_LIST}},
        {{NULL, NULL, "8"}, {WATCH_FOLLOW, WATCH_FOLLOW, WATCH_FOLLOW}},
        {{NULL, "8", NULL}, {WATCH_FOLLOW, WATCH_FOLLOW, WATCH_FOLLOW}},
        {{"8", NULL, NULL}, {WATCH_FOLLOW, WATCH_FOLLOW, WATCH_LIST}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct watch watch;
        struct watch_order order;
        sync_at(&watch, 0, 0);
        int64_t now = next_order(&watch, 0, 0, &order);
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(order.verb, WATCH_FOLLOW);
            if (rows[i].versions[j] != NULL) {
                tell(&watch, FEED_UPSERT, rows[i].versions[j], 0);
            }
            assert_int_equal(tell(&watch, FEED_ERROR, "", 500), WATCH_CLOSE);
            end(&watch, now, CUT);
            now = next_order(&watch, now, 0, &order);
            if (order.verb != rows[i].expected[j]) {
                fail_msg("row %zu, watch %zu: %d", i, j, order.verb);
            }
        }
    }
}

/* The events of a watch count for that watch only. */
static void test_watch__each_watch_is_judged_by_itself(void **state) {
    (void)state;
    struct watch watch;
    sync_at(&watch, 0, 0);
    expect_follow(&watch, 0, 0, 300, "7");
    tell(&watch, FEED_UPSERT, "8", 0);
    end(&watch, 0, 200);
    expect_follow(&watch, 1000, 0, 300, "8");
    end(&watch, 1000, 200);
    expect_wait(&watch, 1000, 1800);
    expect_follow(&watch, 1800, 0, 300, "8");
    tell(&watch, FEED_ERROR, "", 403);
    end(&watch, 1800, CUT);
    assert_true(give_page_at(&watch, 10000, "9", ""));
    expect_follow(&watch, 10000, 0, 300, "9");
    end(&watch, 11000, 200);
    expect_follow(&watch, 11000, 0, 300, "9");
}

/* Between two failures there is a quiet watch that ends well. */
static void test_watch__a_quiet_watch_is_a_success(void **state) {
    (void)state;
    struct watch watch;
    sync_at(&watch, 0, UINT32_MAX);
    expect_follow(&watch, 0, 0, 300, "7");
    end(&watch, 0, 500);
    for (int i = 0; i < 2; i++) {
        expect_follow(&watch, 1000 + i * 10000, 0, 300, "7");
        tell(&watch, FEED_ERROR, "", 500);
        end(&watch, 1000 + i * 10000, CUT);
    }
    expect_follow(&watch, 30000, 0, 300, "7");
    end(&watch, 31000, 200);
    expect_follow(&watch, 31000, 0, 300, "7");
    tell(&watch, FEED_ERROR, "", 500);
    end(&watch, 331000, CUT);
    expect_follow(&watch, 331800, 0, 300, "7");
}

static void test_watch__a_complete_list_is_a_success(void **state) {
    (void)state;
    struct watch watch;
    struct watch_order order;
    watch_init(&watch, "");
    int64_t now = next_order(&watch, 0, 0, &order);
    for (int i = 0; i < 3; i++) {
        end(&watch, now, 500);
        now = next_order(&watch, now, 0, &order);
    }
    assert_true(give_page(&watch, now, "7", ""));
    for (int i = 0; i < 3; i++) {
        now = next_order(&watch, now, 0, &order);
        tell(&watch, FEED_ERROR, "", 500);
        end(&watch, now, CUT);
    }
    now = next_order(&watch, now, 0, &order);
    assert_int_equal(order.verb, WATCH_LIST);
    end(&watch, now, 500);
    expect_wait(&watch, now, now + 800);
    assert_true(give_page_at(&watch, now + 800, "8", ""));
    now = next_order(&watch, now + 800, 0, &order);
    tell(&watch, FEED_ERROR, "", 500);
    end(&watch, now, CUT);
    (void)next_order(&watch, now, 0, &order);
    assert_int_equal(order.verb, WATCH_FOLLOW);
}

static void test_watch__a_410_that_repeats_is_not_answered_at_once(void **state) {
    (void)state;
    static const struct {
        int64_t second_ms; /* the first is at 10 */
        int64_t wait_ms;
    } rows[] = {{10, 800}, {60009, 800}, {60010, 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int has_event = 0; has_event < 2; has_event++) {
            int64_t second = rows[i].second_ms;
            struct watch watch;
            struct watch_order order;
            sync_at(&watch, 0, 0);
            (void)next_order(&watch, 0, 0, &order);
            end(&watch, 10, 410);
            assert_true(give_page_at(&watch, 10, "9", ""));
            assert_int_equal(next_order(&watch, 10, 0, &order), 10);
            assert_int_equal(order.verb, WATCH_FOLLOW);
            if (has_event) {
                tell(&watch, FEED_ERROR, "", 410);
            }
            end(&watch, second, has_event ? CUT : 410);
            assert_int_equal(next_order(&watch, second, 0, &order), second + rows[i].wait_ms);
            assert_int_equal(order.verb, WATCH_LIST);
        }
    }
}

/* A server that always does the same. */
struct server {
    const char *name;
    int list_status;     /* 200: one complete page */
    bool has_two_pages;  /* 200 for the first, then list_status */
    const char *version; /* of an event at the beginning of each watch */
    int64_t code;        /* of an ERROR after it */
    int status;          /* at the end of each watch */
};

/* Answers at once. Returns true for a list. */
static bool serve(const struct server *server, struct watch *watch, int64_t now, uint32_t random,
                  const struct watch_order *order) {
    int status = server->status;
    if (order->verb == WATCH_LIST) {
        struct feed_page page = {.resource_version = "7"};
        bool is_first =
            server->has_two_pages && strstr(order->query, "limit") != NULL && order->is_first_page;
        status = is_first ? 200 : server->list_status;
        if (is_first) {
            text_copy(page.continue_token, sizeof(page.continue_token), "t");
        }
        if (status == 200) {
            (void)watch_page(watch, &page);
        }
    } else {
        if (server->version != NULL) {
            tell(watch, FEED_BOOKMARK, server->version, 0);
        }
        if (server->code != NONE) {
            tell(watch, FEED_ERROR, "", server->code);
        }
    }
    struct watch_outcome outcome = outcome_of(status);
    watch_end(watch, now, random, &outcome);
    return order->verb == WATCH_LIST;
}

static void test_watch__never_asks_more_than_once_a_second(void **state) {
    (void)state;
    static const struct server servers[] = {
        {"the end at once", 200, false, NULL, NONE, 200},
        {"the same and the end at once", 200, false, "7", NONE, 200},
        {"cut off at once", 200, false, NULL, NONE, CUT},
        {"no connection", 0, false, NULL, NONE, 0},
        {"no connection for a watch", 200, false, NULL, NONE, 0},
        {"500", 500, false, NULL, NONE, 500},
        {"410", 410, false, NULL, NONE, 410},
        {"410 for a watch", 200, false, NULL, NONE, 410},
        {"ERROR 410", 200, false, NULL, 410, CUT},
        {"news, and ERROR 410", 200, false, "8", 410, CUT},
        {"410 in the middle", 410, true, NULL, NONE, 200},
        {"500 in the middle", 500, true, NULL, NONE, 200},
        {"403 for a watch", 200, false, NULL, NONE, 403},
        {"429", 429, true, NULL, NONE, 429},
        {"ERROR 500", 200, false, NULL, 500, CUT},
        {"news, and ERROR 500", 200, false, "8", 500, CUT},
        {"ERROR 429", 200, false, NULL, 429, CUT},
        {"garbled lines", 200, false, NULL, NONE, GARBLED},
        {"news, and garbled lines", 200, false, "8", NONE, GARBLED},
        {"garbled pages", GARBLED, true, NULL, NONE, 200},
    };
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        struct watch watch;
        int64_t now = 0;
        int64_t n_requests = 0;
        int64_t n_lists = 0;
        watch_init(&watch, "");
        while (now < 3600000 && n_requests < 3600) {
            struct watch_order order;
            now = next_order(&watch, now, (uint32_t)n_requests * UINT32_C(2654435761), &order);
            n_lists += serve(&servers[i], &watch, now, 0, &order);
            n_requests++;
        }
        if (n_requests >= 1200 || n_lists < 6) {
            fail_msg("%s: %d requests, %d of them lists", servers[i].name, (int)n_requests,
                     (int)n_lists);
        }
    }
}

/* A proxy ends each watch with its first event. That is no fault of one watch. */
static void test_watch__a_second_passes_between_watches_that_end_with_news(void **state) {
    (void)state;
    enum { SECONDS = 300 };
    struct watch watch;
    int64_t now = 0;
    int n_requests = 0;
    sync_at(&watch, 0, UINT32_MAX);
    while (now < SECONDS * 1000) {
        struct watch_order order;
        char version[16];
        now = next_order(&watch, now, 0, &order);
        assert_int_equal(order.verb, WATCH_FOLLOW);
        snprintf(version, sizeof(version), "%d", 8 + n_requests);
        tell(&watch, FEED_BOOKMARK, version, 0);
        end(&watch, now, 200);
        n_requests++;
    }
    assert_in_range(n_requests, SECONDS, SECONDS + 1);
}

/* Each watch of a row ends well after so long. */
static void test_watch__is_hasty_from_the_third_short_watch_on(void **state) {
    (void)state;
    static const struct {
        int64_t lasted_ms[4];
        int last_status;
        bool is_hasty;
    } rows[] = {
        {{1000, 0, 999, 0}, 200, true},  {{0, 0, 0, 0}, 200, true},
        {{0, 0, 0, 1000}, 200, false},   {{0, 1000, 0, 0}, 200, false},
        {{1000, 0, 0, 999}, 500, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct watch watch;
        struct watch_order order;
        int64_t now = 0;
        sync_at(&watch, 0, UINT32_MAX);
        for (int j = 0; j < 4; j++) {
            now = next_order(&watch, now, 0, &order) + rows[i].lasted_ms[j];
            end(&watch, now, j == 3 ? rows[i].last_status : 200);
        }
        if (watch_is_hasty(&watch) != rows[i].is_hasty) {
            fail_msg("row %zu", i);
        }
        watch_restart(&watch);
        assert_false(watch_is_hasty(&watch));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch__waits_twice_as_long_after_each_failure),
        cmocka_unit_test(test_watch__chance_makes_the_wait_longer),
        cmocka_unit_test(test_watch__what_did_well_begins_the_back_off_anew),
        cmocka_unit_test(test_watch__lists_in_between_do_not_begin_the_back_off_anew),
        cmocka_unit_test(test_watch__lists_after_five_minutes_of_failure),
        cmocka_unit_test(test_watch__five_minutes_are_counted_anew_after_a_list),
        cmocka_unit_test(test_watch__lists_after_three_server_errors_in_a_row),
        cmocka_unit_test(test_watch__each_watch_is_judged_by_itself),
        cmocka_unit_test(test_watch__a_quiet_watch_is_a_success),
        cmocka_unit_test(test_watch__a_complete_list_is_a_success),
        cmocka_unit_test(test_watch__a_410_that_repeats_is_not_answered_at_once),
        cmocka_unit_test(test_watch__never_asks_more_than_once_a_second),
        cmocka_unit_test(test_watch__a_second_passes_between_watches_that_end_with_news),
        cmocka_unit_test(test_watch__is_hasty_from_the_third_short_watch_on),
    };
    return cmocka_run_group_tests_name("core/watch_pace", tests, NULL, NULL);
}
