// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 24, 25, 26 and 30 of the fault model: slow peers. The limits are the program's own, 10 s
 * each. So the setup of the group runs all slow peers at once, and the tests look at the end of
 * each.
 *
 * In row 30, an idle connection must outlive the 90 s after which kube-apiserver closes it. That is
 * too long for a test. This one shows that no other limit ends the connection.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/memory.h"
#include "wire.h"

enum {
    ROUND_MS = 200,
    IDLE_MS = 12500, /* past every limit except its own */
    LONGEST_MS = 20000,
    EARLY_MS = 20,
    LATE_MS = 2000,
    HELLO_MAX = 1024,
    SLOW_HEADERS = 50,
    SERVED_WITHIN_MS = 1000,
    SERVED_WITHIN_SANITIZED_MS = 4000,
};

enum beginning { TCP, HALF_HELLO, NO_HELLO_YET, WHOLE_HELLO, TLS };

struct slow_row {
    int fault; /* its row in the fault model */
    const char *name;
    enum beginning beginning;
    const char *first; /* after the handshake */
    const char *drip;  /* sent again and again; NULL: silence */
    int64_t due_ms;
};

#define POST "POST /mutate HTTP/1.1\r\nHost: x\r\n"

static const struct slow_row rows[] = {
    {24, "headers that drip", TLS, POST "X: ", "a", 10000},
    {24, "headers that stop", TLS, POST, NULL, 10000},
    {24, "a request line that drips", TLS, "POST /", "a", 10000},
    {24, "a request line that stops", TLS, "PO", NULL, 10000},
    {24, "empty lines", TLS, "", "\r\n", 10000},
    {24, "no request", TLS, "", NULL, 10000},
    {25, "a body that drips", TLS, POST "Content-Length: 9999\r\n\r\n{", " ", 10000},
    {25, "a body that stops", TLS, POST "Content-Length: 9999\r\n\r\n{", NULL, 10000},
    {25, "no body", TLS, POST "Content-Length: 1\r\n\r\n", NULL, 10000},
    {25, "chunks that drip", TLS, POST "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", 10000},
    {25, "a chunk that drips", TLS, POST "Transfer-Encoding: chunked\r\n\r\nffff\r\n", " ", 10000},
    {25, "a body under ?timeout=2s", TLS,
     "POST /mutate?timeout=2s HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", " ", 2000},
    {25, "a body under ?timeout=30s", TLS,
     "POST /mutate?timeout=30s HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", " ", 10000},
    {26, "not a byte", TCP, "", NULL, 10000},
    {26, "half a hello", HALF_HELLO, "", NULL, 10000},
    {26, "a hello that drips", NO_HELLO_YET, "", NULL, 10000},
    {26, "a hello, and no more", WHOLE_HELLO, "", NULL, 10000},
};

struct slow_peer {
    const struct slow_row *row;
    struct http_client client;
    size_t n_sent; /* of the hello */
    int64_t began_ms;
    int64_t ended_ms; /* ms after its beginning; -1: still open */
};

struct ward {
    struct program program;
    size_t n_lines; /* of the log, at the beginning */
    struct slow_peer peers[COUNT_OF(rows) + SLOW_HEADERS];
    char hello[HELLO_MAX];
    size_t hello_size;
    int64_t slowest_ms; /* of the requests by other clients */
    struct http_client idle;
    bool has_idle_answer;
};

static void make_hello(struct ward *ward) {
    SSL *ssl = SSL_new(ward->program.client);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    assert_int_equal(SSL_connect(ssl), -1);
    int size = BIO_read(out, ward->hello, HELLO_MAX);
    assert_in_range(size, 100, HELLO_MAX - 1);
    ward->hello_size = (size_t)size;
    SSL_free(ssl);
}

static void begin(struct ward *ward, struct slow_peer *peer, const struct slow_row *row) {
    *peer = (struct slow_peer){.row = row, .began_ms = http_now_ms(), .ended_ms = -1};
    if (row->beginning == TLS) {
        program_connect(&ward->program, &peer->client);
        assert_true(http_client_send_text(&peer->client, row->first));
        return;
    }
    http_client_open(&peer->client, ward->program.webhook_port);
    if (row->beginning == HALF_HELLO) {
        peer->n_sent = ward->hello_size / 2;
    } else if (row->beginning == WHOLE_HELLO) {
        peer->n_sent = ward->hello_size;
    }
    assert_true(http_client_send(&peer->client, ward->hello, peer->n_sent));
}

/* A closed connection refuses the bytes. has_ended() then sees the end. */
static void drip(const struct ward *ward, struct slow_peer *peer) {
    if (peer->row->drip != NULL) {
        (void)http_client_send_text(&peer->client, peer->row->drip);
    } else if (peer->row->beginning == NO_HELLO_YET && peer->n_sent < ward->hello_size - 1) {
        (void)http_client_send(&peer->client, &ward->hello[peer->n_sent++], 1);
    }
}

static bool has_ended(const struct slow_peer *peer) {
    char ignored[4096];
    ssize_t n;
    while ((n = recv(peer->client.fd, ignored, sizeof(ignored), MSG_DONTWAIT)) > 0) {
    }
    return n == 0 || errno != EAGAIN;
}

/* One round: each peer sends a little, and another client's request gets its answer. Returns the
   number of open peers. */
static size_t go_on(struct ward *ward, const char *review) {
    struct verdict verdict;
    size_t n_open = 0;
    for (size_t i = 0; i < COUNT_OF(ward->peers); i++) {
        struct slow_peer *peer = &ward->peers[i];
        if (peer->ended_ms < 0 && has_ended(peer)) {
            peer->ended_ms = http_now_ms() - peer->began_ms;
        }
        if (peer->ended_ms < 0) {
            drip(ward, peer);
            n_open++;
        }
    }
    int64_t asked_ms = http_now_ms();
    wire_ask(&ward->program, review, &verdict);
    assert_int_equal(verdict.status, 200);
    int64_t took_ms = http_now_ms() - asked_ms;
    ward->slowest_ms = took_ms > ward->slowest_ms ? took_ms : ward->slowest_ms;
    return n_open;
}

/* Only a close_notify could arrive on an idle connection. */
static bool is_silent(const struct http_client *client) {
    char byte;
    return recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static int set_up(void **state) {
    struct ward *ward = memory_new(1, sizeof(*ward));
    AUTO_FREE char *review = sample_read("10-Scale-UPDATE-weather");
    struct verdict verdict;
    *state = ward;
    program_init(&ward->program);
    program_put_sample(&ward->program, "mcpservers-live.json");
    program_start(&ward->program);
    ward->n_lines = program_count_log(&ward->program, "");
    make_hello(ward);
    int64_t began_ms = http_now_ms();
    program_connect(&ward->program, &ward->idle);
    wire_post(&ward->idle, review, &verdict);
    for (size_t i = 0; i < COUNT_OF(ward->peers); i++) {
        begin(ward, &ward->peers[i], &rows[i < COUNT_OF(rows) ? i : 0]);
    }
    size_t n_open = COUNT_OF(ward->peers);
    while (http_now_ms() - began_ms < (n_open > 0 ? LONGEST_MS : IDLE_MS)) {
        n_open = go_on(ward, review);
        http_sleep_ms(ROUND_MS);
    }
    if (is_silent(&ward->idle)) {
        wire_post(&ward->idle, review, &verdict);
        ward->has_idle_answer = verdict.status == 200;
    }
    return 0;
}

static int tear_down(void **state) {
    struct ward *ward = *state;
    for (size_t i = 0; i < COUNT_OF(ward->peers); i++) {
        http_client_close(&ward->peers[i].client);
    }
    http_client_close(&ward->idle);
    int status = program_stop(&ward->program);
    program_fini(&ward->program);
    free(ward);
    return status;
}

static void assert_ended_on_time(const struct ward *ward, int fault) {
    for (size_t i = 0; i < COUNT_OF(ward->peers); i++) {
        const struct slow_peer *peer = &ward->peers[i];
        if (peer->row->fault != fault) {
            continue;
        }
        if (peer->ended_ms < peer->row->due_ms - EARLY_MS ||
            peer->ended_ms > peer->row->due_ms + LATE_MS) {
            fail_msg("%s: ended after %lld ms", peer->row->name, (long long)peer->ended_ms);
        }
    }
}

static void test_wire__row_24_slow_headers_are_ended_at_10_s_in_all(void **state) {
    assert_ended_on_time(*state, 24);
}

static void test_wire__row_24_others_are_served_meanwhile(void **state) {
    const struct ward *ward = *state;
    assert_in_range(ward->slowest_ms, 0,
                    program_is_sanitized() ? SERVED_WITHIN_SANITIZED_MS : SERVED_WITHIN_MS);
}

static void test_wire__row_25_a_slow_body_is_ended_at_10_s_or_its_timeout(void **state) {
    assert_ended_on_time(*state, 25);
}

static void test_wire__row_26_a_handshake_that_does_not_end_is_ended_at_10_s(void **state) {
    assert_ended_on_time(*state, 26);
}

static void test_wire__row_26_each_is_counted_and_none_is_logged(void **state) {
    const struct ward *ward = *state;
    int64_t n_timeouts = program_metric(&ward->program, "capstan_http_timeouts_total");
    assert_int_equal(n_timeouts, COUNT_OF(ward->peers));
    assert_int_equal(program_count_log(&ward->program, ""), ward->n_lines);
}

static void test_wire__row_30_an_idle_connection_outlives_the_other_limits(void **state) {
    const struct ward *ward = *state;
    assert_true(ward->has_idle_answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire__row_24_slow_headers_are_ended_at_10_s_in_all),
        cmocka_unit_test(test_wire__row_24_others_are_served_meanwhile),
        cmocka_unit_test(test_wire__row_25_a_slow_body_is_ended_at_10_s_or_its_timeout),
        cmocka_unit_test(test_wire__row_26_a_handshake_that_does_not_end_is_ended_at_10_s),
        cmocka_unit_test(test_wire__row_26_each_is_counted_and_none_is_logged),
        cmocka_unit_test(test_wire__row_30_an_idle_connection_outlives_the_other_limits),
    };
    /* Peers that keep sending find the end by a failing write. */
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("wire/fault_time", tests, set_up, tear_down);
}
