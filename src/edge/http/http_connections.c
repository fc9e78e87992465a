// SPDX-License-Identifier: Apache-2.0
#include "http_connections.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include "base/memory.h"

/* The shortest time between two scans of all deadlines. It bounds the cost of short deadlines. A
   deadline is enforced at most this late. */
enum { SCAN_INTERVAL_MS = 250 };

/* The length of the search for a connection to end, and the time in which a worker reads what has
   arrived, and a peer takes an answer. */
enum { CANDIDATES_MAX = 16, SPARE_MS = 250 };

void http_connections_init(struct http_connections *all, size_t max, unsigned n_workers,
                           int wake_fd) {
    *all = (struct http_connections){
        .max = max,
        .n_workers = n_workers,
        .wake_fd = wake_fd,
        .n_of_worker = memory_new(n_workers, sizeof *all->n_of_worker),
        .scanned_ms = INT64_MIN / 2,
        .scan_ms = HTTP_CONNECTIONS_NO_DEADLINE,
    };
    pthread_mutex_init(&all->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&all->is_idle, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void http_connections_fini(struct http_connections *all) {
    for (size_t fd = 0; fd < all->by_fd_size; fd++) {
        free(all->by_fd[fd]);
    }
    free(all->by_fd);
    free(all->n_of_worker);
    pthread_cond_destroy(&all->is_idle);
    pthread_mutex_destroy(&all->mutex);
}

void http_connections_wake(const struct http_connections *all) {
    eventfd_write(all->wake_fd, 1);
}

/* Returns true if the next scan is earlier than planned before. */
static bool plan(struct http_connections *all, int64_t deadline_ms) {
    int64_t earliest = all->scanned_ms + SCAN_INTERVAL_MS;
    int64_t at = MAX(deadline_ms, earliest);
    if (deadline_ms == HTTP_CONNECTIONS_NO_DEADLINE || at >= all->scan_ms) {
        return false;
    }
    all->scan_ms = at;
    return true;
}

static void set_deadline(struct http_connections *all, struct http_connection *connection,
                         int64_t deadline_ms) {
    connection->deadline_ms = deadline_ms;
    if (plan(all, deadline_ms)) {
        http_connections_wake(all);
    }
}

/* Does nothing if it is not in the queue. */
static void dequeue(struct http_connections *all, struct http_connection *connection) {
    struct http_connection *older = connection->older;
    struct http_connection *younger = connection->younger;
    if (all->oldest == connection) {
        all->oldest = younger;
    }
    if (all->youngest == connection) {
        all->youngest = older;
    }
    if (older != NULL) {
        older->younger = younger;
    }
    if (younger != NULL) {
        younger->older = older;
    }
    connection->older = NULL;
    connection->younger = NULL;
    connection->spared_ms = 0;
}

/* Makes it the youngest. */
static void enqueue(struct http_connections *all, struct http_connection *connection) {
    dequeue(all, connection);
    if (connection->is_leaving) {
        return;
    }
    connection->older = all->youngest;
    if (all->youngest != NULL) {
        all->youngest->younger = connection;
    } else {
        all->oldest = connection;
    }
    all->youngest = connection;
}

static void become_idle(struct http_connections *all, struct http_connection *connection) {
    if (connection->phase != HTTP_PHASE_IDLE) {
        connection->phase = HTTP_PHASE_IDLE;
        all->n_busy--;
    }
    if (all->n_busy == 0) {
        pthread_cond_signal(&all->is_idle);
    }
}

/* MHD drops some requests without a word, so a request may still be under way. */
static void forget(struct http_connections *all, struct http_connection *connection) {
    become_idle(all, connection);
    dequeue(all, connection);
    all->by_fd[connection->fd] = NULL;
    all->n_of_worker[connection->worker]--;
    if (connection->is_leaving) {
        all->n_leaving--;
    }
    if (atomic_fetch_sub(&all->n_open, 1) >= all->max) {
        http_connections_wake(all);
    }
    if (!connection->is_used) {
        atomic_fetch_add_explicit(&all->n_without_request, 1, memory_order_relaxed);
    }
    free(connection);
}

static void make_room(struct http_connections *all, int fd) {
    size_t size = all->by_fd_size;
    if ((size_t)fd >= size) {
        size_t grown = (size_t)fd + 64;
        all->by_fd = memory_resize(all->by_fd, grown, sizeof(struct http_connection *));
        memset(all->by_fd + size, 0, (grown - size) * sizeof(struct http_connection *));
        all->by_fd_size = grown;
    }
}

static unsigned choose_worker(const struct http_connections *all) {
    unsigned chosen = 0;
    for (unsigned i = 1; i < all->n_workers; i++) {
        if (all->n_of_worker[i] < all->n_of_worker[chosen]) {
            chosen = i;
        }
    }
    return chosen;
}

unsigned http_connections_add(struct http_connections *all, int fd, int64_t deadline_ms) {
    struct http_connection *connection = memory_new(1, sizeof *connection);
    pthread_mutex_lock(&all->mutex);
    make_room(all, fd);
    /* If MHD runs out of memory it closes a connection without announcing it. The kernel has given
       the number to a new one, so the old connection is gone. */
    if (all->by_fd[fd] != NULL) {
        forget(all, all->by_fd[fd]);
    }
    unsigned worker = choose_worker(all);
    connection->fd = fd;
    connection->worker = worker;
    connection->deadline_ms = deadline_ms;
    plan(all, deadline_ms);
    enqueue(all, connection);
    all->by_fd[fd] = connection;
    all->n_of_worker[worker]++;
    atomic_fetch_add(&all->n_open, 1);
    atomic_fetch_add_explicit(&all->n_accepted, 1, memory_order_relaxed);
    pthread_mutex_unlock(&all->mutex);
    return worker;
}

struct http_connection *http_connections_start(struct http_connections *all, int fd) {
    pthread_mutex_lock(&all->mutex);
    struct http_connection *connection = all->by_fd[fd];
    connection->is_started = true;
    pthread_mutex_unlock(&all->mutex);
    return connection;
}

void http_connections_end(struct http_connections *all, int fd) {
    pthread_mutex_lock(&all->mutex);
    forget(all, all->by_fd[fd]);
    pthread_mutex_unlock(&all->mutex);
}

void http_connections_begin_request(struct http_connections *all,
                                    struct http_connection *connection, int64_t deadline_ms) {
    pthread_mutex_lock(&all->mutex);
    if (connection->is_used) {
        set_deadline(all, connection, deadline_ms);
    }
    connection->is_used = true;
    connection->phase = HTTP_PHASE_RECEIVING;
    all->n_busy++;
    enqueue(all, connection);
    pthread_mutex_unlock(&all->mutex);
}

void http_connections_answer(struct http_connections *all, struct http_connection *connection) {
    pthread_mutex_lock(&all->mutex);
    connection->phase = HTTP_PHASE_ANSWERING;
    connection->deadline_ms = HTTP_CONNECTIONS_NO_DEADLINE;
    dequeue(all, connection);
    pthread_mutex_unlock(&all->mutex);
}

void http_connections_send(struct http_connections *all, struct http_connection *connection,
                           int64_t deadline_ms) {
    pthread_mutex_lock(&all->mutex);
    connection->phase = HTTP_PHASE_SENDING;
    set_deadline(all, connection, deadline_ms);
    enqueue(all, connection);
    pthread_mutex_unlock(&all->mutex);
}

void http_connections_end_request(struct http_connections *all, struct http_connection *connection,
                                  int64_t deadline_ms) {
    pthread_mutex_lock(&all->mutex);
    set_deadline(all, connection, deadline_ms);
    become_idle(all, connection);
    enqueue(all, connection);
    pthread_mutex_unlock(&all->mutex);
}

void http_connections_set_deadline(struct http_connections *all, struct http_connection *connection,
                                   int64_t deadline_ms) {
    pthread_mutex_lock(&all->mutex);
    set_deadline(all, connection, deadline_ms);
    pthread_mutex_unlock(&all->mutex);
}

static void expire(struct http_connections *all, struct http_connection *connection) {
    connection->deadline_ms = HTTP_CONNECTIONS_NO_DEADLINE;
    shutdown(connection->fd, SHUT_RDWR);
    atomic_fetch_add_explicit(&all->n_timeouts, 1, memory_order_relaxed);
}

static void scan(struct http_connections *all, int64_t now_ms) {
    all->scanned_ms = now_ms;
    all->scan_ms = HTTP_CONNECTIONS_NO_DEADLINE;
    for (size_t fd = 0; fd < all->by_fd_size; fd++) {
        struct http_connection *connection = all->by_fd[fd];
        if (connection == NULL) {
            continue;
        }
        if (connection->deadline_ms <= now_ms && connection->is_started) {
            expire(all, connection);
        }
        plan(all, connection->deadline_ms);
    }
}

int64_t http_connections_expire(struct http_connections *all, int64_t now_ms) {
    pthread_mutex_lock(&all->mutex);
    if (now_ms >= all->scan_ms) {
        scan(all, now_ms);
    }
    int64_t next_ms = all->scan_ms;
    pthread_mutex_unlock(&all->mutex);
    return next_ms;
}

/* A request may have arrived that the worker has not read yet. */
static bool has_input(const struct http_connection *connection) {
    char byte;
    return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* A whole answer is about to leave the server, and input is about to be read. Both happen at once,
   unless the peer or the worker stalls. */
static bool is_spared(struct http_connection *connection, int64_t now_ms) {
    if (connection->phase != HTTP_PHASE_SENDING && !has_input(connection)) {
        return false;
    }
    if (connection->spared_ms == 0) {
        connection->spared_ms = now_ms;
    }
    return now_ms - connection->spared_ms < SPARE_MS;
}

static void leave(struct http_connections *all, struct http_connection *connection) {
    dequeue(all, connection);
    connection->is_leaving = true;
    connection->deadline_ms = HTTP_CONNECTIONS_NO_DEADLINE;
    all->n_leaving++;
    shutdown(connection->fd, SHUT_RDWR);
    atomic_fetch_add_explicit(&all->n_evicted, 1, memory_order_relaxed);
}

static bool evict(struct http_connections *all, int64_t now_ms) {
    struct http_connection *candidate = all->oldest;
    if (all->n_leaving == HTTP_CONNECTIONS_LEAVING_MAX) {
        return false;
    }
    for (int i = 0; i < CANDIDATES_MAX && candidate != NULL; i++) {
        if (candidate->is_started && !is_spared(candidate, now_ms)) {
            leave(all, candidate);
            return true;
        }
        candidate = candidate->younger;
    }
    return false;
}

bool http_connections_evict(struct http_connections *all, int64_t now_ms) {
    pthread_mutex_lock(&all->mutex);
    bool is_done = evict(all, now_ms);
    pthread_mutex_unlock(&all->mutex);
    return is_done;
}

bool http_connections_make_room(struct http_connections *all, int64_t now_ms) {
    pthread_mutex_lock(&all->mutex);
    bool has_room = atomic_load(&all->n_open) - all->n_leaving < all->max || evict(all, now_ms);
    pthread_mutex_unlock(&all->mutex);
    return has_room;
}

bool http_connections_has_room(const struct http_connections *all) {
    return atomic_load(&all->n_open) < all->max;
}

static struct timespec after(int64_t timeout_ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t nanoseconds = at.tv_nsec + timeout_ms % 1000 * 1000000;
    at.tv_sec += timeout_ms / 1000 + nanoseconds / 1000000000;
    at.tv_nsec = nanoseconds % 1000000000;
    return at;
}

void http_connections_wait_until_idle(struct http_connections *all, int64_t timeout_ms) {
    struct timespec until = after(timeout_ms);
    int status = 0;
    pthread_mutex_lock(&all->mutex);
    while (all->n_busy > 0 && status == 0) {
        status = pthread_cond_timedwait(&all->is_idle, &all->mutex, &until);
    }
    pthread_mutex_unlock(&all->mutex);
}
