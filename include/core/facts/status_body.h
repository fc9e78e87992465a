// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_STATUS_BODY_H
#define CORE_FACTS_STATUS_BODY_H

/*
 * What is sent to the `status` subresource of an MCPServer. Two ways, since only a CRD whose
 * conditions are `listType: map` lets server-side apply leave the conditions of others alone.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/facts/condition.h"

/* For a PATCH by server-side apply: our conditions and nothing else. */
void status_body_apply(const char *api_version, const char *namespace, const char *name,
                       const struct condition conditions[CONDITION_TYPE_COUNT], struct buffer *out);

/* For a PUT: the object as it was got, its apiVersion, kind and metadata as they stand (so with its
   resourceVersion, by which the API server notices that somebody was faster), its status as it
   stands but for our two conditions. Fails if the bytes are no such object. */
bool status_body_replace(const char *object, size_t size,
                         const struct condition conditions[CONDITION_TYPE_COUNT],
                         struct buffer *out, struct error *error) MUST_CHECK;

#endif
