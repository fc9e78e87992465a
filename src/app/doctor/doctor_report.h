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

struct doctor_report {
    const struct finding *findings;
    size_t n_findings;
    const struct checkup_names *names; /* for the remedies */
};

/* A line for each check, its remedy below it, and a last line with the counts. */
void doctor_report_text(const struct doctor_report *report, bool is_coloured, struct buffer *out);

/* One document, kind DoctorReport; docs/doctor.md describes it. */
void doctor_report_json(const struct doctor_report *report, struct buffer *out);

size_t doctor_report_count(const struct doctor_report *report, enum finding_level level);

#endif
