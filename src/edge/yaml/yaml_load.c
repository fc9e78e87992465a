// SPDX-License-Identifier: Apache-2.0
#include "yaml_load.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"
#include "yaml_tag.h"
#include "yaml_tree.h"

/* An open map or list. */
struct frame {
    uint32_t node;
    uint32_t last;     /* its last child so far */
    bool is_value_due; /* in a map: the next node is the value of `last` */
};

struct yaml_load {
    yaml_parser_t parser;
    const char *bytes;
    size_t size;
    struct yaml_tree tree;
    struct frame frames[YAML_DEPTH_MAX];
    size_t depth;
    uint32_t root;
    struct yaml_place end;
    bool has_documents;
    bool is_ended;
};

static struct yaml_place place_of(yaml_mark_t mark) {
    return (struct yaml_place){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

struct yaml_load *yaml_load_open(const char *bytes, size_t size) {
    struct yaml_load *load = memory_new(1, sizeof(*load));
    load->bytes = bytes;
    load->size = size;
    load->end = (struct yaml_place){1, 1};
    yaml_tree_init(&load->tree);
    /* If it lacks memory, the first event reports that. */
    (void)yaml_parser_initialize(&load->parser);
    yaml_parser_set_input_string(&load->parser, (const unsigned char *)bytes, size);
    return load;
}

void yaml_load_close(struct yaml_load *load) {
    if (load != NULL) {
        yaml_parser_delete(&load->parser);
        yaml_tree_fini(&load->tree);
        free(load);
    }
}

bool yaml_load_is_malformed(const struct yaml_load *load) {
    return load->parser.error != YAML_NO_ERROR;
}

struct yaml_place yaml_load_end(const struct yaml_load *load) {
    return load->end;
}

/* libyaml's reader gives the byte of a fault and not the line. */
static struct yaml_place place_of_fault(const struct yaml_load *load) {
    const yaml_parser_t *parser = &load->parser;
    if (parser->error != YAML_READER_ERROR) {
        return place_of(parser->problem_mark);
    }
    if (parser->encoding != YAML_UTF8_ENCODING || parser->problem_offset > load->size) {
        return place_of(parser->mark);
    }
    struct yaml_place place = {1, 1};
    yaml_place_advance(&place, load->bytes, load->bytes + parser->problem_offset);
    return place;
}

/* Sets the error and returns true if the line has a template. */
static bool found_template(const struct yaml_load *load, struct yaml_place place,
                           struct error *error) {
    return yaml_place_find_template(load->bytes, load->size, &place) &&
           !yaml_place_fail(error, ERROR_INVALID, place,
                            "'{{' looks like a template; render it first");
}

static bool fail_syntax(const struct yaml_load *load, struct error *error) {
    const yaml_parser_t *parser = &load->parser;
    struct yaml_place place = place_of_fault(load);
    struct yaml_place context = place_of(parser->context_mark);
    if (parser->error == YAML_MEMORY_ERROR || parser->problem == NULL) {
        return error_set(error, ERROR_INTERNAL, "libyaml is out of memory");
    }
    if (parser->error == YAML_READER_ERROR) {
        return yaml_place_fail(error, ERROR_INVALID, place, "malformed text: %s", parser->problem);
    }
    bool has_context = parser->context != NULL && context.line != place.line;
    if (found_template(load, place, error) ||
        (has_context && found_template(load, context, error))) {
        return false;
    }
    if (has_context) {
        return yaml_place_fail(error, ERROR_INVALID, place, "%s (%s that begins at line %u)",
                               parser->problem, parser->context, context.line);
    }
    return yaml_place_fail(error, ERROR_INVALID, place, "%s", parser->problem);
}

static bool is_key_due(const struct yaml_load *load) {
    const struct frame *frame = &load->frames[load->depth - 1];
    return !frame->is_value_due && load->tree.nodes[frame->node].kind == YAML_TREE_MAP;
}

/* Makes a node a key. If its JSON changes, makes a new node, since an anchor may name the old
   one. */
static bool make_key(struct yaml_load *load, uint32_t *node, struct error *error) {
    struct yaml_tree *tree = &load->tree;
    struct yaml_place place = tree->nodes[*node].place;
    const struct yaml_tree_node scalar = *yaml_tree_at(tree, *node);
    if (scalar.kind != YAML_TREE_SCALAR) {
        return !found_template(load, place, error) &&
               yaml_place_fail(error, ERROR_INVALID, place, "a map or a list cannot be a key");
    }
    if (scalar.scalar == YAML_SCALAR_NULL) {
        return yaml_place_fail(error, ERROR_INVALID, place, "null cannot be a key; quote it");
    }
    if (scalar.scalar >= YAML_SCALAR_SPECIAL) {
        return true;
    }
    size_t first = tree->texts.size;
    yaml_scalar_add_key(scalar.scalar, tree->texts.bytes + scalar.first, scalar.size, &tree->texts);
    *node = yaml_tree_add_scalar(tree, YAML_SCALAR_TEXT, first, place);
    return yaml_tree_check_scalar(tree, *node, error);
}

static bool check_value(const struct yaml_load *load, uint32_t node, struct error *error) {
    const struct yaml_tree_node *value = yaml_tree_at(&load->tree, node);
    return value->kind != YAML_TREE_SCALAR || value->scalar != YAML_SCALAR_SPECIAL ||
           yaml_place_fail(error, ERROR_INVALID, load->tree.nodes[node].place,
                           "JSON has no number for %.*s; quote it if it is text",
                           (int)value->size - 2, load->tree.texts.bytes + value->first + 1);
}

static bool place_node(struct yaml_load *load, uint32_t node, struct error *error) {
    if (load->depth == 0) {
        load->root = node;
        return check_value(load, node, error);
    }
    struct frame *frame = &load->frames[load->depth - 1];
    bool is_map = load->tree.nodes[frame->node].kind == YAML_TREE_MAP;
    bool is_key = is_key_due(load);
    if (is_key ? !make_key(load, &node, error) : !check_value(load, node, error)) {
        return false;
    }
    if (frame->last == YAML_TREE_NONE) {
        load->tree.nodes[frame->node].first = node;
    } else {
        load->tree.nodes[frame->last].next = node;
    }
    frame->last = node;
    frame->is_value_due = is_map && is_key;
    return true;
}

static bool add_anchor(struct yaml_load *load, const yaml_char_t *anchor, uint32_t node,
                       struct error *error) {
    return anchor == NULL || yaml_tree_set_anchor(&load->tree, (const char *)anchor, node, error);
}

static bool on_scalar(struct yaml_load *load, const yaml_event_t *event, struct error *error) {
    struct yaml_tree *tree = &load->tree;
    struct yaml_place place = place_of(event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    struct yaml_tag tag = {
        .name = (const char *)event->data.scalar.tag,
        .is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
        .place = place,
    };
    size_t first = tree->texts.size;
    enum yaml_scalar_kind kind;
    if (!yaml_tag_read_scalar(&tag, text, size, &tree->texts, &kind, error)) {
        return false;
    }
    uint32_t node = yaml_tree_add_scalar(tree, kind, first, place);
    return yaml_tree_check_scalar(tree, node, error) &&
           add_anchor(load, event->data.scalar.anchor, node, error) &&
           place_node(load, node, error);
}

static bool on_alias(struct yaml_load *load, const yaml_event_t *event, struct error *error) {
    const char *name = (const char *)event->data.alias.anchor;
    struct yaml_place place = place_of(event->start_mark);
    char quote[YAML_PLACE_QUOTE_SIZE];
    uint32_t target = yaml_tree_find_anchor(&load->tree, name);
    if (target == YAML_TREE_NONE) {
        return yaml_place_fail(error, ERROR_INVALID, place, "there is no anchor '%s'",
                               yaml_place_quote(quote, name, strlen(name)));
    }
    if (load->tree.nodes[target].size == 0) {
        return yaml_place_fail(error, ERROR_INVALID, place, "anchor '%s' contains itself",
                               yaml_place_quote(quote, name, strlen(name)));
    }
    return place_node(load, yaml_tree_add_alias(&load->tree, target, place), error);
}

static bool on_open(struct yaml_load *load, enum yaml_tree_kind kind, const yaml_event_t *event,
                    struct error *error) {
    bool is_map = kind == YAML_TREE_MAP;
    struct yaml_place place = place_of(event->start_mark);
    struct yaml_tag tag = {
        .name =
            (const char *)(is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag),
        .place = place,
    };
    if (!yaml_tag_check(&tag, is_map ? "map" : "seq", error)) {
        return false;
    }
    if (load->depth == YAML_DEPTH_MAX) {
        return yaml_place_fail(error, ERROR_TOO_LARGE, place, "nested more than %d levels deep",
                               YAML_DEPTH_MAX);
    }
    uint32_t node = yaml_tree_add(&load->tree, kind, place);
    const yaml_char_t *anchor =
        is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    if (!add_anchor(load, anchor, node, error) || !place_node(load, node, error)) {
        return false;
    }
    load->frames[load->depth++] = (struct frame){.node = node};
    return true;
}

static bool on_close(struct yaml_load *load, struct error *error) {
    uint32_t node = load->frames[load->depth - 1].node;
    bool is_good = yaml_tree_close(&load->tree, node, load->depth, error);
    load->depth--;
    return is_good;
}

static bool on_event(struct yaml_load *load, const yaml_event_t *event, struct error *error) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(load, event, error);
    case YAML_ALIAS_EVENT:
        return on_alias(load, event, error);
    case YAML_MAPPING_START_EVENT:
        return on_open(load, YAML_TREE_MAP, event, error);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(load, YAML_TREE_LIST, event, error);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return on_close(load, error);
    case YAML_DOCUMENT_START_EVENT:
        yaml_tree_clear(&load->tree);
        return true;
    case YAML_DOCUMENT_END_EVENT:
        load->end = place_of(event->end_mark);
        return true;
    case YAML_NO_EVENT:
        /* libyaml returns this event for ever if it could not start. */
        return error_set(error, ERROR_INTERNAL, "libyaml is out of memory");
    default:
        return true;
    }
}

static bool read_document(struct yaml_load *load, struct error *error) {
    for (;;) {
        AUTO(yaml_event_delete) yaml_event_t event;
        if (!yaml_parser_parse(&load->parser, &event)) {
            return fail_syntax(load, error);
        }
        if (!on_event(load, &event, error)) {
            return false;
        }
        load->is_ended = event.type == YAML_STREAM_END_EVENT;
        if (load->is_ended || event.type == YAML_DOCUMENT_END_EVENT) {
            return true;
        }
    }
}

/* For kubectl, comments alone are a document; for libyaml they are not. */
static bool is_blank(const struct yaml_load *load) {
    const char *end = load->bytes + load->size;
    return yaml_place_pass_blanks(load->bytes, end) == end;
}

static void add_null(struct yaml_load *load) {
    struct yaml_tree *tree = &load->tree;
    yaml_tree_clear(tree);
    enum yaml_scalar_kind kind = yaml_scalar_resolve("", 0, &tree->texts);
    load->root = yaml_tree_add_scalar(tree, kind, 0, (struct yaml_place){1, 1});
}

bool yaml_load_next(struct yaml_load *load, struct yaml_document *ret_document, bool *ret_more,
                    struct error *error) {
    if (!load->is_ended && !read_document(load, error)) {
        return false;
    }
    if (load->is_ended) {
        *ret_more = !load->has_documents && !is_blank(load);
        if (!*ret_more) {
            return true;
        }
        add_null(load);
    }
    load->has_documents = true;
    yaml_tree_write(&load->tree, load->root, ret_document);
    *ret_more = true;
    return true;
}
