// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/registration.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_fields.h"
#include "base/json_write.h"
#include "base/memory.h"

enum { PATH_SIZE = 64, BASE64_MAX = 1 << 20 };

static const struct json_field service_rows[] = {
    JSON_TEXT("namespace", struct registration_entry, service_namespace),
    JSON_TEXT("name", struct registration_entry, service_name),
};
static const struct json_fields service_fields = JSON_FIELDS(service_rows);

static const struct json_field client_config_rows[] = {
    JSON_INSIDE("service", &service_fields),
    JSON_BASE64("caBundle", struct registration_entry, bundle_pem),
};
static const struct json_fields client_config_fields = JSON_FIELDS(client_config_rows);

static const struct json_field entry_rows[] = {
    JSON_TEXT("name", struct registration_entry, name),
    JSON_INSIDE("clientConfig", &client_config_fields),
    JSON_IS("failurePolicy", struct registration_entry, fails, "Fail"),
};
static const struct json_fields entry_fields = JSON_FIELDS(entry_rows);

struct reading {
    struct registration registration;
    bool is_too_long;
};

static void read_entry(struct json_walk *walk, void *at) {
    struct reading *reading = at;
    struct registration *registration = &reading->registration;
    reading->is_too_long = registration->n_entries == REGISTRATION_ENTRIES_MAX;
    if (reading->is_too_long) {
        json_skip(walk->reader);
        return;
    }
    struct registration_entry *entry = &registration->entries[registration->n_entries];
    entry->index = registration->n_entries++;
    (void)json_walk_object(walk, &entry_fields, entry);
    if (entry->bundle_pem == NULL) {
        entry->bundle_pem = memory_new(1, 1);
    }
}

static void drop_entries(struct registration *registration) {
    for (size_t i = 0; i < registration->n_entries; i++) {
        free(registration->entries[i].bundle_pem);
    }
    registration->n_entries = 0;
}

static void reading_fini(struct reading *reading) {
    drop_entries(&reading->registration);
}

static void read_entries(struct json_walk *walk, void *at) {
    struct reading *reading = at;
    drop_entries(&reading->registration);
    reading->is_too_long = false;
    (void)json_walk_items(walk, read_entry, at);
}

static const struct json_field metadata_rows[] = {
    JSON_TEXT("uid", struct reading, registration.uid),
    JSON_TEXT("resourceVersion", struct reading, registration.resource_version),
};
static const struct json_fields metadata_fields = JSON_FIELDS(metadata_rows);

bool registration_read(const char *json, size_t size, struct registration *ret_registration,
                       struct error *error) {
    static const struct json_field rows[] = {JSON_INSIDE("metadata", &metadata_fields),
                                             JSON_READ_WHOLE("webhooks", read_entries)};
    static const struct json_fields fields = JSON_FIELDS(rows);
    AUTO(reading_fini) struct reading reading = {.is_too_long = false};
    enum presence presence;
    if (!json_read_document(json, size, &fields, &reading, &presence, error)) {
        return false;
    }
    if (presence != PRESENCE_SET) {
        return error_set(error, ERROR_INVALID, "not a webhook configuration: it is no object");
    }
    if (reading.is_too_long) {
        return error_set(error, ERROR_TOO_LARGE, "it has more than %d webhooks",
                         REGISTRATION_ENTRIES_MAX);
    }
    *ret_registration = TAKE(reading.registration);
    return true;
}

void registration_fini(struct registration *registration) {
    drop_entries(registration);
    *registration = (struct registration){.n_entries = 0};
}

size_t registration_keep_service(struct registration *registration, const char *namespace,
                                 const char *name) {
    size_t n_all = registration->n_entries;
    size_t n_kept = 0;
    for (size_t i = 0; i < n_all; i++) {
        struct registration_entry *entry = &registration->entries[i];
        if (strcmp(entry->service_namespace, namespace) == 0 &&
            strcmp(entry->service_name, name) == 0) {
            registration->entries[n_kept++] = *entry;
        } else {
            free(entry->bundle_pem);
        }
    }
    registration->n_entries = n_kept;
    return n_all - n_kept;
}

bool registration_may_fail(const struct registration_entry *entry) {
    return strcmp(entry->name, REGISTRATION_AUTOSCALERS_NAME) != 0;
}

static bool is_as(const struct registration_entry *entry, const char *bundle_pem, bool fails) {
    bool has_policy = entry->fails || !fails || !registration_may_fail(entry);
    return strcmp(entry->bundle_pem, bundle_pem) == 0 && has_policy;
}

bool registration_is_as(const struct registration *registration, const char *bundle_pem,
                        bool fails) {
    for (size_t i = 0; i < registration->n_entries; i++) {
        if (!is_as(&registration->entries[i], bundle_pem, fails)) {
            return false;
        }
    }
    return true;
}

static const struct registration_entry *find(const struct registration *registration,
                                             const struct registration_entry *wanted) {
    for (size_t i = 0; i < registration->n_entries; i++) {
        const struct registration_entry *entry = &registration->entries[i];
        if (entry->index == wanted->index && strcmp(entry->name, wanted->name) == 0) {
            return entry;
        }
    }
    return NULL;
}

bool registration_shows(const struct registration *registration, const struct registration *before,
                        const char *bundle_pem, bool fails) {
    for (size_t i = 0; i < before->n_entries; i++) {
        const struct registration_entry *entry = find(registration, &before->entries[i]);
        bool is_written = !is_as(&before->entries[i], bundle_pem, fails);
        if (is_written && (entry == NULL || !is_as(entry, bundle_pem, fails))) {
            return false;
        }
    }
    return true;
}

struct registration registration_copy(const struct registration *registration) {
    struct registration copy = *registration;
    for (size_t i = 0; i < copy.n_entries; i++) {
        const char *bundle = registration->entries[i].bundle_pem;
        copy.entries[i].bundle_pem = memory_copy(bundle, strlen(bundle));
    }
    return copy;
}

static void write_operation(struct json_write *write, const char *operation, size_t index,
                            const char *member, const char *value) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "/webhooks/%zu/%s", index, member);
    json_write_open(write, '{');
    json_write_member_text(write, "op", operation);
    json_write_member_text(write, "path", path);
    json_write_member_text(write, "value", value);
    json_write_close(write, '}');
}

void registration_write_patch(const struct registration *registration, const char *bundle_pem,
                              bool fails, struct buffer *out) {
    AUTO(buffer_fini) struct buffer base64;
    struct json_write write;
    buffer_init(&base64, BASE64_MAX);
    buffer_add_base64(&base64, bundle_pem, strlen(bundle_pem));
    json_write_begin(&write, out);
    json_write_open(&write, '[');
    for (size_t i = 0; i < registration->n_entries; i++) {
        const struct registration_entry *entry = &registration->entries[i];
        if (is_as(entry, bundle_pem, fails)) {
            continue;
        }
        write_operation(&write, "test", entry->index, "name", entry->name);
        write_operation(&write, "add", entry->index, "clientConfig/caBundle", buffer_text(&base64));
        if (fails && registration_may_fail(entry)) {
            write_operation(&write, "add", entry->index, "failurePolicy", "Fail");
        }
    }
    json_write_close(&write, ']');
}
