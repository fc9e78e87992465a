// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_SELECTOR_H
#define CORE_DOCTOR_SELECTOR_H

/*
 * A label selector of Kubernetes (LabelSelector of meta/v1), applied where it stands in JSON.
 */

#include <stdbool.h>

#include "base/attribute.h"
#include "base/json.h"

/* Whether an object with these labels, a JSON object of strings, is selected: all of matchLabels
   and of matchExpressions (In, NotIn, Exists, DoesNotExist) have to hold. A selector that is empty
   or null selects everything. What an API server would not have admitted rules nothing out. */
bool selector_matches(const struct json_text *selector, const struct json_text *labels);

#endif
