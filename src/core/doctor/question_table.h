// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_QUESTION_TABLE_H
#define CORE_DOCTOR_QUESTION_TABLE_H

/*
 * The subject of each question, in the words of a finding.
 */

#include <stdbool.h>

#include "core/doctor/question.h"

struct question_row {
    const char *path;  /* for finding_add_named() */
    const char *kind;  /* of the object in the answer; NULL for one without a kind */
    const char *what;  /* "the Service" */
    const char *right; /* "get services" */
    bool is_in_home;   /* the right is needed in Capstan's namespace alone */
};

extern const struct question_row question_rows[QUESTION_COUNT];

#endif
