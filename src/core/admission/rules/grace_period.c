// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

/* Rows 9 and 10. */
void grace_period(struct ruling *ruling) {
    enum mode mode = ruling_mode(ruling, RULE_GRACE_PERIOD);
    const struct number *present = &ruling->review->object.grace_period;
    int64_t seconds = ruling->policy->grace_seconds;
    bool is_due = present->state == PRESENCE_ABSENT ||
                  (ruling->policy->is_grace_minimum && present->value < seconds);
    if (mode == MODE_OFF) {
        ruling_pass(ruling, "off, or exempt");
        return;
    }
    if (ruling->review->kind != OBJECT_DEPLOYMENT) {
        ruling_pass(ruling, "only Deployments have pods");
        return;
    }
    if (!is_due) {
        ruling_pass(ruling, "a period is set, and is kept");
        return;
    }
    if (mode == MODE_WARN) {
        ruling_warn(ruling, RULE_GRACE_PERIOD,
                    "mode enforce would set terminationGracePeriodSeconds to %lld",
                    (long long)seconds);
    } else {
        ruling_patch(ruling, RULE_GRACE_PERIOD, PATCH_GRACE_PERIOD, seconds);
    }
}
