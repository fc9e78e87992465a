// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http_client.h"

#define POST_DEFER "POST /defer HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"

static void test_http_defer__answers_when_the_answer_is_given(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    for (int i = 0; i < 3; i++) {
        assert_true(http_client_send_text(&client, POST_DEFER));
        struct http_connection *connection = http_site_next_deferred(&site);
        http_site_answer(connection, "later");
        assert_true(http_client_read(&client, &answer));
        assert_int_equal(answer.status, 202);
        assert_string_equal(answer.body, "later");
        http_client_ask(&client, HTTP_GET_HEALTHZ, &answer);
        assert_string_equal(answer.body, "ok");
    }
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_defer__the_answer_may_come_before_the_handler_returns(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    site.answers_at_once = true;
    http_site_start(&site);
    http_client_open(&client, site.port);
    for (int i = 0; i < 20; i++) {
        http_client_ask(&client, POST_DEFER, &answer);
        assert_int_equal(answer.status, 202);
        assert_string_equal(answer.body, "at once");
    }
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_defer__does_not_delay_other_requests(void **state) {
    (void)state;
    enum { WAITING = 8 };
    struct http_site site;
    struct http_client waiting[WAITING];
    struct http_connection *connections[WAITING];
    struct http_answer answer;
    http_site_init(&site);
    site.options.workers = 1;
    http_site_start(&site);
    for (int i = 0; i < WAITING; i++) {
        http_client_open(&waiting[i], site.port);
        assert_true(http_client_send_text(&waiting[i], POST_DEFER));
        connections[i] = http_site_next_deferred(&site);
    }
    assert_int_equal(http_client_ask_once(site.port, HTTP_GET_HEALTHZ), 200);
    for (int i = WAITING - 1; i >= 0; i--) {
        char text[8];
        snprintf(text, sizeof(text), "%d", i);
        http_site_answer(connections[i], text);
        assert_true(http_client_read(&waiting[i], &answer));
        assert_string_equal(answer.body, text);
        http_client_close(&waiting[i]);
    }
    http_site_stop(&site);
}

static void test_http_defer__the_peer_may_leave_before_the_answer(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    http_site_init(&site);
    http_site_start(&site);
    for (int i = 0; i < 10; i++) {
        http_client_open(&client, site.port);
        assert_true(http_client_send_text(&client, POST_DEFER));
        struct http_connection *connection = http_site_next_deferred(&site);
        if (i % 2 == 0) {
            http_client_reset(&client);
        } else {
            http_client_close(&client);
        }
        http_site_answer(connection, "to nobody");
    }
    HTTP_SITE_WAIT(&site, connections, 0);
    assert_int_equal(http_client_ask_once(site.port, HTTP_GET_HEALTHZ), 200);
    http_site_stop(&site);
}

static void test_http_defer__stop_waits_for_the_answer_to_be_sent(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(&client, POST_DEFER));
    http_site_answer(http_site_next_deferred(&site), "at last");
    http_site_stop(&site);
    assert_true(http_client_read(&client, &answer));
    assert_string_equal(answer.body, "at last");
    http_client_close(&client);
}

static void test_http_defer__a_request_says_how_long_its_peer_waits(void **state) {
    (void)state;
    static const struct {
        const char *query;
        const char *milliseconds;
    } rows[] = {{"", "0"},           {"?timeout=3s", "3000"},      {"?timeout=1s&x", "1000"},
                {"?timeout=0", "0"}, {"?timeout=soon", "0"},       {"?timeout=500ms", "500"},
                {"?timeout", "0"},   {"?x=1&timeout=30s", "30000"}};
    struct http_site site;
    struct http_client client;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char request[256];
        struct http_answer answer;
        snprintf(request, sizeof(request),
                 "POST /timeout%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na",
                 rows[i].query);
        http_client_ask(&client, request, &answer);
        if (strcmp(answer.body, rows[i].milliseconds) != 0) {
            fail_msg("'%s': %s", rows[i].query, answer.body);
        }
    }
    http_client_close(&client);
    http_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_defer__answers_when_the_answer_is_given),
        cmocka_unit_test(test_http_defer__the_answer_may_come_before_the_handler_returns),
        cmocka_unit_test(test_http_defer__does_not_delay_other_requests),
        cmocka_unit_test(test_http_defer__the_peer_may_leave_before_the_answer),
        cmocka_unit_test(test_http_defer__stop_waits_for_the_answer_to_be_sent),
        cmocka_unit_test(test_http_defer__a_request_says_how_long_its_peer_waits),
    };
    return cmocka_run_group_tests_name("edge/http_defer", tests, NULL, NULL);
}
