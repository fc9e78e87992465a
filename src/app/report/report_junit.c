// SPDX-License-Identifier: Apache-2.0
#include "report_escape.h"
#include "report_forms.h"

/* JUnit's XML as Jenkins and GitLab read it: a suite a file, a case an object. The counts of a
   suite stand before its cases. So report->group gathers the cases first. */

static void begin(struct report *report, struct buffer *out) {
    (void)report;
    buffer_add_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
}

static void end_suite(const struct report *report, struct buffer *out) {
    if (report->n_in_group == 0) {
        return;
    }
    buffer_add_text(out, "  <testsuite name=\"");
    report_escape_xml_attribute(out, report->group_path);
    buffer_add_format(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n",
                      report->n_in_group, report->n_failed_in_group, report->n_skipped_in_group);
    buffer_add(out, report->group.bytes, report->group.size);
    buffer_add_text(out, "  </testsuite>\n");
}

static void add_attribute(struct buffer *out, const char *name, const char *value) {
    buffer_add_format(out, " %s=\"", name);
    report_escape_xml_attribute(out, value);
    buffer_add_byte(out, '"');
}

static void add_failure(struct buffer *out, const struct report_item *item,
                        const struct report_finding *finding) {
    buffer_add_text(out, "      <failure");
    add_attribute(out, "type", finding->rule);
    add_attribute(out, "message", finding->text);
    buffer_add_byte(out, '>');
    report_escape_xml_text(out, item->path);
    buffer_add_format(out, ":%u:%u: ", (unsigned)item->line, (unsigned)item->column);
    report_escape_xml_text(out, finding->text);
    buffer_add_text(out, "</failure>\n");
}

static void add_output_line(struct buffer *out, const char *head, const char *text) {
    report_escape_xml_text(out, head);
    buffer_add_text(out, ": ");
    report_escape_xml_text(out, text);
    buffer_add_byte(out, '\n');
}

/* A line for each finding that is no failure, and what there is to remark. */
static void add_output(struct buffer *out, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer lines;
    buffer_init(&lines, SIZE_MAX);
    for (size_t i = 0; i < item->n_findings; i++) {
        const struct report_finding *finding = &item->findings[i];
        if (finding->level != REPORT_ERROR) {
            buffer_add_text(&lines, finding->level == REPORT_WARNING ? "warning: " : "change: ");
            add_output_line(&lines, finding->rule, finding->text);
        }
    }
    if (item->remark != NULL) {
        add_output_line(&lines, "note", item->remark);
    }
    if (item->explanation != NULL) {
        report_escape_xml_text(&lines, item->explanation);
    }
    if (lines.size > 0) {
        buffer_add_text(out, "      <system-out>");
        buffer_add(out, lines.bytes, lines.size);
        buffer_add_text(out, "</system-out>\n");
    }
}

static void add_case(struct report *report, const struct report_item *item) {
    struct buffer *out = &report->group;
    if (item->decision == NULL) {
        buffer_add_text(out, "      <skipped/>\n");
        report->n_skipped_in_group++;
        return;
    }
    for (size_t i = 0; i < item->n_findings; i++) {
        if (item->findings[i].level == REPORT_ERROR) {
            add_failure(out, item, &item->findings[i]);
        }
    }
    add_output(out, item);
    report->n_failed_in_group += !report_is_admitted(item);
}

static void add_item(struct report *report, const struct report_item *item, struct buffer *out) {
    AUTO(buffer_fini) struct buffer name;
    buffer_init(&name, SIZE_MAX);
    if (!report_is_shown(report, item)) {
        return;
    }
    if (report_is_new_group(report, item)) {
        end_suite(report, out);
        report_begin_group(report, item);
    }
    report_add_name(&name, item);
    buffer_add_text(&report->group, "    <testcase");
    add_attribute(&report->group, "classname", item->kind);
    add_attribute(&report->group, "name", buffer_text(&name));
    buffer_add_text(&report->group, ">\n");
    add_case(report, item);
    buffer_add_text(&report->group, "    </testcase>\n");
    report->n_in_group++;
}

static void end(struct report *report, const struct report_totals *totals, struct buffer *out) {
    (void)totals;
    end_suite(report, out);
    buffer_add_text(out, "</testsuites>\n");
}

const struct report_form report_junit = {
    .name = "junit",
    .help = "JUnit XML: a suite a file, a case an object",
    .shows_explanation = true,
    .begin = begin,
    .item = add_item,
    .end = end,
};
