// SPDX-License-Identifier: Apache-2.0
#include "core/admission/decide.h"

#include "rules/rules.h"

/* The cap holds nothing of a kind that is never stdio. OBJECT_OTHER: the kind is not known. */
static bool may_hold(enum rule_id rule, enum object_kind kind) {
    return rule != RULE_STDIO_CAP || kind == OBJECT_OTHER || kind_rows[kind].transport != NULL;
}

/* True if no rule would do anything about the object, whoever owns it: the object has the name of
   its owner, or it has none of the family. `kind` is the owner's, if it has one. */
static bool is_exempt_of_all(const struct policy *policy, const struct review *review,
                             enum object_kind kind, int64_t now) {
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (rule_is_about((enum rule_id)rule, review->kind) && may_hold((enum rule_id)rule, kind) &&
            policy_mode(policy, (enum rule_id)rule, kind, review->namespace, review->name, now) !=
                MODE_OFF) {
            return false;
        }
    }
    return true;
}

/* NULL if the step is within the scope. */
static const char *why_out_of_scope(enum subject_scope scope, enum step_id id) {
    if (scope == SCOPE_HOLD && id != STEP_STDIO_CAP_EXTERNAL) {
        return "its owner is being deleted, and a stdio Deployment is only held";
    }
    if (scope == SCOPE_CAP && steps[id].rule != RULE_STDIO_CAP) {
        return "the object has the MCPServer's name and selector, and not its ownerReference";
    }
    return NULL;
}

/* Returns why the step does nothing, or NULL if it acts. */
static const char *apply(enum step_id id, const struct subject *subject, struct ruling *ruling,
                         int64_t now) {
    const struct step *step = &steps[id];
    const char *reason = why_out_of_scope(subject->scope, id);
    if (reason != NULL) {
        return reason;
    }
    ruling->rule = step->rule;
    ruling->mode = policy_mode(ruling->policy, step->rule, ruling->server->kind,
                               ruling->server->namespace, ruling->server->name, now);
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
    if (subject->state == SUBJECT_UNRESOLVED &&
        !is_exempt_of_all(policy, review, subject->server.kind, now)) {
        ruling_give_up(&ruling);
    }
    bool is_open = subject->state == SUBJECT_FOUND;
    for (size_t i = 0; is_open && i < STEP_COUNT; i++) {
        ruling.note = ret_decision->steps[i].note;
        ret_decision->steps[i].reason = apply((enum step_id)i, subject, &ruling, now);
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
