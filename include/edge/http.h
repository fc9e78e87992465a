// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_H
#define EDGE_HTTP_H

/*
 * An HTTP/1.1 server, with or without TLS: request in, response out. It bounds everything that a
 * peer can use: bytes, connections, and the time for the handshake, the headers and the body. Each
 * time runs from its beginning and not from the last byte. The server does not interpret bodies.
 *
 * libmicrohttpd does the HTTP, GnuTLS the TLS. Neither shows in this header.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

/* The connection of a request. http_answer() needs it. */
struct http_connection;

struct http_request {
    const char *path; /* as sent: no query, not decoded */
    const char *body; /* borrowed for the call */
    size_t body_size;
    int64_t timeout_ms; /* how long the peer waits, from `?timeout=3s`; 0 if not given */
    struct http_connection *connection;
};

/* True if the query of the request has this key, with a value or without. For handlers. */
bool http_has_query(const struct http_request *request, const char *key);

/* A handler fills it. It starts as status 200, text/plain, with an empty body. After a 400 the
   server closes the connection. */
struct http_response {
    unsigned status;
    const char *content_type; /* borrowed, a literal */
    struct buffer body;       /* the server frees it */
};

/* Several threads call it at the same time. It must not block. */
typedef void http_handler(void *context, const struct http_request *request,
                          struct http_response *response);

/*
 * A handler that cannot answer at once calls http_defer() and returns. The server drops
 * its response. Exactly one http_answer() must follow, from any thread, before http_stop().
 * Meanwhile the worker serves other requests.
 */
void http_defer(const struct http_request *request);

/* Start the response with http_response_init() and fill it as a handler does. */
void http_answer(struct http_connection *connection, struct http_response *owned_response);
void http_response_init(struct http_response *ret_response);

struct http_route {
    const char *method; /* "GET" also answers HEAD */
    const char *path;   /* compared exactly */
    http_handler *handle;
};

struct http_options {
    const char *bind_address;        /* ":9443", "0.0.0.0:9443", "[::]:9443", "localhost:9443";
                                        port 0: any free port */
    const struct http_route *routes; /* borrowed until http_stop() */
    size_t n_routes;
    void *context; /* given to the handlers */
    bool is_tls;   /* if true, connections wait for the first http_set_key_pair() */
    unsigned workers;
    /* One more ends the connection that has idled longest: between requests, or with a handshake or
       a request that is not whole. If all are being answered, it waits in the listen queue. */
    size_t connections_max;
    size_t body_max; /* a larger body gets 413 */
    /* Bytes of all bodies being received; a body that would pass it gets 503. The first 32 KiB of
       each body are not counted. They add at most 32 KiB for each connection. */
    size_t bodies_max;
    /* From accept to the end of the headers, TLS handshake included. For later requests of the
       connection it starts at the request line. */
    int64_t head_timeout_ms;
    /* From the end of the headers to the end of the body. `?timeout=3s` in the query lowers it. */
    int64_t body_timeout_ms;
    /* Between requests. kube-apiserver keeps its connections for 90 s, so stay above 120 s. */
    int64_t idle_timeout_ms;
};

struct http_counts {
    uint64_t connections;     /* open now */
    uint64_t accepted;        /* since the start */
    uint64_t without_request; /* closed before a request was read: scans, bad handshakes */
    uint64_t timeouts;        /* closed by one of the three time limits */
    uint64_t evicted;         /* closed to make room for a new one */
    uint64_t malformed;   /* requests that the server refused for their form: 400, 414, 431, 505;
                             a 400 by a handler does not count */
    uint64_t too_large;   /* requests that got 413 */
    uint64_t over_budget; /* requests that got 503 for bodies_max */
};

struct http_server;

/* Binds, listens and serves. Errors: ERROR_INVALID (the address), ERROR_UNAVAILABLE (the port). */
bool http_start(const struct http_options *options, struct http_server **ret_server,
                struct error *error) MUST_CHECK;

/* The port that the server listens on. */
uint16_t http_port(const struct http_server *server);

/* Serves this pair from the next handshake on. Both are PEM; the chain starts with the leaf. Call
   it at any time, from one thread. Handshakes under way keep their pair. On error the last pair
   stays. Errors: ERROR_INVALID. */
bool http_set_key_pair(struct http_server *server, const char *chain_pem, const char *key_pem,
                       struct error *error) MUST_CHECK;

/* From now on every answer says `Connection: close`. Idle connections stay open. */
void http_drain(struct http_server *server);

/* Stops accepting, lets requests under way end (at most 2 s), and closes everything. NULL is
   allowed. */
void http_stop(struct http_server *server);

/* For how many milliseconds new connections have found no room; 0 if they find it. */
int64_t http_full_ms(const struct http_server *server);

void http_count(const struct http_server *server, struct http_counts *ret_counts);

#endif
