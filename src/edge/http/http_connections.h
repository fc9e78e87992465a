// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_CONNECTIONS_H
#define EDGE_HTTP_HTTP_CONNECTIONS_H

/*
 * The open connections: how many each worker has, and the deadline of each. Deadlines are absolute;
 * slow bytes do not move them. The accept thread ends overdue connections. A new deadline wakes it
 * if it would scan too late otherwise.
 *
 * If the server is full, each new connection ends the one that has idled longest. All connections
 * that may be ended stand in one queue. A connection goes to the end of the queue when it is added,
 * with each request line and after each answer. It leaves the queue while a whole request is being
 * answered. Thus a peer that takes all connections loses its own oldest ones first.
 *
 * shutdown() on the descriptor ends a connection. It cannot hit another connection that got the
 * same number: the entry is removed, under the mutex, before MHD closes its descriptor.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "edge/http.h"
#include "http_body.h"
#include "http_tls.h"

#define HTTP_CONNECTIONS_NO_DEADLINE INT64_MAX

struct MHD_Connection;

/* An ended connection counts until its worker has closed it. Beside the limit, so many may wait for
   that. */
enum { HTTP_CONNECTIONS_LEAVING_MAX = 32 };

enum http_phase {
    HTTP_PHASE_IDLE,      /* the handshake, or no request line yet */
    HTTP_PHASE_RECEIVING, /* from the request line to the end of the body */
    HTTP_PHASE_ANSWERING, /* the request is whole, and the answer is not; nothing ends it */
    HTTP_PHASE_SENDING,   /* the answer is whole, and the peer has not taken all of it */
};

/* The current request of a connection. All zero between requests. */
struct http_exchange {
    bool is_begun;                  /* its headers were read */
    unsigned refusal;               /* status to refuse with, or 0: the handler answers */
    const struct http_route *route; /* NULL if no route has the path */
    struct http_body body;
    int64_t timeout_ms; /* from the query, or 0 if it gives none */
    bool is_deferred;   /* http_answer() sets `answer` later */
    struct http_response answer;
};

struct http_connection {
    /* Under the mutex. */
    int fd;
    unsigned worker;
    bool is_started; /* MHD has announced it and will announce its end */
    bool is_used;    /* a request line was read */
    bool is_leaving; /* ended to make room; its worker will close it */
    enum http_phase phase;
    int64_t deadline_ms;
    int64_t spared_ms; /* since when http_connections_make_room() has passed over it; 0: not yet */
    struct http_connection *older; /* in the queue */
    struct http_connection *younger;
    /* Only the worker's thread uses these. */
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
    struct http_connection *oldest; /* of the queue */
    struct http_connection *youngest;
    size_t n_busy;    /* requests under way */
    size_t n_leaving; /* of n_open */
    int64_t scanned_ms;
    int64_t scan_ms;      /* when the accept thread scans next */
    atomic_size_t n_open; /* may be read without the mutex; a fall from `max` wakes */
    atomic_uint_fast64_t n_accepted;
    atomic_uint_fast64_t n_without_request;
    atomic_uint_fast64_t n_timeouts;
    atomic_uint_fast64_t n_evicted;
};

void http_connections_init(struct http_connections *all, size_t max, unsigned n_workers,
                           int wake_fd);
void http_connections_fini(struct http_connections *all);

void http_connections_wake(const struct http_connections *all);

/* The accept thread adds a new connection. Returns the worker that has the fewest. */
unsigned http_connections_add(struct http_connections *all, int fd, int64_t deadline_ms);

/* Returns true if there is room for one more connection. Ends the connection that has idled longest
   if there is none otherwise. */
bool http_connections_make_room(struct http_connections *all, int64_t now_ms) MUST_CHECK;

/* Ends the connection that has idled longest. Returns false if none may be ended now. */
bool http_connections_evict(struct http_connections *all, int64_t now_ms);

bool http_connections_has_room(const struct http_connections *all) MUST_CHECK;

/* MHD announces a connection. It lives until http_connections_end(). */
struct http_connection *http_connections_start(struct http_connections *all, int fd);

/* MHD has refused the connection, or is about to close its descriptor. Ends its request, if one is
   under way, and frees the entry. */
void http_connections_end(struct http_connections *all, int fd);

/* A request line was read. The deadline applies to the second request of a connection and later
   ones. The first request keeps the deadline of http_connections_add(). */
void http_connections_begin_request(struct http_connections *all,
                                    struct http_connection *connection, int64_t deadline_ms);

/* The request is whole: from here to http_connections_send() nothing ends the connection. */
void http_connections_answer(struct http_connections *all, struct http_connection *connection);

/* The answer is whole. The deadline is for a peer that does not read it. */
void http_connections_send(struct http_connections *all, struct http_connection *connection,
                           int64_t deadline_ms);

void http_connections_end_request(struct http_connections *all, struct http_connection *connection,
                                  int64_t deadline_ms);

void http_connections_set_deadline(struct http_connections *all, struct http_connection *connection,
                                   int64_t deadline_ms);

/* Ends overdue connections. Returns when to call again, or HTTP_CONNECTIONS_NO_DEADLINE. */
int64_t http_connections_expire(struct http_connections *all, int64_t now_ms);

/* Waits until no request is under way, at most `timeout_ms`. */
void http_connections_wait_until_idle(struct http_connections *all, int64_t timeout_ms);

#endif
