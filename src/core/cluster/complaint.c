// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/complaint.h"

#include <string.h>

#include "base/text.h"

enum { MINUTE_MS = 60000 };

int64_t complaint_raise(struct complaint *complaint, enum complaint_pace pace, const char *kind,
                        int64_t now_ms) {
    bool is_over = pace == COMPLAINT_MINUTELY && now_ms >= complaint->said_ms + MINUTE_MS;
    int64_t times = complaint->n_unsaid + 1;
    /* A kind that was cut when it was kept is still the same. */
    bool is_same = strncmp(complaint->kind, kind, sizeof(complaint->kind) - 1) == 0;
    if (complaint->is_failing && is_same && !is_over) {
        complaint->n_unsaid = times;
        return 0;
    }
    complaint->is_failing = true;
    (void)text_copy(complaint->kind, sizeof(complaint->kind), kind);
    complaint->said_ms = now_ms;
    complaint->n_unsaid = 0;
    return times;
}

bool complaint_settle(struct complaint *complaint) {
    bool was_failing = complaint->is_failing;
    *complaint = (struct complaint){.is_failing = false};
    return was_failing;
}
