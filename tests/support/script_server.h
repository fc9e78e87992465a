// SPDX-License-Identifier: Apache-2.0
#ifndef SUPPORT_SCRIPT_SERVER_H
#define SUPPORT_SCRIPT_SERVER_H

/*
 * An HTTP server that follows a script, byte by byte, right or wrong, for the tests of clients.
 * Each connection has a thread. It reads a request, keeps it, looks for the next reply to its path,
 * and plays the steps of that reply. Any failure that a test does not expect ends the test here.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum script_do {
    SCRIPT_SEND,  /* `bytes` */
    SCRIPT_DRIP,  /* `bytes`, one at a time, each a segment of its own */
    SCRIPT_DELAY, /* `ms` */
    SCRIPT_WAIT,  /* until script_server_release() */
    SCRIPT_CLOSE, /* in order */
    SCRIPT_RESET, /* with a RST */
    SCRIPT_HANG,  /* is silent until the server stops */
};

struct script_step {
    enum script_do what;
    const char *bytes;
    size_t size; /* 0: up to the NUL */
    int64_t ms;
};

struct script_options {
    int family;   /* AF_INET (also for 0) or AF_INET6, on the loopback */
    SSL_CTX *tls; /* NULL: plain */
};

struct script_server;

struct script_server *script_server_new(const struct script_options *options);

/* Closes everything, and waits for all threads. */
void script_server_free(struct script_server *server);

uint16_t script_server_port(const struct script_server *server);

/* Adds a reply to requests of this path (without query; NULL: of any path), for `n_times` requests
   (0: always). Matching replies are used in the order of their addition. A request without a reply
   gets a 599. Borrows the steps until the server is freed. */
void script_server_play(struct script_server *server, const char *path, unsigned n_times,
                        const struct script_step *steps, size_t n_steps);

/* The same with one step that sends the text. Copies the text. */
void script_server_answer(struct script_server *server, const char *path, unsigned n_times,
                          const char *text);

/* Lets one SCRIPT_WAIT end: the current one, or else the next. */
void script_server_release(struct script_server *server);

/* The number of requests so far; the text of one (head and body), which lives as long as the
   server; and the number of connections so far. */
size_t script_server_n_requests(struct script_server *server);
const char *script_server_request(struct script_server *server, size_t index);
size_t script_server_n_connections(struct script_server *server);

#endif
