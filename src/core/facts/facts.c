// SPDX-License-Identifier: Apache-2.0
#include "core/facts/facts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "table.h"

struct facts {
    struct epoch epoch;
    struct table servers;
    struct table deployments;
};

struct facts *facts_new(void) {
    struct facts *facts = memory_new(1, sizeof(*facts));
    epoch_init(&facts->epoch);
    table_init(&facts->servers);
    table_init(&facts->deployments);
    return facts;
}

void facts_free(struct facts *facts) {
    if (facts == NULL) {
        return;
    }
    table_fini(&facts->servers);
    table_fini(&facts->deployments);
    epoch_fini(&facts->epoch);
    free(facts);
}

static struct table *table_of(struct facts *facts, enum object_kind kind) {
    return kind == OBJECT_MCPSERVER    ? &facts->servers
           : kind == OBJECT_DEPLOYMENT ? &facts->deployments
                                       : NULL;
}

static struct record *pack_server(const struct object *object) {
    const char *const texts[] = {object->namespace, object->name, object->uid};
    struct record *record = record_new(texts, COUNT_OF(texts));
    record->generation = object->generation;
    record->replicas = object->replicas;
    record->is_deleting = object->is_deleting;
    record->is_stdio = object_is_stdio(object);
    record->is_redis = object_is_redis(object);
    memcpy(record->conditions, object->conditions, sizeof(record->conditions));
    return record;
}

static struct record *pack_deployment(const struct object *object) {
    const char *const texts[] = {object->namespace, object->name,       object->uid,
                                 object->instance,  object->owner.name, object->owner.uid};
    struct record *record = record_new(texts, COUNT_OF(texts));
    record->replicas = object->replicas;
    record->is_deleting = object->is_deleting;
    record->is_labelled = object->is_labelled;
    record->is_controlled = object->owner.is_controlled;
    record->is_owned_by_mcpserver = object->owner.is_mcpserver;
    return record;
}

/* What somebody took away is remembered as long as the object is the same. */
static void remember_conditions(const struct table *servers, const struct object *object,
                                struct record *record) {
    const struct record *old = table_find(servers, object->namespace, object->name);
    if (old != NULL && strcmp(record_text(old, TEXT_UID), object->uid) == 0) {
        condition_remember(old->conditions, record->conditions);
    }
}

bool facts_put(struct facts *facts, const struct object *object) {
    if (object->kind == OBJECT_MCPSERVER) {
        struct record *record = pack_server(object);
        remember_conditions(&facts->servers, object, record);
        return table_put(&facts->servers, &facts->epoch, record);
    }
    return object->kind == OBJECT_DEPLOYMENT &&
           table_put(&facts->deployments, &facts->epoch, pack_deployment(object));
}

void facts_confirm_conditions(struct facts *facts, const struct server_fact *server,
                              const struct condition conditions[CONDITION_TYPE_COUNT]) {
    const struct record *old = table_find(&facts->servers, server->namespace, server->name);
    if (old == NULL || old->serial != server->serial) {
        return;
    }
    const char *const texts[] = {server->namespace, server->name, server->uid};
    struct record *record = record_new(texts, COUNT_OF(texts));
    record->generation = old->generation;
    record->replicas = old->replicas;
    record->is_deleting = old->is_deleting;
    record->is_stdio = old->is_stdio;
    record->is_redis = old->is_redis;
    memcpy(record->conditions, conditions, sizeof(record->conditions));
    /* A write is no proof that a list that is under way has the object. */
    table_replace(&facts->servers, &facts->epoch, old, record);
}

void facts_remove(struct facts *facts, const struct object *object) {
    struct table *table = table_of(facts, object->kind);
    const struct record *record =
        table == NULL ? NULL : table_find(table, object->namespace, object->name);
    if (record != NULL && strcmp(record_text(record, TEXT_UID), object->uid) == 0) {
        table_remove(table, &facts->epoch, record);
    }
}

void facts_begin_round(struct facts *facts, enum object_kind kind) {
    struct table *table = table_of(facts, kind);
    assert(table != NULL);
    table->round++;
}

void facts_end_round(struct facts *facts, enum object_kind kind) {
    table_remove_stale(table_of(facts, kind), &facts->epoch);
    epoch_collect(&facts->epoch);
}

static void unpack_server(const struct record *record, struct server_fact *ret) {
    text_copy(ret->namespace, sizeof(ret->namespace), record_text(record, TEXT_NAMESPACE));
    text_copy(ret->name, sizeof(ret->name), record_text(record, TEXT_NAME));
    text_copy(ret->uid, sizeof(ret->uid), record_text(record, TEXT_UID));
    ret->generation = record->generation;
    ret->serial = record->serial;
    ret->is_deleting = record->is_deleting;
    ret->is_stdio = record->is_stdio;
    ret->is_redis = record->is_redis;
    ret->replicas = record->replicas;
    memcpy(ret->conditions, record->conditions, sizeof(ret->conditions));
}

static void unpack_deployment(const struct record *record, struct deployment_fact *ret) {
    text_copy(ret->namespace, sizeof(ret->namespace), record_text(record, TEXT_NAMESPACE));
    text_copy(ret->name, sizeof(ret->name), record_text(record, TEXT_NAME));
    text_copy(ret->uid, sizeof(ret->uid), record_text(record, TEXT_UID));
    text_copy(ret->instance, sizeof(ret->instance), record_text(record, TEXT_INSTANCE));
    text_copy(ret->owner.name, sizeof(ret->owner.name), record_text(record, TEXT_OWNER_NAME));
    text_copy(ret->owner.uid, sizeof(ret->owner.uid), record_text(record, TEXT_OWNER_UID));
    ret->owner.is_controlled = record->is_controlled;
    ret->owner.is_mcpserver = record->is_owned_by_mcpserver;
    ret->is_deleting = record->is_deleting;
    ret->is_labelled = record->is_labelled;
    ret->replicas = record->replicas;
}

void facts_of_server(const struct object *object, struct server_fact *ret_server) {
    struct record *record = pack_server(object);
    unpack_server(record, ret_server);
    free(record);
}

void facts_of_deployment(const struct object *object, struct deployment_fact *ret_deployment) {
    struct record *record = pack_deployment(object);
    unpack_deployment(record, ret_deployment);
    free(record);
}

struct condition_subject facts_condition_subject(const struct server_fact *server) {
    return (struct condition_subject){
        .is_stdio = server->is_stdio,
        .has_replicas = server->replicas.state == PRESENCE_SET,
        .replicas = server->replicas.value,
        .is_redis = server->is_redis,
        .generation = server->generation,
    };
}

bool facts_find_server(struct facts *facts, const char *namespace, const char *name,
                       struct server_fact *ret_server) {
    unsigned ticket = epoch_enter(&facts->epoch);
    const struct record *record = table_find(&facts->servers, namespace, name);
    if (record != NULL) {
        unpack_server(record, ret_server);
    }
    epoch_exit(&facts->epoch, ticket);
    return record != NULL;
}

/* The name is only where to look first. A Scale whose name and uid do not belong together cannot
   come from an API server, so the long way is for misses. */
static const struct record *find_by_uid(const struct table *table, const char *namespace,
                                        const char *name, const char *uid) {
    const struct record *record = table_find(table, namespace, name);
    struct table_walk walk;
    if (uid == NULL || (record != NULL && strcmp(record_text(record, TEXT_UID), uid) == 0)) {
        return record;
    }
    table_begin_walk(table, &walk);
    do {
        record = uid[0] == '\0' ? NULL : table_walk(&walk);
    } while (record != NULL && strcmp(record_text(record, TEXT_UID), uid) != 0);
    return record;
}

bool facts_find_deployment(struct facts *facts, const char *namespace, const char *name,
                           const char *uid, struct deployment_fact *ret_deployment) {
    unsigned ticket = epoch_enter(&facts->epoch);
    const struct record *record = find_by_uid(&facts->deployments, namespace, name, uid);
    if (record != NULL) {
        unpack_deployment(record, ret_deployment);
    }
    epoch_exit(&facts->epoch, ticket);
    return record != NULL;
}

size_t facts_count_servers(struct facts *facts) {
    return atomic_load(&facts->servers.n_records);
}

size_t facts_count_deployments(struct facts *facts) {
    return atomic_load(&facts->deployments.n_records);
}

void facts_each_server(struct facts *facts,
                       void (*visit)(void *context, const struct server_fact *server),
                       void *context) {
    struct table_walk walk;
    const struct record *record;
    table_begin_walk(&facts->servers, &walk);
    while ((record = table_walk(&walk)) != NULL) {
        struct server_fact server;
        unpack_server(record, &server);
        visit(context, &server);
    }
}
