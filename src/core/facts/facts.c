// SPDX-License-Identifier: Apache-2.0
#include "core/facts/facts.h"

#include <assert.h>
#include <stddef.h>
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

#define TEXT(type, member)                                                                         \
    { offsetof(type, member), sizeof(((type *)0)->member), true }
#define MEMBERS(type, first, behind_last)                                                          \
    { offsetof(type, first), offsetof(type, behind_last) - offsetof(type, first), false }

/* All of a server but the serial, which the table gives. */
static const struct record_part server_parts[] = {
    TEXT(struct server_fact, namespace),
    TEXT(struct server_fact, name),
    TEXT(struct server_fact, uid),
    MEMBERS(struct server_fact, generation, namespace),
};

static const struct record_part deployment_parts[] = {
    TEXT(struct deployment_fact, namespace),
    TEXT(struct deployment_fact, name),
    TEXT(struct deployment_fact, uid),
    TEXT(struct deployment_fact, instance),
    TEXT(struct deployment_fact, owner.name),
    TEXT(struct deployment_fact, owner.uid),
    MEMBERS(struct deployment_fact, owner, owner.name),
    MEMBERS(struct deployment_fact, is_deleting, namespace),
};

static const struct record_shape server_shape = {server_parts, COUNT_OF(server_parts)};
static const struct record_shape deployment_shape = {deployment_parts, COUNT_OF(deployment_parts)};

static void unpack_server(const struct record *record, struct server_fact *ret_server) {
    record_unpack(&server_shape, record, ret_server);
    ret_server->serial = record->serial;
}

void facts_of_server(const struct object *object, struct server_fact *ret_server) {
    *ret_server = (struct server_fact){
        .generation = object->generation,
        .is_deleting = object->is_deleting,
        .is_stdio = object_is_stdio(object),
        .is_redis = object_is_redis(object),
        .replicas = object->replicas,
    };
    memcpy(ret_server->conditions, object->conditions, sizeof(ret_server->conditions));
    text_copy(ret_server->namespace, sizeof(ret_server->namespace), object->namespace);
    text_copy(ret_server->name, sizeof(ret_server->name), object->name);
    text_copy(ret_server->uid, sizeof(ret_server->uid), object->uid);
}

void facts_of_deployment(const struct object *object, struct deployment_fact *ret_deployment) {
    *ret_deployment = (struct deployment_fact){
        .is_deleting = object->is_deleting,
        .is_labelled = object->is_labelled,
        .replicas = object->replicas,
        .owner = object->owner,
    };
    text_copy(ret_deployment->namespace, sizeof(ret_deployment->namespace), object->namespace);
    text_copy(ret_deployment->name, sizeof(ret_deployment->name), object->name);
    text_copy(ret_deployment->uid, sizeof(ret_deployment->uid), object->uid);
    text_copy(ret_deployment->instance, sizeof(ret_deployment->instance), object->instance);
}

/* NULL for a kind that the facts do not keep. */
static struct table *table_of(struct facts *facts, enum object_kind kind) {
    switch (kind) {
    case OBJECT_MCPSERVER:
        return &facts->servers;
    case OBJECT_DEPLOYMENT:
        return &facts->deployments;
    case OBJECT_SCALE:
    case OBJECT_OTHER:
        break;
    }
    return NULL;
}

static bool put_server(struct facts *facts, const struct object *object) {
    struct server_fact server;
    struct server_fact before;
    const struct record *old = table_find(&facts->servers, object->namespace, object->name);
    facts_of_server(object, &server);
    /* Conditions that another writer erased are remembered while the uid is the same. */
    if (old != NULL && strcmp(record_text(old, RECORD_UID), object->uid) == 0) {
        unpack_server(old, &before);
        condition_remember(before.conditions, server.conditions);
    }
    return table_put(&facts->servers, &facts->epoch, record_pack(&server_shape, &server));
}

static bool put_deployment(struct facts *facts, const struct object *object) {
    struct deployment_fact deployment;
    facts_of_deployment(object, &deployment);
    return table_put(&facts->deployments, &facts->epoch,
                     record_pack(&deployment_shape, &deployment));
}

bool facts_put(struct facts *facts, const struct object *object) {
    if (object->kind == OBJECT_MCPSERVER) {
        return put_server(facts, object);
    }
    return object->kind == OBJECT_DEPLOYMENT && put_deployment(facts, object);
}

void facts_confirm_conditions(struct facts *facts, const struct server_fact *server,
                              const struct condition conditions[CONDITION_TYPE_COUNT]) {
    const struct record *old = table_find(&facts->servers, server->namespace, server->name);
    struct server_fact now;
    if (old == NULL || old->serial != server->serial) {
        return;
    }
    unpack_server(old, &now);
    memcpy(now.conditions, conditions, sizeof(now.conditions));
    /* A write is no proof that a list that is under way has the object. */
    table_replace(&facts->servers, &facts->epoch, old, record_pack(&server_shape, &now));
}

void facts_remove(struct facts *facts, const struct object *object) {
    struct table *table = table_of(facts, object->kind);
    const struct record *record =
        table == NULL ? NULL : table_find(table, object->namespace, object->name);
    if (record != NULL && strcmp(record_text(record, RECORD_UID), object->uid) == 0) {
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

/* Looks at the name first. An API server sends no Scale whose name and uid do not belong together,
   so only a miss takes the long way. */
static const struct record *find_by_uid(const struct table *table, const char *namespace,
                                        const char *name, const char *uid) {
    const struct record *record = table_find(table, namespace, name);
    struct table_walk walk;
    if (uid == NULL || (record != NULL && strcmp(record_text(record, RECORD_UID), uid) == 0)) {
        return record;
    }
    table_begin_walk(table, &walk);
    do {
        record = uid[0] == '\0' ? NULL : table_walk(&walk);
    } while (record != NULL && strcmp(record_text(record, RECORD_UID), uid) != 0);
    return record;
}

bool facts_find_deployment(struct facts *facts, const char *namespace, const char *name,
                           const char *uid, struct deployment_fact *ret_deployment) {
    unsigned ticket = epoch_enter(&facts->epoch);
    const struct record *record = find_by_uid(&facts->deployments, namespace, name, uid);
    if (record != NULL) {
        record_unpack(&deployment_shape, record, ret_deployment);
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
