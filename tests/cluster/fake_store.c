// SPDX-License-Identifier: Apache-2.0
#include "fake_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_VERSION = 100, TEXT_MAX = 64 << 20 };

static const char *const kind_names[FAKE_KIND_COUNT] = {
    [FAKE_SERVER] = "MCPServer",
    [FAKE_PROXY] = "MCPRemoteProxy",
    [FAKE_VIRTUAL] = "VirtualMCPServer",
    [FAKE_DEPLOYMENT] = "Deployment",
    [FAKE_HPA] = "HorizontalPodAutoscaler",
    [FAKE_LEASE] = "Lease",
    [FAKE_EVENT] = "Event",
    [FAKE_SECRET] = "Secret",
    [FAKE_NAMESPACE] = "Namespace",
    [FAKE_CONFIGURATION] = "MutatingWebhookConfiguration",
};

static cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(get(object, key));
    return text == NULL ? "" : text;
}

static void set_text(cJSON *object, const char *key, const char *text) {
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddStringToObject(object, key, text);
}

static void set_number(cJSON *object, const char *key, double number) {
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddNumberToObject(object, key, number);
}

void fake_store_init(struct fake_store *store) {
    *store = (struct fake_store){.version = FIRST_VERSION};
}

void fake_store_fini(struct fake_store *store) {
    for (int kind = 0; kind < FAKE_KIND_COUNT; kind++) {
        struct fake_collection *collection = &store->collections[kind];
        for (size_t i = 0; i < collection->n_objects; i++) {
            free(collection->objects[i].key);
            free(collection->objects[i].text);
        }
        free(collection->objects);
    }
    for (size_t i = 0; i < store->n_changes; i++) {
        free(store->changes[i].bytes);
    }
    free(store->changes);
}

void fake_store_key(const cJSON *object, char out[512]) {
    const cJSON *metadata = get(object, "metadata");
    snprintf(out, 512, "%s/%s", text_of(metadata, "namespace"), text_of(metadata, "name"));
}

/* The place of the first object whose key is not less. */
static size_t find_place(const struct fake_collection *collection, const char *key) {
    size_t low = 0;
    size_t high = collection->n_objects;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(collection->objects[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct fake_object *fake_store_find(const struct fake_store *store, enum fake_kind kind,
                                          const char *key) {
    const struct fake_collection *collection = &store->collections[kind];
    size_t place = find_place(collection, key);
    bool is_there =
        place < collection->n_objects && strcmp(collection->objects[place].key, key) == 0;
    return is_there ? &collection->objects[place] : NULL;
}

static void print_head(const struct fake_store *store, enum fake_kind kind, const char *ending,
                       struct buffer *out) {
    static const char *const groups[FAKE_KIND_COUNT] = {
        [FAKE_SERVER] = "toolhive.stacklok.dev/",
        [FAKE_PROXY] = "toolhive.stacklok.dev/",
        [FAKE_VIRTUAL] = "toolhive.stacklok.dev/",
        [FAKE_DEPLOYMENT] = "apps/v1",
        [FAKE_HPA] = "autoscaling/v1",
        [FAKE_LEASE] = "coordination.k8s.io/v1",
        [FAKE_EVENT] = "events.k8s.io/v1",
        [FAKE_SECRET] = "v1",
        [FAKE_NAMESPACE] = "v1",
        [FAKE_CONFIGURATION] = "admissionregistration.k8s.io/v1",
    };
    buffer_add_format(out, "{\"kind\":\"%s%s\",\"apiVersion\":\"%s%s\",", kind_names[kind], ending,
                      groups[kind], kind < FAKE_FAMILY_COUNT ? store->family_versions[kind] : "");
}

void fake_store_print(const struct fake_store *store, enum fake_kind kind,
                      const struct fake_object *object, bool is_item, struct buffer *out) {
    if (is_item && kind >= FAKE_FAMILY_COUNT) {
        buffer_add_text(out, "{");
    } else {
        print_head(store, kind, "", out);
    }
    buffer_add_text(out, object->text);
}

cJSON *fake_store_read(const struct fake_store *store, enum fake_kind kind, const char *key) {
    const struct fake_object *object = fake_store_find(store, kind, key);
    if (object == NULL) {
        return NULL;
    }
    AUTO(buffer_fini) struct buffer text;
    buffer_init(&text, TEXT_MAX);
    fake_store_print(store, kind, object, false, &text);
    return cJSON_ParseWithLength(text.bytes, text.size);
}

bool fake_store_is_in(const char *key, const char *namespace) {
    size_t size = strlen(namespace);
    return size == 0 || (strncmp(key, namespace, size) == 0 && key[size] == '/');
}

/* `key` is NULL for what concerns all objects. */
static void add_change(struct fake_store *store, enum fake_kind kind, const char *key,
                       const char *bytes, size_t size) {
    enum { STEP = 1024 };
    if (store->n_changes % STEP == 0) {
        store->changes =
            memory_resize(store->changes, store->n_changes + STEP, sizeof(struct fake_change));
    }
    struct fake_change *change = &store->changes[store->n_changes++];
    *change = (struct fake_change){
        .version = store->version, .kind = kind, .bytes = memory_copy(bytes, size), .size = size};
    snprintf(change->key, sizeof(change->key), "%s", key == NULL ? "" : key);
}

void fake_store_add_bytes(struct fake_store *store, enum fake_kind kind, const char *bytes,
                          size_t size) {
    add_change(store, kind, NULL, bytes, size);
}

static void announce(struct fake_store *store, enum fake_kind kind, const char *type,
                     const struct fake_object *object) {
    AUTO(buffer_fini) struct buffer line;
    buffer_init(&line, TEXT_MAX);
    buffer_add_format(&line, "{\"type\":\"%s\",\"object\":", type);
    fake_store_print(store, kind, object, false, &line);
    buffer_add_text(&line, "}\n");
    add_change(store, kind, object->key, line.bytes, line.size);
}

/* Some tests rely on Deployments without such a label, of which no list and no watch tells. */
static bool is_selected(enum fake_kind kind, const cJSON *object) {
    const cJSON *labels = get(get(object, "metadata"), "labels");
    const char *label = text_of(labels, "app.kubernetes.io/name");
    return kind != FAKE_DEPLOYMENT || strcmp(label, "mcpserver") == 0 ||
           strcmp(label, "mcpremoteproxy") == 0 || strcmp(label, "virtualmcpserver") == 0;
}

static struct fake_object *make_place(struct fake_collection *collection, const char *key) {
    enum { STEP = 256 };
    size_t place = find_place(collection, key);
    if (place < collection->n_objects && strcmp(collection->objects[place].key, key) == 0) {
        return &collection->objects[place];
    }
    if (collection->n_objects % STEP == 0) {
        collection->objects = memory_resize(collection->objects, collection->n_objects + STEP,
                                            sizeof(struct fake_object));
    }
    memmove(&collection->objects[place + 1], &collection->objects[place],
            (collection->n_objects - place) * sizeof(struct fake_object));
    collection->n_objects++;
    collection->objects[place] = (struct fake_object){.key = memory_copy(key, strlen(key))};
    return &collection->objects[place];
}

static void set_version(struct fake_store *store, cJSON *object) {
    char version[32];
    snprintf(version, sizeof(version), "%lld", (long long)++store->version);
    set_text(get(object, "metadata"), "resourceVersion", version);
}

void fake_store_write(struct fake_store *store, enum fake_kind kind, cJSON *object) {
    char key[512];
    fake_store_key(object, key);
    set_version(store, object);
    cJSON *bare = cJSON_Duplicate(object, true);
    cJSON_DeleteItemFromObjectCaseSensitive(bare, "kind");
    cJSON_DeleteItemFromObjectCaseSensitive(bare, "apiVersion");
    char *text = cJSON_PrintUnformatted(bare);
    cJSON_Delete(bare);
    struct fake_object *place = make_place(&store->collections[kind], key);
    bool is_new = place->text == NULL;
    bool was_selected = place->is_selected;
    free(place->text);
    place->text = memory_copy(text + 1, strlen(text) - 1);
    free(text);
    place->is_selected = is_selected(kind, object);
    if (place->is_selected) {
        announce(store, kind, is_new || !was_selected ? "ADDED" : "MODIFIED", place);
    } else if (was_selected) {
        announce(store, kind, "DELETED", place);
    }
}

/* Copies the members that an update cannot change, or that it leaves out. */
static void take_over(cJSON *object, const cJSON *old) {
    static const char managed[] = "managedFields";
    const cJSON *old_metadata = get(old, "metadata");
    cJSON *metadata = get(object, "metadata");
    set_text(metadata, "uid", text_of(old_metadata, "uid"));
    double generation = cJSON_GetNumberValue(get(old_metadata, "generation"));
    bool is_same = cJSON_Compare(get(object, "spec"), get(old, "spec"), true);
    set_number(metadata, "generation", is_same ? generation : generation + 1);
    if (get(metadata, managed) == NULL && get(old_metadata, managed) != NULL) {
        cJSON_AddItemToObject(metadata, managed, cJSON_Duplicate(get(old_metadata, managed), true));
    }
    if (get(object, "status") == NULL && get(old, "status") != NULL) {
        cJSON_AddItemToObject(object, "status", cJSON_Duplicate(get(old, "status"), true));
    }
}

void fake_store_put(struct fake_store *store, enum fake_kind kind, cJSON *object) {
    char key[512];
    cJSON *metadata = get(object, "metadata");
    fake_store_key(object, key);
    cJSON *old = fake_store_read(store, kind, key);
    if (old != NULL) {
        take_over(object, old);
        cJSON_Delete(old);
    } else {
        char uid[64];
        snprintf(uid, sizeof(uid), "00000000-0000-4000-8000-%012x", ++store->n_uids);
        if (text_of(metadata, "uid")[0] == '\0') {
            set_text(metadata, "uid", uid);
        }
        set_number(metadata, "generation", 1);
    }
    fake_store_write(store, kind, object);
}

void fake_store_remove(struct fake_store *store, enum fake_kind kind, const char *key) {
    struct fake_collection *collection = &store->collections[kind];
    cJSON *object = fake_store_read(store, kind, key);
    if (object == NULL) {
        return;
    }
    /* The event has the version of the deletion. */
    size_t n_before = store->n_changes;
    fake_store_write(store, kind, object);
    cJSON_Delete(object);
    while (store->n_changes > n_before) {
        free(store->changes[--store->n_changes].bytes);
    }
    size_t place = find_place(collection, key);
    if (collection->objects[place].is_selected) {
        announce(store, kind, "DELETED", &collection->objects[place]);
    }
    free(collection->objects[place].key);
    free(collection->objects[place].text);
    collection->n_objects--;
    memmove(&collection->objects[place], &collection->objects[place + 1],
            (collection->n_objects - place) * sizeof(struct fake_object));
}

/* The token contains characters that a query must escape. */
static void print_list_metadata(const struct fake_store *store, const char *last, size_t n_left,
                                struct buffer *out) {
    buffer_add_format(out, "\"metadata\":{\"resourceVersion\":\"%lld\"", (long long)store->version);
    if (n_left > 0) {
        buffer_add_format(out, ",\"continue\":\"%lld+%s==\",\"remainingItemCount\":%zu",
                          (long long)store->version, last, n_left);
    }
    buffer_add_text(out, "},\"items\":[");
}

void fake_store_list(const struct fake_store *store, enum fake_kind kind, const char *namespace,
                     size_t limit, const char *after, struct buffer *out) {
    const struct fake_collection *collection = &store->collections[kind];
    AUTO(buffer_fini) struct buffer items;
    size_t i = after == NULL ? 0 : find_place(collection, after);
    size_t n = 0;
    const char *last = "";
    buffer_init(&items, TEXT_MAX);
    i += after != NULL && i < collection->n_objects &&
         strcmp(collection->objects[i].key, after) == 0;
    for (; i < collection->n_objects && (limit == 0 || n < limit); i++) {
        if (collection->objects[i].is_selected &&
            fake_store_is_in(collection->objects[i].key, namespace)) {
            buffer_add_text(&items, n++ > 0 ? "," : "");
            fake_store_print(store, kind, &collection->objects[i], true, &items);
            last = collection->objects[i].key;
        }
    }
    print_head(store, kind, "List", out);
    print_list_metadata(store, last, collection->n_objects - i, out);
    buffer_add(out, items.bytes, items.size);
    buffer_add_text(out, "]}");
}
