// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_PULSE_H
#define CORE_CLUSTER_PULSE_H

/*
 * Judges whether a loop is alive by the turns that it counts. Somebody asks every now and then. A
 * process that was stopped and a machine that slept must not look like a loop that hangs. So time
 * in which nobody asked hardly counts.
 */

#include <stdint.h>

/* Far more than the longest turn: waiting for 10 s, or reading 200,000 objects. */
#define PULSE_STILL_MAX_MS 60000

struct pulse {      /* zero to begin with */
    uint64_t turns; /* as last seen */
    int64_t asked_ms;
    int64_t still_ms;
};

/* Returns for how long the loop has stood still. From PULSE_STILL_MAX_MS on, it hangs. `now_ms` is
   not 0. */
int64_t pulse_step(struct pulse *pulse, uint64_t turns, int64_t now_ms);

#endif
