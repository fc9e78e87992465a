// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_FACTS_H
#define CORE_FACTS_FACTS_H

/*
 * What is known of the cluster: a small record for each MCPServer and each Deployment. Any number
 * of threads read while one writes; a reader never waits and gets a copy, so that nothing it holds
 * can change or vanish. Records are immutable; the writer replaces them (see base/epoch.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/facts/object.h"

struct facts;

struct facts *facts_new(void);

/* There must be no reader left. */
void facts_free(struct facts *facts);

/* What is known of an MCPServer. */
struct server_fact {
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE];
    char uid[OBJECT_UID_SIZE]; /* empty where it comes from a manifest that has none */
    int64_t generation;        /* 0 where it comes from a manifest that has none */
    uint64_t serial;           /* changes with each put; 0 of what was never put */
    bool is_deleting;
    bool is_stdio;
    bool is_redis;
    struct number replicas;
    struct condition conditions[CONDITION_TYPE_COUNT];
};

/* What is known of a Deployment. */
struct deployment_fact {
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE];
    char uid[OBJECT_UID_SIZE]; /* as above */
    bool is_deleting;
    bool is_labelled;
    char instance[OBJECT_NAME_SIZE];
    struct owner owner;
    struct number replicas;
};

/* What the conditions of an MCPServer depend on. */
struct condition_subject facts_condition_subject(const struct server_fact *server);

/* Readers. False if there is none. */
bool facts_find_server(struct facts *facts, const char *namespace, const char *name,
                       struct server_fact *ret_server);

/* The Deployment with that uid, whatever its name (which only says where to look first); or, if
   `uid` is NULL, the one with that name. */
bool facts_find_deployment(struct facts *facts, const char *namespace, const char *name,
                           const char *uid, struct deployment_fact *ret_deployment);

/* How many there are. */
size_t facts_count_servers(struct facts *facts);
size_t facts_count_deployments(struct facts *facts);

/* What would be known of the object, had it been put. */
void facts_of_server(const struct object *object, struct server_fact *ret_server);
void facts_of_deployment(const struct object *object, struct deployment_fact *ret_deployment);

/* Writer: adds or replaces the record of an MCPServer or a Deployment; other kinds are passed over.
   The object's namespace must not be empty. Returns true if the round had its like already. */
bool facts_put(struct facts *facts, const struct object *object);

/* Writer: these conditions have been written, by whoever read `server` from the facts. They are
   taken for what stands there, unless the object was put since: then what is known is newer, or as
   new. */
void facts_confirm_conditions(struct facts *facts, const struct server_fact *server,
                              const struct condition conditions[CONDITION_TYPE_COUNT]);

/* Writer: the object is gone. One of the same name with another uid stays. */
void facts_remove(struct facts *facts, const struct object *object);

/* Writer: a full listing of one of the two kinds. Between begin and end, put what there is; end
   removes what was not put. */
void facts_begin_round(struct facts *facts, enum object_kind kind);
void facts_end_round(struct facts *facts, enum object_kind kind);

/* Writer: calls `visit` for each MCPServer, in no particular order. Nothing may be put or removed
   meanwhile. */
void facts_each_server(struct facts *facts,
                       void (*visit)(void *context, const struct server_fact *server),
                       void *context);

#endif
