// SPDX-License-Identifier: Apache-2.0
#include "doctor_report.h"

#include <string.h>

#include "base/json_write.h"
#include "report_escape.h"

enum { REMEDY_MAX = 4096 };

#define RESET "\033[0m"

static const struct {
    const char *name;
    const char *colour;
} levels[] = {
    [FINDING_OK] = {"ok", "\033[32m"},
    [FINDING_NOTE] = {"note", "\033[33m"},
    [FINDING_UNKNOWN] = {"unknown", "\033[35m"},
    [FINDING_PROBLEM] = {"problem", "\033[1m\033[31m"},
};

static size_t count(const struct doctor_report *report, enum finding_level level) {
    return finding_count(report->findings, report->n_findings, level);
}

enum doctor_verdict doctor_report_verdict(const struct doctor_report *report) {
    if (count(report, FINDING_PROBLEM) > 0) {
        return DOCTOR_ILL;
    }
    return count(report, FINDING_UNKNOWN) > 0 ? DOCTOR_UNKNOWN : DOCTOR_HEALTHY;
}

/* Adds the remedy of a finding that has one. */
static void add_remedy(const struct finding *finding, const struct finding_names *names,
                       struct buffer *out) {
    struct finding_names all = *names;
    all.other = finding->other;
    finding_add_named(finding->remedy, &all, out);
}

void doctor_report_text(const struct doctor_report *report, bool is_coloured, struct buffer *out) {
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct finding *finding = &report->findings[i];
        buffer_add_format(out, "%s%-7s%s  %-22s  ",
                          is_coloured ? levels[finding->level].colour : "",
                          levels[finding->level].name, is_coloured ? RESET : "", finding->check);
        report_escape_line(out, finding->message);
        buffer_add_text(out, "\n");
        if (finding->remedy != NULL) {
            buffer_add_format(out, "%33s", "-> ");
            add_remedy(finding, report->names, out);
            buffer_add_text(out, "\n");
        }
    }
    buffer_add_format(out, "%zu checks: %zu ok, %zu notes, %zu unknown, %zu problems\n",
                      report->n_findings, count(report, FINDING_OK), count(report, FINDING_NOTE),
                      count(report, FINDING_UNKNOWN), count(report, FINDING_PROBLEM));
}

static void write_finding(const struct finding *finding, const struct finding_names *names,
                          struct json_write *write) {
    json_write_open(write, '{');
    json_write_member_text(write, "name", finding->check);
    json_write_member_text(write, "level", levels[finding->level].name);
    json_write_member_text(write, "message", finding->message);
    if (finding->remedy != NULL) {
        AUTO(buffer_fini) struct buffer remedy;
        buffer_init(&remedy, REMEDY_MAX);
        add_remedy(finding, names, &remedy);
        json_write_member_text(write, "remedy", buffer_text(&remedy));
    }
    json_write_close(write, '}');
}

void doctor_report_json(const struct doctor_report *report, struct buffer *out) {
    static const char *const healthy[] = {
        [DOCTOR_HEALTHY] = "true", [DOCTOR_ILL] = "false", [DOCTOR_UNKNOWN] = "null"};
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", "capstan.dev/v1");
    json_write_member_text(&write, "kind", "DoctorReport");
    json_write_key(&write, "healthy");
    json_write_raw(&write, healthy[doctor_report_verdict(report)]);
    json_write_member_open(&write, "checks", '[');
    for (size_t i = 0; i < report->n_findings; i++) {
        write_finding(&report->findings[i], report->names, &write);
    }
    json_write_close(&write, ']');
    json_write_close(&write, '}');
    buffer_add_text(out, "\n");
}
