// SPDX-License-Identifier: Apache-2.0
#include "core/offline/placeholder.h"

#include <string.h>

#include "base/json_edit.h"

enum { KEYS_MAX = 5 };

struct path {
    const char *keys[KEYS_MAX];
    size_t n_keys;
};

static const struct path paths[] = {
    {{"metadata", "name"}, 2},
    {{"metadata", "namespace"}, 2},
    {{"metadata", "labels", "app.kubernetes.io/name"}, 3},
    {{"metadata", "labels", "app.kubernetes.io/instance"}, 3},
    {{"metadata", "ownerReferences"}, 2},
    {{"spec", "transport"}, 2},
    {{"spec", "replicas"}, 2},
    {{"spec", "backendReplicas"}, 2},
    {{"spec", "sessionAffinity"}, 2},
    {{"spec", "sessionStorage", "provider"}, 3},
    {{"spec", "scaleTargetRef"}, 2},
    {{"spec", "maxReplicas"}, 2},
    {{"spec", "maxReplicaCount"}, 2},
    {{"spec", "strategy"}, 2},
    {{"spec", "template", "metadata", "annotations", "toolhive.stacklok.dev/mcpserver-generation"},
     5},
    {{"spec", "template", "spec", "terminationGracePeriodSeconds"}, 4},
};

static bool has_placeholder(const struct json_text *text) {
    const char *end = text->at + text->size;
    for (const char *at = text->at; end - at >= 2; at++) {
        if (at[0] == '{' && at[1] == '{') {
            return true;
        }
    }
    return false;
}

static bool is_placeholder_at(const struct manifest_item *item, const struct path *path,
                              size_t *ret_offset) {
    struct json_text raw;
    if (!json_edit_find(item->raw.at, item->raw.size, path->keys, path->n_keys, &raw) ||
        !has_placeholder(&raw)) {
        return false;
    }
    *ret_offset = item->offset + (size_t)(raw.at - item->raw.at);
    return true;
}

/* In any group, since the apiVersion may hold the placeholder. */
static bool is_known_kind(const char *kind) {
    for (int i = OBJECT_OTHER + 1; i < OBJECT_KIND_COUNT; i++) {
        if (strcmp(kind, kind_rows[i].kind) == 0) {
            return true;
        }
    }
    return false;
}

bool placeholder_find(const struct manifest_item *item, size_t *ret_offset) {
    static const struct path kind = {{"kind"}, 1};
    static const struct path version = {{"apiVersion"}, 1};
    if (!has_placeholder(&item->raw)) {
        return false;
    }
    if (is_placeholder_at(item, &kind, ret_offset)) {
        return true;
    }
    bool is_known = is_known_kind(item->kind);
    bool is_found = is_known && is_placeholder_at(item, &version, ret_offset);
    for (size_t i = 0; is_known && !is_found && i < COUNT_OF(paths); i++) {
        is_found = is_placeholder_at(item, &paths[i], ret_offset);
    }
    return is_found;
}
