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
    struct finding findings[CHECKUP_FINDINGS_MAX];
    size_t n_findings;
    const struct finding_names *names; /* for the remedies */
};

/* A problem makes the installation ill. Without one, a thing that could not be looked at leaves the
   question open: it is never well. */
enum doctor_verdict { DOCTOR_HEALTHY, DOCTOR_ILL, DOCTOR_UNKNOWN };

enum doctor_verdict doctor_report_verdict(const struct doctor_report *report);

/* A line for each check, its remedy below it, and a last line with the counts. */
void doctor_report_text(const struct doctor_report *report, bool is_coloured, struct buffer *out);

/* One document, kind DoctorReport; docs/doctor.md describes it. */
void doctor_report_json(const struct doctor_report *report, struct buffer *out);

#endif
