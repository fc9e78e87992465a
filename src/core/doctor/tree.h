// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_TREE_H
#define CORE_DOCTOR_TREE_H

/*
 * Answers of the API server as cJSON trees, and the values in them. Only core/doctor uses cJSON:
 * its documents are small and searched in any order. cJSON ends a string at U+0000; no name, label
 * or CEL expression can hold one.
 *
 * A path is keys joined by dots, "spec.clusterIP"; keys are case-sensitive. Each function accepts
 * NULL for a tree and finds nothing in it. Values are borrowed from their tree.
 */

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "core/doctor/question.h"

/* Free with tree_fini(). NULL if the status is not 200, or the JSON is unsound (base/json
   is the judge), larger than QUESTION_ANSWER_MAX, or nested deeper than CJSON_NESTING_LIMIT. */
cJSON *tree_read(const struct answer *answer) MUST_CHECK;

/* For AUTO. */
void tree_fini(cJSON **tree);

/* For AUTO, too. Zeroes all texts first: the tree may hold keys. */
void tree_wipe(cJSON **tree);

/* The value at the path, which may be null; NULL if there is none. */
const cJSON *tree_at(const cJSON *tree, const char *path);

/* The string at the path; "" if there is none. */
const char *tree_text(const cJSON *tree, const char *path);

/* The number at the path; `otherwise` if there is none, or it is not an integer that a double holds
   exactly. */
int64_t tree_integer(const cJSON *tree, const char *path, int64_t otherwise);

/* The array at the path, for cJSON_ArrayForEach; NULL if there is none. */
const cJSON *tree_list(const cJSON *tree, const char *path);

/* True if the value at the path equals this JSON. The order of keys does not matter, that of items
   does. */
bool tree_is(const cJSON *tree, const char *path, const char *json);

#endif
