// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_H
#define CORE_FACTS_H

/*
 * What is known of the cluster: a small record for each MCPServer and each Deployment. Any number
 * of threads read while one writes; a reader never waits and gets a copy, so that nothing it holds
 * can change or vanish. Records are immutable; the writer replaces them (see base/epoch.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/object.h"

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

/* Readers. False if there is none. */
bool facts_find_server(struct facts *facts, const char *namespace, const char *name,
                       struct server_fact *ret_server);

/* By uid; one without a uid is found by namespace and name. */
bool facts_find_deployment(struct facts *facts, const char *uid, struct deployment_fact *ret);
bool facts_find_manifest_deployment(struct facts *facts, const char *namespace, const char *name,
                                    struct deployment_fact *ret);

/* How many there are. */
size_t facts_count_servers(struct facts *facts);
size_t facts_count_deployments(struct facts *facts);

/* Writer: adds or replaces the record of an MCPServer or a Deployment; other kinds are passed over.
   The object's namespace must not be empty. Returns true if the round had its like already. */
bool facts_put(struct facts *facts, const struct object *object);

/* Writer: a full listing. Between begin and end, put what there is; end removes what was not put.
 */
void facts_begin_round(struct facts *facts);
void facts_end_round(struct facts *facts);

/* Writer: calls `visit` for each MCPServer, in no particular order. */
void facts_each_server(struct facts *facts,
                       void (*visit)(void *context, const struct server_fact *server),
                       void *context);

#endif
