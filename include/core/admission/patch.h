// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_ADMISSION_PATCH_H
#define CORE_ADMISSION_PATCH_H

/*
 * A JSON patch (RFC 6902) that can only express what Capstan may change: `add` on the paths below,
 * each at most once, in this order. Nothing else is expressible: `remove` and `test` would lock
 * users out whatever the failurePolicy is, and changed labels or pod-template annotations would
 * make the operator loop.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "base/json_write.h"

enum patch_path {
    PATCH_REPLICAS,        /* /spec/replicas */
    PATCH_STRATEGY,        /* /spec/strategy, where there is none: a rolling update without surge */
    PATCH_ROLLING_UPDATE,  /* /spec/strategy/rollingUpdate, where there is none */
    PATCH_MAX_SURGE,       /* /spec/strategy/rollingUpdate/maxSurge */
    PATCH_MAX_UNAVAILABLE, /* /spec/strategy/rollingUpdate/maxUnavailable */
    PATCH_GRACE_PERIOD,    /* /spec/template/spec/terminationGracePeriodSeconds */
    PATCH_PATH_COUNT,
};

struct patch {
    bool has[PATCH_PATH_COUNT];
    int64_t values[PATCH_PATH_COUNT]; /* not used for the two paths that add an object */
};

/* Adds the operation, or changes its value if the patch has it already. */
void patch_set(struct patch *patch, enum patch_path path, int64_t value);

bool patch_is_empty(const struct patch *patch);

/* Appends the object to `out` with the operations applied and no other byte changed. Fails, and
   appends nothing, if the object is malformed or a parent is no object. */
bool patch_edit(const struct patch *patch, const char *json, size_t size, struct buffer *out,
                struct error *error) MUST_CHECK;

/* Writes the array of operations. */
void patch_write(const struct patch *patch, struct json_write *write);

#endif
