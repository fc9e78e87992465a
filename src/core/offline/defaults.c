// SPDX-License-Identifier: Apache-2.0
#include "core/offline/defaults.h"

#include "base/json_edit.h"

enum { KEYS_MAX = 4 };

struct path {
    const char *keys[KEYS_MAX];
    size_t n;
};

struct rule {
    enum object_kind kind;
    struct path parent; /* must be an object, */
    bool is_made;       /* or, if so, may be missing */
    const char *key;
    const char *value;
    enum {
        ALWAYS,
        OR_EMPTY,          /* also where the text is empty, which in Go is as good as absent */
        IF_ROLLING_UPDATE, /* only where that is the strategy */
    } condition;
};

#define SPEC                                                                                       \
    { {"spec"}, 1 }
#define POD_SPEC                                                                                   \
    { {"spec", "template", "spec"}, 3 }
#define STRATEGY                                                                                   \
    { {"spec", "strategy"}, 2 }
#define ROLLING_UPDATE                                                                             \
    { {"spec", "strategy", "rollingUpdate"}, 3 }

/* In this order: the members of rollingUpdate follow from the type. */
static const struct rule rules[] = {
    {OBJECT_MCPSERVER, SPEC, false, "transport", "\"stdio\"", ALWAYS},
    {OBJECT_DEPLOYMENT, SPEC, false, "replicas", "1", ALWAYS},
    {OBJECT_DEPLOYMENT, POD_SPEC, false, "terminationGracePeriodSeconds", "30", ALWAYS},
    {OBJECT_DEPLOYMENT, STRATEGY, true, "type", "\"RollingUpdate\"", OR_EMPTY},
    {OBJECT_DEPLOYMENT, ROLLING_UPDATE, true, "maxSurge", "\"25%\"", IF_ROLLING_UPDATE},
    {OBJECT_DEPLOYMENT, ROLLING_UPDATE, true, "maxUnavailable", "\"25%\"", IF_ROLLING_UPDATE},
};

struct document {
    const char *json; /* borrowed */
    size_t size;
};

/* JSON_NONE if there is no such value. */
static enum json_kind kind_at(const struct document *document, const struct path *path,
                              struct json_text *ret_raw) {
    struct json_reader reader;
    if (!json_edit_find(document->json, document->size, path->keys, path->n, ret_raw)) {
        return JSON_NONE;
    }
    json_begin(&reader, ret_raw->at, ret_raw->size);
    return json_peek(&reader);
}

static bool text_at_is(const struct document *document, const struct path *path,
                       const char *expected) {
    struct json_text raw;
    struct json_text text;
    struct json_reader reader;
    if (kind_at(document, path, &raw) != JSON_STRING) {
        return false;
    }
    json_begin(&reader, raw.at, raw.size);
    return json_read_text(&reader, &text) && json_text_is(&text, expected);
}

static bool is_absent(enum json_kind kind) {
    return kind == JSON_NONE || kind == JSON_NULL;
}

/* Is there an object at the path, or, with `may_be_made`, one that can be made there? */
static bool is_object(const struct document *document, const struct path *path, bool may_be_made) {
    struct json_text raw;
    for (struct path parent = {.n = 0}; parent.n < path->n;) {
        parent.keys[parent.n] = path->keys[parent.n];
        parent.n++;
        enum json_kind kind = kind_at(document, &parent, &raw);
        /* spec itself is never made. */
        if (kind != JSON_OBJECT && !(may_be_made && parent.n > 1 && is_absent(kind))) {
            return false;
        }
    }
    return true;
}

static bool is_due(const struct rule *rule, const struct path *path,
                   const struct document *document) {
    static const struct path type = {{"spec", "strategy", "type"}, 3};
    struct json_text raw;
    if (!is_object(document, &rule->parent, rule->is_made) ||
        (rule->condition == IF_ROLLING_UPDATE && !text_at_is(document, &type, "RollingUpdate"))) {
        return false;
    }
    return is_absent(kind_at(document, path, &raw)) ||
           (rule->condition == OR_EMPTY && text_at_is(document, path, ""));
}

/* The document is in `storage` if a rule has changed it. */
static bool carry_out(const struct rule *rule, struct document *document, struct buffer *storage,
                      bool *ret_any, struct error *error) {
    struct path path = rule->parent;
    path.keys[path.n++] = rule->key;
    if (!is_due(rule, &path, document)) {
        return true;
    }
    struct buffer changed;
    buffer_init(&changed, SIZE_MAX);
    if (!json_edit_add(document->json, document->size, path.keys, path.n, rule->value, &changed,
                       error)) {
        buffer_fini(&changed);
        return false;
    }
    buffer_fini(storage);
    *storage = changed;
    *document = (struct document){changed.bytes, changed.size};
    *ret_any = true;
    return true;
}

bool defaults_apply(enum object_kind kind, const char *json, size_t size, struct buffer *out,
                    bool *ret_any, struct error *error) {
    AUTO(buffer_fini) struct buffer storage;
    struct document document = {json, size};
    struct json_reader reader;
    bool is_any = false;
    buffer_init(&storage, SIZE_MAX);
    json_begin(&reader, json, size);
    json_skip(&reader);
    if (!json_finish(&reader, error)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (rules[i].kind == kind && !carry_out(&rules[i], &document, &storage, &is_any, error)) {
            return false;
        }
    }
    buffer_add(out, document.json, document.size);
    *ret_any = is_any;
    return true;
}
