// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/http_body.h"
#include "http_client.h"

enum { BODY_MAX = 200000 };

/* Makes a request with `size` bytes of body, in chunks of 1000 if it is chunked. Free with
   free(). */
static char *make_post(const char *path, size_t size, bool is_chunked, size_t *ret_size) {
    struct buffer request;
    char chunk[1000];
    memset(chunk, 'z', sizeof chunk);
    buffer_init(&request, SIZE_MAX);
    buffer_add_format(&request, "POST %s HTTP/1.1\r\nHost: x\r\n", path);
    if (is_chunked) {
        buffer_add_text(&request, "Transfer-Encoding: chunked\r\n\r\n");
    } else {
        buffer_add_format(&request, "Content-Length: %zu\r\n\r\n", size);
    }
    while (size > 0) {
        size_t piece = size < sizeof chunk ? size : sizeof chunk;
        if (is_chunked) {
            buffer_add_format(&request, "%zx\r\n", piece);
        }
        buffer_add(&request, chunk, piece);
        buffer_add_text(&request, is_chunked ? "\r\n" : "");
        size -= piece;
    }
    buffer_add_text(&request, is_chunked ? "0\r\n\r\n" : "");
    *ret_size = request.size;
    return request.bytes;
}

static void test_http_body__accepts_a_body_up_to_its_limit(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t size;
        bool is_chunked;
        int status;
    } rows[] = {
        {"at the limit", BODY_MAX, false, 200},
        {"past the limit", BODY_MAX + 1, false, 413},
        {"far past the limit", BODY_MAX * 20, false, 413},
        {"chunked, at the limit", BODY_MAX, true, 200},
        {"chunked, past the limit", BODY_MAX + 1, true, 413},
        {"chunked, far past the limit", BODY_MAX * 20, true, 413},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_site site;
        struct http_client client;
        struct http_answer answer = {0};
        size_t size;
        http_site_init(&site);
        site.options.body_max = BODY_MAX;
        /* Exactly the memory that one body at the limit needs. */
        site.options.bodies_max = BODY_MAX - HTTP_BODY_FREE;
        http_site_start(&site);
        http_client_open(&client, site.port);
        char *request = make_post("/echo", rows[i].size, rows[i].is_chunked, &size);
        /* A client that sends everything before it reads also gets the answer. */
        assert_true(http_client_send(&client, request, size));
        free(request);
        if (!http_client_read(&client, &answer) || answer.status != rows[i].status) {
            fail_msg("%s: %d", rows[i].name, answer.status);
        }
        bool is_refused = rows[i].status == 413;
        assert_true(http_answer_has(&answer, "Connection: close") == is_refused);
        assert_false(http_answer_has(&answer, "Retry-After"));
        assert_true(http_client_sees_end(&client, is_refused ? 2000 : 50) == is_refused);
        assert_int_equal(http_site_count(&site).too_large, is_refused ? 1 : 0);
        assert_int_equal(http_site_count(&site).over_budget, 0);
        assert_int_equal(atomic_load(&site.n_handled), is_refused ? 0 : 1);
        http_client_close(&client);
        http_site_stop(&site);
    }
}

static void test_http_body__drops_a_refused_body_up_to_its_limit(void **state) {
    (void)state;
    struct http_budget budget = {.max = BODY_MAX};
    struct http_body body = {.bytes = NULL};
    static const char bytes[BODY_MAX];
    assert_true(http_body_add(&body, &budget, BODY_MAX, bytes, BODY_MAX));
    assert_int_equal(body.state, HTTP_BODY_WHOLE);
    assert_true(http_body_add(&body, &budget, BODY_MAX, bytes, 1));
    assert_int_equal(body.state, HTTP_BODY_TOO_LARGE);
    assert_int_equal(budget.used, 0);
    assert_true(http_body_add(&body, &budget, BODY_MAX, bytes, HTTP_BODY_DROPPED_MAX - 1));
    assert_false(http_body_add(&body, &budget, BODY_MAX, bytes, 1));
    assert_false(http_body_add(&body, &budget, BODY_MAX, bytes, 1));
    http_body_fini(&body, &budget);
}

static void test_http_body__refuses_an_announced_body_before_it_is_sent(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    site.options.body_max = 10;
    http_site_start(&site);
    http_client_open(&client, site.port);
    http_client_ask(&client, HTTP_POST_ECHO "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n",
                    &answer);
    assert_int_equal(answer.status, 413);
    assert_true(http_answer_has(&answer, "Connection: close\r\n"));
    http_client_close(&client);
    http_site_stop(&site);
}

/* Posts `size` bytes on an open connection and returns the status. */
static int post(struct http_client *client, size_t size) {
    struct http_answer answer;
    size_t request_size;
    char *request = make_post("/echo", size, false, &request_size);
    assert_true(http_client_send(client, request, request_size));
    free(request);
    assert_true(http_client_read(client, &answer));
    assert_false(http_answer_has(&answer, "Retry-After"));
    assert_false(http_answer_has(&answer, "Connection: close"));
    return answer.status;
}

static void test_http_body__refuses_a_body_that_passes_the_budget_of_all(void **state) {
    (void)state;
    enum { BUDGET = 100000, HELD = 80000, LEFT = HTTP_BODY_FREE + BUDGET - HELD };
    struct http_site site;
    struct http_client announcer;
    struct http_client holder;
    struct http_client other;
    struct http_answer answer;
    size_t size;
    http_site_init(&site);
    site.options.bodies_max = BUDGET - HTTP_BODY_FREE;
    /* The handler of the holder blocks, so the holder needs a worker of its own. */
    site.options.workers = 3;
    http_site_start(&site);
    http_client_open(&announcer, site.port);
    http_client_open(&holder, site.port);
    http_client_open(&other, site.port);
    /* An announcement alone charges nothing to the budget. */
    assert_true(http_client_send_text(&announcer, HTTP_POST_ECHO "Content-Length: 99999\r\n\r\n"));
    assert_int_equal(post(&other, BUDGET), 200);
    char *request = make_post("/wait", HELD, false, &size);
    assert_true(http_client_send(&holder, request, size));
    free(request);
    http_site_wait_for_arrival(&site);
    assert_int_equal(post(&other, LEFT), 200);
    assert_int_equal(post(&other, LEFT + 1), 503);
    assert_int_equal(post(&other, BUDGET), 503);
    assert_int_equal(post(&other, LEFT), 200);
    assert_int_equal(http_site_count(&site).over_budget, 2);
    assert_int_equal(http_site_count(&site).too_large, 0);
    atomic_store(&site.may_leave, true);
    assert_true(http_client_read(&holder, &answer));
    assert_int_equal(answer.status, 200);
    assert_int_equal(post(&other, BUDGET), 200);
    http_client_close(&announcer);
    http_client_close(&holder);
    http_client_close(&other);
    http_site_stop(&site);
}

static void test_http_body__returns_the_budget_of_a_broken_body(void **state) {
    (void)state;
    enum { BUDGET = 100000 };
    struct http_site site;
    struct http_client client;
    size_t size;
    http_site_init(&site);
    site.options.bodies_max = BUDGET - HTTP_BODY_FREE;
    http_site_start(&site);
    char *request = make_post("/echo", BUDGET, false, &size);
    for (uint64_t i = 1; i <= 5; i++) {
        http_client_open(&client, site.port);
        assert_true(http_client_send(&client, request, size - 1));
        http_client_close(&client);
        HTTP_SITE_WAIT(&site, accepted, i);
        HTTP_SITE_WAIT(&site, connections, 0);
    }
    free(request);
    http_client_open(&client, site.port);
    assert_int_equal(post(&client, BUDGET), 200);
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_body__takes_a_small_body_whatever_others_hold(void **state) {
    (void)state;
    enum { HOLDERS = 3, HELD = 100000 };
    struct http_site site;
    struct http_client holders[HOLDERS];
    struct http_client client;
    struct http_answer answer;
    size_t size;
    http_site_init(&site);
    site.options.bodies_max = HOLDERS * (HELD - HTTP_BODY_FREE);
    http_site_start(&site);
    char *request = make_post("/echo", HELD, false, &size);
    for (int i = 0; i < HOLDERS; i++) {
        http_client_open(&holders[i], site.port);
        assert_true(http_client_send(&holders[i], request, size - 1));
    }
    http_client_open(&client, site.port);
    int64_t until_ms = http_now_ms() + 5000;
    while (post(&client, HTTP_BODY_FREE + 1) != 503) {
        assert_true(http_now_ms() < until_ms); /* the server reads the bodies of the holders */
    }
    assert_int_equal(post(&client, HTTP_BODY_FREE), 200);
    assert_int_equal(post(&client, HTTP_BODY_FREE + 1), 503);
    for (int i = 0; i < HOLDERS; i++) {
        http_client_ask(&holders[i], "z", &answer);
        assert_int_equal(answer.status, 200);
        http_client_close(&holders[i]);
    }
    assert_int_equal(post(&client, HTTP_BODY_FREE + 1), 200);
    free(request);
    http_client_close(&client);
    http_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_body__accepts_a_body_up_to_its_limit),
        cmocka_unit_test(test_http_body__drops_a_refused_body_up_to_its_limit),
        cmocka_unit_test(test_http_body__refuses_an_announced_body_before_it_is_sent),
        cmocka_unit_test(test_http_body__refuses_a_body_that_passes_the_budget_of_all),
        cmocka_unit_test(test_http_body__returns_the_budget_of_a_broken_body),
        cmocka_unit_test(test_http_body__takes_a_small_body_whatever_others_hold),
    };
    return cmocka_run_group_tests_name("edge/http_body", tests, NULL, NULL);
}
