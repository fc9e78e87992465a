// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_MAP_H
#define EDGE_YAML_YAML_MAP_H

/*
 * What a YAML map demands when it ends: that no key is there twice, and that its merge key is
 * carried out.
 */

#include "yaml_tree.h"

/* Members that all merge keys of a document may bring together. They need not show in the JSON,
   since one member can hide another: this bounds the work. */
#define YAML_MAP_MERGED_MAX 1000000

/* Replaces the merge key of a map, if it has one, by members that are aliases of what it brings. */
bool yaml_map_close(struct yaml_tree *tree, uint32_t map, struct error *error) MUST_CHECK;

#endif
