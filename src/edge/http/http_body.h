// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_BODY_H
#define EDGE_HTTP_HTTP_BODY_H

/*
 * The body of one request while it comes in, and the budget that all of them share. The budget is
 * charged with what is allocated and not with what a peer announces, so that nobody reserves by
 * announcing.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"

/* What of a refused body is thrown away for the sake of the answer behind it. */
enum { HTTP_BODY_DROPPED_MAX = 64 << 20 };

struct http_budget {
    atomic_size_t used;
    size_t max;
};

enum http_body_state {
    HTTP_BODY_WHOLE,       /* all that came is stored */
    HTTP_BODY_TOO_LARGE,   /* it passed its own limit: nothing is stored any more */
    HTTP_BODY_OVER_BUDGET, /* all bodies together passed theirs: nothing is stored any more */
};

struct http_body {
    char *bytes;
    size_t size;
    size_t capacity;  /* what the budget is charged with */
    size_t announced; /* by Content-Length, 0 if it did not say; the capacity does not pass it */
    enum http_body_state state;
    size_t n_dropped; /* bytes, since it is not whole */
};

/* Stores the bytes, or drops the body for good if it or the budget would pass its limit. False if
   more has been dropped by now than an answer is worth. */
bool http_body_add(struct http_body *body, struct http_budget *budget, size_t body_max,
                   const char *bytes, size_t size) MUST_CHECK;

/* Frees what is stored and gives it back to the budget. May be called again. */
void http_body_fini(struct http_body *body, struct http_budget *budget);

#endif
