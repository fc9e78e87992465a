// SPDX-License-Identifier: Apache-2.0
#include "core/renewal.h"

enum { FAILURE_BASE_MS = 100, FAILURE_CAP_MS = 15000 };

/* What a step goes by. */
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
        .backoff = {.base_ms = FAILURE_BASE_MS, .cap_ms = FAILURE_CAP_MS},
    };
}

/* What comes first counts. */
static void wait_until(struct renewal_order *order, int64_t at_ms) {
    if (at_ms < order->at_ms) {
        order->at_ms = at_ms;
    }
}

/* For what is due by the calendar. */
static void wait_until_date(const struct moment *moment, int64_t date_s,
                            struct renewal_order *order) {
    if (date_s > moment->wall_s) {
        wait_until(order, moment->now_ms + (date_s - moment->wall_s) * 1000);
    }
}

/* Whether dates can be judged: a jump of the clock is believed only once it has lasted. */
static bool check_clock(struct renewal *renewal, int64_t now_ms, int64_t wall_s) {
    int64_t offset_s = wall_s - now_ms / 1000;
    int64_t moved_s = offset_s - renewal->offset_s;
    bool has_jumped =
        renewal->has_clocks && (moved_s > RENEWAL_JUMP_S || moved_s < -RENEWAL_JUMP_S);
    if (has_jumped && renewal->jumped_ms < 0) {
        renewal->jumped_ms = now_ms;
    }
    if (has_jumped && now_ms < renewal->jumped_ms + RENEWAL_JUMP_PATIENCE_MS) {
        return false;
    }
    renewal->has_clocks = true;
    renewal->offset_s = offset_s;
    renewal->jumped_ms = -1;
    return true;
}

/* Since when all trust the signer. With another signer this begins anew. */
static void follow_trust(struct renewal *renewal, const struct renewal_view *view, int64_t now_ms) {
    const struct renewal_ca *signer = &view->cas[view->signer];
    bool is_other = signer->not_after != renewal->signer_not_after;
    renewal->signer_not_after = signer->not_after;
    if (!signer->is_trusted) {
        renewal->trusted_since_ms = -1;
    } else if (is_other || renewal->trusted_since_ms < 0) {
        renewal->trusted_since_ms = now_ms;
    }
}

static bool write(struct renewal_order *order, enum renewal_phase phase) {
    order->verb = RENEWAL_WRITE;
    order->phase = phase;
    return true;
}

static bool begin_anew(const struct renewal_view *view, struct renewal_order *order) {
    if (view->has_memory) {
        return write(order, RENEWAL_RESTORE);
    }
    if (view->webhook == RENEWAL_WEBHOOK_UNKNOWN) {
        return false;
    }
    order->makes_ca = true;
    if (view->trusts_others) {
        /* Perhaps somebody serves what those have signed. */
        order->takes_over_others = true;
        return write(order, RENEWAL_PREPARE);
    }
    order->makes_leaf = true;
    return write(order, RENEWAL_BOOTSTRAP);
}

/* The CA that signs has signed what is served: no rotation is under way. */
static bool is_settled(const struct renewal_view *view) {
    return view->has_leaf && view->has_issuer && view->leaf_issuer == view->signer;
}

/* One place is for the new CA; the oldest that nobody needs make room. */
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

static bool prepare(const struct moment *moment, struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    const struct renewal_ca *signer = &view->cas[view->signer];
    int64_t due_s = signer->not_after - RENEWAL_CA_BEFORE;
    bool is_due =
        moment->is_clock_sure && (moment->wall_s >= due_s || moment->wall_s < signer->not_before);
    if (!is_settled(view) || !(is_due || view->asked == RENEWAL_ASKS_CA)) {
        wait_until_date(moment, due_s, order);
        return false;
    }
    keep_for_prepare(moment, order);
    order->makes_ca = true;
    order->takes_over_others = view->trusts_others;
    return write(order, RENEWAL_PREPARE);
}

/* Somebody else has written the caBundles too often of late. */
static bool is_contested(const struct renewal *renewal, int64_t now_ms) {
    size_t n = renewal->n_fights;
    if (n < RENEWAL_FIGHTS_MAX) {
        return false;
    }
    int64_t first_ms = renewal->fights_ms[n % RENEWAL_FIGHTS_MAX];
    int64_t last_ms = renewal->fights_ms[(n - 1) % RENEWAL_FIGHTS_MAX];
    return last_ms - first_ms <= RENEWAL_FIGHT_WINDOW_MS &&
           now_ms <= last_ms + RENEWAL_FIGHT_WINDOW_MS;
}

/* What follows from a change of our own is no fight, and waits for nothing. */
static bool trust(struct renewal *renewal, const struct moment *moment,
                  struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    if (view->webhook != RENEWAL_WEBHOOK_PRESENT || view->is_bundle_current) {
        return false;
    }
    bool was_contested = is_contested(renewal, moment->now_ms);
    int64_t pause_ms = was_contested ? RENEWAL_FIGHT_PAUSE_MS : RENEWAL_COOL_DOWN_MS;
    bool may_now = renewal->is_expected || renewal->trusted_ms < 0 ||
                   moment->now_ms >= renewal->trusted_ms + pause_ms;
    if (!may_now) {
        wait_until(order, renewal->trusted_ms + pause_ms);
        return false;
    }
    if (!renewal->is_expected && renewal->trusted_ms >= 0) {
        renewal->fights_ms[renewal->n_fights % RENEWAL_FIGHTS_MAX] = moment->now_ms;
        renewal->n_fights++;
    }
    order->verb = RENEWAL_TRUST;
    order->is_contested = !was_contested && is_contested(renewal, moment->now_ms);
    renewal->trusted_ms = moment->now_ms;
    return true;
}

/* Whether a leaf of the signer may be served. */
static bool may_switch(const struct renewal *renewal, const struct moment *moment,
                       struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    bool is_first = !view->has_leaf && view->n_cas == 1 && !view->trusts_others;
    if (view->webhook == RENEWAL_WEBHOOK_UNKNOWN) {
        return is_settled(view);
    }
    if (is_settled(view) || view->webhook == RENEWAL_WEBHOOK_ABSENT || is_first) {
        return true;
    }
    if (renewal->trusted_since_ms < 0) {
        return false;
    }
    int64_t at_ms = renewal->trusted_since_ms + renewal->trust_delay_ms;
    wait_until(order, at_ms);
    return moment->now_ms >= at_ms;
}

static bool switch_over(const struct renewal *renewal, const struct moment *moment,
                        struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    int64_t due_s = view->leaf_not_after - RENEWAL_LEAF_BEFORE;
    bool is_due = moment->is_clock_sure &&
                  (moment->wall_s >= due_s || moment->wall_s < view->leaf_not_before);
    bool is_needed =
        !is_settled(view) || !view->leaf_has_names || is_due || view->asked == RENEWAL_ASKS_LEAF;
    if (!is_needed) {
        wait_until_date(moment, due_s, order);
        return false;
    }
    if (!may_switch(renewal, moment, order)) {
        return false;
    }
    for (size_t i = 0; i < view->n_cas; i++) {
        order->keeps[i] = true;
    }
    order->makes_leaf = true;
    return write(order, RENEWAL_SWITCH);
}

/* Only once all that is to be trusted is; who comes back from a long sleep finds it so. */
static bool retire(const struct renewal *renewal, const struct moment *moment,
                   struct renewal_order *order) {
    const struct renewal_view *view = moment->view;
    bool is_through = view->webhook == RENEWAL_WEBHOOK_ABSENT || view->is_bundle_current;
    if (view->n_cas < 2 || !is_settled(view) || !moment->is_clock_sure || !is_through) {
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
        wait_until_date(moment, due_s, order);
        return false;
    }
    return write(order, RENEWAL_RETIRE);
}

static bool decide(struct renewal *renewal, const struct moment *moment,
                   struct renewal_order *order) {
    if (moment->view->secret != RENEWAL_SECRET_USABLE) {
        return begin_anew(moment->view, order);
    }
    return prepare(moment, order) || trust(renewal, moment, order) ||
           switch_over(renewal, moment, order) || retire(renewal, moment, order);
}

void renewal_step(struct renewal *renewal, const struct renewal_view *view, int64_t now_ms,
                  int64_t wall_s, struct renewal_order *ret_order) {
    struct renewal_order order = {.verb = RENEWAL_WAIT, .at_ms = INT64_MAX};
    const struct moment moment = {view, now_ms, wall_s, check_clock(renewal, now_ms, wall_s)};
    if (view->secret == RENEWAL_SECRET_USABLE) {
        follow_trust(renewal, view, now_ms);
    }
    bool may_act = !renewal->is_asking && view->leads && view->secret != RENEWAL_SECRET_UNKNOWN;
    if (may_act && now_ms < renewal->not_before_ms) {
        wait_until(&order, renewal->not_before_ms);
    } else if (may_act && decide(renewal, &moment, &order)) {
        renewal->is_asking = true;
        renewal->is_trusting = order.verb == RENEWAL_TRUST;
    } else if (may_act) {
        wait_until(&order, now_ms + RENEWAL_CHECK_MS);
        if (!moment.is_clock_sure) {
            wait_until(&order, renewal->jumped_ms + RENEWAL_JUMP_PATIENCE_MS);
        }
    }
    *ret_order = order;
}

void renewal_answer(struct renewal *renewal, int64_t now_ms, uint32_t random, bool is_good) {
    renewal->is_asking = false;
    if (!is_good) {
        renewal->not_before_ms = now_ms + backoff_next(&renewal->backoff, random);
        return;
    }
    backoff_reset(&renewal->backoff);
    renewal->is_expected = !renewal->is_trusting;
}
