// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_DECISION_H
#define CORE_ADMISSION_DECISION_H

/*
 * The verdict on one request. A value: it borrows nothing, and there is nothing to free.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/admission/patch.h"
#include "core/admission/rule.h"

/* kube-apiserver passes on at most 4096 bytes of warnings for all webhooks together. It advises at
   most 120 bytes a warning. */
enum { DECISION_WARNINGS_MAX = 3, DECISION_WARNING_SIZE = 121, DECISION_NOTE_SIZE = 192 };

/* The strongest thing that a rule did. */
enum action { ACTION_NONE, ACTION_WARN, ACTION_PATCH, ACTION_DENY, ACTION_COUNT };

/* One step of a rule. */
struct decision_step {
    const char *reason; /* why it did nothing, a literal; NULL if it acted or was not asked */
    char note[DECISION_NOTE_SIZE]; /* its part of the rule's audit annotation; empty for none */
};

struct decision {
    bool is_denied; /* with 403, reason Forbidden, and the message */
    char message[DECISION_WARNING_SIZE];
    struct patch patch;
    char warnings[DECISION_WARNINGS_MAX][DECISION_WARNING_SIZE]; /* ASCII */
    size_t n_warnings;
    enum action actions[RULE_COUNT];
    struct decision_step steps[STEP_COUNT];

    /* The object's MCPServer could not be found out. Then nothing is changed and a warning says so.
       `fails` if the policy wants an error instead: HTTP 500, so that the failurePolicy rules. */
    bool is_unresolved;
    bool fails;
};

#endif
