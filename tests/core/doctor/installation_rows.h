// SPDX-License-Identifier: Apache-2.0
#ifndef INSTALLATION_ROWS_H
#define INSTALLATION_ROWS_H

/*
 * Installations, and what doctor has to say about each.
 */

#include "core/doctor/question.h"
#include "core/facts/kind.h"

struct installation_row {
    const char *name;
    const char *overlay;
    enum question question; /* the answer with the fault, ... */
    const char *patch;      /* ... changed by this JSON Patch, ... */
    int status;             /* ... or replaced by this status of HTTP */
    const char *admin;      /* all that is not ok: "problem leader, note version" */
    const char *viewer;     /* what a viewer sees of a check that it is otherwise blind to; NULL: no
                               more than usual */
    const char *piece;      /* of a message */
    int life_days;          /* of the certificate; 0: 90 */
    int days;               /* that have passed since */
    enum object_kind refused[3]; /* Capstan has no right on these kinds; OBJECT_OTHER ends them */
};

extern const struct installation_row installation_rows[];
extern const size_t installation_n_rows;

#endif
