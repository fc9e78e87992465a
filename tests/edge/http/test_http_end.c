// SPDX-License-Identifier: Apache-2.0

/* All ways for a request to end. After each of them the server must know that nothing is under
   way: else its stop waits 2 s for nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http_client.h"

enum {
    TRIES = 3, /* the machine may be busy */
    STOP_MS = 500,
    BODY = 200000,
};

enum ending { CLOSE, RESET, HALF_CLOSE };

struct row {
    const char *name;
    const char *begin;
    const char *middle; /* sent `n` times */
    int n;
    const char *end;
};

#define GET "GET /healthz HTTP/1.1\r\nHost: x\r\n"

static const struct row ROWS[] = {
    {"nothing", "", "", 0, ""},
    {"half a request line", "GET /hea", "", 0, ""},
    {"no request", "hello\r\n", "", 0, ""},
    {"an unknown version", "GET / HTTP/9.9\r\n\r\n", "", 0, ""},
    {"a query of many parts", "GET /healthz?", "&", 1500, " HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"a query of more parts", "GET /healthz?", "a=b&", 3500, " HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"a long request line", "GET /healthz?", "a", 40000, " HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"half a head", GET, "", 0, "Lon"},
    {"many headers", GET, "X: a\r\n", 8000, "\r\n"},
    {"a long header", GET "X: ", "a", 40000, "\r\n\r\n"},
    {"a long folded header", GET "X: a\r\n", " aaaaaaaa\r\n", 4000, "\r\n\r\n"},
    {"a header without a colon", GET "X\r\n\r\n", "", 0, ""},
    {"no host", "GET /healthz HTTP/1.1\r\n\r\n", "", 0, ""},
    {"a length that is no number", HTTP_POST_ECHO "Content-Length: x\r\n\r\na", "", 0, ""},
    {"two lengths", HTTP_POST_ECHO "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "", 0, ""},
    {"an unknown path with a body", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", "a",
     3, ""},
    {"half a body", HTTP_POST_ECHO "Content-Length: 150000\r\n\r\n", "a", 100000, ""},
    {"half a chunk", HTTP_POST_ECHO "Transfer-Encoding: chunked\r\n\r\nfffff\r\n", "a", 100000, ""},
    {"a bad chunk after a good one", HTTP_POST_ECHO "Transfer-Encoding: chunked\r\n\r\n186a0\r\n",
     "a", 100000, "\r\nzz\r\n"},
    {"a body past its limit", HTTP_POST_ECHO "Transfer-Encoding: chunked\r\n\r\nfffff\r\n", "a",
     BODY + 1, ""},
    {"an answer that nobody reads", "", GET "\r\n", 3, ""},
};

static void fill(const struct row *row, struct buffer *ret_request) {
    buffer_init(ret_request, SIZE_MAX);
    buffer_add_text(ret_request, row->begin);
    for (int i = 0; i < row->n; i++) {
        buffer_add_text(ret_request, row->middle);
    }
    buffer_add_text(ret_request, row->end);
}

/* The peer may get its answer or not. */
static void end(struct http_client *client, enum ending ending) {
    if (ending == RESET) {
        http_client_reset(client);
        return;
    }
    if (ending == HALF_CLOSE) {
        shutdown(client->fd, SHUT_WR);
        assert_true(http_client_sees_end(client, 5000));
    }
    http_client_close(client);
}

/* A body that needs the whole budget. */
static void assert_budget_is_free(const struct http_site *site) {
    struct buffer request;
    struct http_client client;
    struct http_answer answer;
    buffer_init(&request, SIZE_MAX);
    buffer_add_format(&request, HTTP_POST_ECHO "Content-Length: %d\r\n\r\n%0*d", BODY, BODY, 0);
    http_client_open(&client, site->port);
    http_client_ask(&client, buffer_text(&request), &answer);
    assert_int_equal(answer.status, 200);
    http_client_close(&client);
    buffer_fini(&request);
}

static int64_t stop_after(const struct row *row, enum ending ending) {
    struct http_site site;
    struct http_client client;
    struct buffer request;
    http_site_init(&site);
    site.options.body_max = BODY;
    site.options.bodies_max = BODY - 32 * 1024; /* which are not counted */
    http_site_start(&site);
    http_client_open(&client, site.port);
    fill(row, &request);
    http_client_send(&client, request.bytes, request.size);
    buffer_fini(&request);
    end(&client, ending);
    HTTP_SITE_WAIT(&site, accepted, 1);
    HTTP_SITE_WAIT(&site, connections, 0);
    assert_budget_is_free(&site);
    int64_t before_ms = http_now_ms();
    http_site_stop(&site);
    return http_now_ms() - before_ms;
}

static void test_http_end__the_server_stops_at_once_after_any_end_of_a_request(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        for (enum ending ending = CLOSE; ending <= HALF_CLOSE; ending++) {
            int64_t quickest_ms = INT64_MAX;
            for (int n = 0; n < TRIES && quickest_ms >= STOP_MS; n++) {
                int64_t took_ms = stop_after(&ROWS[i], ending);
                quickest_ms = took_ms < quickest_ms ? took_ms : quickest_ms;
            }
            if (quickest_ms >= STOP_MS) {
                fail_msg("%s, %d: %lld ms", ROWS[i].name, (int)ending, (long long)quickest_ms);
            }
        }
    }
}

static void test_http_end__the_server_waits_for_a_request_that_is_under_way(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(&client, HTTP_POST_ECHO "Content-Length: 1\r\n\r\n"));
    http_sleep_ms(100);
    int64_t before_ms = http_now_ms();
    http_site_stop(&site);
    assert_true(http_now_ms() - before_ms > 1500);
    http_client_close(&client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_end__the_server_stops_at_once_after_any_end_of_a_request),
        cmocka_unit_test(test_http_end__the_server_waits_for_a_request_that_is_under_way),
    };
    return cmocka_run_group_tests_name("edge/http_end", tests, NULL, NULL);
}
