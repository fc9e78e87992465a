// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_METRICS_H
#define EDGE_METRICS_H

/*
 * A fixed table of counters, gauges and one histogram, printed for Prometheus. Every series exists
 * from the start with 0. Label values come from closed sets and are never names of objects.
 *
 * Counting never waits. Any thread may count.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric {
    METRIC_REQUESTS_200, /* answers on the admission route, by status */
    METRIC_REQUESTS_400,
    METRIC_REQUESTS_500,

    METRIC_UNRESOLVED,

    METRIC_CONFIG_RELOADS_OK,
    METRIC_CONFIG_RELOADS_REFUSED,
    METRIC_OBJECTS_RELOADS_OK,
    METRIC_OBJECTS_RELOADS_REFUSED,
    METRIC_CERTIFICATE_RELOADS_OK,
    METRIC_CERTIFICATE_RELOADS_REFUSED,
    METRIC_CERTIFICATE_EXPIRATION, /* seconds since 1970 */

    METRIC_STATUS_WRITES_OK,
    METRIC_STATUS_WRITES_ERROR,
    METRIC_STATUS_CONFLICTS, /* another writer undid a write */
    METRIC_STATUS_DEFERRED,  /* another writer was waited for, and has written */
    METRIC_SCALE_WRITES_OK,
    METRIC_SCALE_WRITES_ERROR,
    METRIC_SCALE_CONFLICTS, /* another writer undid a heal */

    METRIC_LOOKUPS_FOUND, /* GETs of the request path */
    METRIC_LOOKUPS_ABSENT,
    METRIC_LOOKUPS_FAILED,

    METRIC_LEADER, /* 1 or 0 */
    METRIC_WATCH_ERRORS,
    METRIC_DISCOVERY_ERRORS,

    METRIC_MCPSERVERS,
    METRIC_MCPREMOTEPROXIES,
    METRIC_VIRTUALMCPSERVERS,
    METRIC_DEPLOYMENTS,

    METRIC_HTTP_CONNECTIONS, /* the members of struct http_counts */
    METRIC_HTTP_ACCEPTED,
    METRIC_HTTP_WITHOUT_REQUEST,
    METRIC_HTTP_TIMEOUTS,
    METRIC_HTTP_EVICTED,
    METRIC_HTTP_MALFORMED,
    METRIC_HTTP_TOO_LARGE,
    METRIC_HTTP_OVER_BUDGET,

    METRIC_COUNT
};

/* The action of a rule, in the order of printing. */
enum metric_action { METRIC_PATCH, METRIC_WARN, METRIC_DENY, METRIC_ACTION_COUNT };

enum metric_histogram {
    METRIC_ADMISSION_DURATION,

    METRIC_HISTOGRAM_COUNT
};

struct metrics;

/* `version` becomes the label of capstan_build_info; it is copied. `rules` are names for the labels
   of the decisions; they are borrowed. Free with metrics_free(). */
struct metrics *metrics_new(const char *version, const char *const *rules, size_t n_rules);
void metrics_free(struct metrics *metrics);

void metrics_add(struct metrics *metrics, enum metric metric, int64_t n);

/* Counts a decision. `rule` is the index of its name. */
void metrics_count_decision(struct metrics *metrics, size_t rule, enum metric_action action);

/* Counts a decision that sets the same user back on the same object once more. */
void metrics_count_contested(struct metrics *metrics, size_t rule);

/* For gauges, and for counters that another module keeps. */
void metrics_set(struct metrics *metrics, enum metric metric, int64_t value);

/* Counts a negative duration as 0. Buckets reach from 50 microseconds to 10 seconds. */
void metrics_observe_us(struct metrics *metrics, enum metric_histogram histogram,
                        int64_t duration_us);

/* Adds all series in the text exposition format, version 0.0.4. */
void metrics_print(const struct metrics *metrics, struct buffer *out);

#endif
