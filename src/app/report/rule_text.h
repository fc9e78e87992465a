// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_RULE_TEXT_H
#define APP_REPORT_RULE_TEXT_H

/*
 * The rules in words, for `capstan explain` and for reports. The texts have no braces or square
 * brackets, which mean something in SARIF.
 */

#include <stdbool.h>

#include "core/admission/rule.h"
#include "report.h"

enum { RULE_TEXT_LINES_MAX = 7 };

struct rule_line {
    const char *head; /* a mode, or the number of a row; NULL behind the last */
    const char *text;
};

/* A longer text about a rule. All of it is optional: without it, users see the summary. */
struct rule_page {
    bool is_silent;          /* by default the rule changes something without a warning */
    const char *description; /* a paragraph */
    const char *example;     /* a paragraph */
    struct rule_line modes[RULE_TEXT_LINES_MAX];
    struct rule_line rows[RULE_TEXT_LINES_MAX]; /* of the decision table */
};

struct rule_text {
    const char *id;
    const char *setting; /* the key of PolicyConfig that has the mode */
    const char *summary; /* one sentence */
    const struct rule_page *page;
};

/* In the order of enum rule_id; the last is "unresolved", which is no rule but is reported as
   one. */
enum { RULE_TEXT_COUNT = RULE_COUNT + 1 };
extern const struct rule_text rule_texts[RULE_TEXT_COUNT];

/* NULL if there is no such id. */
const struct rule_text *rule_text_find(const char *id);

#endif
