// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_OFFLINE_MANIFEST_H
#define CORE_OFFLINE_MANIFEST_H

/*
 * Splits one JSON document into its objects: one object, or the items of a List (`List`,
 * `MCPServerList`, ...). Items may lack an apiVersion and a kind if the list has them, and may be
 * Lists again.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/object.h"

enum { MANIFEST_VERSION_SIZE = OBJECT_GROUP_SIZE + 64 };

/* One object of the document, whatever its kind. */
struct manifest_item {
    struct json_text raw; /* its JSON, borrowed; an item of a list may be any value */
    size_t offset;        /* of its first byte in the document */
    char api_version[MANIFEST_VERSION_SIZE]; /* its own, else by the list; "" if neither has one */
    char kind[OBJECT_KIND_SIZE];
    bool is_typed_by_list; /* the list gave the kind */
};

typedef void manifest_visit_item(void *context, const struct manifest_item *item);

/* Visits each object; none for `null`, which YAML makes of an empty document. ERROR_INVALID if the
   document is not JSON, before any visit, or if the items of a list are no list, when the split
   comes to them. ERROR_TOO_LARGE if lists are nested too deep. */
bool manifest_split(const char *json, size_t size, manifest_visit_item *visit, void *context,
                    struct error *error) MUST_CHECK;

/* Reads an item that is an MCPServer or a Deployment, else returns false. A missing namespace
   becomes "default". */
bool manifest_take(const struct manifest_item *item, struct object *ret_object);

/* `offset` is that of the object in the document. */
typedef void manifest_visit(void *context, const struct object *object, size_t offset);

/* Visits each MCPServer and each Deployment. *ret_n_others counts the other objects. */
bool manifest_read(const char *json, size_t size, manifest_visit *visit, void *context,
                   size_t *ret_n_others, struct error *error) MUST_CHECK;

/* Returns why an API server would refuse the MCPServer or Deployment: a literal for people, or
   NULL. An object with a generateName may lack a name. */
const char *manifest_fault(const struct object *object);

#endif
