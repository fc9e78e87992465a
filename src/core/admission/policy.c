// SPDX-License-Identifier: Apache-2.0
#include "core/admission/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define DEFAULT_OPERATOR_USER "system:serviceaccount:toolhive-system:toolhive-operator"

struct policy *policy_default(void) {
    struct policy *policy = memory_new(1, sizeof(*policy));
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        policy->modes[rule] = rule_rows[rule].default_mode;
    }
    policy->grace_seconds = DEFAULT_TERMINATION_GRACE_PERIOD_SECONDS;
    policy->operator_users = memory_new(1, sizeof(char *));
    policy->operator_users[0] = memory_copy(DEFAULT_OPERATOR_USER, strlen(DEFAULT_OPERATOR_USER));
    policy->n_operator_users = 1;
    return policy;
}

void policy_free(struct policy *policy) {
    if (policy == NULL) {
        return;
    }
    for (size_t i = 0; i < policy->n_operator_users; i++) {
        free(policy->operator_users[i]);
    }
    free(policy->operator_users);
    free(policy->exemptions);
    free(policy);
}

const char *policy_caution(const struct policy *policy) {
    bool is_idle = policy->modes[RULE_GRACE_PERIOD] != MODE_OFF && !policy->is_grace_minimum &&
                   policy->grace_seconds > DEFAULT_TERMINATION_GRACE_PERIOD_SECONDS;
    if (!is_idle) {
        return NULL;
    }
    return "gracePeriod.seconds is above 30, but an API server has set 30 before admission asks: "
           "add minimum: true for it to take effect in a cluster";
}

static bool holds(const struct exemption *exemption, enum rule_id rule, enum object_kind kind,
                  const char *namespace, const char *name, int64_t now) {
    return exemption->rules[rule] && now < exemption->ends &&
           (exemption->kind == OBJECT_OTHER || exemption->kind == kind) &&
           strcmp(exemption->namespace, namespace) == 0 &&
           (exemption->name[0] == '\0' || strcmp(exemption->name, name) == 0);
}

enum mode policy_mode(const struct policy *policy, enum rule_id rule, enum object_kind kind,
                      const char *namespace, const char *name, int64_t now) {
    for (size_t i = 0; i < policy->n_exemptions; i++) {
        if (holds(&policy->exemptions[i], rule, kind, namespace, name, now)) {
            return MODE_OFF;
        }
    }
    return policy->modes[rule];
}

bool policy_is_operator(const struct policy *policy, const char *user) {
    for (size_t i = 0; i < policy->n_operator_users; i++) {
        if (strcmp(policy->operator_users[i], user) == 0) {
            return true;
        }
    }
    return false;
}
