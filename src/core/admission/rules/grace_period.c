// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

/* Rows 9 and 10. */
const char *grace_period(struct ruling *ruling) {
    const struct number *present = &ruling->review->object.grace_period;
    const struct policy *policy = ruling->policy;
    long long seconds = policy->grace_seconds;
    bool is_due = present->state == PRESENCE_ABSENT ||
                  (policy->is_grace_minimum && present->value < policy->grace_seconds);
    if (ruling->review->kind != OBJECT_DEPLOYMENT) {
        return "only Deployments have pods";
    }
    if (!is_due) {
        return "a period is set, and is kept";
    }
    if (ruling->mode == MODE_WARN) {
        ruling_warn(ruling, "mode enforce would set terminationGracePeriodSeconds to %lld",
                    seconds);
    } else {
        ruling_patch(ruling, PATCH_GRACE_PERIOD, seconds);
        ruling_note(ruling, "terminationGracePeriodSeconds %lld", seconds);
    }
    return NULL;
}
