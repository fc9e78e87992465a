// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/memory.h"
#include "core/offline/diff.h"
#include "edge/yaml_write.h"
#include "report_escape.h"
#include "report_forms.h"

/* For people, and for terminals: nothing foreign gets there unescaped. */

#define RESET  "\033[0m"
#define BOLD   "\033[1m"
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define CYAN   "\033[36m"

#define INDENT "    " /* of what belongs to the line above */

enum { PLACE_WIDTH = 7, LEVEL_WIDTH = 7, RULE_WIDTH = 19, CONTEXT_LINES = 3 };

static void begin(struct report *report) {
    (void)report;
}

static void add_coloured(const struct report *report, struct buffer *out, const char *colour,
                         const char *text) {
    const bool is_coloured = report->is_coloured && colour[0] != '\0';
    buffer_add_text(out, is_coloured ? colour : "");
    report_escape_line(out, text);
    buffer_add_text(out, is_coloured ? RESET : "");
}

static void add_spaces(struct buffer *out, size_t n) {
    for (; n > 0; n--) {
        buffer_add_byte(out, ' ');
    }
}

static void add_column(const struct report *report, struct buffer *out, const char *colour,
                       const char *text, size_t width) {
    size_t size = strlen(text);
    add_coloured(report, out, colour, text);
    add_spaces(out, (size < width ? width - size : 0) + 2);
}

/* "  12:1  " */
static void add_place(const struct report *report, struct buffer *out,
                      const struct report_item *item) {
    char place[32];
    snprintf(place, sizeof(place), "%u:%u", (unsigned)item->line, (unsigned)item->column);
    add_spaces(out, 2);
    add_column(report, out, "", place, PLACE_WIDTH);
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

static void add_finding(const struct report *report, struct buffer *out,
                        const struct report_item *item, const struct report_finding *finding) {
    const struct label label = label_of(item, finding);
    add_place(report, out, item);
    add_column(report, out, label.colour, label.text, LEVEL_WIDTH);
    add_column(report, out, "", finding->rule, RULE_WIDTH);
    add_object(out, item);
    add_spaces(out, 2);
    report_escape_line(out, finding->text);
    buffer_add_byte(out, '\n');
}

static void add_verdict(const struct report *report, struct buffer *out,
                        const struct report_item *item, struct label label) {
    add_place(report, out, item);
    add_column(report, out, label.colour, label.text, LEVEL_WIDTH);
    add_object(out, item);
    buffer_add_byte(out, '\n');
}

/* As git colours it. */
static const char *diff_colour(const char *line, bool is_name) {
    return is_name          ? BOLD
           : line[0] == '@' ? CYAN
           : line[0] == '-' ? RED
           : line[0] == '+' ? GREEN
                            : "";
}

/* Ends the line at `at` with a NUL and returns where the next one begins. */
static char *cut_line(char *at) {
    char *line_end = strchr(at, '\n');
    if (line_end == NULL) {
        return at + strlen(at);
    }
    *line_end = '\0';
    return line_end + 1;
}

/* `text` is cut up. The first `n_names` lines are the names of a diff. */
static void add_diff_lines(const struct report *report, struct buffer *out, char *text,
                           size_t n_names) {
    for (size_t i = 0; *text != '\0'; i++) {
        char *next = cut_line(text);
        buffer_add_text(out, INDENT);
        add_coloured(report, out, diff_colour(text, i < n_names), text);
        buffer_add_byte(out, '\n');
        text = next;
    }
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
        buffer_add_text(out, INDENT "no diff: ");
        report_escape_line(out, error.text);
        buffer_add_byte(out, '\n');
        return;
    }
    diff_unified("submitted", "admitted", buffer_text(&submitted), buffer_text(&admitted),
                 CONTEXT_LINES, &diff);
    buffer_add_byte(&diff, '\0');
    add_diff_lines(report, out, diff.bytes, 2);
}

static void add_explanation(struct buffer *out, const char *explanation) {
    AUTO_FREE char *text = memory_copy(explanation, strlen(explanation));
    for (char *line = text; *line != '\0';) {
        char *next = cut_line(line);
        buffer_add_text(out, line[0] != '\0' ? INDENT : "");
        report_escape_line(out, line);
        buffer_add_byte(out, '\n');
        line = next;
    }
}

/* The object's lines; none if there is nothing to tell of it. */
static void add_item(const struct report *report, struct buffer *out,
                     const struct report_item *item) {
    struct report_finding findings[REPORT_FINDINGS_MAX];
    size_t n = item->decision != NULL ? report_findings(item->decision, findings) : 0;
    const bool has_more = item->remark != NULL || item->explanation != NULL;
    for (size_t i = 0; i < n; i++) {
        add_finding(report, out, item, &findings[i]);
    }
    if (item->decision == NULL && report->is_verbose) {
        add_verdict(report, out, item, (struct label){"passed over", ""});
    } else if (item->decision != NULL && n == 0 && (report->is_verbose || has_more)) {
        add_verdict(report, out, item, (struct label){"ok", GREEN});
    }
    if (item->decision != NULL && item->remark != NULL) {
        buffer_add_text(out, INDENT "note: ");
        report_escape_line(out, item->remark);
        buffer_add_byte(out, '\n');
    }
    if (item->decision != NULL && item->explanation != NULL) {
        add_explanation(out, item->explanation);
    }
    if (report->has_diff && report_is_changed(item)) {
        add_diff(report, out, item);
    }
}

static void write_item(struct report *report, const struct report_item *item) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    add_item(report, &out, item);
    if (out.size > 0 && report_is_new_group(report, item)) {
        AUTO(buffer_fini) struct buffer heading;
        buffer_init(&heading, SIZE_MAX);
        buffer_add_text(&heading, report->n_written > 0 ? "\n" : "");
        report_begin_group(report, item);
        add_coloured(report, &heading, BOLD, item->path);
        buffer_add_byte(&heading, '\n');
        report_print(report, &heading);
    }
    report->n_written += out.size > 0;
    report_print(report, &out);
}

static void end(struct report *report, const struct report_totals *totals) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    buffer_add_text(&out, report->n_written > 0 ? "\n" : "");
    report_add_summary(&out, totals);
    buffer_add_byte(&out, '\n');
    report_print(report, &out);
}

const struct report_form report_text = {
    .name = "text",
    .help = "for people: a line a finding, by file",
    .begin = begin,
    .item = write_item,
    .end = end,
};
