// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_DECISION_H
#define CORE_ADMISSION_DECISION_H

/*
 * The verdict on one request. A value: nothing in it is borrowed, nothing is to be freed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/admission/patch.h"
#include "core/admission/policy.h"

/* How many steps the rules take together: core/rules/rules.c lists them. */
enum { DECISION_STEPS = 7 };

/* kube-apiserver passes 4096 bytes of warnings on for all webhooks together, and advises 120 each.
 */
enum { DECISION_WARNINGS_MAX = 3, DECISION_WARNING_SIZE = 121, DECISION_NOTE_SIZE = 192 };

/* Between the parts of a note. */
#define DECISION_NOTE_SEPARATOR "; "

/* What a rule did, the strongest of it. */
enum action { ACTION_NONE, ACTION_WARN, ACTION_PATCH, ACTION_DENY, ACTION_COUNT };

struct decision {
    bool is_denied; /* with 403, reason Forbidden, and the message */
    char message[DECISION_WARNING_SIZE];
    struct patch patch;
    char warnings[DECISION_WARNINGS_MAX][DECISION_WARNING_SIZE]; /* ASCII */
    size_t n_warnings;
    enum action actions[RULE_COUNT];
    char notes[RULE_COUNT][DECISION_NOTE_SIZE]; /* the audit annotations of the rules that acted */

    /* For each step why it did nothing, a literal; NULL if it acted or was not reached. */
    const char *reasons[DECISION_STEPS];
    /* For each step how long its rule's note was before it, and behind it: decide_step_note(). */
    struct {
        uint8_t from;
        uint8_t to;
    } shares[DECISION_STEPS];

    /* It could not be found out whose the object is. Then nothing is changed and a warning says so;
       `fails` if the policy wants an error instead (HTTP 500, so that failurePolicy rules). */
    bool is_unresolved;
    bool fails;
};

#endif
