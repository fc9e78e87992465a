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
void replica_passthrough_create(struct ruling *ruling) {
    enum mode mode = ruling_mode(ruling, RULE_REPLICA_PASSTHROUGH);
    const struct number *wanted = &ruling->server->replicas;
    bool is_capped = ruling->server->is_stdio && number_exceeds(wanted, 1);
    if (mode == MODE_OFF || ruling->review->kind != OBJECT_DEPLOYMENT ||
        ruling->review->operation != REVIEW_CREATE || wanted->state != NUMBER_SET || is_capped ||
        number_is(&ruling->replicas, 0)) {
        return;
    }
    if (!number_equals(&ruling->replicas, wanted)) {
        set_replicas(ruling, mode, wanted->value);
    }
}

/*
 * Row 7: the operator writes a Deployment whose count it does not own (spec.replicas is nil), and
 * the count changes: it wrote from a stale copy. The live count stays. Zero is never raised.
 */
void replica_passthrough_operator_update(struct ruling *ruling) {
    const struct review *review = ruling->review;
    enum mode mode = ruling_mode(ruling, RULE_REPLICA_PASSTHROUGH);
    const struct number *live = &review->old.replicas;
    if (mode == MODE_OFF || review->kind != OBJECT_DEPLOYMENT ||
        review->operation != REVIEW_UPDATE || ruling->server->is_stdio ||
        ruling->server->replicas.state != NUMBER_ABSENT || live->state != NUMBER_SET ||
        number_equals(&ruling->replicas, live) || number_is(&ruling->replicas, 0) ||
        !policy_is_operator(ruling->policy, review->user)) {
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
