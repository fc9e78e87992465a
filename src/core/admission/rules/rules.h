// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_RULES_RULES_H
#define CORE_ADMISSION_RULES_RULES_H

/*
 * The steps of the rules. core/admission/rule_table.h declares them; each rule has a file here.
 */

#include "admission/ruling.h"

/* Has its say through the ruling and returns NULL, or returns why it does nothing: a literal. It is
   not asked where the rule is off, or the MCPServer is exempt. */
typedef const char *rule_step(struct ruling *ruling);

struct step {
    enum rule_id rule;
    const char *label;
    rule_step *apply;
};

extern const struct step steps[STEP_COUNT];

#define RULE_FUNCTION(id, name, key, mode, modes, kinds, function, ...) rule_step function;
#define STEP_FUNCTION(id, rule, function, ...)                          rule_step function;
RULE_TABLE(RULE_FUNCTION, STEP_FUNCTION)
#undef RULE_FUNCTION
#undef STEP_FUNCTION

#endif
