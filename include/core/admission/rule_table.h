// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_RULE_TABLE_H
#define CORE_ADMISSION_RULE_TABLE_H

/*
 * The rules, in the order in which they are asked. Everything else that lists the rules is made
 * from these rows: the ids, the names, the keys of PolicyConfig, the metrics, `capstan explain`.
 *
 * RULE(ID, name, key, default, modes, kinds, function, label, summary)
 *
 *   ID        makes RULE_ID and STEP_ID
 *   name      in warnings, audit annotations, metrics and exemptions
 *   key       the key of PolicyConfig under which the rule has its `mode`
 *   default   the mode where the policy names none: OFF, WARN, ENFORCE or DENY
 *   modes     what a policy may choose beside off and warn: CAN_ENFORCE, CAN_DENY, both, or 0
 *   kinds     what the rule may have something to say about: ON_FAMILY, ON_DEPLOYMENT and so on
 *   function  what the rule does; it stands in src/core/admission/rules/ and has the type rule_step
 *   label     what this step of the rule is about, in a few words
 *   summary   one sentence for users
 *
 * STEP(ID, RULE, function, label) is one more step of a rule that stands above.
 */
#define RULE_TABLE(RULE, STEP)                                                                     \
    RULE(STDIO_CAP, "stdio-cap", "stdioCap", ENFORCE, CAN_ENFORCE | CAN_DENY,                      \
         ON_MCPSERVER | ON_DEPLOYMENT | ON_SCALE, stdio_cap_spec_driven, "spec-driven",            \
         "An MCPServer with stdio transport has at most one replica.")                             \
    STEP(STDIO_CAP_BACKENDS, STDIO_CAP, stdio_cap_backends, "backendReplicas")                     \
    /* Stands before the externally-driven path, which then sees the count that it sets. */        \
    RULE(REPLICA_PASSTHROUGH, "replica-passthrough", "replicas", ENFORCE, CAN_ENFORCE,             \
         ON_DEPLOYMENT | ON_SCALE, replica_passthrough_create, "create",                           \
         "A Deployment follows spec.replicas of its owner where that is set, and keeps its own "   \
         "count where it is not.")                                                                 \
    STEP(REPLICA_PASSTHROUGH_UPDATE, REPLICA_PASSTHROUGH, replica_passthrough_operator_update,     \
         "update by the operator")                                                                 \
    STEP(REPLICA_PASSTHROUGH_SCALE, REPLICA_PASSTHROUGH, replica_passthrough_scale, "scale")       \
    STEP(STDIO_CAP_EXTERNAL, STDIO_CAP, stdio_cap_externally_driven, "externally-driven")          \
    STEP(STDIO_CAP_SURGE, STDIO_CAP, stdio_cap_prevent_surge, "prevent surge")                     \
    RULE(GRACE_PERIOD, "grace-period", "gracePeriod", ENFORCE, CAN_ENFORCE, ON_DEPLOYMENT,         \
         grace_period, "pod template",                                                             \
         "The pods of a Deployment that the operator makes get time to end.")                      \
    RULE(SESSION_STORAGE, "session-storage", "sessionStorage", WARN, CAN_DENY, ON_FAMILY,          \
         session_storage, "spec", "Several replicas need Redis to share their sessions.")          \
    STEP(SESSION_STORAGE_BACKENDS, SESSION_STORAGE, session_storage_backends, "backendReplicas")   \
    RULE(AUTOSCALER, "autoscaler", "autoscaler", WARN, CAN_DENY, ON_AUTOSCALER, autoscaler,        \
         "target",                                                                                 \
         "An autoscaler needs a Deployment whose count nobody else sets: no stdio transport, and " \
         "no spec.replicas.")

#endif
