// SPDX-License-Identifier: Apache-2.0
#include "refusals.h"

void refusals_log(struct refusals *refusals, const char *namespace, const char *name,
                  const struct error *problem, int64_t now_ms) {
    struct complaint *sort = &refusals->sorts[problem->kind];
    int64_t times = complaint_raise(sort, COMPLAINT_MINUTELY, "", now_ms);
    if (times > 0) {
        log_event(refusals->log, LOG_WARN, refusals->event, LOG_TEXT("namespace", namespace),
                  LOG_TEXT("name", name), LOG_TEXT("problem", problem->text),
                  LOG_INTEGER("times", times));
    }
}
