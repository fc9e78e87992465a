// SPDX-License-Identifier: Apache-2.0
#ifndef APP_DOCTOR_DOCTOR_REPORT_H
#define APP_DOCTOR_DOCTOR_REPORT_H

/*
 * The output of `capstan doctor`.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "core/doctor/checkup.h"

enum { DOCTOR_CHECKS_MAX = 16 };

struct doctor_report {
    struct finding findings[DOCTOR_CHECKS_MAX];
    size_t n_findings;
    const struct checkup_names *names; /* for the remedies */
};

/* Makes room for the finding of a check. */
struct finding *doctor_report_add(struct doctor_report *report, const char *check);

/* A line for each check, its remedy below it, and a last line with the counts. */
void doctor_report_text(const struct doctor_report *report, bool is_coloured, struct buffer *out);

/* One document, kind DoctorReport; docs/doctor.md describes it. */
void doctor_report_json(const struct doctor_report *report, struct buffer *out);

size_t doctor_report_count(const struct doctor_report *report, enum finding_level level);

#endif
