// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/backoff.h"

#include <assert.h>
#include <limits.h>

int64_t backoff_next(struct backoff *backoff, uint32_t random) {
    assert(backoff->base_ms >= 0 && backoff->cap_ms <= INT32_MAX);
    int64_t delay = backoff->base_ms;
    for (unsigned i = 0; i < backoff->n_failures && delay > 0 && delay < backoff->cap_ms; i++) {
        delay *= 2;
    }
    if (delay > backoff->cap_ms) {
        delay = backoff->cap_ms;
    }
    if (backoff->n_failures < UINT_MAX) {
        backoff->n_failures++;
    }
    return delay + (int64_t)((uint64_t)delay * random >> 32);
}

void backoff_reset(struct backoff *backoff) {
    backoff->n_failures = 0;
}
