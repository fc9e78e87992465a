// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#include "base/attribute.h"

/* The passthrough stands between the two paths of the cap: what it sets on create is what the
   externally-driven path then looks at. */
const struct rule rules[] = {
    {RULE_STDIO_CAP, stdio_cap_spec_driven},
    {RULE_REPLICA_PASSTHROUGH, replica_passthrough_create},
    {RULE_REPLICA_PASSTHROUGH, replica_passthrough_operator_update},
    {RULE_STDIO_CAP, stdio_cap_externally_driven},
    {RULE_STDIO_CAP, stdio_cap_prevent_surge},
    {RULE_GRACE_PERIOD, grace_period},
    {RULE_SESSION_STORAGE, session_storage},
};

const size_t rules_count = COUNT_OF(rules);
