// SPDX-License-Identifier: Apache-2.0
#ifndef INSTALLATION_H
#define INSTALLATION_H

/*
 * Healthy installations for the tests of doctor, made from manifests/ and from what a cluster adds:
 * one answer of the API server for each question. A test spoils them. Include this after cmocka.h.
 */

#include <cjson/cJSON.h>

#include "core/doctor/checkup.h"

/* 2026-11-23T00:00:00Z */
#define INSTALLATION_NOW INT64_C(1795392000)
#define INSTALLATION_DAY INT64_C(86400)

enum asker {
    ASKER_ADMIN,
    ASKER_VIEWER, /* has the ClusterRole view in all namespaces */
    ASKER_NOBODY, /* has no right; the version of the API server is public */
    ASKER_COUNT,
};

struct installation {
    cJSON *trees[QUESTION_COUNT];
    char *bodies[QUESTION_COUNT]; /* after installation_seal() */
    struct patient patient;       /* its answers: after installation_seal() */
    char *other_ca;               /* base64 of a CA that signed nothing here */
};

/* `overlay` is a folder of manifests/overlays. `life_days` is the life of the certificate, of which
   a day is over at `now`, in seconds since 1970. */
void installation_make(struct installation *installation, const char *overlay, int life_days,
                       int64_t now);
void installation_fini(struct installation *installation);

/* Changes an answer by a JSON Patch with apostrophes. In it, OTHER_CA means `other_ca`. */
void installation_patch(struct installation *installation, enum question question,
                        const char *patch);

/* The leader renews the Lease at this time. */
void installation_renew(struct installation *installation, int64_t now);

/* Makes the answers of the trees. Call it once. */
void installation_seal(struct installation *installation);

/* Refuses what the asker may not see. */
void installation_hide(struct installation *installation, enum asker asker);

/* Replaces an answer. The body is borrowed. */
void installation_answer(struct installation *installation, enum question question, int status,
                         const char *body);

#endif
