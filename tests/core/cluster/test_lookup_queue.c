// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "core/cluster/lookup_queue.h"

/* A queue, with what it said last: "GET n/a at 0; 1 absent; wait 500". */
struct fixture {
    struct lookup_queue *queue;
    char said[4096];
};

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->queue = lookup_queue_new();
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    lookup_queue_free(fixture->queue);
    free(fixture);
    return 0;
}

/* Asks about the object of that kind at `path` ("n/a"), hoping for this uid and generation. */
static void ask_kind_for(const struct fixture *fixture, intptr_t id, enum object_kind kind,
                         const char *path, const char *uid, int64_t generation, int64_t now_ms,
                         int64_t deadline_ms) {
    struct lookup_question question = {
        .kind = kind, .generation = generation, .deadline_ms = deadline_ms};
    size_t size = strcspn(path, "/");
    memcpy(question.namespace, path, size);
    text_copy(question.name, sizeof(question.name), path + size + 1);
    text_copy(question.uid, sizeof(question.uid), uid);
    lookup_queue_add(fixture->queue, &question, (void *)id, now_ms);
}

static void ask_for(const struct fixture *fixture, intptr_t id, const char *path, const char *uid,
                    int64_t generation, int64_t now_ms, int64_t deadline_ms) {
    ask_kind_for(fixture, id, OBJECT_MCPSERVER, path, uid, generation, now_ms, deadline_ms);
}

static void ask_kind(const struct fixture *fixture, intptr_t id, enum object_kind kind,
                     const char *path, int64_t now_ms) {
    ask_kind_for(fixture, id, kind, path, "u", 0, now_ms, now_ms + 2000);
}

static void ask(const struct fixture *fixture, intptr_t id, const char *path, int64_t now_ms) {
    ask_for(fixture, id, path, "u", 0, now_ms, now_ms + 2000);
}

static void say(struct fixture *fixture, const struct lookup_action *action) {
    static const char *const states[] = {"none", "failed", "found", "absent"};
    size_t used = strlen(fixture->said);
    char *at = fixture->said + used;
    size_t room = sizeof(fixture->said) - used;
    if (action->kind == LOOKUP_BEGIN) {
        bool is_server = action->object_kind == OBJECT_MCPSERVER;
        snprintf(at, room, "GET %s%s%s/%s at %zu; ",
                 is_server ? "" : kind_rows[action->object_kind].plural, is_server ? "" : " ",
                 action->namespace, action->name, action->place);
    } else if (action->kind == LOOKUP_ANSWER) {
        snprintf(at, room, "%" PRIdPTR " %s%s%s%s; ", (intptr_t)action->context,
                 states[action->state], action->fact == NULL ? "" : " ",
                 action->fact == NULL ? "" : action->fact->uid,
                 action->is_crowded_out ? " (no place)" : "");
    } else if (action->until_ms == INT64_MAX) {
        snprintf(at, room, "wait");
    } else {
        snprintf(at, room, "wait %" PRId64, action->until_ms);
    }
}

static void act(struct fixture *fixture, int64_t now_ms) {
    struct lookup_action action;
    fixture->said[0] = '\0';
    do {
        lookup_queue_next(fixture->queue, now_ms, &action);
        say(fixture, &action);
    } while (action.kind != LOOKUP_WAIT);
}

#define EXPECT(fixture, now_ms, text)                                                              \
    do {                                                                                           \
        act(fixture, now_ms);                                                                      \
        assert_string_equal((fixture)->said, text);                                                \
    } while (0)

static void end_found(const struct fixture *fixture, size_t place, const char *uid,
                      int64_t generation, int64_t now_ms) {
    struct fact server = {.generation = generation};
    text_copy(server.uid, sizeof(server.uid), uid);
    lookup_queue_end(fixture->queue, place, EVIDENCE_FOUND, &server, now_ms);
}

static void end_absent(const struct fixture *fixture, size_t place, int64_t now_ms) {
    lookup_queue_end(fixture->queue, place, EVIDENCE_ABSENT, NULL, now_ms);
}

static void end_failed(const struct fixture *fixture, size_t place, int64_t now_ms) {
    lookup_queue_end(fixture->queue, place, EVIDENCE_FAILED, NULL, now_ms);
}

static void test_lookup_queue__one_get_serves_the_questions_before_it(void **state) {
    struct fixture *fixture = *state;
    EXPECT(fixture, 1000, "wait");
    ask(fixture, 1, "n/a", 1000);
    ask(fixture, 2, "n/a", 1000);
    ask(fixture, 3, "n/b", 1000);
    ask(fixture, 4, "m/a", 1000);
    EXPECT(fixture, 1000, "GET n/a at 0; GET m/a at 1; GET n/b at 2; wait 3000");
    end_found(fixture, 0, "other", 1, 1010);
    EXPECT(fixture, 1010, "1 found other; 2 found other; wait 3000");
    end_absent(fixture, 2, 1020);
    end_failed(fixture, 1, 1020);
    EXPECT(fixture, 1020, "3 absent; 4 failed; wait");
}

static void test_lookup_queue__a_late_question_gets_what_it_hopes_for_at_once(void **state) {
    struct fixture *fixture = *state;
    ask(fixture, 1, "n/a", 1000);
    EXPECT(fixture, 1000, "GET n/a at 0; wait 3000");
    ask(fixture, 2, "n/a", 1001);
    ask_for(fixture, 3, "n/a", "", 0, 1002, 3002);
    ask_for(fixture, 4, "n/a", "u", 7, 1003, 3003);
    ask_for(fixture, 5, "n/a", "u", 8, 1004, 3004);
    ask_for(fixture, 6, "n/a", "v", 0, 1005, 3005);
    end_found(fixture, 0, "u", 7, 1100);
    EXPECT(fixture, 1100, "1 found u; 2 found u; 3 found u; 4 found u; wait 1254");
    EXPECT(fixture, 1253, "wait 1254");
    EXPECT(fixture, 1254, "5 found u; wait 1255");
    EXPECT(fixture, 1255, "6 found u; wait");
    /* The answer is kept. */
    ask(fixture, 7, "n/a", 6099);
    EXPECT(fixture, 6099, "7 found u; wait");
    ask(fixture, 8, "n/a", 6100);
    EXPECT(fixture, 6100, "GET n/a at 0; wait 8100");
}

static void test_lookup_queue__an_absence_is_kept_for_5_s(void **state) {
    struct fixture *fixture = *state;
    ask(fixture, 1, "n/a", 1000);
    act(fixture, 1000);
    end_absent(fixture, 0, 1010);
    EXPECT(fixture, 1010, "1 absent; wait");
    ask(fixture, 2, "n/a", 1010);
    EXPECT(fixture, 1010, "wait 1260");
    EXPECT(fixture, 1260, "2 absent; wait");
    /* A deadline that comes before the wait is over gets the answer, too. */
    ask_for(fixture, 3, "n/a", "v", 0, 2000, 2140);
    EXPECT(fixture, 2000, "wait 2140");
    EXPECT(fixture, 2140, "3 absent; wait");
    ask(fixture, 4, "n/a", 5760);
    EXPECT(fixture, 6009, "wait 6010");
    EXPECT(fixture, 6010, "4 absent; wait");
    ask(fixture, 5, "n/a", 6010);
    EXPECT(fixture, 6010, "GET n/a at 0; wait 8010");
}

/* 500 reviews with made-up uids in 5 s. */
static void test_lookup_queue__a_crowd_with_made_up_uids_costs_one_get(void **state) {
    struct fixture *fixture = *state;
    struct lookup_action action;
    char uid[16];
    int n_gets = 0;
    int n_answers = 0;
    for (int64_t now_ms = 1000; now_ms < 6300; now_ms += 10) {
        if (now_ms < 6000) {
            snprintf(uid, sizeof(uid), "made-up-%d", (int)now_ms);
            ask_for(fixture, now_ms, "n/a", uid, 0, now_ms, now_ms + 500);
        }
        for (;;) {
            lookup_queue_next(fixture->queue, now_ms, &action);
            if (action.kind == LOOKUP_WAIT) {
                break;
            }
            n_gets += action.kind == LOOKUP_BEGIN ? 1 : 0;
            n_answers += action.kind == LOOKUP_ANSWER ? 1 : 0;
            if (action.kind == LOOKUP_BEGIN) {
                end_found(fixture, action.place, "u", 1, now_ms);
            } else {
                assert_string_equal(action.fact->uid, "u");
            }
        }
    }
    assert_int_equal(n_gets, 1);
    assert_int_equal(n_answers, 500);
}

static void test_lookup_queue__4_wait_for_the_watch_and_the_5th_does_not(void **state) {
    struct fixture *fixture = *state;
    ask(fixture, 1, "n/a", 1000);
    act(fixture, 1000);
    end_found(fixture, 0, "other", 1, 1010);
    act(fixture, 1010);
    for (int id = 2; id <= 6; id++) {
        ask(fixture, id, "n/a", 2000);
    }
    ask_for(fixture, 7, "n/a", "other", 0, 2000, 4000);
    EXPECT(fixture, 2000, "6 found other; 7 found other; wait 2250");
    EXPECT(fixture, 2250, "2 found other; 3 found other; 4 found other; 5 found other; wait");
    /* The next answer has its own four. */
    lookup_queue_drop(fixture->queue, OBJECT_MCPSERVER, "n", "a");
    ask(fixture, 8, "n/a", 2300);
    EXPECT(fixture, 2300, "GET n/a at 0; wait 4300");
    end_found(fixture, 0, "other", 1, 2310);
    act(fixture, 2310);
    ask(fixture, 9, "n/a", 2400);
    EXPECT(fixture, 2400, "wait 2650");
}

static void test_lookup_queue__the_watch_drops_a_kept_answer(void **state) {
    struct fixture *fixture = *state;
    ask(fixture, 1, "n/a", 1000);
    act(fixture, 1000);
    end_found(fixture, 0, "old", 1, 1010);
    act(fixture, 1010);
    ask(fixture, 2, "n/a", 2000);
    EXPECT(fixture, 2000, "wait 2250");
    lookup_queue_drop(fixture->queue, OBJECT_MCPSERVER, "n", "b");
    lookup_queue_drop(fixture->queue, OBJECT_MCPSERVER, "m", "a");
    EXPECT(fixture, 2100, "wait 2250");
    lookup_queue_drop(fixture->queue, OBJECT_MCPSERVER, "n", "a");
    EXPECT(fixture, 2249, "GET n/a at 0; wait 4000");
    end_found(fixture, 0, "u", 1, 2260);
    EXPECT(fixture, 2260, "2 found u; wait");
    /* A new list may tell about all. */
    ask_for(fixture, 3, "n/a", "v", 0, 2300, 4300);
    EXPECT(fixture, 2300, "wait 2550");
    lookup_queue_drop(fixture->queue, OBJECT_MCPSERVER, NULL, NULL);
    EXPECT(fixture, 2300, "GET n/a at 0; wait 4300");
}

/* The GET was sent before the watch told, so the answer may be older than the object. */
static void test_lookup_queue__the_watch_overtakes_a_get(void **state) {
    struct fixture *fixture = *state;
    ask(fixture, 1, "n/a", 1000);
    EXPECT(fixture, 1000, "GET n/a at 0; wait 3000");
    ask(fixture, 2, "n/a", 1001);
    lookup_queue_drop(fixture->queue, OBJECT_MCPSERVER, "n", "a");
    ask(fixture, 3, "n/a", 1002);
    EXPECT(fixture, 1002, "wait 3000");
    end_absent(fixture, 0, 1010);
    EXPECT(fixture, 1010, "1 absent; GET n/a at 0; wait 3001");
    end_found(fixture, 0, "u", 1, 1020);
    EXPECT(fixture, 1020, "2 found u; 3 found u; wait");
    /* Nobody waits for this one. It is not kept. */
    ask(fixture, 4, "n/b", 1030);
    EXPECT(fixture, 1030, "GET n/b at 0; wait 3030");
    lookup_queue_drop(fixture->queue, OBJECT_MCPSERVER, "n", "b");
    end_absent(fixture, 0, 1040);
    EXPECT(fixture, 1040, "4 absent; wait");
    ask(fixture, 5, "n/b", 1050);
    EXPECT(fixture, 1050, "GET n/b at 0; wait 3050");
}

static void test_lookup_queue__a_failure_is_neither_kept_nor_for_late_questions(void **state) {
    struct fixture *fixture = *state;
    ask(fixture, 1, "n/a", 1000);
    EXPECT(fixture, 1000, "GET n/a at 0; wait 3000");
    ask(fixture, 2, "n/a", 1400);
    end_failed(fixture, 0, 1500);
    EXPECT(fixture, 1500, "1 failed; GET n/a at 0; wait 3400");
    end_failed(fixture, 0, 1510);
    EXPECT(fixture, 1510, "2 failed; wait");
    ask(fixture, 3, "n/a", 1511);
    EXPECT(fixture, 1511, "GET n/a at 0; wait 3511");
}

static void test_lookup_queue__a_deadline_is_kept_to(void **state) {
    struct fixture *fixture = *state;
    ask_for(fixture, 1, "n/a", "u", 0, 1000, 1140);
    ask_for(fixture, 2, "n/a", "u", 0, 1000, 3000);
    EXPECT(fixture, 1000, "GET n/a at 0; wait 1140");
    EXPECT(fixture, 1139, "wait 1140");
    EXPECT(fixture, 1140, "1 failed; wait 3000");
    end_absent(fixture, 0, 1200);
    EXPECT(fixture, 1200, "2 absent; wait");
    /* With so little time left, no GET begins. */
    ask_for(fixture, 3, "n/b", "u", 0, 2000, 2000 + LOOKUP_LATE_MS - 1);
    EXPECT(fixture, 2000, "wait 2019");
    EXPECT(fixture, 2019, "3 failed (no place); wait");
    ask_for(fixture, 4, "n/b", "u", 0, 2000, 2000);
    EXPECT(fixture, 2000, "4 failed (no place); wait");
    ask_for(fixture, 5, "n/b", "u", 0, 3000, 3000 + LOOKUP_LATE_MS);
    EXPECT(fixture, 3000, "GET n/b at 0; wait 3020");
}

static void ask_many(struct fixture *fixture, const char *namespace, int from, int n,
                     int64_t now_ms, int64_t time_ms) {
    for (int i = from; i < from + n; i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/x%d", namespace, i);
        ask_for(fixture, i, path, "u", 0, now_ms, now_ms + time_ms);
    }
}

static int count(const char *text, const char *part) {
    int n = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        n++;
    }
    return n;
}

static void test_lookup_queue__64_gets_are_under_way_and_the_65th_waits(void **state) {
    struct fixture *fixture = *state;
    ask_many(fixture, "n", 1, 67, 1000, 2000);
    act(fixture, 1000);
    assert_int_equal(count(fixture->said, "GET"), LOOKUP_PLACES);
    assert_non_null(strstr(fixture->said, "GET n/x64 at 63; wait 3000"));
    end_absent(fixture, 10, 1200);
    EXPECT(fixture, 1200, "11 absent; GET n/x65 at 10; wait 3000");
    end_absent(fixture, 63, 1300);
    end_absent(fixture, 0, 1300);
    EXPECT(fixture, 1300, "1 absent; 64 absent; GET n/x66 at 0; GET n/x67 at 63; wait 3000");
}

static void test_lookup_queue__a_question_without_a_place_fails_at_its_deadline(void **state) {
    struct fixture *fixture = *state;
    ask_many(fixture, "n", 1, 64, 1000, 9000);
    ask_many(fixture, "n", 65, 1, 1000, 2000);
    act(fixture, 1000);
    EXPECT(fixture, 2999, "wait 3000");
    EXPECT(fixture, 3000, "65 failed (no place); wait 10000");
}

/* 150 questions, and GETs that take 200 ms. */
static void test_lookup_queue__three_rounds_of_64_serve_150_questions(void **state) {
    struct fixture *fixture = *state;
    int n_gets = 0;
    int n_absent = 0;
    ask_many(fixture, "n", 1, 150, 1000, 2000);
    for (int64_t now_ms = 1000; now_ms <= 1600; now_ms += 200) {
        act(fixture, now_ms);
        assert_int_equal(count(fixture->said, "failed"), 0);
        int n_begun = count(fixture->said, "GET");
        n_absent += count(fixture->said, "absent");
        n_gets += n_begun;
        for (int i = 0; i < n_begun; i++) {
            end_absent(fixture, (size_t)i, now_ms + 200);
        }
    }
    assert_int_equal(n_gets, 150);
    assert_int_equal(n_absent, 150);
}

/* GETs that take no time, and 2,000 questions about different objects at once. */
static void test_lookup_queue__500_gets_begin_in_a_second(void **state) {
    struct fixture *fixture = *state;
    struct lookup_action action;
    int n_gets = 0;
    int64_t now_ms = 1000;
    ask_many(fixture, "n", 0, 2000, now_ms, 2000);
    while (now_ms < 2000) {
        lookup_queue_next(fixture->queue, now_ms, &action);
        if (action.kind == LOOKUP_BEGIN) {
            n_gets++;
            assert_true(n_gets <= LOOKUP_BURST || now_ms > 1000);
            end_absent(fixture, action.place, now_ms);
        } else if (action.kind == LOOKUP_WAIT) {
            assert_in_range(action.until_ms, now_ms + 2, now_ms + 3);
            now_ms = action.until_ms;
        } else {
            assert_int_equal(action.state, EVIDENCE_ABSENT);
        }
    }
    assert_in_range(n_gets, LOOKUP_RATE - 2, LOOKUP_RATE);
    act(fixture, 3000);
    assert_true(count(fixture->said, "failed (no place)") > 100);
}

/* A crowd of one namespace takes what it can. The question of another one comes last, and has the
   next turn. */
static void test_lookup_queue__namespaces_take_turns(void **state) {
    struct fixture *fixture = *state;
    ask_many(fixture, "crowd", 1, 90, 1000, 2000);
    act(fixture, 1000);
    ask(fixture, 100, "n/a", 1001);
    ask(fixture, 101, "n/b", 1001);
    end_absent(fixture, 5, 1010);
    EXPECT(fixture, 1010, "6 absent; GET n/a at 5; wait 3000");
    end_absent(fixture, 7, 1010);
    EXPECT(fixture, 1010, "8 absent; GET crowd/x65 at 7; wait 3000");
    end_absent(fixture, 8, 1010);
    EXPECT(fixture, 1010, "9 absent; GET n/b at 8; wait 3000");
}

static void test_lookup_queue__keeps_256_answers_and_forgets_the_oldest(void **state) {
    struct fixture *fixture = *state;
    struct lookup_action action;
    int64_t now_ms = 1000;
    for (int i = 0; i <= LOOKUP_KEPT_MAX; i++) {
        ask_many(fixture, "n", i, 1, now_ms, 2000);
        lookup_queue_next(fixture->queue, now_ms, &action);
        assert_int_equal(action.kind, LOOKUP_BEGIN);
        end_absent(fixture, action.place, now_ms);
        act(fixture, now_ms);
        now_ms += 4;
    }
    ask_many(fixture, "n", 1, 1, now_ms, 2000);
    act(fixture, now_ms);
    assert_int_equal(count(fixture->said, "GET"), 0);
    ask_many(fixture, "n", 0, 1, now_ms, 2000);
    act(fixture, now_ms);
    assert_int_equal(count(fixture->said, "GET n/x0 "), 1);
}

/* Three objects of one name: each has its own GET, answer and news. */
static void test_lookup_queue__objects_of_one_name_stay_apart_by_kind(void **state) {
    struct fixture *fixture = *state;
    ask_kind(fixture, 1, OBJECT_MCPSERVER, "n/a", 1000);
    ask_kind(fixture, 2, OBJECT_MCPREMOTEPROXY, "n/a", 1000);
    ask_kind(fixture, 3, OBJECT_VIRTUALMCPSERVER, "n/a", 1000);
    ask_kind(fixture, 4, OBJECT_MCPREMOTEPROXY, "n/a", 1000);
    EXPECT(fixture, 1000,
           "GET n/a at 0; GET mcpremoteproxies n/a at 1; GET virtualmcpservers n/a at 2; "
           "wait 3000");
    end_found(fixture, 1, "proxy", 1, 1010);
    EXPECT(fixture, 1010, "2 found proxy; 4 found proxy; wait 3000");
    end_absent(fixture, 0, 1020);
    end_found(fixture, 2, "virtual", 1, 1020);
    EXPECT(fixture, 1020, "1 absent; 3 found virtual; wait");
    /* The kept answers. */
    ask_kind_for(fixture, 5, OBJECT_VIRTUALMCPSERVER, "n/a", "virtual", 0, 1100, 3100);
    ask_kind_for(fixture, 6, OBJECT_MCPREMOTEPROXY, "n/a", "proxy", 0, 1100, 3100);
    EXPECT(fixture, 1100, "5 found virtual; 6 found proxy; wait");
    /* News about one of them drops no other answer. */
    lookup_queue_drop(fixture->queue, OBJECT_MCPREMOTEPROXY, "n", "a");
    ask_kind_for(fixture, 7, OBJECT_VIRTUALMCPSERVER, "n/a", "virtual", 0, 1200, 3200);
    ask_kind_for(fixture, 8, OBJECT_MCPREMOTEPROXY, "n/a", "proxy", 0, 1200, 3200);
    EXPECT(fixture, 1200, "7 found virtual; GET mcpremoteproxies n/a at 0; wait 3200");
    end_absent(fixture, 0, 1210);
    EXPECT(fixture, 1210, "8 absent; wait");
    /* Neither does a new list of one kind. */
    lookup_queue_drop(fixture->queue, OBJECT_VIRTUALMCPSERVER, NULL, NULL);
    ask_kind(fixture, 9, OBJECT_MCPSERVER, "n/a", 1300);
    ask_kind(fixture, 10, OBJECT_VIRTUALMCPSERVER, "n/a", 1300);
    EXPECT(fixture, 1300, "GET virtualmcpservers n/a at 0; wait 1550");
}

static void test_lookup_queue__closed_it_answers_all_and_asks_nothing(void **state) {
    struct fixture *fixture = *state;
    ask(fixture, 1, "n/kept", 1000);
    act(fixture, 1000);
    end_absent(fixture, 0, 1000);
    act(fixture, 1000);
    ask(fixture, 2, "n/kept", 1001);
    ask_many(fixture, "n", 3, 70, 1001, 2000);
    act(fixture, 1001);
    lookup_queue_close(fixture->queue);
    act(fixture, 1002);
    assert_int_equal(count(fixture->said, "failed;"), 71);
    assert_int_equal(count(fixture->said, "GET"), 0);
    ask(fixture, 100, "n/a", 1003);
    EXPECT(fixture, 1003, "100 failed; wait");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_lookup_queue__one_get_serves_the_questions_before_it),
        TEST(test_lookup_queue__a_late_question_gets_what_it_hopes_for_at_once),
        TEST(test_lookup_queue__an_absence_is_kept_for_5_s),
        TEST(test_lookup_queue__a_crowd_with_made_up_uids_costs_one_get),
        TEST(test_lookup_queue__4_wait_for_the_watch_and_the_5th_does_not),
        TEST(test_lookup_queue__the_watch_drops_a_kept_answer),
        TEST(test_lookup_queue__the_watch_overtakes_a_get),
        TEST(test_lookup_queue__a_failure_is_neither_kept_nor_for_late_questions),
        TEST(test_lookup_queue__a_deadline_is_kept_to),
        TEST(test_lookup_queue__64_gets_are_under_way_and_the_65th_waits),
        TEST(test_lookup_queue__a_question_without_a_place_fails_at_its_deadline),
        TEST(test_lookup_queue__three_rounds_of_64_serve_150_questions),
        TEST(test_lookup_queue__500_gets_begin_in_a_second),
        TEST(test_lookup_queue__namespaces_take_turns),
        TEST(test_lookup_queue__keeps_256_answers_and_forgets_the_oldest),
        TEST(test_lookup_queue__objects_of_one_name_stay_apart_by_kind),
        TEST(test_lookup_queue__closed_it_answers_all_and_asks_nothing),
    };
    return cmocka_run_group_tests_name("core/lookup_queue", tests, NULL, NULL);
}
