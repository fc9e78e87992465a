// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_CONDITION_H
#define CORE_FACTS_CONDITION_H

/*
 * The two status conditions on MCPServers: how they should be, whether the live ones differ, and
 * how they are written. Types, reasons and messages are byte for byte those of the ToolHive
 * operator (cmd/thv-operator/api/v1beta1/mcpserver_types.go): with one byte of difference the two
 * writers would correct each other for ever.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/json_write.h"

#define CONDITION_STDIO_REPLICA_CAPPED                  "StdioReplicaCapped"
#define CONDITION_REASON_STDIO_REPLICA_CAPPED           "StdioTransportCapAt1"
#define CONDITION_REASON_STDIO_REPLICA_CAP_NOT_ACTIVE   "StdioReplicaCapNotActive"
#define CONDITION_SESSION_STORAGE_WARNING               "SessionStorageWarning"
#define CONDITION_REASON_SESSION_STORAGE_MISSING        "SessionStorageMissingForReplicas"
#define CONDITION_REASON_SESSION_STORAGE_CONFIGURED     "SessionStorageConfigured"
#define CONDITION_REASON_SESSION_STORAGE_NOT_APPLICABLE "SessionStorageWarningNotApplicable"

enum condition_type { CONDITION_TYPE_STDIO, CONDITION_TYPE_SESSION_STORAGE, CONDITION_TYPE_COUNT };

/* All that a condition of ours can say: a record keeps this number and not the texts. */
enum condition_state {
    CONDITION_ABSENT,  /* there is none of this type */
    CONDITION_ERASED,  /* the same; but there was one, and what follows is how it last stood */
    CONDITION_FOREIGN, /* there is one, and it says something else */
    CONDITION_STDIO_CAPPED,
    CONDITION_STDIO_NOT_ACTIVE,
    CONDITION_STORAGE_MISSING,
    CONDITION_STORAGE_CONFIGURED,
    CONDITION_STORAGE_NOT_APPLICABLE,
};

struct condition {
    enum condition_state state;
    bool is_true; /* its status is "True" (a status other than True and False counts as foreign) */
    int64_t observed_generation;
    int64_t last_transition; /* seconds since 1970; 0 where it is missing or unreadable, or the
                                status is neither True nor False, from which any is a flip */
};

/* Reads one item of status.conditions; it is kept if it is of one of the two types. */
void condition_read(struct json_reader *reader, struct condition conditions[CONDITION_TYPE_COUNT]);

/* If `before`, the last known state of the same object, had a condition and `live` has none,
   another writer erased it. It becomes CONDITION_ERASED, and so keeps its lastTransitionTime. */
void condition_remember(const struct condition before[CONDITION_TYPE_COUNT],
                        struct condition live[CONDITION_TYPE_COUNT]);

/* The part of an MCPServer that its conditions depend on. */
struct condition_subject {
    bool is_stdio;
    bool has_replicas;
    int64_t replicas;
    bool is_redis;
    int64_t generation;
};

/*
 * One step of the companion loop: the wanted conditions, given the MCPServer, its live conditions
 * and the time. lastTransitionTime is kept unless the status flips. Returns false if nothing
 * differs, so that there is nothing to write.
 */
bool condition_step(const struct condition_subject *subject,
                    const struct condition live[CONDITION_TYPE_COUNT], int64_t now,
                    struct condition ret_wanted[CONDITION_TYPE_COUNT]);

/* True if the live conditions, as the answer to a write shows them, are the wanted ones. */
bool condition_is_written(const struct condition wanted[CONDITION_TYPE_COUNT],
                          const struct condition live[CONDITION_TYPE_COUNT]);

/* True if a live condition is of another generation than the wanted ones, or was never there: its
   writers are due to write it. False if somebody has only erased or changed it. */
bool condition_is_behind(const struct condition live[CONDITION_TYPE_COUNT], int64_t generation);

/* Of a wanted condition. Literals. */
const char *condition_reason(const struct condition *condition);
const char *condition_message(const struct condition *condition);

/* Writes the array for status.conditions, of the wanted ones of condition_step(). */
void condition_write(struct json_write *write,
                     const struct condition conditions[CONDITION_TYPE_COUNT]);

#endif
