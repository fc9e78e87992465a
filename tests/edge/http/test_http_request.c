// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_client.h"

static void test_http_request__keeps_a_connection_for_many_requests(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    for (int i = 0; i < 5; i++) {
        http_client_ask(&client, HTTP_POST_ECHO "Content-Length: 5\r\n\r\nabcde", &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, "5 bytes, first a, last e");
        assert_true(http_answer_has(&answer, "Content-Type: text/plain\r\n"));
        assert_false(http_answer_has(&answer, "Connection: close"));
        http_client_ask(&client, HTTP_GET_HEALTHZ, &answer);
        assert_string_equal(answer.body, "ok");
    }
    struct http_counts counts = http_site_count(&site);
    assert_int_equal(counts.accepted, 1);
    assert_int_equal(counts.connections, 1);
    http_client_close(&client);
    HTTP_SITE_WAIT(&site, connections, 0);
    counts = http_site_count(&site);
    assert_int_equal(counts.without_request, 0);
    assert_int_equal(counts.timeouts, 0);
    http_site_stop(&site);
}

static void test_http_request__answers_requests_that_come_at_once_in_order(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(&client, HTTP_POST_ECHO
                                      "Content-Length: 1\r\n\r\na" HTTP_GET_HEALTHZ HTTP_POST_ECHO
                                      "Content-Length: 2\r\n\r\nbc"));
    static const char *const bodies[] = {"1 bytes, first a, last a", "ok",
                                         "2 bytes, first b, last c"};
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        assert_true(http_client_read(&client, &answer));
        assert_string_equal(answer.body, bodies[i]);
    }
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_request__routes_by_exact_path_and_method(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *request_line;
        int status;
        const char *body;
    } rows[] = {
        {"GET", "GET /echo", 200, "get"},
        {"query is not of the path", "GET /echo?x=1&y", 200, "get"},
        {"timeout that is none", "GET /echo?timeout=soon", 200, "get"},
        {"timeout without a value", "GET /echo?timeout", 200, "get"},
        {"timeout of nothing", "GET /echo?timeout=0s", 200, "get"},
        {"empty body", "POST /echo", 200, "0 bytes"},
        {"unknown path", "GET /nothing", 404, "not found\n"},
        {"root", "GET /", 404, "not found\n"},
        {"two slashes", "GET //echo", 404, "not found\n"},
        {"slash at the end", "GET /echo/", 404, "not found\n"},
        {"escaped slash", "GET %2fecho", 404, "not found\n"},
        {"escaped letter", "GET /ech%6f", 404, "not found\n"},
        {"escaped slash at the end", "GET /echo%2f", 404, "not found\n"},
        {"dots", "GET /./echo", 404, "not found\n"},
        {"another case", "GET /Echo", 404, "not found\n"},
        {"beginning of a path", "GET /ech", 404, "not found\n"},
        {"absolute form", "GET http://x/echo", 404, "not found\n"},
        {"unknown method", "PUT /echo", 405, "method not allowed\n"},
        {"invented method", "BREW /echo", 405, "method not allowed\n"},
        {"method in lower case", "get /echo", 405, "method not allowed\n"},
        {"POST where GET is", "POST /healthz", 405, "method not allowed\n"},
        {"GET where POST is", "GET /wait", 405, "method not allowed\n"},
        {"HEAD where POST is", "DELETE /wait", 405, "method not allowed\n"},
    };
    struct http_site site;
    struct http_client client;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char request[256];
        struct http_answer answer;
        snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: x\r\n\r\n", rows[i].request_line);
        http_client_ask(&client, request, &answer);
        if (answer.status != rows[i].status || strcmp(answer.body, rows[i].body) != 0) {
            fail_msg("%s: %d %s", rows[i].name, answer.status, answer.body);
        }
        assert_false(http_answer_has(&answer, "Connection: close"));
        assert_false(http_answer_has(&answer, "Retry-After"));
    }
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_request__names_the_allowed_methods(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    http_client_ask(&client, "PUT /echo HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_true(http_answer_has(&answer, "Allow: GET, HEAD, POST\r\n"));
    http_client_ask(&client, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_true(http_answer_has(&answer, "Allow: POST\r\n"));
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_request__answers_head_like_get_without_the_body(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(&client, "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(http_client_read_head(&client, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(http_answer_has(&answer, "Content-Length: 3\r\n"));
    assert_true(http_answer_has(&answer, "Content-Type: application/json\r\n"));
    http_client_ask(&client, HTTP_GET_HEALTHZ, &answer);
    assert_string_equal(answer.body, "ok");
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_request__says_continue_to_a_client_that_waits_for_it(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    http_client_ask(&client, HTTP_POST_ECHO "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n",
                    &answer);
    assert_int_equal(answer.status, 100);
    http_client_ask(&client, "abc", &answer);
    assert_string_equal(answer.body, "3 bytes, first a, last c");
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_request__accepts_a_chunked_body(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    http_client_ask(&client,
                    HTTP_POST_ECHO "Transfer-Encoding: Chunked\r\n\r\n"
                                   "3\r\nabc\r\n5;ext=1\r\ndefgh\r\n0\r\n\r\n",
                    &answer);
    assert_string_equal(answer.body, "8 bytes, first a, last h");
    http_client_ask(&client, HTTP_GET_HEALTHZ, &answer);
    assert_string_equal(answer.body, "ok");
    http_client_close(&client);
    http_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_request__keeps_a_connection_for_many_requests),
        cmocka_unit_test(test_http_request__answers_requests_that_come_at_once_in_order),
        cmocka_unit_test(test_http_request__routes_by_exact_path_and_method),
        cmocka_unit_test(test_http_request__names_the_allowed_methods),
        cmocka_unit_test(test_http_request__answers_head_like_get_without_the_body),
        cmocka_unit_test(test_http_request__says_continue_to_a_client_that_waits_for_it),
        cmocka_unit_test(test_http_request__accepts_a_chunked_body),
    };
    return cmocka_run_group_tests_name("edge/http_request", tests, NULL, NULL);
}
