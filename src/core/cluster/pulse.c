// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/pulse.h"

#include "base/attribute.h"

/* Two questions in a row may be so far apart if somebody asks every 10 s. */
enum { GAP_MAX_MS = 20000 };

int64_t pulse_step(struct pulse *pulse, uint64_t turns, int64_t now_ms) {
    int64_t gap_ms = pulse->asked_ms == 0 ? 0 : now_ms - pulse->asked_ms;
    pulse->still_ms += MIN(gap_ms, GAP_MAX_MS);
    if (turns != pulse->turns) {
        pulse->still_ms = 0;
    }
    pulse->turns = turns;
    pulse->asked_ms = now_ms;
    return pulse->still_ms;
}
