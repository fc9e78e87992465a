// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 27, 28, 29, 31 and 32 of the fault model: peers that speak another protocol, peers that
 * vanish, and crowds of peers.
 */

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/memory.h"
#include "wire.h"

enum {
    DESCRIPTORS = 64,
    CROWD = 200,
    RESETS = 100,
    WATCH_MS = 1000,
    SPIN_TICKS = 30, /* a third of one processor; a spinning thread takes all of it */
    KEEPALIVE_MAX_TICKS = 3000,
};

/* A literal without its NUL, and its size. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static void assert_serves(const struct program *program) {
    struct verdict verdict;
    wire_ask_sample(program, "10-Scale-UPDATE-weather", &verdict);
    assert_int_equal(verdict.status, 200);
}

static void test_wire__row_27_plain_bytes_are_closed_and_counted_and_not_logged(void **state) {
    static const struct {
        const char *name;
        const char *bytes;
        size_t size;
    } rows[] = {
        {"plain HTTP", BYTES("POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")},
        {"HTTP/2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
        {"SSH", BYTES("SSH-2.0-OpenSSH_9.2p1\r\n")},
        {"SSLv2", BYTES("\x80\x0c\x01\x00\x02\x00\x03\x00\x00\x00\x00\x01\x00\x80")},
        {"a record of 65535 bytes", BYTES("\x16\x03\x01\xff\xff\x01\x00\xff\xfb")},
        {"an empty hello", BYTES("\x16\x03\x01\x00\x04\x01\x00\x00\x00")},
        {"an alert", BYTES("\x15\x03\x01\x00\x02\x02\x28")},
        {"zeros", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")},
        {"ones", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff")},
    };
    const struct program *program = *state;
    size_t n_lines = program_count_log(program, "");
    const char *const series = "capstan_http_connections_without_request_total";
    int64_t n_before = program_metric(program, series);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_client client;
        http_client_open(&client, program->webhook_port);
        http_client_send(&client, rows[i].bytes, rows[i].size);
        if (!http_client_sees_end(&client, 3000)) {
            fail_msg("%s: still open", rows[i].name);
        }
        http_client_close(&client);
    }
    assert_serves(program);
    assert_int_equal(program_metric(program, series), n_before + (int64_t)COUNT_OF(rows));
    assert_int_equal(program_count_log(program, ""), n_lines);
}

static void test_wire__row_27_random_bytes_are_closed(void **state) {
    const struct program *program = *state;
    srandom(27);
    for (int round = 0; round < 100; round++) {
        struct http_client client;
        char bytes[2048];
        size_t size = (size_t)random() % sizeof(bytes);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (char)random();
        }
        http_client_open(&client, program->webhook_port);
        http_client_send(&client, bytes, size);
        shutdown(client.fd, SHUT_WR);
        assert_true(http_client_sees_end(&client, 3000));
        http_client_close(&client);
    }
    assert_serves(program);
}

/* Garbage inside TLS, after a good handshake. */
static void test_wire__row_27_garbage_after_the_handshake_is_closed(void **state) {
    static const char *const lines[] = {"\x01\x02\x03\r\n\r\n", "\r\n\r\nGARBAGE\r\n\r\n",
                                        "POST\r\n\r\n", "POST /mutate\r\n\r\n",
                                        "POST /mutate HTTP/9.9\r\n\r\n"};
    struct http_client client;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        program_connect(*state, &client);
        http_client_send_text(&client, lines[i]);
        assert_true(http_client_sees_end(&client, 3000));
        http_client_close(&client);
    }
    program_connect(*state, &client);
    assert_int_equal(send(client.fd, "garbage garbage", 15, MSG_NOSIGNAL), 15);
    assert_true(http_client_sees_end(&client, 3000));
    http_client_close(&client);
    assert_serves(*state);
}

static void test_wire__row_28_a_reset_at_any_time_ends_nothing_but_its_connection(void **state) {
    const struct program *program = *state;
    AUTO_FREE char *review = sample_read("11-Deployment-UPDATE-github");
    char head[128];
    snprintf(head, sizeof(head), "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
             strlen(review));
    for (int round = 0; round < RESETS; round++) {
        struct http_client client;
        program_connect(program, &client);
        wire_send(&client, head, review, round % 2 == 0 ? strlen(review) : strlen(review) / 2);
        /* The resets fall between before the read of the request and after its answer. */
        http_sleep_ms(round % 5 == 4 ? 1 : 0);
        http_client_reset(&client);
    }
    for (int round = 0; round < RESETS; round++) {
        struct http_client client;
        program_connect(program, &client);
        /* The answers to the later requests find the connection gone. */
        for (int i = 0; i < 8; i++) {
            wire_send(&client, head, review, strlen(review));
        }
        http_client_reset(&client);
    }
    assert_true(program_is_running(program));
    assert_serves(program);
}

static void test_wire__row_28_sigpipe_is_ignored(void **state) {
    const struct program *program = *state;
    char output[256];
    char command[128];
    unsigned long long ignored = 0;
    snprintf(command, sizeof(command), "grep SigIgn /proc/%d/status", (int)program->pid);
    assert_int_equal(program_shell(program, command, output, sizeof(output)), 0);
    assert_int_equal(sscanf(output, "SigIgn: %llx", &ignored), 1);
    assert_true((ignored & 0x1000) != 0);
}

/* For each socket the kernel shows the running timer (2 is keepalive, or a delayed ACK) and its due
   time in ticks of 10 ms. Without the option, an idle socket has no timer. With the kernel's
   default, it is due after two hours. */
static void test_wire__row_29_a_silent_peer_is_probed_within_30_s(void **state) {
    const struct program *program = *state;
    struct http_client client;
    struct sockaddr_in self;
    socklen_t size = sizeof(self);
    char command[256];
    char output[256];
    unsigned timer = 0;
    unsigned due = 0;
    program_connect(program, &client);
    assert_int_equal(getsockname(client.fd, (struct sockaddr *)&self, &size), 0);
    http_sleep_ms(300); /* the kernel has sent delayed ACKs by then */
    snprintf(command, sizeof(command),
             "grep -h '0100007F:%04X [^ ]*0100007F:%04X 01 ' /proc/net/tcp /proc/net/tcp6",
             program->webhook_port, ntohs(self.sin_port));
    assert_int_equal(program_shell(program, command, output, sizeof(output)), 0);
    assert_int_equal(sscanf(output, "%*s %*s %*s %*s %*s %x:%x", &timer, &due), 2);
    assert_int_equal(timer, 2);
    assert_in_range(due, 1, KEEPALIVE_MAX_TICKS);
    http_client_close(&client);
}

static void assert_does_not_spin(const struct program *program) {
    int64_t before = program_cpu_ticks(program);
    http_sleep_ms(WATCH_MS);
    assert_true(program_cpu_ticks(program) - before <= SPIN_TICKS);
}

/* The program then takes fewer connections on the webhook port, so that the probes have room. */
static void test_wire__row_31_with_few_descriptors_newcomers_and_probes_are_served(void **state) {
    (void)state;
    static const char get_healthz[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    struct program program;
    AUTO_FREE struct http_client *crowd = memory_new(CROWD, sizeof(*crowd));
    program_init(&program);
    program_put_sample(&program, "mcpservers-live.json");
    program.descriptors_max = DESCRIPTORS;
    program_start(&program);
    size_t n_lines = program_count_log(&program, "");
    for (size_t i = 0; i < CROWD; i++) {
        http_client_open(&crowd[i], program.webhook_port);
    }
    assert_serves(&program);
    assert_int_equal(http_client_ask_once(program.probe_port, get_healthz), 200);
    assert_does_not_spin(&program);
    assert_true(program_metric(&program, "capstan_http_connections") <= DESCRIPTORS / 4);
    assert_int_equal(program_count_log(&program, ""), n_lines);
    for (size_t i = 0; i < CROWD; i++) {
        http_client_close(&crowd[i]);
    }
    assert_serves(&program);
    assert_int_equal(program_stop(&program), 0);
    program_fini(&program);
}

static void test_wire__row_32_a_client_of_http_2_alone_is_refused(void **state) {
    char output[8192];
    int status = program_shell(*state,
                               "timeout 10 openssl s_client -connect 127.0.0.1:$PORT -alpn h2 "
                               "-CAfile $FOLDER/certs/ca.crt </dev/null",
                               output, sizeof(output));
    assert_int_equal(status, 1);
    /* The client sends its hello and gets nothing back, not even a certificate. */
    assert_non_null(strstr(output, "No ALPN negotiated"));
    assert_non_null(strstr(output, "SSL handshake has read 0 bytes and written "));
    assert_serves(*state);
}

static void test_wire__row_32_a_client_of_both_gets_http_1_1(void **state) {
    static const char *const offers[] = {"h2,http/1.1", "http/1.1", "h2,spdy/3,http/1.1,http/1.0"};
    for (size_t i = 0; i < COUNT_OF(offers); i++) {
        char command[256];
        char output[8192];
        snprintf(command, sizeof(command),
                 "timeout 10 openssl s_client -connect 127.0.0.1:$PORT -alpn %s "
                 "-CAfile $FOLDER/certs/ca.crt </dev/null",
                 offers[i]);
        assert_int_equal(program_shell(*state, command, output, sizeof(output)), 0);
        assert_non_null(strstr(output, "ALPN protocol: http/1.1"));
    }
}

static void test_wire__row_32_an_http_2_preface_is_closed(void **state) {
    struct http_client client;
    program_connect(*state, &client);
    assert_true(http_client_send_text(&client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    assert_true(http_client_sees_end(&client, 3000));
    http_client_close(&client);
    assert_serves(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire__row_27_plain_bytes_are_closed_and_counted_and_not_logged),
        cmocka_unit_test(test_wire__row_27_random_bytes_are_closed),
        cmocka_unit_test(test_wire__row_27_garbage_after_the_handshake_is_closed),
        cmocka_unit_test(test_wire__row_28_a_reset_at_any_time_ends_nothing_but_its_connection),
        cmocka_unit_test(test_wire__row_28_sigpipe_is_ignored),
        cmocka_unit_test(test_wire__row_29_a_silent_peer_is_probed_within_30_s),
        cmocka_unit_test(test_wire__row_31_with_few_descriptors_newcomers_and_probes_are_served),
        cmocka_unit_test(test_wire__row_32_a_client_of_http_2_alone_is_refused),
        cmocka_unit_test(test_wire__row_32_a_client_of_both_gets_http_1_1),
        cmocka_unit_test(test_wire__row_32_an_http_2_preface_is_closed),
    };
    return cmocka_run_group_tests_name("wire/fault_connections", tests, program_setup,
                                       program_teardown);
}
