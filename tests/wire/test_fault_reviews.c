// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 6 and 12 to 23 of the fault model: reviews that are valid but odd. Each is a sample with one
 * change. github is stdio, so the cap applies to it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON_Utils.h>
#include <cmocka.h>

#include "base/memory.h"
#include "wire.h"

#define SERVER     "01-MCPServer-CREATE-github"
#define DEPLOYMENT "11-Deployment-UPDATE-github"
#define CREATED    "07-Deployment-CREATE-plain"
#define SCALE      "09-Scale-UPDATE-github"

#define REPLICAS "/request/object/spec/replicas"

/* One change of a sample, and the verdict. */
struct change {
    const char *sample;
    const char *path;
    const char *json; /* NULL removes the member */
    const char *patch;
    const char *warned;
};

static void assert_changes(void **state, const struct change *changes, size_t n_changes) {
    struct http_client client;
    struct verdict verdict;
    program_connect(*state, &client);
    for (size_t i = 0; i < n_changes; i++) {
        const struct change *change = &changes[i];
        char what[256];
        snprintf(what, sizeof(what), "%s with %s %s", change->sample, change->path,
                 change->json != NULL ? change->json : "removed");
        AUTO_FREE char *json = sample_with(change->sample, change->path, change->json);
        wire_post(&client, json, &verdict);
        wire_assert(&verdict, what, change->patch, change->warned);
    }
    http_client_close(&client);
}

static void test_wire__row_06_an_unknown_kind_is_allowed_and_logged_once(void **state) {
    static const struct change changes[] = {
        {DEPLOYMENT, "/request/kind/kind", "\"StatefulSet\"", "", ""},
        {DEPLOYMENT, "/request/kind/group", "\"extensions\"", "", ""},
        {DEPLOYMENT, "/request/kind", "null", "", ""},
        {DEPLOYMENT, "/request/kind", "[\"Deployment\"]", "", ""},
        {DEPLOYMENT, "/request/subResource", "\"status\"", "", ""},
        {SCALE, "/request/subResource", "\"status\"", "", ""},
        {SCALE, "/request/resource/resource", "\"statefulsets\"", "", ""},
        {SERVER, "/request/kind/group", "\"toolhive.stacklok.dev.example.com\"", "", ""},
        {SERVER, "/request/kind/kind", "\"MCPRegistry\"", "", ""},
    };
    assert_changes(state, changes, COUNT_OF(changes));
    assert_int_equal(program_count_log(*state, "\"review.unexpected\""), 1);
}

static void test_wire__row_12_replicas_beyond_32_bits_are_the_api_servers_to_refuse(void **state) {
    static const struct change changes[] = {
        {SERVER, REPLICAS, "2147483647", "", "stdio-cap,session-storage"},
        {SERVER, REPLICAS, "2147483648", "", ""},
        {SERVER, REPLICAS, "9223372036854775808", "", ""},
        {DEPLOYMENT, REPLICAS, "2147483647", PATCH_REPLICAS_TO_1, "stdio-cap"},
        {DEPLOYMENT, REPLICAS, "2147483648", "", ""},
        {SCALE, REPLICAS, "2147483647", PATCH_REPLICAS_TO_1, "stdio-cap"},
        {SCALE, REPLICAS, "2147483648", "", ""},
        {SCALE, REPLICAS, "1e400", "", ""},
    };
    assert_changes(state, changes, COUNT_OF(changes));
}

static void test_wire__row_13_an_integer_may_have_a_fraction_or_an_exponent(void **state) {
    static const struct change changes[] = {
        {SERVER, REPLICAS, "1e3", "", "stdio-cap,session-storage"},
        {SERVER, REPLICAS, "1.0", "", ""},
        {SERVER, REPLICAS, "2.0", "", "stdio-cap,session-storage"},
        {DEPLOYMENT, REPLICAS, "1e3", PATCH_REPLICAS_TO_1, "stdio-cap"},
        {DEPLOYMENT, REPLICAS, "10e-1", "", ""},
        {SCALE, REPLICAS, "1E+3", PATCH_REPLICAS_TO_1, "stdio-cap"},
        {SCALE, REPLICAS, "1.0", "", ""},
    };
    struct verdict verdict;
    assert_changes(state, changes, COUNT_OF(changes));
    AUTO_FREE char *json = sample_with(SERVER, REPLICAS, "1e3");
    wire_ask(*state, json, &verdict);
    assert_non_null(strstr(verdict.warnings, "not 1000"));
}

static void test_wire__row_14_replicas_that_are_no_count_change_nothing(void **state) {
    static const char *const samples[] = {SERVER, DEPLOYMENT, CREATED, SCALE};
    static const char *const values[] = {"-1",    "1.5", "\"2\"", "\"two\"", "true",
                                         "false", "[]",  "[3]",   "{}",      "{\"value\":3}"};
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        for (size_t j = 0; j < COUNT_OF(values); j++) {
            const struct change change = {samples[i], REPLICAS, values[j], "", ""};
            assert_changes(state, &change, 1);
        }
    }
}

static void test_wire__row_15_absent_replicas_of_a_scale_are_0(void **state) {
    static const struct change changes[] = {
        {SCALE, REPLICAS, NULL, "", ""},
        {SCALE, REPLICAS, "null", "", ""},
        {SCALE, REPLICAS, "0", "", ""},
        {SCALE, "/request/object/spec", "{}", "", ""},
        {SCALE, "/request/object/spec", "null", "", ""},
        {SCALE, "/request/object/spec", NULL, "", ""},
    };
    assert_changes(state, changes, COUNT_OF(changes));
}

/* wire_post() checks that every warning is printable ASCII of at most 120 bytes. */
static void test_wire__row_16_odd_names_come_to_no_harm(void **state) {
    static const char *const paths[] = {"/request/name", "/request/object/metadata/name",
                                        "/request/namespace", "/request/object/metadata/namespace",
                                        "/request/userInfo/username"};
    static const char *const names[] = {
        "\"a\\u0000b\"",      "\"a\\nb\\tc\"",        "\"\\u202egithub\"",
        "\"\\u001b[31mred\"", "\"\\\"quoted\\\"\"",   "\"\xf0\x9f\x98\x80\"",
        "\"\\ud83d\\ude00\"", "\"\x7f\xc2\x85\"",     "\"\"",
        "\"%s%n%s\"",         "\"../../etc/passwd\"", "7"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        for (size_t j = 0; j < COUNT_OF(names); j++) {
            const struct change change = {SERVER, paths[i], names[j], "",
                                          "stdio-cap,session-storage"};
            assert_changes(state, &change, 1);
        }
    }
    AUTO_FREE char *log = program_read(*state, "log");
    for (const char *byte = log; *byte != '\0'; byte++) {
        assert_true(*byte == '\n' || ((unsigned char)*byte >= ' ' && *byte != '\x7f'));
    }
    for (char *rest, *line = strtok_r(log, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        cJSON *event = cJSON_Parse(line);
        assert_non_null(event);
        cJSON_Delete(event);
    }
}

static void test_wire__row_16_a_name_of_any_length_comes_to_no_harm(void **state) {
    static const size_t sizes[] = {62, 63, 64, 252, 253, 254, 255, 511, 512, 4096, 100000};
    struct verdict verdict;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        AUTO_FREE char *name = memory_new(sizes[i] + 3, 1);
        memset(name, 'n', sizes[i] + 2);
        name[0] = name[sizes[i] + 1] = '"';
        const struct change user = {DEPLOYMENT, "/request/userInfo/username", name,
                                    PATCH_REPLICAS_TO_1, "stdio-cap"};
        assert_changes(state, &user, 1);
        /* The Deployment's name differs from its MCPServer's, so it is not ours. One that is too long
           may be anybody's. */
        bool is_name = sizes[i] <= 253;
        cJSON *review = sample_load(DEPLOYMENT);
        sample_set(review, "/request/name", name);
        sample_set(review, "/request/object/metadata/name", name);
        AUTO_FREE char *json = sample_print(review);
        wire_ask(*state, json, &verdict);
        wire_assert(&verdict, name, "", is_name ? "" : "unresolved");
        cJSON_Delete(review);
    }
}

static void test_wire__row_16_a_uid_comes_back_as_it_was(void **state) {
    static const char *const uids[][2] = {
        {"\"a\\nb\"", "a\nb"},
        {"\"\\u202e\"", "\xe2\x80\xae"},
        {"\"\\\"\\\\\\/\"", "\"\\/"},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
        {"\"\\u0001\\u001f\\u007f\"", "\x01\x1f\x7f"},
    };
    struct verdict verdict;
    for (size_t i = 0; i < COUNT_OF(uids); i++) {
        AUTO_FREE char *json = sample_with(SERVER, "/request/uid", uids[i][0]);
        wire_ask(*state, json, &verdict);
        assert_int_equal(verdict.status, 200);
        assert_string_equal(verdict.uid, uids[i][1]);
    }
}

static void test_wire__row_17_an_object_that_is_null_where_it_should_not_be(void **state) {
    static const struct change changes[] = {
        {SERVER, "/request/object", "null", "", ""},
        {CREATED, "/request/object", "null", "", ""},
        {DEPLOYMENT, "/request/object", "null", "", ""},
        {SCALE, "/request/object", "null", "", ""},
        {SCALE, "/request/object", NULL, "", ""},
        {SERVER, "/request/object", "\"text\"", "", ""},
        {DEPLOYMENT, "/request/object", "[]", "", ""},
        {DEPLOYMENT, "/request/object", "{}", "", ""},
        {"04-MCPServer-UPDATE-github", "/request/oldObject", "null", "", ""},
        /* The cap needs no old object. A Scale does: the selector in its old object makes it
           ours. */
        {DEPLOYMENT, "/request/oldObject", "null", PATCH_REPLICAS_TO_1, "stdio-cap"},
        {SCALE, "/request/oldObject", "null", "", ""},
        {SCALE, "/request/oldObject", "7", "", ""},
        {SERVER, "/request/userInfo", "null", "", "stdio-cap,session-storage"},
        {SERVER, "/request/operation", "null", "", ""},
    };
    assert_changes(state, changes, COUNT_OF(changes));
}

static void test_wire__row_18_a_delete_is_never_touched(void **state) {
    static const char *const samples[] = {SERVER, CREATED, DEPLOYMENT, SCALE};
    static const char *const operations[] = {"\"DELETE\"", "\"CONNECT\"", "\"delete\""};
    struct verdict verdict;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        for (size_t j = 0; j < COUNT_OF(operations); j++) {
            const struct change change = {samples[i], "/request/operation", operations[j], "", ""};
            assert_changes(state, &change, 1);
        }
        /* kube-apiserver sends it like this. */
        cJSON *review = sample_load(samples[i]);
        cJSON *request = cJSON_GetObjectItemCaseSensitive(review, "request");
        cJSON *object = cJSON_DetachItemFromObjectCaseSensitive(request, "object");
        cJSON_ReplaceItemInObjectCaseSensitive(request, "oldObject", object);
        sample_set(review, "/request/object", "null");
        sample_set(review, "/request/operation", "\"DELETE\"");
        AUTO_FREE char *json = sample_print(review);
        wire_ask(*state, json, &verdict);
        wire_assert(&verdict, samples[i], "", "");
        cJSON_Delete(review);
    }
}

static void test_wire__row_19_a_dry_run_gets_the_same_answer_byte_by_byte(void **state) {
    static const char *const samples[] = {SERVER, CREATED, DEPLOYMENT, SCALE};
    struct verdict real;
    struct verdict dry;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        AUTO_FREE char *json = sample_with(samples[i], "/request/dryRun", "true");
        wire_ask_sample(*state, samples[i], &real);
        wire_ask(*state, json, &dry);
        assert_string_equal(dry.body, real.body);
        wire_ask_sample(*state, samples[i], &real);
        assert_string_equal(real.body, dry.body);
    }
}

static void test_wire__row_20_without_a_name_nothing_is_looked_up_by_it(void **state) {
    struct verdict verdict;
    cJSON *review = sample_load(CREATED);
    sample_set(review, "/request/name", NULL);
    sample_set(review, "/request/object/metadata/name", NULL);
    sample_set(review, "/request/object/metadata/generateName", "\"plain-\"");
    AUTO_FREE char *deployment = sample_print(review);
    wire_ask(*state, deployment, &verdict);
    wire_assert(&verdict, "a Deployment", "", "");
    cJSON_Delete(review);

    review = sample_load(SERVER);
    sample_set(review, "/request/name", NULL);
    sample_set(review, "/request/object/metadata/name", NULL);
    sample_set(review, "/request/object/metadata/generateName", "\"github-\"");
    AUTO_FREE char *server = sample_print(review);
    wire_ask(*state, server, &verdict);
    wire_assert(&verdict, "an MCPServer", "", "stdio-cap,session-storage");
    cJSON_Delete(review);
}

static cJSON *object_of(cJSON *review) {
    cJSON *request = cJSON_GetObjectItemCaseSensitive(review, "request");
    return cJSON_GetObjectItemCaseSensitive(request, "object");
}

/* Posts the review, applies the patch to it, and returns the verdict. */
static void admit(void **state, cJSON *review, struct verdict *ret_verdict) {
    AUTO_FREE char *json = sample_print(review);
    wire_ask(*state, json, ret_verdict);
    assert_int_equal(ret_verdict->status, 200);
    if (ret_verdict->patch[0] != '\0') {
        cJSON *patch = cJSON_Parse(ret_verdict->patch);
        assert_int_equal(cJSONUtils_ApplyPatchesCaseSensitive(object_of(review), patch), 0);
        cJSON_Delete(patch);
    }
}

static void test_wire__row_21_a_patch_changes_the_count_and_nothing_else(void **state) {
    static const char *const annotations[] = {
        NULL, "{}", "{\"kept\":\"1\"}",
        "{\"toolhive.stacklok.dev/mcpserver-generation\":\"1\",\"a/b~c\":\"\"}"};
    for (size_t i = 0; i < COUNT_OF(annotations); i++) {
        struct verdict verdict;
        cJSON *review = sample_load(CREATED);
        sample_set(review, "/request/object/metadata/annotations", annotations[i]);
        sample_set(review, "/request/object/spec/template/metadata/annotations", annotations[i]);
        AUTO_FREE char *before = sample_print(review);
        admit(state, review, &verdict);
        assert_string_equal(verdict.patch, PATCH_REPLICAS_TO_1);
        cJSON *expected = cJSON_Parse(before);
        sample_set(expected, REPLICAS, NULL);
        cJSON_AddNumberToObject(cJSON_GetObjectItemCaseSensitive(object_of(expected), "spec"),
                                "replicas", 1);
        AUTO_FREE char *after = sample_print(review);
        cJSON *is = cJSON_Parse(after);
        assert_true(cJSON_Compare(is, expected, true));
        cJSON_Delete(is);
        cJSON_Delete(expected);
        cJSON_Delete(review);
    }
}

static void test_wire__row_22_a_patched_object_is_not_patched_again(void **state) {
    static const char *const samples[] = {"05-Deployment-CREATE-github", CREATED, DEPLOYMENT,
                                          SCALE};
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        struct verdict verdict;
        cJSON *review = sample_load(samples[i]);
        admit(state, review, &verdict);
        assert_string_equal(verdict.patch, PATCH_REPLICAS_TO_1);
        admit(state, review, &verdict);
        assert_string_equal(verdict.patch, "");
        cJSON_Delete(review);
    }
}

/* Capstan keeps no memory of its answers. The same review gets the same answer, however often
   another webhook undoes it. */
static void test_wire__row_23_another_webhooks_change_is_answered_like_the_first(void **state) {
    struct verdict first;
    struct verdict again;
    for (int round = 0; round < 3; round++) {
        cJSON *review = sample_load(DEPLOYMENT);
        admit(state, review, &first);
        sample_set(review, REPLICAS, "4");
        admit(state, review, &again);
        assert_string_equal(again.body, first.body);
        cJSON_Delete(review);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire__row_06_an_unknown_kind_is_allowed_and_logged_once),
        cmocka_unit_test(test_wire__row_12_replicas_beyond_32_bits_are_the_api_servers_to_refuse),
        cmocka_unit_test(test_wire__row_13_an_integer_may_have_a_fraction_or_an_exponent),
        cmocka_unit_test(test_wire__row_14_replicas_that_are_no_count_change_nothing),
        cmocka_unit_test(test_wire__row_15_absent_replicas_of_a_scale_are_0),
        cmocka_unit_test(test_wire__row_16_odd_names_come_to_no_harm),
        cmocka_unit_test(test_wire__row_16_a_name_of_any_length_comes_to_no_harm),
        cmocka_unit_test(test_wire__row_16_a_uid_comes_back_as_it_was),
        cmocka_unit_test(test_wire__row_17_an_object_that_is_null_where_it_should_not_be),
        cmocka_unit_test(test_wire__row_18_a_delete_is_never_touched),
        cmocka_unit_test(test_wire__row_19_a_dry_run_gets_the_same_answer_byte_by_byte),
        cmocka_unit_test(test_wire__row_20_without_a_name_nothing_is_looked_up_by_it),
        cmocka_unit_test(test_wire__row_21_a_patch_changes_the_count_and_nothing_else),
        cmocka_unit_test(test_wire__row_22_a_patched_object_is_not_patched_again),
        cmocka_unit_test(test_wire__row_23_another_webhooks_change_is_answered_like_the_first),
    };
    return cmocka_run_group_tests_name("wire/fault_reviews", tests, program_setup,
                                       program_teardown);
}
