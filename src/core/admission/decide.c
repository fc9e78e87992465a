// SPDX-License-Identifier: Apache-2.0
#include "core/admission/decide.h"

#include <string.h>

#include "rules/rules.h"

/* The rules that may have something to say about a kind come first in their order: on a Scale the
   stdio cap alone, on a Deployment all but session-storage. */
static int count_rules_about(enum object_kind kind) {
    return kind == OBJECT_SCALE        ? RULE_STDIO_CAP + 1
           : kind == OBJECT_DEPLOYMENT ? RULE_GRACE_PERIOD + 1
                                       : RULE_COUNT;
}

/* Nothing would be done about the object, whoever owns it. Its name is its MCPServer's, or it is
   not owned by one. */
static bool is_exempt_of_all(const struct policy *policy, const struct review *review,
                             int64_t now) {
    for (int rule = 0; rule < count_rules_about(review->kind); rule++) {
        if (policy_mode(policy, (enum rule_id)rule, review->namespace, review->name, now) !=
            MODE_OFF) {
            return false;
        }
    }
    return true;
}

void decide(const struct policy *policy, const struct review *review, const struct subject *subject,
            int64_t now, struct decision *ret_decision) {
    struct ruling ruling = {
        .policy = policy,
        .review = review,
        .server = &subject->server,
        .is_confirmed = subject->is_confirmed,
        .now = now,
        .replicas = review->object.replicas,
        .decision = ret_decision,
    };
    *ret_decision = (struct decision){.is_denied = false};
    if (subject->state == SUBJECT_UNRESOLVED && !is_exempt_of_all(policy, review, now)) {
        ruling_give_up(&ruling);
    }
    bool is_open = subject->state == SUBJECT_FOUND;
    for (size_t i = 0; is_open && i < rules_count; i++) {
        const char *note = ret_decision->notes[rules[i].id];
        size_t from = strlen(note);
        ruling.step = i;
        rules[i].apply(&ruling);
        ret_decision->shares[i].from = (uint8_t)from;
        ret_decision->shares[i].to = (uint8_t)strlen(note);
        is_open = !ret_decision->is_denied && !ret_decision->is_unresolved;
    }
}

enum rule_id decide_step_rule(size_t step) {
    return rules[step].id;
}

_Static_assert(DECISION_NOTE_SIZE <= UINT8_MAX, "shares are bytes");

const char *decide_step_note(const struct decision *decision, size_t step, size_t *ret_size) {
    size_t from = decision->shares[step].from;
    size_t to = decision->shares[step].to;
    from += from > 0 && from < to ? strlen(DECISION_NOTE_SEPARATOR) : 0;
    *ret_size = from < to ? to - from : 0;
    return decision->notes[rules[step].id] + from;
}

const char *decide_step_label(size_t step) {
    return rules[step].label;
}
