// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_ORACLE_H
#define ORACLE_ORACLE_H

/*
 * The decision table, written a second time, apart from the program's code. The oracle reads trees
 * of cJSON and answers with a tree:
 *
 *   {"outcome": "malformed" | "decided" | "unresolved" | "failed", "lookup": true | false,
 *    "allowed": ..., "patch": {path: value}, "warnings": [rule], "audit": [rule]}
 *
 * "malformed" and "failed" have no further members but `lookup`. `lookup` tells whether an API
 * server must be asked, if there is one.
 */

#include <cjson/cJSON.h>
#include <stdint.h>

#include "marks.h"

/* The world that a look-up meets. */
enum world {
    WORLD_OFFLINE, /* there is no API server to ask */
    WORLD_FOUND,   /* it answers with the live object */
    WORLD_ABSENT,  /* it answers 404 */
    WORLD_FAILED,  /* it does not answer, or answers with an error */
    WORLD_COUNT,
};

struct question {
    const cJSON *facts;  /* a list of objects of the family, and of Deployments */
    const cJSON *policy; /* a PolicyConfig */
    int64_t now;
    const char *review; /* the AdmissionReview as text */
    enum world world;
    const cJSON *live; /* in WORLD_FOUND: a list of what the API server has; 404 for all else */
};

/* Notes in `marks` which rows and outcomes it met. */
cJSON *oracle_answer(const struct question *question, struct marks *marks);

#endif
