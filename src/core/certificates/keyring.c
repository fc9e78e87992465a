// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"

#define ROTATE_ANNOTATION "capstan.dev/rotate"

enum { BASE64_MAX = 1 << 20 };

static void read_pem(struct json_reader *reader, char **pem) {
    struct json_text text;
    size_t size;
    if (!json_read_text(reader, &text)) {
        return;
    }
    char *decoded = memory_new(text.size + 1, 1);
    if (json_text_copy(&text, decoded, text.size + 1) && base64_decode(decoded, &size) &&
        memchr(decoded, '\0', size) == NULL) {
        free(*pem);
        *pem = decoded;
    } else {
        free(decoded);
    }
}

static void read_data(struct json_reader *reader, struct keyring *keyring) {
    const struct {
        const char *key;
        char **pem;
    } members[] = {
        {"ca.crt", &keyring->ca_crt},
        {"ca.key", &keyring->ca_key},
        {"tls.crt", &keyring->tls_crt},
        {"tls.key", &keyring->tls_key},
    };
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        char **pem = NULL;
        for (size_t i = 0; i < COUNT_OF(members); i++) {
            pem = json_text_is(&key, members[i].key) ? members[i].pem : pem;
        }
        if (pem != NULL) {
            read_pem(reader, pem);
        } else {
            json_skip(reader);
        }
    }
}

static void read_annotations(struct json_reader *reader, struct keyring *keyring) {
    struct json_text key;
    struct json_text text;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (!json_text_is(&key, ROTATE_ANNOTATION)) {
            json_skip(reader);
            continue;
        }
        bool is_text = json_read_text(reader, &text);
        keyring->asked = is_text && json_text_is(&text, "leaf") ? RENEWAL_ASKS_LEAF
                         : is_text && json_text_is(&text, "ca") ? RENEWAL_ASKS_CA
                                                                : RENEWAL_ASKS_NOTHING;
        keyring->is_asked_unclearly = keyring->asked == RENEWAL_ASKS_NOTHING;
    }
}

static void read_text(struct json_reader *reader, char *out, size_t capacity) {
    struct json_text text;
    if (json_read_text(reader, &text)) {
        (void)json_text_copy(&text, out, capacity);
    }
}

static void read_metadata(struct json_reader *reader, struct keyring *keyring) {
    struct json_text key;
    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        if (json_text_is(&key, "uid")) {
            read_text(reader, keyring->uid, sizeof(keyring->uid));
        } else if (json_text_is(&key, "resourceVersion")) {
            read_text(reader, keyring->resource_version, sizeof(keyring->resource_version));
        } else if (json_text_is(&key, "annotations")) {
            read_annotations(reader, keyring);
        } else {
            json_skip(reader);
        }
    }
}

bool keyring_read(const char *json, size_t size, struct keyring *ret_keyring, struct error *error) {
    struct keyring keyring = {.ca_crt = memory_new(1, 1),
                              .ca_key = memory_new(1, 1),
                              .tls_crt = memory_new(1, 1),
                              .tls_key = memory_new(1, 1)};
    struct json_reader reader;
    struct json_text key;
    json_begin(&reader, json, size);
    bool is_object = json_enter_object(&reader);
    while (is_object && json_next_member(&reader, &key)) {
        if (json_text_is(&key, "metadata")) {
            read_metadata(&reader, &keyring);
        } else if (json_text_is(&key, "data")) {
            read_data(&reader, &keyring);
        } else {
            json_skip(&reader);
        }
    }
    bool is_good = json_finish(&reader, error) &&
                   (is_object || error_set(error, ERROR_INVALID, "not a Secret: it is no object"));
    if (!is_good) {
        keyring_fini(&keyring);
        return false;
    }
    *ret_keyring = keyring;
    return true;
}

void keyring_fini(struct keyring *keyring) {
    free(keyring->ca_crt);
    memory_free_secret(keyring->ca_key);
    free(keyring->tls_crt);
    memory_free_secret(keyring->tls_key);
    *keyring = (struct keyring){.ca_crt = NULL};
}

static void write_pem(struct json_write *write, const char *key, const char *pem) {
    struct buffer base64;
    buffer_init(&base64, BASE64_MAX);
    buffer_add_base64(&base64, pem, strlen(pem));
    json_write_member_text(write, key, buffer_text(&base64));
    buffer_wipe(&base64);
}

static void write_metadata(struct json_write *write, const struct keyring *keyring,
                           const char *namespace) {
    json_write_key(write, "metadata");
    json_write_open(write, '{');
    if (keyring->resource_version[0] == '\0') {
        json_write_member_text(write, "name", KEYRING_SECRET_NAME);
        json_write_member_text(write, "namespace", namespace);
        json_write_key(write, "labels");
        json_write_open(write, '{');
        json_write_member_text(write, "app.kubernetes.io/name", "capstan");
        json_write_member_text(write, "app.kubernetes.io/part-of", "capstan");
        json_write_close(write, '}');
    } else {
        json_write_member_text(write, "resourceVersion", keyring->resource_version);
        if (keyring->asked == RENEWAL_ASKS_NOTHING) {
            json_write_key(write, "annotations");
            json_write_open(write, '{');
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
    json_write_key(&write, "data");
    json_write_open(&write, '{');
    write_pem(&write, "ca.crt", keyring->ca_crt);
    write_pem(&write, "ca.key", keyring->ca_key);
    write_pem(&write, "tls.crt", keyring->tls_crt);
    write_pem(&write, "tls.key", keyring->tls_key);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}
