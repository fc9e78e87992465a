// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#define RULE(ID, NAME, KEY, MODE, MODES, KINDS, FUNCTION, LABEL, SUMMARY)                          \
    [STEP_##ID] = {RULE_##ID, (LABEL), (FUNCTION)},
#define STEP(ID, RULE, FUNCTION, LABEL) [STEP_##ID] = {RULE_##RULE, (LABEL), (FUNCTION)},

const struct step steps[STEP_COUNT] = {RULE_TABLE(RULE, STEP)};
