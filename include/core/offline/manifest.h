// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_OFFLINE_MANIFEST_H
#define CORE_OFFLINE_MANIFEST_H

/*
 * The objects of one JSON document: one object, or the items of a List (`List`, `MCPServerList`,
 * ..., whose items may leave out what the list's own apiVersion and kind say, and may be Lists
 * again).
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/object.h"

enum { MANIFEST_VERSION_SIZE = OBJECT_GROUP_SIZE + 64 };

/* One object of the document, whatever its kind. */
struct manifest_item {
    struct json_text
        raw;       /* its JSON as it stands, borrowed; anything, if it is an item of a list */
    size_t offset; /* where it begins in the document */
    char
        api_version[MANIFEST_VERSION_SIZE]; /* its own, or else what the list says; "" if neither */
    char kind[OBJECT_KIND_SIZE];
    bool is_typed_by_list; /* kind is what the list says */
};

typedef void manifest_visit_item(void *context, const struct manifest_item *item);

/* Visits each object. None for `null`, as an empty document of YAML reads. A document that is not
   JSON is refused before anything is visited; one with a list that is none, when that is reached.
 */
bool manifest_split(const char *json, size_t size, manifest_visit_item *visit, void *context,
                    struct error *error) MUST_CHECK;

/* Reads an item that is an MCPServer or a Deployment; a missing namespace is "default". False if it
   is something else. */
bool manifest_read_object(const struct manifest_item *item, struct object *ret_object);

/* `offset` is where the object begins in the document. */
typedef void manifest_visit(void *context, const struct object *object, size_t offset);

/* Visits each object of the kinds that are known, and returns how many others there were. */
bool manifest_read(const char *json, size_t size, manifest_visit *visit, void *context,
                   size_t *ret_n_others, struct error *error) MUST_CHECK;

/* Why the object cannot be an MCPServer or a Deployment of a cluster: a literal for people, or NULL
   if it can. An API server would have refused it. One that leaves its name to the API server
   (generateName) can be, but has none to be known by. */
const char *manifest_fault(const struct object *object);

#endif
