// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_CONNECTIONS_H
#define EDGE_HTTP_HTTP_CONNECTIONS_H

/*
 * The open connections: how many each worker has, and when each has had its time. Deadlines are
 * absolute; whoever sets one says when it ends, and bytes that drip in do not move it. The accept
 * thread ends the overdue ones, and is woken if it would come too late for a new deadline.
 *
 * A connection is ended by shutdown() on its descriptor. That cannot hit a stranger who was given
 * the same number: a connection is forgotten, under the mutex, before MHD closes its descriptor.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge/http.h"
#include "http_body.h"
#include "http_tls.h"

#define HTTP_CONNECTIONS_NO_DEADLINE INT64_MAX

struct MHD_Connection;

/* The request that a connection is at; empty between requests. */
struct http_exchange {
    bool is_begun;                  /* its headers have been read */
    unsigned refusal;               /* status to answer with, 0: the handler answers */
    const struct http_route *route; /* NULL: none has the path */
    struct http_body body;
    int64_t timeout_ms; /* as the query has it, 0: not there */
    bool is_deferred;   /* the answer is given by http_answer(), which fills in `answer` */
    struct http_response answer;
};

struct http_connection {
    /* Under the mutex. */
    int fd;
    unsigned worker;
    bool is_started; /* MHD has announced it, and will announce its end */
    bool is_used;    /* a request line was read */
    bool is_busy;    /* between a request line and the end of its answer */
    int64_t deadline_ms;
    /* Of the worker's thread alone. */
    struct MHD_Connection *mhd;
    struct http_tls_session session; /* zeroed without TLS */
    struct http_exchange exchange;
    bool lingers; /* it was answered before its body was read */
};

struct http_connections {
    size_t max;
    unsigned n_workers;
    int wake_fd; /* eventfd that the accept thread polls */
    pthread_mutex_t mutex;
    pthread_cond_t is_idle;
    struct http_connection **by_fd;
    size_t by_fd_size;
    size_t *n_of_worker;
    size_t n_busy;
    int64_t scanned_ms;
    int64_t scan_ms;      /* when the accept thread looks next */
    atomic_size_t n_open; /* may be read without the mutex; at `max`, its fall wakes */
    atomic_uint_fast64_t n_accepted;
    atomic_uint_fast64_t n_without_request;
    atomic_uint_fast64_t n_timeouts;
};

void http_connections_init(struct http_connections *all, size_t max, unsigned n_workers,
                           int wake_fd);
void http_connections_fini(struct http_connections *all);

/* Wakes the accept thread. */
void http_connections_wake(const struct http_connections *all);

/* For the accept thread: a new connection. Returns the worker that has the fewest. */
unsigned http_connections_add(struct http_connections *all, int fd, int64_t deadline_ms);

/* MHD would not have it. */
void http_connections_remove(struct http_connections *all, int fd);

/* MHD announces a connection, which stays until http_connections_end(). */
struct http_connection *http_connections_start(struct http_connections *all, int fd);

/* MHD is about to close the descriptor. Frees the connection. */
void http_connections_end(struct http_connections *all, struct http_connection *connection);

/* A request line was read. The deadline is for a connection's second and later requests; the first
   has what is left of the one it was accepted with. */
void http_connections_begin_request(struct http_connections *all,
                                    struct http_connection *connection, int64_t deadline_ms);
void http_connections_end_request(struct http_connections *all, struct http_connection *connection,
                                  int64_t deadline_ms);

void http_connections_set_deadline(struct http_connections *all, struct http_connection *connection,
                                   int64_t deadline_ms);

/* Ends what is overdue. Returns when to come again, or HTTP_CONNECTIONS_NO_DEADLINE. */
int64_t http_connections_expire(struct http_connections *all, int64_t now_ms);

/* Waits until no request is under way. */
void http_connections_wait_until_idle(struct http_connections *all, int64_t timeout_ms);

#endif
