// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_H
#define EDGE_HTTP_H

/*
 * An HTTP/1.1 server, with or without TLS, as request in, response out. Everything that a peer can
 * draw out is bounded here: bytes, connections, and the time of a handshake, of the headers and of
 * the body, each counted from its beginning and not from the last byte. What the bytes mean is no
 * business of this module.
 *
 * libmicrohttpd is behind it, and GnuTLS behind its TLS; neither shows in this header.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

/* The connection that a request came on: what http_answer() needs to know. */
struct http_connection;

struct http_request {
    const char *path; /* as sent, without the query; not decoded */
    const char *body; /* borrowed for the call */
    size_t body_size;
    int64_t
        timeout_ms; /* `?timeout=3s` of the query: how long the peer waits; 0: it does not say */
    struct http_connection *connection;
};

/* What the handler fills. It starts as status 200, text/plain, with an empty body. Behind a 400 the
   connection is closed. */
struct http_response {
    unsigned status;
    const char *content_type; /* a literal */
    struct buffer body;       /* freed by the server */
};

/* Called on one of several threads, several at a time. Must not block. */
typedef void http_handler(void *context, const struct http_request *request,
                          struct http_response *response);

/*
 * A handler that cannot answer at once calls http_defer() and returns; what it has put into its
 * response is dropped. The answer follows by http_answer(), exactly once, from any thread, and
 * before http_stop(). Meanwhile the worker serves others.
 */
void http_defer(const struct http_request *request);

/* The response's members are as a handler gets and fills them: http_response_init() makes it. */
void http_answer(struct http_connection *connection, struct http_response *owned_response);
void http_response_init(struct http_response *ret_response);

struct http_route {
    const char *method; /* "GET" also answers HEAD */
    const char *path;   /* compared exactly */
    http_handler *handle;
};

struct http_options {
    const char *bind_address;        /* "0.0.0.0:9443", "[::]:9443", ":9443",
                                        "localhost:9443"; port 0: any */
    const struct http_route *routes; /* borrowed until http_stop() */
    size_t n_routes;
    void *context; /* for the handlers */
    bool is_tls;   /* then connections wait until the first http_set_key_pair() */
    unsigned workers;
    size_t connections_max; /* further ones wait in the listen queue */
    size_t body_max;        /* a larger body is answered 413 */
    size_t bodies_max;      /* of all bodies being received at once; past it, 503 */
    /* From accept to the end of the headers, TLS handshake included; for the later requests of a
       connection, from the request line on. */
    int64_t head_timeout_ms;
    /* From the end of the headers to the end of the body; `?timeout=3s` in the query lowers it. */
    int64_t body_timeout_ms;
    /* Between requests. kube-apiserver keeps its connections for 90 s: stay above 120 s. */
    int64_t idle_timeout_ms;
};

struct http_counts {
    uint64_t connections;     /* open now */
    uint64_t accepted;        /* ever */
    uint64_t without_request; /* closed before a request was read: scans, bad handshakes */
    uint64_t timeouts;        /* closed by one of the three time limits */
    uint64_t too_large;       /* answered 413 */
    uint64_t over_budget;     /* answered 503 for bodies_max */
};

struct http_server;

/* Binds, listens and serves. Errors: ERROR_INVALID (the address), ERROR_UNAVAILABLE (the port). */
bool http_start(const struct http_options *options, struct http_server **ret_server,
                struct error *error) MUST_CHECK;

/* The port that it listens on. */
uint16_t http_port(const struct http_server *server);

/* From the next handshake on serves this pair: PEM, the certificate chain leaf first. May be called
   at any time from one thread; handshakes under way keep what they began with. On error the last
   pair stays. */
bool http_set_key_pair(struct http_server *server, const char *chain_pem, const char *key_pem,
                       struct error *error) MUST_CHECK;

/* From now on every answer says `Connection: close`; idle connections are left alone. */
void http_drain(struct http_server *server);

/* Stops accepting, lets requests under way end (at most 2 s), closes everything. NULL is none. */
void http_stop(struct http_server *server);

void http_count(const struct http_server *server, struct http_counts *ret_counts);

#endif
