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

/* `now` is seconds since 1970; exemptions end by it. */
void decide(const struct policy *policy, const struct review *review, const struct subject *subject,
            int64_t now, struct decision *ret_decision);

/* Step `step` of a decision, from 0 to DECISION_STEPS - 1: which rule it belongs to, and what it is
   about, in a few words. */
enum rule_id decide_step_rule(size_t step);
const char *decide_step_label(size_t step);

/* What the step said: a part of its rule's note, without a NUL behind it; size 0 if nothing. */
const char *decide_step_note(const struct decision *decision, size_t step, size_t *ret_size);

#endif
