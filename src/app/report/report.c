// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "core/admission/decide.h"
#include "report_forms.h"

#define UNRESOLVED "unresolved"

const struct report_form *const report_forms[] = {
    &report_text,   &report_json,  &report_yaml,  &report_patch,
    &report_github, &report_sarif, &report_junit, NULL,
};

const struct report_form *report_find_form(const char *name) {
    for (size_t i = 0; report_forms[i] != NULL; i++) {
        if (strcmp(report_forms[i]->name, name) == 0) {
            return report_forms[i];
        }
    }
    return NULL;
}

static void print(struct report *report) {
    if (report->bytes.size > 0) {
        fwrite(report->bytes.bytes, 1, report->bytes.size, report->out);
    }
    buffer_clear(&report->bytes);
}

void report_begin(struct report *report) {
    buffer_init(&report->bytes, SIZE_MAX);
    buffer_init(&report->group, SIZE_MAX);
    if (report->form->begin != NULL) {
        report->form->begin(report, &report->bytes);
    }
    print(report);
}

void report_item(struct report *report, const struct report_item *item) {
    struct report_finding findings[REPORT_FINDINGS_MAX];
    struct report_item filled = *item;
    filled.findings = findings;
    filled.n_findings = item->decision != NULL ? report_findings(item->decision, findings) : 0;
    if (report->is_live && item->decision != NULL) {
        report_table_count(&report->table, &filled);
    }
    report->form->item(report, &filled, &report->bytes);
    print(report);
}

void report_end(struct report *report, const struct report_totals *totals) {
    if (report->form->end != NULL) {
        report->form->end(report, totals, &report->bytes);
    }
    print(report);
    buffer_fini(&report->bytes);
    buffer_fini(&report->group);
    report_table_fini(&report->table);
    free(TAKE(report->group_path));
}

/* The text behind "name: "; NULL if it begins otherwise. */
static const char *skip_name(const char *text, const char *name) {
    size_t size = strlen(name);
    bool has_name = strncmp(text, name, size) == 0 && strncmp(text + size, ": ", 2) == 0;
    return has_name ? text + size + 2 : NULL;
}

static bool has_warned(const struct decision *decision, enum rule_id rule) {
    for (size_t i = 0; i < decision->n_warnings; i++) {
        if (skip_name(decision->warnings[i], rule_name(rule)) != NULL) {
            return true;
        }
    }
    return false;
}

static struct report_finding find_unresolved(const struct decision *decision) {
    const char *warning = decision->n_warnings > 0 ? decision->warnings[0] : "";
    const char *text = skip_name(warning, UNRESOLVED);
    struct report_finding finding = {.rule = UNRESOLVED,
                                     .level = decision->fails ? REPORT_ERROR : REPORT_WARNING};
    text_copy(finding.text, sizeof(finding.text), text != NULL ? text : warning);
    return finding;
}

/* Looks at the action first, since a warning may have been dropped for want of room. */
static enum report_level level_of(const struct decision *decision, enum rule_id rule) {
    enum action action = decision->actions[rule];
    if (action == ACTION_DENY) {
        return REPORT_ERROR;
    }
    return action == ACTION_WARN || has_warned(decision, rule) ? REPORT_WARNING : REPORT_NOTE;
}

size_t report_findings(const struct decision *decision,
                       struct report_finding ret_findings[REPORT_FINDINGS_MAX]) {
    size_t n = 0;
    for (int i = 0; i < RULE_COUNT; i++) {
        enum rule_id rule = (enum rule_id)i;
        if (decision->actions[rule] == ACTION_NONE) {
            continue;
        }
        struct report_finding *finding = &ret_findings[n++];
        finding->rule = rule_name(rule);
        finding->level = level_of(decision, rule);
        /* A denial takes back what rules before it had changed. */
        finding->is_change = decision->actions[rule] == ACTION_PATCH && !decision->is_denied;
        decide_note(decision, rule, finding->text);
    }
    if (decision->is_unresolved) {
        ret_findings[n++] = find_unresolved(decision);
    }
    return n;
}
