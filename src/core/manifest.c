// SPDX-License-Identifier: Apache-2.0
#include "core/manifest.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define DEFAULT_NAMESPACE "default"

struct walk {
    manifest_visit *visit;
    void *context;
    size_t n_others;
};

/* What the list says its items are, for items that do not say it themselves. */
static enum object_kind item_kind(const struct json_text *api_version,
                                  const struct json_text *kind) {
    static const char group[] = TOOLHIVE_GROUP "/";
    char version[OBJECT_GROUP_SIZE];
    if (json_text_is(kind, "DeploymentList") && json_text_is(api_version, "apps/v1")) {
        return OBJECT_DEPLOYMENT;
    }
    bool is_server_list = json_text_is(kind, MCPSERVER_KIND "List") &&
                          json_text_copy(api_version, version, sizeof(version)) &&
                          strncmp(version, group, sizeof(group) - 1) == 0;
    return is_server_list ? OBJECT_MCPSERVER : OBJECT_OTHER;
}

static void visit_object(struct walk *walk, struct object *object, size_t offset) {
    if (object->kind != OBJECT_MCPSERVER && object->kind != OBJECT_DEPLOYMENT) {
        walk->n_others++;
        return;
    }
    if (object->namespace[0] == '\0') {
        text_copy(object->namespace, sizeof(object->namespace), DEFAULT_NAMESPACE);
    }
    walk->visit(walk->context, object, offset);
}

/* The reader stands on the items. */
static void read_items(struct json_reader *reader, enum object_kind kind, struct walk *walk) {
    if (!json_enter_array(reader)) {
        return;
    }
    while (json_next_item(reader)) {
        struct object object;
        size_t offset = json_offset(reader);
        if (object_read(reader, &object)) {
            if (object.kind == OBJECT_OTHER && !object.has_kind) {
                object.kind = kind;
            }
            visit_object(walk, &object, offset);
        } else {
            walk->n_others++;
        }
    }
}

/* What of a document tells a list from an object. */
struct outline {
    struct json_text api_version;
    struct json_text kind;
    bool has_items;
};

static void read_outline(struct json_reader *reader, struct outline *outline) {
    struct json_text key;
    *outline = (struct outline){.api_version = {.at = ""}, .kind = {.at = ""}};
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "apiVersion")) {
            (void)json_read_text(reader, &outline->api_version);
        } else if (json_text_is(&key, "kind")) {
            (void)json_read_text(reader, &outline->kind);
        } else {
            outline->has_items = outline->has_items || json_text_is(&key, "items");
            json_skip(reader);
        }
    }
}

static void read_list(struct json_reader *reader, const struct outline *outline,
                      struct walk *walk) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "items")) {
            read_items(reader, item_kind(&outline->api_version, &outline->kind), walk);
        } else {
            json_skip(reader);
        }
    }
}

static bool is_list(const struct outline *outline) {
    static const char suffix[] = "List";
    char kind[OBJECT_KIND_SIZE];
    if (!outline->has_items || !json_text_copy(&outline->kind, kind, sizeof(kind))) {
        return false;
    }
    size_t size = strlen(kind);
    return size >= strlen(suffix) && strcmp(kind + size - strlen(suffix), suffix) == 0;
}

bool manifest_read(const char *json, size_t size, manifest_visit *visit, void *context,
                   size_t *ret_n_others, struct error *error) {
    struct walk walk = {.visit = visit, .context = context};
    struct json_reader reader;
    struct outline outline;
    json_begin(&reader, json, size);
    if (json_peek(&reader) == JSON_NULL) {
        *ret_n_others = 0;
        json_skip(&reader);
        return json_finish(&reader, error);
    }
    read_outline(&reader, &outline);
    if (!json_finish(&reader, error)) {
        return false;
    }
    json_begin(&reader, json, size);
    if (is_list(&outline)) {
        read_list(&reader, &outline, &walk);
    } else {
        struct object object;
        if (!object_read(&reader, &object)) {
            return error_set_at(error, ERROR_INVALID, 0, "not a Kubernetes object");
        }
        visit_object(&walk, &object, 0);
    }
    *ret_n_others = walk.n_others;
    return json_finish(&reader, error);
}

const char *manifest_fault(const struct object *object) {
    if (!text_is_dns_subdomain(object->name)) {
        return "metadata.name is not a name";
    }
    if (!text_is_dns_label(object->namespace)) {
        return "metadata.namespace is not a name";
    }
    if (object->replicas.state == NUMBER_WRONG) {
        return "spec.replicas is not an integer from 0 to 2147483647";
    }
    if (object->kind == OBJECT_MCPSERVER && object->transport_presence == PRESENCE_WRONG) {
        return "spec.transport is not a word";
    }
    if (object->kind == OBJECT_MCPSERVER && object->provider_presence == PRESENCE_WRONG) {
        return "spec.sessionStorage.provider is not a word";
    }
    return NULL;
}
