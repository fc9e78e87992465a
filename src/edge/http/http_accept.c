// SPDX-License-Identifier: Apache-2.0
#include "http_accept.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "edge/clock.h"
#include "http_server.h"

/* While newcomers find no room the listen socket stays readable, and poll() would spin. */
enum { PAUSE_MS = 100 };

/* Within a minute these detect a peer that vanished silently. */
enum { KEEPALIVE_IDLE_S = 30, KEEPALIVE_INTERVAL_S = 10, KEEPALIVE_PROBES = 3, UNACKED_MS = 30000 };

static void set_option(int fd, int level, int name, int value) {
    /* Fails if the peer has gone already. Reading the socket tells us then. */
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

static void set_options(int fd) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MS);
}

/* Newcomers wait in the listen queue. */
static void hold_off(struct http_server *server, int64_t now_ms, int64_t *pause_until_ms) {
    *pause_until_ms = now_ms + PAUSE_MS;
    if (atomic_load(&server->full_since_ms) == 0) {
        atomic_store(&server->full_since_ms, now_ms);
    }
}

/* Without a free descriptor accept4() fails even if nobody waits. */
static bool has_newcomer(const struct http_server *server) {
    struct pollfd polled = {.fd = server->listen_fd, .events = POLLIN};
    return poll(&polled, 1, 0) > 0;
}

/* Returns false if there is nothing to accept now. Without a free descriptor, ends a connection and
   pauses. */
static bool accept_one(struct http_server *server, int64_t now_ms, int64_t *pause_until_ms) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int fd =
        accept4(server->listen_fd, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        bool is_transient = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
        if (!is_transient && has_newcomer(server)) {
            http_connections_evict(&server->connections, now_ms);
            hold_off(server, now_ms, pause_until_ms);
        }
        return false;
    }
    set_options(fd);
    unsigned worker =
        http_connections_add(&server->connections, fd, now_ms + server->options.head_timeout_ms);
    if (MHD_add_connection(server->workers[worker], fd, (struct sockaddr *)&peer, size) !=
        MHD_YES) {
        http_connections_end(&server->connections, fd);
    }
    return true;
}

/* Room is made for one newcomer at a time. poll() tells whether there is another. */
static void accept_all(struct http_server *server, int64_t now_ms, int64_t *pause_until_ms) {
    do {
        if (!http_connections_make_room(&server->connections, now_ms)) {
            hold_off(server, now_ms, pause_until_ms);
            return;
        }
    } while (accept_one(server, now_ms, pause_until_ms) &&
             http_connections_has_room(&server->connections));
    if (atomic_load(&server->full_since_ms) != 0 && !has_newcomer(server)) {
        atomic_store(&server->full_since_ms, 0);
    }
}

/* For poll(): milliseconds from now, or -1 to wait for ever. */
static int wait_ms(int64_t now_ms, int64_t until_ms) {
    if (until_ms == HTTP_CONNECTIONS_NO_DEADLINE) {
        return -1;
    }
    return (int)MIN(MAX(until_ms - now_ms, 0), INT_MAX);
}

/* Returns true if another thread woke this one. */
static bool wait_for_work(struct http_server *server, int64_t until_ms, bool may_accept,
                          bool *ret_is_readable) {
    struct pollfd polled[2 + HTTP_LINGER_MAX] = {
        {.fd = server->wake_fd, .events = POLLIN},
        {.fd = may_accept ? server->listen_fd : -1, .events = POLLIN},
    };
    nfds_t n_polled = 2 + http_linger_poll(&server->linger, polled + 2, &until_ms);
    *ret_is_readable = false;
    if (poll(polled, n_polled, wait_ms(clock_boot_ms(), until_ms)) <= 0) {
        return false;
    }
    eventfd_t ignored;
    (void)eventfd_read(server->wake_fd, &ignored);
    *ret_is_readable = polled[1].revents != 0;
    return polled[0].revents != 0;
}

static void *run(void *context) {
    struct http_server *server = context;
    int64_t pause_until_ms = 0;
    while (!atomic_load(&server->is_stopping)) {
        int64_t now_ms = clock_boot_ms();
        int64_t until_ms = http_connections_expire(&server->connections, now_ms);
        bool is_pausing = now_ms < pause_until_ms;
        if (is_pausing) {
            until_ms = MIN(until_ms, pause_until_ms);
        }
        bool is_readable = false;
        if (wait_for_work(server, until_ms, !is_pausing, &is_readable)) {
            pause_until_ms = 0; /* a connection may have left */
        }
        now_ms = clock_boot_ms();
        http_linger_drain(&server->linger, now_ms);
        if (is_readable) {
            accept_all(server, now_ms, &pause_until_ms);
        } else if (!is_pausing) {
            atomic_store(&server->full_since_ms, 0); /* those who waited have left */
        }
    }
    return NULL;
}

bool http_accept_start(struct http_server *server, struct error *error) {
    int reason = pthread_create(&server->accept_thread, NULL, run, server);
    if (reason != 0) {
        return error_set(error, ERROR_UNAVAILABLE, "no thread: %s", strerror(reason));
    }
    server->is_accepting = true;
    return true;
}

void http_accept_stop(struct http_server *server) {
    if (!server->is_accepting) {
        return;
    }
    atomic_store(&server->is_stopping, true);
    http_connections_wake(&server->connections);
    pthread_join(server->accept_thread, NULL);
    server->is_accepting = false;
}
