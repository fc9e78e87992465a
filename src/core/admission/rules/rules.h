// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_RULES_RULES_H
#define CORE_ADMISSION_RULES_RULES_H

/*
 * The rules, one file each. What else a new one needs: src/README.md.
 */

#include <stddef.h>

#include "admission/ruling.h"

struct rule {
    enum rule_id id;
    const char *label; /* what this step of the rule is about */
    void (*apply)(struct ruling *ruling);
};

/* In the order in which they are applied. */
extern const struct rule rules[];
extern const size_t rules_count;

/* stdio-cap: a stdio server has one replica. Two paths and the surge of a rollout. */
void stdio_cap_spec_driven(struct ruling *ruling);
void stdio_cap_externally_driven(struct ruling *ruling);
void stdio_cap_prevent_surge(struct ruling *ruling);

/* replica-passthrough: the MCPServer's spec.replicas rules if it is set, the live count if not. */
void replica_passthrough_create(struct ruling *ruling);
void replica_passthrough_operator_update(struct ruling *ruling);

/* grace-period: pods get time to end. */
void grace_period(struct ruling *ruling);

/* session-storage: several replicas need a shared session storage. */
void session_storage(struct ruling *ruling);

#endif
