// SPDX-License-Identifier: Apache-2.0

/*
 * Row 31 of the fault model: as many peers as a port takes, none of which asks for anything. A
 * newcomer is answered within a second on any port.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/memory.h"
#include "wire.h"

enum {
    CONNECTIONS_MAX = 1024, /* the limits of the program */
    SIDE_CONNECTIONS_MAX = 64,
    SIDE_TIMEOUT_MS = 5000,
    DESCRIPTORS_OTHER = 320,
    FULL_MS = 5000,
    SERVED_WITHIN_MS = 1000,
    SERVED_WITHIN_SANITIZED_MS = 4000,
    EARLY_MS = 300,
    LATE_MS = 3000,
    WATCH_MS = 1000,
    SPIN_TICKS = 30, /* a third of one processor; a spinning thread takes all of it */
};

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static int64_t served_within_ms(void) {
    return program_is_sanitized() ? SERVED_WITHIN_SANITIZED_MS : SERVED_WITHIN_MS;
}

static void assert_newcomer_is_answered(uint16_t port, const char *request) {
    int64_t began_ms = http_now_ms();
    assert_int_equal(http_client_ask_once(port, request), 200);
    assert_true(http_now_ms() - began_ms < served_within_ms());
}

static void open_silent(struct http_client *clients, uint16_t port, const char *request) {
    const char *const beginnings[] = {"", request, "GET /", "GET / HTTP/1.1\r\nHost"};
    for (size_t i = 0; i < SIDE_CONNECTIONS_MAX; i++) {
        const char *beginning = beginnings[i % COUNT_OF(beginnings)];
        http_client_open(&clients[i], port);
        http_client_send_text(&clients[i], beginning);
    }
}

/* The first ones have left room for newcomers, and may have ended before. */
static void assert_ended(struct http_client *clients, int64_t began_ms) {
    assert_false(http_client_sees_end(&clients[SIDE_CONNECTIONS_MAX - 1],
                                      began_ms + SIDE_TIMEOUT_MS - EARLY_MS - http_now_ms()));
    for (size_t i = 0; i < SIDE_CONNECTIONS_MAX; i++) {
        int64_t left_ms = began_ms + SIDE_TIMEOUT_MS + LATE_MS - http_now_ms();
        assert_true(http_client_sees_end(&clients[i], left_ms > 100 ? left_ms : 100));
        http_client_close(&clients[i]);
    }
}

static void test_wire__row_31_64_silent_peers_of_a_side_port_leave_room_and_are_ended(
    void **state) {
    const struct program *program = *state;
    struct http_client probes[SIDE_CONNECTIONS_MAX];
    struct http_client metrics[SIDE_CONNECTIONS_MAX];
    open_silent(probes, program->probe_port, GET("/healthz"));
    open_silent(metrics, program->metrics_port, GET("/metrics"));
    int64_t began_ms = http_now_ms();
    for (int i = 0; i < 5; i++) {
        assert_newcomer_is_answered(program->probe_port, GET("/healthz"));
        assert_newcomer_is_answered(program->probe_port, GET("/readyz"));
        assert_newcomer_is_answered(program->metrics_port, GET("/metrics"));
    }
    assert_ended(probes, began_ms);
    assert_ended(metrics, began_ms);
}

static void assert_does_not_spin(const struct program *program) {
    int64_t before = program_cpu_ticks(program);
    http_sleep_ms(WATCH_MS);
    assert_true(program_cpu_ticks(program) - before <= SPIN_TICKS);
}

/* One request makes a connection last for the 150 s of an idle one. */
static void open_idle(const struct program *program, struct http_client *client) {
    struct http_answer answer;
    program_connect(program, client);
    http_client_ask(client, GET("/"), &answer);
    assert_int_equal(answer.status, 404);
}

static void test_wire__row_31_1024_idle_peers_of_the_webhook_port_leave_room(void **state) {
    (void)state;
    struct program program;
    AUTO_FREE struct http_client *crowd = memory_new(CONNECTIONS_MAX, sizeof(*crowd));
    struct http_client late;
    struct verdict verdict;
    AUTO_FREE char *review = sample_read("10-Scale-UPDATE-weather");
    program_init(&program);
    program_put_sample(&program, "mcpservers-live.json");
    program_start(&program);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        open_idle(&program, &crowd[i]);
    }
    program_wait_for_metric(&program, "capstan_http_connections", CONNECTIONS_MAX, CONNECTIONS_MAX);
    assert_int_equal(program_metric(&program, "capstan_http_connections_evicted_total"), 0);
    wire_post(&crowd[0], review, &verdict); /* it is the youngest from here on */
    assert_int_equal(verdict.status, 200);
    int64_t began_ms = http_now_ms();
    program_connect(&program, &late);
    wire_post(&late, review, &verdict);
    assert_int_equal(verdict.status, 200);
    assert_true(http_now_ms() - began_ms < served_within_ms());
    assert_true(http_client_sees_end(&crowd[1], 1000));
    assert_int_equal(program_metric(&program, "capstan_http_connections_evicted_total"), 1);
    assert_does_not_spin(&program);
    assert_int_equal(http_client_ask_once(program.probe_port, GET("/readyz")), 200);
    wire_post(&crowd[0], review, &verdict);
    assert_int_equal(verdict.status, 200);
    http_client_close(&late);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        http_client_close(&crowd[i]);
    }
    program_wait_for_metric(&program, "capstan_http_connections", 0, 0);
    assert_int_equal(program_stop(&program), 0);
    program_fini(&program);
}

static int ask_readyz(struct http_client *probe, char *ret_body, size_t size) {
    struct http_answer answer;
    assert_true(http_client_send_text(probe, GET("/readyz")));
    assert_true(http_client_read_whole(probe, &answer, ret_body, size));
    return answer.status;
}

/* Waits for the status on an open connection, since the probe port has no room either. */
static int64_t wait_for_readyz(struct http_client *probe, int status, char *ret_body, size_t size) {
    int64_t began_ms = http_now_ms();
    while (ask_readyz(probe, ret_body, size) != status) {
        assert_true(http_now_ms() - began_ms < FULL_MS + LATE_MS);
        http_sleep_ms(50);
    }
    return http_now_ms() - began_ms;
}

static void set_descriptors(const struct program *program, const struct rlimit *limit,
                            struct rlimit *ret_before) {
    assert_int_equal(prlimit(program->pid, RLIMIT_NOFILE, limit, ret_before), 0);
}

static rlim_t lowest_free_descriptor(const struct program *program) {
    char command[128];
    char output[64];
    snprintf(command, sizeof(command),
             "n=0; while [ -L /proc/%d/fd/$n ]; do n=$((n + 1)); done; echo $n", (int)program->pid);
    assert_int_equal(program_shell(program, command, output, sizeof(output)), 0);
    return (rlim_t)atoi(output);
}

/* No idle connection could make room: the program has no descriptor for a newcomer. */
static void test_wire__row_31_a_port_without_room_for_5_s_is_unready(void **state) {
    (void)state;
    struct program program;
    struct http_client probe;
    struct http_client newcomer;
    struct verdict verdict;
    struct rlimit before;
    char body[256];
    AUTO_FREE char *review = sample_read("10-Scale-UPDATE-weather");
    program_init(&program);
    program_put_sample(&program, "mcpservers-live.json");
    program_start(&program);
    http_client_open(&probe, program.probe_port);
    assert_int_equal(ask_readyz(&probe, body, sizeof(body)), 200);
    assert_string_equal(body, "ok\n");
    set_descriptors(&program, NULL, &before);
    const struct rlimit none = {.rlim_cur = lowest_free_descriptor(&program),
                                .rlim_max = before.rlim_max};
    set_descriptors(&program, &none, NULL);
    http_client_open(&newcomer, program.webhook_port);
    int64_t took_ms = wait_for_readyz(&probe, 503, body, sizeof(body));
    assert_in_range(took_ms, FULL_MS - EARLY_MS, FULL_MS + LATE_MS);
    assert_string_equal(body, "the webhook port has had no room for new connections for 5 s\n");
    set_descriptors(&program, &before, NULL);
    wait_for_readyz(&probe, 200, body, sizeof(body));
    assert_true(http_client_begin_tls(&newcomer, program.client));
    wire_post(&newcomer, review, &verdict);
    assert_int_equal(verdict.status, 200);
    http_client_close(&newcomer);
    http_client_close(&probe);
    assert_int_equal(program_stop(&program), 0);
    program_fini(&program);
}

static int set_up(void **state) {
    const rlim_t wanted = CONNECTIONS_MAX + DESCRIPTORS_OTHER;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < wanted) {
        print_error("%d descriptors are needed\n", (int)wanted);
        return -1;
    }
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) != 0 || program_setup(state) != 0 ? -1 : 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire__row_31_64_silent_peers_of_a_side_port_leave_room_and_are_ended),
        cmocka_unit_test(test_wire__row_31_1024_idle_peers_of_the_webhook_port_leave_room),
        cmocka_unit_test(test_wire__row_31_a_port_without_room_for_5_s_is_unready),
    };
    return cmocka_run_group_tests_name("wire/fault_room", tests, set_up, program_teardown);
}
