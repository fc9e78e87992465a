// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/cluster/worklist.h"

#define NOW INT64_C(777000000)

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static void auto_free(struct worklist **list) {
    worklist_free(*list);
}

#define AUTO_LIST AUTO(auto_free) struct worklist *

static struct work *expect_take(struct worklist *list, int64_t now_ms, const char *name) {
    struct work *work = worklist_take(list, now_ms);
    if (work == NULL) {
        fail_msg("%s is not due at %+" PRId64, name, now_ms - NOW);
    }
    assert_string_equal(work->name, name);
    return work;
}

/* The worklist hands the entry out at that time, and not a millisecond before. */
static struct work *expect_due(struct worklist *list, int64_t at_ms, const char *name) {
    if (worklist_next_ms(list) != at_ms) {
        fail_msg("%s is due at %+" PRId64 ", not %+" PRId64, name, worklist_next_ms(list) - NOW,
                 at_ms - NOW);
    }
    assert_null(worklist_take(list, at_ms - 1));
    return expect_take(list, at_ms, name);
}

static bool done(struct worklist *list, struct work *work, int64_t now_ms, enum work_result result,
                 uint64_t fingerprint) {
    const struct work_outcome outcome = {
        .result = result, .fingerprint = fingerprint, .retry_after_ms = -1};
    return worklist_done(list, work, now_ms, 0, &outcome);
}

/* All touches of these tests ask for this fingerprint. The writes have the numbers below. */
#define ASKED UINT64_C(1000)

static void touch(struct worklist *list, const char *name, int64_t now_ms) {
    worklist_touch(list, WORK_STATUS, "app", name, ASKED, now_ms);
}

/* Touches and writes at that time. */
static bool write_at(struct worklist *list, int64_t now_ms, uint64_t fingerprint) {
    touch(list, "a", now_ms);
    return done(list, expect_take(list, now_ms, "a"), now_ms, WORK_WRITTEN, fingerprint);
}

static void test_worklist__is_empty_at_first(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    assert_int_equal(worklist_count(list), 0);
    assert_null(worklist_take(list, INT64_MAX));
    assert_true(worklist_next_ms(list) == INT64_MAX);
    worklist_free(NULL);
}

static void test_worklist__many_touches_are_one_entry(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    for (int i = 0; i < 10000; i++) {
        touch(list, "a", NOW + i);
    }
    assert_int_equal(worklist_count(list), 1);
    struct work *work = expect_due(list, NOW, "a");
    assert_int_equal(work->kind, WORK_STATUS);
    assert_string_equal(work->namespace, "app");
    assert_null(worklist_take(list, NOW + 10000));
    assert_true(worklist_next_ms(list) == INT64_MAX);
    assert_false(done(list, work, NOW + 10000, WORK_NOTHING, 0));
    assert_int_equal(worklist_count(list), 0);
}

static void test_worklist__kind_namespace_and_name_tell_entries_apart(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    worklist_touch(list, WORK_STATUS, "a", "b", ASKED, NOW);
    worklist_touch(list, WORK_SCALE, "a", "b", ASKED, NOW + 1);
    worklist_touch(list, WORK_STATUS, "b", "a", ASKED, NOW + 2);
    worklist_touch(list, WORK_STATUS, "a", "bb", ASKED, NOW + 3);
    worklist_touch(list, WORK_STATUS, "ab", "b", ASKED, NOW + 4);
    assert_int_equal(worklist_count(list), 5);
    static const struct {
        enum work_kind kind;
        const char *namespace;
        const char *name;
    } rows[] = {{WORK_STATUS, "a", "b"},
                {WORK_SCALE, "a", "b"},
                {WORK_STATUS, "b", "a"},
                {WORK_STATUS, "a", "bb"},
                {WORK_STATUS, "ab", "b"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct work *work = expect_due(list, NOW + (int64_t)i, rows[i].name);
        assert_int_equal(work->kind, rows[i].kind);
        assert_string_equal(work->namespace, rows[i].namespace);
        done(list, work, NOW + (int64_t)i, WORK_NOTHING, 0);
    }
    assert_int_equal(worklist_count(list), 0);
}

static void test_worklist__names_may_be_as_long_as_kubernetes_lets_them(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    char name[OBJECT_NAME_SIZE];
    char namespace[OBJECT_NAMESPACE_SIZE];
    memset(name, 'n', sizeof(name));
    memset(namespace, 's', sizeof(namespace));
    name[sizeof(name) - 1] = '\0';
    namespace[sizeof(namespace) - 1] = '\0';
    worklist_touch(list, WORK_SCALE, namespace, name, ASKED, NOW);
    struct work *work = expect_take(list, NOW, name);
    assert_string_equal(work->namespace, namespace);
    done(list, work, NOW, WORK_NOTHING, 0);
}

static void test_worklist__after_a_write_2_s_pass(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    assert_false(write_at(list, NOW, 1));
    assert_int_equal(worklist_count(list), 1);
    touch(list, "a", NOW + 1);
    touch(list, "a", NOW + 1999);
    struct work *work = expect_due(list, NOW + 2 * SECOND, "a");
    assert_false(done(list, work, NOW + 2 * SECOND, WORK_WRITTEN, 2));
    touch(list, "a", NOW + 9 * SECOND);
    done(list, expect_due(list, NOW + 9 * SECOND, "a"), NOW + 9 * SECOND, WORK_NOTHING, 0);
}

static void test_worklist__a_touch_under_way_is_remembered(void **state) {
    (void)state;
    static const struct {
        enum work_result result;
        int64_t wait_ms;
    } rows[] = {
        {WORK_NOTHING, 0},         {WORK_WRITTEN, 2 * SECOND}, {WORK_REFUSED, 2 * SECOND},
        {WORK_FAILED, 1 * SECOND}, {WORK_STOPPED, 1 * SECOND}, {WORK_UNDONE, 5 * SECOND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_LIST list = worklist_new();
        touch(list, "a", NOW);
        struct work *work = expect_take(list, NOW, "a");
        touch(list, "a", NOW + 5);
        assert_int_equal(worklist_count(list), 1);
        assert_null(worklist_take(list, NOW + MINUTE));
        done(list, work, NOW + 100, rows[i].result, 1);
        expect_due(list, NOW + 100 + rows[i].wait_ms, "a");
    }
}

/* Writes as soon as the pace allows, until the wait no longer grows. */
static void test_worklist__what_is_undone_is_written_ever_more_slowly(void **state) {
    (void)state;
    static const int64_t waits_ms[] = {
        2 * SECOND,   5 * SECOND,   10 * SECOND,  20 * SECOND,  40 * SECOND,  80 * SECOND,
        160 * SECOND, 300 * SECOND, 300 * SECOND, 300 * SECOND, 300 * SECOND,
    };
    AUTO_LIST list = worklist_new();
    int64_t now = NOW;
    touch(list, "a", now);
    for (size_t i = 0; i < COUNT_OF(waits_ms); i++) {
        struct work *work = expect_due(list, now, "a");
        assert_int_equal(done(list, work, now, WORK_WRITTEN, 1), i > 0);
        touch(list, "a", now + 1);
        now += waits_ms[i];
    }
}

static void test_worklist__a_write_is_remembered_for_10_minutes(void **state) {
    (void)state;
    for (int past = -1; past <= 1; past++) {
        AUTO_LIST list = worklist_new();
        write_at(list, NOW, 1);
        assert_int_equal(write_at(list, NOW + 10 * MINUTE + past, 1), past < 0);
    }
}

static void test_worklist__the_fight_is_forgotten_after_10_minutes_of_quiet(void **state) {
    (void)state;
    for (int past = -1; past <= 1; past++) {
        AUTO_LIST list = worklist_new();
        write_at(list, NOW, 1);
        assert_true(write_at(list, NOW + 10 * SECOND, 1));
        assert_true(write_at(list, NOW + 20 * SECOND, 1));
        /* Another write keeps the entry known, so that only the fight's own age counts. */
        assert_false(write_at(list, NOW + 9 * MINUTE, 2));
        int64_t then = NOW + 20 * SECOND + 10 * MINUTE + past;
        assert_true(write_at(list, then, 2));
        touch(list, "a", then);
        expect_due(list, then + (past < 0 ? 20 : 5) * SECOND, "a");
    }
}

static void test_worklist__another_write_waits_2_s_and_the_fight_goes_on(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    write_at(list, NOW, 1);
    assert_true(write_at(list, NOW + 10 * SECOND, 1));
    assert_false(write_at(list, NOW + 20 * SECOND, 2));
    touch(list, "a", NOW + 20 * SECOND);
    struct work *work = expect_due(list, NOW + 22 * SECOND, "a");
    /* It is not the last write, so nobody but us undid that. */
    assert_false(done(list, work, NOW + 22 * SECOND, WORK_WRITTEN, 1));
    touch(list, "a", NOW + 22 * SECOND);
    work = expect_due(list, NOW + 24 * SECOND, "a");
    assert_true(done(list, work, NOW + 24 * SECOND, WORK_WRITTEN, 1));
    touch(list, "a", NOW + 24 * SECOND);
    expect_due(list, NOW + 34 * SECOND, "a");
}

static void test_worklist__what_is_only_remembered_goes_after_10_minutes(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    write_at(list, NOW, 1);
    assert_true(worklist_next_ms(list) == NOW + 10 * MINUTE);
    /* An attempt without a write does not prolong it. */
    touch(list, "a", NOW + MINUTE);
    done(list, expect_take(list, NOW + MINUTE, "a"), NOW + MINUTE, WORK_NOTHING, 0);
    assert_true(worklist_next_ms(list) == NOW + 10 * MINUTE);
    assert_null(worklist_take(list, NOW + 10 * MINUTE - 1));
    assert_int_equal(worklist_count(list), 1);
    assert_null(worklist_take(list, NOW + 10 * MINUTE));
    assert_int_equal(worklist_count(list), 0);
    assert_true(worklist_next_ms(list) == INT64_MAX);
}

static void test_worklist__what_should_have_gone_is_in_its_place_when_touched(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    write_at(list, NOW, 1);
    touch(list, "b", NOW + 10 * MINUTE + 1);
    touch(list, "a", NOW + 10 * MINUTE + 2);
    expect_due(list, NOW + 10 * MINUTE + 1, "b");
    expect_due(list, NOW + 10 * MINUTE + 2, "a");
}

static void test_worklist__a_failure_is_tried_again_ever_more_slowly(void **state) {
    (void)state;
    static const struct {
        uint32_t random;
        int64_t wait_ms;
    } rows[] = {
        {0, 1000},  {0, 2000},   {0, 4000},   {0, 8000},   {0, 16000},           {0, 32000},
        {0, 64000}, {0, 128000}, {0, 256000}, {0, 300000}, {UINT32_MAX, 599999}, {0, 300000},
    };
    AUTO_LIST list = worklist_new();
    const struct work_outcome failed = {.result = WORK_FAILED, .retry_after_ms = -1};
    int64_t now = NOW;
    touch(list, "a", now);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct work *work = expect_due(list, now, "a");
        assert_false(worklist_done(list, work, now, rows[i].random, &failed));
        touch(list, "a", now + 1); /* this changes nothing */
        now += rows[i].wait_ms;
    }
}

static void test_worklist__what_all_share_keeps_an_object_back_for_30_s_at_most(void **state) {
    (void)state;
    static const struct {
        uint32_t random;
        int64_t wait_ms;
    } rows[] = {
        {0, 1000},  {0, 2000},           {0, 4000},  {UINT32_MAX, 15999},
        {0, 15000}, {UINT32_MAX, 29999}, {0, 15000},
    };
    AUTO_LIST list = worklist_new();
    /* The wait that the server asks for is that of all objects, in core/throttle. */
    const struct work_outcome stopped = {.result = WORK_STOPPED, .retry_after_ms = 100000};
    int64_t now = NOW;
    touch(list, "a", now);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct work *work = expect_due(list, now, "a");
        assert_false(worklist_done(list, work, now, rows[i].random, &stopped));
        now += rows[i].wait_ms;
    }
}

/* The objects that were not tried yet come first. */
static void test_worklist__what_was_stopped_is_behind_the_others(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    touch(list, "a", NOW);
    touch(list, "b", NOW + 1);
    done(list, expect_take(list, NOW + 1, "a"), NOW + 1, WORK_STOPPED, 1);
    touch(list, "c", NOW + 1000);
    done(list, expect_take(list, NOW + 2000, "b"), NOW + 2000, WORK_NOTHING, 1);
    assert_non_null(expect_take(list, NOW + 2000, "c"));
    assert_non_null(expect_take(list, NOW + 2000, "a"));
}

/* The answer to each write shows that it was undone in the same request. Nobody touches it. */
static void test_worklist__what_is_undone_at_once_is_tried_ever_more_slowly(void **state) {
    (void)state;
    static const int64_t waits_ms[] = {
        5 * SECOND,  10 * SECOND,  20 * SECOND,  40 * SECOND,
        80 * SECOND, 160 * SECOND, 300 * SECOND, 300 * SECOND,
    };
    AUTO_LIST list = worklist_new();
    int64_t now = NOW;
    touch(list, "a", now);
    for (size_t i = 0; i < COUNT_OF(waits_ms); i++) {
        assert_true(done(list, expect_due(list, now, "a"), now, WORK_UNDONE, 1));
        now += waits_ms[i];
    }
    /* A write that holds is not undone. The fight is still remembered. */
    assert_false(done(list, expect_due(list, now, "a"), now, WORK_WRITTEN, 1));
    now += MINUTE;
    touch(list, "a", now);
    assert_true(done(list, expect_due(list, now, "a"), now, WORK_UNDONE, 1));
    expect_due(list, now + 300 * SECOND, "a");
}

/* Somebody has undone a write at once, and then there was nothing to do. */
static void test_worklist__a_fight_is_remembered_for_10_minutes(void **state) {
    (void)state;
    for (int past = -1; past <= 1; past++) {
        AUTO_LIST list = worklist_new();
        int64_t then = NOW + 10 * MINUTE + past;
        touch(list, "a", NOW);
        done(list, expect_take(list, NOW, "a"), NOW, WORK_UNDONE, 1);
        done(list, expect_take(list, NOW + 5 * SECOND, "a"), NOW + 5 * SECOND, WORK_NOTHING, 1);
        assert_true(worklist_next_ms(list) == NOW + 10 * MINUTE);
        touch(list, "a", then);
        done(list, expect_take(list, then, "a"), then, WORK_UNDONE, 1);
        expect_due(list, then + (past < 0 ? 10 : 5) * SECOND, "a");
    }
}

static void test_worklist__what_is_undone_after_clear_is_not_tried_again(void **state) {
    (void)state;
    static const enum work_result results[] = {WORK_UNDONE, WORK_STOPPED};
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        AUTO_LIST list = worklist_new();
        touch(list, "a", NOW);
        struct work *work = expect_take(list, NOW, "a");
        worklist_clear(list);
        done(list, work, NOW, results[i], 1);
        assert_null(worklist_take(list, NOW + 60 * MINUTE));
        assert_int_equal(worklist_count(list), 0);
    }
}

static void test_worklist__a_success_forgets_the_failures(void **state) {
    (void)state;
    static const enum work_result results[] = {WORK_NOTHING, WORK_WRITTEN, WORK_REFUSED};
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        AUTO_LIST list = worklist_new();
        touch(list, "a", NOW);
        done(list, expect_due(list, NOW, "a"), NOW, WORK_FAILED, 0);
        done(list, expect_due(list, NOW + 1000, "a"), NOW + 1000, WORK_FAILED, 0);
        done(list, expect_due(list, NOW + 3000, "a"), NOW + 3000, results[i], 1);
        touch(list, "a", NOW + 9000);
        done(list, expect_due(list, NOW + 9000, "a"), NOW + 9000, WORK_FAILED, 0);
        expect_due(list, NOW + 10000, "a");
    }
}

static void test_worklist__waits_as_long_as_the_server_says(void **state) {
    (void)state;
    static const struct {
        int64_t retry_after_ms;
        int64_t wait_ms;
    } rows[] = {
        {-1, 1000},
        {0, 1000},
        {999, 1000},
        {1001, 1001},
        {60 * MINUTE, 60 * MINUTE},
        {60 * MINUTE + 1, 60 * MINUTE},
        {INT64_MAX, 60 * MINUTE},
        {INT64_MIN, 1000},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_LIST list = worklist_new();
        const struct work_outcome failed = {.result = WORK_FAILED,
                                            .retry_after_ms = rows[i].retry_after_ms};
        touch(list, "a", NOW);
        worklist_done(list, expect_take(list, NOW, "a"), NOW, 0, &failed);
        expect_due(list, NOW + rows[i].wait_ms, "a");
    }
}

static void test_worklist__a_failure_does_not_shorten_the_pace(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    write_at(list, NOW, 1);
    write_at(list, NOW + 2 * SECOND, 1);
    touch(list, "a", NOW + 2 * SECOND);
    struct work *work = expect_due(list, NOW + 7 * SECOND, "a");
    done(list, work, NOW + 7 * SECOND, WORK_FAILED, 0);
    work = expect_due(list, NOW + 8 * SECOND, "a");
    assert_true(done(list, work, NOW + 8 * SECOND, WORK_WRITTEN, 1));
    touch(list, "a", NOW + 8 * SECOND);
    expect_due(list, NOW + 18 * SECOND, "a");
}

static void test_worklist__what_is_refused_waits_until_something_else_is_asked_for(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    touch(list, "a", NOW);
    struct work *work = expect_take(list, NOW, "a");
    touch(list, "a", NOW); /* the same again, during the write */
    done(list, work, NOW, WORK_REFUSED, ASKED);
    for (int64_t at = NOW; at < NOW + 10 * MINUTE; at += MINUTE) {
        touch(list, "a", at);
        assert_null(worklist_take(list, at));
    }
    worklist_touch(list, WORK_STATUS, "app", "a", ASKED + 1, NOW + MINUTE);
    done(list, expect_take(list, NOW + MINUTE, "a"), NOW + MINUTE, WORK_REFUSED, ASKED + 1);
    touch(list, "a", NOW + MINUTE + 1); /* thousands of Events do not make it a loop */
    work = expect_due(list, NOW + MINUTE + 2 * SECOND, "a");
    done(list, work, NOW + MINUTE + 2 * SECOND, WORK_NOTHING, 0);
}

static void test_worklist__what_was_refused_is_tried_again_after_ten_minutes(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    touch(list, "a", NOW);
    done(list, expect_take(list, NOW, "a"), NOW, WORK_REFUSED, ASKED);
    touch(list, "a", NOW + 10 * MINUTE - 1);
    assert_null(worklist_take(list, NOW + 10 * MINUTE - 1));
    touch(list, "a", NOW + 10 * MINUTE);
    expect_take(list, NOW + 10 * MINUTE, "a");
}

static void test_worklist__a_refusal_is_forgotten_after_ten_minutes(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    touch(list, "a", NOW);
    done(list, expect_take(list, NOW, "a"), NOW, WORK_REFUSED, ASKED);
    assert_int_equal(worklist_next_ms(list), NOW + 10 * MINUTE);
    assert_null(worklist_take(list, NOW + 10 * MINUTE));
    assert_int_equal(worklist_count(list), 0);
}

static void test_worklist__clear_forgets_all_but_what_is_under_way(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    write_at(list, NOW, 1);
    touch(list, "b", NOW);
    struct work *work = expect_take(list, NOW, "b");
    touch(list, "b", NOW);
    touch(list, "c", NOW);
    worklist_clear(list);
    assert_int_equal(worklist_count(list), 1);
    assert_true(worklist_next_ms(list) == INT64_MAX);
    assert_string_equal(work->name, "b");
    done(list, work, NOW, WORK_NOTHING, 0);
    assert_int_equal(worklist_count(list), 0);
    assert_false(write_at(list, NOW + 1, 1));
}

static void test_worklist__clear_forgets_the_pace_of_what_is_under_way(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    write_at(list, NOW, 1);
    write_at(list, NOW + 10 * SECOND, 1);
    touch(list, "a", NOW + 20 * SECOND);
    struct work *work = expect_take(list, NOW + 20 * SECOND, "a");
    done(list, work, NOW + 20 * SECOND, WORK_FAILED, 0);
    work = expect_take(list, NOW + 21 * SECOND, "a");
    worklist_clear(list);
    touch(list, "a", NOW + 21 * SECOND);
    done(list, work, NOW + 21 * SECOND, WORK_FAILED, 0);
    work = expect_due(list, NOW + 22 * SECOND, "a");
    assert_false(done(list, work, NOW + 22 * SECOND, WORK_WRITTEN, 1));
    touch(list, "a", NOW + 22 * SECOND);
    work = expect_due(list, NOW + 24 * SECOND, "a");
    assert_true(done(list, work, NOW + 24 * SECOND, WORK_WRITTEN, 1));
    touch(list, "a", NOW + 24 * SECOND);
    expect_due(list, NOW + 29 * SECOND, "a");
}

static void test_worklist__what_fails_after_clear_is_tried_again_only_if_touched(void **state) {
    (void)state;
    for (int is_touched = 0; is_touched < 2; is_touched++) {
        AUTO_LIST list = worklist_new();
        touch(list, "a", NOW);
        struct work *work = expect_take(list, NOW, "a");
        touch(list, "a", NOW);
        worklist_clear(list);
        if (is_touched) {
            touch(list, "a", NOW);
        }
        done(list, work, NOW, WORK_FAILED, 0);
        if (is_touched) {
            expect_due(list, NOW + 1000, "a");
        } else {
            assert_null(worklist_take(list, NOW + 1000));
            assert_int_equal(worklist_count(list), 0);
        }
    }
}

static void test_worklist__clear_is_over_with_the_next_take(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    touch(list, "a", NOW);
    struct work *work = expect_take(list, NOW, "a");
    worklist_clear(list);
    touch(list, "a", NOW);
    done(list, work, NOW, WORK_NOTHING, 0);
    work = expect_due(list, NOW, "a");
    done(list, work, NOW, WORK_FAILED, 0);
    expect_due(list, NOW + 1000, "a");
}

static void test_worklist__free_takes_what_is_under_way_along(void **state) {
    (void)state;
    struct worklist *list = worklist_new();
    touch(list, "a", NOW);
    touch(list, "b", NOW + 1);
    touch(list, "c", NOW + 2);
    assert_non_null(expect_take(list, NOW, "a"));
    worklist_free(list); /* a sanitizer finds a leak */
}

static uint32_t draw(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 32);
}

/* A plain model of the list: it holds the due times, and searches them from end to end. */
enum { MODEL_COUNT = 97 };

struct model {
    int64_t due_ms[MODEL_COUNT]; /* INT64_MAX: not wanted */
    int64_t not_before[MODEL_COUNT];
    struct work *works[MODEL_COUNT];
    bool is_wanted[MODEL_COUNT]; /* wanted again, during the write */
};

static void model_touch(struct model *model, int i, int64_t now_ms) {
    if (model->works[i] != NULL) {
        model->is_wanted[i] = true;
    } else if (model->due_ms[i] == INT64_MAX) {
        model->due_ms[i] = now_ms > model->not_before[i] ? now_ms : model->not_before[i];
    }
}

static void model_done(struct model *model, int i, int64_t now_ms) {
    model->works[i] = NULL;
    model->not_before[i] = now_ms + 2000;
    model->due_ms[i] = model->is_wanted[i] ? now_ms + 2000 : INT64_MAX;
    model->is_wanted[i] = false;
}

static void take_and_compare(struct worklist *list, struct model *model, int64_t now_ms) {
    int64_t earliest_ms = INT64_MAX;
    for (int i = 0; i < MODEL_COUNT; i++) {
        earliest_ms = model->due_ms[i] < earliest_ms ? model->due_ms[i] : earliest_ms;
    }
    struct work *work = worklist_take(list, now_ms);
    assert_int_equal(work != NULL, earliest_ms <= now_ms);
    if (work != NULL) {
        int i;
        assert_int_equal(sscanf(work->name, "s%d", &i), 1);
        assert_true(model->due_ms[i] == earliest_ms);
        model->due_ms[i] = INT64_MAX;
        model->works[i] = work;
    }
}

/* Every write differs from the one before, so the pace is always 2 s. */
static void test_worklist__agrees_with_a_plain_list(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    struct model model = {.due_ms = {0}};
    uint64_t seed = 1;
    int64_t now = NOW;
    for (int i = 0; i < MODEL_COUNT; i++) {
        model.due_ms[i] = INT64_MAX;
    }
    for (int round = 0; round < 200000; round++) {
        int i = (int)(draw(&seed) % MODEL_COUNT);
        char name[16];
        snprintf(name, sizeof(name), "s%d", i);
        now += draw(&seed) % 20;
        switch (draw(&seed) % 4) {
        case 0:
        case 1:
            touch(list, name, now);
            model_touch(&model, i, now);
            break;
        case 2:
            take_and_compare(list, &model, now);
            break;
        default:
            if (model.works[i] != NULL) {
                assert_false(done(list, model.works[i], now, WORK_WRITTEN, (uint64_t)round));
                model_done(&model, i, now);
            }
        }
    }
    assert_in_range(worklist_count(list), MODEL_COUNT - 5, MODEL_COUNT);
}

/* A search from end to end, in a list or a heap, would take minutes. */
static void test_worklist__holds_100000_objects(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    AUTO_LIST list = worklist_new();
    uint64_t seed = 3;
    for (int i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof(name), "server-%d", i);
        touch(list, name, NOW + draw(&seed) % 100000);
    }
    assert_int_equal(worklist_count(list), COUNT);
    for (int round = 0; round < 2; round++) {
        int64_t last_ms = 0;
        for (int i = 0; i < COUNT; i++) {
            int64_t next_ms = worklist_next_ms(list);
            assert_true(next_ms >= last_ms);
            last_ms = next_ms;
            struct work *work = worklist_take(list, next_ms);
            assert_non_null(work);
            char name[OBJECT_NAME_SIZE];
            snprintf(name, sizeof(name), "%s", work->name);
            done(list, work, next_ms, WORK_WRITTEN, (uint64_t)round);
            if (round == 0) {
                touch(list, name, next_ms);
            }
        }
    }
    assert_int_equal(worklist_count(list), COUNT);
    assert_null(worklist_take(list, NOW + 60 * MINUTE));
    assert_int_equal(worklist_count(list), 0);
}

static void test_worklist__what_is_held_keeps_the_time_since_when_it_is_wanted(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    touch(list, "a", NOW);
    struct work *work = expect_take(list, NOW, "a");
    assert_true(work->since_ms == NOW && !work->was_held);
    worklist_hold(list, work, NOW + 2 * SECOND);
    touch(list, "a", NOW + SECOND); /* makes it due no sooner */
    work = expect_due(list, NOW + 2 * SECOND, "a");
    assert_true(work->since_ms == NOW && work->was_held);
    touch(list, "a", NOW + 2 * SECOND);
    worklist_hold(list, work, NOW + 3 * SECOND);
    work = expect_due(list, NOW + 3 * SECOND, "a");
    assert_true(work->since_ms == NOW && work->was_held);
    done(list, work, NOW + 3 * SECOND, WORK_NOTHING, 0);
    assert_int_equal(worklist_count(list), 0);
    touch(list, "a", NOW + 4 * SECOND);
    work = expect_take(list, NOW + 4 * SECOND, "a");
    assert_true(work->since_ms == NOW + 4 * SECOND && !work->was_held);
    done(list, work, NOW + 4 * SECOND, WORK_NOTHING, 0);
}

static void test_worklist__what_was_outrun_is_tried_every_2_s(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    touch(list, "a", NOW);
    for (int i = 0; i < 10; i++) {
        int64_t at_ms = NOW + i * 2 * SECOND;
        assert_false(done(list, expect_due(list, at_ms, "a"), at_ms, WORK_OUTRUN, 0));
    }
    struct work *work = expect_due(list, NOW + 20 * SECOND, "a");
    worklist_clear(list);
    done(list, work, NOW + 20 * SECOND, WORK_OUTRUN, 0);
    assert_null(worklist_take(list, NOW + MINUTE));
    assert_int_equal(worklist_count(list), 0);
}

static void test_worklist__clear_forgets_what_is_held(void **state) {
    (void)state;
    AUTO_LIST list = worklist_new();
    touch(list, "a", NOW);
    worklist_hold(list, expect_take(list, NOW, "a"), NOW + SECOND);
    worklist_clear(list);
    assert_int_equal(worklist_count(list), 0);
    assert_null(worklist_take(list, NOW + MINUTE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worklist__is_empty_at_first),
        cmocka_unit_test(test_worklist__many_touches_are_one_entry),
        cmocka_unit_test(test_worklist__kind_namespace_and_name_tell_entries_apart),
        cmocka_unit_test(test_worklist__names_may_be_as_long_as_kubernetes_lets_them),
        cmocka_unit_test(test_worklist__after_a_write_2_s_pass),
        cmocka_unit_test(test_worklist__a_touch_under_way_is_remembered),
        cmocka_unit_test(test_worklist__what_is_undone_is_written_ever_more_slowly),
        cmocka_unit_test(test_worklist__a_write_is_remembered_for_10_minutes),
        cmocka_unit_test(test_worklist__the_fight_is_forgotten_after_10_minutes_of_quiet),
        cmocka_unit_test(test_worklist__another_write_waits_2_s_and_the_fight_goes_on),
        cmocka_unit_test(test_worklist__what_is_only_remembered_goes_after_10_minutes),
        cmocka_unit_test(test_worklist__what_should_have_gone_is_in_its_place_when_touched),
        cmocka_unit_test(test_worklist__a_failure_is_tried_again_ever_more_slowly),
        cmocka_unit_test(test_worklist__what_all_share_keeps_an_object_back_for_30_s_at_most),
        cmocka_unit_test(test_worklist__what_was_stopped_is_behind_the_others),
        cmocka_unit_test(test_worklist__what_is_undone_at_once_is_tried_ever_more_slowly),
        cmocka_unit_test(test_worklist__a_fight_is_remembered_for_10_minutes),
        cmocka_unit_test(test_worklist__what_is_undone_after_clear_is_not_tried_again),
        cmocka_unit_test(test_worklist__a_success_forgets_the_failures),
        cmocka_unit_test(test_worklist__waits_as_long_as_the_server_says),
        cmocka_unit_test(test_worklist__a_failure_does_not_shorten_the_pace),
        cmocka_unit_test(test_worklist__what_is_refused_waits_until_something_else_is_asked_for),
        cmocka_unit_test(test_worklist__what_was_refused_is_tried_again_after_ten_minutes),
        cmocka_unit_test(test_worklist__a_refusal_is_forgotten_after_ten_minutes),
        cmocka_unit_test(test_worklist__clear_forgets_all_but_what_is_under_way),
        cmocka_unit_test(test_worklist__clear_forgets_the_pace_of_what_is_under_way),
        cmocka_unit_test(test_worklist__what_fails_after_clear_is_tried_again_only_if_touched),
        cmocka_unit_test(test_worklist__clear_is_over_with_the_next_take),
        cmocka_unit_test(test_worklist__free_takes_what_is_under_way_along),
        cmocka_unit_test(test_worklist__agrees_with_a_plain_list),
        cmocka_unit_test(test_worklist__holds_100000_objects),
        cmocka_unit_test(test_worklist__what_is_held_keeps_the_time_since_when_it_is_wanted),
        cmocka_unit_test(test_worklist__what_was_outrun_is_tried_every_2_s),
        cmocka_unit_test(test_worklist__clear_forgets_what_is_held),
    };
    return cmocka_run_group_tests_name("core/worklist", tests, NULL, NULL);
}
