// SPDX-License-Identifier: Apache-2.0
#include "core/admission/decide.h"

#include "rules/rules.h"

/* True if no rule would do anything about the object, whoever owns it: the object has the name of
   its MCPServer, or it has no MCPServer. */
static bool is_exempt_of_all(const struct policy *policy, const struct review *review,
                             int64_t now) {
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (rule_is_about((enum rule_id)rule, review->kind) &&
            policy_mode(policy, (enum rule_id)rule, review->namespace, review->name, now) !=
                MODE_OFF) {
            return false;
        }
    }
    return true;
}

/* Returns why the step does nothing, or NULL if it acts. */
static const char *apply(const struct step *step, struct ruling *ruling, int64_t now) {
    ruling->rule = step->rule;
    ruling->mode = policy_mode(ruling->policy, step->rule, ruling->server->namespace,
                               ruling->server->name, now);
    return ruling->mode == MODE_OFF ? "off, or exempt" : step->apply(ruling);
}

void decide(const struct policy *policy, const struct review *review, const struct subject *subject,
            int64_t now, struct decision *ret_decision) {
    struct ruling ruling = {
        .policy = policy,
        .review = review,
        .server = &subject->server,
        .is_confirmed = subject->is_confirmed,
        .replicas = review->object.replicas,
        .decision = ret_decision,
    };
    *ret_decision = (struct decision){.is_denied = false};
    if (subject->state == SUBJECT_UNRESOLVED && !is_exempt_of_all(policy, review, now)) {
        ruling_give_up(&ruling);
    }
    bool is_open = subject->state == SUBJECT_FOUND;
    for (size_t i = 0; is_open && i < STEP_COUNT; i++) {
        ruling.note = ret_decision->steps[i].note;
        ret_decision->steps[i].reason = apply(&steps[i], &ruling, now);
        is_open = !ret_decision->is_denied && !ret_decision->is_unresolved;
    }
}

enum rule_id decide_step_rule(enum step_id step) {
    return steps[step].rule;
}

const char *decide_step_label(enum step_id step) {
    return steps[step].label;
}

void decide_note(const struct decision *decision, enum rule_id rule,
                 char ret_note[DECISION_NOTE_SIZE]) {
    ret_note[0] = '\0';
    for (size_t i = 0; i < STEP_COUNT; i++) {
        if (steps[i].rule == rule && decision->steps[i].note[0] != '\0') {
            ruling_join(ret_note, decision->steps[i].note);
        }
    }
}
