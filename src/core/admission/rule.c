// SPDX-License-Identifier: Apache-2.0
#include "core/admission/rule.h"

#define NOTHING(...)
#define NAME(ID, NAME, ...) [RULE_##ID] = (NAME),
#define ROW(ID, NAME, KEY, MODE, MODES, KINDS, FUNCTION, LABEL, SUMMARY)                           \
    [RULE_##ID] = {(KEY), MODE_##MODE, (MODES), (KINDS), (SUMMARY)},

const char *const rule_names[RULE_COUNT] = {RULE_TABLE(NAME, NOTHING)};

const struct rule rule_rows[RULE_COUNT] = {RULE_TABLE(ROW, NOTHING)};

const char *rule_name(enum rule_id rule) {
    return rule_names[rule];
}

bool rule_is_about(enum rule_id rule, enum object_kind kind) {
    return (rule_rows[rule].kinds & 1U << kind) != 0;
}

bool rule_has_mode(enum rule_id rule, enum mode mode) {
    return mode <= MODE_WARN || (rule_rows[rule].modes & 1U << mode) != 0;
}
