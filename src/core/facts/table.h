// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_TABLE_H
#define CORE_FACTS_TABLE_H

/*
 * The table behind the facts: records by namespace and name, any number of readers, one writer.
 * Open addressing with linear probing over a power of two. A removed record leaves a tombstone, so
 * that the probe of a concurrent reader does not end early; tombstones go when the writer builds
 * the next index.
 *
 * Readers call table_find() between epoch_enter() and epoch_exit(), and use what it returns only
 * there. What the writer takes out is retired to the epoch.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/epoch.h"
#include "core/facts/condition.h"
#include "core/facts/object.h"

/*
 * A record is packed: its texts follow each other behind the struct, each with its NUL. 100,000 of
 * each kind have to fit into a few tens of megabytes.
 */
struct record {
    uint64_t hash;
    uint64_t round;  /* in which it was put */
    uint64_t serial; /* no two puts have the same */
    int64_t generation;
    struct number replicas;
    struct condition conditions[CONDITION_TYPE_COUNT];
    bool is_deleting;
    bool is_stdio;
    bool is_redis;
    bool is_labelled;
    bool is_controlled;
    bool is_owned_by_mcpserver;
    char texts[];
};

/* The order of the texts. A server's record ends behind its uid. */
enum { TEXT_NAMESPACE, TEXT_NAME, TEXT_UID, TEXT_INSTANCE, TEXT_OWNER_NAME, TEXT_OWNER_UID };

const char *record_text(const struct record *record, int which);

struct table_index;

struct table {
    _Atomic(struct table_index *) index;
    atomic_size_t n_records;
    uint64_t n_puts;
    size_t n_used; /* slots that are not empty: records and tombstones */
    uint64_t round;
};

void table_init(struct table *table);
void table_fini(struct table *table);

/* A record with room for the texts, which are copied; everything else is zero. The first two are
   namespace and name. */
struct record *record_new(const char *const *texts, size_t n_texts);

/* The record, or NULL. */
const struct record *table_find(const struct table *table, const char *namespace, const char *name);

/* Writer. Returns true if the round had its like already. */
bool table_put(struct table *table, struct epoch *epoch, struct record *owned_record);

/* Writer: the record, which is in the table, by another of the same key, of the same round. */
void table_replace(struct table *table, struct epoch *epoch, const struct record *old,
                   struct record *owned_record);

/* Writer. */
void table_remove(struct table *table, struct epoch *epoch, const struct record *record);

/* Writer: removes what was put in an earlier round than table->round. */
void table_remove_stale(struct table *table, struct epoch *epoch);

/* Goes through all records: NULL at the end. For the writer, or for a reader within its epoch, who
   may miss what is put meanwhile. */
struct table_walk {
    const struct table_index *index;
    size_t at;
};

void table_begin_walk(const struct table *table, struct table_walk *ret_walk);
const struct record *table_walk(struct table_walk *walk);

#endif
