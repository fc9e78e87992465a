// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_client.h"

static bool can_connect(uint16_t port) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int status = connect(fd, (const struct sockaddr *)&address, sizeof address);
    close(fd);
    return status == 0;
}

static void test_http__reports_a_port_that_is_taken(void **state) {
    (void)state;
    struct http_site first;
    struct http_site second;
    struct error error;
    char address[32];
    http_site_init(&first);
    http_site_start(&first);
    http_site_init(&second);
    snprintf(address, sizeof address, "127.0.0.1:%u", first.port);
    second.options.bind_address = address;
    assert_false(http_start(&second.options, &second.server, &error));
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
    assert_non_null(strstr(error.text, strerror(EADDRINUSE)));
    http_site_stop(&first);
}

enum { N_BALANCED = 8 };

/* Finds how many of the connections the busiest and the idlest worker have. */
static void find_shares(struct http_client clients[N_BALANCED], size_t *ret_most,
                        size_t *ret_fewest, size_t *ret_n_threads) {
    char threads[N_BALANCED][32];
    size_t shares[N_BALANCED] = {0};
    *ret_n_threads = 0;
    for (size_t i = 0; i < N_BALANCED; i++) {
        struct http_answer answer;
        http_client_ask(&clients[i], "GET /thread HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
        size_t t = 0;
        while (t < *ret_n_threads && strcmp(threads[t], answer.body) != 0) {
            t++;
        }
        if (t == *ret_n_threads) {
            snprintf(threads[(*ret_n_threads)++], sizeof threads[0], "%.31s", answer.body);
        }
        shares[t]++;
    }
    *ret_most = 0;
    *ret_fewest = N_BALANCED;
    for (size_t t = 0; t < *ret_n_threads; t++) {
        *ret_most = shares[t] > *ret_most ? shares[t] : *ret_most;
        *ret_fewest = shares[t] < *ret_fewest ? shares[t] : *ret_fewest;
    }
}

static void test_http__gives_each_worker_its_share_of_connections(void **state) {
    (void)state;
    static const struct {
        unsigned workers;
        size_t most;
        size_t fewest;
    } rows[] = {{1, 8, 8}, {2, 4, 4}, {3, 3, 2}, {8, 1, 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_site site;
        struct http_client clients[N_BALANCED];
        size_t most;
        size_t fewest;
        size_t n_threads;
        http_site_init(&site);
        site.options.workers = rows[i].workers;
        http_site_start(&site);
        for (size_t c = 0; c < N_BALANCED; c++) {
            http_client_open(&clients[c], site.port);
        }
        find_shares(clients, &most, &fewest, &n_threads);
        assert_int_equal(n_threads, rows[i].workers);
        assert_int_equal(most, rows[i].most);
        assert_int_equal(fewest, rows[i].fewest);
        for (size_t c = 0; c < N_BALANCED; c++) {
            http_client_close(&clients[c]);
        }
        http_site_stop(&site);
    }
}

static void test_http__reuses_the_place_of_a_closed_connection(void **state) {
    (void)state;
    struct http_site site;
    struct http_client clients[N_BALANCED];
    size_t most;
    size_t fewest;
    size_t n_threads;
    http_site_init(&site);
    http_site_start(&site);
    for (size_t c = 0; c < N_BALANCED; c++) {
        http_client_open(&clients[c], site.port);
    }
    HTTP_SITE_WAIT(&site, connections, N_BALANCED);
    /* Every second connection; one worker has them all. */
    for (size_t c = 0; c < N_BALANCED; c += 2) {
        http_client_close(&clients[c]);
    }
    HTTP_SITE_WAIT(&site, connections, N_BALANCED / 2);
    for (size_t c = 0; c < N_BALANCED; c += 2) {
        http_client_open(&clients[c], site.port);
    }
    find_shares(clients, &most, &fewest, &n_threads);
    assert_int_equal(n_threads, 2);
    assert_int_equal(most, 4);
    for (size_t c = 0; c < N_BALANCED; c++) {
        http_client_close(&clients[c]);
    }
    http_site_stop(&site);
}

static void test_http__survives_a_reset_while_it_answers(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identity;
    http_identity_init(&identity);
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        http_site_init(&site);
        site.options.is_tls = is_tls != 0;
        site.large_size = 8 * 1024 * 1024;
        http_site_start(&site);
        if (is_tls != 0) {
            http_identity_serve(&identity, &site);
        }
        for (int i = 0; i < 20; i++) {
            struct http_client client;
            struct http_answer answer;
            if (is_tls != 0) {
                assert_true(http_client_open_tls(&client, site.port, identity.client));
            } else {
                http_client_open(&client, site.port);
            }
            assert_true(http_client_send_text(&client, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
            assert_true(http_client_read_head(&client, &answer));
            assert_int_equal(answer.status, 200);
            http_client_reset(&client);
        }
        HTTP_SITE_WAIT(&site, connections, 0);
        http_site_stop(&site);
    }
    http_identity_fini(&identity);
}

static void test_http__says_close_while_it_drains_and_goes_on_serving(void **state) {
    (void)state;
    struct http_site site;
    struct http_client idle;
    struct http_client fresh;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&idle, site.port);
    http_client_ask(&idle, HTTP_GET_HEALTHZ, &answer);
    http_drain(site.server);
    http_client_open(&fresh, site.port);
    http_client_ask(&fresh, HTTP_POST_ECHO "Content-Length: 1\r\n\r\na", &answer);
    assert_int_equal(answer.status, 200);
    assert_true(http_answer_has(&answer, "Connection: close\r\n"));
    assert_true(http_client_sees_end(&fresh, 2000));
    /* The idle one was left alone. */
    http_client_ask(&idle, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_int_equal(answer.status, 404);
    assert_true(http_answer_has(&answer, "Connection: close\r\n"));
    assert_true(http_client_sees_end(&idle, 2000));
    http_client_close(&idle);
    http_client_close(&fresh);
    http_site_stop(&site);
}

static void test_http__stops_at_once_with_idle_connections_open(void **state) {
    (void)state;
    struct http_site site;
    struct http_client clients[10];
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        http_client_open(&clients[i], site.port);
        if (i % 2 == 0) {
            http_client_ask(&clients[i], HTTP_GET_HEALTHZ, &answer);
        }
    }
    int64_t before_ms = http_now_ms();
    http_site_stop(&site);
    assert_true(http_now_ms() - before_ms < 1000);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        assert_true(http_client_sees_end(&clients[i], 1000));
        http_client_close(&clients[i]);
    }
}

static void *stop(void *site) {
    http_site_stop(site);
    return NULL;
}

static void test_http__ends_the_requests_under_way_before_it_stops(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    pthread_t stopper;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(&client, "POST /wait HTTP/1.1\r\nHost: x\r\n\r\n"));
    http_site_wait_for_arrival(&site);
    assert_int_equal(pthread_create(&stopper, NULL, stop, &site), 0);
    /* It accepts no more before the request is over. */
    while (can_connect(site.port)) {
        http_sleep_ms(1);
    }
    atomic_store(&site.may_leave, true);
    assert_true(http_client_read(&client, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(http_answer_has(&answer, "Connection: close\r\n"));
    assert_int_equal(pthread_join(stopper, NULL), 0);
    http_client_close(&client);
}

static void test_http__does_not_wait_for_ever_to_stop(void **state) {
    (void)state;
    struct http_site site;
    struct http_client client;
    struct http_answer answer;
    http_site_init(&site);
    http_site_start(&site);
    http_client_open(&client, site.port);
    http_client_ask(&client, HTTP_POST_ECHO "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n",
                    &answer);
    assert_int_equal(answer.status, 100);
    int64_t before_ms = http_now_ms();
    http_site_stop(&site);
    int64_t took_ms = http_now_ms() - before_ms;
    assert_true(took_ms >= 2000 && took_ms < 3000);
    http_client_close(&client);
}

int main(void) {
    /* OpenSSL, in the clients of these tests, writes without MSG_NOSIGNAL. The server's threads
       block the signal themselves. */
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http__reports_a_port_that_is_taken),
        cmocka_unit_test(test_http__gives_each_worker_its_share_of_connections),
        cmocka_unit_test(test_http__reuses_the_place_of_a_closed_connection),
        cmocka_unit_test(test_http__survives_a_reset_while_it_answers),
        cmocka_unit_test(test_http__says_close_while_it_drains_and_goes_on_serving),
        cmocka_unit_test(test_http__stops_at_once_with_idle_connections_open),
        cmocka_unit_test(test_http__ends_the_requests_under_way_before_it_stops),
        cmocka_unit_test(test_http__does_not_wait_for_ever_to_stop),
    };
    return cmocka_run_group_tests_name("edge/http", tests, NULL, NULL);
}
