// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/lease.h"

#include "base/json.h"
#include "base/json_write.h"

/* A member that is there and cannot be used. It must never pass for a missing one: a record without
   a holder is free. */
struct reading {
    struct json_reader reader;
    const char *fault; /* its path, a literal; NULL while all is well */
};

/* True, and the value is skipped, if it is null. */
static bool skip_null(struct json_reader *reader) {
    if (json_peek(reader) != JSON_NULL) {
        return false;
    }
    json_skip(reader);
    return true;
}

static void read_text(struct reading *reading, const char *path, char *out, size_t capacity) {
    struct json_text text;
    out[0] = '\0';
    if (!skip_null(&reading->reader) &&
        !(json_read_text(&reading->reader, &text) && json_text_copy(&text, out, capacity))) {
        reading->fault = path;
    }
}

static void read_integer(struct reading *reading, const char *path, int64_t *ret_value) {
    *ret_value = 0;
    if (!skip_null(&reading->reader) && !json_read_integer(&reading->reader, ret_value)) {
        reading->fault = path;
    }
}

/* Whether there are members to read: an object, neither null nor anything else. */
static bool enter_object(struct reading *reading, const char *path) {
    if (skip_null(&reading->reader)) {
        return false;
    }
    if (!json_enter_object(&reading->reader)) {
        reading->fault = path;
        return false;
    }
    return true;
}

static void read_metadata(struct reading *reading, struct lease_record *record) {
    struct json_text key;
    if (!enter_object(reading, "metadata")) {
        return;
    }
    while (json_next_member(&reading->reader, &key)) {
        if (json_text_is(&key, "resourceVersion")) {
            read_text(reading, "metadata.resourceVersion", record->resource_version,
                      sizeof(record->resource_version));
        } else {
            json_skip(&reading->reader);
        }
    }
}

static void read_spec(struct reading *reading, struct lease_record *record) {
    struct json_text key;
    if (!enter_object(reading, "spec")) {
        return;
    }
    while (json_next_member(&reading->reader, &key)) {
        if (json_text_is(&key, "holderIdentity")) {
            read_text(reading, "spec.holderIdentity", record->holder, sizeof(record->holder));
        } else if (json_text_is(&key, "leaseDurationSeconds")) {
            read_integer(reading, "spec.leaseDurationSeconds", &record->duration_seconds);
        } else if (json_text_is(&key, "leaseTransitions")) {
            read_integer(reading, "spec.leaseTransitions", &record->transitions);
        } else if (json_text_is(&key, "acquireTime")) {
            read_text(reading, "spec.acquireTime", record->acquire_time,
                      sizeof(record->acquire_time));
        } else if (json_text_is(&key, "renewTime")) {
            read_text(reading, "spec.renewTime", record->renew_time, sizeof(record->renew_time));
        } else {
            json_skip(&reading->reader);
        }
    }
}

static void read_kind(struct reading *reading) {
    struct json_text kind;
    if (!json_read_text(&reading->reader, &kind) || !json_text_is(&kind, "Lease")) {
        reading->fault = "kind";
    }
}

static void read_lease(struct reading *reading, struct lease_record *record) {
    struct json_text key;
    if (!json_enter_object(&reading->reader)) {
        reading->fault = "kind";
        return;
    }
    while (json_next_member(&reading->reader, &key)) {
        if (json_text_is(&key, "kind")) {
            read_kind(reading);
        } else if (json_text_is(&key, "metadata")) {
            read_metadata(reading, record);
        } else if (json_text_is(&key, "spec")) {
            read_spec(reading, record);
        } else {
            json_skip(&reading->reader);
        }
    }
}

bool lease_read(const char *json, size_t size, struct lease_record *ret_record,
                struct error *error) {
    struct reading reading = {.fault = NULL};
    struct lease_record record = {.holder = ""};
    json_begin(&reading.reader, json, size);
    read_lease(&reading, &record);
    if (!json_finish(&reading.reader, error)) {
        return false;
    }
    if (reading.fault != NULL) {
        return error_set(error, ERROR_INVALID, "the lease's %s is not what it should be",
                         reading.fault);
    }
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
    json_write_key(&write, "metadata");
    json_write_open(&write, '{');
    json_write_member_text(&write, "name", name);
    json_write_member_text(&write, "namespace", namespace);
    if (record->resource_version[0] != '\0') {
        json_write_member_text(&write, "resourceVersion", record->resource_version);
    }
    json_write_close(&write, '}');
    json_write_key(&write, "spec");
    json_write_open(&write, '{');
    json_write_member_text(&write, "holderIdentity", record->holder);
    json_write_member_integer(&write, "leaseDurationSeconds", record->duration_seconds);
    write_time(&write, "acquireTime", record->acquire_time);
    write_time(&write, "renewTime", record->renew_time);
    json_write_member_integer(&write, "leaseTransitions", record->transitions);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}
