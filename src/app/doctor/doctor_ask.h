// SPDX-License-Identifier: Apache-2.0
#ifndef APP_DOCTOR_DOCTOR_ASK_H
#define APP_DOCTOR_DOCTOR_ASK_H

/*
 * Asks the API server all the questions of core/doctor, one after the other.
 */

#include "base/buffer.h"
#include "base/error.h"
#include "core/doctor/checkup.h"
#include "edge/kube.h"

struct doctor_ask {
    struct kube *kube;
    struct patient patient; /* the answers are borrowed from the bodies */
    struct buffer bodies[QUESTION_COUNT];
    struct error errors[QUESTION_COUNT]; /* for the reasons in the answers */
    int n_silent;                        /* requests without an answer, one after the other */
};

void doctor_ask_init(struct doctor_ask *ask, struct kube *kube);
void doctor_ask_fini(struct doctor_ask *ask);

/* Fills in the answers and grants of the patient, whose names are set. After a few requests without
   an answer it asks nothing more. */
void doctor_ask_all(struct doctor_ask *ask);

#endif
