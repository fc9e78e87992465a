// SPDX-License-Identifier: Apache-2.0
#include "report_forms.h"

#include "core/admission/policy.h"

/* One document, an item a line. docs/review-report.md describes it, and is a promise. */

static void begin(struct report *report) {
    fputs("{\"apiVersion\":\"" POLICY_API_VERSION "\",\"kind\":\"ReviewReport\",\"items\":[",
          report->out);
}

static void write_findings(struct json_write *write, const struct decision *decision) {
    struct report_finding findings[REPORT_FINDINGS_MAX];
    size_t n = report_findings(decision, findings);
    json_write_key(write, "findings");
    json_write_open(write, '[');
    for (size_t i = 0; i < n; i++) {
        json_write_open(write, '{');
        json_write_member_text(write, "rule", findings[i].rule);
        json_write_member_text(write, "level", report_level_name(findings[i].level));
        json_write_key(write, "change");
        json_write_bool(write, findings[i].is_change);
        json_write_member_text(write, "message", findings[i].text);
        json_write_close(write, '}');
    }
    json_write_close(write, ']');
}

static void write_warnings(struct json_write *write, const struct decision *decision) {
    json_write_key(write, "warnings");
    json_write_open(write, '[');
    for (size_t i = 0; i < decision->n_warnings; i++) {
        json_write_text(write, decision->warnings[i]);
    }
    json_write_close(write, ']');
}

/* Why it is not admitted; NULL if it is. */
static const char *refusal_of(const struct report_item *item) {
    return report_is_admitted(item)    ? NULL
           : item->decision->is_denied ? item->decision->message
                                       : item->decision->warnings[0];
}

static void write_optional(struct json_write *write, const char *key, const char *text) {
    if (text != NULL) {
        json_write_member_text(write, key, text);
    }
}

static void write_decision(struct json_write *write, const struct report_item *item) {
    const struct decision *decision = item->decision;
    json_write_member_text(write, "operation", item->operation);
    json_write_key(write, "allowed");
    json_write_bool(write, report_is_admitted(item));
    json_write_key(write, "unresolved");
    json_write_bool(write, decision->is_unresolved);
    write_optional(write, "message", refusal_of(item));
    write_findings(write, decision);
    write_warnings(write, decision);
    report_write_patch(write, decision);
    write_optional(write, "remark", item->remark);
    write_optional(write, "explanation", item->explanation);
}

static void write_item(struct report *report, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer out;
    struct json_write write;
    buffer_init(&out, SIZE_MAX);
    if (item->decision == NULL && !report->is_verbose) {
        return;
    }
    buffer_add_text(&out, report->n_written++ > 0 ? ",\n" : "\n");
    json_write_begin(&write, &out);
    json_write_open(&write, '{');
    report_write_identity(&write, item);
    if (item->decision != NULL) {
        write_decision(&write, item);
    } else {
        json_write_key(&write, "passedOver");
        json_write_bool(&write, true);
    }
    json_write_close(&write, '}');
    report_print(report, &out);
}

static void end(struct report *report, const struct report_totals *totals) {
    AUTO(buffer_fini) struct buffer out;
    struct json_write write;
    buffer_init(&out, SIZE_MAX);
    buffer_add_text(&out, report->n_written > 0 ? "\n],\"summary\":" : "],\"summary\":");
    json_write_begin(&write, &out);
    json_write_open(&write, '{');
    json_write_member_integer(&write, "objects", (int64_t)totals->n_objects);
    json_write_member_integer(&write, "denied", (int64_t)totals->n_denied);
    json_write_member_integer(&write, "changed", (int64_t)totals->n_changed);
    json_write_member_integer(&write, "warned", (int64_t)totals->n_warned);
    json_write_member_integer(&write, "unresolved", (int64_t)totals->n_unresolved);
    json_write_member_integer(&write, "passedOver", (int64_t)totals->n_passed_over);
    json_write_close(&write, '}');
    buffer_add_text(&out, "}\n");
    report_print(report, &out);
}

const struct report_form report_json = {
    .name = "json",
    .help = "one document; docs/review-report.md has its schema",
    .begin = begin,
    .item = write_item,
    .end = end,
};
