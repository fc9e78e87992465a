// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/http_linger.h"

enum { BEGAN_MS = 1000, PIECE = 1 << 16 };

struct fixture {
    struct http_linger linger;
    int wake_fd;
    int peer; /* of a lingering connection */
};

/* Closes our descriptor afterwards, as MHD does. */
static int add(struct fixture *fixture) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    http_linger_add(&fixture->linger, ends[0], BEGAN_MS);
    close(ends[0]);
    return ends[1];
}

static void begin(struct fixture *ret) {
    ret->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    http_linger_init(&ret->linger, ret->wake_fd);
    ret->peer = add(ret);
}

static void end(struct fixture *fixture) {
    http_linger_fini(&fixture->linger);
    close(fixture->wake_fd);
    close(fixture->peer);
}

static bool is_open(const struct fixture *fixture) {
    return send(fixture->peer, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

static void test_http_linger__ends_its_half_and_wakes_the_accept_thread(void **state) {
    struct fixture fixture;
    struct pollfd polled[HTTP_LINGER_MAX];
    int64_t until_ms = INT64_MAX;
    eventfd_t n;
    char byte;
    (void)state;
    begin(&fixture);
    assert_int_equal(recv(fixture.peer, &byte, 1, 0), 0);
    assert_int_equal(eventfd_read(fixture.wake_fd, &n), 0);
    assert_int_equal(http_linger_poll(&fixture.linger, polled, &until_ms), 1);
    assert_int_equal(until_ms, BEGAN_MS + HTTP_LINGER_MS);
    until_ms = BEGAN_MS;
    assert_int_equal(http_linger_poll(&fixture.linger, polled, &until_ms), 1);
    assert_int_equal(until_ms, BEGAN_MS);
    end(&fixture);
}

static void test_http_linger__lasts_until_the_peer_ends(void **state) {
    struct fixture fixture;
    (void)state;
    begin(&fixture);
    assert_true(is_open(&fixture));
    http_linger_drain(&fixture.linger, BEGAN_MS);
    assert_int_equal(fixture.linger.n_items, 1);
    shutdown(fixture.peer, SHUT_WR);
    http_linger_drain(&fixture.linger, BEGAN_MS);
    assert_int_equal(fixture.linger.n_items, 0);
    end(&fixture);
}

static void test_http_linger__lasts_for_5_seconds_and_no_longer(void **state) {
    struct fixture fixture;
    (void)state;
    begin(&fixture);
    http_linger_drain(&fixture.linger, BEGAN_MS + HTTP_LINGER_MS - 1);
    assert_true(is_open(&fixture));
    http_linger_drain(&fixture.linger, BEGAN_MS + HTTP_LINGER_MS);
    assert_false(is_open(&fixture));
    end(&fixture);
}

static void test_http_linger__drains_64_mib_and_no_more(void **state) {
    static const char bytes[PIECE];
    struct fixture fixture;
    size_t n = 0;
    (void)state;
    begin(&fixture);
    while (n < HTTP_LINGER_BYTES - 1) {
        size_t left = HTTP_LINGER_BYTES - 1 - n;
        ssize_t sent =
            send(fixture.peer, bytes, left < PIECE ? left : PIECE, MSG_NOSIGNAL | MSG_DONTWAIT);
        n += sent > 0 ? (size_t)sent : 0;
        http_linger_drain(&fixture.linger, BEGAN_MS);
        assert_int_equal(fixture.linger.n_items, 1);
    }
    assert_true(is_open(&fixture));
    http_linger_drain(&fixture.linger, BEGAN_MS);
    assert_false(is_open(&fixture));
    end(&fixture);
}

static void test_http_linger__has_room_for_32_and_one_more_closes_the_oldest(void **state) {
    struct fixture fixture;
    int peers[HTTP_LINGER_MAX];
    (void)state;
    begin(&fixture);
    for (int i = 1; i < HTTP_LINGER_MAX; i++) {
        peers[i] = add(&fixture);
    }
    assert_true(is_open(&fixture));
    peers[0] = add(&fixture);
    assert_false(is_open(&fixture));
    assert_int_equal(fixture.linger.n_items, HTTP_LINGER_MAX);
    for (int i = 0; i < HTTP_LINGER_MAX; i++) {
        assert_int_equal(send(peers[i], "x", 1, MSG_NOSIGNAL), 1);
    }
    end(&fixture);
    for (int i = 0; i < HTTP_LINGER_MAX; i++) {
        assert_int_equal(send(peers[i], "x", 1, MSG_NOSIGNAL), -1);
        close(peers[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_linger__ends_its_half_and_wakes_the_accept_thread),
        cmocka_unit_test(test_http_linger__lasts_until_the_peer_ends),
        cmocka_unit_test(test_http_linger__lasts_for_5_seconds_and_no_longer),
        cmocka_unit_test(test_http_linger__drains_64_mib_and_no_more),
        cmocka_unit_test(test_http_linger__has_room_for_32_and_one_more_closes_the_oldest),
    };
    return cmocka_run_group_tests_name("edge/http_linger", tests, NULL, NULL);
}
