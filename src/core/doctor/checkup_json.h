// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_CHECKUP_JSON_H
#define CORE_DOCTOR_CHECKUP_JSON_H

/*
 * Values out of what the API server sends.
 */

#include "base/json.h"
#include "core/doctor/checkup.h"

/* Empty if there is none, or it does not fit. */
void checkup_text(const struct checkup_answer *answer, const char *const *keys, size_t n_keys,
                  char *out, size_t capacity);

int64_t checkup_integer(const struct checkup_answer *answer, const char *const *keys, size_t n_keys,
                        int64_t otherwise);

/* The items of an array, at most so many; none if there is no such array. */
enum { CHECKUP_ITEMS_MAX = 16 };

struct checkup_items {
    struct checkup_answer items[CHECKUP_ITEMS_MAX];
    size_t n;
};

void checkup_items(const struct checkup_answer *answer, const char *const *keys, size_t n_keys,
                   struct checkup_items *ret_items);

/* Whether a piece of text is there; the API server writes JSON without blanks. */
bool checkup_contains(const struct json_text *raw, const char *piece);

#endif
