// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_FIXTURES_H
#define POLICY_FIXTURES_H

/*
 * Policies for tests. Include this after cmocka.h.
 */

#include <stdio.h>

#include "core/admission/policy.h"
#include "core/core_fixtures.h"

#define HEAD     "'apiVersion':'capstan.dev/v1','kind':'PolicyConfig'"
#define OPERATOR "system:serviceaccount:toolhive-system:toolhive-operator"

/* For AUTO. */
static inline void free_policy(struct policy **policy) {
    policy_free(*policy);
}

/* The policy in a document of HEAD and these members. If it is refused, returns NULL and sets the
   error. */
static inline struct policy *decode(const char *members, struct error *error) {
    char text[4096];
    struct policy *policy = NULL;
    int size = snprintf(text, sizeof(text), "{" HEAD "%s}", members);
    assert_in_range(size, 1, sizeof(text) - 1);
    AUTO_FREE char *json = make_json(text);
    return policy_decode(json, strlen(json), &policy, error) ? policy : NULL;
}

/* The same, but it must be accepted. */
static inline struct policy *decode_good(const char *members) {
    struct error error;
    struct policy *policy = decode(members, &error);
    if (policy == NULL) {
        fail_msg("%s: %s", members, error.text);
    }
    return policy;
}

#endif
