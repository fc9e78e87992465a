// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/registration.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"

enum { PATH_SIZE = 64, BASE64_MAX = 1 << 20 };

static void read_bundle(struct json_reader *reader, struct registration_entry *entry) {
    struct json_text text;
    size_t size;
    if (!json_read_text(reader, &text)) {
        return;
    }
    AUTO_FREE char *pem = memory_new(text.size + 1, 1);
    bool is_good = json_text_copy(&text, pem, text.size + 1) && base64_decode(pem, &size) &&
                   memchr(pem, '\0', size) == NULL;
    if (is_good) {
        free(entry->bundle_pem);
        entry->bundle_pem = TAKE(pem);
    }
}

static void read_name(struct json_reader *reader, char out[REGISTRATION_NAME_SIZE]) {
    struct json_text text;
    if (json_read_text(reader, &text)) {
        (void)json_text_copy(&text, out, REGISTRATION_NAME_SIZE);
    }
}

static void read_service(struct json_reader *reader, struct registration_entry *entry) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "namespace")) {
            read_name(reader, entry->service_namespace);
        } else if (json_text_is(&key, "name")) {
            read_name(reader, entry->service_name);
        } else {
            json_skip(reader);
        }
    }
}

static void read_client_config(struct json_reader *reader, struct registration_entry *entry) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "caBundle")) {
            read_bundle(reader, entry);
        } else if (json_text_is(&key, "service")) {
            read_service(reader, entry);
        } else {
            json_skip(reader);
        }
    }
}

static void read_entry(struct json_reader *reader, struct registration_entry *entry) {
    struct json_text key;
    struct json_text text;
    entry->bundle_pem = memory_new(1, 1);
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "clientConfig")) {
            read_client_config(reader, entry);
        } else if (json_text_is(&key, "name")) {
            read_name(reader, entry->name);
        } else if (json_text_is(&key, "failurePolicy")) {
            entry->fails = json_read_text(reader, &text) && json_text_is(&text, "Fail");
        } else {
            json_skip(reader);
        }
    }
}

/* Returns false if there are more than fit. */
static bool read_entries(struct json_reader *reader, struct registration *registration) {
    bool fit = true;
    registration_fini(registration);
    if (!json_enter_array(reader)) {
        return true;
    }
    while (json_next_item(reader)) {
        fit = fit && registration->n_entries < REGISTRATION_ENTRIES_MAX;
        if (fit) {
            registration->entries[registration->n_entries].index = registration->n_entries;
            read_entry(reader, &registration->entries[registration->n_entries++]);
        } else {
            json_skip(reader);
        }
    }
    return fit;
}

bool registration_read(const char *json, size_t size, struct registration *ret_registration,
                       struct error *error) {
    AUTO(registration_fini) struct registration registration = {.n_entries = 0};
    struct json_reader reader;
    struct json_text key;
    bool fit = true;
    json_begin(&reader, json, size);
    bool is_object = json_enter_object(&reader);
    while (is_object && json_next_member(&reader, &key)) {
        if (json_text_is(&key, "webhooks")) {
            fit = read_entries(&reader, &registration);
        } else {
            json_skip(&reader);
        }
    }
    if (!json_finish(&reader, error)) {
        return false;
    }
    if (!is_object) {
        return error_set(error, ERROR_INVALID, "not a webhook configuration: it is no object");
    }
    if (!fit) {
        return error_set(error, ERROR_TOO_LARGE, "it has more than %d webhooks",
                         REGISTRATION_ENTRIES_MAX);
    }
    *ret_registration = TAKE(registration);
    return true;
}

void registration_fini(struct registration *registration) {
    for (size_t i = 0; i < registration->n_entries; i++) {
        free(registration->entries[i].bundle_pem);
    }
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

static bool is_as(const struct registration_entry *entry, const char *bundle_pem, bool fails) {
    return strcmp(entry->bundle_pem, bundle_pem) == 0 && (entry->fails || !fails);
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
        if (fails) {
            write_operation(&write, "add", entry->index, "failurePolicy", "Fail");
        }
    }
    json_write_close(&write, ']');
}
