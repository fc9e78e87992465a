// SPDX-License-Identifier: Apache-2.0
#ifndef APP_COMPANION_REFUSALS_H
#define APP_COMPANION_REFUSALS_H

/*
 * Logs writes that fail. If a right is missing or the API server is away, the writes of all objects
 * fail alike. Hence the log has each sort of failure once a minute, with one of the objects and the
 * number of failures since the last line.
 */

#include <stdint.h>

#include "base/error.h"
#include "core/cluster/complaint.h"
#include "edge/log.h"

enum { REFUSAL_SORTS = ERROR_INTERNAL + 1 };

struct refusals {
    const char *event; /* "status.refused"; borrowed */
    struct log *log;
    struct complaint sorts[REFUSAL_SORTS];
};

void refusals_log(struct refusals *refusals, const char *namespace, const char *name,
                  const struct error *problem, int64_t now_ms);

#endif
