// SPDX-License-Identifier: Apache-2.0
#include "report_escape.h"
#include "report_forms.h"

/* Workflow commands, which GitHub Actions shows as annotations, and a last line for people who read
   the log. */

/* An object of a cluster is in no file. */
static void add_command(const struct report *report, struct buffer *out,
                        const struct report_item *item, const struct report_finding *finding) {
    const char *level = report_level_name(finding->level);
    AUTO(buffer_fini) struct buffer sentence;
    buffer_init(&sentence, SIZE_MAX);
    report_add_sentence(&sentence, item, finding->text);
    if (item->remark != NULL) {
        buffer_add_text(&sentence, "\nnote: ");
        buffer_add_text(&sentence, item->remark);
    }
    buffer_add_format(out, "::%s ", finding->level == REPORT_NOTE ? "notice" : level);
    if (!report->is_live) {
        buffer_add_text(out, "file=");
        report_escape_github_property(out, report_escape_plain_path(item->path));
        buffer_add_format(out, ",line=%u,col=%u,", (unsigned)item->line, (unsigned)item->column);
    }
    buffer_add_text(out, "title=");
    report_escape_github_property(out, finding->rule);
    buffer_add_text(out, "::");
    report_escape_github_data(out, buffer_text(&sentence));
    buffer_add_byte(out, '\n');
}

static void add_item(struct report *report, const struct report_item *item, struct buffer *out) {
    for (size_t i = 0; i < item->n_findings; i++) {
        add_command(report, out, item, &item->findings[i]);
    }
}

static void end(struct report *report, const struct report_totals *totals, struct buffer *out) {
    (void)report;
    report_add_summary(out, totals);
}

const struct report_form report_github = {
    .name = "github",
    .help = "annotations of GitHub Actions",
    .item = add_item,
    .end = end,
};
