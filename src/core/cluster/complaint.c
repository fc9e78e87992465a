// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/complaint.h"

#include "base/hash.h"

/* A minute without a line is over, or the kind is another, and there is room for that. Returns
   whether to say it. */
static bool take_turn(struct complaint *complaint, uint64_t kind, int64_t now_ms) {
    if (!complaint->is_open || now_ms >= complaint->said_ms + COMPLAINT_MINUTE_MS) {
        complaint->said_ms = now_ms;
        complaint->n_news = 0;
        return true;
    }
    if (kind == complaint->kind || complaint->n_news >= COMPLAINT_NEWS_MAX) {
        return false;
    }
    complaint->n_news++;
    return true;
}

int64_t complaint_raise(struct complaint *complaint, const char *kind, int64_t now_ms) {
    uint64_t hash = hash_text(HASH_EMPTY, kind);
    int64_t times = complaint->n_unsaid + 1;
    bool is_due = take_turn(complaint, hash, now_ms);
    complaint->is_open = true;
    complaint->is_good = false;
    complaint->failed_ms = now_ms;
    complaint->n_all++;
    complaint->n_unsaid = is_due ? 0 : times;
    if (is_due) {
        complaint->kind = hash;
    }
    return is_due ? times : 0;
}

void complaint_settle(struct complaint *complaint) {
    complaint->is_good = true;
}

int64_t complaint_step(struct complaint *complaint, int64_t now_ms) {
    bool is_over = complaint->is_open && complaint->is_good &&
                   now_ms >= complaint->failed_ms + COMPLAINT_MINUTE_MS;
    int64_t n_all = complaint->n_all;
    if (!is_over) {
        return 0;
    }
    *complaint = (struct complaint){.is_open = false};
    return n_all;
}
