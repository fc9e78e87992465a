// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_RULING_H
#define CORE_ADMISSION_RULING_H

/*
 * A decision in the making: what the rules are given, and how they have their say. Each rule sees
 * what the ones before it did: `replicas` is the count that would be stored by now.
 */

#include "base/attribute.h"
#include "core/admission/decide.h"

struct ruling {
    const struct policy *policy;
    const struct review *review;
    const struct server_fact *server;
    bool is_confirmed; /* `server` is not from a cache */
    int64_t now;
    struct number replicas;
    size_t step; /* of the rules, the one that has its say */
    struct decision *decision;
};

/* The mode of the rule for this MCPServer, exemptions considered. */
enum mode ruling_mode(const struct ruling *ruling, enum rule_id rule);

/* Does nothing, and says why: a literal. */
void ruling_pass(struct ruling *ruling, const char *reason);

/* Adds an operation to the patch. */
void ruling_patch(struct ruling *ruling, enum rule_id rule, enum patch_path path, int64_t value);

/* Warns the user; the text is put behind the rule's name. */
void ruling_warn(struct ruling *ruling, enum rule_id rule, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Says more in the warning that the rule has given: so each rule has one at most, and none of what
   all of them say is cut. False if it has given none. */
bool ruling_warn_also(struct ruling *ruling, enum rule_id rule, const char *text);

/* Refuses the request: nothing is changed, and no later rule is asked. */
void ruling_deny(struct ruling *ruling, enum rule_id rule, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Gives up: it cannot be told what is true in the cluster. */
void ruling_give_up(struct ruling *ruling);

/* The MCPServer under review is new, or one of transport, replicas and provider changed. What is
   only carried along may go on being edited. */
bool ruling_is_new_violation(const struct ruling *ruling);

#endif
