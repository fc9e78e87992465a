// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/cluster/lease.h"
#include "core/core_fixtures.h"

#define ME      "capstan-1_7c9e"
#define OTHER   "capstan-2_11aa"
#define WALL    INT64_C(1795341600123456)
#define WALL_AS "2026-11-22T10:00:00.123456Z"
#define THEN_AS "2026-11-22T09:00:00.000001Z"

/* The boot clock may begin at any value. */
#define START INT64_C(5000000)

static struct lease_record make_record(const char *version, const char *holder, const char *renewed,
                                       int64_t transitions) {
    struct lease_record record = {.duration_seconds = 15, .transitions = transitions};
    snprintf(record.resource_version, sizeof(record.resource_version), "%s", version);
    snprintf(record.holder, sizeof(record.holder), "%s", holder);
    snprintf(record.acquire_time, sizeof(record.acquire_time), "%s", THEN_AS);
    snprintf(record.renew_time, sizeof(record.renew_time), "%s", renewed);
    return record;
}

static void expect_wait(struct lease *lease, int64_t now_ms, int64_t at_ms) {
    struct lease_order order;
    lease_step(lease, now_ms, WALL, &order);
    assert_int_equal(order.verb, LEASE_WAIT);
    if (order.at_ms != at_ms) {
        fail_msg("waits until %" PRId64 ", not %" PRId64, order.at_ms, at_ms);
    }
}

static struct lease_order expect_order(struct lease *lease, int64_t now_ms, enum lease_verb verb) {
    struct lease_order order;
    lease_step(lease, now_ms, WALL, &order);
    assert_int_equal(order.verb, verb);
    expect_wait(lease, now_ms, INT64_MAX); /* one request at a time */
    return order;
}

/* Answers that the API server accepted the write. */
static void answer_written(struct lease *lease, int64_t now_ms, const struct lease_order *order,
                           const char *version) {
    struct lease_record record = order->record;
    snprintf(record.resource_version, sizeof(record.resource_version), "%s", version);
    lease_answer(lease, now_ms, 0, order->verb == LEASE_CREATE ? 201 : 200, &record);
}

/* A Lease that we created and hold. The request began and ended at START. */
static void init_held(struct lease *lease) {
    lease_init(lease, ME);
    expect_order(lease, START, LEASE_GET);
    lease_answer(lease, START, 0, 404, NULL);
    struct lease_order order = expect_order(lease, START, LEASE_CREATE);
    answer_written(lease, START, &order, "1");
    assert_true(lease_is_held(lease, START));
}

/* A Lease that another process holds, seen just now. */
static void init_foreign(struct lease *lease) {
    struct lease_record record = make_record("7", OTHER, "a", 3);
    lease_init(lease, ME);
    expect_order(lease, START, LEASE_GET);
    lease_answer(lease, START, 0, 200, &record);
    assert_false(lease_is_held(lease, START));
}

static void test_lease__reads_a_record(void **state) {
    (void)state;
    AUTO_FREE char *json = make_json(
        "{'spec':{'leaseTransitions':3,'renewTime':'2026-11-22T10:40:02.123456Z','x':[{}],"
        "'acquireTime':'2026-11-22T10:40:00.123456Z','leaseDurationSeconds':15,"
        "'holderIdentity':'pod\\u002d1_x'},'metadata':{'name':'capstan','resourceVersion':'123'},"
        "'kind':'Lease','apiVersion':'coordination.k8s.io/v1'}");
    struct lease_record record;
    struct error error;
    assert_true(lease_read(json, strlen(json), &record, &error));
    assert_string_equal(record.resource_version, "123");
    assert_string_equal(record.holder, "pod-1_x");
    assert_int_equal(record.duration_seconds, 15);
    assert_int_equal(record.transitions, 3);
    assert_string_equal(record.acquire_time, "2026-11-22T10:40:00.123456Z");
    assert_string_equal(record.renew_time, "2026-11-22T10:40:02.123456Z");
}

static void test_lease__reads_missing_members_as_empty(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{}",
        "{'metadata':null,'spec':null}",
        "{'kind':'Lease','metadata':{},'spec':{}}",
        ("{'metadata':{'resourceVersion':null},'spec':{'holderIdentity':null,'renewTime':null,"
         "'acquireTime':null,'leaseDurationSeconds':null,'leaseTransitions':null}}"),
    };
    static const struct lease_record empty;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i]);
        struct lease_record record;
        struct error error;
        assert_true(lease_read(json, strlen(json), &record, &error));
        assert_string_equal(record.resource_version, "");
        assert_string_equal(record.holder, "");
        assert_string_equal(record.acquire_time, "");
        assert_string_equal(record.renew_time, "");
        assert_int_equal(record.duration_seconds, empty.duration_seconds);
        assert_int_equal(record.transitions, empty.transitions);
    }
}

static void test_lease__refuses_what_it_cannot_use(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "null",
        "[]",
        "'Lease'",
        "<html>",
        "{'spec':{'holderIdentity':'a'}",
        "{'spec':{'holderIdentity':'a'}} x",
        "{'kind':'Status','code':200}",
        "{'kind':7}",
        "{'spec':{'holderIdentity':7}}",
        "{'spec':{'holderIdentity':'a\\u0000b'}}",
        "{'spec':{'holderIdentity':{}}}",
        "{'spec':{'leaseDurationSeconds':'15'}}",
        "{'spec':{'leaseDurationSeconds':1.5}}",
        "{'spec':{'leaseTransitions':9223372036854775808}}",
        "{'spec':{'acquireTime':7}}",
        "{'spec':{'renewTime':7}}",
        "{'spec':{'renewTime':'2026-11-22T10:40:02.1234567890123456789012345Z'}}",
        "{'spec':[]}",
        "{'metadata':'x'}",
        "{'metadata':{'resourceVersion':123}}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i]);
        struct lease_record record = make_record("7", OTHER, "a", 3);
        struct error error;
        if (lease_read(json, strlen(json), &record, &error)) {
            fail_msg("read: %s", rows[i]);
        }
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_string_equal(record.holder, OTHER);
    }
}

static void test_lease__a_text_that_does_not_fit_is_not_an_empty_one(void **state) {
    (void)state;
    static const struct {
        const char *object;
        const char *key;
        int capacity;
    } rows[] = {
        {"spec", "holderIdentity", LEASE_HOLDER_SIZE},
        {"spec", "renewTime", LEASE_TIME_SIZE},
        {"spec", "acquireTime", LEASE_TIME_SIZE},
        {"metadata", "resourceVersion", LEASE_VERSION_SIZE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int past = 0; past < 2; past++) {
            char text[LEASE_HOLDER_SIZE + 1];
            char json[512];
            struct lease_record record;
            struct error error;
            fill(text, (size_t)(rows[i].capacity - 1 + past));
            snprintf(json, sizeof(json), "{\"%s\":{\"%s\":\"%s\"}}", rows[i].object, rows[i].key,
                     text);
            assert_int_equal(lease_read(json, strlen(json), &record, &error), past == 0);
        }
    }
}

/* Somebody holds it, and it is another record whenever the spec is another. */
static void test_lease__an_unusable_spec_is_held_by_somebody(void **state) {
    (void)state;
    static const struct {
        const char *json;
        bool is_read;
    } rows[] = {
        {"{'metadata':{'resourceVersion':'1'},'spec':{'holderIdentity':7}}", true},
        {"{'metadata':{'resourceVersion':'1'},'spec':{'acquireTime':'a','holderIdentity':{}}}",
         true},
        {"{'metadata':{'resourceVersion':'1'},'spec':{'leaseDurationSeconds':'15'}}", true},
        {"{'metadata':{'resourceVersion':'1'},'spec':[]}", true},
        {"{'metadata':{'resourceVersion':''},'spec':[]}", false},
        {"{'metadata':{'resourceVersion':'1'}}", false},
        {"{'metadata':{'resourceVersion':7},'spec':[]}", false},
        {"{'kind':'Status','metadata':{'resourceVersion':'1'},'spec':[]}", false},
        {"{'spec':[]}", false},
        {"null", false},
        {"{'metadata':{'resourceVersion':'1'},'spec':[]", false},
    };
    uint64_t last = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        struct lease_record record = make_record("7", OTHER, "a", 3);
        if (lease_read_unusable(json, strlen(json), &record) != rows[i].is_read) {
            fail_msg("%s", rows[i].json);
        }
        assert_string_equal(record.holder, rows[i].is_read ? LEASE_HOLDER_UNREADABLE : OTHER);
        if (rows[i].is_read) {
            assert_string_equal(record.resource_version, "1");
            assert_int_equal(record.duration_seconds, LEASE_DURATION_MS / 1000);
            assert_true(record.fingerprint != last);
            last = record.fingerprint;
        }
    }
}

static void test_lease__an_unusable_record_is_free_when_it_does_not_change(void **state) {
    (void)state;
    struct lease lease;
    struct lease_record record = make_record("7", LEASE_HOLDER_UNREADABLE, "", 0);
    record.duration_seconds = 15;
    record.fingerprint = 1;
    lease_init(&lease, ME);
    expect_order(&lease, START, LEASE_GET);
    lease_answer(&lease, START, 0, 200, &record);
    assert_string_equal(lease_holder(&lease), LEASE_HOLDER_UNREADABLE);
    /* It changes once. */
    expect_order(&lease, START + 10000, LEASE_GET);
    record.fingerprint = 2;
    lease_answer(&lease, START + 10000, 0, 200, &record);
    expect_order(&lease, START + 24999, LEASE_GET);
    lease_answer(&lease, START + 24999, 0, 200, &record);
    expect_order(&lease, START + 30000, LEASE_GET);
    lease_answer(&lease, START + 30000, 0, 200, &record);
    struct lease_order order = expect_order(&lease, START + 30000, LEASE_REPLACE);
    assert_string_equal(order.record.holder, ME);
    assert_string_equal(order.record.resource_version, "7");
}

static void test_lease__writes_a_record_that_reads_back(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer out;
    AUTO_FREE char *expected = make_json(
        "{'apiVersion':'coordination.k8s.io/v1','kind':'Lease',"
        "'metadata':{'name':'capstan','namespace':'system','resourceVersion':'123'},"
        "'spec':{'holderIdentity':'" ME "','leaseDurationSeconds':15,'acquireTime':'" THEN_AS "',"
        "'renewTime':'" WALL_AS "','leaseTransitions':3}}");
    struct lease_record record = make_record("123", ME, WALL_AS, 3);
    struct lease_record read;
    struct error error;
    buffer_init(&out, 4096);
    lease_write(&record, "system", "capstan", &out);
    assert_string_equal(buffer_text(&out), expected);
    assert_true(lease_read(out.bytes, out.size, &read, &error));
    assert_memory_equal(&read, &record, sizeof(read));
}

static void test_lease__writes_neither_an_empty_version_nor_an_empty_time(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer out;
    AUTO_FREE char *expected =
        make_json("{'apiVersion':'coordination.k8s.io/v1','kind':'Lease',"
                  "'metadata':{'name':'capstan','namespace':'system'},"
                  "'spec':{'holderIdentity':'','leaseDurationSeconds':1,'leaseTransitions':0}}");
    const struct lease_record record = {.duration_seconds = 1};
    buffer_init(&out, 4096);
    lease_write(&record, "system", "capstan", &out);
    assert_string_equal(buffer_text(&out), expected);
}

static void test_lease__creates_a_missing_record(void **state) {
    (void)state;
    struct lease lease;
    lease_init(&lease, ME);
    struct lease_order order = expect_order(&lease, START, LEASE_GET);
    assert_int_equal(order.timeout_ms, 5000);
    lease_answer(&lease, START + 30, 0, 404, NULL);
    order = expect_order(&lease, START + 40, LEASE_CREATE);
    assert_int_equal(order.timeout_ms, 5000);
    assert_string_equal(order.record.resource_version, "");
    assert_string_equal(order.record.holder, ME);
    assert_int_equal(order.record.duration_seconds, 15);
    assert_int_equal(order.record.transitions, 0);
    assert_string_equal(order.record.acquire_time, WALL_AS);
    assert_string_equal(order.record.renew_time, WALL_AS);
    assert_false(lease_is_held(&lease, START + 50));
    answer_written(&lease, START + 1040, &order, "1");
    assert_true(lease_is_held(&lease, START + 1040));
    assert_int_equal(lease_deadline_ms(&lease), START + 40 + 10000);
}

static void test_lease__takes_a_record_that_nobody_holds(void **state) {
    (void)state;
    static const struct {
        const char *holder;
        int64_t duration_seconds;
        int64_t transitions;
        int64_t next_transitions;
    } rows[] = {
        {"", 15, 3, 4},
        {"", 1, 0, 1},
        {OTHER, 0, 3, 4},
        {OTHER, -1, 3, 4},
        {OTHER, INT64_MIN, 3, 4},
        {OTHER, 0, INT32_MAX - 1, INT32_MAX},
        {OTHER, 0, INT32_MAX, INT32_MAX},
        {ME, 15, 3, 3},
        {ME, 15, INT32_MAX, INT32_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lease lease;
        struct lease_record record = make_record("7", rows[i].holder, "a", rows[i].transitions);
        record.duration_seconds = rows[i].duration_seconds;
        lease_init(&lease, ME);
        expect_order(&lease, START, LEASE_GET);
        lease_answer(&lease, START, 0, 200, &record);
        assert_false(lease_is_held(&lease, START));
        struct lease_order order = expect_order(&lease, START, LEASE_REPLACE);
        bool was_mine = strcmp(rows[i].holder, ME) == 0;
        assert_string_equal(order.record.resource_version, "7");
        assert_string_equal(order.record.holder, ME);
        assert_int_equal(order.record.duration_seconds, 15);
        assert_int_equal(order.record.transitions, rows[i].next_transitions);
        assert_string_equal(order.record.acquire_time, was_mine ? THEN_AS : WALL_AS);
        assert_string_equal(order.record.renew_time, WALL_AS);
        answer_written(&lease, START, &order, "8");
        assert_true(lease_is_held(&lease, START));
    }
}

static void test_lease__a_missing_acquire_time_becomes_now(void **state) {
    (void)state;
    struct lease lease;
    struct lease_record record = make_record("7", ME, "a", 3);
    record.acquire_time[0] = '\0';
    lease_init(&lease, ME);
    expect_order(&lease, START, LEASE_GET);
    lease_answer(&lease, START, 0, 200, &record);
    struct lease_order order = expect_order(&lease, START, LEASE_REPLACE);
    assert_string_equal(order.record.acquire_time, WALL_AS);
}

static void test_lease__believes_another_for_the_duration_of_its_record(void **state) {
    (void)state;
    static const struct {
        int64_t duration_seconds;
        int64_t believed_ms;
    } rows[] = {
        {3, 3000},       {15, 15000},          {60, 60000},          {3600, 3600000},
        {3601, 3600000}, {INT32_MAX, 3600000}, {INT64_MAX, 3600000},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int64_t rest_ms = 1; rest_ms >= 0; rest_ms--) {
            struct lease lease;
            struct lease_record record = make_record("7", OTHER, "a", 3);
            record.duration_seconds = rows[i].duration_seconds;
            lease_init(&lease, ME);
            expect_order(&lease, START, LEASE_GET);
            lease_answer(&lease, START + 70, 0, 200, &record);
            int64_t now = START + 70 + rows[i].believed_ms - rest_ms;
            expect_order(&lease, now, LEASE_GET);
            lease_answer(&lease, now, 0, 200, &record);
            if (rest_ms == 0) {
                expect_order(&lease, now, LEASE_REPLACE);
            } else {
                expect_wait(&lease, now, now + 2000);
            }
        }
    }
}

/* Any change of the spec is a sign of life. A label that somebody sets is none. */
static void test_lease__each_change_starts_the_wait_anew(void **state) {
    (void)state;
    struct lease_record changed[8];
    for (size_t i = 0; i < COUNT_OF(changed); i++) {
        changed[i] = make_record("7", OTHER, "a", 3);
    }
    strcpy(changed[1].resource_version, "8");
    strcpy(changed[2].holder, "capstan-3_0000");
    strcpy(changed[3].renew_time, "b");
    strcpy(changed[4].acquire_time, "b");
    changed[5].transitions = 4;
    changed[6].duration_seconds = 14;
    /* The lease never compares times with its own, so a time that runs backwards is a change like
       any other. */
    strcpy(changed[7].renew_time, "1970-01-01T00:00:00.000000Z");
    for (size_t i = 0; i < COUNT_OF(changed); i++) {
        struct lease lease;
        init_foreign(&lease);
        expect_order(&lease, START + 14000, LEASE_GET);
        lease_answer(&lease, START + 14000, 0, 200, &changed[i]);
        expect_order(&lease, START + 16000, LEASE_GET);
        lease_answer(&lease, START + 16000, 0, 200, &changed[i]);
        if (i <= 1) {
            expect_order(&lease, START + 16000, LEASE_REPLACE);
        } else {
            expect_wait(&lease, START + 16000, START + 18000);
        }
    }
}

static void test_lease__who_does_not_lead_comes_back_with_jitter(void **state) {
    (void)state;
    static const struct {
        uint32_t random;
        int64_t delay_ms;
    } rows[] = {{0, 2000}, {UINT32_MAX / 2 + 1, 3200}, {UINT32_MAX, 4399}};
    struct lease_record record = make_record("7", OTHER, "a", 3);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lease lease;
        lease_init(&lease, ME);
        expect_order(&lease, START, LEASE_GET);
        lease_answer(&lease, START + 100, rows[i].random, 200, &record);
        expect_wait(&lease, START + 100, START + 100 + rows[i].delay_ms);
        expect_wait(&lease, START + 99 + rows[i].delay_ms, START + 100 + rows[i].delay_ms);
        expect_order(&lease, START + 100 + rows[i].delay_ms, LEASE_GET);
    }
}

static void test_lease__no_failure_reads_as_a_free_record(void **state) {
    (void)state;
    static const struct {
        int status;
        bool has_record;
        const char *version;
    } rows[] = {
        {0, false, ""},   {200, false, ""}, {200, true, ""},   {201, true, "7"}, {204, false, ""},
        {302, false, ""}, {401, false, ""}, {403, false, ""},  {409, false, ""}, {410, false, ""},
        {429, false, ""}, {500, false, ""}, {500, true, "7"},  {503, false, ""}, {504, false, ""},
        {-1, false, ""},  {403, true, "7"}, {1000, false, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lease_record record = make_record(rows[i].version, "", "a", 3);
        struct lease lease;
        lease_init(&lease, ME);
        expect_order(&lease, START, LEASE_GET);
        lease_answer(&lease, START, 0, rows[i].status, rows[i].has_record ? &record : NULL);
        expect_wait(&lease, START, START + 2000);
        expect_order(&lease, START + 2000, LEASE_GET);
    }
}

static void test_lease__a_lost_race_is_followed_by_a_look(void **state) {
    (void)state;
    static const int statuses[] = {0, 200, 403, 404, 409, 422, 500};
    static const struct lease_record free_record = {.resource_version = "7"};
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        for (int is_missing = 0; is_missing < 2; is_missing++) {
            struct lease lease;
            lease_init(&lease, ME);
            expect_order(&lease, START, LEASE_GET);
            lease_answer(&lease, START, 0, is_missing ? 404 : 200,
                         is_missing ? NULL : &free_record);
            expect_order(&lease, START, is_missing ? LEASE_CREATE : LEASE_REPLACE);
            lease_answer(&lease, START + 100, 0, statuses[i], NULL);
            assert_false(lease_is_held(&lease, START + 100));
            expect_wait(&lease, START + 100, START + 2100);
            expect_order(&lease, START + 2100, LEASE_GET);
        }
    }
}

/* A webhook, or a wrong server, could give any answer. */
static void test_lease__a_write_that_made_another_the_holder_is_no_good_one(void **state) {
    (void)state;
    struct lease lease;
    struct lease_record record = make_record("8", OTHER, "a", 3);
    lease_init(&lease, ME);
    expect_order(&lease, START, LEASE_GET);
    lease_answer(&lease, START, 0, 404, NULL);
    expect_order(&lease, START, LEASE_CREATE);
    lease_answer(&lease, START, 0, 201, &record);
    assert_false(lease_is_held(&lease, START));
    expect_order(&lease, START + 2000, LEASE_GET);
}

static void test_lease__renews_every_2_s_without_looking(void **state) {
    (void)state;
    struct lease lease;
    int64_t now = START;
    char version[16] = "1";
    init_held(&lease);
    for (int i = 2; i < 100; i++) {
        expect_wait(&lease, now + 1999, now + 2000);
        now += 2000;
        struct lease_order order = expect_order(&lease, now, LEASE_REPLACE);
        assert_string_equal(order.record.resource_version, version);
        assert_string_equal(order.record.holder, ME);
        assert_int_equal(order.record.transitions, 0);
        assert_string_equal(order.record.acquire_time, WALL_AS);
        snprintf(version, sizeof(version), "%d", i);
        answer_written(&lease, now + 700, &order, version);
        assert_true(lease_is_held(&lease, now + 700));
        assert_int_equal(lease_deadline_ms(&lease), now + 10000);
    }
}

static void test_lease__a_renewal_counts_from_its_start(void **state) {
    (void)state;
    struct lease lease;
    init_held(&lease);
    struct lease_order order = expect_order(&lease, START + 9000, LEASE_REPLACE);
    assert_true(lease_is_held(&lease, START + 9999));
    assert_false(lease_is_held(&lease, START + 10000));
    answer_written(&lease, START + 14000, &order, "2");
    assert_true(lease_is_held(&lease, START + 14000));
    assert_true(lease_is_held(&lease, START + 18999));
    assert_false(lease_is_held(&lease, START + 19000));
    assert_int_equal(lease_deadline_ms(&lease), START + 19000);
}

static void test_lease__an_answer_past_its_own_deadline_leads_to_a_look(void **state) {
    (void)state;
    struct lease lease;
    init_held(&lease);
    struct lease_order order = expect_order(&lease, START + 2000, LEASE_REPLACE);
    answer_written(&lease, START + 12000, &order, "2");
    assert_false(lease_is_held(&lease, START + 12000));
    expect_order(&lease, START + 12000, LEASE_GET);
    assert_int_equal(lease_deadline_ms(&lease), 0);
}

static void test_lease__a_holder_waits_no_longer_than_it_leads(void **state) {
    (void)state;
    static const struct {
        int64_t after_ms;
        enum lease_verb verb;
        int64_t timeout_ms;
    } rows[] = {
        {2000, LEASE_REPLACE, 5000}, {5000, LEASE_REPLACE, 5000}, {5001, LEASE_REPLACE, 4999},
        {9000, LEASE_REPLACE, 1000}, {9999, LEASE_REPLACE, 1},    {10000, LEASE_GET, 5000},
        {60000, LEASE_GET, 5000},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lease lease;
        init_held(&lease);
        struct lease_order order = expect_order(&lease, START + rows[i].after_ms, rows[i].verb);
        assert_int_equal(order.timeout_ms, rows[i].timeout_ms);
    }
}

static void test_lease__a_failed_renewal_is_followed_by_a_look(void **state) {
    (void)state;
    static const struct {
        int status;
        int64_t took_ms;
        int64_t next_ms; /* after the renewal began */
        bool is_held;
    } rows[] = {
        {409, 50, 50, true},   {404, 50, 50, false},    {0, 0, 2000, true},
        {500, 50, 2000, true}, {200, 50, 2000, true},   {422, 50, 2000, true},
        {403, 50, 2000, true}, {500, 1999, 2000, true}, {500, 2000, 2000, true},
        {0, 5000, 5000, true}, {409, 4000, 4000, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lease lease;
        init_held(&lease);
        expect_order(&lease, START + 2000, LEASE_REPLACE);
        lease_answer(&lease, START + 2000 + rows[i].took_ms, UINT32_MAX, rows[i].status, NULL);
        assert_int_equal(lease_is_held(&lease, START + 2000 + rows[i].took_ms), rows[i].is_held);
        if (rows[i].next_ms > rows[i].took_ms) {
            expect_wait(&lease, START + 2000 + rows[i].took_ms, START + 2000 + rows[i].next_ms);
        }
        expect_order(&lease, START + 2000 + rows[i].next_ms, LEASE_GET);
    }
}

/* Somebody wrote an annotation: the record is still ours, but its version is new. */
static void test_lease__a_conflict_over_our_own_record_is_mended(void **state) {
    (void)state;
    struct lease lease;
    init_held(&lease);
    struct lease_order order = expect_order(&lease, START + 2000, LEASE_REPLACE);
    struct lease_record record = order.record;
    strcpy(record.resource_version, "77");
    lease_answer(&lease, START + 2010, 0, 409, NULL);
    expect_order(&lease, START + 2010, LEASE_GET);
    lease_answer(&lease, START + 2020, 0, 200, &record);
    order = expect_order(&lease, START + 2020, LEASE_REPLACE);
    assert_string_equal(order.record.resource_version, "77");
    assert_int_equal(order.record.transitions, 0);
    answer_written(&lease, START + 2030, &order, "78");
    assert_int_equal(lease_deadline_ms(&lease), START + 12020);
}

/* If the API server answers every write with 409, the lease does not ask in a loop. */
static void test_lease__conflict_after_conflict_waits(void **state) {
    (void)state;
    struct lease lease;
    init_held(&lease);
    struct lease_order order = expect_order(&lease, START + 2000, LEASE_REPLACE);
    lease_answer(&lease, START + 2000, 0, 409, NULL);
    expect_order(&lease, START + 2000, LEASE_GET);
    lease_answer(&lease, START + 2000, 0, 200, &order.record);
    expect_order(&lease, START + 2000, LEASE_REPLACE);
    lease_answer(&lease, START + 2000, 0, 409, NULL);
    expect_wait(&lease, START + 2000, START + 4000);
    assert_true(lease_is_held(&lease, START + 2000));
}

static void test_lease__10_s_without_a_renewal_end_it(void **state) {
    (void)state;
    struct lease lease;
    int64_t now = START;
    init_held(&lease);
    struct lease_record record = make_record("1", ME, WALL_AS, 0);
    for (int i = 0; i < 4; i++) {
        now += 2000;
        expect_order(&lease, now, i == 0 ? LEASE_REPLACE : LEASE_GET);
        lease_answer(&lease, now, 0, 500, NULL);
    }
    assert_true(lease_is_held(&lease, START + 9999));
    assert_false(lease_is_held(&lease, START + 10000));
    /* The lease may take its own record back at once: the record shows that nobody else had it. */
    expect_order(&lease, START + 10000, LEASE_GET);
    lease_answer(&lease, START + 10000, 0, 200, &record);
    struct lease_order order = expect_order(&lease, START + 10000, LEASE_REPLACE);
    assert_int_equal(order.record.transitions, 0);
    assert_string_equal(order.record.acquire_time, THEN_AS);
    assert_false(lease_is_held(&lease, START + 10000));
    answer_written(&lease, START + 10100, &order, "2");
    assert_true(lease_is_held(&lease, START + 10100));
}

static void test_lease__another_holder_ends_it_at_once(void **state) {
    (void)state;
    static const char *const holders[] = {OTHER, ""};
    for (size_t i = 0; i < COUNT_OF(holders); i++) {
        struct lease lease;
        struct lease_record record = make_record("9", holders[i], "a", 4);
        init_held(&lease);
        expect_order(&lease, START + 2000, LEASE_REPLACE);
        lease_answer(&lease, START + 2010, 0, 409, NULL);
        assert_true(lease_is_held(&lease, START + 2010));
        expect_order(&lease, START + 2010, LEASE_GET);
        lease_answer(&lease, START + 2020, 0, 200, &record);
        assert_false(lease_is_held(&lease, START + 2020));
        if (holders[i][0] != '\0') {
            expect_wait(&lease, START + 2020, START + 4020);
        } else {
            struct lease_order order = expect_order(&lease, START + 2020, LEASE_REPLACE);
            assert_int_equal(order.record.transitions, 5);
        }
    }
}

static void test_lease__a_holder_creates_a_deleted_record_again(void **state) {
    (void)state;
    struct lease lease;
    init_held(&lease);
    expect_order(&lease, START + 2000, LEASE_REPLACE);
    lease_answer(&lease, START + 2010, 0, 404, NULL);
    assert_false(lease_is_held(&lease, START + 2010));
    expect_order(&lease, START + 2010, LEASE_GET);
    lease_answer(&lease, START + 2020, 0, 404, NULL);
    struct lease_order order = expect_order(&lease, START + 2020, LEASE_CREATE);
    assert_string_equal(order.record.resource_version, "");
    answer_written(&lease, START + 2030, &order, "1");
    assert_true(lease_is_held(&lease, START + 2030));
}

static void test_lease__a_deleted_record_does_not_free_its_holder(void **state) {
    (void)state;
    struct lease lease;
    init_foreign(&lease);
    expect_order(&lease, START + 2000, LEASE_GET);
    lease_answer(&lease, START + 2000, 0, 404, NULL);
    expect_wait(&lease, START + 2000, START + 4000);
    expect_order(&lease, START + 14999, LEASE_GET);
    lease_answer(&lease, START + 14999, 0, 404, NULL);
    expect_order(&lease, START + 16999, LEASE_GET);
    lease_answer(&lease, START + 16999, 0, 404, NULL);
    expect_order(&lease, START + 16999, LEASE_CREATE);
}

/* With SIGSTOP or a closed laptop, time goes on and nobody calls. */
static void test_lease__a_process_that_slept_looks_before_it_writes(void **state) {
    (void)state;
    struct lease lease;
    struct lease_record record = make_record("9", OTHER, "a", 1);
    init_held(&lease);
    assert_false(lease_is_held(&lease, START + 60000));
    expect_order(&lease, START + 60000, LEASE_GET);
    lease_answer(&lease, START + 60000, 0, 200, &record);
    assert_false(lease_is_held(&lease, START + 60000));
    expect_wait(&lease, START + 60000, START + 62000);
}

static void test_lease__release_gives_the_record_up(void **state) {
    (void)state;
    struct lease lease;
    init_held(&lease);
    lease_release(&lease);
    assert_false(lease_is_held(&lease, START));
    assert_int_equal(lease_deadline_ms(&lease), 0);
    assert_false(lease_is_released(&lease));
    expect_order(&lease, START, LEASE_GET);
    struct lease_record record = make_record("5", ME, "a", 3);
    lease_answer(&lease, START, 0, 200, &record);
    assert_false(lease_is_released(&lease));
    struct lease_order order = expect_order(&lease, START, LEASE_REPLACE);
    assert_string_equal(order.record.resource_version, "5");
    assert_string_equal(order.record.holder, "");
    assert_int_equal(order.record.duration_seconds, 1);
    assert_int_equal(order.record.transitions, 3);
    assert_string_equal(order.record.renew_time, WALL_AS);
    assert_string_equal(order.record.acquire_time, WALL_AS);
    answer_written(&lease, START, &order, "6");
    assert_true(lease_is_released(&lease));
    assert_false(lease_is_held(&lease, START));
    expect_wait(&lease, START + 100000, INT64_MAX);
}

static void test_lease__release_leaves_alone_what_is_not_ours(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *holder; /* NULL: no record */
    } rows[] = {{200, OTHER}, {200, ""}, {200, NULL}, {404, NULL}, {500, NULL}, {0, NULL}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lease lease;
        init_held(&lease);
        lease_release(&lease);
        expect_order(&lease, START, LEASE_GET);
        struct lease_record record =
            make_record("5", rows[i].holder != NULL ? rows[i].holder : "", "a", 3);
        lease_answer(&lease, START, 0, rows[i].status, rows[i].holder != NULL ? &record : NULL);
        assert_true(lease_is_released(&lease));
        expect_wait(&lease, START, INT64_MAX);
    }
}

static void test_lease__a_release_that_fails_is_not_tried_again(void **state) {
    (void)state;
    static const int statuses[] = {0, 409, 500};
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct lease lease;
        struct lease_record record = make_record("5", ME, "a", 3);
        init_held(&lease);
        lease_release(&lease);
        expect_order(&lease, START, LEASE_GET);
        lease_answer(&lease, START, 0, 200, &record);
        expect_order(&lease, START, LEASE_REPLACE);
        lease_answer(&lease, START, 0, statuses[i], NULL);
        assert_true(lease_is_released(&lease));
    }
}

static void test_lease__who_never_led_is_released_at_once(void **state) {
    (void)state;
    struct lease lease;
    lease_init(&lease, ME);
    lease_release(&lease);
    assert_true(lease_is_released(&lease));
    expect_wait(&lease, START, INT64_MAX);

    init_foreign(&lease);
    lease_release(&lease);
    lease_release(&lease);
    assert_true(lease_is_released(&lease));
    expect_wait(&lease, START + 100000, INT64_MAX);
}

static void test_lease__release_awaits_the_request_under_way(void **state) {
    (void)state;
    static const struct {
        int status;
        bool is_written;
    } rows[] = {{200, true}, {0, false}, {500, false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lease lease;
        init_held(&lease);
        struct lease_order order = expect_order(&lease, START + 2000, LEASE_REPLACE);
        lease_release(&lease);
        assert_false(lease_is_held(&lease, START + 2000));
        assert_false(lease_is_released(&lease));
        expect_wait(&lease, START + 2000, INT64_MAX);
        strcpy(order.record.resource_version, "2");
        lease_answer(&lease, START + 2100, 0, rows[i].status,
                     rows[i].is_written ? &order.record : NULL);
        assert_false(lease_is_held(&lease, START + 2100));
        assert_false(lease_is_released(&lease));
        /* Only a look tells if a write without an answer was done. */
        expect_order(&lease, START + 2100, LEASE_GET);
        lease_answer(&lease, START + 2200, 0, 200, &order.record);
        expect_order(&lease, START + 2200, LEASE_REPLACE);
    }
}

static void test_lease__release_during_a_look_that_finds_another_is_done(void **state) {
    (void)state;
    struct lease lease;
    struct lease_record record = make_record("7", OTHER, "a", 3);
    lease_init(&lease, ME);
    expect_order(&lease, START, LEASE_GET);
    lease_release(&lease);
    assert_false(lease_is_released(&lease));
    lease_answer(&lease, START, 0, 200, &record);
    assert_true(lease_is_released(&lease));
    expect_wait(&lease, START, INT64_MAX);
}

/* The record must have become free by the end of the pause, and others must have looked. */
static void test_lease__a_leader_that_yields_asks_nothing_for_a_while(void **state) {
    struct lease lease;
    (void)state;
    init_held(&lease);
    lease_yield(&lease, START + 100);
    assert_true(lease_is_held(&lease, START + LEASE_RENEW_DEADLINE_MS - 1));
    expect_wait(&lease, START + LEASE_RETRY_MS, START + 100 + LEASE_YIELD_MS);
    assert_false(lease_is_held(&lease, START + LEASE_RENEW_DEADLINE_MS));
    expect_wait(&lease, START + 100 + LEASE_YIELD_MS - 1, START + 100 + LEASE_YIELD_MS);
    expect_order(&lease, START + 100 + LEASE_YIELD_MS, LEASE_GET);
}

static void test_lease__a_leader_without_a_better_one_yields_seldom(void **state) {
    static const struct {
        int64_t again_ms;
        bool yields;
    } rows[] = {{LEASE_YIELD_EVERY_MS - 1, false}, {LEASE_YIELD_EVERY_MS, true}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lease lease;
        struct lease_order order;
        init_held(&lease);
        lease_yield(&lease, START);
        lease_yield(&lease, START + rows[i].again_ms);
        lease_step(&lease, START + rows[i].again_ms, WALL, &order);
        assert_int_equal(order.verb, rows[i].yields ? LEASE_WAIT : LEASE_GET);
    }
}

static void test_lease__a_yield_does_not_hold_up_the_end(void **state) {
    struct lease lease;
    (void)state;
    init_held(&lease);
    lease_yield(&lease, START);
    lease_release(&lease);
    expect_order(&lease, START, LEASE_GET);
}

static void test_lease__a_write_shows_in_its_answer(void **state) {
    struct lease lease;
    (void)state;
    init_held(&lease);
    struct lease_order order = expect_order(&lease, START + LEASE_RETRY_MS, LEASE_REPLACE);
    struct lease_record record = order.record;
    assert_true(lease_is_shown(&lease, &record));
    snprintf(record.renew_time, sizeof(record.renew_time), "%s", THEN_AS);
    assert_false(lease_is_shown(&lease, &record)); /* an earlier renewal of ours */
    record = order.record;
    snprintf(record.holder, sizeof(record.holder), "%s", OTHER);
    assert_false(lease_is_shown(&lease, &record));
    record = (struct lease_record){.holder = ""};
    assert_false(lease_is_shown(&lease, &record));
    lease_answer(&lease, START + LEASE_RETRY_MS, 0, 500, NULL);
    expect_order(&lease, START + 2 * LEASE_RETRY_MS, LEASE_GET);
    assert_true(lease_is_shown(&lease, &record)); /* to a look, any record is an answer */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lease__reads_a_record),
        cmocka_unit_test(test_lease__reads_missing_members_as_empty),
        cmocka_unit_test(test_lease__refuses_what_it_cannot_use),
        cmocka_unit_test(test_lease__a_text_that_does_not_fit_is_not_an_empty_one),
        cmocka_unit_test(test_lease__an_unusable_spec_is_held_by_somebody),
        cmocka_unit_test(test_lease__an_unusable_record_is_free_when_it_does_not_change),
        cmocka_unit_test(test_lease__writes_a_record_that_reads_back),
        cmocka_unit_test(test_lease__writes_neither_an_empty_version_nor_an_empty_time),
        cmocka_unit_test(test_lease__creates_a_missing_record),
        cmocka_unit_test(test_lease__takes_a_record_that_nobody_holds),
        cmocka_unit_test(test_lease__a_missing_acquire_time_becomes_now),
        cmocka_unit_test(test_lease__believes_another_for_the_duration_of_its_record),
        cmocka_unit_test(test_lease__each_change_starts_the_wait_anew),
        cmocka_unit_test(test_lease__who_does_not_lead_comes_back_with_jitter),
        cmocka_unit_test(test_lease__no_failure_reads_as_a_free_record),
        cmocka_unit_test(test_lease__a_lost_race_is_followed_by_a_look),
        cmocka_unit_test(test_lease__a_write_that_made_another_the_holder_is_no_good_one),
        cmocka_unit_test(test_lease__renews_every_2_s_without_looking),
        cmocka_unit_test(test_lease__a_renewal_counts_from_its_start),
        cmocka_unit_test(test_lease__an_answer_past_its_own_deadline_leads_to_a_look),
        cmocka_unit_test(test_lease__a_holder_waits_no_longer_than_it_leads),
        cmocka_unit_test(test_lease__a_failed_renewal_is_followed_by_a_look),
        cmocka_unit_test(test_lease__a_conflict_over_our_own_record_is_mended),
        cmocka_unit_test(test_lease__conflict_after_conflict_waits),
        cmocka_unit_test(test_lease__10_s_without_a_renewal_end_it),
        cmocka_unit_test(test_lease__another_holder_ends_it_at_once),
        cmocka_unit_test(test_lease__a_holder_creates_a_deleted_record_again),
        cmocka_unit_test(test_lease__a_deleted_record_does_not_free_its_holder),
        cmocka_unit_test(test_lease__a_process_that_slept_looks_before_it_writes),
        cmocka_unit_test(test_lease__release_gives_the_record_up),
        cmocka_unit_test(test_lease__release_leaves_alone_what_is_not_ours),
        cmocka_unit_test(test_lease__a_release_that_fails_is_not_tried_again),
        cmocka_unit_test(test_lease__who_never_led_is_released_at_once),
        cmocka_unit_test(test_lease__release_awaits_the_request_under_way),
        cmocka_unit_test(test_lease__release_during_a_look_that_finds_another_is_done),
        cmocka_unit_test(test_lease__a_leader_that_yields_asks_nothing_for_a_while),
        cmocka_unit_test(test_lease__a_leader_without_a_better_one_yields_seldom),
        cmocka_unit_test(test_lease__a_yield_does_not_hold_up_the_end),
        cmocka_unit_test(test_lease__a_write_shows_in_its_answer),
    };
    return cmocka_run_group_tests_name("core/lease", tests, NULL, NULL);
}
