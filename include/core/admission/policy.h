// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_POLICY_H
#define CORE_ADMISSION_POLICY_H

/*
 * An admin's choices: the PolicyConfig document, checked, with its defaults filled in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/admission/rule.h"
#include "core/facts/object.h"

#define POLICY_API_VERSION "capstan.dev/v1"
#define POLICY_KIND        "PolicyConfig"

#define DEFAULT_TERMINATION_GRACE_PERIOD_SECONDS 30

struct exemption {
    char namespace[OBJECT_NAME_SIZE];
    char name[OBJECT_NAME_SIZE]; /* of one of the family; empty: all of the namespace */
    enum object_kind kind;       /* OBJECT_OTHER: of any kind */
    bool rules[RULE_COUNT];
    int64_t ends; /* seconds since 1970: the first second in which it no longer holds */
};

/* The time at which the companion writes the two conditions. */
enum conditions_write {
    CONDITIONS_AUTO, /* an operator that writes them itself goes first: see core/cluster/deference
                      */
    CONDITIONS_ON,   /* at once */
    CONDITIONS_OFF,  /* never */
};

struct policy {
    enum mode modes[RULE_COUNT];
    bool rewrites_spec;
    bool prevents_surge;
    int64_t grace_seconds;
    bool is_grace_minimum;
    bool has_default_redis; /* the operator has a Redis for MCPServers that name none */
    bool fails_unresolved;
    enum conditions_write conditions_write;
    char **operator_users;
    size_t n_operator_users;
    struct exemption *exemptions;
    size_t n_exemptions;
};

/* The policy of a cluster without a configuration. Free with policy_free(). */
struct policy *policy_default(void);

/* Reads a PolicyConfig from JSON. An error's text begins with the path of the key, and its offset
   is the place of the key or value. */
bool policy_decode(const char *json, size_t size, struct policy **ret_policy,
                   struct error *error) MUST_CHECK;

void policy_free(struct policy *policy);

/* A remark for the admin about a policy that is valid but has less effect than it seems to have, or
   NULL. A literal. */
const char *policy_caution(const struct policy *policy);

/* The mode of a rule for one of the family, its Deployment, its Scale and its autoscalers at the
   time `now`: MODE_OFF where an exemption holds, or else the rule's mode. */
enum mode policy_mode(const struct policy *policy, enum rule_id rule, enum object_kind kind,
                      const char *namespace, const char *name, int64_t now);

bool policy_is_operator(const struct policy *policy, const char *user);

#endif
