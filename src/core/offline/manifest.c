// SPDX-License-Identifier: Apache-2.0
#include "core/offline/manifest.h"

#include <string.h>

#include "base/json_fields.h"
#include "base/text.h"
#include "core/facts/facts.h"

#define DEFAULT_NAMESPACE "default"

/* The members at the top of an object that tell its kind, and a list from an object. */
struct outline {
    struct json_text api_version;
    struct json_text kind;
    struct json_text items; /* any value; empty if it is null; `at` is NULL if there is none */
    bool has_kind;
};

/* Lists may lie in one another, as for kubectl, but only so deep. */
enum { LISTS_MAX = 16 };

struct split {
    manifest_visit_item *visit;
    void *context;
    struct error *error;
};

/* The list around a value. */
struct list {
    const struct outline *outline;
    size_t depth; /* the outermost has 1 */
};

static bool visit_value(const struct split *split, const struct list *list,
                        const struct json_text *raw, size_t offset);

static void read_kind(struct json_walk *walk, void *at) {
    struct outline *outline = at;
    outline->has_kind = json_peek(walk->reader) != JSON_NULL;
    outline->kind = (struct json_text){.at = ""};
    (void)json_read_text(walk->reader, &outline->kind);
}

static void read_outline(const struct json_text *raw, struct outline *ret_outline) {
    static const struct json_field rows[] = {
        JSON_VIEW("apiVersion", struct outline, api_version),
        JSON_READ_WHOLE("kind", read_kind),
        JSON_RAW("items", struct outline, items),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct json_reader reader;
    *ret_outline = (struct outline){.api_version = {.at = ""}, .kind = {.at = ""}};
    json_begin(&reader, raw->at, raw->size);
    (void)json_read_fields(&reader, &fields, ret_outline);
}

/* "Deployment" of "DeploymentList". False if the kind ends otherwise, or does not fit. */
static bool read_listed_kind(const struct outline *outline, char kind[OBJECT_KIND_SIZE]) {
    static const char suffix[] = "List";
    (void)json_text_copy(&outline->kind, kind, OBJECT_KIND_SIZE);
    size_t size = strlen(kind);
    if (size < strlen(suffix) || strcmp(kind + size - strlen(suffix), suffix) != 0) {
        return false;
    }
    kind[size - strlen(suffix)] = '\0';
    return true;
}

static bool is_list(const struct outline *outline) {
    char kind[OBJECT_KIND_SIZE];
    return outline->items.at != NULL && read_listed_kind(outline, kind);
}

/* False if the list is a plain "List", which may hold any kinds. */
static bool use_kind_of_list(const struct outline *list, struct manifest_item *item) {
    (void)json_text_copy(&list->api_version, item->api_version, sizeof(item->api_version));
    return read_listed_kind(list, item->kind) && item->kind[0] != '\0';
}

static bool visit_list(const struct split *split, const struct list *list,
                       const struct json_text *raw, size_t offset) {
    const struct json_text *items = &list->outline->items;
    size_t base = offset + (size_t)(items->at - raw->at);
    struct json_reader reader;
    struct json_text item;
    if (list->depth > LISTS_MAX) {
        return error_set_at(split->error, ERROR_TOO_LARGE, offset,
                            "more than %d lists lie in one another", LISTS_MAX);
    }
    json_begin(&reader, items->at, items->size);
    if (items->size == 0) {
        return true;
    }
    if (!json_enter_array(&reader)) {
        return error_set_at(split->error, ERROR_INVALID, base, "the items of a list are no list");
    }
    while (json_next_item(&reader)) {
        if (json_read_raw(&reader, &item) &&
            !visit_value(split, list, &item, base + (size_t)(item.at - items->at))) {
            return false;
        }
    }
    return true;
}

static bool visit_value(const struct split *split, const struct list *list,
                        const struct json_text *raw, size_t offset) {
    struct manifest_item item = {.raw = *raw, .offset = offset};
    struct outline outline;
    read_outline(raw, &outline);
    if (is_list(&outline)) {
        const struct list inner = {&outline, list == NULL ? 1 : list->depth + 1};
        return visit_list(split, &inner, raw, offset);
    }
    (void)json_text_copy(&outline.api_version, item.api_version, sizeof(item.api_version));
    (void)json_text_copy(&outline.kind, item.kind, sizeof(item.kind));
    if (!outline.has_kind && list != NULL) {
        item.is_typed_by_list = use_kind_of_list(list->outline, &item);
    }
    split->visit(split->context, &item);
    return true;
}

bool manifest_split(const char *json, size_t size, manifest_visit_item *visit, void *context,
                    struct error *error) {
    const struct split split = {.visit = visit, .context = context, .error = error};
    struct json_reader reader;
    struct json_text raw;
    json_begin(&reader, json, size);
    enum json_kind kind = json_peek(&reader);
    size_t offset = json_offset(&reader);
    (void)json_read_raw(&reader, &raw);
    if (!json_finish(&reader, error)) {
        return false;
    }
    if (kind == JSON_NULL) {
        return true;
    }
    if (kind != JSON_OBJECT) {
        return error_set_at(error, ERROR_INVALID, 0, "not a Kubernetes object");
    }
    return visit_value(&split, NULL, &raw, offset);
}

static enum object_kind kind_of(const struct manifest_item *item) {
    char group[MANIFEST_VERSION_SIZE];
    text_copy(group, sizeof(group), item->api_version);
    size_t size = strcspn(group, "/");
    bool has_group = group[size] == '/';
    group[has_group ? size : 0] = '\0'; /* "v1" belongs to the group without a name */
    return kind_find(group, item->kind);
}

bool manifest_read_object(const struct manifest_item *item, struct object *ret_object) {
    enum object_kind kind = kind_of(item);
    if (!facts_keep(kind) && !kind_is_autoscaler(kind)) {
        return false;
    }
    if (!object_decode(item->raw.at, item->raw.size, ret_object)) {
        return false;
    }
    ret_object->kind = kind;
    if (ret_object->namespace[0] == '\0') {
        text_copy(ret_object->namespace, sizeof(ret_object->namespace), DEFAULT_NAMESPACE);
    }
    return true;
}

struct reading {
    manifest_visit *visit;
    void *context;
    size_t n_others;
};

static void on_item(void *context, const struct manifest_item *item) {
    struct reading *reading = context;
    struct object object;
    if (manifest_read_object(item, &object) && facts_keep(object.kind)) {
        reading->visit(reading->context, &object, item->offset);
    } else {
        reading->n_others++;
    }
}

bool manifest_read(const char *json, size_t size, manifest_visit *visit, void *context,
                   size_t *ret_n_others, struct error *error) {
    struct reading reading = {.visit = visit, .context = context};
    bool is_read = manifest_split(json, size, on_item, &reading, error);
    *ret_n_others = reading.n_others;
    return is_read;
}

static const char *family_fault(const struct object *object) {
    bool has_transport = kind_rows[object->kind].transport != NULL;
    if (has_transport && object->transport_presence == PRESENCE_UNUSABLE) {
        return "spec.transport is not a word";
    }
    if (object->provider_presence == PRESENCE_UNUSABLE) {
        return "spec.sessionStorage.provider is not a word";
    }
    if (object->affinity_presence == PRESENCE_UNUSABLE) {
        return "spec.sessionAffinity is not a word";
    }
    if (kind_has(object->kind, KIND_HAS_BACKENDS) &&
        object->backend_replicas.state == PRESENCE_UNUSABLE) {
        return "spec.backendReplicas is not an integer from 0 to 2147483647";
    }
    return NULL;
}

static const char *autoscaler_fault(const struct object *object) {
    if (object->target.state != PRESENCE_SET || object->target.name[0] == '\0') {
        return "spec.scaleTargetRef names no object";
    }
    const struct number maximum = object_maximum(object);
    bool is_zero = object->kind == OBJECT_HPA && number_is(&maximum, 0);
    if (maximum.state != PRESENCE_SET || is_zero) {
        return object->kind == OBJECT_HPA
                   ? "spec.maxReplicas is not an integer from 1 to 2147483647"
                   : "spec.maxReplicaCount is not an integer from 0 to 2147483647";
    }
    return NULL;
}

const char *manifest_fault(const struct object *object) {
    bool is_nameless = object->name[0] == '\0' && object->generates_name;
    if (!is_nameless && !text_is_dns_subdomain(object->name)) {
        return "metadata.name is not a name";
    }
    if (!text_is_dns_label(object->namespace)) {
        return "metadata.namespace is not a name";
    }
    if (object->uid_presence == PRESENCE_UNUSABLE) {
        return "metadata.uid is not a uid";
    }
    if (object->replicas.state == PRESENCE_UNUSABLE) {
        return "spec.replicas is not an integer from 0 to 2147483647";
    }
    if (kind_is_autoscaler(object->kind)) {
        return autoscaler_fault(object);
    }
    return kind_is_family(object->kind) ? family_fault(object) : NULL;
}
