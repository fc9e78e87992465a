// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#include "base/attribute.h"

/* The passthrough stands between the two paths of the cap: what it sets on create is what the
   externally-driven path then looks at. */
const struct rule rules[] = {
    {RULE_STDIO_CAP, "spec-driven", stdio_cap_spec_driven},
    {RULE_REPLICA_PASSTHROUGH, "create", replica_passthrough_create},
    {RULE_REPLICA_PASSTHROUGH, "update by the operator", replica_passthrough_operator_update},
    {RULE_STDIO_CAP, "externally-driven", stdio_cap_externally_driven},
    {RULE_STDIO_CAP, "prevent surge", stdio_cap_prevent_surge},
    {RULE_GRACE_PERIOD, "pod template", grace_period},
    {RULE_SESSION_STORAGE, "spec", session_storage},
};

_Static_assert(COUNT_OF(rules) == DECISION_STEPS, "a decision has a place for each step's reason");

const size_t rules_count = COUNT_OF(rules);
