// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_MANIFEST_H
#define CORE_MANIFEST_H

/*
 * The objects of one JSON document: one object, or the items of a List (`List`, `MCPServerList`,
 * ..., whose items may leave out what the list's own apiVersion and kind say).
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/object.h"

/* `offset` is where the object begins in the document. */
typedef void manifest_visit(void *context, const struct object *object, size_t offset);

/* Visits each object of the kinds that are known, and returns how many others there were. */
bool manifest_read(const char *json, size_t size, manifest_visit *visit, void *context,
                   size_t *ret_n_others, struct error *error) MUST_CHECK;

/* Why the object cannot be an MCPServer or a Deployment of a cluster: a literal for people, or NULL
   if it can. An API server would have refused it. */
const char *manifest_fault(const struct object *object);

#endif
