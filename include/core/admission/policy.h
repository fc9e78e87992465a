// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_POLICY_H
#define CORE_ADMISSION_POLICY_H

/*
 * What an admin has decided: the PolicyConfig document, checked, with its defaults filled in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/object.h"

#define POLICY_API_VERSION "capstan.dev/v1"
#define POLICY_KIND        "PolicyConfig"

#define DEFAULT_TERMINATION_GRACE_PERIOD_SECONDS 30

/* The rules, in the order in which they are applied. */
enum rule_id {
    RULE_STDIO_CAP,
    RULE_REPLICA_PASSTHROUGH,
    RULE_GRACE_PERIOD,
    RULE_SESSION_STORAGE,
    RULE_COUNT,
};

/* "stdio-cap": the name in warnings, audit annotations, metrics and exemptions. */
const char *rule_name(enum rule_id rule);

enum mode {
    MODE_OFF,     /* not there */
    MODE_WARN,    /* changes nothing and says what it would change */
    MODE_ENFORCE, /* changes */
    MODE_DENY,    /* refuses the MCPServer; on Deployments and Scales as enforce */
};

struct exemption {
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE]; /* of the MCPServer; empty: all of the namespace */
    bool rules[RULE_COUNT];
    int64_t ends; /* seconds since 1970: the first moment it no longer holds */
};

struct policy {
    enum mode modes[RULE_COUNT];
    bool rewrites_spec;
    bool prevents_surge;
    int64_t grace_seconds;
    bool is_grace_minimum;
    bool fails_unresolved;
    char **operator_users;
    size_t n_operator_users;
    struct exemption *exemptions;
    size_t n_exemptions;
};

/* What holds without a configuration. Free with policy_free(). */
struct policy *policy_default(void);

/* Reads a PolicyConfig from JSON. The error's text begins with the path of the key, and its offset
   is where it stands. */
bool policy_decode(const char *json, size_t size, struct policy **ret_policy,
                   struct error *error) MUST_CHECK;

void policy_free(struct policy *policy);

/* A remark for the admin about a policy that is valid but will not do what it seems to say, or
   NULL. A literal. */
const char *policy_caution(const struct policy *policy);

/* The mode of a rule for one MCPServer (and what belongs to it) at a time: its mode, or MODE_OFF
   where an exemption holds. */
enum mode policy_mode(const struct policy *policy, enum rule_id rule, const char *namespace,
                      const char *name, int64_t now);

bool policy_is_operator(const struct policy *policy, const char *user);

#endif
