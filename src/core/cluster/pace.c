// SPDX-License-Identifier: Apache-2.0
#include "pace.h"

#include "base/attribute.h"

enum { ONE = 1000 }; /* thousandths, so that a millisecond regains `per_second` of them */

static void regain(struct pace *pace, int64_t now_ms) {
    /* After this time, all of the burst is there again. It keeps the product small. */
    int64_t full_ms = pace->burst * ONE / pace->per_second + 1;
    int64_t gone_ms = MIN(now_ms - pace->at_ms, full_ms);
    if (gone_ms > 0) {
        int64_t regained = gone_ms * pace->per_second;
        pace->spent -= MIN(pace->spent, regained);
        pace->at_ms = now_ms;
    }
}

int64_t pace_next_ms(struct pace *pace, int64_t now_ms) {
    regain(pace, now_ms);
    int64_t over = pace->spent + ONE - pace->burst * ONE;
    return over <= 0 ? now_ms : now_ms + (over + pace->per_second - 1) / pace->per_second;
}

bool pace_take(struct pace *pace, int64_t now_ms) {
    if (pace_next_ms(pace, now_ms) > now_ms) {
        return false;
    }
    pace->spent += ONE;
    return true;
}
