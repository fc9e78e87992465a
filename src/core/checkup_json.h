// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CHECKUP_JSON_H
#define CORE_CHECKUP_JSON_H

/*
 * Single values out of what the API server sends.
 */

#include "base/json.h"
#include "core/checkup.h"

/* Empty if there is none, or it does not fit. */
void checkup_text(const struct checkup_answer *answer, const char *const *keys, size_t n_keys,
                  char *out, size_t capacity);

int64_t checkup_integer(const struct checkup_answer *answer, const char *const *keys, size_t n_keys,
                        int64_t otherwise);

/* How often a piece of the text is there; the API server writes JSON without blanks. */
size_t checkup_counts(const struct checkup_answer *answer, const char *piece);
bool checkup_contains(const struct json_text *raw, const char *piece);

#endif
