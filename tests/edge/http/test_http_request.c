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

static void test_http_request__refuses_ambiguous_requests_and_closes(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *request;
        int status; /* 0: no answer */
    } rows[] = {
        {"length is not a number", HTTP_POST_ECHO "Content-Length: 1x\r\n\r\na", 400},
        {"negative length", HTTP_POST_ECHO "Content-Length: -1\r\n\r\na", 400},
        {"empty length", HTTP_POST_ECHO "Content-Length: \r\n\r\na", 400},
        {"length beyond 64 bits", HTTP_POST_ECHO "Content-Length: 99999999999999999999\r\n\r\na",
         413},
        {"length beyond 63 bits", HTTP_POST_ECHO "Content-Length: 18446744073709551614\r\n\r\na",
         413},
        {"two kinds of length",
         HTTP_POST_ECHO "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"encoding that is not known", HTTP_POST_ECHO "Transfer-Encoding: gzip\r\n\r\nabc", 400},
        {"chunk size is not a number",
         HTTP_POST_ECHO "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", 400},
        {"no host", "GET /healthz HTTP/1.1\r\n\r\n", 400},
        {"header without a colon", "GET /healthz HTTP/1.1\r\nHost\r\n\r\n", 400},
        {"a body for an unknown path", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
         404},
        {"a body for the wrong method",
         "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", 405},
        {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"HTTP/0.9", "GET /healthz\r\n", 400},
        {"no request at all", "hello\r\n", 0},
    };
    struct http_site site;
    http_site_init(&site);
    http_site_start(&site);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_client client;
        struct http_answer answer = {0};
        http_client_open(&client, site.port);
        assert_true(http_client_send_text(&client, rows[i].request));
        bool is_answered = http_client_read(&client, &answer);
        if (is_answered != (rows[i].status != 0) || answer.status != rows[i].status) {
            fail_msg("%s: %d", rows[i].name, answer.status);
        }
        if (is_answered && !http_answer_has(&answer, "Connection: close\r\n")) {
            fail_msg("%s: the connection is kept", rows[i].name);
        }
        if (!http_client_sees_end(&client, 2000)) {
            fail_msg("%s: not closed", rows[i].name);
        }
        http_client_close(&client);
    }
    assert_int_equal(atomic_load(&site.n_handled), 0);
    http_site_stop(&site);
}

static void test_http_request__bounds_the_headers(void **state) {
    (void)state;
    struct http_site site;
    static char headers[64 * 1024];
    static const struct {
        size_t size;
        int status;
    } rows[] = {{8 * 1024, 200}, {40 * 1024, 431}};
    http_site_init(&site);
    http_site_start(&site);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t used =
            (size_t)snprintf(headers, sizeof headers, "GET /healthz HTTP/1.1\r\nHost: x\r\nLong: ");
        memset(headers + used, 'a', rows[i].size);
        memcpy(headers + used + rows[i].size, "\r\n\r\n", 5);
        assert_int_equal(http_client_ask_once(site.port, headers), rows[i].status);
    }
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
        cmocka_unit_test(test_http_request__refuses_ambiguous_requests_and_closes),
        cmocka_unit_test(test_http_request__bounds_the_headers),
    };
    return cmocka_run_group_tests_name("edge/http_request", tests, NULL, NULL);
}
