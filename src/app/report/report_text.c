// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/memory.h"
#include "core/offline/diff.h"
#include "edge/yaml_write.h"
#include "report_escape.h"
#include "report_forms.h"
#include "report_table.h"

/* For people and their terminals: report_escape_line() escapes all foreign text. */

#define RESET  "\033[0m"
#define BOLD   "\033[1m"
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define CYAN   "\033[36m"

#define INDENT "    " /* of what belongs to the line above */

enum { PLACE_WIDTH = 9, LEVEL_WIDTH = 7, RULE_WIDTH = 19, CONTEXT_LINES = 3 };

static void add_coloured(const struct report *report, struct buffer *out, const char *colour,
                         const char *text) {
    const bool is_coloured = report->is_coloured && colour[0] != '\0';
    buffer_add_text(out, is_coloured ? colour : "");
    report_escape_line(out, text);
    buffer_add_text(out, is_coloured ? RESET : "");
}

static void add_column(const struct report *report, struct buffer *out, const char *colour,
                       const char *text, int width) {
    int size = (int)strlen(text);
    add_coloured(report, out, colour, text);
    buffer_add_format(out, "%*s", (size < width ? width - size : 0) + 2, "");
}

static void add_object(struct buffer *out, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer name;
    buffer_init(&name, SIZE_MAX);
    report_add_name(&name, item);
    report_escape_line(out, item->kind);
    buffer_add_byte(out, ' ');
    report_escape_line(out, buffer_text(&name));
}

struct label {
    const char *text;
    const char *colour;
};

static struct label label_of(const struct report_item *item, const struct report_finding *finding) {
    switch (finding->level) {
    case REPORT_ERROR:
        return (struct label){item->decision->is_denied ? "denied" : "error", RED};
    case REPORT_WARNING:
        return (struct label){"warning", YELLOW};
    case REPORT_NOTE:
        return (struct label){finding->is_change ? "change" : "note", CYAN};
    }
    return (struct label){"", ""};
}

/* The object with its verdict, or with a finding. */
static void add_row(const struct report *report, struct buffer *out, const struct report_item *item,
                    struct label label, const struct report_finding *finding) {
    char place[32];
    snprintf(place, sizeof(place), "  %u:%u", (unsigned)item->line, (unsigned)item->column);
    if (report->is_live) {
        buffer_add_text(out, "  ");
    } else {
        add_column(report, out, "", place, PLACE_WIDTH);
    }
    add_column(report, out, label.colour, label.text, LEVEL_WIDTH);
    if (finding != NULL) {
        add_column(report, out, "", finding->rule, RULE_WIDTH);
    }
    add_object(out, item);
    if (finding != NULL) {
        buffer_add_text(out, "  ");
        report_escape_line(out, finding->text);
    }
    buffer_add_byte(out, '\n');
}

/* The colours of git. The first two lines of a diff are its names. */
static const char *diff_colour(const char *line, size_t i) {
    if (i < 2) {
        return BOLD;
    }
    switch (line[0]) {
    case '@':
        return CYAN;
    case '-':
        return RED;
    case '+':
        return GREEN;
    default:
        return "";
    }
}

static void add_lines(const struct report *report, struct buffer *out, const char *text,
                      bool is_diff) {
    for (size_t i = 0; *text != '\0'; i++) {
        size_t size = strcspn(text, "\n");
        AUTO_FREE char *line = memory_copy(text, size);
        buffer_add_text(out, size > 0 ? INDENT : "");
        add_coloured(report, out, is_diff ? diff_colour(line, i) : "", line);
        buffer_add_byte(out, '\n');
        text += size + (text[size] == '\n');
    }
}

/* Lines below the row, with a word before them. */
static void add_note(struct buffer *out, const char *head, const char *text) {
    buffer_add_format(out, INDENT "%s: ", head);
    report_escape_line(out, text);
    buffer_add_byte(out, '\n');
}

static void add_diff(const struct report *report, struct buffer *out,
                     const struct report_item *item) {
    AUTO(buffer_fini) struct buffer submitted;
    AUTO(buffer_fini) struct buffer admitted;
    AUTO(buffer_fini) struct buffer diff;
    struct error error;
    buffer_init(&submitted, SIZE_MAX);
    buffer_init(&admitted, SIZE_MAX);
    buffer_init(&diff, SIZE_MAX);
    if (!yaml_write(item->submitted, item->submitted_size, &submitted, &error) ||
        !yaml_write(item->admitted, item->admitted_size, &admitted, &error)) {
        add_note(out, "no diff", error.text);
        return;
    }
    diff_unified("submitted", "admitted", buffer_text(&submitted), buffer_text(&admitted),
                 CONTEXT_LINES, &diff);
    add_lines(report, out, buffer_text(&diff), true);
}

static void add_decided(const struct report *report, const struct report_item *item,
                        struct buffer *out) {
    for (size_t i = 0; i < item->n_findings; i++) {
        const struct report_finding *finding = &item->findings[i];
        add_row(report, out, item, label_of(item, finding), finding);
    }
    if (item->n_findings == 0) {
        add_row(report, out, item, (struct label){"ok", GREEN}, NULL);
    }
    if (item->remark != NULL) {
        add_note(out, "note", item->remark);
    }
    if (item->explanation != NULL) {
        add_lines(report, out, item->explanation, false);
    }
    if (report->has_diff && report_is_changed(item)) {
        add_diff(report, out, item);
    }
}

static void add_item(struct report *report, const struct report_item *item, struct buffer *out) {
    bool has_more = item->n_findings > 0 || item->remark != NULL || item->explanation != NULL;
    if (!report->is_verbose && (item->decision == NULL || !has_more)) {
        return;
    }
    if (report_is_new_group(report, item)) {
        buffer_add_text(out, report->n_written > 0 ? "\n" : "");
        add_coloured(report, out, BOLD, report_group(report, item));
        buffer_add_byte(out, '\n');
        report_begin_group(report, item);
    }
    report->n_written++;
    if (item->decision != NULL) {
        add_decided(report, item, out);
    } else {
        add_row(report, out, item, (struct label){"passed over", ""}, NULL);
    }
}

static void end(struct report *report, const struct report_totals *totals, struct buffer *out) {
    buffer_add_text(out, report->n_written > 0 ? "\n" : "");
    if (report->is_live) {
        report_table_add(&report->table, out);
    }
    report_add_summary(out, totals);
}

const struct report_form report_text = {
    .name = "text",
    .help = "for people: a line a finding, by file",
    .shows_diff = true,
    .shows_explanation = true,
    .item = add_item,
    .end = end,
};
