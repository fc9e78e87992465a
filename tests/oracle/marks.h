// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_MARKS_H
#define ORACLE_MARKS_H

/*
 * The rows and outcomes of the decision table that a run must meet, so that no run is vacuous.
 */

#include <stdbool.h>

/* One mark for each of the family, in its order. */
#define MARK_KINDS(MARK, id, text)                                                                 \
    MARK(id##_SERVER, text ", MCPServer")                                                          \
    MARK(id##_PROXY, text ", MCPRemoteProxy")                                                      \
    MARK(id##_VIRTUAL, text ", VirtualMCPServer")

/* What deny and the other modes make of a finding, in this order. */
#define MARK_FINDING(MARK, id, text)                                                               \
    MARK(id##_WARN, text ", warn")                                                                 \
    MARK(id##_DENY, text ", deny")                                                                 \
    MARK(id##_OLD, text ", deny, but it broke the rule before")

#define MARK_TABLE(MARK)                                                                           \
    MARK(MALFORMED, "no answer is possible: 400")                                                  \
    MARK(ROW1_WARN, "row 1, warn")                                                                 \
    MARK(ROW1_ENFORCE, "row 1, enforce")                                                           \
    MARK(ROW1_REWRITE, "row 1, rewriteSpec")                                                       \
    MARK(ROW1_LEFT_ALONE, "row 1, rewriteSpec leaves a no-op update alone")                        \
    MARK(ROW1_DENY, "row 1, deny")                                                                 \
    MARK(ROW1_OLD_OFFENDER, "row 1, deny, but it broke the rule before")                           \
    MARK_KINDS(MARK, ROW2_WARN, "row 2, warn")                                                     \
    MARK_KINDS(MARK, ROW2_DENY, "row 2, deny")                                                     \
    MARK_KINDS(MARK, ROW2_OLD, "row 2, deny, but it broke the rule before")                        \
    MARK_KINDS(MARK, ROW2_AFFINITY, "row 2, sessionAffinity None")                                 \
    MARK_KINDS(MARK, DEFAULT_REDIS, "row 2, defaultRedis")                                         \
    MARK_FINDING(MARK, ROW2B_STDIO, "row 2b, stdio")                                               \
    MARK(ROW2B_STDIO_ENFORCE, "row 2b, stdio, enforce")                                            \
    MARK_FINDING(MARK, ROW2B_SESSIONS, "row 2b, another transport")                                \
    MARK(ROW3_CAP_PATCH, "row 3, stdio over the cap, patched")                                     \
    MARK(ROW3_CAP_SAME, "row 3, stdio over the cap, the count is 1 already")                       \
    MARK(ROW3_CAP_PREVIEW, "row 3, stdio over the cap, warn")                                      \
    MARK_KINDS(MARK, ROW3, "row 3, replica-passthrough, patched")                                  \
    MARK(ROW3_SAME, "row 3, replica-passthrough, the count is right already")                      \
    MARK(ROW3_PREVIEW, "row 3, replica-passthrough, warn")                                         \
    MARK_KINDS(MARK, ROW4, "row 4, spec.replicas nil")                                             \
    MARK(ROW5_CREATE, "row 5, create")                                                             \
    MARK(ROW5_UPDATE, "row 5, update")                                                             \
    MARK(ROW5_PREVIEW, "row 5, warn")                                                              \
    MARK(ROW6_PATCH, "row 6, patched")                                                             \
    MARK(ROW6_PREVIEW, "row 6, warn")                                                              \
    MARK_KINDS(MARK, ROW6B, "row 6b, above 1")                                                     \
    MARK_KINDS(MARK, ROW6B_LOW, "row 6b, 0 or 1")                                                  \
    MARK_KINDS(MARK, ROW7, "row 7, put back")                                                      \
    MARK(ROW7_PREVIEW, "row 7, warn")                                                              \
    MARK(ROW7_UNCONFIRMED, "row 7, nobody confirms the MCPServer")                                 \
    MARK(ROW7_CONFIRMED, "row 7, a look-up confirms the MCPServer")                                \
    MARK_KINDS(MARK, ROW8, "row 8, any other update")                                              \
    MARK_KINDS(MARK, ROW8_SCALE, "row 8, any other scale")                                         \
    MARK_KINDS(MARK, ROW9, "row 9, set")                                                           \
    MARK(ROW9_PREVIEW, "row 9, warn")                                                              \
    MARK_KINDS(MARK, ROW10, "row 10, kept")                                                        \
    MARK_KINDS(MARK, ROW10_RAISED, "row 10, raised")                                               \
    MARK(ROW10_PREVIEW, "row 10, warn")                                                            \
    MARK(ROW11_CREATE, "row 11, a Deployment created with 0")                                      \
    MARK(ROW11_UPDATE, "row 11, a Deployment updated to 0")                                        \
    MARK(ROW11_SCALE, "row 11, a Scale to 0")                                                      \
    MARK(ROW12_FOUND, "row 12, the live object answers")                                           \
    MARK_KINDS(MARK, ROW12, "row 12, a question")                                                  \
    MARK(ROW12_ABSENT, "row 12, 404")                                                              \
    MARK(ROW12_FAILED, "row 12, the look-up fails")                                                \
    MARK(ROW12_OFFLINE, "row 12, nobody to ask")                                                   \
    MARK(ROW12_NEWER, "row 12, the annotation names a newer generation")                           \
    MARK(ROW12_UNRESOLVED, "row 12, unresolved: a warning")                                        \
    MARK(ROW12_FAIL, "row 12, unresolved: 500")                                                    \
    MARK(ROW12_UNCONCERNED, "row 12, unresolved, but every rule is off")                           \
    MARK_KINDS(MARK, ROW13_ENDING, "row 13, one that is being deleted")                            \
    MARK(ROW13_SIBLING_DELETING, "row 13, the Deployment of a terminating sibling")                \
    MARK(ROW13_DEPLOYMENT_DELETING, "row 13, a Deployment that is being deleted")                  \
    MARK(ROW13_HELD, "row 13, the Deployment of a terminating MCPServer is held")                  \
    MARK(ROW13_SCALE_HELD, "row 13, the Scale of a terminating MCPServer is held")                 \
    MARK(ROW13_OTHER, "row 13, other operations, kinds and subresources")                          \
    MARK(ROW13_WRONG_TYPE, "row 13, wrong types")                                                  \
    MARK(ROW13_NO_POD_SPEC, "row 13, no pod spec")                                                 \
    MARK_FINDING(MARK, ROW14_HPA, "row 14, HPA")                                                   \
    MARK_FINDING(MARK, ROW14_KEDA, "row 14, ScaledObject")                                         \
    MARK_FINDING(MARK, ROW15_HPA, "row 15, HPA")                                                   \
    MARK_FINDING(MARK, ROW15_KEDA, "row 15, ScaledObject")                                         \
    MARK_KINDS(MARK, ROW15, "row 15")                                                              \
    MARK(SCALER_FREE, "an autoscaler that may scale")                                              \
    MARK(SCALER_OF_OTHERS, "an autoscaler of another kind")                                        \
    MARK(SCALER_NOT_OURS, "an autoscaler of a Deployment that is not ours")                        \
    MARK(SCALER_SERVER_ENDING, "an autoscaler, and its MCPServer is being deleted")                \
    MARK(SCALER_WITHOUT_RECORD, "an autoscaler before its Deployment")                             \
    MARK(ROW13_SCALER_ENDING, "row 13, an autoscaler that is being deleted")                       \
    MARK(ROW13_SCALER_WRONG_TYPE, "row 13, an autoscaler with wrong types")                        \
    MARK(SURGE_STRATEGY, "preventSurge, the whole strategy")                                       \
    MARK(SURGE_ROLLING_UPDATE, "preventSurge, rollingUpdate")                                      \
    MARK(SURGE_MEMBERS, "preventSurge, members")                                                   \
    MARK(SURGE_RIGHT, "preventSurge, nothing to change")                                           \
    MARK(SURGE_PREVIEW, "preventSurge, warn")                                                      \
    MARK(OWNER_OF_BOTH, "by the owner of the new object")                                          \
    MARK_KINDS(MARK, OWNED, "all rules, by the owner")                                             \
    MARK(OWNER_OF_OLD, "by the owner of the old object alone")                                     \
    MARK(OWNER_WITHOUT_UID, "by owner, the record has no uid")                                     \
    MARK(OWNER_FORMER, "the owner is another MCPServer of that name")                              \
    MARK(OWNER_FORMER_SELECTED, "the same, and the selector finds the MCPServer")                  \
    MARK(OWNER_UNREADABLE, "an owner that cannot be read")                                         \
    MARK(SELECTOR, "by selector")                                                                  \
    MARK(SELECTOR_BEFORE_OWNER, "the selector of a stdio MCPServer, before another owner")         \
    MARK(SELECTOR_UNREADABLE, "a selector that cannot be read")                                    \
    MARK_KINDS(MARK, LABELS, "by the labels of a manifest")                                        \
    MARK(NOT_OURS, "a Deployment that is not ours")                                                \
    MARK(SCALE_NOT_OURS, "a Scale that is not ours")                                               \
    MARK(SCALE_UNREADABLE, "a Scale whose selector cannot be read")                                \
    MARK(EXEMPT, "an exemption holds")                                                             \
    MARK_KINDS(MARK, EXEMPT_KIND, "an exemption of a kind holds")                                  \
    MARK(EXEMPT_ENDED, "an exemption is over")

#define MARK_ENUMERATOR(id, text) MARK_##id,
enum mark { MARK_TABLE(MARK_ENUMERATOR) MARK_COUNT };

struct marks {
    bool met[MARK_COUNT];
    bool is_resolved; /* the review is about one of the family, and its rows were asked */
};

#endif
