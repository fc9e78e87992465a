// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_WATCH_HEALTH_H
#define APP_CLUSTER_WATCH_HEALTH_H

/*
 * What is said about a resource that is listed and watched: that it fails, once a minute, and that
 * it is well again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "edge/log.h"
#include "edge/metrics.h"

struct watch_health {
    const char *resource; /* "secrets", for the log; borrowed */
    struct log *log;
    struct metrics *metrics;
    bool is_failing;
    int64_t said_ms; /* that it fails */
};

/* How a request ended: `problem` is NULL if it was well. */
void watch_health_note(struct watch_health *health, const char *problem, int64_t now_ms);

#endif
