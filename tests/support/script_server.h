// SPDX-License-Identifier: Apache-2.0
#ifndef SUPPORT_SCRIPT_SERVER_H
#define SUPPORT_SCRIPT_SERVER_H

/*
 * An HTTP server that does what it is told, byte by byte, right or wrong; for the tests of clients.
 * Each connection has a thread: it reads a request, keeps it, looks for the next reply to its path,
 * and plays that reply's steps. What cannot go wrong in a test ends the test here.
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
    SCRIPT_HANG,  /* says nothing more, whatever comes, until the server is stopped */
};

struct script_step {
    enum script_do what;
    const char *bytes;
    size_t size; /* 0: up to the NUL */
    int64_t ms;
};

struct script_options {
    int family;   /* AF_INET (0 is taken for it) or AF_INET6, on the loopback */
    SSL_CTX *tls; /* NULL: plain */
};

struct script_server;

struct script_server *script_server_new(const struct script_options *options);

/* Closes everything, and waits for the threads. */
void script_server_free(struct script_server *server);

uint16_t script_server_port(const struct script_server *server);

/* A reply to requests of this path (without query; NULL: of any), to be given `n_times` (0:
   always). Replies that fit are used up in the order in which they were added. A request for which
   there is none is answered 599. The steps are borrowed until the server is freed. */
void script_server_play(struct script_server *server, const char *path, unsigned n_times,
                        const struct script_step *steps, size_t n_steps);

/* The same, of one step that sends the text, which is copied. */
void script_server_answer(struct script_server *server, const char *path, unsigned n_times,
                          const char *text);

/* Lets one SCRIPT_WAIT go on, or the next one. */
void script_server_release(struct script_server *server);

/* Requests so far; the text of one (head and body), which lives as long as the server; and how many
   connections there have been. */
size_t script_server_n_requests(struct script_server *server);
const char *script_server_request(struct script_server *server, size_t index);
size_t script_server_n_connections(struct script_server *server);

#endif
