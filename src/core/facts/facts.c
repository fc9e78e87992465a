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

/* All members that facts.h promises for the kind, but the serial: the table gives that. */
static const struct record_part server_parts[] = {
    TEXT(struct fact, namespace),
    TEXT(struct fact, name),
    TEXT(struct fact, uid),
    TEXT(struct fact, resource_version),
    MEMBERS(struct fact, is_deleting, resource_version),
};

static const struct record_part deployment_parts[] = {
    TEXT(struct fact, namespace),
    TEXT(struct fact, name),
    TEXT(struct fact, uid),
    TEXT(struct fact, owner.name),
    TEXT(struct fact, owner.uid),
    MEMBERS(struct fact, owner, owner.name),
    MEMBERS(struct fact, is_deleting, generation),
};

static const struct record_shape server_shape = {server_parts, COUNT_OF(server_parts)};
static const struct record_shape deployment_shape = {deployment_parts, COUNT_OF(deployment_parts)};

static void unpack(const struct record_shape *shape, const struct record *record,
                   struct fact *ret_fact) {
    record_unpack(shape, record, ret_fact);
    ret_fact->serial = record->serial;
}

void facts_of(const struct object *object, struct fact *ret_fact) {
    *ret_fact = (struct fact){
        .generation = object->generation,
        .is_stdio = object_is_stdio(object),
        .is_redis = object_is_redis(object),
        .is_deleting = object->is_deleting,
        .is_selecting = selection_names(&object->selection, object->name),
        .others_condition = object->others_condition,
        .others_wrote = (uint32_t)MAX(MIN(object->others_wrote, (int64_t)UINT32_MAX), 0),
        .replicas = object->replicas,
        .owner = object->owner,
    };
    memcpy(ret_fact->conditions, object->conditions, sizeof(ret_fact->conditions));
    text_copy(ret_fact->namespace, sizeof(ret_fact->namespace), object->namespace);
    text_copy(ret_fact->name, sizeof(ret_fact->name), object->name);
    text_copy(ret_fact->uid, sizeof(ret_fact->uid), object->uid);
    text_copy(ret_fact->resource_version, sizeof(ret_fact->resource_version),
              object->resource_version);
}

/* NULL for a kind that the facts do not keep. */
static struct table *table_of(struct facts *facts, enum object_kind kind) {
    if (kind == OBJECT_MCPSERVER) {
        return &facts->servers;
    }
    return kind == OBJECT_DEPLOYMENT ? &facts->deployments : NULL;
}

static bool has_same_conditions(const struct fact *one, const struct fact *other) {
    bool is_same = true;
    for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
        const struct condition *condition = &one->conditions[type];
        is_same = is_same && condition->state == other->conditions[type].state &&
                  condition->observed_generation == other->conditions[type].observed_generation;
    }
    return is_same;
}

/* A write of Capstan's is known already by its answer, or it changes the conditions and nothing
   that others have written. */
static bool is_touched(const struct fact *before, const struct fact *now) {
    return strcmp(before->resource_version, now->resource_version) != 0 &&
           before->generation == now->generation &&
           (before->others_wrote != now->others_wrote || has_same_conditions(before, now));
}

bool facts_put(struct facts *facts, const struct object *object) {
    struct table *table = table_of(facts, object->kind);
    bool is_server = object->kind == OBJECT_MCPSERVER;
    struct fact fact;
    struct fact before;
    if (table == NULL || !object_is_identified(object)) {
        return false;
    }
    facts_of(object, &fact);
    const struct record *old = table_find(table, object->namespace, object->name);
    /* Conditions that another writer erased are remembered while the uid is the same. */
    if (is_server && old != NULL && strcmp(record_text(old, RECORD_UID), object->uid) == 0) {
        unpack(&server_shape, old, &before);
        fact.is_touched = is_touched(&before, &fact);
        condition_remember(before.conditions, fact.conditions);
    }
    const struct record_shape *shape = is_server ? &server_shape : &deployment_shape;
    return table_put(table, &facts->epoch, record_pack(shape, &fact));
}

void facts_confirm_conditions(struct facts *facts, const struct fact *server,
                              const struct condition conditions[CONDITION_TYPE_COUNT],
                              const char *resource_version) {
    const struct record *old = table_find(&facts->servers, server->namespace, server->name);
    struct fact now;
    if (old == NULL || old->serial != server->serial) {
        return;
    }
    unpack(&server_shape, old, &now);
    /* The write may have been judged by a newer object than the facts have. With its
       resourceVersion, an old spec would pass for the present one. */
    if (conditions[0].observed_generation != now.generation) {
        return;
    }
    memcpy(now.conditions, conditions, sizeof(now.conditions));
    text_copy(now.resource_version, sizeof(now.resource_version), resource_version);
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

uint64_t facts_begin_round(struct facts *facts, enum object_kind kind) {
    struct table *table = table_of(facts, kind);
    assert(table != NULL);
    return ++table->round;
}

size_t facts_end_round(struct facts *facts, enum object_kind kind, const char *namespace,
                       uint64_t round) {
    size_t n_left = table_remove_stale(table_of(facts, kind), &facts->epoch, namespace, round);
    epoch_collect(&facts->epoch);
    return n_left;
}

struct condition_subject facts_condition_subject(const struct fact *server) {
    return (struct condition_subject){
        .is_stdio = server->is_stdio,
        .has_replicas = server->replicas.state == PRESENCE_SET,
        .replicas = server->replicas.value,
        .is_redis = server->is_redis,
        .generation = server->generation,
    };
}

static bool find(struct facts *facts, const struct table *table, const struct record_shape *shape,
                 const char *namespace, const char *name, struct fact *ret_fact) {
    unsigned ticket = epoch_enter(&facts->epoch);
    const struct record *record = table_find(table, namespace, name);
    if (record != NULL) {
        unpack(shape, record, ret_fact);
    }
    epoch_exit(&facts->epoch, ticket);
    return record != NULL;
}

bool facts_find_server(struct facts *facts, const char *namespace, const char *name,
                       struct fact *ret_server) {
    return find(facts, &facts->servers, &server_shape, namespace, name, ret_server);
}

bool facts_find_deployment(struct facts *facts, const char *namespace, const char *name,
                           struct fact *ret_deployment) {
    return find(facts, &facts->deployments, &deployment_shape, namespace, name, ret_deployment);
}

size_t facts_count(struct facts *facts, enum object_kind kind) {
    return atomic_load(&table_of(facts, kind)->n_records);
}

void facts_each_server(struct facts *facts, void (*visit)(void *context, const struct fact *server),
                       void *context) {
    struct table_walk walk = table_begin_walk(&facts->servers);
    const struct record *record;
    while ((record = table_walk(&walk)) != NULL) {
        struct fact server;
        unpack(&server_shape, record, &server);
        visit(context, &server);
    }
}
