// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_STATUS_BODY_H
#define CORE_FACTS_STATUS_BODY_H

/*
 * The bodies of writes to the `status` subresource of an MCPServer. There are two, since
 * server-side apply leaves the conditions of others alone only if the CRD's conditions are
 * `listType: map`.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/facts/condition.h"

/* Appends the body of a PATCH by server-side apply: our conditions and nothing else. With a
   resourceVersion the API server refuses the write if the object has another one by then; with NULL
   it is about the object as it is. It does not compare a uid, which is for files. NULL: none. */
void status_body_apply(const char *api_version, const char *namespace, const char *name,
                       const char *uid, const char *resource_version,
                       const struct condition conditions[CONDITION_TYPE_COUNT], struct buffer *out);

/* For a PUT: apiVersion, kind and metadata of the object that was got, and its status with only our
   two conditions changed. Its resourceVersion lets the API server refuse the write if another
   writer was faster. Fails if the bytes are no such object. */
bool status_body_replace(const char *object, size_t size,
                         const struct condition conditions[CONDITION_TYPE_COUNT],
                         struct buffer *out, struct error *error) MUST_CHECK;

#endif
