// SPDX-License-Identifier: Apache-2.0
#include "report_forms.h"

#include "core/admission/policy.h"
#include "report_table.h"

/* One document, an item a line. docs/review-report.md describes it and promises to keep it so. */

static void begin(struct report *report, struct buffer *out) {
    (void)report;
    buffer_add_text(out, "{\"apiVersion\":\"" POLICY_API_VERSION
                         "\",\"kind\":\"ReviewReport\",\"items\":[");
}

static void write_findings(struct json_write *write, const struct report_item *item) {
    json_write_member_open(write, "findings", '[');
    for (size_t i = 0; i < item->n_findings; i++) {
        const struct report_finding *finding = &item->findings[i];
        json_write_open(write, '{');
        json_write_member_text(write, "rule", finding->rule);
        json_write_member_text(write, "level", report_level_name(finding->level));
        json_write_member_bool(write, "change", finding->is_change);
        json_write_member_text(write, "message", finding->text);
        json_write_close(write, '}');
    }
    json_write_close(write, ']');
}

static void write_warnings(struct json_write *write, const struct decision *decision) {
    json_write_member_open(write, "warnings", '[');
    for (size_t i = 0; i < decision->n_warnings; i++) {
        json_write_text(write, decision->warnings[i]);
    }
    json_write_close(write, ']');
}

/* The reason against it; NULL if it is admitted. */
static const char *refusal_of(const struct report_item *item) {
    if (report_is_admitted(item)) {
        return NULL;
    }
    return item->decision->is_denied ? item->decision->message : item->decision->warnings[0];
}

static void write_optional(struct json_write *write, const char *key, const char *text) {
    if (text != NULL) {
        json_write_member_text(write, key, text);
    }
}

static void write_decision(struct json_write *write, const struct report_item *item) {
    const struct decision *decision = item->decision;
    json_write_member_text(write, "operation", item->operation);
    json_write_member_bool(write, "allowed", report_is_admitted(item));
    json_write_member_bool(write, "unresolved", decision->is_unresolved);
    write_optional(write, "message", refusal_of(item));
    write_findings(write, item);
    write_warnings(write, decision);
    report_write_patch(write, decision);
    write_optional(write, "remark", item->remark);
    write_optional(write, "explanation", item->explanation);
}

static void add_item(struct report *report, const struct report_item *item, struct buffer *out) {
    struct json_write write;
    if (!report_is_shown(report, item)) {
        return;
    }
    buffer_add_text(out, report->n_written++ > 0 ? ",\n" : "\n");
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    report_write_identity(&write, item);
    if (item->decision != NULL) {
        write_decision(&write, item);
    } else {
        json_write_member_bool(&write, "passedOver", true);
    }
    json_write_close(&write, '}');
}

static void end(struct report *report, const struct report_totals *totals, struct buffer *out) {
    struct json_write write;
    buffer_add_text(out, report->n_written > 0 ? "\n],\"summary\":" : "],\"summary\":");
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_integer(&write, "objects", (int64_t)totals->n_objects);
    json_write_member_integer(&write, "denied", (int64_t)totals->n_denied);
    json_write_member_integer(&write, "changed", (int64_t)totals->n_changed);
    json_write_member_integer(&write, "warned", (int64_t)totals->n_warned);
    json_write_member_integer(&write, "unresolved", (int64_t)totals->n_unresolved);
    json_write_member_integer(&write, "passedOver", (int64_t)totals->n_passed_over);
    json_write_close(&write, '}');
    if (report->is_live) {
        buffer_add_text(out, ",\n\"namespaces\":");
        report_table_write(&report->table, out);
    }
    buffer_add_text(out, "}\n");
}

const struct report_form report_json = {
    .name = "json",
    .help = "one document; docs/review-report.md has its schema",
    .shows_explanation = true,
    .begin = begin,
    .item = add_item,
    .end = end,
};
