// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_DISCOVERY_H
#define CORE_CLUSTER_DISCOVERY_H

/*
 * Finds out from the answers of the API server which kinds of the family it has, each under which
 * version, and whether status.conditions can be applied one by one.
 *
 * Several versions of a kind may be served. All of them have the fields that Capstan reads. Capstan
 * takes the first version that has the kind, in this order: the one that the group prefers, those
 * that this program knows (v1beta1, v1alpha1), and then the others, in the order of the group.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/facts/kind.h"

enum {
    DISCOVERY_VERSION_SIZE = 64, /* RFC 1123 label, 63 bytes */
    DISCOVERY_VERSIONS_MAX = 8,  /* the first in the order above; further ones are not looked at */
};

/* The state of one discovery. */
struct discovery {
    char versions[DISCOVERY_VERSIONS_MAX][DISCOVERY_VERSION_SIZE];
    size_t n_versions;
    size_t n_done;                   /* versions that were read or skipped */
    size_t found[OBJECT_KIND_COUNT]; /* 1 more than the index of the kind's version; 0: none yet */
};

/* Begins with an APIGroup (GET /apis/toolhive.stacklok.dev). ERROR_NOT_FOUND if it serves no
   version, ERROR_INVALID if it is no APIGroup. Then `ret_discovery` is untouched. */
bool discovery_read_group(const char *json, size_t size, struct discovery *ret_discovery,
                          struct error *error) MUST_CHECK;

/* The version whose resources are to be asked for next; NULL if every kind of the family is found,
   or no version is left. */
const char *discovery_next(const struct discovery *discovery);

/* Reads the APIResourceList of that version (GET /apis/toolhive.stacklok.dev/VERSION). Returns
   false if it is none: the version stays the next one. */
bool discovery_read_resources(struct discovery *discovery, const char *json, size_t size,
                              struct error *error) MUST_CHECK;

/* That version cannot be read. */
void discovery_skip(struct discovery *discovery);

/* The version of a kind of the family; "" if none of the versions that were read has it. */
const char *discovery_version(const struct discovery *discovery, enum object_kind kind);

/* Reads the CustomResourceDefinition. *ret_is_map: in the schema of the version, status.conditions
   is `x-kubernetes-list-type: map` with `type` as its one key. Only then does server-side apply
   leave the conditions of others alone. ERROR_NOT_FOUND if it does not have or not serve the
   version, ERROR_INVALID if it is no CustomResourceDefinition. */
bool discovery_read_definition(const char *json, size_t size, const char *version, bool *ret_is_map,
                               struct error *error) MUST_CHECK;

#endif
