// SPDX-License-Identifier: Apache-2.0
#ifndef APP_COMPANION_REFUSALS_H
#define APP_COMPANION_REFUSALS_H

/*
 * What is said about writes that fail. A right that is missing, or an API server that is away,
 * fails for all objects alike, so that each sort of failure is said once a minute, with one of the
 * objects and how many times it was since the last.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "edge/log.h"

enum { REFUSAL_SORTS = ERROR_INTERNAL + 1 };

struct refusals {
    const char *event; /* "status.refused"; borrowed */
    struct log *log;
    struct refusal_sort {
        bool is_said;
        int64_t said_ms;
        int64_t times; /* that have not been said */
    } sorts[REFUSAL_SORTS];
};

void refusals_note(struct refusals *refusals, const char *namespace, const char *name,
                   const struct error *problem, int64_t now_ms);

#endif
