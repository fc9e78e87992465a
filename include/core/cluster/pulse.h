// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_PULSE_H
#define CORE_CLUSTER_PULSE_H

/*
 * Whether a loop is alive that counts its turns, as judged by who asks for it now and then. A
 * process that was stopped, and a machine that slept, is not taken for a loop that hangs: time in
 * which nobody asked hardly counts, so that the loop has had its time when it is found wanting.
 */

#include <stdint.h>

/* Far above all that a turn may take: waiting for 10 s, or reading 200,000 objects. */
#define PULSE_STILL_MAX_MS 60000

struct pulse {      /* zero to begin with */
    uint64_t turns; /* that were seen last */
    int64_t asked_ms;
    int64_t still_ms;
};

/* For how long the loop has been seen to stand still. It hangs from PULSE_STILL_MAX_MS on. `now_ms`
   is not 0. */
int64_t pulse_step(struct pulse *pulse, uint64_t turns, int64_t now_ms);

#endif
