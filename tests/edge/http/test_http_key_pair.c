// SPDX-License-Identifier: Apache-2.0

/*
 * The key pair of a server: which pairs are accepted, when, and how one replaces another.
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge/http_tls.h"
#include "edge/x509/x509_fixtures.h"
#include "http_client.h"

#define NOT_ITS_KEY    "the key is not that of the certificate"
#define NO_CERTIFICATE "the certificate cannot be read: there is none in the text"
#define NO_KEY         "the key cannot be read: there is none in the text"

/* Encrypts the key with a password. Free with free(). */
static char *lock_key(const char *key_pem) {
    BIO *text = BIO_new_mem_buf(key_pem, -1);
    AUTO(auto_key) EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);
    BIO_free(text);
    return pem_of_key(key, "secret");
}

/* Early connections wait in the listen queue until there is a key pair. */
static void test_http_key_pair__accepts_no_connection_before_the_first_pair(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identity;
    struct http_client early;
    struct error error;
    http_identity_init(&identity);
    http_site_start_tls(&site);
    http_client_open(&early, site.port);
    assert_false(http_client_sees_end(&early, 300));
    assert_int_equal(http_site_count(&site).accepted, 0);
    assert_false(http_set_key_pair(site.server, "", "", &error));
    assert_int_equal(http_site_count(&site).accepted, 0);
    http_identity_serve(&identity, &site);
    HTTP_SITE_WAIT(&site, accepted, 1);
    http_client_close(&early);
    assert_true(http_identity_is_served(&identity, &site));
    http_site_stop(&site);
    http_identity_fini(&identity);
}

static void test_http_key_pair__asks_for_the_pair_when_the_handshake_begins(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity before;
    struct http_identity identity;
    struct http_client client;
    http_identity_init(&before);
    http_identity_init(&identity);
    http_site_start_tls(&site);
    http_identity_serve(&before, &site);
    http_client_open(&client, site.port);
    HTTP_SITE_WAIT(&site, connections, 1);
    http_identity_serve(&identity, &site);
    client.ssl = SSL_new(identity.client);
    assert_int_equal(SSL_set_fd(client.ssl, client.fd), 1);
    assert_int_equal(SSL_connect(client.ssl), 1);
    http_client_close(&client);
    http_site_stop(&site);
    http_identity_fini(&identity);
    http_identity_fini(&before);
}

static void test_http_key_pair__refuses_a_bad_pair_and_keeps_the_last(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identity;
    struct http_identity other;
    http_identity_init(&identity);
    http_identity_init(&other);
    http_site_start_tls(&site);
    http_identity_serve(&identity, &site);
    const char *chain = identity.leaf.certificate_pem;
    const char *key = identity.leaf.key_pem;
    char *locked = lock_key(key);
    const struct {
        const char *name;
        const char *chain;
        const char *key;
        const char *error; /* the error begins with it */
    } rows[] = {
        {"the key of another", chain, other.leaf.key_pem, NOT_ITS_KEY},
        {"the key of the CA", chain, identity.ca.key_pem, NOT_ITS_KEY},
        {"the CA for the leaf", identity.ca.certificate_pem, key, NOT_ITS_KEY},
        {"no certificate", "", key, NO_CERTIFICATE},
        {"no key", chain, "", NO_KEY},
        {"a key for a certificate", key, key, NO_CERTIFICATE},
        {"a certificate for a key", chain, chain, NO_KEY},
        {"not PEM", "hello", "hello", NO_CERTIFICATE},
        {"broken PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key,
         "the certificate cannot be read: "},
        {"a password", chain, locked, "the key cannot be read: it is protected by a password"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error error;
        if (http_set_key_pair(site.server, rows[i].chain, rows[i].key, &error)) {
            fail_msg("%s was taken", rows[i].name);
        }
        assert_int_equal(error.kind, ERROR_INVALID);
        if (strncmp(error.text, rows[i].error, strlen(rows[i].error)) != 0) {
            fail_msg("%s: %s", rows[i].name, error.text);
        }
        assert_true(http_identity_is_served(&identity, &site));
    }
    free(locked);
    http_site_stop(&site);
    http_identity_fini(&other);
    http_identity_fini(&identity);
}

/* Makes a chain of `n` certificates, leaf first. Free with free(). */
static char *make_chain(const struct http_identity *identity, size_t n) {
    struct buffer chain;
    buffer_init(&chain, SIZE_MAX);
    buffer_add_text(&chain, identity->leaf.certificate_pem);
    for (size_t i = 1; i < n; i++) {
        buffer_add_text(&chain, identity->ca.certificate_pem);
    }
    buffer_text(&chain);
    return chain.bytes;
}

static void test_http_key_pair__reads_when_the_first_certificate_holds(void **state) {
    (void)state;
    enum { FROM = 1800000000, DAYS = 90 * 86400 };
    static const char *const refused[] = {"", "hello"};
    const char *name = "localhost";
    struct x509_pair ca;
    struct x509_pair leaf;
    struct http_tls_validity validity;
    struct error error;
    assert_true(x509_make_ca("ca", FROM, 2 * DAYS, &ca, &error));
    assert_true(x509_make_leaf(&ca, &name, 1, FROM, DAYS, &leaf, &error));
    const struct http_identity identity = {.ca = ca, .leaf = leaf};
    char *chain = make_chain(&identity, 2);
    assert_true(http_tls_read_validity(chain, &validity, &error));
    assert_int_equal(validity.not_before, FROM - 3600);
    assert_int_equal(validity.not_after, FROM + DAYS);
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_false(http_tls_read_validity(refused[i], &validity, &error));
        assert_string_equal(error.text, NO_CERTIFICATE);
    }
    free(chain);
    x509_pair_fini(&leaf);
    x509_pair_fini(&ca);
}

static void test_http_key_pair__serves_the_whole_chain_up_to_a_limit(void **state) {
    (void)state;
    enum { CHAIN_MAX = 16 };
    struct http_site site;
    struct http_identity identity;
    struct http_client client;
    struct error error;
    http_identity_init(&identity);
    http_site_start_tls(&site);
    char *longest = make_chain(&identity, CHAIN_MAX);
    char *too_long = make_chain(&identity, CHAIN_MAX + 1);
    assert_true(http_set_key_pair(site.server, longest, identity.leaf.key_pem, &error));
    assert_false(http_set_key_pair(site.server, too_long, identity.leaf.key_pem, &error));
    free(too_long);
    free(longest);
    assert_true(http_client_open_tls(&client, site.port, identity.client));
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(client.ssl)), CHAIN_MAX);
    http_client_close(&client);
    http_site_stop(&site);
    http_identity_fini(&identity);
}

static void test_http_key_pair__takes_no_pair_without_tls(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identity;
    struct error error;
    http_identity_init(&identity);
    http_site_init(&site);
    http_site_start(&site);
    assert_false(http_set_key_pair(site.server, identity.leaf.certificate_pem,
                                   identity.leaf.key_pem, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    http_site_stop(&site);
    http_identity_fini(&identity);
}

struct load {
    const struct http_site *site;
    const struct http_identity *identity; /* either of the two is fine */
    const struct http_identity *other;
    atomic_bool is_over;
    atomic_uint n_failed;
    atomic_uint n_served;
};

/* Makes handshakes without a pause. Each must succeed with one of the two certificates. */
static void *run_load(void *context) {
    struct load *load = context;
    SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    X509_STORE *trusted = SSL_CTX_get_cert_store(client_context);
    const struct http_identity *identities[] = {load->identity, load->other};
    for (size_t i = 0; i < COUNT_OF(identities); i++) {
        /* Each thread needs its own certificates: OpenSSL caches results in them. */
        X509 *ca = http_read_certificate(identities[i]->ca.certificate_pem);
        X509_STORE_add_cert(trusted, ca);
        X509_free(ca);
    }
    SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
    while (!atomic_load(&load->is_over)) {
        struct http_client client;
        struct http_answer answer;
        bool is_served = http_client_open_tls(&client, load->site->port, client_context) &&
                         http_client_send_text(&client, HTTP_GET_HEALTHZ) &&
                         http_client_read(&client, &answer) && answer.status == 200;
        atomic_fetch_add(is_served ? &load->n_served : &load->n_failed, 1);
        http_client_close(&client);
    }
    SSL_CTX_free(client_context);
    return NULL;
}

static void test_http_key_pair__swaps_pairs_under_load(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identities[2];
    struct http_client old;
    struct http_answer answer;
    pthread_t thread;
    http_identity_init(&identities[0]);
    http_identity_init(&identities[1]);
    http_site_start_tls(&site);
    http_identity_serve(&identities[0], &site);
    assert_true(http_client_open_tls(&old, site.port, identities[0].client));
    struct load load = {.site = &site, .identity = &identities[0], .other = &identities[1]};
    assert_int_equal(pthread_create(&thread, NULL, run_load, &load), 0);
    for (unsigned i = 1; i <= 100; i++) {
        http_identity_serve(&identities[i % 2], &site);
        if (i % 10 == 0) {
            assert_false(http_identity_is_served(&identities[1], &site));
        }
        assert_true(http_identity_is_served(&identities[i % 2], &site));
    }
    atomic_store(&load.is_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&load.n_failed), 0);
    assert_true(atomic_load(&load.n_served) > 0);
    /* A connection outlives its key pair. */
    http_client_ask(&old, HTTP_GET_HEALTHZ, &answer);
    assert_int_equal(answer.status, 200);
    http_client_close(&old);
    http_site_stop(&site);
    http_identity_fini(&identities[0]);
    http_identity_fini(&identities[1]);
}

static void test_http_key_pair__refuses_a_certificate_that_may_not_sign(void **state) {
    (void)state;
    static const struct {
        const char *usage;
        bool is_taken;
    } rows[] = {{NULL, true},
                {"digitalSignature", true},
                {"digitalSignature,keyEncipherment", true},
                {"keyEncipherment", false},
                {"keyAgreement", false}};
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_RSA_gen(2048)};
    struct http_site site;
    http_site_start_tls(&site);
    for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(keys); i++) {
        const struct profile profile = {.common_name = "x",
                                        .usage = rows[i / COUNT_OF(keys)].usage,
                                        .begins = NOW,
                                        .ends = NOW + DAY};
        AUTO(x509_pair_fini)
        struct x509_pair pair = make_of_key(&profile, NULL, keys[i % COUNT_OF(keys)]);
        struct error error = {.text = ""};
        bool is_taken = http_set_key_pair(site.server, pair.certificate_pem, pair.key_pem, &error);
        if (is_taken != rows[i / COUNT_OF(keys)].is_taken) {
            fail_msg("%s: %s", profile.usage, is_taken ? "taken" : error.text);
        }
    }
    http_site_stop(&site);
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_key_pair__accepts_no_connection_before_the_first_pair),
        cmocka_unit_test(test_http_key_pair__asks_for_the_pair_when_the_handshake_begins),
        cmocka_unit_test(test_http_key_pair__refuses_a_bad_pair_and_keeps_the_last),
        cmocka_unit_test(test_http_key_pair__refuses_a_certificate_that_may_not_sign),
        cmocka_unit_test(test_http_key_pair__reads_when_the_first_certificate_holds),
        cmocka_unit_test(test_http_key_pair__serves_the_whole_chain_up_to_a_limit),
        cmocka_unit_test(test_http_key_pair__takes_no_pair_without_tls),
        cmocka_unit_test(test_http_key_pair__swaps_pairs_under_load),
    };
    return cmocka_run_group_tests_name("edge/http_key_pair", tests, NULL, NULL);
}
