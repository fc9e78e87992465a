// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

static void set_replicas(struct ruling *ruling, enum mode mode, int64_t wanted) {
    if (mode == MODE_WARN) {
        ruling_warn(ruling, RULE_REPLICA_PASSTHROUGH, "mode enforce would set replicas to %lld",
                    (long long)wanted);
    } else {
        ruling_patch(ruling, RULE_REPLICA_PASSTHROUGH, PATCH_REPLICAS, wanted);
    }
}

/*
 * Rows 3 and 4: a new Deployment has the count of its MCPServer's spec; where that is nil, the
 * count is not touched. What the stdio cap decides is not decided here, not even where the cap is
 * off.
 */
static const char *why_not_on_create(const struct ruling *ruling, enum mode mode) {
    const struct number *wanted = &ruling->server->replicas;
    if (mode == MODE_OFF) {
        return "off, or exempt";
    }
    if (ruling->review->kind != OBJECT_DEPLOYMENT || ruling->review->operation != REVIEW_CREATE) {
        return "not a new Deployment";
    }
    if (wanted->state != PRESENCE_SET) {
        return "the MCPServer has no spec.replicas, so the count is left to others";
    }
    if (ruling->server->is_stdio && number_exceeds(wanted, 1)) {
        return "stdio-cap decides";
    }
    if (number_is(&ruling->replicas, 0)) {
        return "0 replicas are never raised";
    }
    return number_equals(&ruling->replicas, wanted) ? "the count is that of the MCPServer" : NULL;
}

void replica_passthrough_create(struct ruling *ruling) {
    enum mode mode = ruling_mode(ruling, RULE_REPLICA_PASSTHROUGH);
    const char *reason = why_not_on_create(ruling, mode);
    if (reason != NULL) {
        ruling_pass(ruling, reason);
    } else {
        set_replicas(ruling, mode, ruling->server->replicas.value);
    }
}

/*
 * Row 7: the operator writes a Deployment whose count it does not own (spec.replicas is nil), and
 * the count changes: it wrote from a stale copy. The live count stays. Zero is never raised.
 */
static const char *why_not_on_update(const struct ruling *ruling, enum mode mode) {
    const struct review *review = ruling->review;
    const struct number *live = &review->old.replicas;
    if (mode == MODE_OFF) {
        return "off, or exempt";
    }
    if (review->kind != OBJECT_DEPLOYMENT || review->operation != REVIEW_UPDATE) {
        return "not an update of a Deployment";
    }
    if (ruling->server->is_stdio) {
        return "stdio is the cap's";
    }
    if (ruling->server->replicas.state != PRESENCE_ABSENT) {
        return "the MCPServer has spec.replicas, and the operator sees to it";
    }
    if (live->state != PRESENCE_SET || number_equals(&ruling->replicas, live)) {
        return "the count does not change";
    }
    if (number_is(&ruling->replicas, 0)) {
        return "0 replicas are never raised";
    }
    return policy_is_operator(ruling->policy, review->user)
               ? NULL
               : "it is not the operator who changes the count";
}

void replica_passthrough_operator_update(struct ruling *ruling) {
    const struct review *review = ruling->review;
    enum mode mode = ruling_mode(ruling, RULE_REPLICA_PASSTHROUGH);
    const struct number *live = &review->old.replicas;
    const char *reason = why_not_on_update(ruling, mode);
    if (reason != NULL) {
        ruling_pass(ruling, reason);
        return;
    }
    /* Without the generation that the operator saw, a spec.replicas that was set a moment ago
       cannot be told from a nil one. */
    bool is_certain = ruling->is_confirmed || review->object.generation_note == PRESENCE_SET;
    if (mode == MODE_ENFORCE && !is_certain) {
        ruling_give_up(ruling);
    } else {
        set_replicas(ruling, mode, live->value);
    }
}
