// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/ownership.h"

#include <string.h>

#include "base/json_fields.h"
#include "base/json_write.h"
#include "base/memory.h"

enum {
    LOOK_MS = 300000,
    WAIT_MIN_MS = 2000,
    WAIT_MAX_MS = 300000,
    OVERDUE_MS = 60000, /* a wait of this length is worth a line in the log */
};

static const struct json_field uid_rows[] = {
    JSON_TEXT("uid", struct ownership_namespace, uid),
};
static const struct json_fields uid_fields = JSON_FIELDS(uid_rows);

bool ownership_read_namespace(const char *json, size_t size, struct ownership_namespace *namespace,
                              struct error *error) {
    static const struct json_field rows[] = {JSON_INSIDE("metadata", &uid_fields)};
    static const struct json_fields fields = JSON_FIELDS(rows);
    enum presence presence;
    namespace->uid[0] = '\0';
    if (!json_read_document(json, size, &fields, namespace, &presence, error)) {
        return false;
    }
    return namespace->uid[0] != '\0' ||
           error_set(error, ERROR_INVALID, "the Namespace '%s' has no uid", namespace->name);
}

struct reading {
    const char *wanted_uid;
    bool is_owned;
};

static void read_owner(struct json_walk *walk, void *at) {
    struct reading *reading = at;
    struct ownership_namespace owner = {.name = NULL};
    (void)json_walk_object(walk, &uid_fields, &owner);
    reading->is_owned = reading->is_owned || (reading->wanted_uid[0] != '\0' &&
                                              strcmp(owner.uid, reading->wanted_uid) == 0);
}

static void read_owners(struct json_walk *walk, void *at) {
    struct reading *reading = at;
    reading->is_owned = false; /* if the key comes twice, the last one counts */
    (void)json_walk_items(walk, read_owner, at);
}

bool ownership_read(const char *json, size_t size, const struct ownership_namespace *namespace,
                    const char *service_name, struct ownership_view *ret_view,
                    struct error *error) {
    static const struct json_field metadata_rows[] = {
        JSON_READ_WHOLE("ownerReferences", read_owners)};
    static const struct json_fields metadata_fields = JSON_FIELDS(metadata_rows);
    static const struct json_field rows[] = {JSON_INSIDE("metadata", &metadata_fields)};
    static const struct json_fields fields = JSON_FIELDS(rows);
    AUTO(registration_fini) struct registration registration = {.n_entries = 0};
    struct reading reading = {.wanted_uid = namespace->uid};
    enum presence presence;
    if (!registration_read(json, size, &registration, error) ||
        !json_read_document(json, size, &fields, &reading, &presence, error)) {
        return false;
    }
    size_t n_foreign = registration_keep_service(&registration, namespace->name, service_name);
    *ret_view = (struct ownership_view){
        .is_ours = registration.n_entries > 0 && n_foreign == 0,
        .is_owned = reading.is_owned,
    };
    memcpy(ret_view->uid, registration.uid, sizeof(ret_view->uid));
    return true;
}

static void write_owner(struct json_write *write, const struct ownership_namespace *namespace) {
    json_write_open(write, '{');
    json_write_member_text(write, "apiVersion", "v1");
    json_write_member_text(write, "kind", "Namespace");
    json_write_member_text(write, "name", namespace->name);
    json_write_member_text(write, "uid", namespace->uid);
    json_write_member_bool(write, "blockOwnerDeletion", false);
    json_write_close(write, '}');
}

void ownership_write(const struct ownership_namespace *namespace, const char *config_name,
                     const char *config_uid, struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", "admissionregistration.k8s.io/v1");
    json_write_member_text(&write, "kind", "MutatingWebhookConfiguration");
    json_write_member_open(&write, "metadata", '{');
    json_write_member_text(&write, "name", config_name);
    json_write_member_text(&write, "uid", config_uid);
    json_write_member_open(&write, "ownerReferences", '[');
    write_owner(&write, namespace);
    json_write_close(&write, ']');
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}

bool ownership_step(struct ownership *ownership, const struct ownership_view *view, int64_t now_ms,
                    int64_t *ret_at_ms) {
    bool is_due = view->is_ours && !view->is_owned;
    if (!is_due) {
        ownership->wait_ms = 0;
    }
    *ret_at_ms = now_ms + LOOK_MS;
    return is_due;
}

int64_t ownership_fail(struct ownership *ownership, int64_t now_ms, bool *ret_is_overdue) {
    int64_t wait_ms = ownership->wait_ms > 0 ? 2 * ownership->wait_ms : WAIT_MIN_MS;
    ownership->wait_ms = MIN(wait_ms, (int64_t)WAIT_MAX_MS);
    *ret_is_overdue = ownership->wait_ms >= OVERDUE_MS;
    return now_ms + ownership->wait_ms;
}
