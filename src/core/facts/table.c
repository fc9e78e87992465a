// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { INDEX_SIZE_MIN = 64 };

/* Stands in the slot of a removed record, and a probe goes on past it. Only its address counts. */
static const struct record tombstone = {.hash = 0};

struct table_index {
    size_t size;
    _Atomic(const struct record *) slots[];
};

static bool matches(const struct record *record, uint64_t hash, const char *namespace,
                    const char *name) {
    return record->hash == hash && strcmp(record_text(record, RECORD_NAMESPACE), namespace) == 0 &&
           strcmp(record_text(record, RECORD_NAME), name) == 0;
}

/* The record with that key, and its slot; or NULL, and the empty slot that ends the probe. It loads
   the slot once: before a second load the writer could replace or remove the record. */
static const struct record *probe(const struct table_index *index, const char *namespace,
                                  const char *name, size_t *ret_slot) {
    uint64_t hash = record_hash(namespace, name);
    const struct record *record;
    size_t slot = hash & (index->size - 1);
    while ((record = atomic_load(&index->slots[slot])) != NULL &&
           (record == &tombstone || !matches(record, hash, namespace, name))) {
        slot = (slot + 1) & (index->size - 1);
    }
    *ret_slot = slot;
    return record;
}

const struct record *table_find(const struct table *table, const char *namespace,
                                const char *name) {
    size_t slot;
    return probe(atomic_load(&table->index), namespace, name, &slot);
}

static struct table_index *new_index(size_t size) {
    struct table_index *index = memory_new(1, sizeof(*index) + size * sizeof(index->slots[0]));
    index->size = size;
    for (size_t i = 0; i < size; i++) {
        atomic_init(&index->slots[i], NULL);
    }
    return index;
}

void table_init(struct table *table) {
    atomic_init(&table->index, new_index(INDEX_SIZE_MIN));
    atomic_init(&table->n_records, 0);
    table->round = 1; /* 0 is the round of no record */
}

void table_fini(struct table *table) {
    struct table_index *index = atomic_load(&table->index);
    for (size_t i = 0; i < index->size; i++) {
        const struct record *record = atomic_load(&index->slots[i]);
        if (record != &tombstone) {
            free((void *)record);
        }
    }
    free(index);
}

/* Makes room for one more: at most half of the slots are used, so that every probe ends soon. */
static void make_room(struct table *table, struct epoch *epoch) {
    struct table_index *old = atomic_load(&table->index);
    if ((table->n_used + 1) * 2 <= old->size) {
        return;
    }
    size_t n_records = atomic_load(&table->n_records);
    size_t size = INDEX_SIZE_MIN;
    while (size < (n_records + 1) * 4) {
        size *= 2;
    }
    struct table_index *index = new_index(size);
    for (size_t i = 0; i < old->size; i++) {
        const struct record *record = atomic_load(&old->slots[i]);
        if (record != NULL && record != &tombstone) {
            size_t at = record->hash & (size - 1);
            while (atomic_load(&index->slots[at]) != NULL) {
                at = (at + 1) & (size - 1);
            }
            atomic_init(&index->slots[at], record);
        }
    }
    table->n_used = n_records;
    atomic_store(&table->index, index);
    epoch_retire(epoch, old, free);
}

static size_t find_slot(const struct table_index *index, const struct record *record) {
    size_t slot;
    probe(index, record_text(record, RECORD_NAMESPACE), record_text(record, RECORD_NAME), &slot);
    return slot;
}

bool table_put(struct table *table, struct epoch *epoch, struct record *owned_record) {
    make_room(table, epoch);
    struct table_index *index = atomic_load(&table->index);
    size_t slot = find_slot(index, owned_record);
    const struct record *old = atomic_load(&index->slots[slot]);
    bool was_put = old != NULL && old->round == table->round;
    owned_record->round = table->round;
    owned_record->serial = ++table->n_puts;
    atomic_store(&index->slots[slot], owned_record);
    if (old == NULL) {
        table->n_used++;
        atomic_fetch_add(&table->n_records, 1);
    } else {
        epoch_retire(epoch, (void *)old, free);
    }
    return was_put;
}

void table_replace(struct table *table, struct epoch *epoch, const struct record *old,
                   struct record *owned_record) {
    struct table_index *index = atomic_load(&table->index);
    owned_record->round = old->round;
    owned_record->serial = ++table->n_puts;
    atomic_store(&index->slots[find_slot(index, old)], owned_record);
    epoch_retire(epoch, (void *)old, free);
}

static void remove_from(struct table *table, struct epoch *epoch, size_t slot) {
    struct table_index *index = atomic_load(&table->index);
    const struct record *record = atomic_load(&index->slots[slot]);
    atomic_store(&index->slots[slot], &tombstone);
    atomic_fetch_sub(&table->n_records, 1);
    epoch_retire(epoch, (void *)record, free);
}

void table_remove(struct table *table, struct epoch *epoch, const struct record *record) {
    remove_from(table, epoch, find_slot(atomic_load(&table->index), record));
}

size_t table_remove_stale(struct table *table, struct epoch *epoch, const char *namespace,
                          uint64_t round) {
    struct table_walk walk = table_begin_walk(table);
    const struct record *record;
    size_t n_left = 0;
    while ((record = table_walk(&walk)) != NULL) {
        if (namespace != NULL && strcmp(record_text(record, RECORD_NAMESPACE), namespace) != 0) {
            continue;
        }
        if (record->round < round) {
            remove_from(table, epoch, walk.at - 1);
        } else {
            n_left++;
        }
    }
    return n_left;
}

struct table_walk table_begin_walk(const struct table *table) {
    return (struct table_walk){.index = atomic_load(&table->index)};
}

const struct record *table_walk(struct table_walk *walk) {
    while (walk->at < walk->index->size) {
        const struct record *record = atomic_load(&walk->index->slots[walk->at++]);
        if (record != NULL && record != &tombstone) {
            return record;
        }
    }
    return NULL;
}
