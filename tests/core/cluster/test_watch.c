// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch_fixtures.h"

static void test_watch__lists_by_pages_and_then_follows(void **state) {
    (void)state;
    struct watch watch;
    watch_init(&watch, "");
    assert_true(expect_list(&watch, 0, "limit=500"));
    assert_false(give_page(&watch, 10, "", "a+/=&b%20"));
    assert_false(watch_is_synced(&watch));
    assert_false(expect_list(&watch, 10, "limit=500&continue=a%2B%2F%3D%26b%2520"));
    assert_false(give_page(&watch, 20, "", "-._~Az09\x80"));
    assert_false(expect_list(&watch, 20, "limit=500&continue=-._~Az09%80"));
    assert_true(give_page(&watch, 30, "7/ 8", ""));
    assert_true(watch_is_synced(&watch));
    expect_follow(&watch, 30, 0, 300, "7%2F%208");
}

static void test_watch__the_selector_is_in_every_query(void **state) {
    (void)state;
    struct watch watch;
    watch_init(&watch, "labelSelector=a%3Db");
    expect_list(&watch, 0, "limit=500&labelSelector=a%3Db");
    give_page(&watch, 0, "", "t");
    expect_list(&watch, 0, "limit=500&continue=t&labelSelector=a%3Db");
    end(&watch, 0, 410);
    expect_list(&watch, 0, "labelSelector=a%3Db");
    give_page(&watch, 0, "7", "");
    struct watch_order order;
    watch_step(&watch, 0, 0, &order);
    assert_string_equal(order.query, "watch=1&allowWatchBookmarks=true&timeoutSeconds=300&"
                                     "resourceVersion=7&labelSelector=a%3Db");
}

static void test_watch__the_longest_texts_fit_a_query(void **state) {
    (void)state;
    struct watch watch;
    struct watch_order order;
    struct feed_page page = {.resource_version = ""};
    char selector[1024];
    watch_init(&watch, fill(selector, 1023));
    memset(page.continue_token, '=', FEED_CONTINUE_SIZE - 1);
    watch_step(&watch, 0, 0, &order);
    assert_false(watch_page(&watch, &page));
    watch_end(&watch, 0, 0, &(struct watch_outcome){.is_good = true, .status = 200});
    watch_step(&watch, 0, 0, &order);
    assert_int_equal(strlen(order.query),
                     strlen("limit=500&continue=&") + 3 * (FEED_CONTINUE_SIZE - 1) + 1023);
}

static void test_watch__waits_while_a_request_is_under_way(void **state) {
    (void)state;
    struct watch watch;
    watch_init(&watch, "");
    expect_list(&watch, 0, "limit=500");
    expect_wait(&watch, 0, INT64_MAX);
    give_page(&watch, 5, "7", "");
    expect_follow(&watch, 5, 0, 300, "7");
    expect_wait(&watch, 1000000, INT64_MAX);
}

static void test_watch__lasts_for_five_to_ten_minutes(void **state) {
    (void)state;
    static const struct {
        uint32_t random;
        int64_t seconds;
    } rows[] = {{0, 300}, {UINT32_C(1) << 31, 450}, {UINT32_MAX, 599}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct watch watch;
        sync_at(&watch, 0, UINT32_MAX); /* the resync comes 12 minutes later */
        expect_follow(&watch, 0, rows[i].random, rows[i].seconds, "7");
    }
}

static void test_watch__lists_again_every_ten_minutes_between_two_watches(void **state) {
    (void)state;
    static const struct {
        uint32_t random; /* drawn at the end of the list */
        int64_t resync_ms;
    } rows[] = {{0, 480000}, {UINT32_C(1) << 31, 600000}, {UINT32_MAX, 719999}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t at = rows[i].resync_ms;
        struct watch watch;
        sync_at(&watch, 0, rows[i].random);
        expect_follow(&watch, at - 200999, UINT32_MAX, 200, "7");
        end(&watch, at - 1001, 200);
        expect_follow(&watch, at - 1001, UINT32_MAX, 1, "7");
        end(&watch, at - 1, 200);
        expect_follow(&watch, at - 1, UINT32_MAX, 1, "7"); /* at least one second */
        end(&watch, at + 999, 200);
        assert_true(expect_list(&watch, at + 999, "limit=500"));
        assert_true(give_page(&watch, at + 1500, "9", ""));
        expect_follow(&watch, at + 1500, 0, 300, "9");

        sync_at(&watch, 0, rows[i].random);
        assert_true(expect_list(&watch, at, "limit=500"));
    }
}

static void test_watch__the_version_follows_the_events(void **state) {
    (void)state;
    static const struct {
        enum feed_event_type type;
        const char *version;
        enum watch_effect effect;
        const char *expected;
    } rows[] = {
        {FEED_UPSERT, "8", WATCH_PUT, "8"},
        {FEED_DELETED, "9", WATCH_REMOVE, "9"},
        {FEED_BOOKMARK, "100", WATCH_IGNORE, "100"},
        {FEED_UPSERT, "2", WATCH_PUT, "2"}, /* versions are opaque: none is less or more */
        {FEED_UNKNOWN, "", WATCH_IGNORE, "2"},
        {FEED_UNKNOWN, "5", WATCH_IGNORE, "2"},
        {FEED_UPSERT, "", WATCH_PUT, "2"},
        {FEED_ERROR, "5", WATCH_CLOSE, "2"},
    };
    struct watch watch;
    sync_at(&watch, 0, 0);
    expect_follow(&watch, 0, 0, 300, "7");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(tell(&watch, rows[i].type, rows[i].version, 500), rows[i].effect);
        assert_string_equal(watch.resource_version, rows[i].expected);
    }
    end(&watch, 0, CUT);
    expect_follow(&watch, 800, 0, 300, "2");
}

/* The next step after the end of a watch that began at 0. */
static const struct {
    const char *name;
    int64_t code; /* of an ERROR event, if there is one */
    int status;
    int64_t retry_after_ms;
    int64_t lasted_ms;
    bool is_listed;
    int64_t wait_ms;
} ends[] = {
    {"an end in time", NONE, 200, -1, 1000, false, 0},
    {"an end too soon", NONE, 200, -1, 999, false, 800},
    {"cut off", NONE, CUT, -1, 5000, false, 800},
    {"cut off at once", NONE, CUT, -1, 0, false, 800},
    {"no connection", NONE, 0, -1, 10000, false, 800},
    {"500", NONE, 500, -1, 10, false, 800},
    {"503, later", NONE, 503, 5000, 10, false, 5000},
    {"503, sooner", NONE, 503, 0, 10, false, 1000},
    {"429", NONE, 429, -1, 10, false, 800},
    {"429, at once", NONE, 429, 0, 10, false, 1000},
    {"429, 999 ms", NONE, 429, 999, 10, false, 1000},
    {"429, 1001 ms", NONE, 429, 1001, 10, false, 1001},
    {"429, 5 min", NONE, 429, 300000, 10, false, 300000},
    {"429, more", NONE, 429, 300001, 10, false, 300000},
    {"429, for ever", NONE, 429, INT64_MAX, 10, false, 300000},
    {"410", NONE, 410, -1, 10, true, 0},
    {"400, which has no say in it", NONE, 400, 9000, 10, true, 800},
    {"401", NONE, 401, -1, 10, true, 800},
    {"403", NONE, 403, -1, 10, true, 800},
    {"404", NONE, 404, -1, 10, true, 800},
    {"302", NONE, 302, -1, 10, true, 800},
    {"600", NONE, 600, -1, 10, true, 800},
    {"garbled", NONE, GARBLED, -1, 5000, true, 800},
    {"ERROR 410", 410, CUT, -1, 10, true, 0},
    {"ERROR 410 and the end", 410, 200, -1, 5000, true, 0},
    {"ERROR 429", 429, CUT, -1, 10, false, 800},
    {"ERROR 500", 500, CUT, -1, 10, false, 800},
    {"ERROR 599", 599, CUT, -1, 10, false, 800},
    {"ERROR 600", 600, CUT, -1, 10, true, 800},
    {"ERROR 499", 499, CUT, -1, 10, true, 800},
    {"ERROR 403", 403, CUT, -1, 10, true, 800},
    {"ERROR without a code", 0, CUT, -1, 10, true, 800},
};

static void test_watch__the_end_of_a_watch_decides_what_follows(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct watch_outcome outcome = outcome_of(ends[i].status);
        int64_t at = ends[i].lasted_ms + ends[i].wait_ms;
        struct watch watch;
        struct watch_order order;
        sync_at(&watch, 0, 0);
        expect_follow(&watch, 0, 0, 300, "7");
        if (ends[i].code != NONE) {
            assert_int_equal(tell(&watch, FEED_ERROR, "", ends[i].code), WATCH_CLOSE);
        }
        outcome.retry_after_ms = ends[i].retry_after_ms;
        watch_end(&watch, ends[i].lasted_ms, 0, &outcome);
        if (ends[i].wait_ms > 0) {
            expect_wait(&watch, ends[i].lasted_ms, at);
            expect_wait(&watch, at - 1, at);
        }
        watch_step(&watch, at, 0, &order);
        if (order.verb != (ends[i].is_listed ? WATCH_LIST : WATCH_FOLLOW)) {
            fail_msg("%s: %d", ends[i].name, order.verb);
        }
        const char *expected = ends[i].is_listed ? "limit=500" : "resourceVersion=7";
        assert_non_null(strstr(order.query, expected));
        assert_int_equal(order.is_first_page, ends[i].is_listed);
    }
}

/* The next step after a failed list: at its first page and at its second, and before the first
   complete list and after it. */
static const struct {
    int status;
    const char *first; /* the next query, after the first page of the first list */
    const char *later; /* after its second page */
    int64_t later_ms;  /* the wait before it */
} lists[] = {
    {0, "limit=500", "limit=500", 800},
    {400, "limit=500", "limit=500", 800},
    {401, "limit=500", "limit=500", 800},
    {404, "limit=500", "limit=500", 800},
    {500, "limit=500", "limit=500", 800},
    {CUT, "limit=500", "limit=500", 800},
    {429, "limit=500", "limit=500&continue=t", 800},
    {410, "limit=500", "", 0},
    {504, "limit=500", "limit=500", 800},
};

static void test_watch__a_list_that_fails_is_begun_again(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct watch watch;
        watch_init(&watch, "");
        expect_list(&watch, 0, "limit=500");
        end(&watch, 0, lists[i].status);
        expect_wait(&watch, 799, 800);
        assert_true(expect_list(&watch, 800, lists[i].first));

        watch_init(&watch, "");
        expect_list(&watch, 0, "limit=500");
        give_page(&watch, 0, "", "t");
        expect_list(&watch, 0, "limit=500&continue=t");
        end(&watch, 0, lists[i].status);
        if (lists[i].later_ms > 0) {
            expect_wait(&watch, lists[i].later_ms - 1, lists[i].later_ms);
        }
        assert_int_equal(expect_list(&watch, lists[i].later_ms, lists[i].later),
                         lists[i].status != 429);
    }
}

static void test_watch__no_list_asks_a_cache(void **state) {
    (void)state;
    struct watch watch;
    sync_at(&watch, 0, 0);
    expect_follow(&watch, 0, 0, 300, "7");
    end(&watch, 0, 404);
    for (int64_t at = 100000; at < 1000000; at += 100000) {
        assert_true(expect_list(&watch, at, "limit=500"));
        end(&watch, at, 500);
        assert_true(watch_is_synced(&watch));
    }
    watch_restart(&watch);
    assert_true(expect_list(&watch, 0, "limit=500"));
}

static void test_watch__a_list_that_expires_is_asked_for_whole_once(void **state) {
    (void)state;
    struct watch watch;
    watch_init(&watch, "");
    expect_list(&watch, 0, "limit=500");
    give_page(&watch, 0, "", "t");
    expect_list(&watch, 0, "limit=500&continue=t");
    end(&watch, 0, 410);
    assert_true(expect_list(&watch, 0, ""));
    end(&watch, 0, 429);
    assert_true(expect_list(&watch, 800, "")); /* the same again */
    give_page(&watch, 800, "", "u");
    assert_false(expect_list(&watch, 800, "continue=u"));
    end(&watch, 800, 410);
    expect_wait(&watch, 800, 2400);
    assert_true(expect_list(&watch, 2400, "limit=500"));
    give_page(&watch, 2400, "7", "");
    expect_follow(&watch, 2400, 0, 300, "7");
}

static void test_watch__after_a_page_that_is_too_large_fewer_are_asked_for(void **state) {
    (void)state;
    static const char *const queries[] = {"limit=500", "limit=62", "limit=7", "limit=1", "limit=1"};
    const struct watch_outcome outcome = {
        .is_too_large = true, .status = 200, .retry_after_ms = -1};
    struct watch watch;
    int64_t now = 0;
    watch_init(&watch, "");
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        assert_true(expect_list(&watch, now, queries[i]));
        watch_end(&watch, now, 0, &outcome);
        now += i < 3 ? 0 : 800; /* at once, except where the query can ask for no fewer */
    }
}

/* Each complete list is asked for again by an ERROR 410, more than a minute later. */
static void test_watch__pages_grow_again_with_each_complete_list(void **state) {
    (void)state;
    static const char *const queries[] = {"limit=7",   "limit=14",  "limit=28",
                                          "limit=56",  "limit=112", "limit=224",
                                          "limit=448", "limit=500", "limit=500"};
    const struct watch_outcome too_large = {
        .is_too_large = true, .status = 200, .retry_after_ms = -1};
    struct watch watch;
    int64_t now = 0;
    watch_init(&watch, "");
    for (int i = 0; i < 2; i++) {
        struct watch_order order;
        watch_step(&watch, now, 0, &order);
        watch_end(&watch, now, 0, &too_large);
    }
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        assert_true(expect_list(&watch, now, queries[i]));
        assert_true(give_page(&watch, now, "7", ""));
        expect_follow(&watch, now, 0, 300, "7");
        now += 70000;
        end(&watch, now, 410);
    }
}

/* A later page has expired, and the list as a whole is too large: that is no reason for smaller
   pages, which expire sooner. */
static void test_watch__a_whole_list_that_is_too_large_makes_no_page_smaller(void **state) {
    (void)state;
    const struct watch_outcome too_large = {
        .is_too_large = true, .status = 200, .retry_after_ms = -1};
    struct watch watch;
    int64_t now = 0;
    watch_init(&watch, "");
    for (int i = 0; i < 5; i++) {
        assert_true(expect_list(&watch, now, "limit=500"));
        assert_false(give_page(&watch, now, "7", "t"));
        assert_false(expect_list(&watch, now, "limit=500&continue=t"));
        end(&watch, now, 410);
        assert_true(expect_list(&watch, now, ""));
        watch_end(&watch, now, 0, &too_large);
        expect_wait(&watch, now, now + (INT64_C(800) << i));
        now += INT64_C(800) << i;
    }
}

static void test_watch__a_page_that_is_good_but_was_not_read_is_a_failure(void **state) {
    (void)state;
    struct watch watch;
    watch_init(&watch, "");
    expect_list(&watch, 0, "limit=500");
    end(&watch, 0, 200);
    expect_wait(&watch, 0, 800);
    assert_false(watch_is_synced(&watch));
}

static void test_watch__begins_anew_when_it_is_restarted(void **state) {
    (void)state;
    struct watch watch;
    sync_at(&watch, 0, 0);
    for (int i = 0; i < 3; i++) {
        expect_follow(&watch, i * 60000, 0, 300, "7");
        end(&watch, i * 60000, 429);
    }
    watch_restart(&watch);
    assert_true(watch_is_synced(&watch));
    assert_true(expect_list(&watch, 200000, "limit=500"));
    end(&watch, 200000, 500);
    expect_wait(&watch, 200000, 200800);
    give_page_at(&watch, 200800, "1", "");
    expect_follow(&watch, 200800, 0, 300, "1");
    end(&watch, 200800, 500);
    expect_wait(&watch, 200800, 201600);
    expect_follow(&watch, 201600, 0, 300, "1");
    end(&watch, 201600, 410);
    watch_restart(&watch);
    give_page_at(&watch, 201600, "2", "");
    expect_follow(&watch, 201600, 0, 300, "2");
    end(&watch, 201600, 410);
    assert_true(expect_list(&watch, 201600, "limit=500")); /* the first since */
    watch_restart(&watch);                                 /* its request is cancelled */
    assert_true(expect_list(&watch, 201600, "limit=500"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch__lists_by_pages_and_then_follows),
        cmocka_unit_test(test_watch__the_selector_is_in_every_query),
        cmocka_unit_test(test_watch__the_longest_texts_fit_a_query),
        cmocka_unit_test(test_watch__waits_while_a_request_is_under_way),
        cmocka_unit_test(test_watch__lasts_for_five_to_ten_minutes),
        cmocka_unit_test(test_watch__lists_again_every_ten_minutes_between_two_watches),
        cmocka_unit_test(test_watch__the_version_follows_the_events),
        cmocka_unit_test(test_watch__the_end_of_a_watch_decides_what_follows),
        cmocka_unit_test(test_watch__a_list_that_fails_is_begun_again),
        cmocka_unit_test(test_watch__no_list_asks_a_cache),
        cmocka_unit_test(test_watch__a_list_that_expires_is_asked_for_whole_once),
        cmocka_unit_test(test_watch__after_a_page_that_is_too_large_fewer_are_asked_for),
        cmocka_unit_test(test_watch__pages_grow_again_with_each_complete_list),
        cmocka_unit_test(test_watch__a_whole_list_that_is_too_large_makes_no_page_smaller),
        cmocka_unit_test(test_watch__a_page_that_is_good_but_was_not_read_is_a_failure),
        cmocka_unit_test(test_watch__begins_anew_when_it_is_restarted),
    };
    return cmocka_run_group_tests_name("core/watch", tests, NULL, NULL);
}
