// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_MAP_H
#define EDGE_YAML_YAML_MAP_H

/*
 * Checks a YAML map when it ends: keys must be unique, and the merge key is carried out.
 */

#include "yaml_tree.h"

/* The most members that all merge keys of a document may bring in. Hidden members count too, so
   this bounds the work and not only the size of the JSON. */
#define YAML_MAP_MERGED_MAX 1000000

/* If the map has a merge key, replaces it by aliases of the merged members. Errors: ERROR_INVALID,
   ERROR_TOO_LARGE. */
bool yaml_map_close(struct yaml_tree *tree, uint32_t map, struct error *error) MUST_CHECK;

#endif
