// SPDX-License-Identifier: Apache-2.0
#include "core/facts.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/epoch.h"
#include "base/memory.h"
#include "base/text.h"

enum { INDEX_SIZE_MIN = 64 };

/*
 * A record is packed: its texts follow each other behind the struct, each with its NUL. 100,000 of
 * each kind have to fit into a few tens of megabytes.
 */
struct record {
    uint64_t hash;
    uint64_t round;
    int64_t generation;
    struct number replicas;
    struct condition conditions[CONDITION_TYPE_COUNT];
    bool is_keyed_by_uid;
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

/* Where a record was removed: a probe goes on past it. Only its address means something. */
static const struct record tombstone = {.hash = 0};

/*
 * Open addressing with linear probing over a power of two. A removed record leaves a tombstone, so
 * that the probe of a concurrent reader does not end early; tombstones go when the writer builds
 * the next index.
 */
struct index {
    size_t size;
    _Atomic(const struct record *) slots[];
};

struct table {
    _Atomic(struct index *) index;
    atomic_size_t n_records;
    size_t n_used; /* slots that are not empty: records and tombstones */
};

struct facts {
    struct epoch epoch;
    struct table servers;
    struct table deployments;
    uint64_t round;
};

/* What a record is looked up by: its uid, or else (uid is NULL) its namespace and name. */
struct key {
    const char *uid;
    const char *namespace;
    const char *name;
    uint64_t hash;
};

/* FNV-1a, its end mixed so that the low bits depend on all. */
static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
    return (hash ^ '/') * UINT64_C(1099511628211);
}

static struct key make_key(const char *uid, const char *namespace, const char *name) {
    uint64_t hash = UINT64_C(14695981039346656037);
    hash = uid != NULL ? hash_text(hash, uid) : hash_text(hash_text(hash, namespace), name);
    hash ^= hash >> 32;
    return (struct key){.uid = uid, .namespace = namespace, .name = name, .hash = hash};
}

static const char *record_text(const struct record *record, int which) {
    const char *text = record->texts;
    for (int i = 0; i < which; i++) {
        text += strlen(text) + 1;
    }
    return text;
}

static bool matches(const struct record *record, const struct key *key) {
    if (record->hash != key->hash || record->is_keyed_by_uid != (key->uid != NULL)) {
        return false;
    }
    if (key->uid != NULL) {
        return strcmp(record_text(record, TEXT_UID), key->uid) == 0;
    }
    return strcmp(record_text(record, TEXT_NAMESPACE), key->namespace) == 0 &&
           strcmp(record_text(record, TEXT_NAME), key->name) == 0;
}

/* The key's record and its slot; or NULL, and the empty slot that ends the probe. */
static const struct record *probe(struct index *index, const struct key *key, size_t *ret_slot) {
    for (size_t i = key->hash & (index->size - 1);; i = (i + 1) & (index->size - 1)) {
        const struct record *record = atomic_load(&index->slots[i]);
        if (record == NULL || (record != &tombstone && matches(record, key))) {
            *ret_slot = i;
            return record;
        }
    }
}

static struct index *new_index(size_t size) {
    struct index *index = memory_new(1, sizeof(*index) + size * sizeof(index->slots[0]));
    index->size = size;
    for (size_t i = 0; i < size; i++) {
        atomic_init(&index->slots[i], NULL);
    }
    return index;
}

static void init_table(struct table *table) {
    atomic_init(&table->index, new_index(INDEX_SIZE_MIN));
    atomic_init(&table->n_records, 0);
}

struct facts *facts_new(void) {
    struct facts *facts = memory_new(1, sizeof(*facts));
    epoch_init(&facts->epoch);
    init_table(&facts->servers);
    init_table(&facts->deployments);
    facts->round = 1; /* 0 is what put() returns for no round */
    return facts;
}

static void fini_table(struct table *table) {
    struct index *index = atomic_load(&table->index);
    for (size_t i = 0; i < index->size; i++) {
        const struct record *record = atomic_load(&index->slots[i]);
        if (record != &tombstone) {
            free((void *)record);
        }
    }
    free(index);
}

void facts_free(struct facts *facts) {
    if (facts == NULL) {
        return;
    }
    fini_table(&facts->servers);
    fini_table(&facts->deployments);
    epoch_fini(&facts->epoch);
    free(facts);
}

/* Makes room for one more: at most half of the slots are used, so that every probe ends soon. */
static void make_room(struct facts *facts, struct table *table) {
    struct index *old = atomic_load(&table->index);
    if ((table->n_used + 1) * 2 <= old->size) {
        return;
    }
    size_t n_records = atomic_load(&table->n_records);
    size_t size = INDEX_SIZE_MIN;
    while (size < (n_records + 1) * 4) {
        size *= 2;
    }
    struct index *index = new_index(size);
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
    epoch_retire(&facts->epoch, old, free);
}

/* Puts a record that matches the key; what stood there is retired. Returns the round of that, or 0
   if nothing did. */
static uint64_t put(struct facts *facts, struct table *table, const struct key *key,
                    struct record *owned_record) {
    make_room(facts, table);
    struct index *index = atomic_load(&table->index);
    size_t slot;
    const struct record *old = probe(index, key, &slot);
    uint64_t old_round = old == NULL ? 0 : old->round;
    atomic_store(&index->slots[slot], owned_record);
    if (old == NULL) {
        table->n_used++;
        atomic_fetch_add(&table->n_records, 1);
    } else {
        epoch_retire(&facts->epoch, (void *)old, free);
    }
    return old_round;
}

static struct record *new_record(const struct facts *facts, const struct key *key,
                                 const char *const *texts, size_t n_texts) {
    size_t size = 0;
    for (size_t i = 0; i < n_texts; i++) {
        size += strlen(texts[i]) + 1;
    }
    struct record *record = memory_new(1, sizeof(*record) + size);
    record->hash = key->hash;
    record->is_keyed_by_uid = key->uid != NULL;
    record->round = facts->round;
    char *at = record->texts;
    for (size_t i = 0; i < n_texts; i++) {
        size_t text_size = strlen(texts[i]) + 1;
        memcpy(at, texts[i], text_size);
        at += text_size;
    }
    return record;
}

static bool put_server(struct facts *facts, const struct object *object) {
    struct key key = make_key(NULL, object->namespace, object->name);
    const char *const texts[] = {object->namespace, object->name, object->uid};
    struct record *record = new_record(facts, &key, texts, COUNT_OF(texts));
    record->generation = object->generation;
    record->replicas = object->replicas;
    record->is_deleting = object->is_deleting;
    record->is_stdio = object_is_stdio(object);
    record->is_redis = object_is_redis(object);
    memcpy(record->conditions, object->conditions, sizeof(record->conditions));
    return put(facts, &facts->servers, &key, record) == facts->round;
}

static bool put_deployment(struct facts *facts, const struct object *object) {
    const char *uid = object->uid[0] != '\0' ? object->uid : NULL;
    struct key key = make_key(uid, object->namespace, object->name);
    const char *const texts[] = {object->namespace, object->name,       object->uid,
                                 object->instance,  object->owner.name, object->owner.uid};
    struct record *record = new_record(facts, &key, texts, COUNT_OF(texts));
    record->replicas = object->replicas;
    record->is_deleting = object->is_deleting;
    record->is_labelled = object->is_labelled;
    record->is_controlled = object->owner.is_controlled;
    record->is_owned_by_mcpserver = object->owner.is_mcpserver;
    return put(facts, &facts->deployments, &key, record) == facts->round;
}

bool facts_put(struct facts *facts, const struct object *object) {
    if (object->kind == OBJECT_MCPSERVER) {
        return put_server(facts, object);
    }
    return object->kind == OBJECT_DEPLOYMENT && put_deployment(facts, object);
}

void facts_begin_round(struct facts *facts) {
    facts->round++;
}

static void remove_stale(struct facts *facts, struct table *table) {
    struct index *index = atomic_load(&table->index);
    for (size_t i = 0; i < index->size; i++) {
        const struct record *record = atomic_load(&index->slots[i]);
        if (record != NULL && record != &tombstone && record->round != facts->round) {
            atomic_store(&index->slots[i], &tombstone);
            atomic_fetch_sub(&table->n_records, 1);
            epoch_retire(&facts->epoch, (void *)record, free);
        }
    }
}

void facts_end_round(struct facts *facts) {
    remove_stale(facts, &facts->servers);
    remove_stale(facts, &facts->deployments);
    epoch_collect(&facts->epoch);
}

static void copy_server(const struct record *record, struct server_fact *ret) {
    text_copy(ret->namespace, sizeof(ret->namespace), record_text(record, TEXT_NAMESPACE));
    text_copy(ret->name, sizeof(ret->name), record_text(record, TEXT_NAME));
    text_copy(ret->uid, sizeof(ret->uid), record_text(record, TEXT_UID));
    ret->generation = record->generation;
    ret->is_deleting = record->is_deleting;
    ret->is_stdio = record->is_stdio;
    ret->is_redis = record->is_redis;
    ret->replicas = record->replicas;
    memcpy(ret->conditions, record->conditions, sizeof(ret->conditions));
}

static void copy_deployment(const struct record *record, struct deployment_fact *ret) {
    text_copy(ret->namespace, sizeof(ret->namespace), record_text(record, TEXT_NAMESPACE));
    text_copy(ret->name, sizeof(ret->name), record_text(record, TEXT_NAME));
    text_copy(ret->uid, sizeof(ret->uid), record_text(record, TEXT_UID));
    text_copy(ret->instance, sizeof(ret->instance), record_text(record, TEXT_INSTANCE));
    text_copy(ret->owner.name, sizeof(ret->owner.name), record_text(record, TEXT_OWNER_NAME));
    text_copy(ret->owner.uid, sizeof(ret->owner.uid), record_text(record, TEXT_OWNER_UID));
    ret->owner.is_controlled = record->is_controlled;
    ret->owner.is_mcpserver = record->is_owned_by_mcpserver;
    ret->is_deleting = record->is_deleting;
    ret->is_labelled = record->is_labelled;
    ret->replicas = record->replicas;
}

bool facts_find_server(struct facts *facts, const char *namespace, const char *name,
                       struct server_fact *ret_server) {
    struct key key = make_key(NULL, namespace, name);
    unsigned ticket = epoch_enter(&facts->epoch);
    size_t slot;
    const struct record *record = probe(atomic_load(&facts->servers.index), &key, &slot);
    if (record != NULL) {
        copy_server(record, ret_server);
    }
    epoch_exit(&facts->epoch, ticket);
    return record != NULL;
}

static bool find_deployment(struct facts *facts, const struct key *key,
                            struct deployment_fact *ret) {
    unsigned ticket = epoch_enter(&facts->epoch);
    size_t slot;
    const struct record *record = probe(atomic_load(&facts->deployments.index), key, &slot);
    if (record != NULL) {
        copy_deployment(record, ret);
    }
    epoch_exit(&facts->epoch, ticket);
    return record != NULL;
}

bool facts_find_deployment(struct facts *facts, const char *uid, struct deployment_fact *ret) {
    struct key key = make_key(uid, "", "");
    return find_deployment(facts, &key, ret);
}

bool facts_find_manifest_deployment(struct facts *facts, const char *namespace, const char *name,
                                    struct deployment_fact *ret) {
    struct key key = make_key(NULL, namespace, name);
    return find_deployment(facts, &key, ret);
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
    struct index *index = atomic_load(&facts->servers.index);
    for (size_t i = 0; i < index->size; i++) {
        const struct record *record = atomic_load(&index->slots[i]);
        if (record != NULL && record != &tombstone) {
            struct server_fact server;
            copy_server(record, &server);
            visit(context, &server);
        }
    }
}
