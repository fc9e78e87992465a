// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_EDGE_HTTP_CLIENT_H
#define TESTS_EDGE_HTTP_CLIENT_H

/*
 * For the tests of edge/http: a client that sends exact bytes over TCP or TLS, and a server to talk
 * to. Anything that must not go wrong in a test fails the test here.
 */

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge/http.h"
#include "edge/x509.h"

struct http_client {
    int fd;
    SSL *ssl;         /* NULL without TLS */
    char bytes[8192]; /* received, not yet consumed */
    size_t size;
    uint16_t port;
    bool is_over; /* the server has announced that it closes; for tests that send more requests */
};

struct http_answer {
    int status;
    char head[4096]; /* status line and headers */
    char body[256];  /* only the beginning */
    size_t body_size;
};

/* Opens a TCP connection to 127.0.0.1. Reads give up after 5 s. */
void http_client_open(struct http_client *client, uint16_t port);

/* Returns false if nobody listens. */
bool http_client_try_open(struct http_client *client, uint16_t port) MUST_CHECK;

/* Starts TLS on an open connection. Returns false if the handshake fails. */
bool http_client_begin_tls(struct http_client *client, SSL_CTX *context) MUST_CHECK;

/* Does both. Returns false if the handshake fails. Checks the certificate if the context has a
   CA. */
bool http_client_open_tls(struct http_client *client, uint16_t port, SSL_CTX *context) MUST_CHECK;

void http_client_close(struct http_client *client);

/* Closes with a reset. */
void http_client_reset(struct http_client *client);

/* Returns false if the connection is gone. */
bool http_client_send(struct http_client *client, const char *bytes, size_t size);
bool http_client_send_text(struct http_client *client, const char *text);

/* Reads one answer. Returns false if the connection ends first. */
bool http_client_read(struct http_client *client, struct http_answer *ret_answer) MUST_CHECK;

/* Reads the whole body too, and adds a NUL. Fails the test if the body does not fit. */
bool http_client_read_whole(struct http_client *client, struct http_answer *ret_answer,
                            char *ret_body, size_t body_size) MUST_CHECK;

/* Reads an answer to HEAD, which has no body. */
bool http_client_read_head(struct http_client *client, struct http_answer *ret_answer) MUST_CHECK;

/* Sends and reads. Fails the test if there is no answer. */
void http_client_ask(struct http_client *client, const char *request,
                     struct http_answer *ret_answer);

/* Asks on a new connection. Returns the status. */
int http_client_ask_once(uint16_t port, const char *request);

/* Returns true if the server ends the connection within the time, whatever it sends before. */
bool http_client_sees_end(struct http_client *client, int64_t within_ms);

/* Compares "name: value" with the headers, ignoring case. */
bool http_answer_has(const struct http_answer *answer, const char *header);

/* Requests. The second lacks its length and its end. */
#define HTTP_GET_HEALTHZ "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
#define HTTP_POST_ECHO   "POST /echo HTTP/1.1\r\nHost: x\r\n"

/* The server under test, with these routes:
   POST /echo     "N bytes, first F, last L"
   GET /echo      "get"
   GET /healthz   "ok"
   GET /thread    a number for the thread that answers
   GET /large     `large_size` bytes
   POST /wait     sets `has_arrived` and waits for `may_leave`
   POST /defer    defers, and keeps the connection for http_site_next_deferred()
   POST /timeout  the milliseconds of `?timeout=` */
struct http_site {
    struct http_options options; /* change them before http_site_start() */
    struct http_server *server;
    uint16_t port;
    size_t large_size;
    atomic_bool has_arrived;
    atomic_bool may_leave;
    atomic_uint n_handled;
    _Atomic(struct http_connection *) deferred;
    bool answers_at_once; /* POST /defer answers before it returns */
};

/* Fills in options with generous limits. */
void http_site_init(struct http_site *site);
void http_site_start(struct http_site *site);
void http_site_stop(struct http_site *site);

struct http_counts http_site_count(const struct http_site *site);

/* Waits at most 5 s until the member of struct http_counts has the value. */
#define HTTP_SITE_WAIT(site, counter, value)                                                       \
    http_site_wait_((site), offsetof(struct http_counts, counter), (value))
void http_site_wait_(const struct http_site *site, size_t offset, uint64_t value);

/* Waits at most 5 s until the handler of POST /wait is called. */
void http_site_wait_for_arrival(const struct http_site *site);

/* Waits at most 5 s for POST /defer. Returns its connection and forgets it. */
struct http_connection *http_site_next_deferred(struct http_site *site);

/* Answers a deferred request with 202 and the text. */
void http_site_answer(struct http_connection *connection, const char *text);

/* A CA with one serving pair for "localhost". */
struct http_identity {
    struct x509_pair ca;
    struct x509_pair leaf;
    SSL_CTX *client; /* trusts the CA */
};

void http_identity_init(struct http_identity *identity);
X509 *http_read_certificate(const char *pem); /* Free with X509_free(). */
void http_identity_fini(struct http_identity *identity);

/* Gives the identity's pair to the site's server. */
void http_identity_serve(const struct http_identity *identity, struct http_site *site);

/* Fails the test if this process uses a tenth of the time in each of three windows. A spinning
   thread does so in all of them; a thread that ends, or a sanitizer, is busy only now and then. */
void http_assert_asleep(int64_t window_ms);

int64_t http_now_ms(void);
void http_sleep_ms(int64_t ms);

/* Does http_site_init() and http_site_start() with TLS, but without a key pair. */
void http_site_start_tls(struct http_site *site);

/* Returns true if a new connection is answered. The certificate must come from the identity's
   CA. */
bool http_identity_is_served(const struct http_identity *identity, const struct http_site *site);

#endif
