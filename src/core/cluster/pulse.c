// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/pulse.h"

/* Two questions in a row, of one that asks every 10 s, may be so far apart. */
enum { GAP_MAX_MS = 20000 };

int64_t pulse_step(struct pulse *pulse, uint64_t turns, int64_t now_ms) {
    int64_t gap_ms = pulse->asked_ms == 0 ? 0 : now_ms - pulse->asked_ms;
    pulse->still_ms += gap_ms < GAP_MAX_MS ? gap_ms : GAP_MAX_MS;
    if (turns != pulse->turns) {
        pulse->still_ms = 0;
    }
    pulse->turns = turns;
    pulse->asked_ms = now_ms;
    return pulse->still_ms;
}
