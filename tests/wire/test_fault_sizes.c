// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 7 to 10 of the fault model: bodies that are large or deep, at the limits and one past them.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "wire.h"

enum {
    BODY_MAX = 32 << 20,
    BODIES_MAX = 96 << 20,
    SMALL_MAX = 32 << 10, /* not counted */
    CHUNK = 1 << 20,
    /* kube-apiserver sends a text of 2.9 MB like this as 17.4 MB. */
    ESCAPES = 2900000,
    ANSWER_WITHIN_MS = 1000,
    ANSWER_WITHIN_SANITIZED_MS = 8000,
    MEMORY_LEFT_KIB = 2048,
};

static int64_t answer_within_ms(void) {
    return program_is_sanitized() ? ANSWER_WITHIN_SANITIZED_MS : ANSWER_WITHIN_MS;
}

/* A valid review, followed by white space up to the size. */
static char *make_padded(size_t size) {
    AUTO_FREE char *review = sample_read("01-MCPServer-CREATE-github");
    char *body = memory_new(size + 1, 1);
    memset(body, ' ', size);
    memcpy(body, review, strlen(review));
    return body;
}

static void send_chunked(struct http_client *client, const char *body, size_t size) {
    assert_true(http_client_send_text(
        client, "POST /mutate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (size_t sent = 0; sent < size;) {
        char line[32];
        size_t piece = size - sent < CHUNK ? size - sent : CHUNK;
        snprintf(line, sizeof(line), "%zx\r\n", piece);
        wire_send(client, line, body + sent, piece);
        assert_true(http_client_send_text(client, "\r\n"));
        sent += piece;
    }
    assert_true(http_client_send_text(client, "0\r\n\r\n"));
}

static void assert_too_large(struct http_client *client) {
    struct verdict verdict;
    wire_read(client, &verdict);
    assert_int_equal(verdict.status, 413);
    assert_true(http_answer_has(&verdict.head, "Connection: close"));
    assert_true(http_client_sees_end(client, 2000));
    http_client_close(client);
}

static void test_wire__row_07_a_body_of_32_mib_is_read(void **state) {
    AUTO_FREE char *body = make_padded(BODY_MAX);
    struct http_client client;
    struct verdict verdict;
    program_connect(*state, &client);
    wire_post_bytes(&client, body, BODY_MAX, &verdict);
    wire_assert(&verdict, "32 MiB", "", "stdio-cap,session-storage");
    http_client_close(&client);
}

static void test_wire__row_07_a_body_over_32_mib_is_413_before_it_is_read(void **state) {
    static const char *const lengths[] = {"33554433", "4294967296", "9223372036854775807",
                                          "9223372036854775808", "99999999999999999999999"};
    int64_t n_before = program_metric(*state, "capstan_http_too_large_total");
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct http_client client;
        char head[128];
        snprintf(head, sizeof(head),
                 "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n", lengths[i]);
        program_connect(*state, &client);
        assert_true(http_client_send_text(&client, head));
        assert_too_large(&client);
    }
    assert_int_equal(program_metric(*state, "capstan_http_too_large_total"),
                     n_before + (int64_t)COUNT_OF(lengths));
}

/* A client that does not know Expect sends the whole body before it reads the answer. */
static void test_wire__row_07_a_client_that_sends_all_of_a_larger_body_gets_the_413_too(
    void **state) {
    AUTO_FREE char *body = make_padded(BODY_MAX + CHUNK);
    for (int i = 0; i < 5; i++) {
        struct http_client client;
        char head[128];
        snprintf(head, sizeof(head),
                 "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
                 BODY_MAX + CHUNK);
        program_connect(*state, &client);
        wire_send(&client, head, body, BODY_MAX + CHUNK);
        assert_too_large(&client);
    }
}

static void test_wire__row_08_a_chunked_body_without_end_is_cut_off(void **state) {
    enum { CUT_BY = 2 * BODIES_MAX / CHUNK };
    AUTO_FREE char *piece = memory_new(CHUNK, 1);
    struct http_client client;
    char line[32];
    int n = 0;
    snprintf(line, sizeof(line), "%x\r\n", CHUNK);
    program_connect(*state, &client);
    assert_true(http_client_send_text(
        &client, "POST /mutate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
    while (n < CUT_BY && http_client_send_text(&client, line) &&
           http_client_send(&client, piece, CHUNK) && http_client_send_text(&client, "\r\n")) {
        n++;
    }
    assert_in_range(n, BODIES_MAX / CHUNK - 1, CUT_BY - 1);
    http_client_close(&client);
}

static void test_wire__row_08_a_chunked_body_of_32_mib_is_read(void **state) {
    AUTO_FREE char *body = make_padded(BODY_MAX);
    struct http_client client;
    struct verdict verdict;
    program_connect(*state, &client);
    send_chunked(&client, body, BODY_MAX);
    wire_read(&client, &verdict);
    wire_assert(&verdict, "32 MiB", "", "stdio-cap,session-storage");
    http_client_close(&client);
}

static void test_wire__row_08_a_chunked_body_over_32_mib_is_413(void **state) {
    AUTO_FREE char *body = make_padded(BODY_MAX + 1);
    struct http_client client;
    int64_t n = program_metric(*state, "capstan_http_too_large_total");
    program_connect(*state, &client);
    send_chunked(&client, body, BODY_MAX + 1);
    assert_too_large(&client);
    assert_int_equal(program_metric(*state, "capstan_http_too_large_total"), n + 1);
}

/* Sends a body without its last byte. */
static void begin_body(const struct program *program, struct http_client *client, const char *body,
                       size_t size) {
    char head[128];
    snprintf(head, sizeof(head), "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
             size);
    program_connect(program, client);
    wire_send(client, head, body, size - 1);
}

static void test_wire__row_08_bodies_beyond_96_mib_in_flight_are_503_and_reviews_are_not(
    void **state) {
    AUTO_FREE char *body = make_padded(BODY_MAX);
    AUTO_FREE char *review = sample_read("raw-Deployment-UPDATE-16k");
    struct http_client clients[BODIES_MAX / BODY_MAX];
    struct http_client late;
    struct verdict verdict;
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        begin_body(*state, &clients[i], body, BODY_MAX);
    }
    /* The next request shows when these bodies have taken the whole budget. */
    int64_t until_ms = http_now_ms() + 5000;
    do {
        program_connect(*state, &late);
        wire_post_bytes(&late, body, SMALL_MAX + 128 * 1024, &verdict);
        http_client_close(&late);
    } while (verdict.status == 200 && http_now_ms() < until_ms);
    assert_int_equal(verdict.status, 503);
    assert_true(program_metric(*state, "capstan_http_over_budget_total") >= 1);
    /* The first 32 KiB of a body are not counted. */
    int64_t began_ms = http_now_ms();
    program_connect(*state, &late);
    wire_post(&late, review, &verdict);
    http_client_close(&late);
    assert_int_equal(verdict.status, 200);
    assert_true(http_now_ms() - began_ms < answer_within_ms());
    program_connect(*state, &late);
    wire_post_bytes(&late, body, SMALL_MAX, &verdict);
    http_client_close(&late);
    assert_int_equal(verdict.status, 200);
    /* The bodies within the budget get answers, and then give their share back. */
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        assert_true(http_client_send(&clients[i], " ", 1));
        wire_read(&clients[i], &verdict);
        wire_assert(&verdict, "in time", "", "stdio-cap,session-storage");
        http_client_close(&clients[i]);
    }
    wire_ask(*state, review, &verdict);
    assert_int_equal(verdict.status, 200);
}

/* A sample with a text of many `<`, which Go writes as \u003c. */
static char *make_escaped(size_t *ret_size) {
    static const char mark[] = "\"debug\"";
    static const char escape[] = "\\u003c";
    AUTO_FREE char *review = sample_read("01-MCPServer-CREATE-github");
    const char *at = strstr(review, mark);
    assert_non_null(at);
    size_t head = (size_t)(at - review) + 1;
    size_t escapes = ESCAPES * strlen(escape);
    *ret_size = strlen(review) + escapes;
    char *body = memory_new(*ret_size + 1, 1);
    memcpy(body, review, head);
    for (size_t i = 0; i < ESCAPES; i++) {
        memcpy(body + head + i * strlen(escape), escape, strlen(escape));
    }
    strcpy(body + head + escapes, review + head);
    return body;
}

/* Runs more than once: the program may keep memory from the first body for the second. */
static void test_wire__row_09_17_mb_are_allowed_within_a_second_and_memory_returns(void **state) {
    const struct program *program = *state;
    size_t size;
    AUTO_FREE char *body = make_escaped(&size);
    struct http_client client;
    struct verdict verdict;
    assert_true(size > 17400000);
    program_connect(program, &client);
    wire_post(&client, "{}", &verdict);
    int64_t before_kib = program_memory_kib(program, "VmRSS");
    for (int i = 0; i < 3; i++) {
        int64_t began_ms = http_now_ms();
        wire_post_bytes(&client, body, size, &verdict);
        int64_t took_ms = http_now_ms() - began_ms;
        wire_assert(&verdict, "17 MB", "", "stdio-cap,session-storage");
        int64_t after_kib = program_memory_kib(program, "VmRSS");
        print_message("17.4 MB answered in %lld ms; RSS %lld KiB before, %lld KiB after\n",
                      (long long)took_ms, (long long)before_kib, (long long)after_kib);
        assert_true(took_ms <= answer_within_ms());
        assert_true(program_is_sanitized() || after_kib <= before_kib + MEMORY_LEFT_KIB);
    }
    http_client_close(&client);
    if (program_is_sanitized()) {
        print_message("NOT CHECKED in a build with sanitizers: the memory\n");
    }
}

/* `n` levels of lists or objects around a 1. */
static char *make_nest(const char *open, const char *close, size_t n) {
    size_t sizes[] = {strlen(open), strlen(close)};
    char *nest = memory_new((sizes[0] + sizes[1]) * n + 2, 1);
    char *at = nest;
    for (size_t i = 0; i < n; i++, at += sizes[0]) {
        memcpy(at, open, sizes[0]);
    }
    *at++ = '1';
    for (size_t i = 0; i < n; i++, at += sizes[1]) {
        memcpy(at, close, sizes[1]);
    }
    return nest;
}

static void test_wire__row_10_an_object_nested_9900_deep_is_allowed(void **state) {
    static const char *const brackets[][2] = {{"[", "]"}, {"{\"a\":", "}"}};
    struct verdict verdict;
    for (size_t i = 0; i < COUNT_OF(brackets); i++) {
        AUTO_FREE char *nest = make_nest(brackets[i][0], brackets[i][1], 9900);
        cJSON *review = sample_load("01-MCPServer-CREATE-github");
        sample_set(review, "/request/object/spec/podTemplateSpec", nest);
        AUTO_FREE char *json = sample_print(review);
        cJSON_Delete(review);
        int64_t began_ms = http_now_ms();
        wire_ask(*state, json, &verdict);
        assert_true(http_now_ms() - began_ms <= answer_within_ms());
        wire_assert(&verdict, brackets[i][0], "", "stdio-cap,session-storage");
    }
}

static void test_wire__row_10_a_depth_of_10240_is_read_and_one_more_is_400(void **state) {
    static const char *const brackets[][2] = {{"[", "]"}, {"{\"a\":", "}"}};
    /* The review, the request, the object and its spec enclose it. */
    static const size_t around = 4;
    struct verdict verdict;
    for (size_t i = 0; i < 2 * COUNT_OF(brackets); i++) {
        bool is_past = i % 2 == 1;
        AUTO_FREE char *nest =
            make_nest(brackets[i / 2][0], brackets[i / 2][1], JSON_DEPTH_MAX - around + is_past);
        AUTO_FREE char *json =
            sample_with("01-MCPServer-CREATE-github", "/request/object/spec/podTemplateSpec", nest);
        wire_ask(*state, json, &verdict);
        assert_int_equal(verdict.status, is_past ? 400 : 200);
    }
    assert_int_equal(JSON_DEPTH_MAX, 10240);
}

/* The body is full of opening brackets. */
static void test_wire__row_10_32_mib_of_brackets_are_400(void **state) {
    static const char brackets[] = {'[', '{'};
    for (size_t i = 0; i < COUNT_OF(brackets); i++) {
        AUTO_FREE char *body = memory_new(BODY_MAX, 1);
        struct http_client client;
        struct verdict verdict;
        memset(body, brackets[i], BODY_MAX);
        program_connect(*state, &client);
        wire_post_bytes(&client, body, BODY_MAX, &verdict);
        assert_int_equal(verdict.status, 400);
        http_client_close(&client);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire__row_09_17_mb_are_allowed_within_a_second_and_memory_returns),
        cmocka_unit_test(test_wire__row_07_a_body_of_32_mib_is_read),
        cmocka_unit_test(test_wire__row_07_a_body_over_32_mib_is_413_before_it_is_read),
        cmocka_unit_test(
            test_wire__row_07_a_client_that_sends_all_of_a_larger_body_gets_the_413_too),
        cmocka_unit_test(test_wire__row_08_a_chunked_body_of_32_mib_is_read),
        cmocka_unit_test(test_wire__row_08_a_chunked_body_without_end_is_cut_off),
        cmocka_unit_test(test_wire__row_08_a_chunked_body_over_32_mib_is_413),
        cmocka_unit_test(
            test_wire__row_08_bodies_beyond_96_mib_in_flight_are_503_and_reviews_are_not),
        cmocka_unit_test(test_wire__row_10_an_object_nested_9900_deep_is_allowed),
        cmocka_unit_test(test_wire__row_10_a_depth_of_10240_is_read_and_one_more_is_400),
        cmocka_unit_test(test_wire__row_10_32_mib_of_brackets_are_400),
    };
    /* A write to a closed connection must fail a claim, not end the test. */
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("wire/fault_sizes", tests, program_setup, program_teardown);
}
