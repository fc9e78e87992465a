// SPDX-License-Identifier: Apache-2.0

/*
 * The functions of fake_api.h that change the objects, the behaviour and the faults of the server.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "edge/clock.h"
#include "fake_inside.h"

static void lock(struct fake_api *api) {
    pthread_mutex_lock(&api->mutex);
}

/* Wakes all waiting threads. Each checks its own condition. */
static void unlock(struct fake_api *api) {
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->mutex);
}

static void make_key(const char *namespace, const char *name, char out[512]) {
    snprintf(out, 512, "%s/%s", namespace, name);
}

/* Its objects show the first version that is its own. */
static void set_versions(struct fake_api *api, enum fake_kind kind, const char *versions) {
    const char *at = versions;
    while (*at == '+') {
        at += strcspn(at, ",");
        at += *at == ',';
    }
    text_copy(api->versions[kind], sizeof(api->versions[kind]), versions);
    if (*at != '\0') {
        snprintf(api->store.family_versions[kind], sizeof(api->store.family_versions[kind]), "%.*s",
                 (int)strcspn(at, ","), at);
    }
}

void fake_set_versions(struct fake_api *api, const char *versions) {
    lock(api);
    for (int kind = 0; kind < FAKE_FAMILY_COUNT; kind++) {
        set_versions(api, (enum fake_kind)kind, versions);
    }
    unlock(api);
}

void fake_set_versions_of(struct fake_api *api, enum fake_kind kind, const char *versions) {
    lock(api);
    set_versions(api, kind, versions);
    unlock(api);
}

bool fake_is_installed(struct fake_api *api, enum fake_kind kind) {
    lock(api);
    bool is_installed = api->versions[kind][0] != '\0';
    unlock(api);
    return is_installed;
}

void fake_set_list_map(struct fake_api *api, bool is_map) {
    lock(api);
    api->is_list_map = is_map;
    unlock(api);
}

void fake_set_token(struct fake_api *api, const char *token) {
    lock(api);
    api->authorization[0] = '\0';
    if (token != NULL) {
        snprintf(api->authorization, sizeof(api->authorization), "Bearer %s", token);
    }
    unlock(api);
}

void fake_set_clock(struct fake_api *api, int64_t ahead_s) {
    lock(api);
    api->has_clock = true;
    api->ahead_s = ahead_s;
    api->date[0] = '\0';
    unlock(api);
}

void fake_set_date(struct fake_api *api, const char *text) {
    lock(api);
    text_copy(api->date, sizeof(api->date), text);
    unlock(api);
}

void fake_put(struct fake_api *api, enum fake_kind kind, const char *json) {
    cJSON *object = cJSON_Parse(json);
    if (object == NULL) {
        fprintf(stderr, "this is no JSON: %s\n", json);
        abort();
    }
    lock(api);
    fake_store_put(&api->store, kind, object);
    unlock(api);
    cJSON_Delete(object);
}

void fake_remove(struct fake_api *api, enum fake_kind kind, const char *namespace,
                 const char *name) {
    char key[512];
    make_key(namespace, name, key);
    lock(api);
    fake_store_remove(&api->store, kind, key);
    unlock(api);
}

cJSON *fake_get(struct fake_api *api, enum fake_kind kind, const char *namespace,
                const char *name) {
    char key[512];
    make_key(namespace, name, key);
    lock(api);
    cJSON *object = fake_store_read(&api->store, kind, key);
    unlock(api);
    return object;
}

size_t fake_count_objects(struct fake_api *api, enum fake_kind kind) {
    lock(api);
    size_t n = api->store.collections[kind].n_objects;
    unlock(api);
    return n;
}

static void replace_status(cJSON *object, const char *json) {
    cJSON_DeleteItemFromObjectCaseSensitive(object, "status");
    if (json != NULL) {
        cJSON_AddItemToObject(object, "status", cJSON_Parse(json));
    }
}

void fake_put_status(struct fake_api *api, enum fake_kind kind, const char *namespace,
                     const char *name, const char *json) {
    char key[512];
    make_key(namespace, name, key);
    lock(api);
    cJSON *object = fake_store_read(&api->store, kind, key);
    replace_status(object, json);
    fake_store_write(&api->store, kind, object);
    unlock(api);
    cJSON_Delete(object);
}

static cJSON *make_managed(bool has_conditions) {
    char time[TEXT_TIME_SIZE];
    cJSON *list = cJSON_CreateArray();
    cJSON *manager = cJSON_CreateObject();
    cJSON_AddItemToArray(list, manager);
    text_format_time(time, clock_wall_seconds());
    cJSON_AddStringToObject(manager, "manager", "thv-operator");
    cJSON_AddStringToObject(manager, "operation", "Update");
    cJSON_AddStringToObject(manager, "time", time);
    cJSON *fields = cJSON_AddObjectToObject(manager, "fieldsV1");
    cJSON *status = cJSON_AddObjectToObject(fields, "f:status");
    if (has_conditions) {
        cJSON *conditions = cJSON_AddObjectToObject(status, "f:conditions");
        cJSON_AddObjectToObject(conditions, "k:{\"type\":\"StdioReplicaCapped\"}");
    }
    return list;
}

void fake_operate(struct fake_api *api, const char *namespace, const char *name, const char *json,
                  bool has_conditions) {
    char key[512];
    make_key(namespace, name, key);
    lock(api);
    cJSON *object = fake_store_read(&api->store, FAKE_SERVER, key);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    replace_status(object, json);
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "managedFields");
    cJSON_AddItemToObject(metadata, "managedFields", make_managed(has_conditions));
    fake_store_write(&api->store, FAKE_SERVER, object);
    unlock(api);
    cJSON_Delete(object);
}

void fake_compact(struct fake_api *api) {
    lock(api);
    api->store.compacted = api->store.version;
    unlock(api);
}

void fake_send(struct fake_api *api, enum fake_kind kind, const char *bytes, size_t size) {
    lock(api);
    fake_store_add_bytes(&api->store, kind, bytes, size);
    unlock(api);
}

void fake_end_watches(struct fake_api *api) {
    lock(api);
    api->n_watch_ends++;
    unlock(api);
}

void fake_cut_watches(struct fake_api *api) {
    lock(api);
    api->n_watch_cuts++;
    unlock(api);
}

void fake_hold_watches(struct fake_api *api) {
    lock(api);
    api->is_holding = true;
    unlock(api);
}

void fake_release_watches(struct fake_api *api) {
    lock(api);
    api->is_holding = false;
    unlock(api);
}

size_t fake_count_watches(struct fake_api *api, enum fake_kind kind) {
    size_t n = 0;
    lock(api);
    for (const struct fake_thread *thread = api->threads; thread != NULL; thread = thread->next) {
        const struct fake_connection *connection = &thread->connection;
        n += connection->is_watch && connection->kind == kind && !fake_http_is_left(connection);
    }
    unlock(api);
    return n;
}

void fake_inject(struct fake_api *api, const struct fake_fault *fault) {
    lock(api);
    if (api->n_faults == FAKE_FAULTS_MAX) {
        fputs("too many faults at once\n", stderr);
        abort();
    }
    api->faults[api->n_faults++] = (struct fake_active){*fault, fault->times};
    unlock(api);
}

void fake_heal(struct fake_api *api) {
    lock(api);
    api->n_faults = 0;
    api->chaos.percent = 0;
    api->n_heals++;
    unlock(api);
}

void fake_set_chaos(struct fake_api *api, uint64_t seed, unsigned percent) {
    lock(api);
    api->chaos = (struct fake_chaos){.chance = {seed}, .percent = percent};
    unlock(api);
}

void fake_release(struct fake_api *api) {
    lock(api);
    api->n_releases++;
    unlock(api);
}

void fake_freeze(struct fake_api *api) {
    lock(api);
    api->is_frozen = true;
    unlock(api);
}

void fake_thaw(struct fake_api *api) {
    lock(api);
    api->is_frozen = false;
    unlock(api);
}
