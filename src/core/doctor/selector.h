// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_SELECTOR_H
#define CORE_DOCTOR_SELECTOR_H

/*
 * A label selector of Kubernetes (LabelSelector of meta/v1).
 */

#include <stdbool.h>

#include <cjson/cJSON.h>

/* True if a selector selects an object with these labels, a JSON object of strings; NULL is none.
   All of matchLabels and matchExpressions (In, NotIn, Exists, DoesNotExist) must hold. An empty
   selector, null and NULL select everything. Parts that an API server would not admit rule nothing
   out. */
bool selector_matches(const cJSON *selector, const cJSON *labels);

#endif
