// SPDX-License-Identifier: Apache-2.0
#include "core/admission/review.h"

#include <string.h>

#include "base/http_status.h"
#include "base/json_fields.h"
#include "base/json_write.h"
#include "base/text.h"
#include "core/admission/decide.h"

static const struct json_field request_kind_rows[] = {
    JSON_TEXT("group", struct review, group),
    JSON_TEXT("kind", struct review, kind_text),
};
static const struct json_fields request_kind_fields = JSON_FIELDS(request_kind_rows);

static const struct json_field resource_rows[] = {
    JSON_TEXT("group", struct review, resource_group),
    JSON_TEXT("resource", struct review, resource),
};
static const struct json_fields resource_fields = JSON_FIELDS(resource_rows);

static const struct json_field user_rows[] = {
    JSON_TEXT_STATE("username", struct review, user, user_presence),
};
static const struct json_fields user_fields = JSON_FIELDS(user_rows);

static const struct json_word operations[] = {
    {"CREATE", REVIEW_CREATE},
    {"UPDATE", REVIEW_UPDATE},
    {NULL, REVIEW_OTHER},
};

static void read_object(struct json_walk *walk, void *at) {
    struct review *review = at;
    review->has_object = object_read(walk->reader, &review->object);
}

static void read_old(struct json_walk *walk, void *at) {
    struct review *review = at;
    review->has_old = object_read(walk->reader, &review->old);
}

static const struct json_field request_rows[] = {
    JSON_TEXT("uid", struct review, uid),
    JSON_INSIDE("kind", &request_kind_fields),
    JSON_INSIDE("resource", &resource_fields),
    JSON_TEXT_STATE("subResource", struct review, sub_resource, sub_resource_presence),
    JSON_TEXT_STATE("name", struct review, name, name_presence),
    JSON_TEXT_STATE("namespace", struct review, namespace, namespace_presence),
    JSON_WORD("operation", struct review, operation, operations, NULL),
    JSON_INSIDE("userInfo", &user_fields),
    JSON_BOOL("dryRun", struct review, is_dry_run),
    JSON_READ_WHOLE("object", read_object),
    JSON_READ_WHOLE("oldObject", read_old),
};
static const struct json_fields request_fields = JSON_FIELDS(request_rows);

/* The document around the request. */
struct envelope {
    char api_version[OBJECT_WORD_SIZE];
    char kind[OBJECT_WORD_SIZE];
    struct review *review;
    enum presence request;
};

static void read_request(struct json_walk *walk, void *at) {
    struct envelope *envelope = at;
    envelope->request = json_walk_object(walk, &request_fields, envelope->review);
}

static const struct json_field envelope_rows[] = {
    JSON_TEXT("apiVersion", struct envelope, api_version),
    JSON_TEXT("kind", struct envelope, kind),
    JSON_READ_WHOLE("request", read_request),
};
static const struct json_fields envelope_fields = JSON_FIELDS(envelope_rows);

static bool check_envelope(const struct envelope *envelope, struct error *error) {
    if (strcmp(envelope->kind, "AdmissionReview") != 0 ||
        strcmp(envelope->api_version, "admission.k8s.io/v1") != 0) {
        return error_set(error, ERROR_INVALID,
                         "not an AdmissionReview of admission.k8s.io/v1; list only v1 in "
                         "admissionReviewVersions");
    }
    if (envelope->request != PRESENCE_SET) {
        return error_set(error, ERROR_INVALID, "the AdmissionReview has no request");
    }
    if (envelope->review->uid[0] == '\0') {
        return error_set(error, ERROR_INVALID,
                         "request.uid is missing, empty, no string or longer than 256 bytes");
    }
    return true;
}

static enum object_kind kind_of(const struct review *review) {
    enum object_kind kind = kind_find(review->group, review->kind_text);
    if (kind == OBJECT_SCALE) {
        bool is_of_deployment = strcmp(review->resource_group, "apps") == 0 &&
                                strcmp(review->resource, "deployments") == 0 &&
                                strcmp(review->sub_resource, "scale") == 0;
        return is_of_deployment ? OBJECT_SCALE : OBJECT_OTHER;
    }
    bool is_whole = review->sub_resource_presence != PRESENCE_UNUSABLE;
    return is_whole && review->sub_resource[0] == '\0' ? kind : OBJECT_OTHER;
}

/* An API server names no object in the request if it has yet to generate the name. */
static void name_by_object(struct review *review) {
    const struct object *object = &review->object;
    if (review->name[0] == '\0' && review->name_presence != PRESENCE_UNUSABLE) {
        review->name_presence = object->name_presence;
        text_copy(review->name, sizeof(review->name), object->name);
    }
    if (review->namespace[0] == '\0' && review->namespace_presence != PRESENCE_UNUSABLE) {
        review->namespace_presence = object->namespace_presence;
        text_copy(review->namespace, sizeof(review->namespace), object->namespace);
    }
}

bool review_decode(const char *bytes, size_t size, struct review *ret_review, struct error *error) {
    struct envelope envelope = {.review = ret_review};
    enum presence presence;
    memset(ret_review, 0, offsetof(struct review, object));
    if (!json_read_document(bytes, size, &envelope_fields, &envelope, &presence, error) ||
        !check_envelope(&envelope, error)) {
        return false;
    }
    if (!ret_review->has_object) {
        ret_review->object = (struct object){.kind = OBJECT_OTHER};
    }
    if (!ret_review->has_old) {
        ret_review->old = (struct object){.kind = OBJECT_OTHER};
    }
    ret_review->kind = kind_of(ret_review);
    /* The request tells, and an object may say nothing or something else. */
    ret_review->object.kind = ret_review->old.kind = ret_review->kind;
    name_by_object(ret_review);
    return true;
}

void review_make(const struct object *object, const struct object *old, struct review *ret_review) {
    *ret_review = (struct review){
        .kind = object->kind,
        .operation = old == NULL ? REVIEW_CREATE : REVIEW_UPDATE,
        .is_manifest = object->uid[0] == '\0' && object->uid_presence != PRESENCE_UNUSABLE,
        .has_object = true,
        .has_old = old != NULL,
        .namespace_presence = object->namespace_presence,
        .name_presence = object->name_presence,
        .object = *object,
    };
    text_copy(ret_review->namespace, sizeof(ret_review->namespace), object->namespace);
    text_copy(ret_review->name, sizeof(ret_review->name), object->name);
    text_copy(ret_review->kind_text, sizeof(ret_review->kind_text), kind_rows[object->kind].kind);
    if (old != NULL) {
        ret_review->old = *old;
    }
}

static void write_status(struct json_write *write, const char *message) {
    json_write_member_open(write, "status", '{');
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
    json_write_member_open(write, "warnings", '[');
    for (size_t i = 0; i < decision->n_warnings; i++) {
        json_write_text(write, decision->warnings[i]);
    }
    json_write_close(write, ']');
}

static void write_annotations(struct json_write *write, const struct decision *decision) {
    char note[DECISION_NOTE_SIZE];
    bool is_open = false;
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (decision->actions[rule] == ACTION_NONE) {
            continue;
        }
        if (!is_open) {
            json_write_member_open(write, "auditAnnotations", '{');
            is_open = true;
        }
        decide_note(decision, (enum rule_id)rule, note);
        json_write_member_text(write, rule_name((enum rule_id)rule), note);
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
    json_write_member_open(&write, "response", '{');
    json_write_member_text(&write, "uid", uid);
    json_write_member_bool(&write, "allowed", !decision->is_denied);
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
