// SPDX-License-Identifier: Apache-2.0
#include "watch_health.h"

#include <stddef.h>

enum { SAID_EVERY_MS = 60000 };

void watch_health_note(struct watch_health *health, const char *problem, int64_t now_ms) {
    bool is_due = !health->is_failing || now_ms >= health->said_ms + SAID_EVERY_MS;
    if (problem != NULL) {
        metrics_add(health->metrics, METRIC_WATCH_ERRORS, 1);
    }
    if (problem != NULL && is_due) {
        health->said_ms = now_ms;
        log_event(health->log, LOG_WARN, "watch.failed", LOG_TEXT("resource", health->resource),
                  LOG_TEXT("problem", problem));
    } else if (problem == NULL && health->is_failing) {
        log_event(health->log, LOG_INFO, "watch.recovered", LOG_TEXT("resource", health->resource));
    }
    health->is_failing = problem != NULL;
}
