// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_STATUS_BODY_H
#define CORE_FACTS_STATUS_BODY_H

/*
 * Writes the bodies for the `status` subresource of an MCPServer. There are two, because
 * server-side apply keeps the conditions of other writers only if the CRD's conditions are
 * `listType: map`.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/facts/condition.h"

/* Appends the body of a PATCH by server-side apply: our conditions and nothing else. With a NULL
   uid it is about whatever object has the name. */
void status_body_apply(const char *api_version, const char *namespace, const char *name,
                       const char *uid, const struct condition conditions[CONDITION_TYPE_COUNT],
                       struct buffer *out);

/* Appends the body of a PUT: the object without its spec, byte by byte, with our two conditions in
   place of the old ones. It keeps the resourceVersion, so the API server notices a write that came
   first. ERROR_INVALID if the bytes are no such object. */
bool status_body_replace(const char *object, size_t size,
                         const struct condition conditions[CONDITION_TYPE_COUNT],
                         struct buffer *out, struct error *error) MUST_CHECK;

#endif
