// SPDX-License-Identifier: Apache-2.0
#include "core/facts/object.h"

#include <string.h>

#include "base/text.h"

#define GENERATION_ANNOTATION "toolhive.stacklok.dev/mcpserver-generation"

/* The maximum of a ScaledObject without maxReplicaCount:
 * https://keda.sh/docs/latest/reference/scaledobject-spec/ */
enum { KEDA_MAX_REPLICAS = 100 };

bool number_is(const struct number *number, int64_t value) {
    return number->state == PRESENCE_SET && number->value == value;
}

bool number_exceeds(const struct number *number, int64_t value) {
    return number->state == PRESENCE_SET && number->value > value;
}

bool number_equals(const struct number *one, const struct number *other) {
    return one->state == other->state && (one->state != PRESENCE_SET || one->value == other->value);
}

const char *object_transport(const struct object *object) {
    const char *by_default = kind_rows[object->kind].transport;
    if (by_default == NULL) {
        return "";
    }
    return object->transport_presence == PRESENCE_ABSENT ? by_default : object->transport;
}

bool object_is_stdio(const struct object *object) {
    return strcmp(object_transport(object), "stdio") == 0;
}

bool object_is_redis(const struct object *object) {
    return strcmp(object->provider, "redis") == 0;
}

bool object_is_recreate(const struct object *object) {
    return strcmp(object->strategy_type, "Recreate") == 0;
}

bool object_names_family(const struct object *deployment) {
    return deployment->owner.kind != OBJECT_OTHER ||
           selection_names(&deployment->selection, OBJECT_MCPSERVER, deployment->name);
}

const char *object_scaled_deployment(const struct object *autoscaler) {
    const struct target *target = &autoscaler->target;
    bool is_of_apps = target->version_presence == PRESENCE_ABSENT || target->is_of_apps;
    bool is_deployment = target->kind_presence == PRESENCE_ABSENT || target->is_deployment;
    return target->state == PRESENCE_SET && is_of_apps && is_deployment ? target->name : NULL;
}

struct number object_maximum(const struct object *autoscaler) {
    const struct number *count = &autoscaler->max_replica_count;
    if (autoscaler->kind != OBJECT_SCALEDOBJECT) {
        return autoscaler->max_replicas;
    }
    return count->state == PRESENCE_ABSENT
               ? (struct number){.state = PRESENCE_SET, .value = KEDA_MAX_REPLICAS}
               : *count;
}

bool object_is_identified(const struct object *object) {
    return object->name_presence != PRESENCE_UNUSABLE &&
           object->namespace_presence != PRESENCE_UNUSABLE &&
           object->uid_presence != PRESENCE_UNUSABLE;
}

static enum object_kind kind_of(const struct object_type *type) {
    char group[sizeof(type->api_version)];
    const char *slash = strchr(type->api_version, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - type->api_version);
    memcpy(group, type->api_version, size);
    group[size] = '\0';
    return kind_find(group, type->kind);
}

/* A struct number of the object. */
#define NUMBER(key, member, low, high)                                                             \
    JSON_INTEGER_STATE(key, struct object, member.value, member.state, low, high)

static const struct json_field label_rows[] = {
    JSON_READ(LABEL_NAME, struct object, labelled, identity_read_label),
    JSON_TEXT_STATE(LABEL_INSTANCE, struct object, instance, instance_presence),
};
static const struct json_fields label_fields = JSON_FIELDS(label_rows);

/* One item of metadata.managedFields: who set which fields, and when for the last time. */
struct manager {
    struct json_text name;
    struct json_text time;
    bool has_status;
    bool has_condition;
};

static const struct json_field managed_condition_rows[] = {
    JSON_THERE("k:{\"type\":\"" CONDITION_STDIO_REPLICA_CAPPED "\"}", struct manager,
               has_condition),
};
static const struct json_fields managed_condition_fields = JSON_FIELDS(managed_condition_rows);

static const struct json_field managed_status_rows[] = {
    JSON_INSIDE("f:conditions", &managed_condition_fields),
};
static const struct json_fields managed_status_fields = JSON_FIELDS(managed_status_rows);

static void read_managed_status(struct json_walk *walk, void *at) {
    struct manager *manager = at;
    manager->has_status = json_walk_object(walk, &managed_status_fields, manager) == PRESENCE_SET;
}

static const struct json_field managed_rows[] = {
    JSON_READ_WHOLE("f:status", read_managed_status),
};
static const struct json_fields managed_fields = JSON_FIELDS(managed_rows);

static const struct json_field manager_rows[] = {
    JSON_VIEW("manager", struct manager, name),
    JSON_VIEW("time", struct manager, time),
    JSON_INSIDE("fieldsV1", &managed_fields),
};
static const struct json_fields manager_fields = JSON_FIELDS(manager_rows);

static void read_manager(struct json_walk *walk, void *at) {
    struct object *object = at;
    struct manager manager = {.name = {.at = ""}, .time = {.at = ""}};
    char time[48];
    int64_t seconds = 0;
    if (json_walk_object(walk, &manager_fields, &manager) == PRESENCE_SET && manager.has_status &&
        !json_text_is(&manager.name, FIELD_MANAGER) &&
        json_text_copy(&manager.time, time, sizeof(time)) && text_parse_time(time, &seconds)) {
        object->others_wrote = MAX(object->others_wrote, seconds);
        object->others_condition = object->others_condition || manager.has_condition;
    }
}

#define METADATA_ROWS                                                                              \
    JSON_TEXT_STATE("name", struct object, name, name_presence),                                   \
        JSON_IS("generateName", struct object, generates_name, NULL),                              \
        JSON_TEXT_STATE("namespace", struct object, namespace, namespace_presence),                \
        JSON_TEXT_STATE("uid", struct object, uid, uid_presence),                                  \
        JSON_TEXT("resourceVersion", struct object, resource_version),                             \
        JSON_INTEGER("generation", struct object, generation, INT64_MIN, INT64_MAX),               \
        JSON_THERE("deletionTimestamp", struct object, is_deleting),                               \
        JSON_INSIDE("labels", &label_fields),                                                      \
        JSON_READ("ownerReferences", struct object, owner, identity_read_owners)

static const struct json_field metadata_rows[] = {METADATA_ROWS};
static const struct json_fields metadata_fields = JSON_FIELDS(metadata_rows);

/* Half of an object is managedFields, so a request skips them. */
static const struct json_field watched_metadata_rows[] = {
    METADATA_ROWS,
    JSON_LIST_WHOLE("managedFields", read_manager),
};
static const struct json_fields watched_metadata_fields = JSON_FIELDS(watched_metadata_rows);

static void read_generation_note(struct json_walk *walk, void *at) {
    struct object *object = at;
    char text[24];
    object->generation_note = json_walk_text(walk, text, sizeof(text));
    if (object->generation_note == PRESENCE_SET &&
        !text_parse_integer(text, 0, INT64_MAX, &object->noted_generation)) {
        object->generation_note = PRESENCE_UNUSABLE;
    }
}

static const struct json_field annotation_rows[] = {
    JSON_READ_WHOLE(GENERATION_ANNOTATION, read_generation_note),
};
static const struct json_fields annotation_fields = JSON_FIELDS(annotation_rows);

static const struct json_field template_metadata_rows[] = {
    JSON_INSIDE("annotations", &annotation_fields),
};
static const struct json_fields template_metadata_fields = JSON_FIELDS(template_metadata_rows);

/* kube-apiserver admits a negative grace period, so any integer counts: it must not be a way round
   the rules. */
static const struct json_field pod_spec_rows[] = {
    NUMBER("terminationGracePeriodSeconds", grace_period, INT64_MIN, INT64_MAX),
};
static const struct json_fields pod_spec_fields = JSON_FIELDS(pod_spec_rows);

static const struct json_field template_rows[] = {
    JSON_INSIDE("metadata", &template_metadata_fields),
    JSON_INSIDE_STATE("spec", struct object, pod_spec, &pod_spec_fields),
};
static const struct json_fields template_fields = JSON_FIELDS(template_rows);

static const struct json_field rolling_update_rows[] = {
    NUMBER("maxSurge", max_surge, 0, INT32_MAX),
    NUMBER("maxUnavailable", max_unavailable, 0, INT32_MAX),
};
static const struct json_fields rolling_update_fields = JSON_FIELDS(rolling_update_rows);

static const struct json_field strategy_rows[] = {
    JSON_TEXT("type", struct object, strategy_type),
    JSON_INSIDE_STATE("rollingUpdate", struct object, rolling_update, &rolling_update_fields),
};
static const struct json_fields strategy_fields = JSON_FIELDS(strategy_rows);

/* A sessionStorage that is no object makes the provider unusable. */
static void read_session_storage(struct json_walk *walk, void *at) {
    static const struct json_field rows[] = {
        JSON_TEXT_STATE("provider", struct object, provider, provider_presence),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct object *object = at;
    object->provider[0] = '\0';
    object->provider_presence = PRESENCE_ABSENT;
    object->session_storage = json_walk_object(walk, &fields, object);
    if (object->session_storage == PRESENCE_UNUSABLE) {
        object->provider_presence = PRESENCE_UNUSABLE;
    }
}

/* Go takes an empty text for absent. */
static enum presence read_target_word(struct json_walk *walk, char *out, size_t size) {
    enum presence presence = json_walk_text(walk, out, size);
    return presence == PRESENCE_SET && out[0] == '\0' ? PRESENCE_ABSENT : presence;
}

/* An apiVersion without a group, "v1", is not of apps. */
static void read_target_version(struct json_walk *walk, void *at) {
    static const char prefix[] = "apps/";
    struct target *target = &((struct object *)at)->target;
    char version[OBJECT_GROUP_SIZE + OBJECT_KIND_SIZE];
    target->version_presence = read_target_word(walk, version, sizeof(version));
    target->is_of_apps = strncmp(version, prefix, strlen(prefix)) == 0;
}

static void read_target_kind(struct json_walk *walk, void *at) {
    struct target *target = &((struct object *)at)->target;
    char kind[OBJECT_KIND_SIZE];
    target->kind_presence = read_target_word(walk, kind, sizeof(kind));
    target->is_deployment = strcmp(kind, kind_rows[OBJECT_DEPLOYMENT].kind) == 0;
}

static const struct json_field target_rows[] = {
    JSON_READ_WHOLE("apiVersion", read_target_version),
    JSON_READ_WHOLE("kind", read_target_kind),
    JSON_TEXT_STATE("name", struct object, target.name, target.name_presence),
};
static const struct json_fields target_fields = JSON_FIELDS(target_rows);

static const struct json_field spec_rows[] = {
    NUMBER("replicas", replicas, 0, INT32_MAX),
    NUMBER("backendReplicas", backend_replicas, 0, INT32_MAX),
    NUMBER("maxReplicas", max_replicas, 0, INT32_MAX),
    NUMBER("maxReplicaCount", max_replica_count, 0, INT32_MAX),
    JSON_TEXT_STATE("sessionAffinity", struct object, affinity, affinity_presence),
    JSON_INSIDE_STATE("scaleTargetRef", struct object, target.state, &target_fields),
    JSON_READ("selector", struct object, selection, identity_read_match_labels),
    JSON_INSIDE("template", &template_fields),
    JSON_INSIDE_STATE("strategy", struct object, strategy, &strategy_fields),
    JSON_TEXT_STATE("transport", struct object, transport, transport_presence),
    JSON_READ_WHOLE("sessionStorage", read_session_storage),
};
static const struct json_fields spec_fields = JSON_FIELDS(spec_rows);

static void read_condition(struct json_walk *walk, void *at) {
    condition_read(walk->reader, at);
}

static const struct json_field status_rows[] = {
    JSON_READ("selector", struct object, scaled, identity_read_selector),
    JSON_LIST("conditions", struct object, conditions, read_condition),
};
static const struct json_fields status_fields = JSON_FIELDS(status_rows);

#define OBJECT_ROWS(metadata)                                                                      \
    JSON_TEXT("apiVersion", struct object, type.api_version),                                      \
        JSON_TEXT("kind", struct object, type.kind), JSON_INSIDE("metadata", metadata),            \
        JSON_INSIDE("spec", &spec_fields), JSON_INSIDE("status", &status_fields)

static const struct json_field object_rows[] = {OBJECT_ROWS(&metadata_fields)};
static const struct json_fields object_fields = JSON_FIELDS(object_rows);

static const struct json_field watched_rows[] = {OBJECT_ROWS(&watched_metadata_fields)};
static const struct json_fields watched_fields = JSON_FIELDS(watched_rows);

static bool read_by(const struct json_fields *fields, struct json_reader *reader,
                    struct object *ret_object) {
    *ret_object = (struct object){.kind = OBJECT_OTHER};
    if (json_read_fields(reader, fields, ret_object) != PRESENCE_SET) {
        return false;
    }
    ret_object->kind = kind_of(&ret_object->type);
    return true;
}

bool object_read(struct json_reader *reader, struct object *ret_object) {
    return read_by(&object_fields, reader, ret_object);
}

bool object_read_watched(struct json_reader *reader, struct object *ret_object) {
    return read_by(&watched_fields, reader, ret_object);
}

bool object_decode(const char *json, size_t size, struct object *ret_object) {
    struct json_reader reader;
    struct error error;
    json_begin(&reader, json, size);
    return object_read(&reader, ret_object) && json_finish(&reader, &error);
}
