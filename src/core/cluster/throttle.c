// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/throttle.h"

#include <assert.h>

#include "base/attribute.h"

enum {
    /* To begin with, and after a quiet second: if all fail, few have begun before that shows. */
    WIDTH_FIRST = 2,
    QUIET_MS = 1000,
    /* So long after the last one, another may begin beyond the width: an API server that is only
       slow must not look like one that fails. */
    PATIENCE_MS = 500,
    BACKOFF_BASE_MS = 200,
    BACKOFF_CAP_MS = 15000,
    RETRY_AFTER_MAX_MS = 300000, /* a faulty Retry-After must not stop us for days */
};

void throttle_init(struct throttle *throttle, size_t lanes) {
    assert(lanes > 0);
    *throttle = (struct throttle){
        .lanes = lanes,
        .width = MIN(WIDTH_FIRST, lanes),
        .backoff = {.base_ms = BACKOFF_BASE_MS, .cap_ms = BACKOFF_CAP_MS},
        .not_before_ms = INT64_MIN,
    };
}

int64_t throttle_next_ms(const struct throttle *throttle) {
    if (throttle->n_under_way >= throttle->lanes) {
        return INT64_MAX;
    }
    if (throttle->n_under_way - throttle->n_stale < throttle->width) {
        return throttle->not_before_ms;
    }
    return throttle->is_failing ? INT64_MAX
                                : MAX(throttle->not_before_ms, throttle->began_ms + PATIENCE_MS);
}

bool throttle_is_idle(const struct throttle *throttle) {
    return throttle->n_under_way == 0;
}

unsigned throttle_begin(struct throttle *throttle, int64_t now_ms) {
    bool is_quiet = throttle->n_under_way == 0 && now_ms - throttle->ended_ms >= QUIET_MS;
    assert(throttle_next_ms(throttle) <= now_ms);
    if (is_quiet && throttle->width > WIDTH_FIRST) {
        throttle->width = WIDTH_FIRST;
    }
    throttle->n_under_way++;
    throttle->began_ms = now_ms;
    return throttle->round;
}

/* None begins before this time, and then one as a probe. */
static void close_until(struct throttle *throttle, int64_t until_ms) {
    throttle->not_before_ms = MAX(throttle->not_before_ms, until_ms);
    throttle->width = 1;
    throttle->is_failing = true;
    throttle->n_stale = throttle->n_under_way;
    throttle->round++;
}

static void widen(struct throttle *throttle) {
    throttle->is_failing = false;
    backoff_reset(&throttle->backoff);
    if (throttle->width < throttle->lanes) {
        throttle->width++;
    }
}

void throttle_end(struct throttle *throttle, unsigned ticket, int64_t now_ms, uint32_t random,
                  enum throttle_news news, int64_t retry_after_ms) {
    bool is_stale = ticket != throttle->round;
    int64_t told_ms = MIN(retry_after_ms, RETRY_AFTER_MAX_MS);
    assert(throttle->n_under_way > 0 && (!is_stale || throttle->n_stale > 0));
    throttle->n_under_way--;
    throttle->ended_ms = now_ms;
    if (is_stale) {
        throttle->n_stale--;
    }
    if (news == THROTTLE_CLOSED && !is_stale) {
        close_until(throttle, now_ms + MAX(backoff_next(&throttle->backoff, random), told_ms));
    } else if (news == THROTTLE_CLOSED && told_ms > 0) {
        close_until(throttle, now_ms + told_ms);
    } else if (news == THROTTLE_OPEN && !is_stale) {
        widen(throttle);
    }
}
