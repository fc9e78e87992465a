// SPDX-License-Identifier: Apache-2.0

/*
 * The golden cases, and laws that hold for each of them. Each case is a test.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON_Utils.h>
#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/memory.h"
#include "case.h"
#include "core/admission/decide.h"
#include "edge/file.h"

enum { CASES_MIN = 450, ANSWER_MAX = 64 * 1024 };

/* Decides about a review in JSON text. A review that does not decode fails the test. */
static void judge(const struct golden_case *golden, const char *review_json,
                  struct review *ret_review, struct decision *ret_decision) {
    struct subject subject;
    struct error error;
    if (!review_decode(review_json, strlen(review_json), ret_review, &error)) {
        fail_msg("%s: %s", golden->path, error.text);
    }
    subject_find(golden->facts, ret_review, NULL, &subject);
    decide(golden->policy, ret_review, &subject, golden->now, ret_decision);
}

/* The response to a review, as a tree. */
static cJSON *answer(const struct golden_case *golden, const char *review_json) {
    AUTO(buffer_fini) struct buffer out;
    struct review review;
    struct decision decision;
    judge(golden, review_json, &review, &decision);
    buffer_init(&out, ANSWER_MAX);
    review_encode(review.uid, &decision, &out);
    cJSON *document = cJSON_ParseWithLength(out.bytes, out.size);
    assert_non_null(document);
    cJSON *response = cJSON_DetachItemFromObjectCaseSensitive(document, "response");
    assert_non_null(response);
    cJSON_Delete(document);
    return response;
}

static char *decode_base64(const char *text) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = memory_new(strlen(text) + 1, 1);
    size_t n_out = 0;
    unsigned bits = 0;
    int n_bits = 0;
    for (; *text != '\0' && *text != '='; text++) {
        bits = bits << 6 | (unsigned)(strchr(digits, *text) - digits);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[n_out++] = (char)(bits >> n_bits & 0xff);
        }
    }
    return out;
}

/* The patch of a response; NULL if it has none. */
static cJSON *patch_of(const cJSON *response) {
    const cJSON *patch = cJSON_GetObjectItemCaseSensitive(response, "patch");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(response, "patchType");
    assert_int_equal(patch == NULL, type == NULL);
    if (patch == NULL) {
        return NULL;
    }
    assert_string_equal(type->valuestring, "JSONPatch");
    char *json = decode_base64(patch->valuestring);
    cJSON *tree = cJSON_Parse(json);
    assert_non_null(tree);
    free(json);
    return tree;
}

static void assert_same(const char *what, const cJSON *is, const cJSON *expected) {
    if (!cJSON_Compare(is, expected, true)) {
        char *is_text = cJSON_PrintUnformatted(is);
        char *expected_text = cJSON_PrintUnformatted(expected);
        fail_msg("%s is %s, expected %s", what, is_text == NULL ? "absent" : is_text,
                 expected_text == NULL ? "absent" : expected_text);
    }
}

static void check_allowed(const struct golden_case *golden, const cJSON *response) {
    const cJSON *allowed = cJSON_GetObjectItemCaseSensitive(golden->expect, "allowed");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(response, "status");
    bool is_allowed = allowed == NULL || cJSON_IsTrue(allowed);
    assert_int_equal(is_allowed,
                     cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(response, "allowed")));
    assert_int_equal(is_allowed, status == NULL);
    if (is_allowed) {
        return;
    }
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(status, "message");
    const cJSON *part;
    assert_same("code", cJSON_GetObjectItemCaseSensitive(status, "code"),
                cJSON_GetObjectItemCaseSensitive(golden->expect, "code"));
    cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(golden->expect, "message")) {
        if (strstr(message->valuestring, part->valuestring) == NULL) {
            fail_msg("message '%s' lacks '%s'", message->valuestring, part->valuestring);
        }
    }
}

static void check_warnings(const struct golden_case *golden, const cJSON *response) {
    const cJSON *warnings = cJSON_GetObjectItemCaseSensitive(response, "warnings");
    const cJSON *expected = cJSON_GetObjectItemCaseSensitive(golden->expect, "warnings");
    if (cJSON_GetArraySize(warnings) != cJSON_GetArraySize(expected)) {
        assert_same("warnings", warnings, expected);
    }
    for (int i = 0; i < cJSON_GetArraySize(warnings); i++) {
        const char *text = cJSON_GetArrayItem(warnings, i)->valuestring;
        const char *wanted = cJSON_GetArrayItem(expected, i)->valuestring;
        if (!case_warning_is(text, wanted)) {
            fail_msg("the warning is '%s', expected '%s'", text, wanted);
        }
        assert_true(strlen(text) <= 120);
        for (const char *byte = text; *byte != '\0'; byte++) {
            assert_true(*byte >= ' ' && *byte <= '~');
        }
    }
}

static void check_audit(const struct golden_case *golden, const cJSON *response) {
    const cJSON *annotations = cJSON_GetObjectItemCaseSensitive(response, "auditAnnotations");
    const cJSON *expected = cJSON_GetObjectItemCaseSensitive(golden->expect, "audit");
    cJSON *names = cJSON_CreateArray();
    cJSON *none = cJSON_CreateArray();
    const cJSON *item;
    cJSON_ArrayForEach(item, annotations) {
        assert_true(strlen(item->valuestring) > 0);
        cJSON_AddItemToArray(names, cJSON_CreateString(item->string));
    }
    assert_same("audit", names, expected != NULL ? expected : none);
    cJSON_Delete(names);
    cJSON_Delete(none);
}

static void check_verdict(const struct golden_case *golden, const cJSON *response) {
    const cJSON *expected = cJSON_GetObjectItemCaseSensitive(golden->expect, "patch");
    cJSON *patch = patch_of(response);
    check_allowed(golden, response);
    if (patch != NULL || cJSON_GetArraySize(expected) > 0) {
        assert_same("patch", patch, expected);
    }
    check_warnings(golden, response);
    check_audit(golden, response);
    cJSON_Delete(patch);
}

static void check_only_known_paths(const cJSON *patch) {
    static const char *const paths[] = {"/spec/replicas",
                                        "/spec/template/spec/terminationGracePeriodSeconds",
                                        "/spec/strategy",
                                        "/spec/strategy/rollingUpdate",
                                        "/spec/strategy/rollingUpdate/maxSurge",
                                        "/spec/strategy/rollingUpdate/maxUnavailable"};
    const cJSON *operation;
    cJSON_ArrayForEach(operation, patch) {
        const cJSON *path = cJSON_GetObjectItemCaseSensitive(operation, "path");
        size_t i = 0;
        while (i < COUNT_OF(paths) && strcmp(paths[i], path->valuestring) != 0) {
            i++;
        }
        assert_true(i < COUNT_OF(paths));
        assert_string_equal(cJSON_GetObjectItemCaseSensitive(operation, "op")->valuestring, "add");
    }
}

/* Changes the order of every object's members. The reverse order moves each of them. */
static void reverse_members(cJSON *tree) {
    cJSON *reversed = NULL;
    while (cJSON_IsObject(tree) && tree->child != NULL) {
        cJSON *item = cJSON_DetachItemViaPointer(tree, tree->child);
        reverse_members(item);
        item->next = reversed;
        reversed = item;
    }
    while (reversed != NULL) {
        cJSON *next = reversed->next;
        char *name = memory_copy(reversed->string, strlen(reversed->string));
        reversed->next = NULL;
        cJSON_AddItemToObject(tree, name, reversed);
        free(name);
        reversed = next;
    }
    for (cJSON *item = cJSON_IsArray(tree) ? tree->child : NULL; item != NULL; item = item->next) {
        reverse_members(item);
    }
}

static void law_order_of_keys(const struct golden_case *golden, const cJSON *response) {
    cJSON *review = cJSON_Parse(golden->review);
    reverse_members(review);
    char *text = cJSON_PrintUnformatted(review);
    cJSON *other = answer(golden, text);
    assert_same("the answer to reversed keys", other, response);
    cJSON_Delete(other);
    cJSON_Delete(review);
    free(text);
}

/* An API server keeps the first value of an audit annotation, and complains about another one. */
static void law_same_annotations(const cJSON *response, const cJSON *again) {
    const cJSON *first = cJSON_GetObjectItemCaseSensitive(response, "auditAnnotations");
    const cJSON *annotation;
    cJSON_ArrayForEach(annotation, cJSON_GetObjectItemCaseSensitive(again, "auditAnnotations")) {
        const cJSON *before = cJSON_GetObjectItemCaseSensitive(first, annotation->string);
        assert_non_null(before);
        assert_same(annotation->string, annotation, before);
    }
}

/* Another implementation can apply the patch. Capstan then leaves the result alone. */
static void law_patch_applies_once(const struct golden_case *golden, const cJSON *response) {
    cJSON *patch = patch_of(response);
    if (patch == NULL) {
        return;
    }
    check_only_known_paths(patch);
    cJSON *review = cJSON_Parse(golden->review);
    cJSON *request = cJSON_GetObjectItemCaseSensitive(review, "request");
    cJSON *object = cJSON_GetObjectItemCaseSensitive(request, "object");
    assert_int_equal(cJSONUtils_ApplyPatchesCaseSensitive(object, patch), 0);
    char *text = cJSON_PrintUnformatted(review);
    cJSON *again = answer(golden, text);
    assert_null(patch_of(again));
    law_same_annotations(response, again);
    cJSON_Delete(again);
    cJSON_Delete(review);
    cJSON_Delete(patch);
    free(text);
}

/* A step acts only on the kinds that its rule declares. */
static void law_declared_kinds(const struct review *review, const struct decision *decision) {
    for (int i = 0; i < STEP_COUNT; i++) {
        enum rule_id rule = decide_step_rule((enum step_id)i);
        assert_true(decision->steps[i].note[0] == '\0' || rule_is_about(rule, review->kind));
    }
}

static void test_case(void **state) {
    const struct golden_case *golden = *state;
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(golden->expect, "status");
    struct review review;
    struct decision decision;
    judge(golden, golden->review, &review, &decision);
    law_declared_kinds(&review, &decision);
    assert_int_equal(decision.fails, status != NULL);
    if (status != NULL) {
        assert_int_equal(status->valueint, 500);
        return;
    }
    cJSON *response = answer(golden, golden->review);
    cJSON *again = answer(golden, golden->review);
    check_verdict(golden, response);
    assert_same("the second answer", again, response);
    law_order_of_keys(golden, response);
    law_patch_applies_once(golden, response);
    cJSON_Delete(again);
    cJSON_Delete(response);
}

int main(void) {
    const char *folder = getenv("CAPSTAN_TESTS");
    AUTO(file_list_fini) struct file_list list = {.paths = NULL};
    struct error error;
    char root[4096];
    snprintf(root, sizeof(root), "%s/cases", folder == NULL ? "tests" : folder);
    if (!file_find(root, &list, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    if (list.n_paths < CASES_MIN) {
        fprintf(stderr, "%zu cases are fewer than %d\n", list.n_paths, CASES_MIN);
        return 1;
    }
    struct CMUnitTest *tests = memory_new(list.n_paths, sizeof(*tests));
    struct golden_case **cases = memory_new(list.n_paths, sizeof(*cases));
    for (size_t i = 0; i < list.n_paths; i++) {
        cases[i] = case_load(root, list.paths[i]);
        tests[i] = (struct CMUnitTest){
            .name = cases[i]->path, .test_func = test_case, .initial_state = cases[i]};
    }
    int failed = _cmocka_run_group_tests("core/cases", tests, list.n_paths, NULL, NULL);
    for (size_t i = 0; i < list.n_paths; i++) {
        case_free(cases[i]);
    }
    free(cases);
    free(tests);
    return failed;
}
