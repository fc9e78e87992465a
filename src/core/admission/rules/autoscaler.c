// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

/* Row 14: the cap sets each count back to 1, and the autoscaler asks again, for ever. */
static const char *judge_stdio(struct ruling *ruling) {
    const struct number maximum = object_maximum(&ruling->review->object);
    const char *name = ruling->server->name;
    if (!number_exceeds(&maximum, 1)) {
        return "its maximum is not above 1";
    }
    if (ruling->mode == MODE_DENY &&
        ruling_is_new_violation(ruling, CHANGE_TARGET | CHANGE_MAXIMUM)) {
        ruling_deny(ruling,
                    "cannot scale %.36s: stdio transport allows 1 replica; set the maximum to 1",
                    name);
    } else {
        ruling_warn(ruling,
                    "cannot scale %.22s: stdio transport allows 1 replica; set the maximum to 1, "
                    "or delete this",
                    name);
    }
    return NULL;
}

/* Row 15: the operator sets the count that the autoscaler chose back to spec.replicas. */
static const char *judge_pinned(struct ruling *ruling) {
    const struct number *pinned = &ruling->server->replicas;
    const char *kind = kind_rows[ruling->server->kind].kind;
    if (pinned->state != PRESENCE_SET) {
        return "spec.replicas is not set, so the count is left to autoscalers";
    }
    if (ruling->mode == MODE_DENY && ruling_is_new_violation(ruling, CHANGE_TARGET)) {
        ruling_deny(
            ruling,
            "the operator undoes it while the %s has spec.replicas (%lld); unset that first", kind,
            (long long)pinned->value);
    } else {
        ruling_warn(
            ruling,
            "it and spec.replicas (%lld) of the %s undo each other; leave spec.replicas unset",
            (long long)pinned->value, kind);
    }
    return NULL;
}

const char *autoscaler(struct ruling *ruling) {
    if (!kind_is_autoscaler(ruling->review->kind)) {
        return "only about autoscalers";
    }
    return ruling->server->is_stdio ? judge_stdio(ruling) : judge_pinned(ruling);
}
