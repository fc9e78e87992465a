// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CLUSTER_FAKE_STORE_H
#define TESTS_CLUSTER_FAKE_STORE_H

/*
 * The data of the fake API server: objects by kind, sorted by namespace and name as in etcd, and
 * every change since the beginning. One counter of resource versions serves all kinds. Objects are
 * kept as text, since a test may want 50,000 of them.
 */

#include "base/buffer.h"
#include "fake_api.h"

struct fake_object {
    char *key;  /* "namespace/name" */
    char *text; /* without kind and apiVersion, and without its first brace */
    bool is_selected;
};

struct fake_collection {
    struct fake_object *objects;
    size_t n_objects;
};

struct fake_change {
    int64_t version;
    enum fake_kind kind;
    char key[512]; /* of the object; "": it concerns all */
    char *bytes;
    size_t size;
};

struct fake_store {
    int64_t version;
    int64_t compacted;
    unsigned n_uids;
    char family_versions[FAKE_FAMILY_COUNT][64]; /* the version in all that is read */
    struct fake_collection collections[FAKE_KIND_COUNT];
    struct fake_change *changes;
    size_t n_changes;
};

void fake_store_init(struct fake_store *store);
void fake_store_fini(struct fake_store *store);

/* NULL if there is none. */
const struct fake_object *fake_store_find(const struct fake_store *store, enum fake_kind kind,
                                          const char *key);

/* Returns a tree, with kind and apiVersion. */
cJSON *fake_store_read(const struct fake_store *store, enum fake_kind kind, const char *key);

/* Writes the object under its own name with a new resourceVersion, and puts that into the
   tree too. */
void fake_store_write(struct fake_store *store, enum fake_kind kind, cJSON *object);

/* Acts like a client's create or update; see fake_put(). */
void fake_store_put(struct fake_store *store, enum fake_kind kind, cJSON *object);
void fake_store_remove(struct fake_store *store, enum fake_kind kind, const char *key);

/* Adds bytes to the changes that describe no change. */
void fake_store_add_bytes(struct fake_store *store, enum fake_kind kind, const char *bytes,
                          size_t size);

/* Adds an object as JSON. In a list of a native kind, items have neither kind nor apiVersion. */
void fake_store_print(const struct fake_store *store, enum fake_kind kind,
                      const struct fake_object *object, bool is_item, struct buffer *out);

/* Adds a page of a namespace ("": of all): at most `limit` objects (0: no limit) after `after`
   (NULL: from the first). */
void fake_store_list(const struct fake_store *store, enum fake_kind kind, const char *namespace,
                     size_t limit, const char *after, struct buffer *out);

/* True if the key is of the namespace; each is of "". */
bool fake_store_is_in(const char *key, const char *namespace);

/* Writes "namespace/name" from the tree's metadata. */
void fake_store_key(const cJSON *object, char out[512]);

#endif
