// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_DISCOVERY_H
#define CORE_CLUSTER_DISCOVERY_H

/*
 * Reads from the answers of the API server under which version it has MCPServers, and whether
 * status.conditions can be applied one by one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"

enum { DISCOVERY_VERSION_SIZE = 32 };

/* Reads an APIGroup (GET /apis/toolhive.stacklok.dev). Returns the best version that is served and
   that this program knows: v1beta1, else v1alpha1. ERROR_NOT_FOUND if it serves neither,
   ERROR_INVALID if it is no APIGroup. */
bool discovery_read_group(const char *json, size_t size, char ret_version[DISCOVERY_VERSION_SIZE],
                          struct error *error) MUST_CHECK;

/* The version to try after this one, or NULL: others of ToolHive's CRDs may have versions of the
   group that MCPServers do not. */
const char *discovery_next_version(const char *version);

/* Reads an APIResourceList (GET /apis/toolhive.stacklok.dev/VERSION): whether the API server has
   mcpservers under that version. */
bool discovery_read_resources(const char *json, size_t size, bool *ret_has_servers,
                              struct error *error) MUST_CHECK;

/* Reads the CustomResourceDefinition. *ret_is_map: in the schema of the version, status.conditions
   is `x-kubernetes-list-type: map` with `type` as its one key. Only then does server-side apply
   leave the conditions of others alone. ERROR_NOT_FOUND if it does not have or not serve the
   version, ERROR_INVALID if it is no CustomResourceDefinition. */
bool discovery_read_definition(const char *json, size_t size, const char *version, bool *ret_is_map,
                               struct error *error) MUST_CHECK;

#endif
