// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_THROTTLE_H
#define CORE_CLUSTER_THROTTLE_H

/*
 * Says how many requests of one sort may be under way, by how the last ones went. If one fails for
 * a cause that is not its object's (a missing right, a busy API server, no answer), the next ones
 * would fail alike, however many objects wait. So none begins for a while; then one begins as a
 * probe. If that succeeds, two may be under way, then four, and so on, up to all lanes. If it
 * fails, the wait doubles.
 *
 * One that fails alone costs the others a fifth of a second. If all fail, 2 or 3 begin in the first
 * second, and then ever fewer. Three throttles so stay below ten a second together.
 *
 * Time and chance are arguments. One thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/backoff.h"

struct throttle {
    /* The implementation's own. */
    size_t lanes;
    size_t width;       /* how many may be under way, beside the stale ones */
    size_t n_under_way; /* of them ... */
    size_t n_stale;     /* ... began before the last stop, and so fail alike */
    unsigned round;     /* counts the stops */
    bool is_failing;
    struct backoff backoff;
    int64_t not_before_ms;
    int64_t began_ms; /* the last one */
    int64_t ended_ms; /* the last one */
};

/* At most `lanes` requests are under way at once. */
void throttle_init(struct throttle *throttle, size_t lanes);

/* The time from which throttle_begin() may be called. INT64_MAX: not before throttle_end(). */
int64_t throttle_next_ms(const struct throttle *throttle);

/* True if no request is under way. */
bool throttle_is_idle(const struct throttle *throttle);

/* A request begins. Returns its ticket, for throttle_end(). */
unsigned throttle_begin(struct throttle *throttle, int64_t now_ms);

/* The news that a request brings about the next ones. */
enum throttle_news {
    THROTTLE_OPEN,    /* the API server took it, or refused it for the sake of its object */
    THROTTLE_UNKNOWN, /* nothing; perhaps nothing was sent after all */
    THROTTLE_CLOSED,  /* it failed for a cause that all share */
};

/* `retry_after_ms` is the wait that the API server asks for, or -1. It may be 5 minutes at most. */
void throttle_end(struct throttle *throttle, unsigned ticket, int64_t now_ms, uint32_t random,
                  enum throttle_news news, int64_t retry_after_ms);

#endif
