// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_fields.h"
#include "base/json_write.h"
#include "base/memory.h"

#define ROTATE_ANNOTATION "capstan.dev/rotate"

enum { BASE64_MAX = 1 << 20 };

static enum renewal_request request_of(const struct json_text *text) {
    if (json_text_is(text, "leaf")) {
        return RENEWAL_ASKS_LEAF;
    }
    return json_text_is(text, "ca") ? RENEWAL_ASKS_CA : RENEWAL_ASKS_NOTHING;
}

static void read_request(struct json_walk *walk, void *at) {
    struct keyring *keyring = at;
    struct json_text text = {.at = ""};
    (void)json_read_text(walk->reader, &text);
    keyring->asked = request_of(&text);
    keyring->is_asked_unclearly = keyring->asked == RENEWAL_ASKS_NOTHING;
}

static const struct json_field annotation_rows[] = {
    JSON_READ_WHOLE(ROTATE_ANNOTATION, read_request),
};
static const struct json_fields annotation_fields = JSON_FIELDS(annotation_rows);

static const struct json_field metadata_rows[] = {
    JSON_TEXT("uid", struct keyring, uid),
    JSON_TEXT("resourceVersion", struct keyring, resource_version),
    JSON_INSIDE("annotations", &annotation_fields),
};
static const struct json_fields metadata_fields = JSON_FIELDS(metadata_rows);

static const struct json_field data_rows[] = {
    JSON_BASE64("ca.crt", struct keyring, ca_crt),
    JSON_BASE64("ca.key", struct keyring, ca_key),
    JSON_BASE64("tls.crt", struct keyring, tls_crt),
    JSON_BASE64("tls.key", struct keyring, tls_key),
};
static const struct json_fields data_fields = JSON_FIELDS(data_rows);

static const struct json_field secret_rows[] = {
    JSON_INSIDE("data", &data_fields),
    JSON_INSIDE("metadata", &metadata_fields),
};
static const struct json_fields secret_fields = JSON_FIELDS(secret_rows);

static void make_text(char **text) {
    if (*text == NULL) {
        *text = memory_new(1, 1);
    }
}

bool keyring_read(const char *json, size_t size, struct keyring *ret_keyring, struct error *error) {
    AUTO(keyring_fini) struct keyring keyring = {.ca_crt = NULL};
    enum presence presence;
    if (!json_read_document(json, size, &secret_fields, &keyring, &presence, error)) {
        return false;
    }
    if (presence != PRESENCE_SET) {
        return error_set(error, ERROR_INVALID, "not a Secret: it is no object");
    }
    make_text(&keyring.ca_crt);
    make_text(&keyring.ca_key);
    make_text(&keyring.tls_crt);
    make_text(&keyring.tls_key);
    *ret_keyring = TAKE(keyring);
    return true;
}

void keyring_fini(struct keyring *keyring) {
    free(keyring->ca_crt);
    memory_free_secret(keyring->ca_key);
    free(keyring->tls_crt);
    memory_free_secret(keyring->tls_key);
    *keyring = (struct keyring){.ca_crt = NULL};
}

bool keyring_is_as(const struct keyring *keyring, const struct keyring *other) {
    return strcmp(keyring->ca_crt, other->ca_crt) == 0 &&
           strcmp(keyring->ca_key, other->ca_key) == 0 &&
           strcmp(keyring->tls_crt, other->tls_crt) == 0 &&
           strcmp(keyring->tls_key, other->tls_key) == 0;
}

static void write_pem(struct json_write *write, const char *key, const char *pem) {
    struct buffer base64;
    buffer_init_secret(&base64, BASE64_MAX);
    buffer_add_base64(&base64, pem, strlen(pem));
    json_write_member_text(write, key, buffer_text(&base64));
    buffer_fini(&base64);
}

static void write_metadata(struct json_write *write, const struct keyring *keyring,
                           const char *namespace) {
    json_write_member_open(write, "metadata", '{');
    if (keyring->resource_version[0] == '\0') {
        json_write_member_text(write, "name", KEYRING_SECRET_NAME);
        json_write_member_text(write, "namespace", namespace);
        json_write_member_open(write, "labels", '{');
        json_write_member_text(write, "app.kubernetes.io/name", "capstan");
        json_write_member_text(write, "app.kubernetes.io/part-of", "capstan");
        json_write_close(write, '}');
    } else {
        json_write_member_text(write, "resourceVersion", keyring->resource_version);
        if (keyring->asked == RENEWAL_ASKS_NOTHING) {
            json_write_member_open(write, "annotations", '{');
            json_write_key(write, ROTATE_ANNOTATION);
            json_write_raw(write, "null");
            json_write_close(write, '}');
        }
    }
    json_write_close(write, '}');
}

void keyring_write(const struct keyring *keyring, const char *namespace, struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    if (keyring->resource_version[0] == '\0') {
        json_write_member_text(&write, "apiVersion", "v1");
        json_write_member_text(&write, "kind", "Secret");
        json_write_member_text(&write, "type", "Opaque");
    }
    write_metadata(&write, keyring, namespace);
    json_write_member_open(&write, "data", '{');
    write_pem(&write, "ca.crt", keyring->ca_crt);
    write_pem(&write, "ca.key", keyring->ca_key);
    write_pem(&write, "tls.crt", keyring->tls_crt);
    write_pem(&write, "tls.key", keyring->tls_key);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}
