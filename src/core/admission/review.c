// SPDX-License-Identifier: Apache-2.0
#include "core/admission/review.h"

#include <string.h>

#include "base/http_status.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/text.h"

/* What of a request says which kind of thing is under review. */
struct names {
    char group[OBJECT_GROUP_SIZE];
    char kind[OBJECT_KIND_SIZE];
    char resource_group[OBJECT_GROUP_SIZE];
    char resource[OBJECT_KIND_SIZE];
    char sub_resource[OBJECT_KIND_SIZE];
};

/* A text that does not fit, or is none, reads as empty. Returns whether it was one that fits. */
static bool read_text(struct json_reader *reader, char *out, size_t capacity) {
    struct json_text text;
    out[0] = '\0';
    return json_read_text(reader, &text) && json_text_copy(&text, out, capacity);
}

/* {"group": "apps", "version": "v1", "kind": "Deployment"}, or with "resource" for the kind */
static void read_names(struct json_reader *reader, char group[OBJECT_GROUP_SIZE], const char *what,
                       char name[OBJECT_KIND_SIZE]) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "group")) {
            read_text(reader, group, OBJECT_GROUP_SIZE);
        } else if (json_text_is(&key, what)) {
            read_text(reader, name, OBJECT_KIND_SIZE);
        } else {
            json_skip(reader);
        }
    }
}

static void read_user(struct json_reader *reader, struct review *review) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "username")) {
            read_text(reader, review->user, sizeof(review->user));
        } else {
            json_skip(reader);
        }
    }
}

static enum review_operation read_operation(struct json_reader *reader) {
    struct json_text text;
    if (!json_read_text(reader, &text)) {
        return REVIEW_OTHER;
    }
    return json_text_is(&text, "CREATE")   ? REVIEW_CREATE
           : json_text_is(&text, "UPDATE") ? REVIEW_UPDATE
                                           : REVIEW_OTHER;
}

static enum object_kind kind_of(const struct names *names) {
    enum object_kind kind = object_kind(names->group, names->kind);
    if (kind == OBJECT_SCALE) {
        bool is_of_deployment = strcmp(names->resource_group, "apps") == 0 &&
                                strcmp(names->resource, "deployments") == 0 &&
                                strcmp(names->sub_resource, "scale") == 0;
        return is_of_deployment ? OBJECT_SCALE : OBJECT_OTHER;
    }
    return names->sub_resource[0] == '\0' ? kind : OBJECT_OTHER;
}

static void read_member(struct json_reader *reader, const struct json_text *key,
                        struct review *review, struct names *names) {
    if (json_text_is(key, "uid")) {
        read_text(reader, review->uid, sizeof(review->uid));
    } else if (json_text_is(key, "kind")) {
        read_names(reader, names->group, "kind", names->kind);
    } else if (json_text_is(key, "resource")) {
        read_names(reader, names->resource_group, "resource", names->resource);
    } else if (json_text_is(key, "subResource")) {
        read_text(reader, names->sub_resource, sizeof(names->sub_resource));
    } else if (json_text_is(key, "name")) {
        read_text(reader, review->name, sizeof(review->name));
    } else if (json_text_is(key, "namespace")) {
        read_text(reader, review->namespace, sizeof(review->namespace));
    } else if (json_text_is(key, "operation")) {
        review->operation = read_operation(reader);
    } else if (json_text_is(key, "userInfo")) {
        read_user(reader, review);
    } else if (json_text_is(key, "object")) {
        review->has_object = object_read(reader, &review->object);
    } else if (json_text_is(key, "oldObject")) {
        review->has_old = object_read(reader, &review->old);
    } else {
        json_skip(reader);
    }
}

static void read_request(struct json_reader *reader, struct review *review) {
    struct names names = {.kind = ""};
    struct json_text key;
    while (json_next_member(reader, &key)) {
        read_member(reader, &key, review, &names);
    }
    review->kind = kind_of(&names);
    text_copy(review->kind_text, sizeof(review->kind_text), names.kind);
    if (review->object.name[0] != '\0') {
        memcpy(review->name, review->object.name, sizeof(review->name));
    }
    if (review->namespace[0] == '\0') {
        memcpy(review->namespace, review->object.namespace, sizeof(review->namespace));
    }
}

bool review_decode(const char *bytes, size_t size, struct review *ret_review, struct error *error) {
    struct json_reader reader;
    struct json_text key;
    char api_version[OBJECT_WORD_SIZE] = "";
    char kind[OBJECT_WORD_SIZE] = "";
    bool has_request = false;
    *ret_review = (struct review){.kind = OBJECT_OTHER};
    json_begin(&reader, bytes, size);
    if (json_enter_object(&reader)) {
        while (json_next_member(&reader, &key)) {
            if (json_text_is(&key, "apiVersion")) {
                read_text(&reader, api_version, sizeof(api_version));
            } else if (json_text_is(&key, "kind")) {
                read_text(&reader, kind, sizeof(kind));
            } else if (!json_text_is(&key, "request")) {
                json_skip(&reader);
            } else if ((has_request = json_enter_object(&reader))) {
                read_request(&reader, ret_review);
            }
        }
    }
    if (!json_finish(&reader, error)) {
        return false;
    }
    if (strcmp(kind, "AdmissionReview") != 0 || strcmp(api_version, "admission.k8s.io/v1") != 0) {
        return error_set(error, ERROR_INVALID,
                         "not an AdmissionReview of admission.k8s.io/v1; list only v1 in "
                         "admissionReviewVersions");
    }
    if (!has_request) {
        return error_set(error, ERROR_INVALID, "the AdmissionReview has no request");
    }
    if (ret_review->uid[0] == '\0') {
        return error_set(error, ERROR_INVALID,
                         "request.uid is missing, empty, no string or longer than 256 bytes");
    }
    return true;
}

void review_make(const struct object *object, const struct object *old, struct review *ret_review) {
    *ret_review = (struct review){
        .kind = object->kind,
        .operation = old == NULL ? REVIEW_CREATE : REVIEW_UPDATE,
        .is_manifest = object->uid[0] == '\0',
        .has_object = true,
        .has_old = old != NULL,
        .object = *object,
    };
    text_copy(ret_review->namespace, sizeof(ret_review->namespace), object->namespace);
    text_copy(ret_review->name, sizeof(ret_review->name), object->name);
    text_copy(ret_review->kind_text, sizeof(ret_review->kind_text),
              object->kind == OBJECT_MCPSERVER ? MCPSERVER_KIND : "Deployment");
    if (old != NULL) {
        ret_review->old = *old;
    }
}

static void write_status(struct json_write *write, const char *message) {
    json_write_key(write, "status");
    json_write_open(write, '{');
    json_write_member_integer(write, "code", HTTP_STATUS_FORBIDDEN);
    json_write_member_text(write, "reason", "Forbidden");
    json_write_member_text(write, "message", message);
    json_write_close(write, '}');
}

static void write_patch(struct json_write *write, const struct patch *patch) {
    AUTO(buffer_fini) struct buffer json;
    AUTO(buffer_fini) struct buffer base64;
    struct json_write json_write;
    buffer_init(&json, 4096);
    buffer_init(&base64, 8192);
    json_write_begin(&json_write, &json);
    patch_write(patch, &json_write);
    buffer_add_base64(&base64, json.bytes, json.size);
    json_write_member_text(write, "patchType", "JSONPatch");
    json_write_member_text(write, "patch", buffer_text(&base64));
}

static void write_warnings(struct json_write *write, const struct decision *decision) {
    json_write_key(write, "warnings");
    json_write_open(write, '[');
    for (size_t i = 0; i < decision->n_warnings; i++) {
        json_write_text(write, decision->warnings[i]);
    }
    json_write_close(write, ']');
}

static void write_annotations(struct json_write *write, const struct decision *decision) {
    bool is_open = false;
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (decision->actions[rule] == ACTION_NONE) {
            continue;
        }
        if (!is_open) {
            json_write_key(write, "auditAnnotations");
            json_write_open(write, '{');
            is_open = true;
        }
        json_write_member_text(write, rule_name((enum rule_id)rule), decision->notes[rule]);
    }
    if (is_open) {
        json_write_close(write, '}');
    }
}

void review_encode(const char *uid, const struct decision *decision, struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", "admission.k8s.io/v1");
    json_write_member_text(&write, "kind", "AdmissionReview");
    json_write_key(&write, "response");
    json_write_open(&write, '{');
    json_write_member_text(&write, "uid", uid);
    json_write_key(&write, "allowed");
    json_write_bool(&write, !decision->is_denied);
    if (decision->is_denied) {
        write_status(&write, decision->message);
    } else if (!patch_is_empty(&decision->patch)) {
        write_patch(&write, &decision->patch);
    }
    if (decision->n_warnings > 0) {
        write_warnings(&write, decision);
    }
    write_annotations(&write, decision);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}
