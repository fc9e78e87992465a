// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "base/text.h"
#include "core/cluster/contest.h"

static void free_contest(struct contest **contest) {
    contest_free(*contest);
}

/* A review is 20 KB, and only these texts matter. */
static struct contest_news note_in(struct contest *contest, enum rule_id rule,
                                   const char *namespace, const char *name, const char *user,
                                   int64_t now_ms) {
    static struct review review;
    struct contest_news news;
    text_copy(review.namespace, sizeof(review.namespace), namespace);
    text_copy(review.name, sizeof(review.name), name);
    text_copy(review.user, sizeof(review.user), user);
    contest_note(contest, rule, &review, now_ms, &news);
    return news;
}

static struct contest_news note(struct contest *contest, enum rule_id rule, const char *name,
                                const char *user, int64_t now_ms) {
    return note_in(contest, rule, "app", name, user, now_ms);
}

static struct contest_news note_cap(struct contest *contest, const char *name, const char *user,
                                    int64_t now_ms) {
    return note(contest, RULE_STDIO_CAP, name, user, now_ms);
}

static void test_contest__it_is_said_at_the_third_and_then_once_a_minute(void **state) {
    static const struct {
        int64_t now_ms;
        bool is_contested;
        int64_t times;
        bool is_event_due;
    } rows[] = {
        {0, false, 0, false},      {1, false, 0, false},      {2, true, 3, true},
        {3, true, 0, false},       {60001, true, 0, false},   {60002, true, 3, false},
        {120001, true, 0, false},  {500000, true, 2, false},  {1000000, true, 1, false},
        {1500000, true, 1, false}, {2000000, true, 1, false}, {2500000, true, 1, false},
        {3000000, true, 1, false}, {3500000, true, 1, false}, {3600001, true, 1, false},
        {3600002, true, 0, true},  {3600003, true, 0, false},
    };
    (void)state;
    AUTO(free_contest) struct contest *contest = contest_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct contest_news news = note_cap(contest, "one", "hpa", rows[i].now_ms);
        if (news.is_contested != rows[i].is_contested || news.times != rows[i].times ||
            news.is_event_due != rows[i].is_event_due) {
            fail_msg("row %zu: %d %lld %d", i, news.is_contested, (long long)news.times,
                     news.is_event_due);
        }
    }
}

static void test_contest__users_objects_and_rules_have_series_of_their_own(void **state) {
    (void)state;
    AUTO(free_contest) struct contest *contest = contest_new();
    for (int i = 0; i < 2; i++) {
        assert_false(note_cap(contest, "one", "a", 0).is_contested);
        assert_false(note_cap(contest, "one", "b", 0).is_contested);
        assert_false(note_cap(contest, "two", "a", 0).is_contested);
        assert_false(note_cap(contest, "onea", "", 0).is_contested);
        assert_false(note(contest, RULE_REPLICA_PASSTHROUGH, "one", "a", 0).is_contested);
    }
    assert_true(note_cap(contest, "one", "a", 0).is_event_due);
    assert_true(note_cap(contest, "one", "b", 0).is_event_due);
    struct contest_news news = note(contest, RULE_REPLICA_PASSTHROUGH, "one", "a", 0);
    assert_int_equal(news.times, 3);
    assert_false(news.is_event_due); /* the operator is told by the log alone */
}

static void test_contest__ten_minutes_of_quiet_end_it(void **state) {
    struct contest_series ended;
    (void)state;
    AUTO(free_contest) struct contest *contest = contest_new();
    for (int i = 0; i < 4; i++) {
        note_cap(contest, "one", "hpa", 5);
        note_cap(contest, i < 2 ? "short" : "other", "hpa", 5); /* twice: never contested */
    }
    assert_false(contest_end(contest, 5 + CONTEST_QUIET_MS - 1, &ended));
    assert_true(contest_end(contest, 5 + CONTEST_QUIET_MS, &ended));
    assert_string_equal(ended.name, "one");
    assert_string_equal(ended.user, "hpa");
    assert_int_equal(ended.n_all, 4);
    assert_false(contest_end(contest, 5 + CONTEST_QUIET_MS, &ended));
    assert_false(note_cap(contest, "one", "hpa", 5 + CONTEST_QUIET_MS).is_contested);
    assert_false(note_cap(contest, "short", "hpa", 5 + CONTEST_QUIET_MS).is_contested);
}

/* The object of this number, of which each namespace has `share`. */
static struct contest_news note_number(struct contest *contest, int number, int share,
                                       int64_t now_ms) {
    char namespace[32];
    char name[32];
    snprintf(namespace, sizeof(namespace), "n-%d", number / share);
    snprintf(name, sizeof(name), "o-%d", number);
    return note_in(contest, RULE_STDIO_CAP, namespace, name, "hpa", now_ms);
}

/* Each object is noted twice. Without one more, the third note of the first is contested. */
static void fill(struct contest *contest, int n_series, int share) {
    for (int i = 0; i < n_series; i++) {
        note_number(contest, i, share, i);
        note_number(contest, i, share, i);
    }
}

static void test_contest__a_full_table_forgets_the_one_that_is_quiet_longest(void **state) {
    enum { SHARE = CONTEST_SERIES_SHARE };
    (void)state;
    AUTO(free_contest) struct contest *full = contest_new();
    fill(full, CONTEST_SERIES_MAX, SHARE);
    assert_true(note_number(full, 0, SHARE, 1000).is_contested);
    AUTO(free_contest) struct contest *over = contest_new();
    fill(over, CONTEST_SERIES_MAX + 1, SHARE);
    assert_true(note_number(over, 1, SHARE, 1000).is_contested);
    assert_true(note_number(over, 256, SHARE, 1000).is_contested);
    assert_false(note_number(over, 0, SHARE, 1000).is_contested);
}

/* A crowd in one namespace takes the places of its own, and no others. */
static void test_contest__a_namespace_has_a_share_of_the_series(void **state) {
    (void)state;
    AUTO(free_contest) struct contest *contest = contest_new();
    note_cap(contest, "one", "hpa", 0);
    note_cap(contest, "one", "hpa", 0);
    fill(contest, CONTEST_SERIES_SHARE, 1000);
    assert_true(note_number(contest, 0, 1000, 500).is_contested);
    fill(contest, CONTEST_SERIES_SHARE + 1, 1000);
    fill(contest, 5000, 5000);
    assert_true(note_cap(contest, "one", "hpa", 1000).is_contested);
}

static void test_contest__events_are_bounded_by_the_hour(void **state) {
    enum { SHARE = CONTEST_EVENTS_SHARE };
    (void)state;
    AUTO(free_contest) struct contest *contest = contest_new();
    fill(contest, CONTEST_EVENTS_MAX + 1, SHARE);
    for (int i = 0; i <= CONTEST_EVENTS_MAX; i++) {
        struct contest_news news = note_number(contest, i, SHARE, 1000);
        assert_int_equal(news.is_event_due, i < CONTEST_EVENTS_MAX);
        assert_int_equal(news.times, 3); /* the log says it all the same */
    }
    assert_false(note_number(contest, 64, SHARE, CONTEST_HOUR_MS - 1).is_event_due);
    assert_true(note_number(contest, 64, SHARE, CONTEST_HOUR_MS).is_event_due);
}

static void test_contest__a_namespace_has_a_share_of_the_events(void **state) {
    (void)state;
    AUTO(free_contest) struct contest *contest = contest_new();
    fill(contest, CONTEST_EVENTS_SHARE + 1, 1000);
    for (int i = 0; i <= CONTEST_EVENTS_SHARE; i++) {
        struct contest_news news = note_number(contest, i, 1000, 1000);
        assert_int_equal(news.is_event_due, i < CONTEST_EVENTS_SHARE);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(note_cap(contest, "one", "hpa", 1000).is_event_due, i == 2);
    }
}

/* A user of the longest readable name is kept whole. */
static void test_contest__a_long_user_is_kept_whole(void **state) {
    char user[REVIEW_USER_SIZE];
    struct contest_series ended;
    (void)state;
    AUTO(free_contest) struct contest *contest = contest_new();
    memset(user, 'u', sizeof(user) - 1);
    user[sizeof(user) - 1] = '\0';
    for (int i = 0; i < 3; i++) {
        note_cap(contest, "one", user, 0);
    }
    assert_true(contest_end(contest, CONTEST_QUIET_MS, &ended));
    assert_string_equal(ended.user, user);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contest__it_is_said_at_the_third_and_then_once_a_minute),
        cmocka_unit_test(test_contest__users_objects_and_rules_have_series_of_their_own),
        cmocka_unit_test(test_contest__ten_minutes_of_quiet_end_it),
        cmocka_unit_test(test_contest__a_full_table_forgets_the_one_that_is_quiet_longest),
        cmocka_unit_test(test_contest__a_namespace_has_a_share_of_the_series),
        cmocka_unit_test(test_contest__events_are_bounded_by_the_hour),
        cmocka_unit_test(test_contest__a_namespace_has_a_share_of_the_events),
        cmocka_unit_test(test_contest__a_long_user_is_kept_whole),
    };
    return cmocka_run_group_tests_name("core/contest", tests, NULL, NULL);
}
