// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_BACKOFF_H
#define CORE_CLUSTER_BACKOFF_H

/*
 * Computes the wait before the next try: twice as long each time, up to a cap. With jitter, since
 * clients that failed together must not come back together. Chance is an argument.
 */

#include <stdint.h>

struct backoff {
    int64_t base_ms; /* 0 or more */
    int64_t cap_ms;  /* at most INT32_MAX, which is 24 days */
    unsigned n_failures;
};

/* The delay after one more failure: from [d, 2d), where d = min(cap, base * 2^n); `random` is any
   32 bits. */
int64_t backoff_next(struct backoff *backoff, uint32_t random);

void backoff_reset(struct backoff *backoff);

#endif
