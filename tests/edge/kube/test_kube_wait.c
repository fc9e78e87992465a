// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kube_site.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

/* Longer than any test takes: if a wait lasts that long, nothing woke it. */
enum { LONG_MS = 60000, SHORT_MS = 50 };

static const struct script_step held[] = {{SCRIPT_WAIT, NULL, 0, 0}, {SCRIPT_SEND, OK_EMPTY, 0, 0}};
static const struct script_step silent[] = {{SCRIPT_HANG, NULL, 0, 0}};

static void *wake(void *context) {
    struct kube_site *site = context;
    kube_wake(site->kube);
    return NULL;
}

static void test_kube_wait__is_woken_by_another_thread(void **state) {
    (void)state;
    struct kube_site site;
    kube_site_open(&site);
    int64_t begin_ms = kube_site_now_ms();
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, wake, &site), 0);
        kube_wait(site.kube, NULL, 0, LONG_MS);
        pthread_join(thread, NULL);
    }
    kube_wake(site.kube); /* called before kube_wait() */
    kube_wait(site.kube, NULL, 0, LONG_MS);
    assert_true(kube_site_now_ms() - begin_ms < LONG_MS);
    kube_site_stop(&site);
}

static void test_kube_wait__returns_when_nothing_happens(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard heard;
    kube_site_open(&site);
    int64_t begin_ms = kube_site_now_ms();
    kube_wait(site.kube, NULL, 0, SHORT_MS);
    int64_t waited_ms = kube_site_now_ms() - begin_ms;
    assert_true(waited_ms >= SHORT_MS - 1 && waited_ms < LONG_MS);
    /* Also beside a request without events. libcurl may wake up now and then for itself. */
    script_server_play(site.server, "/a", 1, silent, COUNT_OF(silent));
    struct kube_request request = kube_site_request(KUBE_GET, "/a", &heard);
    kube_site_begin(&site, &request, &heard);
    KUBE_SITE_UNTIL(&site, script_server_n_requests(site.server) == 1);
    begin_ms = kube_site_now_ms();
    for (int i = 0; i < 8; i++) {
        kube_wait(site.kube, NULL, 0, SHORT_MS);
    }
    assert_true(kube_site_now_ms() - begin_ms >= 4 * SHORT_MS);
    kube_wait(site.kube, NULL, 0, 0);
    kube_wait(site.kube, NULL, 0, -1);
    assert_int_equal(heard.n_done, 0);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube_wait__looks_at_other_descriptors(void **state) {
    (void)state;
    int full[2];
    int empty[2];
    int closed[2];
    struct kube_site site;
    assert_int_equal(pipe(full), 0);
    assert_int_equal(pipe(empty), 0);
    assert_int_equal(pipe(closed), 0);
    assert_int_equal(write(full[1], "x", 1), 1);
    close(closed[1]);
    struct pollfd others[] = {
        {.fd = full[0], .events = POLLIN, .revents = -1},
        {.fd = empty[0], .events = POLLIN, .revents = -1},
        {.fd = -1, .events = POLLIN, .revents = -1},
        {.fd = empty[1], .events = POLLOUT, .revents = -1},
        {.fd = closed[0], .events = POLLIN, .revents = -1},
    };
    static const short expected[] = {POLLIN, 0, 0, POLLOUT, POLLHUP};
    kube_site_open(&site);
    int64_t begin_ms = kube_site_now_ms();
    kube_wait(site.kube, others, COUNT_OF(others), LONG_MS);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(others[i].revents, expected[i]);
    }
    /* Each of them alone is enough. */
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (expected[i] != 0) {
            kube_wait(site.kube, &others[i], 1, LONG_MS);
        }
    }
    assert_true(kube_site_now_ms() - begin_ms < LONG_MS);
    kube_wait(site.kube, &others[1], 2, SHORT_MS);
    assert_int_equal(others[1].revents, 0);
    kube_site_stop(&site);
    for (size_t i = 0; i < 2; i++) {
        close(full[i]);
        close(empty[i]);
    }
    close(closed[0]);
}

static void test_kube_wait__sends_many_through_few_connections(void **state) {
    (void)state;
    enum { N = 50, CONNECTIONS = 4 };
    struct kube_site site;
    struct kube_heard heard[N];
    kube_site_init(&site, &(struct script_options){0});
    site.connections_max = CONNECTIONS;
    kube_site_start(&site);
    script_server_answer(site.server, "/a", 0, OK_EMPTY);
    for (size_t i = 0; i < N; i++) {
        struct kube_request request = kube_site_request(KUBE_GET, "/a", &heard[i]);
        kube_site_begin(&site, &request, &heard[i]);
    }
    for (size_t i = 0; i < N; i++) {
        kube_site_finish(&site, &heard[i]);
        assert_true(heard[i].is_good);
        kube_heard_fini(&heard[i]);
    }
    assert_int_equal(script_server_n_requests(site.server), N);
    assert_true(script_server_n_connections(site.server) <= CONNECTIONS);
    kube_site_stop(&site);
}

static void test_kube_wait__opens_connections_up_to_its_limit(void **state) {
    (void)state;
    enum { N = 3, CONNECTIONS = 2 };
    struct kube_site site;
    struct kube_heard heard[N];
    kube_site_init(&site, &(struct script_options){0});
    site.connections_max = CONNECTIONS;
    kube_site_start(&site);
    script_server_play(site.server, "/a", 0, held, COUNT_OF(held));
    for (size_t i = 0; i < N; i++) {
        struct kube_request request = kube_site_request(KUBE_GET, "/a", &heard[i]);
        kube_site_begin(&site, &request, &heard[i]);
    }
    KUBE_SITE_UNTIL(&site, script_server_n_requests(site.server) == CONNECTIONS);
    kube_wait(site.kube, NULL, 0, SHORT_MS);
    assert_int_equal(script_server_n_requests(site.server), CONNECTIONS);
    script_server_release(site.server);
    KUBE_SITE_UNTIL(&site, script_server_n_requests(site.server) == N);
    script_server_release(site.server);
    script_server_release(site.server);
    for (size_t i = 0; i < N; i++) {
        kube_site_finish(&site, &heard[i]);
        assert_true(heard[i].is_good);
        kube_heard_fini(&heard[i]);
    }
    assert_int_equal(script_server_n_connections(site.server), CONNECTIONS);
    kube_site_stop(&site);
}

/* Asks with a time limit that passes before the answer ends. */
static void ask_late(struct kube_site *site, enum kube_verb verb, int64_t timeout_ms,
                     struct kube_heard *heard) {
    struct kube_request request = kube_site_request(verb, "/a", heard);
    request.timeout_ms = timeout_ms;
    int64_t begin_ms = kube_site_now_ms();
    kube_site_begin(site, &request, heard);
    kube_site_finish(site, heard);
    assert_true(kube_site_now_ms() - begin_ms >= timeout_ms);
    assert_false(heard->is_good);
    assert_int_equal(heard->error.kind, ERROR_TIMEOUT);
}

/* If half of an answer must come first, allow more time for a busy machine. */
static void test_kube_wait__ends_what_takes_too_long(void **state) {
    (void)state;
    static const struct script_step half[] = {
        {SCRIPT_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc\n", 0, 0},
        {SCRIPT_HANG, NULL, 0, 0},
    };
    static const struct {
        enum kube_verb verb;
        const struct script_step *steps;
        size_t n_steps;
        int status;
        const char *text;
    } rows[] = {
        {KUBE_GET, silent, 1, 0, "GET /a: no answer within"},
        {KUBE_APPLY, half, 2, 200, "PATCH /a: 200: the answer had no end within"},
        {KUBE_WATCH, half, 2, 200, "WATCH /a: 200: the answer had no end within"},
        {KUBE_WATCH, silent, 1, 0, "WATCH /a: no answer within"},
    };
    struct kube_site site;
    kube_site_open(&site);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_heard heard;
        char expected[128];
        int timeout_ms = 50;
        script_server_play(site.server, "/a", 1, rows[i].steps, rows[i].n_steps);
        ask_late(&site, rows[i].verb, timeout_ms, &heard);
        while (heard.status != rows[i].status && timeout_ms < 10000) {
            kube_heard_fini(&heard);
            timeout_ms *= 4;
            script_server_play(site.server, "/a", 1, rows[i].steps, rows[i].n_steps);
            ask_late(&site, rows[i].verb, timeout_ms, &heard);
        }
        snprintf(expected, sizeof(expected), "%s %d ms", rows[i].text, timeout_ms);
        assert_int_equal(heard.status, rows[i].status);
        assert_string_equal(heard.error.text, expected);
        kube_heard_fini(&heard);
    }
    kube_site_stop(&site);
}

static void test_kube_wait__counts_the_time_without_a_free_connection(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard first;
    struct kube_heard second;
    struct kube_heard third;
    kube_site_init(&site, &(struct script_options){0});
    site.connections_max = 1;
    kube_site_start(&site);
    script_server_play(site.server, "/a", 1, silent, COUNT_OF(silent));
    script_server_answer(site.server, "/b", 1, OK_EMPTY);
    struct kube_request request = kube_site_request(KUBE_GET, "/a", &first);
    request.timeout_ms = 20 * SHORT_MS;
    kube_site_begin(&site, &request, &first);
    request = kube_site_request(KUBE_GET, "/never", &second);
    request.timeout_ms = SHORT_MS;
    kube_site_begin(&site, &request, &second);
    request = kube_site_request(KUBE_GET, "/b", &third);
    kube_site_begin(&site, &request, &third);
    kube_site_finish(&site, &second);
    assert_int_equal(second.error.kind, ERROR_TIMEOUT);
    assert_int_equal(first.n_done, 0);
    kube_site_finish(&site, &third); /* once the first has given up its connection */
    assert_int_equal(first.n_done, 1);
    assert_int_equal(first.error.kind, ERROR_TIMEOUT);
    assert_true(third.is_good);
    assert_int_equal(script_server_n_requests(site.server), 2);
    kube_heard_fini(&first);
    kube_heard_fini(&second);
    kube_heard_fini(&third);
    kube_site_stop(&site);
}

static void test_kube_wait__cancels_from_outside(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard waiting;
    struct kube_heard running;
    struct kube_heard other;
    kube_site_open(&site);
    script_server_play(site.server, "/held", 1, held, COUNT_OF(held));
    script_server_answer(site.server, "/a", 1, OK_EMPTY);
    struct kube_request request = kube_site_request(KUBE_GET, "/never", &waiting);
    kube_site_begin(&site, &request, &waiting);
    kube_cancel(site.kube, waiting.call);
    request = kube_site_request(KUBE_GET, "/held", &running);
    kube_site_begin(&site, &request, &running);
    KUBE_SITE_UNTIL(&site, script_server_n_requests(site.server) == 1);
    kube_cancel(site.kube, running.call);
    script_server_release(site.server);
    kube_site_ask(&site, KUBE_GET, "/a", &other);
    assert_true(other.is_good);
    assert_int_equal(waiting.n_done + running.n_done, 0);
    assert_int_equal(script_server_n_requests(site.server), 2);
    kube_heard_fini(&waiting);
    kube_heard_fini(&running);
    kube_heard_fini(&other);
    kube_site_stop(&site);
}

static void test_kube_wait__lets_a_call_cancel_itself_at_its_end(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard heard;
    kube_site_open(&site);
    script_server_answer(site.server, "/a", 1, OK_EMPTY);
    struct kube_request request = kube_site_request(KUBE_GET, "/a", &heard);
    heard.is_to_be_cancelled = true;
    kube_site_begin(&site, &request, &heard);
    kube_site_finish(&site, &heard);
    assert_true(heard.is_good);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

/* Two calls have ended, and each cancels the other. Only one callback comes. */
struct rival {
    struct kube *kube;
    struct kube_call *other;
    unsigned *n_done;
};

static void beat(void *context, const struct kube_answer *answer) {
    struct rival *rival = context;
    assert_false(answer->is_good);
    ++*rival->n_done;
    kube_cancel(rival->kube, rival->other);
}

static void test_kube_wait__lets_a_call_cancel_another_that_has_ended(void **state) {
    (void)state;
    struct kube_site site;
    unsigned n_done = 0;
    struct rival rivals[2];
    struct kube_call *calls[2];
    kube_site_open(&site);
    for (size_t i = 0; i < 2; i++) {
        rivals[i] = (struct rival){.kube = site.kube, .n_done = &n_done};
        struct kube_request request = {
            .verb = KUBE_GET, .path = "/a", .timeout_ms = 0, .done = beat, .context = &rivals[i]};
        calls[i] = kube_begin(site.kube, &request);
    }
    rivals[0].other = calls[1];
    rivals[1].other = calls[0];
    kube_wait(site.kube, NULL, 0, 0);
    kube_wait(site.kube, NULL, 0, 0);
    assert_int_equal(n_done, 1);
    kube_site_stop(&site);
}

struct chain {
    struct kube *kube;
    struct kube_request request;
    unsigned n_left;
};

static void go_on(void *context, const struct kube_answer *answer) {
    struct chain *chain = context;
    assert_true(answer->is_good);
    if (--chain->n_left > 0) {
        kube_begin(chain->kube, &chain->request);
    }
}

static void test_kube_wait__lets_a_callback_begin_the_next(void **state) {
    (void)state;
    struct kube_site site;
    kube_site_open(&site);
    script_server_answer(site.server, "/a", 0, OK_EMPTY);
    struct chain chain = {.kube = site.kube, .n_left = 20};
    chain.request = (struct kube_request){.verb = KUBE_GET,
                                          .path = "/a",
                                          .timeout_ms = LONG_MS,
                                          .answer_max = 100,
                                          .done = go_on,
                                          .context = &chain};
    kube_begin(site.kube, &chain.request);
    KUBE_SITE_UNTIL(&site, chain.n_left == 0);
    assert_int_equal(script_server_n_requests(site.server), 20);
    assert_int_equal(script_server_n_connections(site.server), 1);
    kube_site_stop(&site);
}

static void test_kube_wait__cancels_all_when_freed(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard running;
    struct kube_heard waiting;
    kube_site_init(&site, &(struct script_options){0});
    site.connections_max = 1;
    kube_site_start(&site);
    script_server_play(site.server, "/a", 1, silent, COUNT_OF(silent));
    struct kube_request request = kube_site_request(KUBE_GET, "/a", &running);
    kube_site_begin(&site, &request, &running);
    request = kube_site_request(KUBE_WATCH, "/a", &waiting);
    kube_site_begin(&site, &request, &waiting);
    KUBE_SITE_UNTIL(&site, script_server_n_requests(site.server) == 1);
    kube_site_stop(&site);
    assert_int_equal(running.n_done + waiting.n_done, 0);
    kube_heard_fini(&running);
    kube_heard_fini(&waiting);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_wait__is_woken_by_another_thread),
        cmocka_unit_test(test_kube_wait__returns_when_nothing_happens),
        cmocka_unit_test(test_kube_wait__looks_at_other_descriptors),
        cmocka_unit_test(test_kube_wait__sends_many_through_few_connections),
        cmocka_unit_test(test_kube_wait__opens_connections_up_to_its_limit),
        cmocka_unit_test(test_kube_wait__ends_what_takes_too_long),
        cmocka_unit_test(test_kube_wait__counts_the_time_without_a_free_connection),
        cmocka_unit_test(test_kube_wait__cancels_from_outside),
        cmocka_unit_test(test_kube_wait__lets_a_call_cancel_itself_at_its_end),
        cmocka_unit_test(test_kube_wait__lets_a_call_cancel_another_that_has_ended),
        cmocka_unit_test(test_kube_wait__lets_a_callback_begin_the_next),
        cmocka_unit_test(test_kube_wait__cancels_all_when_freed),
    };
    return cmocka_run_group_tests_name("edge/kube_wait", tests, NULL, NULL);
}
