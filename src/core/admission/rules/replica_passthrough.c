// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

static void set_replicas(struct ruling *ruling, int64_t wanted) {
    const struct number *present = &ruling->replicas;
    if (ruling->mode == MODE_WARN) {
        ruling_warn(ruling, "mode enforce would set replicas to %lld", (long long)wanted);
        return;
    }
    if (present->state == PRESENCE_SET) {
        ruling_note(ruling, "replicas %lld, not %lld", (long long)wanted,
                    (long long)present->value);
    } else {
        ruling_note(ruling, "replicas %lld", (long long)wanted);
    }
    ruling_patch(ruling, PATCH_REPLICAS, wanted);
}

/*
 * Rows 3 and 4: a new Deployment gets the count of its owner's spec. If the spec has none, the
 * count stays. This rule never decides what the stdio cap decides, not even where the cap is off.
 */
static const char *why_not_on_create(const struct ruling *ruling) {
    const struct number *wanted = &ruling->server->replicas;
    if (ruling->review->kind != OBJECT_DEPLOYMENT || ruling->review->operation != REVIEW_CREATE) {
        return "not a new Deployment";
    }
    if (wanted->state != PRESENCE_SET) {
        return "spec.replicas is not set, so the count is left to others";
    }
    if (ruling->server->is_stdio && number_exceeds(wanted, 1)) {
        return "stdio-cap decides";
    }
    if (number_is(&ruling->replicas, 0)) {
        return "0 replicas are never raised";
    }
    return number_equals(&ruling->replicas, wanted) ? "the count is that of spec.replicas" : NULL;
}

const char *replica_passthrough_create(struct ruling *ruling) {
    const char *reason = why_not_on_create(ruling);
    if (reason == NULL) {
        set_replicas(ruling, ruling->server->replicas.value);
    }
    return reason;
}

/*
 * Row 7: the operator writes a Deployment whose count it does not own (spec.replicas is nil), and
 * the count changes: it wrote from a stale copy. The live count stays. Zero is never raised.
 */
static const char *why_not_on_update(const struct ruling *ruling) {
    const struct review *review = ruling->review;
    const struct number *live = &review->old.replicas;
    if (review->kind != OBJECT_DEPLOYMENT || review->operation != REVIEW_UPDATE) {
        return "not an update of a Deployment";
    }
    if (ruling->server->is_stdio) {
        return "stdio is the cap's";
    }
    if (ruling->server->replicas.state != PRESENCE_ABSENT) {
        return "spec.replicas is set, and the operator sees to it";
    }
    if (live->state != PRESENCE_SET || number_equals(&ruling->replicas, live)) {
        return "the count does not change";
    }
    if (number_is(&ruling->replicas, 0)) {
        return "0 replicas are never raised";
    }
    bool is_unreadable = review->user_presence == PRESENCE_UNUSABLE;
    bool may_be_operator = is_unreadable ? ruling->policy->n_operator_users > 0
                                         : policy_is_operator(ruling->policy, review->user);
    return may_be_operator ? NULL : "it is not the operator who changes the count";
}

/* The annotation tells which generation the operator saw. Without it, and without a live answer,
   somebody may have set spec.replicas a moment ago. */
static bool is_certain(const struct ruling *ruling) {
    const struct review *review = ruling->review;
    return review->user_presence != PRESENCE_UNUSABLE &&
           (ruling->is_confirmed || review->object.generation_note == PRESENCE_SET);
}

const char *replica_passthrough_operator_update(struct ruling *ruling) {
    const struct review *review = ruling->review;
    const char *reason = why_not_on_update(ruling);
    if (reason != NULL) {
        return reason;
    }
    if (ruling->mode == MODE_ENFORCE && !is_certain(ruling)) {
        ruling_give_up(ruling);
    } else {
        set_replicas(ruling, review->old.replicas.value);
    }
    return NULL;
}

/* Row 6b: somebody scales a Deployment by hand whose count the operator sees to. */
const char *replica_passthrough_scale(struct ruling *ruling) {
    const struct number *wanted = &ruling->server->replicas;
    const struct number *asked = &ruling->review->object.replicas;
    long long count = asked->state == PRESENCE_SET ? asked->value : 0;
    if (ruling->review->kind != OBJECT_SCALE) {
        return "not a Scale";
    }
    if (ruling->server->is_stdio) {
        return "stdio is the cap's";
    }
    if (wanted->state != PRESENCE_SET) {
        return "spec.replicas is not set, so the count is left to others";
    }
    if (count == wanted->value) {
        return "the count is that of spec.replicas";
    }
    ruling_warn(ruling, "the operator will set %lld back to %lld: change spec.replicas of the %s",
                count, (long long)wanted->value, kind_rows[ruling->server->kind].kind);
    return NULL;
}
