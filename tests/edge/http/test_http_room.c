// SPDX-License-Identifier: Apache-2.0

/*
 * A full server ends the connection that has idled longest for each new one, and never one whose
 * request is being answered.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_client.h"

/* A newcomer must be answered within a second. The machine may be busy, or slowed by sanitizers. */
enum { MAX_OPEN = 4, SOON_MS = 1500, ROUNDS = 30, FLOOD = 3 };

#define POST_DEFER "POST /defer HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"

static void start(struct http_site *site) {
    http_site_init(site);
    site->options.connections_max = MAX_OPEN;
    http_site_start(site);
}

/* The server notes the end of a request a little after the client has its answer. */
static void ask(struct http_client *client) {
    struct http_answer answer;
    http_client_ask(client, HTTP_GET_HEALTHZ, &answer);
    assert_int_equal(answer.status, 200);
    http_sleep_ms(100);
}

static void open_and_ask(struct http_client *client, const struct http_site *site) {
    http_client_open(client, site->port);
    ask(client);
}

static void close_all(struct http_client *clients, size_t n) {
    for (size_t i = 0; i < n; i++) {
        http_client_close(&clients[i]);
    }
}

static void assert_newcomer_is_answered(const struct http_site *site) {
    int64_t before_ms = http_now_ms();
    assert_int_equal(http_client_ask_once(site->port, HTTP_GET_HEALTHZ), 200);
    assert_true(http_now_ms() - before_ms < SOON_MS);
}

static void test_http_room__ends_the_connection_that_has_idled_longest(void **state) {
    (void)state;
    struct http_site site;
    struct http_client clients[MAX_OPEN + 2];
    start(&site);
    for (size_t i = 0; i < MAX_OPEN; i++) {
        open_and_ask(&clients[i], &site);
    }
    ask(&clients[0]);
    for (size_t i = 0; i < MAX_OPEN; i++) {
        assert_false(http_client_sees_end(&clients[i], 20));
    }
    assert_int_equal(http_site_count(&site).evicted, 0);
    open_and_ask(&clients[MAX_OPEN], &site);
    assert_true(http_client_sees_end(&clients[1], SOON_MS));
    HTTP_SITE_WAIT(&site, connections, MAX_OPEN);
    open_and_ask(&clients[MAX_OPEN + 1], &site);
    assert_true(http_client_sees_end(&clients[2], SOON_MS));
    assert_int_equal(http_site_count(&site).evicted, 2);
    assert_int_equal(http_site_count(&site).timeouts, 0);
    ask(&clients[3]);
    ask(&clients[0]);
    close_all(clients, COUNT_OF(clients));
    http_site_stop(&site);
}

static void wait_for_handled(const struct http_site *site, unsigned n) {
    int64_t until_ms = http_now_ms() + 20000;
    while (atomic_load(&site->n_handled) < n) {
        assert_true(http_now_ms() < until_ms);
        http_sleep_ms(1);
    }
}

#define GET_LARGE "GET /large HTTP/1.1\r\nHost: x\r\n\r\n" /* the peer does not read the answer */

static void test_http_room__ends_any_connection_that_stalls(void **state) {
    (void)state;
    static const char *const beginnings[] = {
        "",
        "\r\n",
        "GE",
        "GET /healthz HTTP/1.1\r\nHos",
        HTTP_POST_ECHO "Content-Length: 100\r\n\r\n",
        HTTP_POST_ECHO "Content-Length: 100\r\n\r\nabc",
        HTTP_POST_ECHO "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        HTTP_GET_HEALTHZ,
        HTTP_GET_HEALTHZ "GET",
        GET_LARGE HTTP_GET_HEALTHZ,
    };
    for (size_t row = 0; row < COUNT_OF(beginnings); row++) {
        struct http_site site;
        struct http_client clients[MAX_OPEN];
        http_site_init(&site);
        site.options.connections_max = MAX_OPEN;
        site.large_size = 8 << 20; /* more than both sockets take */
        http_site_start(&site);
        for (size_t i = 0; i < MAX_OPEN; i++) {
            http_client_open(&clients[i], site.port);
            assert_true(http_client_send_text(&clients[i], beginnings[row]));
        }
        HTTP_SITE_WAIT(&site, connections, MAX_OPEN);
        bool is_large = strncmp(beginnings[row], GET_LARGE, strlen(GET_LARGE)) == 0;
        wait_for_handled(&site, is_large ? MAX_OPEN : 0);
        http_sleep_ms(100); /* the server has read all of it by then */
        assert_newcomer_is_answered(&site);
        assert_int_equal(http_site_count(&site).evicted, 1);
        close_all(clients, MAX_OPEN);
        http_site_stop(&site);
    }
}

static void test_http_room__ends_a_handshake_that_stalls(void **state) {
    (void)state;
    static const char *const beginnings[] = {"", "\x16", "\x16\x03\x01\x02", NULL};
    struct http_identity identity;
    http_identity_init(&identity);
    for (size_t row = 0; row < COUNT_OF(beginnings); row++) {
        struct http_site site;
        struct http_client clients[MAX_OPEN];
        http_site_init(&site);
        site.options.is_tls = true;
        site.options.connections_max = MAX_OPEN;
        http_site_start(&site);
        http_identity_serve(&identity, &site);
        for (size_t i = 0; i < MAX_OPEN; i++) {
            if (beginnings[row] == NULL) {
                assert_true(http_client_open_tls(&clients[i], site.port, identity.client));
            } else {
                http_client_open(&clients[i], site.port);
                assert_true(http_client_send_text(&clients[i], beginnings[row]));
            }
        }
        HTTP_SITE_WAIT(&site, connections, MAX_OPEN);
        http_sleep_ms(100);
        int64_t before_ms = http_now_ms();
        assert_true(http_identity_is_served(&identity, &site));
        assert_true(http_now_ms() - before_ms < SOON_MS);
        assert_int_equal(http_site_count(&site).evicted, 1);
        close_all(clients, MAX_OPEN);
        http_site_stop(&site);
    }
    http_identity_fini(&identity);
}

static void test_http_room__never_ends_a_request_that_is_being_answered(void **state) {
    (void)state;
    struct http_site site;
    struct http_client clients[MAX_OPEN];
    struct http_connection *deferred[MAX_OPEN];
    struct http_client newcomer;
    struct http_answer answer;
    start(&site);
    for (size_t i = 0; i < MAX_OPEN; i++) {
        http_client_open(&clients[i], site.port);
        assert_true(http_client_send_text(&clients[i], POST_DEFER));
        deferred[i] = http_site_next_deferred(&site);
    }
    assert_int_equal(http_full_ms(site.server), 0);
    http_client_open(&newcomer, site.port);
    assert_true(http_client_send_text(&newcomer, HTTP_GET_HEALTHZ));
    http_assert_asleep(500);
    assert_false(http_client_sees_end(&newcomer, 0));
    assert_in_range(http_full_ms(site.server), 300, 60000);
    assert_int_equal(http_site_count(&site).connections, MAX_OPEN);
    assert_int_equal(http_site_count(&site).evicted, 0);
    /* The first one to be answered idles from then on. */
    http_site_answer(deferred[2], "here");
    assert_true(http_client_read(&clients[2], &answer));
    assert_string_equal(answer.body, "here");
    assert_true(http_client_read(&newcomer, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(http_client_sees_end(&clients[2], SOON_MS));
    http_sleep_ms(100);
    assert_int_equal(http_full_ms(site.server), 0);
    for (size_t i = 0; i < MAX_OPEN; i++) {
        if (i != 2) {
            http_site_answer(deferred[i], "here");
            assert_true(http_client_read(&clients[i], &answer));
            assert_string_equal(answer.body, "here");
        }
    }
    close_all(clients, MAX_OPEN);
    http_client_close(&newcomer);
    http_site_stop(&site);
}

static void test_http_room__serves_the_next_one_when_a_connection_leaves(void **state) {
    (void)state;
    struct http_site site;
    struct http_client clients[MAX_OPEN];
    struct http_connection *deferred[MAX_OPEN];
    start(&site);
    for (size_t i = 0; i < MAX_OPEN; i++) {
        http_client_open(&clients[i], site.port);
        assert_true(http_client_send_text(&clients[i], POST_DEFER));
        deferred[i] = http_site_next_deferred(&site);
    }
    http_client_close(&clients[0]);
    http_site_answer(deferred[0], "to nobody");
    assert_newcomer_is_answered(&site);
    for (size_t i = 1; i < MAX_OPEN; i++) {
        http_site_answer(deferred[i], "here");
        http_client_close(&clients[i]);
    }
    HTTP_SITE_WAIT(&site, connections, 0);
    http_site_stop(&site);
}

/* The only worker is busy, so that it cannot read what has arrived. */
static void test_http_room__spares_a_connection_whose_request_has_arrived(void **state) {
    (void)state;
    struct http_site site;
    struct http_client oldest;
    struct http_client silent;
    struct http_client busy;
    struct http_client newcomer;
    struct http_answer answer;
    http_site_init(&site);
    site.options.workers = 1;
    site.options.connections_max = 3;
    http_site_start(&site);
    open_and_ask(&oldest, &site);
    open_and_ask(&silent, &site);
    http_client_open(&busy, site.port);
    assert_true(http_client_send_text(
        &busy, "POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"));
    http_site_wait_for_arrival(&site);
    assert_true(http_client_send_text(&oldest, HTTP_GET_HEALTHZ));
    http_client_open(&newcomer, site.port);
    assert_true(http_client_sees_end(&silent, SOON_MS));
    atomic_store(&site.may_leave, true);
    assert_true(http_client_read(&oldest, &answer));
    assert_true(http_client_read(&busy, &answer));
    http_client_ask(&newcomer, HTTP_GET_HEALTHZ, &answer);
    assert_int_equal(http_site_count(&site).evicted, 1);
    http_client_close(&oldest);
    http_client_close(&silent);
    http_client_close(&busy);
    http_client_close(&newcomer);
    http_site_stop(&site);
}

/* In time, all but the used connection change many times. */
static void test_http_room__keeps_a_used_connection_in_a_flood(void **state) {
    (void)state;
    struct http_site site;
    struct http_client used;
    struct http_client flood[ROUNDS * FLOOD];
    size_t n = 0;
    http_site_init(&site);
    site.options.connections_max = 2 * MAX_OPEN;
    http_site_start(&site);
    open_and_ask(&used, &site);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < FLOOD; i++) {
            http_client_open(&flood[n++], site.port);
        }
        HTTP_SITE_WAIT(&site, accepted, n + 1);
        ask(&used);
    }
    assert_int_equal(http_site_count(&site).evicted, n + 1 - 2 * MAX_OPEN);
    assert_newcomer_is_answered(&site);
    close_all(flood, n);
    http_client_close(&used);
    http_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_room__ends_the_connection_that_has_idled_longest),
        cmocka_unit_test(test_http_room__ends_any_connection_that_stalls),
        cmocka_unit_test(test_http_room__ends_a_handshake_that_stalls),
        cmocka_unit_test(test_http_room__never_ends_a_request_that_is_being_answered),
        cmocka_unit_test(test_http_room__serves_the_next_one_when_a_connection_leaves),
        cmocka_unit_test(test_http_room__spares_a_connection_whose_request_has_arrived),
        cmocka_unit_test(test_http_room__keeps_a_used_connection_in_a_flood),
    };
    return cmocka_run_group_tests_name("edge/http_room", tests, NULL, NULL);
}
