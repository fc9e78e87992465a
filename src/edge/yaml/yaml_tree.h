// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_TREE_H
#define EDGE_YAML_YAML_TREE_H

/*
 * The nodes of one YAML document: small, in one array, addressed by index. An alias is a node that
 * refers to another one, so the tree is as large as the text, whatever the aliases expand to. Each
 * node knows its expanded size before anything is written.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "edge/yaml.h"
#include "yaml_place.h"
#include "yaml_scalar.h"

/* The index that means no node. */
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
    uint16_t height; /* levels of maps and lists, this one included */
    uint32_t next;   /* the next child of the same parent */
    uint32_t first;  /* first child; of an alias its target; of a scalar the offset of its JSON in
                        `texts` */
    uint32_t size;   /* bytes of JSON; 0 while a map or list is open */
    struct yaml_place place;
};

struct yaml_tree {
    struct yaml_tree_node *nodes; /* nodes[0] is not used */
    size_t n_nodes;
    struct buffer texts; /* the JSON of scalars */
    size_t n_merged;     /* members that merge keys have brought in */
    void *anchors;       /* root of a balanced tree of names; NULL if there are none */
};

void yaml_tree_init(struct yaml_tree *tree);
void yaml_tree_fini(struct yaml_tree *tree);
void yaml_tree_clear(struct yaml_tree *tree);

/* Adding a node moves the others, so do not keep pointers. The JSON of a scalar is in `texts` from
   `first` on. */
uint32_t yaml_tree_add(struct yaml_tree *tree, enum yaml_tree_kind kind, struct yaml_place place);
uint32_t yaml_tree_add_scalar(struct yaml_tree *tree, enum yaml_scalar_kind kind, size_t first,
                              struct yaml_place place);
uint32_t yaml_tree_add_alias(struct yaml_tree *tree, uint32_t target, struct yaml_place place);

/* Call it for a scalar that was just added. ERROR_TOO_LARGE if its JSON, or that of all scalars,
   passes YAML_JSON_MAX. */
bool yaml_tree_check_scalar(const struct yaml_tree *tree, uint32_t index,
                            struct error *error) MUST_CHECK;

/* Names a node. If a name is set again, the last node counts. */
bool yaml_tree_set_anchor(struct yaml_tree *tree, const char *name, uint32_t index,
                          struct error *error) MUST_CHECK;

/* The node of that name, or YAML_TREE_NONE. */
uint32_t yaml_tree_find_anchor(const struct yaml_tree *tree, const char *name);

/* The node, or the target if it is an alias. */
struct yaml_tree_node *yaml_tree_at(const struct yaml_tree *tree, uint32_t index);

/* Ends a map or list: computes its height and size. `depth` is its nesting level, itself included.
   Errors: those of yaml_map_close(). */
bool yaml_tree_close(struct yaml_tree *tree, uint32_t index, size_t depth,
                     struct error *error) MUST_CHECK;

void yaml_tree_write(const struct yaml_tree *tree, uint32_t root,
                     struct yaml_document *ret_document);

#endif
