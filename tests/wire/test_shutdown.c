// SPDX-License-Identifier: Apache-2.0

/*
 * The probes and the end of the program. It becomes unready at once, serves on for --shutdown-delay
 * with `Connection: close`, then exits with status 0 and loses no request.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "wire.h"

#define SAMPLE "10-Scale-UPDATE-weather"

enum { DELAY_MS = 1500, LATE_MS = 4000 };

static int set_up(void **state) {
    struct program *program = memory_new(1, sizeof(*program));
    *state = program;
    program_init(program);
    program_put_sample(program, "mcpservers-live.json");
    return 0;
}

static int tear_down(void **state) {
    program_fini(*state);
    free(*state);
    return 0;
}

static int probe(const struct program *program, const char *request) {
    return http_client_ask_once(program->probe_port, request);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static void wait_for_draining(const struct program *program) {
    program_wait_for_log(program, "\"serve.draining\"", 1);
}

static void test_shutdown__the_probes_are_two(void **state) {
    struct program *program = *state;
    program_start(program);
    assert_int_equal(probe(program, GET("/healthz")), 200);
    assert_int_equal(probe(program, GET("/readyz")), 200);
    assert_int_equal(probe(program, GET("/readyz?verbose")), 200);
    assert_int_equal(probe(program, GET("/")), 404);
    assert_int_equal(probe(program, GET("/mutate")), 404);
    assert_int_equal(probe(program, GET("/metrics")), 404);
    assert_int_equal(probe(program, "POST /readyz HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    assert_int_equal(http_client_ask_once(program->metrics_port, GET("/metrics")), 200);
    assert_int_equal(http_client_ask_once(program->metrics_port, GET("/readyz")), 404);
    assert_int_equal(program_stop(program), 0);
}

static void assert_answer_closes(struct http_client *client) {
    struct verdict verdict;
    AUTO_FREE char *review = sample_read(SAMPLE);
    wire_post(client, review, &verdict);
    wire_assert(&verdict, "while draining", "", "");
    assert_true(http_answer_has(&verdict.head, "Connection: close"));
    assert_true(http_client_sees_end(client, 1000));
    http_client_close(client);
}

static void test_shutdown__serves_on_while_it_is_unready_and_then_ends_with_0(void **state) {
    struct program *program = *state;
    struct http_client open;
    struct http_client idle;
    struct http_client late;
    program->shutdown_delay = "1500ms";
    program_start(program);
    program_connect(program, &open);
    program_connect(program, &idle);
    int64_t began_ms = http_now_ms();
    program_signal(program, SIGTERM);
    wait_for_draining(program);
    assert_int_equal(probe(program, GET("/readyz")), 503);
    assert_int_equal(probe(program, GET("/healthz")), 200);
    assert_answer_closes(&open);
    program_connect(program, &late);
    assert_answer_closes(&late);
    /* The program leaves idle connections alone: kube-apiserver may be about to use one. */
    assert_false(http_client_sees_end(&idle, 200));
    assert_true(program_is_running(program));
    assert_int_equal(program_wait(program), 0);
    int64_t took_ms = http_now_ms() - began_ms;
    assert_in_range(took_ms, DELAY_MS - 20, DELAY_MS + LATE_MS);
    assert_true(http_client_sees_end(&idle, 1000));
    http_client_close(&idle);
    assert_int_equal(program_count_log(program, "\"serve.draining\",\"milliseconds\":1500"), 1);
    assert_int_equal(program_count_log(program, "\"serve.stopped\""), 1);
}

static void test_shutdown__a_second_signal_ends_the_wait_and_sighup_does_not(void **state) {
    static const int signals[][2] = {
        {SIGTERM, SIGTERM}, {SIGTERM, SIGINT}, {SIGINT, SIGINT}, {SIGINT, SIGTERM}};
    struct program *program = *state;
    program->shutdown_delay = "1h";
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        program_start(program);
        program_signal(program, signals[i][0]);
        program_wait_for_log(program, "\"serve.draining\"", i + 1);
        program_signal(program, SIGHUP);
        assert_int_equal(probe(program, GET("/readyz")), 503);
        http_sleep_ms(50);
        assert_true(program_is_running(program));
        program_signal(program, signals[i][1]);
        assert_int_equal(program_wait(program), 0);
    }
}

static void test_shutdown__a_request_under_way_gets_its_answer(void **state) {
    struct program *program = *state;
    struct http_client client;
    struct verdict verdict;
    char head[128];
    AUTO_FREE char *review = sample_read(SAMPLE);
    size_t size = strlen(review);
    program_start(program); /* without any delay */
    program_connect(program, &client);
    snprintf(head, sizeof(head), "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
             size);
    wire_send(&client, head, review, size / 2);
    /* No sign outside shows that the program has read the first half. */
    http_sleep_ms(300);
    program_signal(program, SIGTERM);
    wait_for_draining(program);
    assert_true(http_client_send(&client, review + size / 2, size - size / 2));
    wire_read(&client, &verdict);
    wire_assert(&verdict, "the second half", "", "");
    assert_true(http_answer_has(&verdict.head, "Connection: close"));
    http_client_close(&client);
    assert_int_equal(program_wait(program), 0);
}

/* An unfinished request delays the end by 2 s and no longer. */
static void test_shutdown__does_not_wait_for_ever(void **state) {
    struct program *program = *state;
    struct http_client client;
    program_start(program);
    program_connect(program, &client);
    assert_true(http_client_send_text(
        &client, "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"));
    int64_t began_ms = http_now_ms();
    program_signal(program, SIGTERM);
    assert_int_equal(program_wait(program), 0);
    assert_in_range(http_now_ms() - began_ms, 0, 2000 + LATE_MS);
    http_client_close(&client);
}

static void test_shutdown__loses_no_request_of_a_busy_client(void **state) {
    struct program *program = *state;
    AUTO_FREE char *review = sample_read(SAMPLE);
    struct http_client client;
    struct verdict verdict;
    program->shutdown_delay = "1h";
    program_start(program);
    program_connect(program, &client);
    int64_t until_ms = http_now_ms() + 10000;
    for (int n_closed = 0, i = 0; n_closed < 20; i++) {
        assert_true(http_now_ms() < until_ms);
        if (i == 100) {
            program_signal(program, SIGTERM);
        }
        wire_post(&client, review, &verdict);
        wire_assert(&verdict, "busy", "", "");
        if (http_answer_has(&verdict.head, "Connection: close")) {
            n_closed++;
            http_client_close(&client);
            program_connect(program, &client);
        }
    }
    http_client_close(&client);
    assert_int_equal(program_stop(program), 0);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_shutdown__the_probes_are_two),
        FRESH(test_shutdown__serves_on_while_it_is_unready_and_then_ends_with_0),
        FRESH(test_shutdown__a_second_signal_ends_the_wait_and_sighup_does_not),
        FRESH(test_shutdown__a_request_under_way_gets_its_answer),
        FRESH(test_shutdown__does_not_wait_for_ever),
        FRESH(test_shutdown__loses_no_request_of_a_busy_client),
    };
    return cmocka_run_group_tests_name("wire/shutdown", tests, NULL, NULL);
}
