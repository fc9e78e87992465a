// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_PACE_H
#define CORE_CLUSTER_PACE_H

/*
 * Limits how many things begin in a second (a token bucket): up to `burst` at once, and
 * `per_second` after that. So in no second do more than the sum of both begin.
 */

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t per_second; /* 1 or more */
    int64_t burst;      /* 1 or more */
    /* The implementation's own; zero to begin with. */
    int64_t spent; /* of the burst, in thousandths */
    int64_t at_ms;
};

/* Returns whether one more may begin now, and counts it if so. */
bool pace_take(struct pace *pace, int64_t now_ms);

/* The time from which pace_take() returns true: `now_ms` if that is now. */
int64_t pace_next_ms(struct pace *pace, int64_t now_ms);

#endif
