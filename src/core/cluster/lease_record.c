// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/lease.h"

#include "base/hash.h"
#include "base/json_fields.h"
#include "base/json_write.h"
#include "base/text.h"

static void read_kind(struct json_walk *walk, void *at) {
    struct json_text kind;
    (void)at;
    if (!json_read_text(walk->reader, &kind) || !json_text_is(&kind, "Lease")) {
        json_walk_fail(walk, "must be Lease");
    }
}

static const struct json_field metadata_rows[] = {
    JSON_TEXT("resourceVersion", struct lease_record, resource_version),
};
static const struct json_fields metadata_fields = JSON_FIELDS(metadata_rows);

static const struct json_field spec_rows[] = {
    JSON_TEXT("holderIdentity", struct lease_record, holder),
    JSON_INTEGER("leaseDurationSeconds", struct lease_record, duration_seconds, INT64_MIN,
                 INT64_MAX),
    JSON_TEXT("acquireTime", struct lease_record, acquire_time),
    JSON_TEXT("renewTime", struct lease_record, renew_time),
    JSON_INTEGER("leaseTransitions", struct lease_record, transitions, INT64_MIN, INT64_MAX),
};
static const struct json_fields spec_fields = JSON_FIELDS(spec_rows);

static const struct json_field lease_rows[] = {
    JSON_READ_WHOLE("kind", read_kind),
    JSON_INSIDE("metadata", &metadata_fields),
    JSON_INSIDE("spec", &spec_fields),
};
static const struct json_fields lease_fields = JSON_FIELDS(lease_rows);

/* Reads strictly: an unusable member must never pass for a missing one, because a record without a
   holder is free. */
bool lease_read(const char *json, size_t size, struct lease_record *ret_record,
                struct error *error) {
    struct lease_record record = {.holder = ""};
    struct json_reader reader;
    struct json_strict strict = {.error = error, .takes_empty = true};
    struct json_walk walk = {.reader = &reader, .strict = &strict};
    json_begin(&reader, json, size);
    bool is_object = json_walk_object(&walk, &lease_fields, &record) == PRESENCE_SET;
    if (!json_finish(&reader, error)) {
        return false;
    }
    if (!is_object || strict.has_failed) {
        return error_set(error, ERROR_INVALID, "the lease's %s is not what it should be",
                         is_object ? strict.path : "kind");
    }
    *ret_record = record;
    return true;
}

static void read_unusable_spec(struct json_walk *walk, void *at) {
    struct lease_record *record = at;
    struct json_text spec;
    if (json_read_raw(walk->reader, &spec)) {
        record->fingerprint = hash_bytes(HASH_EMPTY, spec.at, spec.size);
    }
}

static const struct json_field unusable_rows[] = {
    JSON_READ_WHOLE("kind", read_kind),
    JSON_INSIDE("metadata", &metadata_fields),
    JSON_READ_WHOLE("spec", read_unusable_spec),
};
static const struct json_fields unusable_fields = JSON_FIELDS(unusable_rows);

bool lease_read_unusable(const char *json, size_t size, struct lease_record *ret_record) {
    struct lease_record record = {.duration_seconds = LEASE_DURATION_MS / 1000};
    struct error error;
    struct json_reader reader;
    struct json_strict strict = {.error = &error, .takes_empty = true};
    struct json_walk walk = {.reader = &reader, .strict = &strict};
    json_begin(&reader, json, size);
    bool is_object = json_walk_object(&walk, &unusable_fields, &record) == PRESENCE_SET;
    if (!json_finish(&reader, &error) || !is_object || strict.has_failed ||
        record.resource_version[0] == '\0' || record.fingerprint == 0) {
        return false;
    }
    (void)text_copy(record.holder, sizeof(record.holder), LEASE_HOLDER_UNREADABLE);
    *ret_record = record;
    return true;
}

/* The API server refuses an empty time. */
static void write_time(struct json_write *write, const char *key, const char *time) {
    if (time[0] != '\0') {
        json_write_member_text(write, key, time);
    }
}

void lease_write(const struct lease_record *record, const char *namespace, const char *name,
                 struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", "coordination.k8s.io/v1");
    json_write_member_text(&write, "kind", "Lease");
    json_write_member_open(&write, "metadata", '{');
    json_write_member_text(&write, "name", name);
    json_write_member_text(&write, "namespace", namespace);
    if (record->resource_version[0] != '\0') {
        json_write_member_text(&write, "resourceVersion", record->resource_version);
    }
    json_write_close(&write, '}');
    json_write_member_open(&write, "spec", '{');
    json_write_member_text(&write, "holderIdentity", record->holder);
    json_write_member_integer(&write, "leaseDurationSeconds", record->duration_seconds);
    write_time(&write, "acquireTime", record->acquire_time);
    write_time(&write, "renewTime", record->renew_time);
    json_write_member_integer(&write, "leaseTransitions", record->transitions);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}
