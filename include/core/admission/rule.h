// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_RULE_H
#define CORE_ADMISSION_RULE_H

/*
 * The rows of core/admission/rule_table.h as ids and values.
 */

#include <stdbool.h>

#include "core/admission/rule_table.h"
#include "core/facts/object.h"

#define RULE_ENUMERATOR(id, ...) RULE_##id,
#define RULE_NO_ENUMERATOR(...)
#define STEP_ENUMERATOR(id, ...) STEP_##id,

/* The rules, in the order of the table. */
enum rule_id { RULE_TABLE(RULE_ENUMERATOR, RULE_NO_ENUMERATOR) RULE_COUNT };

/* The steps of all rules, in the order in which they are asked. */
enum step_id { RULE_TABLE(STEP_ENUMERATOR, STEP_ENUMERATOR) STEP_COUNT };

enum mode {
    MODE_OFF,     /* as if the rule did not exist */
    MODE_WARN,    /* changes nothing and says what it would change */
    MODE_ENFORCE, /* changes */
    MODE_DENY,    /* refuses a new violation; on Deployments and Scales as enforce */
};

/* Flags: the modes that not every rule has, and the kinds that a rule may be about. */
enum { CAN_ENFORCE = 1 << MODE_ENFORCE, CAN_DENY = 1 << MODE_DENY };
#define ON_KIND(ID, ...) ON_##ID = 1 << OBJECT_##ID,
enum {
    KIND_TABLE(ON_KIND) /* ON_MCPSERVER, ON_DEPLOYMENT and so on */
    ON_FAMILY = ON_MCPSERVER | ON_MCPREMOTEPROXY | ON_VIRTUALMCPSERVER,
    ON_AUTOSCALER = ON_HPA | ON_SCALEDOBJECT,
};
#undef ON_KIND

struct rule {
    const char *key; /* of PolicyConfig */
    enum mode default_mode;
    unsigned modes; /* CAN_ flags */
    unsigned kinds; /* ON_ flags */
    const char *summary;
};

extern const struct rule rule_rows[RULE_COUNT];
extern const char *const rule_names[RULE_COUNT];

/* "stdio-cap": the name in warnings, audit annotations, metrics and exemptions. */
const char *rule_name(enum rule_id rule);

bool rule_is_about(enum rule_id rule, enum object_kind kind);

/* True if a policy may choose the mode for the rule. */
bool rule_has_mode(enum rule_id rule, enum mode mode);

#endif
