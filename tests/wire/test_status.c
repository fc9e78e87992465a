// SPDX-License-Identifier: Apache-2.0

/*
 * --status-dir: the conditions of the objects, in one file for each MCPServer. The design text says
 * "requeues", which here means the next pass of the companion loop. There is a pass after each new
 * reading, and every 10 s.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "edge/clock.h"
#include "wire.h"

#define WRITES "capstan_status_writes_total{result=\"ok\"}"

#define POLICY "apiVersion: capstan.dev/v1\nkind: PolicyConfig\n"

#define OLD_TIME "2026-01-02T03:04:05Z"

#define CAPPED                                                                                     \
    "True", "StdioTransportCapAt1",                                                                \
        "stdio transport requires exactly 1 replica; deployment will use 1 regardless of "         \
        "spec.replicas"
#define NOT_CAPPED "False", "StdioReplicaCapNotActive", "stdio replica cap is not active"
#define STORAGE_MISSING                                                                            \
    "True", "SessionStorageMissingForReplicas",                                                    \
        "replicas > 1 but sessionStorage.provider is not redis; sessions are not shared across "   \
        "replicas"
#define STORAGE_CONFIGURED                                                                         \
    "False", "SessionStorageConfigured", "Redis session storage is configured"
#define STORAGE_NOT_APPLICABLE                                                                     \
    "False", "SessionStorageWarningNotApplicable", "session storage warning is not active"

struct expected_condition {
    const char *status;
    const char *reason;
    const char *message;
};

struct status_row {
    const char *name;
    const char *uid;
    int generation;
    struct expected_condition stdio;
    struct expected_condition storage;
};

/* The MCPServers of the samples. */
static const struct status_row rows[] = {
    /* stdio, 1 */
    {"github", "524d4eee-8f01-4c4a-8ba9-0fd2ed151c43", 2, {NOT_CAPPED}, {STORAGE_NOT_APPLICABLE}},
    /* sse, 4, provider memory */
    {"notes", "503d82ed-bf01-452a-a70c-b2ae8da883a2", 1, {NOT_CAPPED}, {STORAGE_MISSING}},
    /* stdio, 2 */
    {"old", "1b12add3-5a65-48f9-95f7-5846946fa17c", 1, {CAPPED}, {STORAGE_MISSING}},
    /* stdio, nil */
    {"plain", "28e9cad6-1cc5-40cc-9840-71e43ffeb3ca", 1, {NOT_CAPPED}, {STORAGE_NOT_APPLICABLE}},
    /* streamable-http, 3, redis */
    {"search", "a1667fcf-279f-4cf9-a566-1b45a9a95f43", 1, {NOT_CAPPED}, {STORAGE_CONFIGURED}},
    /* sse, nil */
    {"weather", "0c020264-5cba-411f-9686-3f13dd11c061", 2, {NOT_CAPPED}, {STORAGE_NOT_APPLICABLE}},
    /* stdio, 1 */
    {"foreign", "00000000-0000-4000-8000-000000000001", 1, {NOT_CAPPED}, {STORAGE_NOT_APPLICABLE}},
};

/* A single MCPServer. A test changes its spec. */
#define SERVER(uid, generation, spec)                                                              \
    "apiVersion: toolhive.stacklok.dev/v1alpha1\nkind: MCPServer\nmetadata: {name: one, "          \
    "namespace: team, uid: " uid ", generation: " generation "}\nspec: {image: x, " spec "}\n"
#define ONE "status/team/one.json"

static int set_up(void **state) {
    struct program *program = memory_new(1, sizeof(*program));
    *state = program;
    program_init(program);
    program->has_status = true;
    program->has_policy = true;
    program_put(program, "policy.yaml", POLICY);
    return 0;
}

static int tear_down(void **state) {
    struct program *program = *state;
    int status = program_stop(program);
    program_fini(program);
    free(program);
    return status;
}

static void wait_for_writes(const struct program *program, size_t n) {
    program_wait_for_log(program, "\"status.written\"", n);
}

static cJSON *load(const struct program *program, const char *name) {
    AUTO_FREE char *text = program_read(program, name);
    cJSON *document = cJSON_Parse(text);
    assert_non_null(document);
    return document;
}

static cJSON *get(const cJSON *object, const char *key) {
    cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    if (value == NULL) {
        fail_msg("there is no '%s'", key);
    }
    return value;
}

static cJSON *condition_of(const cJSON *document, const char *type) {
    cJSON *condition;
    cJSON_ArrayForEach(condition, get(get(document, "status"), "conditions")) {
        if (strcmp(get(condition, "type")->valuestring, type) == 0) {
            return condition;
        }
    }
    fail_msg("there is no condition '%s'", type);
    return NULL;
}

/* "True OLD_TIME" for one condition. A time within the last minute becomes "now". */
static void describe(const struct program *program, const char *type, char out[64]) {
    cJSON *document = load(program, ONE);
    const cJSON *condition = condition_of(document, type);
    const char *time = get(condition, "lastTransitionTime")->valuestring;
    int64_t seconds = 0;
    assert_true(text_parse_time(time, &seconds));
    int64_t age = clock_wall_seconds() - seconds;
    snprintf(out, 64, "%s %s", get(condition, "status")->valuestring,
             age >= 0 && age < 60 ? "now" : time);
    cJSON_Delete(document);
}

static void assert_conditions(const struct program *program, const char *stdio,
                              const char *storage) {
    char is[64];
    describe(program, "StdioReplicaCapped", is);
    assert_string_equal(is, stdio);
    describe(program, "SessionStorageWarning", is);
    assert_string_equal(is, storage);
}

static int generation_of(const struct program *program) {
    cJSON *document = load(program, ONE);
    int generation =
        get(condition_of(document, "StdioReplicaCapped"), "observedGeneration")->valueint;
    cJSON_Delete(document);
    return generation;
}

/* A mark that changes with each write of the file, by a rename or in place. */
static void get_mark(const struct program *program, const char *name, char out[96]) {
    char path[PROGRAM_PATH_SIZE];
    struct stat status;
    program_path(program, name, path);
    assert_int_equal(stat(path, &status), 0);
    snprintf(out, 96, "%ju %jd.%09ld %jd", (uintmax_t)status.st_ino,
             (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec, (intmax_t)status.st_size);
}

/* Sets the times of both conditions of ONE long ago. */
static void age_conditions(const struct program *program) {
    cJSON *document = load(program, ONE);
    cJSON *condition;
    cJSON_ArrayForEach(condition, get(get(document, "status"), "conditions")) {
        cJSON_ReplaceItemInObjectCaseSensitive(condition, "lastTransitionTime",
                                               cJSON_CreateString(OLD_TIME));
    }
    AUTO_FREE char *text = cJSON_PrintUnformatted(document);
    program_put(program, ONE, text);
    cJSON_Delete(document);
}

static cJSON *make_condition(const char *type, const struct expected_condition *expected,
                             int generation) {
    cJSON *condition = cJSON_CreateObject();
    cJSON_AddStringToObject(condition, "type", type);
    cJSON_AddStringToObject(condition, "status", expected->status);
    cJSON_AddStringToObject(condition, "reason", expected->reason);
    cJSON_AddStringToObject(condition, "message", expected->message);
    cJSON_AddNumberToObject(condition, "observedGeneration", generation);
    return condition;
}

static cJSON *make_document(const struct status_row *row) {
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "apiVersion", "toolhive.stacklok.dev/v1beta1");
    cJSON_AddStringToObject(document, "kind", "MCPServer");
    cJSON *metadata = cJSON_AddObjectToObject(document, "metadata");
    cJSON_AddStringToObject(metadata, "namespace", "default");
    cJSON_AddStringToObject(metadata, "name", row->name);
    cJSON_AddStringToObject(metadata, "uid", row->uid);
    cJSON *status = cJSON_AddObjectToObject(document, "status");
    cJSON *conditions = cJSON_AddArrayToObject(status, "conditions");
    cJSON_AddItemToArray(conditions,
                         make_condition("StdioReplicaCapped", &row->stdio, row->generation));
    cJSON_AddItemToArray(conditions,
                         make_condition("SessionStorageWarning", &row->storage, row->generation));
    return document;
}

static void test_status__each_mcpserver_has_its_two_conditions(void **state) {
    const struct program *program = *state;
    char output[1024];
    int64_t began = clock_wall_seconds();
    program_put_sample(program, "mcpservers-live.json");
    program_start(*state);
    wait_for_writes(program, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char name[128];
        cJSON *condition;
        snprintf(name, sizeof(name), "status/default/%s.json", rows[i].name);
        cJSON *is = load(program, name);
        cJSON *expected = make_document(&rows[i]);
        cJSON_ArrayForEach(condition, get(get(is, "status"), "conditions")) {
            int64_t time = 0;
            assert_true(text_parse_time(get(condition, "lastTransitionTime")->valuestring, &time));
            assert_in_range(time, began, clock_wall_seconds());
            cJSON_DeleteItemFromObjectCaseSensitive(condition, "lastTransitionTime");
        }
        if (!cJSON_Compare(is, expected, true)) {
            AUTO_FREE char *text = program_read(program, name);
            fail_msg("%s", text);
        }
        cJSON_Delete(expected);
        cJSON_Delete(is);
    }
    assert_int_equal(program_shell(program, "cd $FOLDER/status && find . -type f | wc -l", output,
                                   sizeof(output)),
                     0);
    assert_int_equal(atoi(output), COUNT_OF(rows));
}

static void test_status__nothing_is_written_where_nothing_differs(void **state) {
    struct program *program = *state;
    char before[COUNT_OF(rows)][96];
    char after[96];
    char name[128];
    program_put_sample(program, "mcpservers-live.json");
    program_start(program);
    wait_for_writes(program, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(name, sizeof(name), "status/default/%s.json", rows[i].name);
        get_mark(program, name, before[i]);
    }
    program_put_sample(program, "mcpservers-live.json");
    program_wait_for_pass(program);
    assert_int_equal(program_metric(program, WRITES), COUNT_OF(rows));
    assert_int_equal(program_stop(program), 0);
    program_start(program);
    program_wait_for_pass(program);
    assert_int_equal(program_metric(program, WRITES), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(name, sizeof(name), "status/default/%s.json", rows[i].name);
        get_mark(program, name, after);
        assert_string_equal(after, before[i]);
    }
}

static void test_status__the_time_moves_only_on_a_flip(void **state) {
    struct program *program = *state;
    program_put(program, "objects/one.yaml", SERVER("u-1", "1", "transport: stdio, replicas: 2"));
    program_start(program);
    wait_for_writes(program, 1);
    assert_conditions(program, "True now", "True now");
    assert_int_equal(program_stop(program), 0);
    age_conditions(program);
    program_start(program);
    program_wait_for_pass(program);
    assert_conditions(program, "True " OLD_TIME, "True " OLD_TIME);
    /* The generation changes, but the conditions do not. */
    program_put(program, "objects/one.yaml", SERVER("u-1", "2", "transport: stdio, replicas: 3"));
    wait_for_writes(program, 2);
    assert_conditions(program, "True " OLD_TIME, "True " OLD_TIME);
    assert_int_equal(generation_of(program), 2);
    /* One of the two conditions flips. */
    program_put(program, "objects/one.yaml", SERVER("u-1", "3", "transport: sse, replicas: 3"));
    wait_for_writes(program, 3);
    assert_conditions(program, "False now", "True " OLD_TIME);
    assert_int_equal(generation_of(program), 3);
    /* The other one flips. */
    age_conditions(program);
    program_put(program, "objects/one.yaml", SERVER("u-1", "4", "transport: sse, replicas: 1"));
    wait_for_writes(program, 4);
    assert_conditions(program, "False " OLD_TIME, "False now");
}

static void test_status__another_reason_without_a_flip_leaves_the_time(void **state) {
    struct program *program = *state;
    program_put(program, "objects/one.yaml", SERVER("u-1", "1", "transport: sse"));
    program_start(program);
    wait_for_writes(program, 1);
    age_conditions(program);
    program_put(program, "objects/one.yaml",
                SERVER("u-1", "2",
                       "transport: sse, replicas: 2, "
                       "sessionStorage: {provider: redis, address: \"redis:6379\"}"));
    wait_for_writes(program, 2);
    assert_conditions(program, "False " OLD_TIME, "False " OLD_TIME);
    cJSON *document = load(program, ONE);
    assert_string_equal(get(condition_of(document, "SessionStorageWarning"), "reason")->valuestring,
                        "SessionStorageConfigured");
    cJSON_Delete(document);
}

static void test_status__a_new_object_of_the_same_name_begins_anew(void **state) {
    struct program *program = *state;
    program_put(program, "objects/one.yaml", SERVER("u-1", "1", "transport: stdio, replicas: 2"));
    program_start(program);
    wait_for_writes(program, 1);
    age_conditions(program);
    program_put(program, "objects/one.yaml", SERVER("u-2", "1", "transport: stdio, replicas: 2"));
    wait_for_writes(program, 2);
    assert_conditions(program, "True now", "True now");
    cJSON *document = load(program, ONE);
    assert_string_equal(get(get(document, "metadata"), "uid")->valuestring, "u-2");
    cJSON_Delete(document);
}

static void test_status__goes_with_its_mcpserver_and_takes_nothing_else_along(void **state) {
    struct program *program = *state;
    program_put(program, "objects/one.yaml", SERVER("u-1", "1", "transport: stdio"));
    program_put(program, "status/notes.txt", "a note\n");
    program_put(program, "status/team/other.json", "{\"kind\": \"Note\"}\n");
    program_put(program, "status/elsewhere/one.json",
                "{\"apiVersion\": \"toolhive.stacklok.dev/v1beta1\", \"kind\": \"MCPServer\", "
                "\"metadata\": {\"namespace\": \"gone\", \"name\": \"one\"}}\n");
    program_start(program);
    wait_for_writes(program, 1);
    assert_true(program_has(program, ONE));
    program_remove(program, "objects/one.yaml");
    int64_t until_ms = http_now_ms() + 5000;
    while (program_has(program, ONE)) {
        assert_true(http_now_ms() < until_ms);
        http_sleep_ms(5);
    }
    assert_true(program_has(program, "status/notes.txt"));
    assert_true(program_has(program, "status/team/other.json"));
    assert_true(program_has(program, "status/elsewhere/one.json"));
}

static void test_status__goes_also_where_the_mcpserver_went_while_it_was_down(void **state) {
    struct program *program = *state;
    program_put(program, "objects/one.yaml", SERVER("u-1", "1", "transport: stdio"));
    program_start(program);
    wait_for_writes(program, 1);
    assert_int_equal(program_stop(program), 0);
    program_remove(program, "objects/one.yaml");
    program_start(program);
    program_wait_for_pass(program);
    assert_false(program_has(program, ONE));
}

static void test_status__restores_a_damaged_or_removed_file(void **state) {
    static const char *const damages[] = {"", "{", "{}\n", "[1,2]\n", "not JSON\n"};
    struct program *program = *state;
    program_put(program, "objects/one.yaml", SERVER("u-1", "1", "transport: stdio, replicas: 2"));
    program_start(program);
    wait_for_writes(program, 1);
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        program_write(program, ONE, damages[i]);
        program_wait_for_pass(program);
        assert_conditions(program, "True now", "True now");
    }
    program_remove(program, ONE);
    program_wait_for_pass(program);
    assert_conditions(program, "True now", "True now");
}

static void test_status__an_mcpserver_that_is_being_deleted_is_left_alone(void **state) {
    struct program *program = *state;
    program_put(program, "objects/one.yaml",
                "apiVersion: toolhive.stacklok.dev/v1beta1\nkind: MCPServer\nmetadata: {name: one, "
                "namespace: team, uid: u-1, deletionTimestamp: \"2026-11-22T10:00:00Z\"}\n"
                "spec: {image: x, transport: stdio, replicas: 2}\n");
    program_start(program);
    program_wait_for_pass(program);
    assert_false(program_has(program, ONE));
}

static void test_status__an_mcpserver_that_has_yet_to_get_a_name_is_left_alone(void **state) {
    struct program *program = *state;
    program_put(program, "objects/one.yaml",
                "apiVersion: toolhive.stacklok.dev/v1beta1\nkind: MCPServer\nmetadata: "
                "{generateName: one-, namespace: team}\nspec: {image: x, replicas: 2}\n");
    program_start(program);
    program_wait_for_pass(program);
    program_wait_for_log(program, "it has no metadata.name", 1);
    assert_false(program_has(program, "status/team/.json"));
}

/* The conditions describe the spec. The mode does not change them. */
static void test_status__follows_the_spec_whatever_the_mode(void **state) {
    struct program *program = *state;
    program_put(program, "policy.yaml",
                POLICY "stdioCap: {mode: \"off\"}\n"
                       "sessionStorage: {mode: \"off\"}\nexempt: [{namespace: team}]\n");
    program_put(program, "objects/one.yaml", SERVER("u-1", "1", "transport: stdio, replicas: 2"));
    program_start(program);
    wait_for_writes(program, 1);
    assert_conditions(program, "True now", "True now");
}

/* Nothing is removed either. */
static void test_status__is_not_written_while_the_policy_says_off(void **state) {
    struct program *program = *state;
    program_put(program, "policy.yaml", POLICY "conditions: {write: off}\n");
    program_put(program, "objects/one.yaml", SERVER("u-1", "1", "transport: stdio, replicas: 2"));
    program_put(program, "status/team/gone.json", "{}");
    program_start(program);
    program_signal(program, SIGHUP);
    program_wait_for_log(program, "\"source.reloaded\"", 2);
    assert_false(program_has(program, ONE));
    assert_true(program_has(program, "status/team/gone.json"));
    program_put(program, "policy.yaml", POLICY "conditions: {write: auto}\n");
    wait_for_writes(program, 1);
    assert_conditions(program, "True now", "True now");
}

static void test_status__a_folder_that_cannot_be_written_stops_nothing(void **state) {
    struct program *program = *state;
    struct verdict verdict;
    program_put(program, "objects/one.yaml", SERVER("u-1", "1", "transport: stdio, replicas: 2"));
    program_put(program, "status/team", "a file where the folder should be\n");
    program_start(program);
    program_wait_for_log(program, "\"status.refused\"", 1);
    wire_ask_sample(program, "02-MCPServer-CREATE-weather", &verdict);
    wire_assert(&verdict, "meanwhile", "", "session-storage");
    assert_true(program_metric(program, "capstan_status_writes_total{result=\"error\"}") >= 1);
    program_remove(program, "status/team");
    program_wait_for_pass(program);
    assert_conditions(program, "True now", "True now");
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_status__each_mcpserver_has_its_two_conditions),
        FRESH(test_status__nothing_is_written_where_nothing_differs),
        FRESH(test_status__the_time_moves_only_on_a_flip),
        FRESH(test_status__another_reason_without_a_flip_leaves_the_time),
        FRESH(test_status__a_new_object_of_the_same_name_begins_anew),
        FRESH(test_status__goes_with_its_mcpserver_and_takes_nothing_else_along),
        FRESH(test_status__goes_also_where_the_mcpserver_went_while_it_was_down),
        FRESH(test_status__restores_a_damaged_or_removed_file),
        FRESH(test_status__an_mcpserver_that_is_being_deleted_is_left_alone),
        FRESH(test_status__an_mcpserver_that_has_yet_to_get_a_name_is_left_alone),
        FRESH(test_status__follows_the_spec_whatever_the_mode),
        FRESH(test_status__is_not_written_while_the_policy_says_off),
        FRESH(test_status__a_folder_that_cannot_be_written_stops_nothing),
    };
    return cmocka_run_group_tests_name("wire/status", tests, NULL, NULL);
}
