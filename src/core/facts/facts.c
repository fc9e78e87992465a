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
    struct table tables[OBJECT_KIND_COUNT]; /* those of kinds that are not kept stay empty */
};

struct facts *facts_new(void) {
    struct facts *facts = memory_new(1, sizeof(*facts));
    epoch_init(&facts->epoch);
    for (size_t kind = 0; kind < COUNT_OF(facts->tables); kind++) {
        table_init(&facts->tables[kind]);
    }
    return facts;
}

void facts_free(struct facts *facts) {
    if (facts == NULL) {
        return;
    }
    for (size_t kind = 0; kind < COUNT_OF(facts->tables); kind++) {
        table_fini(&facts->tables[kind]);
    }
    epoch_fini(&facts->epoch);
    free(facts);
}

#define TEXT(type, member)                                                                         \
    { offsetof(type, member), sizeof(((type *)0)->member), true }
#define MEMBERS(type, first, behind_last)                                                          \
    { offsetof(type, first), offsetof(type, behind_last) - offsetof(type, first), false }

/* All members that facts.h promises for the kind, but kind and serial: the tables give these. */
static const struct record_part family_parts[] = {
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

static const struct record_shape family_shape = {family_parts, COUNT_OF(family_parts)};
static const struct record_shape deployment_shape = {deployment_parts, COUNT_OF(deployment_parts)};

static const struct record_shape *shape_of(enum object_kind kind) {
    return kind == OBJECT_DEPLOYMENT ? &deployment_shape : &family_shape;
}

static void unpack(enum object_kind kind, const struct record *record, struct fact *ret_fact) {
    record_unpack(shape_of(kind), record, ret_fact);
    ret_fact->kind = kind;
    ret_fact->serial = record->serial;
}

/* A manifest has no uids, and so no owner: its labels tell whose it is. */
static struct owner owner_of(const struct object *object) {
    struct owner owner = object->owner;
    if (!owner.is_controlled && object->uid_presence == PRESENCE_ABSENT &&
        object->labelled != OBJECT_OTHER) {
        owner.kind = object->labelled;
        text_copy(owner.name, sizeof(owner.name), object->instance);
    }
    return owner;
}

void facts_of(const struct object *object, struct fact *ret_fact) {
    *ret_fact = (struct fact){
        .generation = object->generation,
        .is_stdio = object_is_stdio(object),
        .is_redis = object_is_redis(object),
        .has_session_storage = object->session_storage != PRESENCE_ABSENT,
        .is_deleting = object->is_deleting,
        .is_selecting = selection_names(&object->selection, OBJECT_MCPSERVER, object->name),
        .others_condition = object->others_condition,
        .others_wrote = (uint32_t)MAX(MIN(object->others_wrote, (int64_t)UINT32_MAX), 0),
        .replicas = object->replicas,
        .kind = object->kind,
        .owner = owner_of(object),
    };
    memcpy(ret_fact->conditions, object->conditions, sizeof(ret_fact->conditions));
    text_copy(ret_fact->namespace, sizeof(ret_fact->namespace), object->namespace);
    text_copy(ret_fact->name, sizeof(ret_fact->name), object->name);
    text_copy(ret_fact->uid, sizeof(ret_fact->uid), object->uid);
    text_copy(ret_fact->resource_version, sizeof(ret_fact->resource_version),
              object->resource_version);
}

bool facts_keep(enum object_kind kind) {
    return kind_is_family(kind) || kind == OBJECT_DEPLOYMENT;
}

static struct table *table_of(struct facts *facts, enum object_kind kind) {
    assert(kind < OBJECT_KIND_COUNT);
    return &facts->tables[kind];
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
    enum object_kind kind = object->kind;
    struct fact fact;
    struct fact before;
    if (!facts_keep(kind) || !object_is_identified(object)) {
        return false;
    }
    struct table *table = table_of(facts, kind);
    facts_of(object, &fact);
    const struct record *old = table_find(table, object->namespace, object->name);
    /* Conditions that another writer erased are remembered while the uid is the same. */
    if (kind_has(kind, KIND_HAS_CONDITIONS) && old != NULL &&
        strcmp(record_text(old, RECORD_UID), object->uid) == 0) {
        unpack(kind, old, &before);
        fact.is_touched = is_touched(&before, &fact);
        condition_remember(before.conditions, fact.conditions);
    }
    return table_put(table, &facts->epoch, record_pack(shape_of(kind), &fact));
}

void facts_confirm_conditions(struct facts *facts, const struct fact *server,
                              const struct condition conditions[CONDITION_TYPE_COUNT],
                              const char *resource_version) {
    struct table *table = table_of(facts, server->kind);
    const struct record *old = table_find(table, server->namespace, server->name);
    struct fact now;
    if (old == NULL || old->serial != server->serial) {
        return;
    }
    unpack(server->kind, old, &now);
    /* The write may have been judged by a newer object than the facts have. With its
       resourceVersion, an old spec would pass for the present one. */
    if (conditions[0].observed_generation != now.generation) {
        return;
    }
    memcpy(now.conditions, conditions, sizeof(now.conditions));
    text_copy(now.resource_version, sizeof(now.resource_version), resource_version);
    /* A write is no proof that a list that is under way has the object. */
    table_replace(table, &facts->epoch, old, record_pack(shape_of(server->kind), &now));
}

void facts_remove(struct facts *facts, const struct object *object) {
    if (!facts_keep(object->kind)) {
        return;
    }
    struct table *table = table_of(facts, object->kind);
    const struct record *record = table_find(table, object->namespace, object->name);
    if (record != NULL && strcmp(record_text(record, RECORD_UID), object->uid) == 0) {
        table_remove(table, &facts->epoch, record);
    }
}

uint64_t facts_begin_round(struct facts *facts, enum object_kind kind) {
    return ++table_of(facts, kind)->round;
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

bool facts_find(struct facts *facts, enum object_kind kind, const char *namespace, const char *name,
                struct fact *ret_fact) {
    const struct table *table = table_of(facts, kind);
    unsigned ticket = epoch_enter(&facts->epoch);
    const struct record *record = table_find(table, namespace, name);
    if (record != NULL) {
        unpack(kind, record, ret_fact);
    }
    epoch_exit(&facts->epoch, ticket);
    return record != NULL;
}

size_t facts_count(struct facts *facts, enum object_kind kind) {
    return atomic_load(&table_of(facts, kind)->n_records);
}

void facts_each(struct facts *facts, enum object_kind kind,
                void (*visit)(void *context, const struct fact *fact), void *context) {
    struct table_walk walk = table_begin_walk(table_of(facts, kind));
    const struct record *record;
    while ((record = table_walk(&walk)) != NULL) {
        struct fact fact;
        unpack(kind, record, &fact);
        visit(context, &fact);
    }
}
