// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_client.h"

/* Deadlines in these tests, and how late one may be enforced: the server looks four times a second,
   and the machine may be busy. */
enum { SHORT_MS = 300, LONG_MS = 30000, LATE_MS = 1500 };

/* Sends `bytes` one by one, 20 ms apart, until the server ends the connection. Returns the
   milliseconds until then. */
static int64_t drip(struct http_client *client, const char *bytes) {
    int64_t before_ms = http_now_ms();
    size_t size = strlen(bytes);
    for (size_t i = 0; http_now_ms() - before_ms < SHORT_MS + LATE_MS; i++) {
        http_client_send(client, &bytes[i % size], 1);
        if (http_client_sees_end(client, 20)) {
            return http_now_ms() - before_ms;
        }
    }
    return INT64_MAX;
}

static void assert_on_time(int64_t took_ms, int64_t deadline_ms) {
    if (took_ms < deadline_ms - 20 || took_ms > deadline_ms + LATE_MS) {
        fail_msg("took %lld ms", (long long)took_ms);
    }
}

static void test_http_limits__ends_headers_that_drip(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    http_site_init(&site);
    site.options.head_timeout_ms = SHORT_MS;
    http_site_start(&site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(&client, "GET /healthz HTTP/1.1\r\nHost: x\r\nLong: "));
    assert_on_time(drip(&client, "a"), SHORT_MS);
    http_client_close(&client);
    HTTP_SITE_WAIT(&site, connections, 0);
    assert_int_equal(http_site_count(&site).timeouts, 1);
    http_site_stop(&site);
}

static void test_http_limits__ends_a_connection_that_says_nothing(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    http_site_init(&site);
    site.options.head_timeout_ms = SHORT_MS;
    http_site_start(&site);
    http_client_open(&client, site.port);
    /* Empty lines before a request are allowed, but they are no progress. */
    assert_on_time(drip(&client, "\r\n"), SHORT_MS);
    http_client_close(&client);
    HTTP_SITE_WAIT(&site, without_request, 1);
    assert_int_equal(http_site_count(&site).timeouts, 1);
    http_site_stop(&site);
}

static void test_http_limits__gives_a_later_request_the_same_time_for_its_headers(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    site.options.head_timeout_ms = SHORT_MS;
    http_site_start(&site);
    http_client_open(&client, site.port);
    http_client_ask(&client, HTTP_GET_HEALTHZ, &answer);
    /* The connection is now older than head_timeout_ms. */
    assert_false(http_client_sees_end(&client, SHORT_MS + 300));
    http_client_ask(&client, HTTP_GET_HEALTHZ, &answer);
    assert_true(http_client_send_text(&client, "GET /healthz HTTP/1.1\r\n"));
    assert_on_time(drip(&client, "a"), SHORT_MS);
    http_client_close(&client);
    HTTP_SITE_WAIT(&site, timeouts, 1);
    assert_int_equal(http_site_count(&site).without_request, 0);
    http_site_stop(&site);
}

static void test_http_limits__ends_a_body_that_drips(void **state) {
    (void)state;
    static const struct {
        const char *head;
        int64_t deadline_ms;
        int64_t body_timeout_ms;
    } rows[] = {
        {HTTP_POST_ECHO "Content-Length: 9999\r\n\r\n", SHORT_MS, SHORT_MS},
        {HTTP_POST_ECHO "Transfer-Encoding: chunked\r\n\r\nffff\r\n", SHORT_MS, SHORT_MS},
        {"POST /echo?timeout=300ms HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", SHORT_MS,
         LONG_MS},
        {"POST /echo?a=b&timeout=1s HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", 1000,
         LONG_MS},
        {"POST /echo?timeout=30s HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", SHORT_MS,
         SHORT_MS},
        {"POST /echo?timeout=0s HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", SHORT_MS,
         SHORT_MS},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_site site;
        struct http_client client;
        http_site_init(&site);
        site.options.body_timeout_ms = rows[i].body_timeout_ms;
        http_site_start(&site);
        http_client_open(&client, site.port);
        assert_true(http_client_send_text(&client, rows[i].head));
        assert_on_time(drip(&client, "a"), rows[i].deadline_ms);
        http_client_close(&client);
        HTTP_SITE_WAIT(&site, connections, 0);
        assert_int_equal(http_site_count(&site).timeouts, 1);
        assert_int_equal(atomic_load(&site.n_handled), 0);
        http_site_stop(&site);
    }
}

static void test_http_limits__ends_an_idle_connection_and_not_a_used_one(void **state) {
    (void)state;
    enum { IDLE_MS = 600 };
    struct http_site site;
    struct http_client used;
    struct http_client idle;
    struct http_answer answer;
    http_site_init(&site);
    site.options.idle_timeout_ms = IDLE_MS;
    http_site_start(&site);
    http_client_open(&used, site.port);
    http_client_open(&idle, site.port);
    http_client_ask(&idle, HTTP_GET_HEALTHZ, &answer);
    int64_t before_ms = http_now_ms();
    while (!http_client_sees_end(&idle, 50)) {
        http_client_ask(&used, HTTP_GET_HEALTHZ, &answer);
        assert_true(http_now_ms() - before_ms < LATE_MS);
    }
    assert_on_time(http_now_ms() - before_ms, IDLE_MS);
    http_client_ask(&used, HTTP_GET_HEALTHZ, &answer);
    assert_int_equal(http_site_count(&site).timeouts, 1);
    http_client_close(&idle);
    http_client_close(&used);
    http_site_stop(&site);
}

static void test_http_limits__has_no_deadline_for_the_handler(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    site.options.head_timeout_ms = SHORT_MS;
    site.options.body_timeout_ms = SHORT_MS;
    site.options.idle_timeout_ms = SHORT_MS;
    http_site_start(&site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(
        &client, "POST /wait?timeout=100ms HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"));
    assert_false(http_client_sees_end(&client, SHORT_MS + 500));
    assert_true(atomic_load(&site.has_arrived));
    atomic_store(&site.may_leave, true);
    assert_true(http_client_read(&client, &answer));
    assert_int_equal(answer.status, 200);
    assert_int_equal(http_site_count(&site).timeouts, 0);
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_limits__ends_a_client_that_does_not_read_its_answer(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    http_site_init(&site);
    site.options.idle_timeout_ms = SHORT_MS;
    site.large_size = 32 * 1024 * 1024;
    http_site_start(&site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(&client, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
    HTTP_SITE_WAIT(&site, timeouts, 1);
    HTTP_SITE_WAIT(&site, connections, 0);
    http_client_close(&client);
    http_site_stop(&site);
}

static void test_http_limits__sleeps_while_nothing_is_due(void **state) {
    (void)state;
    struct http_site site;
    struct http_client clients[50];
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        http_client_open(&clients[i], site.port);
        http_client_ask(&clients[i], HTTP_GET_HEALTHZ, &answer);
    }
    http_assert_asleep(500);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        http_client_close(&clients[i]);
    }
    http_site_stop(&site);
}

static void test_http_limits__answers_others_while_200_clients_drip(void **state) {
    (void)state;
    enum { N = 200 };
    struct http_site site;
    static struct http_client slow[N];
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    site.options.head_timeout_ms = 1500;
    http_site_start(&site);
    for (size_t i = 0; i < N; i++) {
        http_client_open(&slow[i], site.port);
        assert_true(http_client_send_text(&slow[i], "GET /healthz HTTP/1.1\r\nLong: "));
    }
    int64_t quickest_ms = INT64_MAX;
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < N; i++) {
            http_client_send_text(&slow[i], "a");
        }
        int64_t before_ms = http_now_ms();
        http_client_open(&client, site.port);
        http_client_ask(&client, HTTP_POST_ECHO "Content-Length: 2\r\n\r\nab", &answer);
        http_client_close(&client);
        int64_t took_ms = http_now_ms() - before_ms;
        quickest_ms = took_ms < quickest_ms ? took_ms : quickest_ms;
    }
    assert_true(quickest_ms < 500);
    HTTP_SITE_WAIT(&site, connections, 0);
    assert_int_equal(http_site_count(&site).timeouts, N);
    for (size_t i = 0; i < N; i++) {
        http_client_close(&slow[i]);
    }
    http_site_stop(&site);
}

static int open_unconnected(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

/* Takes away all descriptors that are free, with the lowest number as the limit. */
static void leave_no_descriptor(struct rlimit *ret_before) {
    assert_int_equal(getrlimit(RLIMIT_NOFILE, ret_before), 0);
    int free_fd = open_unconnected();
    close(free_fd);
    const struct rlimit none = {.rlim_cur = (rlim_t)free_fd, .rlim_max = ret_before->rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void connect_to(const struct http_client *client, const struct http_site *site) {
    const struct sockaddr_in server = {.sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                       .sin_port = htons(site->port)};
    assert_int_equal(connect(client->fd, (const struct sockaddr *)&server, sizeof server), 0);
}

static void test_http_limits__waits_for_descriptors_without_spinning(void **state) {
    (void)state;
    struct http_site site;
    struct http_client inside;
    struct http_answer answer;
    struct rlimit limit;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&inside, site.port);
    assert_true(http_client_send_text(&inside, "POST /defer HTTP/1.1\r\nHost: x\r\n\r\n"));
    struct http_connection *deferred = http_site_next_deferred(&site);
    struct http_client outside = {.fd = open_unconnected()};
    leave_no_descriptor(&limit);
    connect_to(&outside, &site);
    assert_true(http_client_send_text(&outside, HTTP_GET_HEALTHZ));
    http_assert_asleep(500);
    assert_false(http_client_sees_end(&outside, 0));
    assert_int_equal(http_site_count(&site).accepted, 1);
    assert_in_range(http_full_ms(site.server), 300, 60000);
    http_site_answer(deferred, "inside");
    assert_true(http_client_read(&inside, &answer));
    assert_string_equal(answer.body, "inside");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(http_client_read(&outside, &answer));
    assert_int_equal(answer.status, 200);
    http_client_close(&outside);
    http_client_close(&inside);
    http_site_stop(&site);
}

static void test_http_limits__without_descriptors_ends_an_idle_connection(void **state) {
    (void)state;
    struct http_site site;
    struct http_client inside;
    struct http_answer answer;
    struct rlimit limit;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&inside, site.port);
    http_client_ask(&inside, HTTP_GET_HEALTHZ, &answer);
    struct http_client outside = {.fd = open_unconnected()};
    leave_no_descriptor(&limit);
    connect_to(&outside, &site);
    assert_true(http_client_send_text(&outside, HTTP_GET_HEALTHZ));
    assert_true(http_client_read(&outside, &answer));
    assert_int_equal(answer.status, 200);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(http_client_sees_end(&inside, 1000));
    assert_int_equal(http_site_count(&site).evicted, 1);
    http_client_close(&outside);
    http_client_close(&inside);
    http_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_limits__ends_headers_that_drip),
        cmocka_unit_test(test_http_limits__ends_a_connection_that_says_nothing),
        cmocka_unit_test(test_http_limits__gives_a_later_request_the_same_time_for_its_headers),
        cmocka_unit_test(test_http_limits__ends_a_body_that_drips),
        cmocka_unit_test(test_http_limits__ends_an_idle_connection_and_not_a_used_one),
        cmocka_unit_test(test_http_limits__has_no_deadline_for_the_handler),
        cmocka_unit_test(test_http_limits__ends_a_client_that_does_not_read_its_answer),
        cmocka_unit_test(test_http_limits__sleeps_while_nothing_is_due),
        cmocka_unit_test(test_http_limits__answers_others_while_200_clients_drip),
        cmocka_unit_test(test_http_limits__waits_for_descriptors_without_spinning),
        cmocka_unit_test(test_http_limits__without_descriptors_ends_an_idle_connection),
    };
    return cmocka_run_group_tests_name("edge/http_limits", tests, NULL, NULL);
}
