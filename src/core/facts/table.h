// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_TABLE_H
#define CORE_FACTS_TABLE_H

/*
 * The table behind the facts: records by namespace and name, any number of readers, one writer.
 * Open addressing with linear probing over a power of two. A removed record leaves a tombstone, so
 * that the probe of a concurrent reader does not end early. The next index that the writer builds
 * has no tombstones.
 *
 * Readers call table_find() between epoch_enter() and epoch_exit(), and use the record only there.
 * The writer retires removed records to the epoch.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/epoch.h"
#include "record.h"

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

/* The record, or NULL. */
const struct record *table_find(const struct table *table, const char *namespace, const char *name);

/* Writer. Returns true if a record of that key was put in this round. */
bool table_put(struct table *table, struct epoch *epoch, struct record *owned_record);

/* Writer: replaces a record of the table by another of the same key and the same round. */
void table_replace(struct table *table, struct epoch *epoch, const struct record *old,
                   struct record *owned_record);

/* Writer. */
void table_remove(struct table *table, struct epoch *epoch, const struct record *record);

/* Writer: removes the records of a namespace, or, if it is NULL, of all, that were put before this
   round. Returns how many are left there. */
size_t table_remove_stale(struct table *table, struct epoch *epoch, const char *namespace,
                          uint64_t round);

/* Goes through all records: NULL at the end. For the writer, or for a reader within its epoch,
   which may miss a record that is put meanwhile. */
struct table_walk {
    const struct table_index *index;
    size_t at;
};

struct table_walk table_begin_walk(const struct table *table);
const struct record *table_walk(struct table_walk *walk);

#endif
