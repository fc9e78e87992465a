// SPDX-License-Identifier: Apache-2.0
#ifndef SUPPORT_CASE_H
#define SUPPORT_CASE_H

/*
 * A golden case: one YAML file with the facts, the request and the expected verdict.
 * tests/cases/README.md describes the format.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/admission/policy.h"
#include "core/facts/facts.h"

struct golden_case {
    char *path;          /* relative to tests/cases, without .yaml */
    cJSON *document;     /* the whole file */
    const cJSON *expect; /* within the document */
    int64_t now;
    struct facts *facts;
    struct policy *policy;
    char *review; /* the whole AdmissionReview as JSON text */
};

/* Ends the test run with a message if the file is not a valid case. */
struct golden_case *case_load(const char *root, const char *path);
void case_free(struct golden_case *golden);

/* Compares a warning with the expected one. That is the whole text, or only the part before the
   first colon. */
bool case_warning_is(const char *text, const char *expected);

/* Puts the objects of a JSON document (an object or a List) into the facts. */
void case_put_facts(struct facts *facts, const char *json);

#endif
