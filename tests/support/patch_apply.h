// SPDX-License-Identifier: Apache-2.0
#ifndef SUPPORT_PATCH_APPLY_H
#define SUPPORT_PATCH_APPLY_H

/*
 * Applies the `add` operations of a JSON patch (RFC 6902 section 4.1) to a cJSON tree. It knows
 * nothing of what Capstan may patch. (Debian's cJSON comes without its cJSON_Utils, which has a
 * JSON patch.)
 */

#include <cjson/cJSON.h>
#include <stdbool.h>

/* False if an operation is none, or its path has no parent in the object. */
bool patch_apply(cJSON *object, const cJSON *patch);

#endif
