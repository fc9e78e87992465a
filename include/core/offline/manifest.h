// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_OFFLINE_MANIFEST_H
#define CORE_OFFLINE_MANIFEST_H

/*
 * The objects of one JSON document: one object, or the items of a list (`List`, `MCPServerList`,
 * ...). Items may leave out their apiVersion and kind, which then follow from the list, and may be
 * lists again.
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
    size_t offset;        /* in the document */
    /* Its own, or else that of its list; "" if neither has one. */
    char api_version[MANIFEST_VERSION_SIZE];
    char kind[OBJECT_KIND_SIZE];
    bool is_typed_by_list; /* the kind follows from the list */
};

typedef void manifest_visit_item(void *context, const struct manifest_item *item);

/* Visits each object. `null`, which an empty document of YAML becomes, has none. Fails before the
   first visit if the document is not JSON, and when it reaches a list whose items are no list. */
bool manifest_split(const char *json, size_t size, manifest_visit_item *visit, void *context,
                    struct error *error) MUST_CHECK;

/* Reads an item that a rule is about: one of the family, a Deployment or an autoscaler. A missing
   namespace becomes "default". False for all other items. */
bool manifest_read_object(const struct manifest_item *item, struct object *ret_object);

/* `offset` is where the object begins in the document. */
typedef void manifest_visit(void *context, const struct object *object, size_t offset);

/* Visits each object that the facts keep, and counts the others. */
bool manifest_read(const char *json, size_t size, manifest_visit *visit, void *context,
                   size_t *ret_n_others, struct error *error) MUST_CHECK;

/* The reason why an API server would refuse the object: a literal for people; NULL
   if it would not. An object that leaves its name to the API server (generateName) passes, without
   a name. */
const char *manifest_fault(const struct object *object);

#endif
