// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_DECIDE_H
#define CORE_ADMISSION_DECIDE_H

/*
 * The one function that decides. Pure: the same arguments give the same decision, for the webhook
 * and for CI alike. Deciding about an object to which its own patch was applied changes nothing
 * more, so that reinvocation is safe.
 */

#include <stdint.h>

#include "core/admission/decision.h"
#include "core/admission/policy.h"
#include "core/admission/review.h"
#include "core/admission/subject.h"

/* `now` is seconds since 1970. Exemptions end by it. */
void decide(const struct policy *policy, const struct review *review, const struct subject *subject,
            int64_t now, struct decision *ret_decision);

/* The rule that a step belongs to, and what the step is about in a few words. */
enum rule_id decide_step_rule(enum step_id step);
const char *decide_step_label(enum step_id step);

/* The audit annotation of a rule: the notes of its steps, joined. Empty if it noted nothing. */
void decide_note(const struct decision *decision, enum rule_id rule,
                 char ret_note[DECISION_NOTE_SIZE]);

#endif
