// SPDX-License-Identifier: Apache-2.0
#ifndef CERTIFICATE_FIXTURES_H
#define CERTIFICATE_FIXTURES_H

/*
 * CAs, leaves and Secrets for the tests of Capstan's own certificates. Include it after cmocka.h.
 */

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "core/certificates/keyring.h"
#include "core/certificates/registration.h"
#include "edge/http.h"
#include "edge/x509.h"

#define DAY     INT64_C(86400)
#define START_S (20000 * DAY)
#define NAME    "capstan.capstan-system.svc"

static const char *const leaf_names[] = {NAME};

/* Certificates begin an hour before their creation. */
static inline void make_ca(int64_t now, struct x509_pair *ret_ca) {
    struct error error;
    assert_true(x509_make_ca("CA", now, 1000 * DAY, ret_ca, &error));
}

static inline void make_leaf(const struct x509_pair *ca, int64_t now, struct x509_pair *ret_leaf) {
    struct error error;
    assert_true(x509_make_leaf(ca, leaf_names, 1, now, 90 * DAY, ret_leaf, &error));
}

static inline char *copy_text(const char *text) {
    return memory_copy(text, strlen(text));
}

static inline void answer_nothing(void *context, const struct http_request *request,
                                  struct http_response *response) {
    (void)context;
    (void)request;
    (void)response;
}

/* A server that serves a pair once it has one. End it with http_stop(). */
static inline struct http_server *start_tls_server(void) {
    static const struct http_route routes[] = {{"GET", "/", answer_nothing}};
    const struct http_options options = {.bind_address = "127.0.0.1:0",
                                         .routes = routes,
                                         .n_routes = 1,
                                         .is_tls = true,
                                         .workers = 1,
                                         .connections_max = 4,
                                         .body_max = 16,
                                         .bodies_max = 64,
                                         .head_timeout_ms = 1000,
                                         .body_timeout_ms = 1000,
                                         .idle_timeout_ms = 1000};
    struct http_server *server = NULL;
    struct error error;
    assert_true(http_start(&options, &server, &error));
    return server;
}

/* A keyring of one CA or, with `other`, two. Free it with keyring_fini(). */
static inline struct keyring make_keyring(const struct x509_pair *ca, const struct x509_pair *other,
                                          const struct x509_pair *signer,
                                          const struct x509_pair *leaf) {
    char cas[8192];
    snprintf(cas, sizeof(cas), "%s%s", ca->certificate_pem,
             other != NULL ? other->certificate_pem : "");
    return (struct keyring){.ca_crt = copy_text(cas),
                            .ca_key = copy_text(signer->key_pem),
                            .tls_crt = copy_text(leaf->certificate_pem),
                            .tls_key = copy_text(leaf->key_pem)};
}

#endif
