// SPDX-License-Identifier: Apache-2.0

/*
 * The verbs, with kube-apiserver's answers.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attribute.h"
#include "base/memory.h"
#include "base/text.h"
#include "fake_inside.h"

static cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(get(object, key));
    return text == NULL ? "" : text;
}

void fake_reply_status(struct fake_reply *reply, int code, const char *reason,
                       const char *message) {
    reply->status = code;
    buffer_clear(&reply->body);
    buffer_add_format(&reply->body,
                      "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                      "\"status\":\"Failure\",\"message\":\"%s\",\"reason\":\"%s\",\"code\":%d}",
                      message, reason, code);
}

static void reply_no_page(struct fake_reply *reply) {
    reply->status = 404;
    reply->headers = "Content-Type: text/plain; charset=utf-8\r\n";
    buffer_add_text(&reply->body, "404 page not found\n");
}

static void reply_object(struct fake_reply *reply, int status, const cJSON *object) {
    char *text = cJSON_PrintUnformatted(object);
    reply->status = status;
    buffer_add_text(&reply->body, text);
    free(text);
}

/* Takes the next of a kind's versions: "v1beta1", or "+v1beta1"; false at the end. */
static bool take_version(const char **at, char version[64]) {
    size_t size = strcspn(*at, ",");
    snprintf(version, 64, "%.*s", (int)size, *at);
    *at += size;
    *at += **at == ',';
    return size > 0;
}

/* True if the kind has this version, with its plus if the text has one. */
static bool has_version(const struct fake_api *api, int kind, const char *wanted) {
    char version[64];
    for (const char *at = api->versions[kind]; take_version(&at, version);) {
        if (strcmp(version, wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void add_group_version(cJSON *out, const char *version) {
    char group_version[128];
    const cJSON *old;
    version += *version == '+';
    cJSON_ArrayForEach(old, out) {
        if (strcmp(text_of(old, "version"), version) == 0) {
            return;
        }
    }
    cJSON *item = cJSON_CreateObject();
    snprintf(group_version, sizeof(group_version), "toolhive.stacklok.dev/%s", version);
    cJSON_AddStringToObject(item, "groupVersion", group_version);
    cJSON_AddStringToObject(item, "version", version);
    cJSON_AddItemToArray(out, item);
}

static void get_group(const struct fake_api *api, struct fake_reply *reply) {
    char version[64];
    cJSON *group = cJSON_CreateObject();
    cJSON_AddStringToObject(group, "kind", "APIGroup");
    cJSON_AddStringToObject(group, "apiVersion", "v1");
    cJSON_AddStringToObject(group, "name", "toolhive.stacklok.dev");
    cJSON *versions = cJSON_AddArrayToObject(group, "versions");
    for (int kind = 0; kind < FAKE_FAMILY_COUNT; kind++) {
        for (const char *at = api->versions[kind]; take_version(&at, version);) {
            add_group_version(versions, version);
        }
    }
    if (cJSON_GetArraySize(versions) == 0) {
        reply_no_page(reply);
    } else {
        cJSON_AddItemToObject(group, "preferredVersion",
                              cJSON_Duplicate(cJSON_GetArrayItem(versions, 0), true));
        reply_object(reply, 200, group);
    }
    cJSON_Delete(group);
}

static void add_resource(cJSON *resources, const char *name) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", name);
    cJSON_AddItemToArray(resources, item);
}

static void get_version(const struct fake_api *api, const char *version, struct fake_reply *reply) {
    static const char *const plurals[FAKE_FAMILY_COUNT] = {"mcpservers", "mcpremoteproxies",
                                                           "virtualmcpservers"};
    char foreign[80];
    bool is_there = false;
    cJSON *list = cJSON_CreateObject();
    cJSON_AddStringToObject(list, "kind", "APIResourceList");
    cJSON *resources = cJSON_AddArrayToObject(list, "resources");
    snprintf(foreign, sizeof(foreign), "+%s", version);
    for (int kind = 0; kind < FAKE_FAMILY_COUNT; kind++) {
        if (has_version(api, kind, version)) {
            add_resource(resources, plurals[kind]);
            is_there = true;
        } else if (has_version(api, kind, foreign)) {
            add_resource(resources, "mcpgroups");
            is_there = true;
        }
    }
    if (is_there) {
        reply_object(reply, 200, list);
    } else {
        reply_no_page(reply);
    }
    cJSON_Delete(list);
}

static void add_schema(const struct fake_api *api, cJSON *out, const char *version) {
    if (*version == '+') {
        return;
    }
    cJSON *item = cJSON_CreateObject();
    cJSON *conditions = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", version);
    cJSON_AddBoolToObject(item, "served", true);
    cJSON_AddStringToObject(conditions, "type", "array");
    if (api->is_list_map) {
        cJSON *keys = cJSON_AddArrayToObject(conditions, "x-kubernetes-list-map-keys");
        cJSON_AddItemToArray(keys, cJSON_CreateString("type"));
        cJSON_AddStringToObject(conditions, "x-kubernetes-list-type", "map");
    }
    cJSON *schema =
        cJSON_AddObjectToObject(cJSON_AddObjectToObject(item, "schema"), "openAPIV3Schema");
    cJSON_AddStringToObject(schema, "type", "object");
    cJSON *status =
        cJSON_AddObjectToObject(cJSON_AddObjectToObject(schema, "properties"), "status");
    cJSON_AddItemToObject(cJSON_AddObjectToObject(status, "properties"), "conditions", conditions);
    cJSON_AddItemToArray(out, item);
}

static void get_definition(const struct fake_api *api, struct fake_reply *reply) {
    if (api->versions[FAKE_SERVER][0] == '\0') {
        fake_reply_status(reply, 404, "NotFound", "customresourcedefinitions not found");
        return;
    }
    char version[64];
    cJSON *definition = cJSON_CreateObject();
    cJSON_AddStringToObject(definition, "kind", "CustomResourceDefinition");
    cJSON_AddStringToObject(definition, "apiVersion", "apiextensions.k8s.io/v1");
    cJSON *spec = cJSON_AddObjectToObject(definition, "spec");
    cJSON_AddStringToObject(spec, "group", "toolhive.stacklok.dev");
    cJSON *versions = cJSON_AddArrayToObject(spec, "versions");
    for (const char *at = api->versions[FAKE_SERVER]; take_version(&at, version);) {
        add_schema(api, versions, version);
    }
    reply_object(reply, 200, definition);
    cJSON_Delete(definition);
}

static void list(const struct fake_api *api, const struct fake_route *route,
                 struct fake_reply *reply) {
    char limit[32];
    char version[64];
    char next[1024];
    const struct fake_store *store = &api->store;
    fake_query(route->query, "limit", limit, sizeof(limit));
    fake_query(route->query, "continue", next, sizeof(next));
    fake_query(route->query, "resourceVersion", version, sizeof(version));
    if (strtoll(version, NULL, 10) > store->version) {
        fake_reply_status(reply, 504, "Timeout", "Too large resource version");
        return;
    }
    if (next[0] != '\0' && strtoll(next, NULL, 10) < store->compacted) {
        fake_reply_status(reply, 410, "Expired", "The provided continue parameter is too old");
        return;
    }
    /* The token is "version+key==". */
    char *after = strchr(next, '+');
    if (next[0] != '\0' && (after == NULL || strcmp(next + strlen(next) - 2, "==") != 0)) {
        fake_reply_status(reply, 400, "BadRequest", "invalid continue token");
        return;
    }
    if (after != NULL) {
        after[strlen(after) - 2] = '\0';
        after++;
    }
    /* Version 0 means the cache, which has no pages. */
    size_t n = strcmp(version, "0") == 0 ? 0 : strtoul(limit, NULL, 10);
    reply->status = 200;
    fake_store_list(store, route->kind, route->namespace, n, after, &reply->body);
}

/* The fraction must have exactly six digits. */
static bool is_micro_time(const char *text) {
    const char *dot = strchr(text, '.');
    return dot != NULL && strspn(dot + 1, "0123456789") == 6 && strcmp(dot + 7, "Z") == 0;
}

/* The fault of a Lease, or NULL. */
static const char *fault_of_lease(const cJSON *lease) {
    const cJSON *spec = get(lease, "spec");
    if (!is_micro_time(text_of(spec, "renewTime")) ||
        !is_micro_time(text_of(spec, "acquireTime"))) {
        return "a time is no MicroTime";
    }
    return cJSON_GetNumberValue(get(spec, "leaseDurationSeconds")) > 0
               ? NULL
               : "leaseDurationSeconds must be greater than 0";
}

static void create(struct fake_api *api, const struct fake_route *route, cJSON *object,
                   struct fake_reply *reply) {
    char key[512];
    const cJSON *metadata = get(object, "metadata");
    fake_store_key(object, key);
    if (strcmp(text_of(metadata, "namespace"), route->namespace) != 0 || route->name[0] != '\0') {
        fake_reply_status(reply, 400, "BadRequest", "the namespace does not match");
    } else if (route->kind == FAKE_LEASE && fault_of_lease(object) != NULL) {
        fake_reply_status(reply, 422, "Invalid", fault_of_lease(object));
    } else if (fake_store_find(&api->store, route->kind, key) != NULL) {
        fake_reply_status(reply, 409, "AlreadyExists", "it already exists");
    } else {
        fake_store_put(&api->store, route->kind, object);
        reply_object(reply, 201, object);
    }
}

/* PUT of a whole Lease, or of /status. */
static void replace(struct fake_api *api, const struct fake_route *route, cJSON *object,
                    cJSON *owned_old, struct fake_reply *reply) {
    const char *version = text_of(get(object, "metadata"), "resourceVersion");
    bool is_status = strcmp(route->subresource, "status") == 0;
    if (version[0] == '\0') {
        fake_reply_status(reply, 422, "Invalid", "metadata.resourceVersion: must be specified");
    } else if (strcmp(version, text_of(get(owned_old, "metadata"), "resourceVersion")) != 0) {
        fake_reply_status(reply, 409, "Conflict", "the object has been modified");
    } else if (route->kind == FAKE_LEASE && fault_of_lease(object) != NULL) {
        fake_reply_status(reply, 422, "Invalid", fault_of_lease(object));
    } else if (is_status) {
        cJSON_DeleteItemFromObjectCaseSensitive(owned_old, "status");
        cJSON_AddItemToObject(owned_old, "status", cJSON_Duplicate(get(object, "status"), true));
        fake_store_write(&api->store, route->kind, owned_old);
        reply_object(reply, 200, owned_old);
    } else {
        fake_store_put(&api->store, route->kind, object);
        reply_object(reply, 200, object);
    }
    cJSON_Delete(owned_old);
}

static void update(struct fake_api *api, const struct fake_route *route, const char *content_type,
                   cJSON *object, struct fake_reply *reply) {
    char key[512];
    snprintf(key, sizeof(key), "%s/%s", route->namespace, route->name);
    cJSON *old = fake_store_read(&api->store, route->kind, key);
    bool is_patch = strcmp(route->verb, "PATCH") == 0;
    if (old == NULL) {
        fake_reply_status(reply, 404, "NotFound", "there is none of this name");
    } else if (strcmp(route->verb, "DELETE") == 0) {
        fake_delete(api, route, object, TAKE(old), reply);
    } else if (is_patch && (route->kind == FAKE_SECRET || route->kind == FAKE_CONFIGURATION)) {
        fake_patch(api, route, content_type, object, TAKE(old), reply);
    } else if (!is_patch &&
               (route->kind == FAKE_LEASE || strcmp(route->subresource, "status") == 0)) {
        replace(api, route, object, TAKE(old), reply);
    } else if (is_patch && strcmp(route->subresource, "status") == 0) {
        fake_apply(api, route, object, TAKE(old), reply);
    } else if (is_patch && strcmp(route->subresource, "scale") == 0) {
        fake_scale(api, route, object, TAKE(old), reply);
    } else {
        fake_reply_status(reply, 405, "MethodNotAllowed", "the fake does not do this");
    }
    cJSON_Delete(old);
}

static void get_one(const struct fake_api *api, const struct fake_route *route,
                    struct fake_reply *reply) {
    char key[512];
    snprintf(key, sizeof(key), "%s/%s", route->namespace, route->name);
    const struct fake_object *object = fake_store_find(&api->store, route->kind, key);
    if (object == NULL) {
        fake_reply_status(reply, 404, "NotFound", "there is none of this name");
        return;
    }
    if (route->kind == FAKE_DEPLOYMENT && strcmp(route->subresource, "scale") == 0) {
        fake_get_scale(api, key, reply);
        return;
    }
    reply->status = 200;
    fake_store_print(&api->store, route->kind, object, false, &reply->body);
}

bool fake_is_served(const struct fake_api *api, const struct fake_route *route) {
    return route->kind >= FAKE_FAMILY_COUNT ||
           (route->version[0] != '\0' && has_version(api, route->kind, route->version));
}

static void change(struct fake_api *api, const struct fake_route *route,
                   const struct fake_message *message, struct fake_reply *reply) {
    static const char *const patches[][2] = {
        {"status", "application/apply-patch+yaml"},
        {"scale", "application/merge-patch+json"},
    };
    cJSON *object = cJSON_ParseWithLength(message->body.bytes, message->body.size);
    const char *expected = "application/json";
    for (size_t i = 0; strcmp(route->verb, "PATCH") == 0 && i < COUNT_OF(patches); i++) {
        expected = strcmp(route->subresource, patches[i][0]) == 0 ? patches[i][1] : expected;
    }
    if (route->kind == FAKE_SECRET && strcmp(route->verb, "PATCH") == 0) {
        expected = "application/merge-patch+json";
    } else if (route->kind == FAKE_CONFIGURATION && strcmp(route->verb, "PATCH") == 0) {
        expected =
            cJSON_IsArray(object) ? "application/json-patch+json" : "application/apply-patch+yaml";
    }
    if (strcmp(message->content_type, expected) != 0) {
        fake_reply_status(reply, 415, "UnsupportedMediaType", message->content_type);
    } else if (object == NULL) {
        fake_reply_status(reply, 400, "BadRequest", "this is no JSON");
    } else if (strcmp(route->verb, "POST") == 0) {
        create(api, route, object, reply);
    } else {
        update(api, route, message->content_type, object, reply);
    }
    cJSON_Delete(object);
}

void fake_do(struct fake_api *api, const struct fake_route *route,
             const struct fake_message *message, struct fake_reply *reply) {
    bool is_get = strcmp(message->method, "GET") == 0;
    if (is_get && route->place == FAKE_VERSION) {
        get_version(api, route->version, reply);
        return;
    }
    if (is_get && route->place == FAKE_GROUP) {
        get_group(api, reply);
    } else if (is_get && route->place == FAKE_DEFINITION) {
        get_definition(api, reply);
    } else if (route->place != FAKE_RESOURCE || !fake_is_served(api, route)) {
        reply_no_page(reply);
    } else if (is_get && route->name[0] == '\0') {
        list(api, route, reply);
    } else if (is_get) {
        get_one(api, route, reply);
    } else {
        change(api, route, message, reply);
    }
}
