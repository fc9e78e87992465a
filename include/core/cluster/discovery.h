// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_DISCOVERY_H
#define CORE_CLUSTER_DISCOVERY_H

/*
 * Reads answers of the API server about itself: which version of MCPServers it serves, and whether
 * status.conditions can be applied one by one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"

enum { DISCOVERY_VERSION_SIZE = 32 };

/* Reads an APIGroup (GET /apis/toolhive.stacklok.dev) and returns the best version that this
   program knows: v1beta1, else v1alpha1. ERROR_NOT_FOUND if the API server serves neither,
   ERROR_INVALID if the JSON is no APIGroup. */
bool discovery_read_group(const char *json, size_t size, char ret_version[DISCOVERY_VERSION_SIZE],
                          struct error *error) MUST_CHECK;

/* The version to try after this one, or NULL. Other CRDs of the group may have versions that
   MCPServers do not have. */
const char *discovery_next_version(const char *version);

/* Reads an APIResourceList (GET /apis/toolhive.stacklok.dev/VERSION) and returns whether it has
   mcpservers. ERROR_INVALID if the JSON is no APIResourceList. */
bool discovery_read_resources(const char *json, size_t size, bool *ret_has_servers,
                              struct error *error) MUST_CHECK;

/* Reads a CustomResourceDefinition. *ret_is_map: in the schema of the version, status.conditions
   has `x-kubernetes-list-type: map` with `type` as its only key. Only then does server-side apply
   keep the conditions of other writers. ERROR_NOT_FOUND if the definition does not serve the
   version, ERROR_INVALID if the JSON is no CustomResourceDefinition. */
bool discovery_read_definition(const char *json, size_t size, const char *version, bool *ret_is_map,
                               struct error *error) MUST_CHECK;

#endif
