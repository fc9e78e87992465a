// SPDX-License-Identifier: Apache-2.0

/*
 * Requests that the server refuses for their form, and that it counts each of them. MHD refuses
 * some of them by itself.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_client.h"

#define POST_1_0 "POST /echo HTTP/1.0\r\nHost: x\r\n"
#define LENGTH   "Content-Length: "
#define CHUNKED  "Transfer-Encoding: chunked\r\n"
#define NOTHING  "\r\n0\r\n\r\n" /* the end of the headers, and no chunks */

struct row {
    const char *name;
    const char *request;
    int status; /* 0: no answer */
};

static void assert_counted(const char *name, const struct http_site *site, int status) {
    struct http_counts counts = http_site_count(site);
    bool is_malformed = status == 400 || status == 414 || status == 431 || status == 505;
    if (counts.malformed != is_malformed || counts.too_large != (status == 413)) {
        fail_msg("%s: counted %d malformed, %d too large", name, (int)counts.malformed,
                 (int)counts.too_large);
    }
}

static void assert_refused(const struct row *row) {
    struct http_site site;
    struct http_client client;
    struct http_answer answer = {0};
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(&client, row->request));
    bool is_answered = http_client_read(&client, &answer);
    if (is_answered != (row->status != 0) || answer.status != row->status) {
        fail_msg("%s: %d", row->name, answer.status);
    }
    if (is_answered && !http_answer_has(&answer, "Connection: close\r\n")) {
        fail_msg("%s: the connection is kept", row->name);
    }
    if (!http_client_sees_end(&client, 2000)) {
        fail_msg("%s: not closed", row->name);
    }
    http_client_close(&client);
    assert_counted(row->name, &site, row->status);
    assert_int_equal(atomic_load(&site.n_handled), 0);
    http_site_stop(&site);
}

static void test_http_framing__refuses_ambiguous_requests_and_closes(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"length is not a number", HTTP_POST_ECHO LENGTH "1x\r\n\r\na", 400},
        {"hexadecimal length", HTTP_POST_ECHO LENGTH "0x1\r\n\r\na", 400},
        {"negative length", HTTP_POST_ECHO LENGTH "-1\r\n\r\na", 400},
        {"length with a plus", HTTP_POST_ECHO LENGTH "+1\r\n\r\na", 400},
        {"length with a blank inside", HTTP_POST_ECHO LENGTH "1 1\r\n\r\na", 400},
        {"list of lengths", HTTP_POST_ECHO LENGTH "1, 1\r\n\r\na", 400},
        {"empty length", HTTP_POST_ECHO LENGTH "\r\n\r\na", 400},
        {"length beyond 64 bits", HTTP_POST_ECHO LENGTH "99999999999999999999\r\n\r\na", 413},
        {"length beyond 63 bits", HTTP_POST_ECHO LENGTH "18446744073709551614\r\n\r\na", 413},
        {"two lengths", HTTP_POST_ECHO LENGTH "1\r\n" LENGTH "2\r\n\r\nab", 400},
        {"two equal lengths", HTTP_POST_ECHO LENGTH "1\r\n" LENGTH "1\r\n\r\na", 400},
        {"two lengths of nothing", HTTP_POST_ECHO LENGTH "0\r\n" LENGTH "0\r\n\r\n", 400},
        {"two lengths in different case", HTTP_POST_ECHO LENGTH "1\r\ncontent-LENGTH: 1\r\n\r\na",
         400},
        {"two lengths, the second is no number", HTTP_POST_ECHO LENGTH "1\r\n" LENGTH "x\r\n\r\na",
         400},
        {"two lengths for a GET",
         "GET /healthz HTTP/1.1\r\nHost: x\r\n" LENGTH "0\r\n" LENGTH "0\r\n\r\n", 400},
        {"two kinds of length", HTTP_POST_ECHO LENGTH "3\r\n" CHUNKED NOTHING, 400},
        {"two kinds of length, turned round", HTTP_POST_ECHO CHUNKED LENGTH "3\r\n" NOTHING, 400},
        {"two kinds, and a length that is no number", HTTP_POST_ECHO CHUNKED LENGTH "x\r\n" NOTHING,
         400},
        {"two encodings", HTTP_POST_ECHO CHUNKED CHUNKED NOTHING, 400},
        {"encoding that is not known", HTTP_POST_ECHO "Transfer-Encoding: gzip\r\n\r\nabc", 400},
        {"encoding that is none", HTTP_POST_ECHO "Transfer-Encoding: identity\r\n\r\nabc", 400},
        {"empty encoding", HTTP_POST_ECHO "Transfer-Encoding: \r\n\r\nabc", 400},
        {"list of encodings", HTTP_POST_ECHO "Transfer-Encoding: gzip, chunked\r\n" NOTHING, 400},
        {"chunked twice", HTTP_POST_ECHO "Transfer-Encoding: chunked, chunked\r\n" NOTHING, 400},
        {"chunked and a blank", HTTP_POST_ECHO "Transfer-Encoding: chunked \r\n" NOTHING, 400},
        {"chunked and a control", HTTP_POST_ECHO "Transfer-Encoding: \vchunked\r\n" NOTHING, 400},
        {"chunked in HTTP/1.0", POST_1_0 CHUNKED NOTHING, 400},
        {"blank before the colon", HTTP_POST_ECHO "Content-Length : 1\r\n\r\na", 400},
        {"tab before the colon", HTTP_POST_ECHO "Transfer-Encoding\t: chunked\r\n" NOTHING, 400},
        {"blank before the first name",
         "POST /echo HTTP/1.1\r\n Content-Length: 1\r\nHost: x\r\n\r\na", 400},
        {"folded name", HTTP_POST_ECHO "Content-: 1\r\n Length\r\n\r\na", 400},
        {"folded value", HTTP_POST_ECHO "X: 1\r\n 2\r\n\r\n", 400},
        {"CR in a value", HTTP_POST_ECHO "X: 1\rContent-Length: 1\r\n\r\na", 400},
        {"two hosts", HTTP_POST_ECHO "Host: y\r\n\r\n", 400},
        {"chunk size is not a number", HTTP_POST_ECHO CHUNKED "\r\nzz\r\nabc\r\n0\r\n\r\n", 400},
        {"chunk size with a sign", HTTP_POST_ECHO CHUNKED "\r\n+3\r\nabc\r\n0\r\n\r\n", 400},
        {"chunk size beyond 64 bits", HTTP_POST_ECHO CHUNKED "\r\n11112222333344445\r\n", 413},
        {"chunk longer than its size", HTTP_POST_ECHO CHUNKED "\r\n1\r\nabc\r\n0\r\n\r\n", 400},
        {"no host", "GET /healthz HTTP/1.1\r\n\r\n", 400},
        {"header without a colon", "GET /healthz HTTP/1.1\r\nHost\r\n\r\n", 400},
        {"a body for an unknown path", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
         404},
        {"a body for the wrong method",
         "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", 405},
        {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"HTTP/0.9", "GET /healthz\r\n", 400},
        {"HTTP/0.9 with its version", "GET /healthz HTTP/0.9\r\n\r\n", 505},
        {"a blank in the path", "GET /healthz /x HTTP/1.1\r\nHost: x\r\n\r\n", 0},
        {"no request at all", "hello\r\n", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_refused(&rows[i]);
    }
}

static void test_http_framing__accepts_what_is_clear(void **state) {
    (void)state;
    static const struct {
        const char *request;
        const char *body;
    } rows[] = {
        {HTTP_POST_ECHO LENGTH "1\r\n\r\na", "1 bytes, first a, last a"},
        {HTTP_POST_ECHO LENGTH "\t 01\r\n\r\na", "1 bytes, first a, last a"},
        {HTTP_POST_ECHO LENGTH "0\r\n\r\n", "0 bytes"},
        {HTTP_POST_ECHO "transfer-encoding:CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n",
         "1 bytes, first a, last a"},
        {HTTP_POST_ECHO CHUNKED NOTHING, "0 bytes"},
        {HTTP_POST_ECHO "Empty:\r\nX-1.2_3: a\tb \xc3\xa4\r\nX-1.2_3: c\r\n" LENGTH "1\r\n\r\na",
         "1 bytes, first a, last a"},
        {POST_1_0 "Connection: keep-alive\r\n" LENGTH "1\r\n\r\na", "1 bytes, first a, last a"},
    };
    struct http_site site;
    struct http_client client;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_answer answer;
        http_client_ask(&client, rows[i].request, &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, rows[i].body);
    }
    http_client_close(&client);
    assert_counted("clear requests", &site, 200);
    http_site_stop(&site);
}

/* Sends `text` n times between the two others. */
static int ask_long(const struct http_site *site, const char *begin, const char *text, size_t n,
                    const char *end) {
    static char request[96 * 1024];
    size_t used = (size_t)snprintf(request, sizeof(request), "%s", begin);
    for (size_t i = 0; i < n; i++) {
        used += (size_t)snprintf(request + used, sizeof(request) - used, "%s", text);
    }
    snprintf(request + used, sizeof(request) - used, "%s", end);
    return http_client_ask_once(site->port, request);
}

static void test_http_framing__bounds_and_counts_the_request_line_and_the_headers(void **state) {
    (void)state;
    static const char end[] = " HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char begin[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
    struct http_site site;
    http_site_init(&site);
    http_site_start(&site);
    assert_int_equal(ask_long(&site, "GET /healthz?", "a", 8 * 1024, end), 200);
    assert_int_equal(ask_long(&site, begin, "X: a\r\n", 64, "\r\n"), 200);
    assert_int_equal(ask_long(&site, begin, "X: aaaaaaaa", 700, "\r\n\r\n"), 200);
    assert_int_equal(http_site_count(&site).malformed, 0);
    assert_int_equal(ask_long(&site, "GET /healthz?", "a", 40 * 1024, end), 414);
    assert_int_equal(http_site_count(&site).malformed, 1);
    assert_int_equal(ask_long(&site, begin, "X: a\r\n", 8000, "\r\n"), 431);
    assert_int_equal(http_site_count(&site).malformed, 2);
    assert_int_equal(ask_long(&site, begin, "X: aaaaaaaa", 4000, "\r\n\r\n"), 431);
    assert_int_equal(http_site_count(&site).malformed, 3);
    http_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_framing__refuses_ambiguous_requests_and_closes),
        cmocka_unit_test(test_http_framing__accepts_what_is_clear),
        cmocka_unit_test(test_http_framing__bounds_and_counts_the_request_line_and_the_headers),
    };
    return cmocka_run_group_tests_name("edge/http_framing", tests, NULL, NULL);
}
