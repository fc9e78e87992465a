// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/lease.h"

#include <assert.h>
#include <string.h>

#include "base/attribute.h"
#include "base/http_status.h"
#include "base/text.h"

enum {
    TIMEOUT_MS = 5000,
    RETRY_JITTER_MS = LEASE_RETRY_MS * 12 / 10,
    DURATION_MAX_SECONDS = 3600, /* no record is believed for longer, whatever it says */
    RELEASED_SECONDS = 1,        /* the API server refuses 0 */
};

/* The purpose of the request under way, or else of the next one. */
enum phase {
    PHASE_LOOK,   /* find out who holds the Lease */
    PHASE_CREATE, /* there was no Lease */
    PHASE_TAKE,   /* the Lease was free, or ours */
    PHASE_RENEW,  /* as PHASE_TAKE, but without a look before it: we lead */
    PHASE_LEAVE_LOOK,
    PHASE_LEAVE,
};

void lease_init(struct lease *lease, const char *identity) {
    assert(identity[0] != '\0'); /* an empty holder means that nobody holds it */
    *lease = (struct lease){.phase = PHASE_LOOK, .next_ms = INT64_MIN};
    (void)text_copy(lease->identity, sizeof(lease->identity), identity);
}

int64_t lease_deadline_ms(const struct lease *lease) {
    return lease->was_good && !lease->is_leaving ? lease->renewed_ms + LEASE_RENEW_DEADLINE_MS : 0;
}

bool lease_is_held(const struct lease *lease, int64_t now_ms) {
    return lease->was_good && !lease->is_leaving && now_ms < lease_deadline_ms(lease);
}

bool lease_is_shown(const struct lease *lease, const struct lease_record *record) {
    bool is_claim = lease->is_asking && lease->written[0] != '\0';
    return !is_claim || (strcmp(record->holder, lease->identity) == 0 &&
                         strcmp(record->renew_time, lease->written) == 0);
}

const char *lease_holder(const struct lease *lease) {
    return lease->is_observed ? lease->observed.holder : "";
}

void lease_yield(struct lease *lease, int64_t now_ms) {
    if (!lease->has_yielded || now_ms >= lease->yielded_ms + LEASE_YIELD_EVERY_MS) {
        lease->has_yielded = true;
        lease->yielded_ms = now_ms;
    }
}

bool lease_is_released(const struct lease *lease) {
    return lease->is_gone;
}

static bool is_ours(const struct lease *lease, const struct lease_record *record) {
    return strcmp(record->holder, lease->identity) == 0;
}

/* True if another replica holds the observed record, and its time is not over. */
static bool is_foreign(const struct lease *lease, int64_t now_ms) {
    const struct lease_record *record = &lease->observed;
    if (!lease->is_observed || record->holder[0] == '\0' || is_ours(lease, record) ||
        record->duration_seconds <= 0) {
        return false;
    }
    int64_t seconds = MIN(record->duration_seconds, DURATION_MAX_SECONDS);
    return now_ms < lease->observed_ms + seconds * 1000;
}

/* Compares the spec alone: a change of a label must not keep the holder alive. */
static bool differs(const struct lease_record *one, const struct lease_record *other) {
    return strcmp(one->holder, other->holder) != 0 ||
           strcmp(one->renew_time, other->renew_time) != 0 ||
           strcmp(one->acquire_time, other->acquire_time) != 0 ||
           one->transitions != other->transitions || one->fingerprint != other->fingerprint ||
           one->duration_seconds != other->duration_seconds;
}

static void observe(struct lease *lease, const struct lease_record *record, int64_t now_ms) {
    if (!lease->is_observed || differs(&lease->observed, record)) {
        lease->observed_ms = now_ms;
    }
    lease->observed = *record;
    lease->is_observed = true;
}

/* The record that makes us the holder. */
static struct lease_record make_claim(const struct lease *lease, int64_t wall_us) {
    const struct lease_record *observed = &lease->observed;
    struct lease_record claim = {.duration_seconds = LEASE_DURATION_MS / 1000};
    (void)text_copy(claim.holder, sizeof(claim.holder), lease->identity);
    text_format_micro_time(claim.renew_time, wall_us);
    memcpy(claim.acquire_time, claim.renew_time, sizeof(claim.acquire_time));
    if (lease->phase == PHASE_CREATE) {
        return claim;
    }
    memcpy(claim.resource_version, observed->resource_version, sizeof(claim.resource_version));
    claim.transitions = observed->transitions;
    if (!is_ours(lease, observed)) {
        claim.transitions += claim.transitions < INT32_MAX; /* the API server reads 32 bits */
    } else if (observed->acquire_time[0] != '\0') {
        memcpy(claim.acquire_time, observed->acquire_time, sizeof(claim.acquire_time));
    }
    return claim;
}

/* The observed record without a holder. */
static struct lease_record make_release(const struct lease *lease, int64_t wall_us) {
    struct lease_record record = lease->observed;
    record.holder[0] = '\0';
    record.duration_seconds = RELEASED_SECONDS;
    text_format_micro_time(record.renew_time, wall_us);
    memcpy(record.acquire_time, record.renew_time, sizeof(record.acquire_time));
    return record;
}

static enum lease_verb verb_of(int phase) {
    if (phase == PHASE_LOOK || phase == PHASE_LEAVE_LOOK) {
        return LEASE_GET;
    }
    return phase == PHASE_CREATE ? LEASE_CREATE : LEASE_REPLACE;
}

static int64_t request_timeout_ms(const struct lease *lease, int64_t now_ms) {
    if (!lease_is_held(lease, now_ms)) {
        return TIMEOUT_MS;
    }
    int64_t rest_ms = lease_deadline_ms(lease) - now_ms;
    return MIN(rest_ms, TIMEOUT_MS);
}

static int64_t next_ms(const struct lease *lease) {
    bool yields = lease->has_yielded && !lease->is_leaving;
    return yields ? MAX(lease->next_ms, lease->yielded_ms + LEASE_YIELD_MS) : lease->next_ms;
}

void lease_step(struct lease *lease, int64_t now_ms, int64_t wall_us,
                struct lease_order *ret_order) {
    *ret_order = (struct lease_order){.verb = LEASE_WAIT, .at_ms = INT64_MAX};
    if (lease->is_asking || lease->is_gone) {
        return;
    }
    if (lease->was_good && !lease->is_leaving && !lease_is_held(lease, now_ms)) {
        lease->was_good = false;
        lease->phase = PHASE_LOOK;
        lease->next_ms = now_ms;
    }
    int64_t at_ms = next_ms(lease);
    if (now_ms < at_ms) {
        ret_order->at_ms = at_ms;
        return;
    }
    ret_order->verb = verb_of(lease->phase);
    ret_order->timeout_ms = request_timeout_ms(lease, now_ms);
    lease->written[0] = '\0';
    if (lease->phase == PHASE_LEAVE) {
        ret_order->record = make_release(lease, wall_us);
    } else if (ret_order->verb != LEASE_GET) {
        ret_order->record = make_claim(lease, wall_us);
        lease->is_claimed = true;
        memcpy(lease->written, ret_order->record.renew_time, sizeof(lease->written));
    }
    lease->asked_ms = now_ms;
    lease->is_asking = true;
}

static void ask_next(struct lease *lease, enum phase phase, int64_t at_ms) {
    lease->phase = phase;
    lease->next_ms = at_ms;
}

/* The leader tries again every 2 s, as it would renew. The others wait for a random time, so that
   they do not all reach for a record that becomes free. */
static void look_later(struct lease *lease, int64_t now_ms, uint32_t random) {
    int64_t at_ms = now_ms + LEASE_RETRY_MS + (int64_t)((uint64_t)random * RETRY_JITTER_MS >> 32);
    if (lease_is_held(lease, now_ms)) {
        at_ms = lease->asked_ms + LEASE_RETRY_MS;
    }
    ask_next(lease, PHASE_LOOK, at_ms);
}

/* The record is not ours, or not any more. If it is gone, its holder may not know that yet, and
   goes on until its time is over. So the Lease is not free before. */
static void on_not_ours(struct lease *lease, int64_t now_ms, uint32_t random,
                        enum phase phase_if_free) {
    lease->was_good = false;
    lease->is_claimed = false;
    if (is_foreign(lease, now_ms)) {
        look_later(lease, now_ms, random);
    } else {
        ask_next(lease, phase_if_free, now_ms);
    }
}

static void on_write(struct lease *lease, int64_t now_ms, uint32_t random, int status,
                     const struct lease_record *record) {
    bool is_written = (status == HTTP_STATUS_OK || status == HTTP_STATUS_CREATED) &&
                      record != NULL && is_ours(lease, record);
    if (is_written) {
        observe(lease, record, now_ms);
        lease->was_good = true;
        lease->renewed_ms = lease->asked_ms;
        ask_next(lease, PHASE_RENEW, lease->asked_ms + LEASE_RETRY_MS);
        return;
    }
    /* A renewal is a guess: after a conflict it looks at once. A conflict after a look means that
       another replica is busy with the record, so it looks later. */
    bool was_guess = lease->phase == PHASE_RENEW;
    lease->was_good = lease->was_good && status != HTTP_STATUS_NOT_FOUND;
    look_later(lease, now_ms, random);
    if (was_guess && (status == HTTP_STATUS_CONFLICT || status == HTTP_STATUS_NOT_FOUND)) {
        lease->next_ms = now_ms;
    }
}

static void leave(struct lease *lease, enum phase phase) {
    lease->is_gone = !lease->is_claimed;
    ask_next(lease, phase, INT64_MIN);
}

void lease_answer(struct lease *lease, int64_t now_ms, uint32_t random, int status,
                  const struct lease_record *record) {
    assert(lease->is_asking);
    bool is_looking = verb_of(lease->phase) == LEASE_GET;
    bool is_read = is_looking && status == HTTP_STATUS_OK && record != NULL &&
                   record->resource_version[0] != '\0';
    lease->is_asking = false;
    if (is_read) {
        observe(lease, record, now_ms);
    }
    if (lease->phase == PHASE_LEAVE_LOOK) {
        lease->is_claimed = is_read && is_ours(lease, &lease->observed);
        leave(lease, PHASE_LEAVE);
        return;
    }
    if (lease->phase == PHASE_LEAVE) {
        lease->is_gone = true;
        return;
    }
    if (is_read && is_ours(lease, record)) {
        ask_next(lease, PHASE_TAKE, now_ms);
    } else if (is_read) {
        on_not_ours(lease, now_ms, random, PHASE_TAKE);
    } else if (is_looking && status == HTTP_STATUS_NOT_FOUND) {
        on_not_ours(lease, now_ms, random, PHASE_CREATE);
    } else if (is_looking) {
        look_later(lease, now_ms, random);
    } else {
        on_write(lease, now_ms, random, status, record);
    }
    if (lease->is_leaving) {
        leave(lease, PHASE_LEAVE_LOOK);
    }
}

void lease_release(struct lease *lease) {
    if (lease->is_leaving) {
        return;
    }
    lease->is_leaving = true;
    if (!lease->is_asking) {
        leave(lease, PHASE_LEAVE_LOOK);
    }
}
