// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_TREE_H
#define EDGE_YAML_YAML_TREE_H

/*
 * The nodes of one YAML document: small, in one array, named by their index. An alias is a node
 * that names another, so that a document is as big as its text, whatever its aliases would make of
 * it; how big that is, each node knows before anything is written.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "edge/yaml.h"
#include "yaml_place.h"
#include "yaml_scalar.h"

/* The index of no node. */
#define YAML_TREE_NONE 0

enum yaml_tree_kind {
    YAML_TREE_SCALAR,
    YAML_TREE_MAP, /* its children are key, value, key, value... */
    YAML_TREE_LIST,
    YAML_TREE_ALIAS,
};

struct yaml_tree_node {
    uint8_t kind;    /* enum yaml_tree_kind */
    uint8_t scalar;  /* enum yaml_scalar_kind, of a scalar */
    uint16_t height; /* levels of maps and lists, with this one */
    uint32_t next;   /* the next child of the same parent */
    uint32_t first; /* first child; what an alias names; where in `texts` the JSON of a scalar is */
    uint32_t size;  /* bytes of JSON; of an open map or list 0 */
    struct yaml_place place;
};

struct yaml_tree {
    struct yaml_tree_node *nodes; /* nodes[0] is no node */
    size_t n_nodes, capacity;
    struct buffer texts; /* the JSON of scalars */
    size_t n_merged;     /* members that merge keys brought together */
};

void yaml_tree_init(struct yaml_tree *tree);
void yaml_tree_fini(struct yaml_tree *tree);
void yaml_tree_clear(struct yaml_tree *tree);

/* Nodes move when one is added: do not keep a pointer. The JSON of a scalar is what `texts` has
   from `first` on. */
uint32_t yaml_tree_add(struct yaml_tree *tree, enum yaml_tree_kind kind, struct yaml_place place);
uint32_t yaml_tree_add_scalar(struct yaml_tree *tree, enum yaml_scalar_kind kind, size_t first,
                              struct yaml_place place);
uint32_t yaml_tree_add_alias(struct yaml_tree *tree, uint32_t target, struct yaml_place place);

/* Refuses the scalar that was just added if its JSON, or that of all scalars, is too large. */
bool yaml_tree_check_scalar(const struct yaml_tree *tree, uint32_t index,
                            struct error *error) MUST_CHECK;

/* The node, or what it names if it is an alias. */
struct yaml_tree_node *yaml_tree_at(const struct yaml_tree *tree, uint32_t index);

/* Ends a map or list that stands `depth` levels deep, itself included: its height and its size. */
bool yaml_tree_close(struct yaml_tree *tree, uint32_t index, size_t depth,
                     struct error *error) MUST_CHECK;

/* Writes the JSON of a node and its marks. */
void yaml_tree_write(const struct yaml_tree *tree, uint32_t root,
                     struct yaml_document *ret_document);

#endif
