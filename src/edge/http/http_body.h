// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_BODY_H
#define EDGE_HTTP_HTTP_BODY_H

/*
 * The body of one request while it arrives, and the budget that all bodies share. The budget counts
 * allocated bytes, not announced ones, so a peer cannot reserve memory with a header.
 *
 * The budget does not count the first HTTP_BODY_FREE bytes of a body. A usual review always fits in
 * them, whatever other peers hold. All connections together can add HTTP_BODY_FREE each: 33 MiB
 * with 1,024 connections and the few that are being closed.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"

/* The server reads and drops this many bytes of a refused body, so that the peer sees its answer.
 */
enum { HTTP_BODY_DROPPED_MAX = 64 << 20 };

enum { HTTP_BODY_FREE = 32 * 1024 };

struct http_budget {
    atomic_size_t used;
    size_t max;
};

enum http_body_state {
    HTTP_BODY_WHOLE,       /* all bytes so far are stored */
    HTTP_BODY_TOO_LARGE,   /* it passed its own limit; nothing more is stored */
    HTTP_BODY_OVER_BUDGET, /* all bodies together passed the budget; nothing more is stored */
};

struct http_body {
    char *bytes;
    size_t size;
    size_t capacity;  /* allocated bytes; those past HTTP_BODY_FREE are charged to the budget */
    size_t announced; /* Content-Length, or 0 if there was none; bounds the capacity */
    enum http_body_state state;
    size_t n_dropped; /* bytes dropped since it was refused */
};

/* Stores the bytes. If the body or the budget would pass its limit, drops the whole body for good.
   Returns false once more than HTTP_BODY_DROPPED_MAX was dropped: then end the connection. */
bool http_body_add(struct http_body *body, struct http_budget *budget, size_t body_max,
                   const char *bytes, size_t size) MUST_CHECK;

/* Frees the stored bytes and returns them to the budget. Calling it again does nothing. */
void http_body_fini(struct http_body *body, struct http_budget *budget);

#endif
