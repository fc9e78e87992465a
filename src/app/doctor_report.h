// SPDX-License-Identifier: Apache-2.0
#ifndef APP_DOCTOR_REPORT_H
#define APP_DOCTOR_REPORT_H

/*
 * What `capstan doctor` prints.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "core/checkup.h"

/* A line for each check, with what to do below it, and a sum. */
void doctor_report_text(const struct finding *findings, size_t n_findings, bool is_coloured,
                        struct buffer *out);

/* One document, kind DoctorReport; docs/doctor.md describes it. */
void doctor_report_json(const struct finding *findings, size_t n_findings, struct buffer *out);

size_t doctor_report_count(const struct finding *findings, size_t n_findings,
                           enum finding_level level);

#endif
