// SPDX-License-Identifier: Apache-2.0
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "base/memory.h"

enum { WARNINGS_MAX = 3, WARNING_MAX = 120, TAKE_UP_MS = 2000, TAKE_UP_SANITIZED_MS = 6000 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key) {
    const cJSON *value = get(object, key);
    assert_true(cJSON_IsString(value));
    return value->valuestring;
}

static void append(char *list, size_t size, const char *separator, const char *text,
                   size_t text_size) {
    size_t used = strlen(list);
    int added = snprintf(list + used, size - used, "%s%.*s", used > 0 ? separator : "",
                         (int)text_size, text);
    assert_true(used + (size_t)added < size);
}

static void take_patch(const cJSON *response, struct verdict *verdict) {
    assert_int_equal(get(response, "patch") == NULL, get(response, "patchType") == NULL);
    if (get(response, "patch") == NULL) {
        return;
    }
    const char *base64 = text_of(response, "patch");
    size_t size = strlen(base64);
    unsigned char decoded[sizeof(verdict->patch) + 3];
    assert_string_equal(text_of(response, "patchType"), "JSONPatch");
    assert_true(size > 0 && size % 4 == 0 && size / 4 * 3 < sizeof(verdict->patch));
    int n = EVP_DecodeBlock(decoded, (const unsigned char *)base64, (int)size);
    assert_true(n > 0);
    n -= (base64[size - 1] == '=') + (base64[size - 2] == '=');
    memcpy(verdict->patch, decoded, (size_t)n);
}

static void take_warnings(const cJSON *response, struct verdict *verdict) {
    const cJSON *warnings = get(response, "warnings");
    const cJSON *warning;
    assert_true(warnings == NULL || cJSON_IsArray(warnings));
    assert_in_range(cJSON_GetArraySize(warnings), warnings == NULL ? 0 : 1, WARNINGS_MAX);
    cJSON_ArrayForEach(warning, warnings) {
        const char *text = warning->valuestring;
        const char *colon = strchr(text, ':');
        assert_non_null(colon);
        assert_in_range(strlen(text), 1, WARNING_MAX);
        for (const char *byte = text; *byte != '\0'; byte++) {
            assert_in_range(*byte, ' ', '~');
        }
        append(verdict->warned, sizeof(verdict->warned), ",", text, (size_t)(colon - text));
        append(verdict->warnings, sizeof(verdict->warnings), "\n", text, strlen(text));
    }
}

static void take_response(const cJSON *response, struct verdict *verdict) {
    const cJSON *allowed = get(response, "allowed");
    const cJSON *denial = get(response, "status");
    const cJSON *annotation;
    assert_true(cJSON_IsBool(allowed));
    verdict->is_allowed = cJSON_IsTrue(allowed);
    assert_int_equal(verdict->is_allowed, denial == NULL);
    append(verdict->uid, sizeof(verdict->uid), "", text_of(response, "uid"),
           strlen(text_of(response, "uid")));
    if (denial != NULL) {
        verdict->code = get(denial, "code")->valueint;
        append(verdict->message, sizeof(verdict->message), "", text_of(denial, "message"),
               strlen(text_of(denial, "message")));
    }
    take_patch(response, verdict);
    take_warnings(response, verdict);
    cJSON_ArrayForEach(annotation, get(response, "auditAnnotations")) {
        append(verdict->audited, sizeof(verdict->audited), ",", annotation->string,
               strlen(annotation->string));
    }
}

static void take_review(struct verdict *verdict) {
    cJSON *review = cJSON_ParseWithLength(verdict->body, verdict->body_size);
    assert_non_null(review);
    assert_true(http_answer_has(&verdict->head, "Content-Type: application/json"));
    assert_string_equal(text_of(review, "apiVersion"), "admission.k8s.io/v1");
    assert_string_equal(text_of(review, "kind"), "AdmissionReview");
    take_response(get(review, "response"), verdict);
    cJSON_Delete(review);
}

/* A 400 ends the connection. The test's next request uses a new one to the same port. */
static void reopen(struct http_client *client) {
    uint16_t port = client->port;
    SSL_CTX *context = SSL_get_SSL_CTX(client->ssl);
    SSL_CTX_up_ref(context);
    http_client_close(client);
    assert_true(http_client_open_tls(client, port, context));
    SSL_CTX_free(context);
}

void wire_send(struct http_client *client, const char *head, const char *bytes, size_t size) {
    if (client->is_over) {
        reopen(client);
    }
    assert_true(http_client_send_text(client, head));
    assert_true(size == 0 || http_client_send(client, bytes, size));
}

void wire_read(struct http_client *client, struct verdict *ret_verdict) {
    *ret_verdict = (struct verdict){.status = 0};
    assert_true(http_client_read_whole(client, &ret_verdict->head, ret_verdict->body,
                                       sizeof(ret_verdict->body)));
    ret_verdict->status = ret_verdict->head.status;
    ret_verdict->body_size = ret_verdict->head.body_size;
    assert_false(http_answer_has(&ret_verdict->head, "Retry-After"));
    if (ret_verdict->status == 200) {
        take_review(ret_verdict);
    } else if (ret_verdict->status == 400) {
        assert_true(http_answer_has(&ret_verdict->head, "Connection: close"));
        client->is_over = true;
    }
}

void wire_post_bytes(struct http_client *client, const char *bytes, size_t size,
                     struct verdict *ret_verdict) {
    char head[256];
    /* These are exactly the headers of kube-apiserver. */
    snprintf(head, sizeof(head),
             "POST /mutate?timeout=10s HTTP/1.1\r\nHost: capstan.capstan-system.svc:443\r\n"
             "User-Agent: kube-apiserver-admission\r\nContent-Length: %zu\r\n"
             "Accept: application/json, */*\r\nContent-Type: application/json\r\n"
             "Accept-Encoding: gzip\r\n\r\n",
             size);
    wire_send(client, head, bytes, size);
    wire_read(client, ret_verdict);
}

void wire_post(struct http_client *client, const char *json, struct verdict *ret_verdict) {
    wire_post_bytes(client, json, strlen(json), ret_verdict);
}

void wire_ask(const struct program *program, const char *json, struct verdict *ret_verdict) {
    struct http_client client;
    program_connect(program, &client);
    wire_post(&client, json, ret_verdict);
    http_client_close(&client);
}

void wire_ask_sample(const struct program *program, const char *sample,
                     struct verdict *ret_verdict) {
    AUTO_FREE char *json = sample_read(sample);
    wire_ask(program, json, ret_verdict);
}

static bool is_as_expected(const struct verdict *verdict, const char *patch, const char *warned) {
    return verdict->status == 200 && verdict->is_allowed && strcmp(verdict->patch, patch) == 0 &&
           strcmp(verdict->warned, warned) == 0;
}

void wire_assert(const struct verdict *verdict, const char *what, const char *patch,
                 const char *warned) {
    if (!is_as_expected(verdict, patch, warned)) {
        fail_msg("%s: status %d, patch '%s', warnings '%s', %s", what, verdict->status,
                 verdict->patch, verdict->warned, verdict->body);
    }
}

void wire_wait_for(const struct program *program, const char *sample, const char *patch,
                   const char *warned) {
    int64_t patience_ms = program_is_sanitized() ? TAKE_UP_SANITIZED_MS : TAKE_UP_MS;
    int64_t until_ms = http_now_ms() + patience_ms;
    AUTO_FREE char *json = sample_read(sample);
    struct http_client client;
    struct verdict verdict;
    program_connect(program, &client);
    wire_post(&client, json, &verdict);
    while (!is_as_expected(&verdict, patch, warned) && http_now_ms() < until_ms) {
        http_sleep_ms(5);
        wire_post(&client, json, &verdict);
    }
    http_client_close(&client);
    wire_assert(&verdict, sample, patch, warned);
}
