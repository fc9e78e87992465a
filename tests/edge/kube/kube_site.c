// SPDX-License-Identifier: Apache-2.0
#include "kube_site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <openssl/pem.h>

#include "base/memory.h"
#include "edge/clock.h"

enum { PATIENCE_MS = 60000 };

int64_t kube_site_now_ms(void) {
    return clock_boot_ms();
}

void kube_site_init(struct kube_site *site, const struct script_options *options) {
    *site = (struct kube_site){.server = script_server_new(options), .connections_max = 8};
    snprintf(site->url, sizeof(site->url), "%s://%s:%u", options->tls == NULL ? "http" : "https",
             options->family == AF_INET6 ? "[::1]" : "127.0.0.1", script_server_port(site->server));
    site->access.server = site->url;
}

X509 *kube_site_certificate(const char *pem) {
    BIO *text = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(text, NULL, NULL, NULL);
    BIO_free(text);
    assert_non_null(certificate);
    return certificate;
}

SSL_CTX *kube_site_tls(const struct x509_pair *pair) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    X509 *certificate = kube_site_certificate(pair->certificate_pem);
    BIO *text = BIO_new_mem_buf(pair->key_pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(text);
    return context;
}

void kube_site_start(struct kube_site *site) {
    struct error error;
    const struct kube_options options = {.access = &site->access,
                                         .user_agent = "capstan/test",
                                         .connections_max = site->connections_max};
    if (!kube_new(&options, &site->kube, &error)) {
        fail_msg("%s", error.text);
    }
}

void kube_site_open(struct kube_site *site) {
    kube_site_init(site, &(struct script_options){0});
    kube_site_start(site);
}

void kube_site_stop(struct kube_site *site) {
    kube_free(site->kube);
    script_server_free(site->server);
}

void kube_heard_fini(struct kube_heard *heard) {
    free(heard->body);
    buffer_fini(&heard->lines);
}

static void hear_line(void *context, const char *line, size_t size) {
    struct kube_heard *heard = context;
    heard->n_lines++;
    buffer_add(&heard->lines, line, size);
    buffer_add_byte(&heard->lines, '\n');
    if (heard->n_lines == heard->cancel_at_line) {
        kube_cancel(heard->kube, heard->call);
    }
}

static void hear_end(void *context, const struct kube_answer *answer) {
    struct kube_heard *heard = context;
    heard->n_done++;
    heard->is_good = answer->is_good;
    heard->status = answer->status;
    heard->retry_after_ms = answer->retry_after_ms;
    if (!answer->is_good) {
        heard->error = answer->error;
    }
    free(heard->body);
    heard->body = answer->body == NULL ? NULL : memory_copy(answer->body, answer->body_size);
    heard->body_size = answer->body_size;
    if (heard->is_to_be_cancelled) {
        kube_cancel(heard->kube, heard->call);
    }
}

struct kube_request kube_site_request(enum kube_verb verb, const char *path,
                                      struct kube_heard *heard) {
    *heard = (struct kube_heard){0};
    buffer_init(&heard->lines, SIZE_MAX);
    return (struct kube_request){.verb = verb,
                                 .path = path,
                                 .timeout_ms = 30000,
                                 .answer_max = 1024 * 1024,
                                 .line = verb == KUBE_WATCH ? hear_line : NULL,
                                 .done = hear_end,
                                 .context = heard};
}

void kube_site_begin(struct kube_site *site, const struct kube_request *request,
                     struct kube_heard *heard) {
    heard->kube = site->kube;
    heard->call = kube_begin(site->kube, request);
}

void kube_site_finish(struct kube_site *site, struct kube_heard *heard) {
    int64_t until_ms = clock_boot_ms() + PATIENCE_MS;
    while (heard->n_done == 0) {
        if (clock_boot_ms() > until_ms) {
            fail_msg("a request has no end");
        }
        kube_wait(site->kube, NULL, 0, PATIENCE_MS);
    }
    assert_int_equal(heard->n_done, 1);
}

void kube_site_ask(struct kube_site *site, enum kube_verb verb, const char *path,
                   struct kube_heard *heard) {
    struct kube_request request = kube_site_request(verb, path, heard);
    kube_site_begin(site, &request, heard);
    kube_site_finish(site, heard);
}

char *kube_site_text(const char *status_and_headers, const char *body) {
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    buffer_add_format(&text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status_and_headers,
                      strlen(body));
    buffer_add_text(&text, body);
    char *copy = memory_copy(buffer_text(&text), text.size);
    buffer_fini(&text);
    return copy;
}
