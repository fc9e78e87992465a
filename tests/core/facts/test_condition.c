// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "core/core_fixtures.h"

#define NOW     INT64_C(1795341600)
#define NOW_AS  "2026-11-22T10:00:00Z"
#define THEN    INT64_C(1795341599)
#define THEN_AS "2026-11-22T09:59:59Z"

enum { GENERATION = 7 };

/* A stored condition, byte for byte as the operator writes it. */
struct expectation {
    const char *status;
    const char *reason;
    const char *message;
};

static const struct expectation capped = {
    "True", "StdioTransportCapAt1",
    "stdio transport requires exactly 1 replica; deployment will use 1 regardless of "
    "spec.replicas"};
static const struct expectation not_capped = {"False", "StdioReplicaCapNotActive",
                                              "stdio replica cap is not active"};
static const struct expectation missing = {
    "True", "SessionStorageMissingForReplicas",
    "replicas > 1 but sessionStorage.provider is not redis; sessions are not shared across "
    "replicas"};
static const struct expectation configured = {"False", "SessionStorageConfigured",
                                              "Redis session storage is configured"};
static const struct expectation not_applicable = {"False", "SessionStorageWarningNotApplicable",
                                                  "session storage warning is not active"};

static struct condition_subject subject_of(struct object *server) {
    server->kind = OBJECT_MCPSERVER;
    return (struct condition_subject){
        .is_stdio = object_is_stdio(server),
        .has_replicas = server->replicas.state == PRESENCE_SET,
        .replicas = server->replicas.value,
        .is_redis = object_is_redis(server),
        .generation = server->generation,
    };
}

/* The conditions as JSON. Free with cJSON_Delete(). */
static cJSON *write_conditions(const struct condition conditions[CONDITION_TYPE_COUNT]) {
    AUTO(buffer_fini) struct buffer out;
    struct json_write write;
    buffer_init(&out, 4096);
    json_write_begin(&write, &out);
    condition_write(&write, conditions);
    cJSON *json = cJSON_Parse(buffer_text(&out));
    assert_non_null(json);
    return json;
}

static const char *text_at(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    assert_non_null(text);
    return text;
}

static void check_one(const cJSON *item, const char *type, const struct expectation *expected,
                      const char *time) {
    assert_string_equal(text_at(item, "type"), type);
    assert_string_equal(text_at(item, "status"), expected->status);
    assert_string_equal(text_at(item, "reason"), expected->reason);
    assert_string_equal(text_at(item, "message"), expected->message);
    assert_string_equal(text_at(item, "lastTransitionTime"), time);
    assert_int_equal(
        cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "observedGeneration")),
        GENERATION);
    assert_int_equal(cJSON_GetArraySize(item), 6);
}

static void check(const struct condition conditions[CONDITION_TYPE_COUNT],
                  const struct expectation *stdio, const struct expectation *storage) {
    cJSON *json = write_conditions(conditions);
    assert_int_equal(cJSON_GetArraySize(json), 2);
    check_one(cJSON_GetArrayItem(json, 0), "StdioReplicaCapped", stdio, NOW_AS);
    check_one(cJSON_GetArrayItem(json, 1), "SessionStorageWarning", storage, NOW_AS);
    cJSON_Delete(json);
}

/* One step for an MCPServer with this spec and without conditions. */
static void step_new(const char *spec, struct condition ret_wanted[CONDITION_TYPE_COUNT]) {
    char json[512];
    struct object server;
    snprintf(json, sizeof(json), "{'metadata':{'generation':%d},'spec':{%s}}", GENERATION, spec);
    read_object(json, &server);
    struct condition_subject subject = subject_of(&server);
    assert_true(condition_step(&subject, server.conditions, NOW, ret_wanted));
}

static void test_condition__names_are_those_of_the_operator(void **state) {
    (void)state;
    assert_string_equal(CONDITION_STDIO_REPLICA_CAPPED, "StdioReplicaCapped");
    assert_string_equal(CONDITION_REASON_STDIO_REPLICA_CAPPED, "StdioTransportCapAt1");
    assert_string_equal(CONDITION_REASON_STDIO_REPLICA_CAP_NOT_ACTIVE, "StdioReplicaCapNotActive");
    assert_string_equal(CONDITION_SESSION_STORAGE_WARNING, "SessionStorageWarning");
    assert_string_equal(CONDITION_REASON_SESSION_STORAGE_MISSING,
                        "SessionStorageMissingForReplicas");
    assert_string_equal(CONDITION_REASON_SESSION_STORAGE_CONFIGURED, "SessionStorageConfigured");
    assert_string_equal(CONDITION_REASON_SESSION_STORAGE_NOT_APPLICABLE,
                        "SessionStorageWarningNotApplicable");
}

/* Tests every pair of transport and provider with every count that matters. */
static void test_condition__follow_from_transport_replicas_and_provider(void **state) {
    (void)state;
    static const struct {
        const char *transport;
        bool is_capped;
    } transports[] = {
        {"", true},
        {"'transport':null,", true},
        {"'transport':'stdio',", true},
        {"'transport':'sse',", false},
        {"'transport':'streamable-http',", false},
        {"'transport':'',", false},
        {"'transport':'Stdio',", false},
    };
    static const struct {
        const char *replicas;
        bool exceeds_one;
    } counts[] = {
        {"", false},
        {"'replicas':null,", false},
        {"'replicas':0,", false},
        {"'replicas':1,", false},
        {"'replicas':2,", true},
        {"'replicas':3,", true},
        {"'replicas':2147483647,", true},
        {"'replicas':2147483648,", false},
        {"'replicas':-1,", false},
        {"'replicas':'2',", false},
    };
    static const struct {
        const char *storage;
        bool is_redis;
    } storages[] = {
        {"'image':'x'", false},
        {"'sessionStorage':null", false},
        {"'sessionStorage':{}", false},
        {"'sessionStorage':{'provider':'memory'}", false},
        {"'sessionStorage':{'provider':'Redis'}", false},
        {"'sessionStorage':{'provider':'redis'}", true},
    };
    for (size_t i = 0; i < COUNT_OF(transports); i++) {
        for (size_t k = 0; k < COUNT_OF(counts); k++) {
            for (size_t m = 0; m < COUNT_OF(storages); m++) {
                char spec[256];
                struct condition wanted[CONDITION_TYPE_COUNT];
                snprintf(spec, sizeof(spec), "%s%s%s", transports[i].transport, counts[k].replicas,
                         storages[m].storage);
                step_new(spec, wanted);
                bool is_capped = transports[i].is_capped && counts[k].exceeds_one;
                check(wanted, is_capped ? &capped : &not_capped,
                      !counts[k].exceeds_one ? &not_applicable
                      : storages[m].is_redis ? &configured
                                             : &missing);
            }
        }
    }
}

static void test_condition__nil_replicas_set_neither(void **state) {
    (void)state;
    struct condition wanted[CONDITION_TYPE_COUNT];
    step_new("'transport':'stdio'", wanted);
    check(wanted, &not_capped, &not_applicable);
}

static void test_condition__stdio_3_sets_stdio_replica_capped(void **state) {
    (void)state;
    struct condition wanted[CONDITION_TYPE_COUNT];
    step_new("'transport':'stdio','replicas':3", wanted);
    check(wanted, &capped, &missing);
    assert_int_equal(wanted[CONDITION_TYPE_STDIO].state, CONDITION_STDIO_CAPPED);
    assert_true(wanted[CONDITION_TYPE_STDIO].is_true);
}

static void test_condition__stdio_3_with_redis_is_capped_without_a_warning(void **state) {
    (void)state;
    struct condition wanted[CONDITION_TYPE_COUNT];
    step_new("'transport':'stdio','replicas':3,'sessionStorage':{'provider':'redis'}", wanted);
    check(wanted, &capped, &configured);
}

static void test_condition__2_without_session_storage_sets_the_warning(void **state) {
    (void)state;
    struct condition wanted[CONDITION_TYPE_COUNT];
    step_new("'transport':'sse','replicas':2", wanted);
    check(wanted, &not_capped, &missing);
}

static void test_condition__2_with_memory_sets_the_warning(void **state) {
    (void)state;
    struct condition wanted[CONDITION_TYPE_COUNT];
    step_new("'transport':'sse','replicas':2,'sessionStorage':{'provider':'memory'}", wanted);
    check(wanted, &not_capped, &missing);
}

static void test_condition__redis_clears_the_warning(void **state) {
    (void)state;
    const struct condition_subject before = {.has_replicas = true, .replicas = 2, .generation = 6};
    const struct condition_subject after = {
        .has_replicas = true, .replicas = 2, .is_redis = true, .generation = GENERATION};
    const struct condition none[CONDITION_TYPE_COUNT] = {{.state = CONDITION_ABSENT}};
    struct condition live[CONDITION_TYPE_COUNT];
    struct condition wanted[CONDITION_TYPE_COUNT];
    assert_true(condition_step(&before, none, THEN, live));
    assert_int_equal(live[CONDITION_TYPE_SESSION_STORAGE].state, CONDITION_STORAGE_MISSING);
    assert_true(live[CONDITION_TYPE_SESSION_STORAGE].is_true);
    assert_true(condition_step(&after, live, NOW, wanted));
    cJSON *json = write_conditions(wanted);
    check_one(cJSON_GetArrayItem(json, 0), "StdioReplicaCapped", &not_capped, THEN_AS);
    check_one(cJSON_GetArrayItem(json, 1), "SessionStorageWarning", &configured, NOW_AS);
    cJSON_Delete(json);
}

/* Each row is a subject that leads to another state of a type. The rows cover all states. */
static const struct condition_subject subjects[] = {
    {.is_stdio = true, .generation = GENERATION},
    {.is_stdio = true, .has_replicas = true, .replicas = 3, .generation = GENERATION},
    {.is_stdio = true,
     .has_replicas = true,
     .replicas = 3,
     .is_redis = true,
     .generation = GENERATION},
    {.has_replicas = true, .replicas = 3, .generation = GENERATION},
    {.has_replicas = true, .replicas = 3, .is_redis = true, .generation = GENERATION},
    {.has_replicas = true, .replicas = 1, .is_redis = true, .generation = GENERATION},
};

static void test_condition__time_moves_only_when_the_status_flips(void **state) {
    (void)state;
    const struct condition none[CONDITION_TYPE_COUNT] = {{.state = CONDITION_ABSENT}};
    for (size_t from = 0; from < COUNT_OF(subjects); from++) {
        for (size_t to = 0; to < COUNT_OF(subjects); to++) {
            struct condition live[CONDITION_TYPE_COUNT];
            struct condition wanted[CONDITION_TYPE_COUNT];
            struct condition_subject next = subjects[to];
            next.generation++;
            assert_true(condition_step(&subjects[from], none, THEN, live));
            assert_true(condition_step(&next, live, NOW, wanted));
            for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
                bool flips = live[type].is_true != wanted[type].is_true;
                assert_int_equal(wanted[type].last_transition, flips ? NOW : THEN);
                assert_int_equal(wanted[type].observed_generation, GENERATION + 1);
            }
        }
    }
}

static void test_condition__what_was_written_reads_back_as_nothing_to_write(void **state) {
    (void)state;
    const struct condition none[CONDITION_TYPE_COUNT] = {{.state = CONDITION_ABSENT}};
    for (size_t i = 0; i < COUNT_OF(subjects); i++) {
        AUTO(buffer_fini) struct buffer out;
        struct json_write write;
        struct condition wanted[CONDITION_TYPE_COUNT];
        struct condition again[CONDITION_TYPE_COUNT];
        struct object object;
        assert_true(condition_step(&subjects[i], none, THEN, wanted));
        buffer_init(&out, 4096);
        buffer_add_text(&out, "{\"status\":{\"conditions\":");
        json_write_begin(&write, &out);
        condition_write(&write, wanted);
        buffer_add_text(&out, "}}");
        read_object(buffer_text(&out), &object);
        assert_false(condition_step(&subjects[i], object.conditions, NOW, again));
        for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
            assert_int_equal(again[type].state, wanted[type].state);
            assert_int_equal(again[type].last_transition, THEN);
        }
    }
}

#define STDIO(status, reason, message, rest)                                                       \
    "{'type':'StdioReplicaCapped','status':" status ",'reason':" reason ",'message':" message rest \
    "}"
#define REASON  "'StdioReplicaCapNotActive'"
#define MESSAGE "'stdio replica cap is not active'"
#define AT_THEN ",'lastTransitionTime':'" THEN_AS "'"
#define OF_7    ",'observedGeneration':7"
#define STORAGE                                                                                    \
    "{'type':'SessionStorageWarning','status':'False','observedGeneration':7,"                     \
    "'reason':'SessionStorageWarningNotApplicable','lastTransitionTime':'" THEN_AS                 \
    "','message':'session storage warning is not active'}"

static void test_condition__what_stands_there_is_compared_whole(void **state) {
    (void)state;
    static const struct {
        const char *conditions;
        bool is_written;
        int64_t time; /* of the first one */
    } rows[] = {
        {STDIO("'False'", REASON, MESSAGE, OF_7 AT_THEN) "," STORAGE, false, THEN},
        {STORAGE "," STDIO("'False'", REASON, MESSAGE, AT_THEN OF_7 ",'x':[{}]"), false, THEN},
        {"{'type':'Ready','status':'True'}," STORAGE
         "," STDIO("'False'", REASON, "'stdio replica cap is not act\\u0069ve'",
                   AT_THEN OF_7) ",null,7,[]",
         false, THEN},
        {STDIO("'False'", REASON, "'stdio replica cap is not active.'", OF_7 AT_THEN) "," STORAGE,
         true, THEN},
        {STDIO("'False'", "'SomethingElse'", MESSAGE, OF_7 AT_THEN) "," STORAGE, true, THEN},
        {STDIO("'False'", REASON, "7", OF_7 AT_THEN) "," STORAGE, true, THEN},
        {STDIO("'False'", REASON, MESSAGE, ",'observedGeneration':6" AT_THEN) "," STORAGE, true,
         THEN},
        {STDIO("'False'", REASON, MESSAGE, ",'observedGeneration':'7'" AT_THEN) "," STORAGE, true,
         THEN},
        {STDIO("'False'", REASON, MESSAGE, AT_THEN) "," STORAGE, true, THEN},
        {STDIO("'False'", REASON, MESSAGE, OF_7) "," STORAGE, true, NOW},
        {STDIO("'False'", REASON, MESSAGE, OF_7 ",'lastTransitionTime':null") "," STORAGE, true,
         NOW},
        {STDIO("'False'", REASON, MESSAGE, OF_7 ",'lastTransitionTime':'yesterday'") "," STORAGE,
         true, NOW},
        {STDIO("'True'", REASON, MESSAGE, OF_7 AT_THEN) "," STORAGE, true, NOW},
        {STDIO("'Unknown'", REASON, MESSAGE, OF_7 AT_THEN) "," STORAGE, true, NOW},
        {STDIO("false", REASON, MESSAGE, OF_7 AT_THEN) "," STORAGE, true, NOW},
        {STORAGE, true, NOW},
        {"{'type':'stdioReplicaCapped'}," STORAGE, true, NOW},
        {"", true, NOW},
    };
    const struct condition_subject subject = {.is_stdio = true, .generation = GENERATION};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char json[2048];
        struct object object;
        struct condition wanted[CONDITION_TYPE_COUNT];
        snprintf(json, sizeof(json), "{'status':{'conditions':[%s]}}", rows[i].conditions);
        read_object(json, &object);
        bool is_written = condition_step(&subject, object.conditions, NOW, wanted);
        int64_t time = wanted[CONDITION_TYPE_STDIO].last_transition;
        if (is_written != rows[i].is_written || time != rows[i].time) {
            fail_msg("%d at %" PRId64 ": %s", is_written, time, rows[i].conditions);
        }
        assert_int_equal(wanted[CONDITION_TYPE_STDIO].state, CONDITION_STDIO_NOT_ACTIVE);
    }
}

/* The answer to a write. Another writer, or a proxy, may have made it show something else. */
static void test_condition__an_answer_shows_what_was_written_or_does_not(void **state) {
    (void)state;
    static const struct {
        const char *conditions;
        bool is_written;
    } rows[] = {
        {STDIO("'False'", REASON, MESSAGE, OF_7 AT_THEN) "," STORAGE, true},
        {STORAGE ",{'type':'Ready'}," STDIO("'False'", REASON, MESSAGE, OF_7), true},
        {STDIO("'False'", REASON, MESSAGE, ",'observedGeneration':6") "," STORAGE, false},
        {STDIO("'False'", REASON, MESSAGE, ",'observedGeneration':8") "," STORAGE, false},
        {STDIO("'False'", REASON, MESSAGE, "") "," STORAGE, false},
        {STDIO("'True'", REASON, MESSAGE, OF_7) "," STORAGE, false},
        {STDIO("'False'", "'Another'", MESSAGE, OF_7) "," STORAGE, false},
        {STDIO("'False'", REASON, "'another'", OF_7) "," STORAGE, false},
        {STDIO("'False'", REASON, MESSAGE, OF_7), false},
        {STORAGE, false},
        {"", false},
    };
    const struct condition_subject subject = {.is_stdio = true, .generation = GENERATION};
    const struct condition none[CONDITION_TYPE_COUNT] = {{.state = CONDITION_ABSENT}};
    struct condition wanted[CONDITION_TYPE_COUNT];
    assert_true(condition_step(&subject, none, NOW, wanted));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char json[2048];
        struct object object;
        snprintf(json, sizeof(json), "{'status':{'conditions':[%s]}}", rows[i].conditions);
        read_object(json, &object);
        if (condition_is_written(wanted, object.conditions) != rows[i].is_written) {
            fail_msg("%s", rows[i].conditions);
        }
    }
}

static void test_condition__what_was_taken_away_comes_back_with_its_time(void **state) {
    (void)state;
    static const struct condition_subject over = {
        .is_stdio = true, .has_replicas = true, .replicas = 3};
    static const struct condition_subject within = {.is_stdio = true};
    const struct condition before[CONDITION_TYPE_COUNT] = {
        {.state = CONDITION_STDIO_CAPPED, .is_true = true, .last_transition = 7}};
    struct condition live[CONDITION_TYPE_COUNT] = {{.state = CONDITION_ABSENT}};
    struct condition wanted[CONDITION_TYPE_COUNT];
    condition_remember(before, live);
    assert_int_equal(live[CONDITION_TYPE_STDIO].state, CONDITION_ERASED);
    assert_int_equal(live[CONDITION_TYPE_SESSION_STORAGE].state, CONDITION_ABSENT);
    assert_true(condition_step(&over, live, 100, wanted));
    assert_int_equal(wanted[CONDITION_TYPE_STDIO].last_transition, 7);
    assert_int_equal(wanted[CONDITION_TYPE_SESSION_STORAGE].last_transition, 100);
    assert_true(condition_step(&within, live, 100, wanted));
    assert_int_equal(wanted[CONDITION_TYPE_STDIO].last_transition, 100);
}

static void test_condition__what_stands_there_is_not_replaced_by_what_stood(void **state) {
    (void)state;
    const struct condition before[CONDITION_TYPE_COUNT] = {
        {.state = CONDITION_STDIO_CAPPED, .is_true = true, .last_transition = 7}};
    struct condition live[CONDITION_TYPE_COUNT] = {
        {.state = CONDITION_FOREIGN, .last_transition = 8}};
    condition_remember(before, live);
    assert_int_equal(live[CONDITION_TYPE_STDIO].state, CONDITION_FOREIGN);
    assert_int_equal(live[CONDITION_TYPE_STDIO].last_transition, 8);
}

static void test_condition__conditions_of_another_shape_are_absent(void **state) {
    (void)state;
    static const char *const rows[] = {"{}",
                                       "{'conditions':null}",
                                       "{'conditions':{}}",
                                       "{'conditions':'x'}",
                                       "{'conditions':[]}",
                                       "{'conditions':[{}]}",
                                       "{'conditions':[[]]}",
                                       "[]",
                                       "null",
                                       "7"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char json[256];
        struct object object;
        snprintf(json, sizeof(json), "{'status':%s}", rows[i]);
        read_object(json, &object);
        assert_int_equal(object.conditions[CONDITION_TYPE_STDIO].state, CONDITION_ABSENT);
        assert_int_equal(object.conditions[CONDITION_TYPE_SESSION_STORAGE].state, CONDITION_ABSENT);
    }
}

static void test_condition__one_of_another_generation_is_behind(void **state) {
    (void)state;
    static const struct {
        struct condition live[CONDITION_TYPE_COUNT];
        bool is_behind;
    } rows[] = {
        {{{.state = CONDITION_ABSENT}, {.state = CONDITION_ABSENT}}, true},
        {{{CONDITION_STDIO_CAPPED, true, 3, 1}, {.state = CONDITION_ABSENT}}, true},
        {{{CONDITION_STDIO_CAPPED, true, 3, 1}, {CONDITION_STORAGE_MISSING, true, 3, 1}}, false},
        {{{CONDITION_STDIO_CAPPED, true, 3, 1}, {CONDITION_STORAGE_MISSING, true, 2, 1}}, true},
        {{{CONDITION_STDIO_CAPPED, true, 4, 1}, {CONDITION_STORAGE_MISSING, true, 3, 1}}, true},
        {{{CONDITION_FOREIGN, true, 3, 1}, {CONDITION_STORAGE_MISSING, true, 3, 1}}, false},
        {{{CONDITION_ERASED, true, 3, 1}, {CONDITION_ERASED, true, 3, 1}}, false},
        {{{CONDITION_ERASED, true, 2, 1}, {CONDITION_ERASED, true, 3, 1}}, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (condition_is_behind(rows[i].live, 3) != rows[i].is_behind) {
            fail_msg("row %zu", i);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_condition__names_are_those_of_the_operator),
        cmocka_unit_test(test_condition__follow_from_transport_replicas_and_provider),
        cmocka_unit_test(test_condition__nil_replicas_set_neither),
        cmocka_unit_test(test_condition__stdio_3_sets_stdio_replica_capped),
        cmocka_unit_test(test_condition__stdio_3_with_redis_is_capped_without_a_warning),
        cmocka_unit_test(test_condition__2_without_session_storage_sets_the_warning),
        cmocka_unit_test(test_condition__2_with_memory_sets_the_warning),
        cmocka_unit_test(test_condition__redis_clears_the_warning),
        cmocka_unit_test(test_condition__time_moves_only_when_the_status_flips),
        cmocka_unit_test(test_condition__what_was_written_reads_back_as_nothing_to_write),
        cmocka_unit_test(test_condition__what_stands_there_is_compared_whole),
        cmocka_unit_test(test_condition__an_answer_shows_what_was_written_or_does_not),
        cmocka_unit_test(test_condition__what_was_taken_away_comes_back_with_its_time),
        cmocka_unit_test(test_condition__what_stands_there_is_not_replaced_by_what_stood),
        cmocka_unit_test(test_condition__conditions_of_another_shape_are_absent),
        cmocka_unit_test(test_condition__one_of_another_generation_is_behind),
    };
    return cmocka_run_group_tests_name("core/condition", tests, NULL, NULL);
}
