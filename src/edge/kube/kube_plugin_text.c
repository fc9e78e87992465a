// SPDX-License-Identifier: Apache-2.0
#include "kube_plugin_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_fields.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "base/text.h"
#include "edge/file.h"
#include "kube_text.h"

enum { CA_MAX = 1 << 20, VALUE_SIZE = 96 };

void kube_plugin_credential_fini(struct kube_plugin_credential *credential) {
    memory_free_secret(credential->token);
    free(credential->certificate_pem);
    memory_free_secret(credential->key_pem);
    *credential = (struct kube_plugin_credential){.token = NULL};
}

static bool write_ca(struct json_write *write, const struct kube_access *access,
                     struct error *error) {
    AUTO(buffer_fini) struct buffer content;
    AUTO(buffer_fini) struct buffer encoded;
    buffer_init(&content, CA_MAX);
    buffer_init(&encoded, 2 * CA_MAX);
    if (access->ca_pem != NULL) {
        buffer_add_base64(&encoded, access->ca_pem, strlen(access->ca_pem));
    } else if (access->ca_file != NULL) {
        if (!file_read(access->ca_file, &content, error)) {
            return false;
        }
        buffer_add_base64(&encoded, content.bytes, content.size);
    }
    if (encoded.size > 0) {
        json_write_member_text(write, "certificate-authority-data", buffer_text(&encoded));
    }
    return true;
}

static bool write_cluster(struct json_write *write, const struct kube_access *access,
                          struct error *error) {
    json_write_key(write, "cluster");
    json_write_open(write, '{');
    json_write_member_text(write, "server", access->server);
    if (access->tls_server_name != NULL) {
        json_write_member_text(write, "tls-server-name", access->tls_server_name);
    }
    if (access->is_insecure) {
        json_write_key(write, "insecure-skip-tls-verify");
        json_write_bool(write, true);
    }
    bool is_good = write_ca(write, access, error);
    if (access->plugin_config != NULL) {
        json_write_key(write, "config");
        json_write_raw(write, access->plugin_config);
    }
    json_write_close(write, '}');
    return is_good;
}

bool kube_plugin_write_info(const struct kube_access *access, struct buffer *out,
                            struct error *error) {
    struct json_write write;
    buffer_add_text(out, "KUBERNETES_EXEC_INFO=");
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", access->plugin->api_version);
    json_write_member_text(&write, "kind", "ExecCredential");
    json_write_key(&write, "spec");
    json_write_open(&write, '{');
    json_write_key(&write, "interactive");
    json_write_bool(&write, false);
    if (access->plugin->wants_cluster && !write_cluster(&write, access, error)) {
        return false;
    }
    json_write_close(&write, '}');
    json_write_close(&write, '}');
    return true;
}

/* An ExecCredential, before any check. Texts are borrowed from the output; missing ones are empty.
 */
struct output {
    struct json_text api_version, kind;
    struct json_text token, certificate, key, expires;
};

static const struct json_field status_rows[] = {
    JSON_VIEW("token", struct output, token),
    JSON_VIEW("clientCertificateData", struct output, certificate),
    JSON_VIEW("clientKeyData", struct output, key),
    JSON_VIEW("expirationTimestamp", struct output, expires),
};
static const struct json_fields status_fields = JSON_FIELDS(status_rows);

static const struct json_field output_rows[] = {
    JSON_VIEW("apiVersion", struct output, api_version),
    JSON_VIEW("kind", struct output, kind),
    JSON_INSIDE("status", &status_fields),
};
static const struct json_fields output_fields = JSON_FIELDS(output_rows);

static bool read_json(const char *bytes, size_t size, struct output *output, struct error *error) {
    struct json_reader reader;
    struct json_strict strict = {.error = error};
    struct json_walk walk = {.reader = &reader, .strict = &strict};
    struct error fault;
    json_begin(&reader, bytes, size);
    bool is_object = json_peek(&reader) == JSON_OBJECT;
    (void)json_walk_object(&walk, &output_fields, output);
    if (!json_finish(&reader, &fault)) {
        return error_set(error, ERROR_INVALID, "it printed what is no JSON: %s (byte %zu)",
                         fault.text, fault.offset);
    }
    if (!is_object) {
        return error_set(error, ERROR_INVALID, "it printed JSON that is no object");
    }
    return !strict.has_failed ||
           error_set(error, ERROR_INVALID,
                     "what it printed has a %s of another type than it should", strict.path);
}

static bool check_text(const struct json_text *text, const char *key, const char *expected,
                       struct error *error) {
    char value[VALUE_SIZE] = "";
    if (text->size > 0 && json_text_is(text, expected)) {
        return true;
    }
    if (text->size == 0) {
        return error_set(error, ERROR_INVALID, "what it printed has no %s; it must be %s", key,
                         expected);
    }
    if (!json_text_copy(text, value, sizeof(value))) {
        text_copy(value, sizeof(value), "(a long text)");
    }
    return error_set(error, ERROR_INVALID, "what it printed has the %s '%s'; it must be %s", key,
                     value, expected);
}

static char *copy_text(const struct json_text *text) {
    if (text->size == 0) {
        return NULL;
    }
    char *copy = memory_new(text->size + 1, 1);
    if (!json_text_copy(text, copy, text->size + 1)) {
        *copy = '\0'; /* it has a zero byte; check_credential() refuses an empty text */
    }
    return copy;
}

static bool read_expiry(const struct json_text *text, int64_t *expires, struct error *error) {
    char value[VALUE_SIZE];
    *expires = INT64_MAX;
    if (text->size == 0) {
        return true;
    }
    return (json_text_copy(text, value, sizeof(value)) && text_parse_time(value, expires)) ||
           error_set(error, ERROR_INVALID,
                     "what it printed has an expirationTimestamp that is no time");
}

static bool check_credential(const struct kube_plugin_credential *credential, struct error *error) {
    if ((credential->certificate_pem == NULL) != (credential->key_pem == NULL)) {
        return error_set(error, ERROR_INVALID,
                         "it printed a certificate without a key, or a key "
                         "without a certificate");
    }
    if (credential->token == NULL && credential->key_pem == NULL) {
        return error_set(error, ERROR_INVALID,
                         "it printed neither a token nor a certificate and a key");
    }
    if (credential->token != NULL && !kube_text_is_token(credential->token)) {
        return error_set(error, ERROR_INVALID,
                         "it printed a token that has a blank or a character that no token can "
                         "have");
    }
    if (credential->key_pem != NULL && (!kube_text_is_pem(credential->certificate_pem) ||
                                        !kube_text_is_pem(credential->key_pem))) {
        return error_set(error, ERROR_INVALID, "it printed a certificate or a key that is not PEM");
    }
    return true;
}

bool kube_plugin_read_output(const char *output, size_t size, const char *api_version,
                             struct kube_plugin_credential *ret_credential, struct error *error) {
    AUTO(kube_plugin_credential_fini) struct kube_plugin_credential credential = {.token = NULL};
    struct output found = {.token = {.size = 0}};
    if (size == 0) {
        return error_set(error, ERROR_INVALID, "it printed nothing");
    }
    if (!read_json(output, size, &found, error) ||
        !check_text(&found.kind, "kind", "ExecCredential", error) ||
        !check_text(&found.api_version, "apiVersion", api_version, error) ||
        !read_expiry(&found.expires, &credential.expires, error)) {
        return false;
    }
    credential.token = copy_text(&found.token);
    credential.certificate_pem = copy_text(&found.certificate);
    credential.key_pem = copy_text(&found.key);
    if (!check_credential(&credential, error)) {
        return false;
    }
    *ret_credential = TAKE(credential);
    return true;
}
