// SPDX-License-Identifier: Apache-2.0
#include "yaml_map.h"

#include <stdlib.h>

#include "base/memory.h"
#include "yaml_key.h"

struct member {
    uint32_t key;
    uint32_t value;
};

/* Candidates for the members of a map, in order of precedence: first its own, then those of the
   maps that it merges. */
struct members {
    struct member *at;
    size_t n, n_own;
    uint32_t merge;  /* the merge key, or YAML_TREE_NONE */
    uint32_t before; /* the child before the merge key, or YAML_TREE_NONE */
};

static void members_fini(struct members *members) {
    free(members->at);
}

static void add_member(struct members *members, uint32_t key, uint32_t value) {
    members->at = memory_grow(members->at, members->n, sizeof(*members->at));
    members->at[members->n++] = (struct member){key, value};
}

static bool is_merge(const struct yaml_tree_node *key) {
    return key->kind == YAML_TREE_SCALAR && key->scalar == YAML_SCALAR_MERGE;
}

static bool collect_own(const struct yaml_tree *tree, uint32_t map, struct members *members,
                        struct error *error) {
    uint32_t before = YAML_TREE_NONE;
    for (uint32_t key = tree->nodes[map].first; key != YAML_TREE_NONE;) {
        uint32_t value = tree->nodes[key].next;
        if (!is_merge(&tree->nodes[key])) {
            add_member(members, key, value);
        } else if (members->merge != YAML_TREE_NONE) {
            return yaml_place_fail(error, ERROR_INVALID, tree->nodes[key].place,
                                   "duplicate key '<<' (first at line %u)",
                                   tree->nodes[members->merge].place.line);
        } else {
            members->merge = key;
            members->before = before;
        }
        before = value;
        key = tree->nodes[value].next;
    }
    members->n_own = members->n;
    return true;
}

static bool collect_map(struct yaml_tree *tree, uint32_t source, struct members *members,
                        struct error *error) {
    const struct yaml_tree_node *node = yaml_tree_at(tree, source);
    if (node->kind != YAML_TREE_MAP) {
        return yaml_place_fail(error, ERROR_INVALID, tree->nodes[source].place,
                               "the merge key '<<' takes a map or a list of maps");
    }
    for (uint32_t key = node->first; key != YAML_TREE_NONE;) {
        uint32_t value = tree->nodes[key].next;
        add_member(members, key, value);
        if (++tree->n_merged > YAML_MAP_MERGED_MAX) {
            return yaml_place_fail(error, ERROR_TOO_LARGE, tree->nodes[source].place,
                                   "the document merges more than %d members", YAML_MAP_MERGED_MAX);
        }
        key = tree->nodes[value].next;
    }
    return true;
}

static bool collect_merged(struct yaml_tree *tree, struct members *members, struct error *error) {
    if (members->merge == YAML_TREE_NONE) {
        return true;
    }
    uint32_t source = tree->nodes[members->merge].next;
    if (tree->nodes[source].kind != YAML_TREE_LIST) {
        return collect_map(tree, source, members, error);
    }
    uint32_t item = tree->nodes[source].first;
    for (; item != YAML_TREE_NONE; item = tree->nodes[item].next) {
        if (!collect_map(tree, item, members, error)) {
            return false;
        }
    }
    return true;
}

static struct yaml_key *list_keys(const struct yaml_tree *tree, const struct members *members) {
    struct yaml_key *keys = memory_new(members->n, sizeof(*keys));
    for (size_t i = 0; i < members->n; i++) {
        const struct yaml_tree_node *key = yaml_tree_at(tree, members->at[i].key);
        keys[i] = (struct yaml_key){
            .at = tree->texts.bytes + key->first + 1,
            .size = key->size - 2,
            .order = (uint32_t)i,
            .place = tree->nodes[members->at[i].key].place,
        };
    }
    return keys;
}

/* Drops members that an earlier member with the same key hides. */
static void drop_hidden(struct members *members, const struct yaml_key *keys) {
    for (size_t i = 1; i < members->n; i++) {
        if (yaml_key_equals(&keys[i - 1], &keys[i])) {
            members->at[keys[i].order].key = YAML_TREE_NONE;
        }
    }
}

static void link_child(struct yaml_tree *tree, uint32_t map, uint32_t before, uint32_t child) {
    if (before == YAML_TREE_NONE) {
        tree->nodes[map].first = child;
    } else {
        tree->nodes[before].next = child;
    }
}

/* Replaces the merge key and its value by aliases of the merged members. */
static void link_merged(struct yaml_tree *tree, uint32_t map, const struct members *members) {
    uint32_t behind = tree->nodes[tree->nodes[members->merge].next].next;
    uint32_t last = members->before;
    for (size_t i = members->n_own; i < members->n; i++) {
        const struct member *member = &members->at[i];
        if (member->key != YAML_TREE_NONE) {
            uint32_t key = yaml_tree_add_alias(tree, member->key, tree->nodes[member->key].place);
            uint32_t value =
                yaml_tree_add_alias(tree, member->value, tree->nodes[member->value].place);
            link_child(tree, map, last, key);
            link_child(tree, map, key, value);
            last = value;
        }
    }
    link_child(tree, map, last, behind);
}

bool yaml_map_close(struct yaml_tree *tree, uint32_t map, struct error *error) {
    AUTO(members_fini) struct members members = {0};
    if (!collect_own(tree, map, &members, error) || !collect_merged(tree, &members, error)) {
        return false;
    }
    AUTO_FREE struct yaml_key *keys = list_keys(tree, &members);
    if (!yaml_key_check(keys, members.n, members.n_own, error)) {
        return false;
    }
    if (members.merge != YAML_TREE_NONE) {
        drop_hidden(&members, keys);
        link_merged(tree, map, &members);
    }
    return true;
}
