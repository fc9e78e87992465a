// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 1 to 5, 11 and 33 of the fault model: malformed requests. (README.md here has the whole
 * table.) One connection carries them all. This also shows that a refusal leaves the next request
 * whole.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "wire.h"

enum { UID_MAX = 256 };

struct body_row {
    const char *name;
    const char *bytes;
};

static void assert_status(struct http_client *client, const char *name, const char *bytes,
                          size_t size, int status) {
    struct verdict verdict;
    wire_post_bytes(client, bytes, size, &verdict);
    if (verdict.status != status) {
        fail_msg("%s: status %d, not %d: %s", name, verdict.status, status, verdict.body);
    }
    assert_true(verdict.body_size > 0);
}

static void assert_refused(void **state, const struct body_row *rows, size_t n_rows) {
    struct http_client client;
    program_connect(*state, &client);
    for (size_t i = 0; i < n_rows; i++) {
        assert_status(&client, rows[i].name, rows[i].bytes, strlen(rows[i].bytes), 400);
    }
    AUTO_FREE char *good = sample_read("10-Scale-UPDATE-weather");
    assert_status(&client, "a good one", good, strlen(good), 200);
    http_client_close(&client);
}

static void test_wire__row_01_an_empty_body_is_400(void **state) {
    struct http_client client;
    struct verdict verdict;
    program_connect(*state, &client);
    wire_send(&client, "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "", 0);
    wire_read(&client, &verdict);
    assert_int_equal(verdict.status, 400);
    wire_send(&client, "POST /mutate HTTP/1.1\r\nHost: x\r\n\r\n", "", 0);
    wire_read(&client, &verdict);
    assert_int_equal(verdict.status, 400);
    wire_send(&client, "POST /mutate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
              "0\r\n\r\n", 5);
    wire_read(&client, &verdict);
    assert_int_equal(verdict.status, 400);
    http_client_close(&client);
}

static void test_wire__row_02_what_is_not_json_is_400(void **state) {
    static const struct body_row rows[] = {
        {"a word", "hello"},
        {"white space", " \r\n\t "},
        {"a brace", "{"},
        {"a brace that closes", "}"},
        {"single quotes", "{'apiVersion': 'admission.k8s.io/v1'}"},
        {"YAML", "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n"},
        {"a comma too many", "{\"apiVersion\":\"admission.k8s.io/v1\",}"},
        {"a comment", "{} // none"},
        {"two values", "{}{}"},
        {"a byte order mark", "\xef\xbb\xbf{}"},
        {"NaN", "{\"request\":NaN}"},
        {"a number with a leading zero", "{\"request\":01}"},
        {"HTML", "<html></html>"},
        {"gzip", "\x1f\x8b\x08"},
        {"bytes that are no UTF-8", "{\"a\":\"\xff\xfe\"}"},
        {"a surrogate as UTF-8", "{\"a\":\"\xed\xa0\x80\"}"},
        {"an overlong form", "{\"a\":\"\xc0\xaf\"}"},
        {"half a surrogate pair", "{\"a\":\"\\ud800\"}"},
        {"an escape that is none", "{\"a\":\"\\x41\"}"},
        {"a line break in a string", "{\"a\":\"\n\"}"},
    };
    assert_refused(state, rows, COUNT_OF(rows));
}

static void test_wire__row_02_json_that_is_cut_off_at_any_byte_is_400(void **state) {
    AUTO_FREE char *review = sample_read("10-Scale-UPDATE-weather");
    struct http_client client;
    size_t size = strlen(review);
    while (size > 0 && review[size - 1] == '\n') {
        size--;
    }
    program_connect(*state, &client);
    for (size_t cut = 1; cut < size; cut++) {
        assert_status(&client, "cut off", review, cut, 400);
    }
    assert_status(&client, "whole", review, size, 200);
    http_client_close(&client);
}

static void test_wire__row_02_a_nul_byte_is_400(void **state) {
    AUTO_FREE char *review = sample_read("10-Scale-UPDATE-weather");
    struct http_client client;
    size_t size = strlen(review);
    program_connect(*state, &client);
    assert_status(&client, "behind it", review, size + 1, 400);
    review[size / 2] = '\0';
    assert_status(&client, "in it", review, size, 400);
    http_client_close(&client);
}

#define REVIEW "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\""

static void test_wire__row_03_a_review_without_a_request_is_400(void **state) {
    static const struct body_row rows[] = {
        {"none", REVIEW "}"},
        {"null", REVIEW ",\"request\":null}"},
        {"a list", REVIEW ",\"request\":[{\"uid\":\"u\"}]}"},
        {"a string", REVIEW ",\"request\":\"u\"}"},
        {"another case", REVIEW ",\"Request\":{\"uid\":\"u\"}}"},
        {"an answer", REVIEW ",\"response\":{\"uid\":\"u\",\"allowed\":true}}"},
        {"an empty object", "{}"},
        {"a list of reviews", "[" REVIEW ",\"request\":{\"uid\":\"u\"}}]"},
        {"null alone", "null"},
    };
    assert_refused(state, rows, COUNT_OF(rows));
}

static void test_wire__row_04_a_request_without_a_usable_uid_is_400(void **state) {
    static const struct body_row rows[] = {
        {"none", REVIEW ",\"request\":{}}"},
        {"empty", REVIEW ",\"request\":{\"uid\":\"\"}}"},
        {"null", REVIEW ",\"request\":{\"uid\":null}}"},
        {"a number", REVIEW ",\"request\":{\"uid\":7}}"},
        {"a list", REVIEW ",\"request\":{\"uid\":[\"u\"]}}"},
        {"another case", REVIEW ",\"request\":{\"UID\":\"u\"}}"},
        {"a NUL in it", REVIEW ",\"request\":{\"uid\":\"u\\u0000u\"}}"},
        {"outside of the request", REVIEW ",\"uid\":\"u\",\"request\":{}}"},
    };
    assert_refused(state, rows, COUNT_OF(rows));
}

static void post_uid(struct http_client *client, size_t size, int status) {
    char body[1024];
    char uid[UID_MAX + 2] = "";
    struct verdict verdict;
    memset(uid, 'u', size);
    snprintf(body, sizeof(body), REVIEW ",\"request\":{\"uid\":\"%s\"}}", uid);
    wire_post(client, body, &verdict);
    assert_int_equal(verdict.status, status);
    if (status == 200) {
        assert_string_equal(verdict.uid, uid);
    }
}

static void test_wire__row_04_a_uid_of_256_bytes_is_answered_and_one_more_is_400(void **state) {
    struct http_client client;
    program_connect(*state, &client);
    post_uid(&client, 1, 200);
    post_uid(&client, UID_MAX, 200);
    post_uid(&client, UID_MAX + 1, 400);
    http_client_close(&client);
}

static void test_wire__row_05_another_version_or_kind_is_400_and_says_why(void **state) {
    static const char *const versions[] = {"\"admission.k8s.io/v1beta1\"",
                                           "\"admission.k8s.io/v2\"",
                                           "\"v1\"",
                                           "\"admission.k8s.io/v1 \"",
                                           "\"Admission.k8s.io/v1\"",
                                           "1",
                                           "null",
                                           NULL};
    static const char *const kinds[] = {"\"AdmissionRequest\"", "\"List\"", "\"admissionreview\"",
                                        "{}", NULL};
    struct http_client client;
    struct verdict verdict;
    program_connect(*state, &client);
    for (size_t i = 0; i < COUNT_OF(versions) + COUNT_OF(kinds); i++) {
        bool is_version = i < COUNT_OF(versions);
        const char *value = is_version ? versions[i] : kinds[i - COUNT_OF(versions)];
        AUTO_FREE char *review =
            sample_with("10-Scale-UPDATE-weather", is_version ? "/apiVersion" : "/kind", value);
        wire_post(&client, review, &verdict);
        assert_int_equal(verdict.status, 400);
        assert_non_null(strstr(verdict.body, "admission.k8s.io/v1"));
    }
    http_client_close(&client);
}

/* kube-apiserver writes no key twice. For another client, the last one counts. */
static void test_wire__row_11_of_duplicate_keys_the_last_one_counts(void **state) {
    static const struct {
        const char *first;
        const char *second;
        const char *warned;
    } rows[] = {{"1", "3", "stdio-cap,session-storage"}, {"3", "1", ""}, {"3", "\"3\"", ""}};
    struct verdict verdict;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cJSON *review = sample_load("01-MCPServer-CREATE-github");
        sample_set(review, "/request/object/spec/replicas", rows[i].first);
        sample_add(review, "/request/object/spec/replicas", rows[i].second);
        sample_add(review, "/request/uid", "\"the-last-one\"");
        AUTO_FREE char *json = sample_print(review);
        wire_ask(*state, json, &verdict);
        wire_assert(&verdict, rows[i].second, "", rows[i].warned);
        assert_string_equal(verdict.uid, "the-last-one");
        cJSON_Delete(review);
    }
}

static void test_wire__row_11_a_duplicate_request_or_object_is_answered(void **state) {
    static const char *const paths[] = {
        "/request",           "/request/object", "/request/object/spec",
        "/request/oldObject", "/request/kind",   "/kind"};
    struct http_client client;
    struct verdict verdict;
    program_connect(*state, &client);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        cJSON *review = sample_load("11-Deployment-UPDATE-github");
        cJSON *twin = cJSON_Duplicate(review, true);
        const cJSON *value = twin;
        AUTO_FREE char *path = memory_copy(paths[i], strlen(paths[i]));
        for (char *rest, *key = strtok_r(path, "/", &rest); key != NULL;
             key = strtok_r(NULL, "/", &rest)) {
            value = cJSON_GetObjectItemCaseSensitive(value, key);
        }
        AUTO_FREE char *copy = cJSON_PrintUnformatted(value);
        sample_add(review, paths[i], copy);
        AUTO_FREE char *json = sample_print(review);
        wire_post(&client, json, &verdict);
        /* The two values are equal, so the verdict stays. */
        wire_assert(&verdict, paths[i], PATCH_REPLICAS_TO_1, "stdio-cap");
        cJSON_Delete(twin);
        cJSON_Delete(review);
    }
    http_client_close(&client);
}

static void assert_head(void **state, const char *line, int status, const char *header) {
    struct http_client client;
    struct http_answer answer;
    char body[4096];
    char head[512];
    AUTO_FREE char *review = sample_read("10-Scale-UPDATE-weather");
    program_connect(*state, &client);
    snprintf(head, sizeof(head), "%s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", line,
             strlen(review));
    wire_send(&client, head, review, strlen(review));
    assert_true(strncmp(line, "HEAD ", 5) == 0
                    ? http_client_read_head(&client, &answer)
                    : http_client_read_whole(&client, &answer, body, sizeof(body)));
    if (answer.status != status) {
        fail_msg("%s: status %d, not %d", line, answer.status, status);
    }
    assert_true(header == NULL || http_answer_has(&answer, header));
    assert_false(http_answer_has(&answer, "Retry-After"));
    http_client_close(&client);
}

static void test_wire__row_33_another_method_is_405(void **state) {
    static const char *const methods[] = {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        char line[64];
        snprintf(line, sizeof(line), "%s /mutate?timeout=10s", methods[i]);
        assert_head(state, line, 405, "Allow: POST");
    }
}

static void test_wire__row_33_another_path_is_404(void **state) {
    static const char *const paths[] = {"/",           "/mutate/",  "//mutate",     "/Mutate",
                                        "/mutate%2f",  "/%6dutate", "/./mutate",    "/x/../mutate",
                                        "/mutate;a=b", "/metrics",  "/healthz",     "/readyz",
                                        "/mutate%00",  "/validate", "/mutatemutate"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        char line[64];
        snprintf(line, sizeof(line), "POST %s", paths[i]);
        assert_head(state, line, 404, NULL);
    }
}

static void test_wire__row_33_garbage_in_the_query_is_ignored(void **state) {
    static const char *const queries[] = {"?",
                                          "?timeout",
                                          "?timeout=",
                                          "?timeout=10s",
                                          "?timeout=1500ms",
                                          "?timeout=10",
                                          "?timeout=-1s",
                                          "?timeout=0s",
                                          "?timeout=abc",
                                          "?timeout=99999999999999999999s",
                                          "?timeout=10s&timeout=20s",
                                          "?dryRun=All&=&&&a",
                                          "?%zz=%",
                                          "?a=%00",
                                          "?timeout=10s?timeout=20s"};
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        char line[128];
        snprintf(line, sizeof(line), "POST /mutate%s", queries[i]);
        assert_head(state, line, 200, NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire__row_01_an_empty_body_is_400),
        cmocka_unit_test(test_wire__row_02_what_is_not_json_is_400),
        cmocka_unit_test(test_wire__row_02_json_that_is_cut_off_at_any_byte_is_400),
        cmocka_unit_test(test_wire__row_02_a_nul_byte_is_400),
        cmocka_unit_test(test_wire__row_03_a_review_without_a_request_is_400),
        cmocka_unit_test(test_wire__row_04_a_request_without_a_usable_uid_is_400),
        cmocka_unit_test(test_wire__row_04_a_uid_of_256_bytes_is_answered_and_one_more_is_400),
        cmocka_unit_test(test_wire__row_05_another_version_or_kind_is_400_and_says_why),
        cmocka_unit_test(test_wire__row_11_of_duplicate_keys_the_last_one_counts),
        cmocka_unit_test(test_wire__row_11_a_duplicate_request_or_object_is_answered),
        cmocka_unit_test(test_wire__row_33_another_method_is_405),
        cmocka_unit_test(test_wire__row_33_another_path_is_404),
        cmocka_unit_test(test_wire__row_33_garbage_in_the_query_is_ignored),
    };
    return cmocka_run_group_tests_name("wire/fault_bodies", tests, program_setup, program_teardown);
}
