// SPDX-License-Identifier: Apache-2.0
#include "report_escape.h"
#include "report_forms.h"

/* Workflow commands of GitHub Actions, which makes annotations of them; and a last line for who
   reads the log. */

static void begin(struct report *report) {
    (void)report;
}

static void add_command(struct buffer *out, const struct report_item *item,
                        const struct report_finding *finding) {
    static const char *const commands[] = {
        [REPORT_NOTE] = "notice", [REPORT_WARNING] = "warning", [REPORT_ERROR] = "error"};
    AUTO(buffer_fini) struct buffer sentence;
    buffer_init(&sentence, SIZE_MAX);
    report_add_sentence(&sentence, item, finding->text);
    if (item->remark != NULL) {
        buffer_add_text(&sentence, "\nnote: ");
        buffer_add_text(&sentence, item->remark);
    }
    buffer_add_format(out, "::%s file=", commands[finding->level]);
    report_escape_github_property(out, report_escape_plain_path(item->path));
    buffer_add_format(out, ",line=%u,col=%u,title=", (unsigned)item->line, (unsigned)item->column);
    report_escape_github_property(out, finding->rule);
    buffer_add_text(out, "::");
    report_escape_github_data(out, buffer_text(&sentence));
    buffer_add_byte(out, '\n');
}

static void write_item(struct report *report, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer out;
    struct report_finding findings[REPORT_FINDINGS_MAX];
    buffer_init(&out, SIZE_MAX);
    size_t n = item->decision != NULL ? report_findings(item->decision, findings) : 0;
    for (size_t i = 0; i < n; i++) {
        add_command(&out, item, &findings[i]);
    }
    report_print(report, &out);
}

static void end(struct report *report, const struct report_totals *totals) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    report_add_summary(&out, totals);
    buffer_add_byte(&out, '\n');
    report_print(report, &out);
}

const struct report_form report_github = {
    .name = "github",
    .help = "annotations of GitHub Actions",
    .begin = begin,
    .item = write_item,
    .end = end,
};
