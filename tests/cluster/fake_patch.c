// SPDX-License-Identifier: Apache-2.0

/*
 * Patches: server-side apply of status.conditions and of ownerReferences, merge patches of /scale
 * and of a Secret, and a JSON Patch of a webhook configuration. An identical object is not written,
 * and gets no new version. Deletions with preconditions, too.
 */

#include <string.h>

#include "cJSON_Utils.h"
#include "fake_inside.h"

static cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(get(object, key));
    return text == NULL ? "" : text;
}

/* The reason why kube-apiserver or the CRD's schema refuses the patch; NULL if it does not. */
static const char *fault_of_apply(const struct fake_route *route, const cJSON *applied) {
    char manager[64];
    char force[8];
    const cJSON *condition;
    const char *version = strrchr(text_of(applied, "apiVersion"), '/');
    static const char *const members[] = {"type", "status", "reason", "message",
                                          "lastTransitionTime"};
    if (!fake_query(route->query, "fieldManager", manager, sizeof(manager)) ||
        !fake_query(route->query, "force", force, sizeof(force)) || strcmp(force, "true") != 0) {
        return "fieldManager: Required value: is required for apply patch";
    }
    if (version == NULL || strcmp(version + 1, route->version) != 0 ||
        strcmp(text_of(applied, "kind"), "MCPServer") != 0 ||
        strcmp(text_of(get(applied, "metadata"), "name"), route->name) != 0) {
        return "the object is not the one of the request";
    }
    cJSON_ArrayForEach(condition, get(get(applied, "status"), "conditions")) {
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
            if (text_of(condition, members[i])[0] == '\0') {
                return members[i];
            }
        }
    }
    return NULL;
}

static cJSON *find_condition(const cJSON *conditions, const char *type) {
    cJSON *condition;
    cJSON_ArrayForEach(condition, conditions) {
        if (strcmp(text_of(condition, "type"), type) == 0) {
            return condition;
        }
    }
    return NULL;
}

/* Puts the applied conditions into the list: by type, or in place of the whole list. */
static void merge_conditions(cJSON *status, const cJSON *applied, bool is_map) {
    const cJSON *condition;
    cJSON *conditions = get(status, "conditions");
    if (conditions == NULL || !is_map) {
        cJSON_DeleteItemFromObjectCaseSensitive(status, "conditions");
        conditions = cJSON_AddArrayToObject(status, "conditions");
    }
    cJSON_ArrayForEach(condition, applied) {
        cJSON *copy = cJSON_Duplicate(condition, true);
        cJSON *old = find_condition(conditions, text_of(condition, "type"));
        if (old != NULL) {
            cJSON_ReplaceItemViaPointer(conditions, old, copy);
        } else {
            cJSON_AddItemToArray(conditions, copy);
        }
    }
}

static void reply_with(struct fake_reply *reply, const cJSON *object) {
    char *text = cJSON_PrintUnformatted(object);
    reply->status = 200;
    buffer_add_text(&reply->body, text);
    cJSON_free(text);
}

/* A precondition of a patch: the object must have the value that the patch names. */
static bool holds(const cJSON *patch, const cJSON *object, const char *member) {
    const char *wanted = text_of(get(patch, "metadata"), member);
    return wanted[0] == '\0' || strcmp(wanted, text_of(get(object, "metadata"), member)) == 0;
}

void fake_apply(struct fake_api *api, const struct fake_route *route, const cJSON *applied,
                cJSON *owned_object, struct fake_reply *reply) {
    const char *fault = fault_of_apply(route, applied);
    if (fault != NULL) {
        fake_reply_status(reply, 422, "Invalid", fault);
        cJSON_Delete(owned_object);
        return;
    }
    if (!holds(applied, owned_object, "resourceVersion")) {
        fake_reply_status(reply, 409, "Conflict", "the object has been modified");
        cJSON_Delete(owned_object);
        return;
    }
    cJSON *before = cJSON_Duplicate(owned_object, true);
    cJSON *status = get(owned_object, "status");
    if (status == NULL) {
        status = cJSON_AddObjectToObject(owned_object, "status");
    }
    merge_conditions(status, get(get(applied, "status"), "conditions"), api->is_list_map);
    if (!cJSON_Compare(before, owned_object, true)) {
        fake_store_write(&api->store, route->kind, owned_object);
    }
    reply_with(reply, owned_object);
    cJSON_Delete(before);
    cJSON_Delete(owned_object);
}

/* The Scale of a Deployment. */
static cJSON *make_scale(const cJSON *deployment) {
    static const char *const members[] = {"name", "namespace", "uid", "resourceVersion"};
    cJSON *scale = cJSON_CreateObject();
    const cJSON *metadata = get(deployment, "metadata");
    cJSON_AddStringToObject(scale, "kind", "Scale");
    cJSON_AddStringToObject(scale, "apiVersion", "autoscaling/v1");
    cJSON *scale_metadata = cJSON_AddObjectToObject(scale, "metadata");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        cJSON_AddStringToObject(scale_metadata, members[i], text_of(metadata, members[i]));
    }
    cJSON *spec = cJSON_AddObjectToObject(scale, "spec");
    cJSON_AddItemToObject(spec, "replicas",
                          cJSON_Duplicate(get(get(deployment, "spec"), "replicas"), true));
    return scale;
}

void fake_get_scale(const struct fake_api *api, const char *key, struct fake_reply *reply) {
    cJSON *deployment = fake_store_read(&api->store, FAKE_DEPLOYMENT, key);
    cJSON *scale = make_scale(deployment);
    reply_with(reply, scale);
    cJSON_Delete(scale);
    cJSON_Delete(deployment);
}

void fake_scale(struct fake_api *api, const struct fake_route *route, const cJSON *patch,
                cJSON *owned_object, struct fake_reply *reply) {
    cJSON *spec = get(owned_object, "spec");
    const cJSON *replicas = get(get(patch, "spec"), "replicas");
    if (!cJSON_IsNumber(replicas) || replicas->valuedouble < 0) {
        fake_reply_status(reply, 422, "Invalid", "spec.replicas");
    } else if (!holds(patch, owned_object, "uid") ||
               !holds(patch, owned_object, "resourceVersion")) {
        fake_reply_status(reply, 409, "Conflict", "the precondition does not hold");
    } else {
        if (!cJSON_Compare(replicas, get(spec, "replicas"), true)) {
            cJSON_DeleteItemFromObjectCaseSensitive(spec, "replicas");
            cJSON_AddItemToObject(spec, "replicas", cJSON_Duplicate(replicas, true));
            cJSON *metadata = get(owned_object, "metadata");
            cJSON_SetNumberValue(get(metadata, "generation"),
                                 cJSON_GetNumberValue(get(metadata, "generation")) + 1);
            fake_store_write(&api->store, route->kind, owned_object);
        }
        cJSON *scale = make_scale(owned_object);
        reply_with(reply, scale);
        cJSON_Delete(scale);
    }
    cJSON_Delete(owned_object);
}

/* Adds the owners of an apply. Returns false if the object is another one. */
static bool adopt(cJSON *object, const cJSON *applied) {
    cJSON *metadata = get(object, "metadata");
    const cJSON *owner;
    cJSON *owners = get(metadata, "ownerReferences");
    if (!holds(applied, object, "uid") || !holds(applied, object, "name")) {
        return false;
    }
    if (owners == NULL) {
        owners = cJSON_AddArrayToObject(metadata, "ownerReferences");
    }
    cJSON_ArrayForEach(owner, get(get(applied, "metadata"), "ownerReferences")) {
        cJSON_AddItemToArray(owners, cJSON_Duplicate(owner, true));
    }
    return true;
}

void fake_patch(struct fake_api *api, const struct fake_route *route, const char *content_type,
                const cJSON *patch, cJSON *owned_object, struct fake_reply *reply) {
    cJSON *object = owned_object;
    bool is_done = true;
    bool is_merge = strcmp(content_type, "application/merge-patch+json") == 0;
    if (is_merge && holds(patch, object, "resourceVersion")) {
        object = cJSONUtils_MergePatchCaseSensitive(object, patch);
    } else if (is_merge) {
        is_done = false;
    } else if (cJSON_IsArray(patch)) {
        is_done = cJSONUtils_ApplyPatchesCaseSensitive(object, patch) == 0;
    } else {
        is_done = adopt(object, patch);
    }
    if (is_done) {
        fake_store_write(&api->store, route->kind, object);
        reply_with(reply, object);
    } else {
        fake_reply_status(reply, is_merge ? 409 : 422, is_merge ? "Conflict" : "Invalid",
                          "the object has changed");
    }
    cJSON_Delete(object);
}

void fake_delete(struct fake_api *api, const struct fake_route *route, const cJSON *options,
                 cJSON *owned_object, struct fake_reply *reply) {
    char key[512];
    cJSON *wanted = cJSON_CreateObject();
    cJSON_AddItemToObject(wanted, "metadata", cJSON_Duplicate(get(options, "preconditions"), true));
    fake_store_key(owned_object, key);
    if (holds(wanted, owned_object, "uid") && holds(wanted, owned_object, "resourceVersion")) {
        fake_store_remove(&api->store, route->kind, key);
        reply->status = 200;
        buffer_add_text(&reply->body, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                                      "\"status\":\"Success\"}");
    } else {
        fake_reply_status(reply, 409, "Conflict", "the precondition does not hold");
    }
    cJSON_Delete(wanted);
    cJSON_Delete(owned_object);
}
