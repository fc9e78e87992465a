// SPDX-License-Identifier: Apache-2.0
#include "core/facts/object.h"

#include <string.h>

#include "base/text.h"

#define LABEL_NAME            "app.kubernetes.io/name"
#define LABEL_INSTANCE        "app.kubernetes.io/instance"
#define GENERATION_ANNOTATION "toolhive.stacklok.dev/mcpserver-generation"

enum object_kind object_kind(const char *group, const char *kind) {
    if (strcmp(group, TOOLHIVE_GROUP) == 0 && strcmp(kind, MCPSERVER_KIND) == 0) {
        return OBJECT_MCPSERVER;
    }
    if (strcmp(group, "apps") == 0 && strcmp(kind, "Deployment") == 0) {
        return OBJECT_DEPLOYMENT;
    }
    if (strcmp(group, "autoscaling") == 0 && strcmp(kind, "Scale") == 0) {
        return OBJECT_SCALE;
    }
    return OBJECT_OTHER;
}

bool number_is(const struct number *number, int64_t value) {
    return number->state == NUMBER_SET && number->value == value;
}

bool number_exceeds(const struct number *number, int64_t value) {
    return number->state == NUMBER_SET && number->value > value;
}

bool number_equals(const struct number *one, const struct number *other) {
    return one->state == other->state && (one->state != NUMBER_SET || one->value == other->value);
}

bool object_is_stdio(const struct object *object) {
    return strcmp(object->transport, "stdio") == 0;
}

bool object_is_redis(const struct object *object) {
    return strcmp(object->provider, "redis") == 0;
}

bool object_is_recreate(const struct object *object) {
    return strcmp(object->strategy_type, "Recreate") == 0;
}

bool object_selects(const char *selector, const char *term) {
    size_t size = strlen(term);
    const char *at = selector;
    for (;;) {
        size_t here = strcspn(at, ",");
        if (here == size && memcmp(at, term, size) == 0) {
            return true;
        }
        if (at[here] == '\0') {
            return false;
        }
        at += here + 1;
    }
}

static enum presence read_text(struct json_reader *reader, char *out, size_t capacity) {
    struct json_text text;
    out[0] = '\0';
    if (json_peek(reader) == JSON_NULL) {
        json_skip(reader);
        return PRESENCE_ABSENT;
    }
    if (!json_read_text(reader, &text)) {
        return PRESENCE_WRONG;
    }
    return json_text_copy(&text, out, capacity) ? PRESENCE_SET : PRESENCE_WRONG;
}

static void read_number(struct json_reader *reader, int64_t low, int64_t high,
                        struct number *number) {
    int64_t value;
    if (json_peek(reader) == JSON_NULL) {
        json_skip(reader);
        *number = (struct number){.state = NUMBER_ABSENT};
    } else if (json_read_integer(reader, &value) && value >= low && value <= high) {
        *number = (struct number){.state = NUMBER_SET, .value = value};
    } else {
        *number = (struct number){.state = NUMBER_WRONG};
    }
}

/* Steps into an object, and says on the way whether one is there. */
static bool enter(struct json_reader *reader, enum presence *presence) {
    enum json_kind kind = json_peek(reader);
    *presence = kind == JSON_NULL     ? PRESENCE_ABSENT
                : kind == JSON_OBJECT ? PRESENCE_SET
                                      : PRESENCE_WRONG;
    return json_enter_object(reader);
}

static void copy_group(const char *api_version, char *group, size_t capacity) {
    const char *slash = strchr(api_version, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - api_version);
    if (size >= capacity) {
        size = 0;
    }
    memcpy(group, api_version, size);
    group[size] = '\0';
}

static void read_owner(struct json_reader *reader, struct owner *owner) {
    struct owner found = {.is_controlled = false};
    char api_version[OBJECT_GROUP_SIZE + OBJECT_KIND_SIZE] = "";
    char kind[OBJECT_KIND_SIZE] = "";
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "controller")) {
            if (!json_read_bool(reader, &found.is_controlled)) {
                found.is_controlled = false;
            }
        } else if (json_text_is(&key, "kind")) {
            read_text(reader, kind, sizeof(kind));
        } else if (json_text_is(&key, "apiVersion")) {
            read_text(reader, api_version, sizeof(api_version));
        } else if (json_text_is(&key, "name")) {
            read_text(reader, found.name, sizeof(found.name));
        } else if (json_text_is(&key, "uid")) {
            read_text(reader, found.uid, sizeof(found.uid));
        } else {
            json_skip(reader);
        }
    }
    char group[OBJECT_GROUP_SIZE];
    copy_group(api_version, group, sizeof(group));
    found.is_mcpserver = object_kind(group, kind) == OBJECT_MCPSERVER;
    if (found.is_controlled && !owner->is_mcpserver) {
        *owner = found;
    }
}

static void read_labels(struct json_reader *reader, struct object *object) {
    struct json_text key;
    struct json_text value;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, LABEL_NAME)) {
            object->is_labelled =
                json_read_text(reader, &value) && json_text_is(&value, MCPSERVER_LABEL);
        } else if (json_text_is(&key, LABEL_INSTANCE)) {
            read_text(reader, object->instance, sizeof(object->instance));
        } else {
            json_skip(reader);
        }
    }
}

static void read_metadata(struct json_reader *reader, struct object *object) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "name")) {
            read_text(reader, object->name, sizeof(object->name));
        } else if (json_text_is(&key, "generateName")) {
            object->generates_name = json_peek(reader) == JSON_STRING;
            json_skip(reader);
        } else if (json_text_is(&key, "namespace")) {
            read_text(reader, object->namespace, sizeof(object->namespace));
        } else if (json_text_is(&key, "uid")) {
            read_text(reader, object->uid, sizeof(object->uid));
        } else if (json_text_is(&key, "resourceVersion")) {
            read_text(reader, object->resource_version, sizeof(object->resource_version));
        } else if (json_text_is(&key, "generation")) {
            if (!json_read_integer(reader, &object->generation)) {
                object->generation = 0;
            }
        } else if (json_text_is(&key, "deletionTimestamp")) {
            object->is_deleting = json_peek(reader) != JSON_NULL;
            json_skip(reader);
        } else if (json_text_is(&key, "labels")) {
            read_labels(reader, object);
        } else if (json_text_is(&key, "ownerReferences")) {
            object->owner = (struct owner){.is_controlled = false};
            if (json_enter_array(reader)) {
                while (json_next_item(reader)) {
                    read_owner(reader, &object->owner);
                }
            }
        } else {
            json_skip(reader);
        }
    }
}

static void read_generation_note(struct json_reader *reader, struct object *object) {
    char text[24];
    object->generation_note = read_text(reader, text, sizeof(text));
    if (object->generation_note == PRESENCE_SET &&
        !text_parse_integer(text, 0, INT64_MAX, &object->noted_generation)) {
        object->generation_note = PRESENCE_WRONG;
    }
}

/* spec.template.metadata */
static void read_template_metadata(struct json_reader *reader, struct object *object) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (!json_text_is(&key, "annotations")) {
            json_skip(reader);
        } else if (json_enter_object(reader)) {
            while (json_next_member(reader, &key)) {
                if (json_text_is(&key, GENERATION_ANNOTATION)) {
                    read_generation_note(reader, object);
                } else {
                    json_skip(reader);
                }
            }
        }
    }
}

static void read_template(struct json_reader *reader, struct object *object) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "metadata")) {
            read_template_metadata(reader, object);
        } else if (!json_text_is(&key, "spec")) {
            json_skip(reader);
        } else if (enter(reader, &object->pod_spec)) {
            while (json_next_member(reader, &key)) {
                if (json_text_is(&key, "terminationGracePeriodSeconds")) {
                    /* A kube-apiserver admits a negative one: it may be wrong, and must not be a
                       way round the rules. */
                    read_number(reader, INT64_MIN, INT64_MAX, &object->grace_period);
                } else {
                    json_skip(reader);
                }
            }
        }
    }
}

static void read_strategy(struct json_reader *reader, struct object *object) {
    struct json_text key;
    if (!enter(reader, &object->strategy)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "type")) {
            read_text(reader, object->strategy_type, sizeof(object->strategy_type));
        } else if (!json_text_is(&key, "rollingUpdate")) {
            json_skip(reader);
        } else if (enter(reader, &object->rolling_update)) {
            while (json_next_member(reader, &key)) {
                if (json_text_is(&key, "maxSurge")) {
                    read_number(reader, 0, INT32_MAX, &object->max_surge);
                } else if (json_text_is(&key, "maxUnavailable")) {
                    read_number(reader, 0, INT32_MAX, &object->max_unavailable);
                } else {
                    json_skip(reader);
                }
            }
        }
    }
}

static void read_session_storage(struct json_reader *reader, struct object *object) {
    struct json_text key;
    object->provider[0] = '\0';
    if (!enter(reader, &object->provider_presence)) {
        return;
    }
    object->provider_presence = PRESENCE_ABSENT;
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "provider")) {
            object->provider_presence =
                read_text(reader, object->provider, sizeof(object->provider));
        } else {
            json_skip(reader);
        }
    }
}

static void read_spec(struct json_reader *reader, struct object *object) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "replicas")) {
            read_number(reader, 0, INT32_MAX, &object->replicas);
        } else if (json_text_is(&key, "template")) {
            read_template(reader, object);
        } else if (json_text_is(&key, "strategy")) {
            read_strategy(reader, object);
        } else if (json_text_is(&key, "transport")) {
            object->transport_presence =
                read_text(reader, object->transport, sizeof(object->transport));
        } else if (json_text_is(&key, "sessionStorage")) {
            read_session_storage(reader, object);
        } else {
            json_skip(reader);
        }
    }
}

static void read_status(struct json_reader *reader, struct object *object) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "selector")) {
            read_text(reader, object->selector, sizeof(object->selector));
        } else if (json_text_is(&key, "conditions")) {
            if (json_enter_array(reader)) {
                while (json_next_item(reader)) {
                    condition_read(reader, object->conditions);
                }
            }
        } else {
            json_skip(reader);
        }
    }
}

bool object_read(struct json_reader *reader, struct object *ret_object) {
    char api_version[OBJECT_GROUP_SIZE + OBJECT_KIND_SIZE] = "";
    char kind[OBJECT_KIND_SIZE] = "";
    struct json_text key;
    *ret_object = (struct object){.kind = OBJECT_OTHER};
    if (!json_enter_object(reader)) {
        return false;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "apiVersion")) {
            read_text(reader, api_version, sizeof(api_version));
        } else if (json_text_is(&key, "kind")) {
            read_text(reader, kind, sizeof(kind));
        } else if (json_text_is(&key, "metadata")) {
            read_metadata(reader, ret_object);
        } else if (json_text_is(&key, "spec")) {
            read_spec(reader, ret_object);
        } else if (json_text_is(&key, "status")) {
            read_status(reader, ret_object);
        } else {
            json_skip(reader);
        }
    }
    char group[OBJECT_GROUP_SIZE];
    copy_group(api_version, group, sizeof(group));
    ret_object->kind = object_kind(group, kind);
    if (ret_object->transport_presence == PRESENCE_ABSENT) {
        text_copy(ret_object->transport, sizeof(ret_object->transport), "stdio");
    }
    return true;
}
