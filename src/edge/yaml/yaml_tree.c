// SPDX-License-Identifier: Apache-2.0
#include "yaml_tree.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "yaml_map.h"

struct anchor {
    char *name;
    uint32_t node;
};

static void anchor_free(void *owned) {
    struct anchor *anchor = owned;
    free(anchor->name);
    free(anchor);
}

static void clear_anchors(struct yaml_tree *tree) {
    tdestroy(tree->anchors, anchor_free);
    tree->anchors = NULL;
}

void yaml_tree_init(struct yaml_tree *tree) {
    *tree = (struct yaml_tree){0};
    /* A key that is not text is stored twice. Everything else here also goes into the JSON once. */
    buffer_init_secret(&tree->texts, (size_t)YAML_JSON_MAX * 2);
    yaml_tree_clear(tree);
}

void yaml_tree_fini(struct yaml_tree *tree) {
    clear_anchors(tree);
    free(tree->nodes);
    buffer_fini(&tree->texts);
    *tree = (struct yaml_tree){0};
}

void yaml_tree_clear(struct yaml_tree *tree) {
    clear_anchors(tree);
    buffer_clear(&tree->texts);
    tree->n_nodes = 0;
    tree->n_merged = 0;
    yaml_tree_add(tree, YAML_TREE_SCALAR, (struct yaml_place){1, 1});
}

uint32_t yaml_tree_add(struct yaml_tree *tree, enum yaml_tree_kind kind, struct yaml_place place) {
    tree->nodes = memory_grow(tree->nodes, tree->n_nodes, sizeof(*tree->nodes));
    tree->nodes[tree->n_nodes] = (struct yaml_tree_node){.kind = (uint8_t)kind, .place = place};
    return (uint32_t)tree->n_nodes++;
}

uint32_t yaml_tree_add_scalar(struct yaml_tree *tree, enum yaml_scalar_kind kind, size_t first,
                              struct yaml_place place) {
    uint32_t scalar = yaml_tree_add(tree, YAML_TREE_SCALAR, place);
    tree->nodes[scalar].scalar = (uint8_t)kind;
    tree->nodes[scalar].first = (uint32_t)first;
    tree->nodes[scalar].size = (uint32_t)(tree->texts.size - first);
    return scalar;
}

uint32_t yaml_tree_add_alias(struct yaml_tree *tree, uint32_t target, struct yaml_place place) {
    if (tree->nodes[target].kind == YAML_TREE_ALIAS) {
        target = tree->nodes[target].first;
    }
    uint32_t alias = yaml_tree_add(tree, YAML_TREE_ALIAS, place);
    tree->nodes[alias].first = target;
    return alias;
}

struct yaml_tree_node *yaml_tree_at(const struct yaml_tree *tree, uint32_t index) {
    struct yaml_tree_node *node = &tree->nodes[index];
    return node->kind == YAML_TREE_ALIAS ? &tree->nodes[node->first] : node;
}

static int compare_names(const void *a, const void *b) {
    const struct anchor *left = a;
    const struct anchor *right = b;
    return strcmp(left->name, right->name);
}

static struct anchor *find_anchor(const struct yaml_tree *tree, const char *name) {
    const struct anchor wanted = {.name = (char *)(uintptr_t)name};
    struct anchor **slot = tfind(&wanted, &tree->anchors, compare_names);
    return slot != NULL ? *slot : NULL;
}

bool yaml_tree_set_anchor(struct yaml_tree *tree, const char *name, uint32_t index,
                          struct error *error) {
    struct anchor *anchor = find_anchor(tree, name);
    if (anchor == NULL) {
        anchor = memory_new(1, sizeof(*anchor));
        anchor->name = memory_copy(name, strlen(name));
        if (tsearch(anchor, &tree->anchors, compare_names) == NULL) {
            anchor_free(anchor);
            return error_set(error, ERROR_INTERNAL, "out of memory for an anchor");
        }
    }
    anchor->node = index;
    return true;
}

uint32_t yaml_tree_find_anchor(const struct yaml_tree *tree, const char *name) {
    const struct anchor *anchor = find_anchor(tree, name);
    return anchor != NULL ? anchor->node : YAML_TREE_NONE;
}

static bool check_size(struct yaml_place place, uint64_t size, struct error *error) {
    return size <= YAML_JSON_MAX ||
           yaml_place_fail(error, ERROR_TOO_LARGE, place,
                           "the document becomes more than %u bytes of JSON", YAML_JSON_MAX);
}

bool yaml_tree_check_scalar(const struct yaml_tree *tree, uint32_t index, struct error *error) {
    const struct yaml_tree_node *node = &tree->nodes[index];
    return check_size(node->place, tree->texts.is_cut ? UINT64_MAX : node->size, error);
}

/* Sums the sizes of the children. Each child has one byte beside it: a colon, a comma, or the
   closing bracket in place of the last comma. */
static bool measure(struct yaml_tree *tree, struct yaml_tree_node *parent, struct error *error) {
    uint64_t size = parent->first == YAML_TREE_NONE ? 2 : 1;
    uint16_t height = 0;
    for (uint32_t i = parent->first; i != YAML_TREE_NONE; i = tree->nodes[i].next) {
        const struct yaml_tree_node *child = yaml_tree_at(tree, i);
        size += (uint64_t)child->size + 1;
        height = MAX(height, child->height);
    }
    if (!check_size(parent->place, size, error)) {
        return false;
    }
    parent->size = (uint32_t)size;
    parent->height = (uint16_t)(height + 1);
    return true;
}

bool yaml_tree_close(struct yaml_tree *tree, uint32_t index, size_t depth, struct error *error) {
    if (tree->nodes[index].kind == YAML_TREE_MAP && !yaml_map_close(tree, index, error)) {
        return false;
    }
    struct yaml_tree_node *node = &tree->nodes[index];
    if (!measure(tree, node, error)) {
        return false;
    }
    return depth - 1 + node->height <= YAML_DEPTH_MAX ||
           yaml_place_fail(error, ERROR_TOO_LARGE, node->place,
                           "aliases make it nest more than %d levels deep", YAML_DEPTH_MAX);
}

struct level {
    uint32_t next;
    bool is_map;
    bool is_value; /* in a map: the next child is a value */
};

struct writer {
    const struct yaml_tree *tree;
    struct yaml_document *document;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth;
};

static void begin_node(struct writer *writer, uint32_t index) {
    const struct yaml_tree_node *node = yaml_tree_at(writer->tree, index);
    struct buffer *json = &writer->document->json;
    yaml_place_mark(writer->tree->nodes[index].place, writer->document);
    if (node->kind == YAML_TREE_SCALAR) {
        buffer_add(json, writer->tree->texts.bytes + node->first, node->size);
        return;
    }
    bool is_map = node->kind == YAML_TREE_MAP;
    buffer_add_byte(json, is_map ? '{' : '[');
    writer->levels[writer->depth++] = (struct level){.next = node->first, .is_map = is_map};
}

static void write_child(struct writer *writer, struct level *level) {
    uint32_t child = level->next;
    struct buffer *json = &writer->document->json;
    char last = json->bytes[json->size - 1];
    if (level->is_value) {
        buffer_add_byte(json, ':');
    } else if (last != '{' && last != '[') {
        buffer_add_byte(json, ',');
    }
    level->next = writer->tree->nodes[child].next;
    level->is_value = level->is_map && !level->is_value;
    begin_node(writer, child);
}

void yaml_tree_write(const struct yaml_tree *tree, uint32_t root,
                     struct yaml_document *ret_document) {
    AUTO_FREE struct writer *writer = memory_new(1, sizeof(*writer));
    *ret_document = (struct yaml_document){0};
    size_t size = yaml_tree_at(tree, root)->size;
    buffer_init_secret(&ret_document->json, size);
    buffer_reserve(&ret_document->json, size);
    writer->tree = tree;
    writer->document = ret_document;
    begin_node(writer, root);
    while (writer->depth > 0) {
        struct level *level = &writer->levels[writer->depth - 1];
        if (level->next != YAML_TREE_NONE) {
            write_child(writer, level);
        } else {
            buffer_add_byte(&ret_document->json, level->is_map ? '}' : ']');
            writer->depth--;
        }
    }
    assert(ret_document->json.size == size && !ret_document->json.is_cut);
}
