// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_FACTS_H
#define CORE_FACTS_FACTS_H

/*
 * The facts about the cluster: a small record for each object of the family and each Deployment, by
 * kind, namespace and name. Any number of
 * threads read while one writes. A reader never waits and gets a copy, so that nothing it holds can
 * change or vanish. Records are immutable; the writer replaces them (see base/epoch.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/facts/object.h"

struct facts;

struct facts *facts_new(void);

/* There must be no reader left. */
void facts_free(struct facts *facts);

/* An object of the family or a Deployment as the facts know it. */
struct fact {
    bool is_deleting;
    bool is_selecting; /* of a Deployment: its selector names the MCPServer of the same name */
    /* Of the family; see struct object. */
    bool others_condition;
    bool is_touched; /* in the last put, another writer had changed the object, but not its spec: a
                        label counts, too */
    uint32_t others_wrote;
    struct number replicas;
    /* Of the family. facts_find() does not set them of a Deployment. */
    int64_t generation; /* 0 of a manifest that has none */
    bool is_stdio;
    bool is_redis;
    bool has_session_storage;
    struct condition conditions[CONDITION_TYPE_COUNT];

    char resource_version[OBJECT_VERSION_SIZE];
    enum object_kind kind;
    uint64_t serial; /* changes with each put; 0 of an object that was never put */
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE];
    char uid[OBJECT_UID_SIZE]; /* empty of a manifest that has none */
    /* Of a Deployment. A manifest has no uids: there the pair of labels stands in for an owner. */
    struct owner owner;
};

/* The part of an MCPServer that its conditions depend on. */
struct condition_subject facts_condition_subject(const struct fact *server);

/* True if the facts keep objects of the kind: the family, and Deployments. */
bool facts_keep(enum object_kind kind);

/* Readers. False if there is none. The kind is one that the facts keep. */
bool facts_find(struct facts *facts, enum object_kind kind, const char *namespace, const char *name,
                struct fact *ret_fact);

size_t facts_count(struct facts *facts, enum object_kind kind);

/* The fact that facts_put() would make of the object. */
void facts_of(const struct object *object, struct fact *ret_fact);

/* Writer: adds or replaces the record of an object, and ignores kinds that are not kept and objects
   that are not object_is_identified(). The object's namespace must not be empty. Returns true if
   one of that name was put in this round. */
bool facts_put(struct facts *facts, const struct object *object);

/* Writer: these conditions were written to the object that `server` was read from, which got this
   resourceVersion. The facts take both over, unless the object was put since: then the facts are as
   new, or newer. */
void facts_confirm_conditions(struct facts *facts, const struct fact *server,
                              const struct condition conditions[CONDITION_TYPE_COUNT],
                              const char *resource_version);

/* Writer: the object is gone. An object of the same name with another uid stays. */
void facts_remove(struct facts *facts, const struct object *object);

/* Writer: a full listing of one kind, in one namespace or, if that is NULL, in all. Put
   every listed object between begin and end. The end gets the round that the begin returned. It
   removes the objects of the namespace that were not put since, and returns how many are left
   there. Listings of different namespaces may overlap. */
uint64_t facts_begin_round(struct facts *facts, enum object_kind kind);
size_t facts_end_round(struct facts *facts, enum object_kind kind, const char *namespace,
                       uint64_t round);

/* Writer: calls `visit` for each object of the kind, in no particular order. `visit` must put or
   remove nothing. */
void facts_each(struct facts *facts, enum object_kind kind,
                void (*visit)(void *context, const struct fact *fact), void *context);

#endif
