// SPDX-License-Identifier: Apache-2.0
#include "refusals.h"

enum { SAID_EVERY_MS = 60000 };

void refusals_note(struct refusals *refusals, const char *namespace, const char *name,
                   const struct error *problem, int64_t now_ms) {
    struct refusal_sort *sort = &refusals->sorts[problem->kind];
    sort->times++;
    if (sort->is_said && now_ms < sort->said_ms + SAID_EVERY_MS) {
        return;
    }
    log_event(refusals->log, LOG_WARN, refusals->event, LOG_TEXT("namespace", namespace),
              LOG_TEXT("name", name), LOG_TEXT("problem", problem->text),
              LOG_INTEGER("times", sort->times));
    sort->is_said = true;
    sort->said_ms = now_ms;
    sort->times = 0;
}
