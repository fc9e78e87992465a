// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/renewal.h"

#include "base/attribute.h"

enum {
    FAILURE_BASE_MS = 100,
    FAILURE_CAP_MS = 15000,
    DISPUTE_LOOK_MS = 10000, /* a clock may be put right at any time */
};

/* The arguments of a step. */
struct moment {
    const struct renewal_view *view;
    int64_t now_ms;
    int64_t wall_s;
    bool is_clock_sure;
};

void renewal_init(struct renewal *renewal, int64_t trust_delay_ms, int64_t retire_delay_s) {
    *renewal = (struct renewal){
        .trust_delay_ms = trust_delay_ms,
        .retire_delay_s = retire_delay_s,
        .trusted_since_ms = -1,
        .jumped_ms = -1,
        .trusted_ms = -1,
        .pause_ms = RENEWAL_PAUSE_MIN_MS,
        .backoff = {.base_ms = FAILURE_BASE_MS, .cap_ms = FAILURE_CAP_MS},
    };
}

/* The earliest time counts. Returns false, so that waiting is one line. */
static bool wait_until(struct renewal_order *order, int64_t at_ms) {
    order->at_ms = MIN(order->at_ms, at_ms);
    return false;
}

/* Does nothing if the date is over. Returns false. */
static bool wait_until_date(const struct moment *moment, int64_t date_s,
                            struct renewal_order *order) {
    return date_s > moment->wall_s &&
           wait_until(order, moment->now_ms + (date_s - moment->wall_s) * 1000);
}

static bool is_far(int64_t offset_s, int64_t other_s) {
    return offset_s - other_s > RENEWAL_JUMP_S || other_s - offset_s > RENEWAL_JUMP_S;
}

/* True if the wall clock can be believed: a jump must last for a while first. */
static bool check_clock(struct renewal *renewal, int64_t now_ms, int64_t wall_s) {
    int64_t offset_s = wall_s - now_ms / 1000;
    bool has_jumped = renewal->has_clocks && is_far(offset_s, renewal->offset_s);
    if (has_jumped && (renewal->jumped_ms < 0 || is_far(offset_s, renewal->jumped_offset_s))) {
        renewal->jumped_ms = now_ms;
        renewal->jumped_offset_s = offset_s;
    }
    if (has_jumped && now_ms < renewal->jumped_ms + RENEWAL_JUMP_PATIENCE_MS) {
        return false;
    }
    renewal->has_clocks = true;
    renewal->offset_s = offset_s;
    renewal->jumped_ms = -1;
    return true;
}

void renewal_note(struct renewal *renewal, const struct renewal_view *view, int64_t now_ms) {
    if (view->secret != RENEWAL_SECRET_USABLE) {
        return;
    }
    const struct renewal_ca *signer = &view->cas[view->signer];
    bool is_other = signer->not_after != renewal->signer_not_after;
    renewal->signer_not_after = signer->not_after;
    if (!signer->is_trusted) {
        renewal->trusted_since_ms = -1;
    } else if (is_other || renewal->trusted_since_ms < 0) {
        renewal->trusted_since_ms = now_ms;
    }
}

bool renewal_is_trusted_long(const struct renewal *renewal, int64_t now_ms) {
    return renewal->trusted_since_ms >= 0 &&
           now_ms >= renewal->trusted_since_ms + renewal->trust_delay_ms;
}

/* Limits the pace of a fight with another writer of the Secret. */
static bool may_write(const struct renewal *renewal, const struct moment *moment,
                      struct renewal_order *order) {
    size_t n = renewal->n_writes;
    if (n == 0) {
        return true;
    }
    int64_t at_ms = renewal->writes_ms[(n - 1) % RENEWAL_WRITES_MAX] + RENEWAL_COOL_DOWN_MS;
    if (n >= RENEWAL_WRITES_MAX) {
        int64_t free_ms = renewal->writes_ms[n % RENEWAL_WRITES_MAX] + RENEWAL_WINDOW_MS;
        at_ms = MAX(at_ms, free_ms);
    }
    return moment->now_ms >= at_ms || wait_until(order, at_ms);
}

static bool write(struct renewal_order *order, enum renewal_phase phase) {
    order->verb = RENEWAL_WRITE;
    order->phase = phase;
    return true;
}

static bool begin_anew(const struct renewal *renewal, const struct moment *moment,
                       struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    if (!may_write(renewal, moment, order)) {
        return false;
    }
    if (view->has_memory) {
        return write(order, RENEWAL_RESTORE);
    }
    if (view->webhook == RENEWAL_WEBHOOK_UNKNOWN || view->is_clock_disputed) {
        return false;
    }
    order->makes_ca = true;
    if (view->trusts_others) {
        /* A replica may serve a leaf that one of those has signed. */
        order->takes_over_others = true;
        return write(order, RENEWAL_PREPARE);
    }
    order->makes_leaf = true;
    return write(order, RENEWAL_BOOTSTRAP);
}

/* The signer has signed the leaf, so no rotation is under way. */
static bool is_settled(const struct renewal_view *view) {
    return view->has_leaf && view->has_issuer && view->leaf_issuer == view->signer;
}

/* Leaves one place for the new CA: the oldest CAs go, but not the signer. */
static void keep_for_prepare(const struct moment *moment, struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    size_t n_kept = 0;
    for (size_t i = 0; i < view->n_cas; i++) {
        bool is_over = moment->is_clock_sure && view->cas[i].not_after < moment->wall_s;
        order->keeps[i] = i == view->signer || !is_over;
        n_kept += order->keeps[i];
    }
    for (size_t i = 0; i < view->n_cas && n_kept >= RENEWAL_CAS_MAX; i++) {
        if (order->keeps[i] && i != view->signer) {
            order->keeps[i] = false;
            n_kept--;
        }
    }
}

static bool is_valid(const struct renewal_ca *ca, int64_t wall_s) {
    return wall_s >= ca->not_before && wall_s < ca->not_after;
}

/* A rotation that is under way comes first, unless its signer is not valid. */
static bool prepare(const struct renewal *renewal, const struct moment *moment,
                    struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    const struct renewal_ca *signer = &view->cas[view->signer];
    int64_t due_s = signer->not_after - RENEWAL_CA_BEFORE;
    bool is_useless = !is_valid(signer, moment->wall_s);
    bool is_due = moment->wall_s >= due_s || view->asked == RENEWAL_ASKS_CA;
    if (!is_useless && !(is_due && is_settled(view))) {
        return wait_until_date(moment, due_s, order);
    }
    if (!moment->is_clock_sure || view->webhook == RENEWAL_WEBHOOK_UNKNOWN ||
        !may_write(renewal, moment, order)) {
        return false;
    }
    keep_for_prepare(moment, order);
    order->makes_ca = true;
    order->takes_over_others = view->trusts_others;
    return write(order, RENEWAL_PREPARE);
}

bool renewal_is_contested(const struct renewal *renewal, int64_t now_ms) {
    return renewal->pause_ms > 2 * RENEWAL_PAUSE_MIN_MS &&
           now_ms < renewal->trusted_ms + RENEWAL_QUIET_MS;
}

/* A write that follows our write of the Secret is no fight, and need not wait. */
static bool trust(const struct renewal *renewal, const struct moment *moment,
                  struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    if (view->webhook != RENEWAL_WEBHOOK_PRESENT || view->is_bundle_current) {
        return false;
    }
    int64_t at_ms = renewal->trusted_ms + renewal->pause_ms;
    bool may_now = renewal->is_expected || renewal->trusted_ms < 0 || moment->now_ms >= at_ms;
    if (!may_now) {
        return wait_until(order, at_ms);
    }
    order->verb = RENEWAL_TRUST;
    return true;
}

static bool wait_for_trust(const struct renewal *renewal, const struct moment *moment,
                           struct renewal_order *order) {
    if (renewal_is_trusted_long(renewal, moment->now_ms)) {
        return true;
    }
    if (renewal->trusted_since_ms >= 0) {
        wait_until(order, renewal->trusted_since_ms + renewal->trust_delay_ms);
    }
    return false;
}

/* True if replicas may serve a leaf of the signer. */
static bool may_switch(const struct renewal *renewal, const struct moment *moment,
                       struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    bool is_first = !view->has_leaf && view->n_cas == 1 && !view->trusts_others;
    if (view->webhook == RENEWAL_WEBHOOK_UNKNOWN) {
        return is_settled(view);
    }
    return is_settled(view) || view->webhook == RENEWAL_WEBHOOK_ABSENT || is_first ||
           wait_for_trust(renewal, moment, order);
}

static bool switch_over(const struct renewal *renewal, const struct moment *moment,
                        struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    int64_t due_s = view->leaf_not_after - RENEWAL_LEAF_BEFORE;
    bool is_due = moment->wall_s >= due_s || moment->wall_s < view->leaf_not_before;
    bool is_needed =
        !is_settled(view) || !view->leaf_has_names || is_due || view->asked == RENEWAL_ASKS_LEAF;
    if (!is_needed) {
        return wait_until_date(moment, due_s, order);
    }
    bool may_date = is_valid(&view->cas[view->signer], moment->wall_s) &&
                    !view->is_clock_disputed && (moment->is_clock_sure || !view->has_leaf);
    if (!may_date || !may_switch(renewal, moment, order) || !may_write(renewal, moment, order)) {
        return false;
    }
    for (size_t i = 0; i < view->n_cas; i++) {
        order->keeps[i] = true;
    }
    order->makes_leaf = true;
    return write(order, RENEWAL_SWITCH);
}

/* True if the caBundles have been right for long enough that every replica serves the new leaf.
   After a long sleep, or with another Secret, they may not be. */
static bool is_through(const struct renewal *renewal, const struct moment *moment,
                       struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    return view->webhook == RENEWAL_WEBHOOK_ABSENT ||
           (view->is_bundle_current && wait_for_trust(renewal, moment, order));
}

static bool retire(const struct renewal *renewal, const struct moment *moment,
                   struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    if (view->n_cas < 2 || !is_settled(view) || !moment->is_clock_sure ||
        !is_through(renewal, moment, order)) {
        return false;
    }
    int64_t due_s = view->leaf_not_before + RENEWAL_BACKDATE_S + renewal->retire_delay_s;
    bool drops = false;
    for (size_t i = 0; i < view->n_cas; i++) {
        bool is_over = moment->wall_s >= due_s || view->cas[i].not_after < moment->wall_s;
        order->keeps[i] = i == view->signer || !is_over;
        drops = drops || !order->keeps[i];
    }
    if (!drops) {
        return wait_until_date(moment, due_s, order);
    }
    return may_write(renewal, moment, order) && write(order, RENEWAL_RETIRE);
}

static bool decide(const struct renewal *renewal, const struct moment *moment,
                   struct renewal_order *order) {
    if (moment->view->secret != RENEWAL_SECRET_USABLE) {
        return begin_anew(renewal, moment, order);
    }
    return prepare(renewal, moment, order) || trust(renewal, moment, order) ||
           switch_over(renewal, moment, order) || retire(renewal, moment, order);
}

void renewal_step(struct renewal *renewal, const struct renewal_view *view, int64_t now_ms,
                  int64_t wall_s, struct renewal_order *ret_order) {
    struct renewal_order order = {.verb = RENEWAL_WAIT, .at_ms = INT64_MAX};
    bool is_steady = check_clock(renewal, now_ms, wall_s);
    const struct moment moment = {view, now_ms, wall_s, is_steady && !view->is_clock_disputed};
    renewal_note(renewal, view, now_ms);
    bool may_act = !renewal->is_asking && view->leads && view->secret != RENEWAL_SECRET_UNKNOWN;
    if (may_act && now_ms < renewal->not_before_ms) {
        wait_until(&order, renewal->not_before_ms);
    } else if (may_act && decide(renewal, &moment, &order)) {
        renewal->is_asking = true;
        renewal->is_trusting = order.verb == RENEWAL_TRUST;
        renewal->is_overtaken = false;
    } else if (may_act) {
        wait_until(&order, now_ms + RENEWAL_CHECK_MS);
        if (!is_steady) {
            wait_until(&order, renewal->jumped_ms + RENEWAL_JUMP_PATIENCE_MS);
        }
        if (view->is_clock_disputed) {
            wait_until(&order, now_ms + DISPUTE_LOOK_MS);
        }
    }
    *ret_order = order;
}

bool renewal_is_held_up(const struct renewal *renewal, const struct renewal_view *view,
                        int64_t now_ms, int64_t wall_s) {
    struct renewal other = *renewal;
    struct renewal_view undisputed = *view;
    struct renewal_order order;
    other.has_clocks = false;
    undisputed.is_clock_disputed = false;
    renewal_step(&other, &undisputed, now_ms, wall_s, &order);
    return order.verb == RENEWAL_WRITE && (order.makes_ca || order.makes_leaf);
}

void renewal_news(struct renewal *renewal, enum renewal_verb verb) {
    bool is_of_order = renewal->is_trusting == (verb == RENEWAL_TRUST);
    renewal->is_overtaken = renewal->is_overtaken || (renewal->is_asking && is_of_order);
}

bool renewal_is_overtaken(const struct renewal *renewal) {
    return renewal->is_overtaken;
}

static void note_trust(struct renewal *renewal, int64_t now_ms) {
    bool is_fight = !renewal->is_expected && renewal->trusted_ms >= 0;
    if (is_fight && now_ms >= renewal->trusted_ms + RENEWAL_QUIET_MS) {
        renewal->pause_ms = RENEWAL_PAUSE_MIN_MS;
    } else if (is_fight) {
        int64_t doubled_ms = 2 * renewal->pause_ms;
        renewal->pause_ms = MIN(doubled_ms, (int64_t)RENEWAL_PAUSE_MAX_MS);
    }
    renewal->trusted_ms = now_ms;
}

void renewal_answer(struct renewal *renewal, int64_t now_ms, uint32_t random, bool is_good) {
    renewal->is_asking = false;
    if (!is_good) {
        renewal->not_before_ms = now_ms + backoff_next(&renewal->backoff, random);
        return;
    }
    backoff_reset(&renewal->backoff);
    if (!renewal->is_trusting) {
        renewal->writes_ms[renewal->n_writes++ % RENEWAL_WRITES_MAX] = now_ms;
    } else {
        note_trust(renewal, now_ms);
    }
    renewal->is_expected = !renewal->is_trusting;
}
