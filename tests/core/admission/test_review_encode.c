// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "core/admission/review.h"
#include "core/core_fixtures.h"

enum { OUT_MAX = 16384 };

/* The answer as text. Free with free(). */
static char *encode_text(const char *uid, const struct decision *decision) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, OUT_MAX);
    review_encode(uid, decision, &out);
    assert_false(out.is_cut);
    return memory_copy(out.bytes, out.size);
}

/* The response within the answer. Free the answer with cJSON_Delete(). */
static const cJSON *encode(const struct decision *decision, cJSON **ret_answer) {
    AUTO_FREE char *text = encode_text("u", decision);
    *ret_answer = cJSON_Parse(text);
    assert_non_null(*ret_answer);
    const cJSON *response = cJSON_GetObjectItemCaseSensitive(*ret_answer, "response");
    assert_true(cJSON_IsObject(response));
    return response;
}

static const cJSON *at(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_at(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(at(object, key));
    assert_non_null(text);
    return text;
}

static void check_text(const struct decision *decision, const char *expected) {
    AUTO_FREE char *text = encode_text("u", decision);
    AUTO_FREE char *json = make_json(expected);
    assert_string_equal(text, json);
}

#define HEAD "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','response':{'uid':'u',"

static void test_review__an_answer_without_a_change_has_no_patch_and_no_patch_type(void **state) {
    (void)state;
    const struct decision decision = {.is_denied = false};
    check_text(&decision, HEAD "'allowed':true}}");
}

/* The base64 of [{"op":"add","path":"/spec/replicas","value":1}]. */
static void test_review__a_patch_is_base64_with_its_type(void **state) {
    (void)state;
    struct decision decision = {.is_denied = false};
    patch_set(&decision.patch, PATCH_REPLICAS, 1);
    check_text(&decision, HEAD "'allowed':true,'patchType':'JSONPatch','patch':"
                               "'W3sib3AiOiJhZGQiLCJwYXRoIjoiL3NwZWMvcmVwbGljYXMiLCJ2YWx1ZSI6MX1d"
                               "'}}");
}

static void test_review__a_denial_has_403_forbidden_and_the_message(void **state) {
    (void)state;
    const struct decision decision = {.is_denied = true,
                                      .message = "stdio-cap: one replica",
                                      .actions = {[RULE_STDIO_CAP] = ACTION_DENY},
                                      .steps = {[STEP_STDIO_CAP].note = "one replica"}};
    check_text(&decision, HEAD "'allowed':false,'status':{'code':403,'reason':'Forbidden',"
                               "'message':'stdio-cap: one replica'},"
                               "'auditAnnotations':{'stdio-cap':'one replica'}}}");
}

static void test_review__a_denial_never_has_a_patch(void **state) {
    (void)state;
    struct decision decision = {.is_denied = true, .message = "no"};
    cJSON *answer;
    patch_set(&decision.patch, PATCH_REPLICAS, 1);
    const cJSON *response = encode(&decision, &answer);
    assert_null(at(response, "patch"));
    assert_null(at(response, "patchType"));
    assert_true(cJSON_IsFalse(at(response, "allowed")));
    cJSON_Delete(answer);
}

static void test_review__warnings_stand_in_their_order(void **state) {
    (void)state;
    for (size_t n = 0; n <= DECISION_WARNINGS_MAX; n++) {
        const struct decision decision = {.warnings = {"first", "second", "third"},
                                          .n_warnings = n};
        cJSON *answer;
        const cJSON *warnings = at(encode(&decision, &answer), "warnings");
        assert_int_equal(cJSON_GetArraySize(warnings), n);
        assert_int_equal(warnings != NULL, n > 0);
        for (size_t i = 0; i < n; i++) {
            assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(warnings, (int)i)),
                                decision.warnings[i]);
        }
        cJSON_Delete(answer);
    }
}

static void test_review__audit_annotations_name_the_rules_that_acted(void **state) {
    (void)state;
    const struct decision decision = {
        .actions =
            {[RULE_REPLICA_PASSTHROUGH] = ACTION_PATCH, [RULE_SESSION_STORAGE] = ACTION_WARN},
        .steps = {[STEP_STDIO_CAP].note = "not said",
                  [STEP_REPLICA_PASSTHROUGH_UPDATE].note = "replicas 3, not 5",
                  [STEP_GRACE_PERIOD].note = "not said",
                  [STEP_SESSION_STORAGE].note = "2 replicas"},
    };
    cJSON *answer;
    const cJSON *notes = at(encode(&decision, &answer), "auditAnnotations");
    assert_int_equal(cJSON_GetArraySize(notes), 2);
    assert_string_equal(text_at(notes, "replica-passthrough"), "replicas 3, not 5");
    assert_string_equal(text_at(notes, "session-storage"), "2 replicas");
    cJSON_Delete(answer);
}

static void test_review__a_uid_comes_back_as_it_came(void **state) {
    (void)state;
    static const char *const rows[] = {
        "0b624e0d-c13e-4a53-b4bd-1cdabb83f873", "a\\\"b\\\\c\\/d",
        "\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f", "\\u00e4\\u20ac\\ud83d\\ude00\\uffff\\u2028",
        "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\\\",\\\"allowed\\\":false,\\\"x\\\":\\\"",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct decision decision = {.is_denied = false};
        char text[512];
        struct review review;
        struct error error;
        int size = snprintf(text, sizeof(text),
                            "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\","
                            "\"request\":{\"uid\":\"%s\"}}",
                            rows[i]);
        assert_true(review_decode(text, (size_t)size, &review, &error));
        AUTO_FREE char *answer_text = encode_text(review.uid, &decision);
        cJSON *answer = cJSON_Parse(answer_text);
        cJSON *request = cJSON_Parse(text);
        assert_string_equal(text_at(at(answer, "response"), "uid"),
                            text_at(at(request, "request"), "uid"));
        assert_true(cJSON_IsTrue(at(at(answer, "response"), "allowed")));
        cJSON_Delete(answer);
        cJSON_Delete(request);
    }
}

/* For any text in it, the answer is JSON and well-formed UTF-8, without raw control bytes. */
static void test_review__an_answer_is_sound_whatever_the_texts_are(void **state) {
    (void)state;
    const struct decision decision = {
        .is_denied = true,
        .message = "a\xff\"\n\x01\xed\xa0\x80",
        .warnings = {"\xc3", "\xf4\x90\x80\x80\\"},
        .n_warnings = 2,
        .actions = {[RULE_STDIO_CAP] = ACTION_DENY},
        .steps = {[STEP_STDIO_CAP].note = "\t\x80"},
    };
    AUTO_FREE char *text = encode_text("u\xfe\r", &decision);
    struct json_reader reader;
    struct error error;
    json_begin(&reader, text, strlen(text));
    json_skip(&reader);
    assert_true(json_finish(&reader, &error));
    cJSON *answer = cJSON_Parse(text);
    assert_string_equal(text_at(at(answer, "response"), "uid"), "u\xef\xbf\xbd\r");
    cJSON_Delete(answer);
}

static void test_review__the_largest_answer_is_small(void **state) {
    (void)state;
    struct decision decision = {.n_warnings = DECISION_WARNINGS_MAX};
    char uid[REVIEW_UID_SIZE];
    cJSON *answer;
    memset(uid, '\x01', sizeof(uid) - 1);
    uid[sizeof(uid) - 1] = '\0';
    for (int path = 0; path < PATCH_PATH_COUNT; path++) {
        patch_set(&decision.patch, (enum patch_path)path, INT64_MIN);
    }
    for (size_t i = 0; i < DECISION_WARNINGS_MAX; i++) {
        fill(decision.warnings[i], DECISION_WARNING_SIZE - 1);
    }
    for (size_t i = 0; i < RULE_COUNT; i++) {
        decision.actions[i] = ACTION_PATCH;
    }
    for (size_t i = 0; i < STEP_COUNT; i++) {
        fill(decision.steps[i].note, DECISION_NOTE_SIZE - 1);
    }
    AUTO_FREE char *text = encode_text(uid, &decision);
    assert_in_range(strlen(text), 2000, 4096);
    const cJSON *response = encode(&decision, &answer);
    assert_string_equal(text_at(response, "patchType"), "JSONPatch");
    assert_int_equal(strlen(text_at(response, "patch")) % 4, 0);
    assert_int_equal(cJSON_GetArraySize(at(response, "auditAnnotations")), RULE_COUNT);
    cJSON_Delete(answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_review__an_answer_without_a_change_has_no_patch_and_no_patch_type),
        cmocka_unit_test(test_review__a_patch_is_base64_with_its_type),
        cmocka_unit_test(test_review__a_denial_has_403_forbidden_and_the_message),
        cmocka_unit_test(test_review__a_denial_never_has_a_patch),
        cmocka_unit_test(test_review__warnings_stand_in_their_order),
        cmocka_unit_test(test_review__audit_annotations_name_the_rules_that_acted),
        cmocka_unit_test(test_review__a_uid_comes_back_as_it_came),
        cmocka_unit_test(test_review__an_answer_is_sound_whatever_the_texts_are),
        cmocka_unit_test(test_review__the_largest_answer_is_small),
    };
    return cmocka_run_group_tests_name("core/review_encode", tests, NULL, NULL);
}
