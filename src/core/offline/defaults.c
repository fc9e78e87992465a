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
    struct path parent; /* must be an object */
    bool is_made;       /* if it is missing, an empty one is made */
    const char *key;
    const char *value;
    enum {
        ALWAYS,
        OR_EMPTY,          /* also if the text is empty, which Go takes for absent */
        IF_ROLLING_UPDATE, /* only with that strategy */
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

/* The order matters: the type decides about the members of rollingUpdate. */
static const struct rule rules[] = {
    {OBJECT_MCPSERVER, SPEC, false, "transport", "\"stdio\"", ALWAYS},
    {OBJECT_DEPLOYMENT, SPEC, false, "replicas", "1", ALWAYS},
    {OBJECT_DEPLOYMENT, POD_SPEC, false, "terminationGracePeriodSeconds", "30", ALWAYS},
    {OBJECT_DEPLOYMENT, STRATEGY, true, "type", "\"RollingUpdate\"", OR_EMPTY},
    {OBJECT_DEPLOYMENT, ROLLING_UPDATE, true, "maxSurge", "\"25%\"", IF_ROLLING_UPDATE},
    {OBJECT_DEPLOYMENT, ROLLING_UPDATE, true, "maxUnavailable", "\"25%\"", IF_ROLLING_UPDATE},
};

/* JSON_NONE if no value is there. */
static enum json_kind kind_at(const struct buffer *json, const struct path *path) {
    struct json_text raw;
    struct json_reader reader;
    if (!json_edit_find(json->bytes, json->size, path->keys, path->n, &raw)) {
        return JSON_NONE;
    }
    json_begin(&reader, raw.at, raw.size);
    return json_peek(&reader);
}

static bool text_at_is(const struct buffer *json, const struct path *path, const char *expected) {
    struct json_text text;
    return json_edit_find_text(json->bytes, json->size, path->keys, path->n, &text) &&
           json_text_is(&text, expected);
}

static bool is_absent(enum json_kind kind) {
    return kind == JSON_NONE || kind == JSON_NULL;
}

/* Is there an object at the path, or, with `may_be_made`, room for one? */
static bool is_object(const struct buffer *json, const struct path *path, bool may_be_made) {
    for (struct path parent = {.n = 0}; parent.n < path->n;) {
        parent.keys[parent.n] = path->keys[parent.n];
        parent.n++;
        enum json_kind kind = kind_at(json, &parent);
        /* `spec` itself is never made. */
        if (kind != JSON_OBJECT && !(may_be_made && parent.n > 1 && is_absent(kind))) {
            return false;
        }
    }
    return true;
}

static bool is_due(const struct rule *rule, const struct path *path, const struct buffer *json) {
    static const struct path type = {{"spec", "strategy", "type"}, 3};
    if (!is_object(json, &rule->parent, rule->is_made) ||
        (rule->condition == IF_ROLLING_UPDATE && !text_at_is(json, &type, "RollingUpdate"))) {
        return false;
    }
    return is_absent(kind_at(json, path)) ||
           (rule->condition == OR_EMPTY && text_at_is(json, path, ""));
}

static bool carry_out(const struct rule *rule, struct buffer *json, bool *any,
                      struct error *error) {
    struct path path = rule->parent;
    path.keys[path.n++] = rule->key;
    if (!is_due(rule, &path, json)) {
        return true;
    }
    *any = true;
    return json_edit_set(json, path.keys, path.n, rule->value, error);
}

bool defaults_apply(enum object_kind kind, const char *json, size_t size, struct buffer *out,
                    bool *ret_any, struct error *error) {
    AUTO(buffer_fini) struct buffer changed;
    struct json_reader reader;
    bool is_any = false;
    buffer_init(&changed, SIZE_MAX);
    json_begin(&reader, json, size);
    json_skip(&reader);
    if (!json_finish(&reader, error)) {
        return false;
    }
    buffer_add(&changed, json, size);
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (rules[i].kind == kind && !carry_out(&rules[i], &changed, &is_any, error)) {
            return false;
        }
    }
    buffer_add(out, changed.bytes, changed.size);
    *ret_any = is_any;
    return true;
}
