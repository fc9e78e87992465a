// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_client.h"

static void start_tls(struct http_site *site) {
    http_site_init(site);
    site->options.is_tls = true;
    http_site_start(site);
}

/* True if a new connection is answered; the certificate must come from the identity's CA. */
static bool is_served(const struct http_site *site, const struct http_identity *identity) {
    struct http_client client;
    struct http_answer answer;
    bool is_open = http_client_open_tls(&client, site->port, identity->client);
    if (is_open) {
        http_client_ask(&client, HTTP_GET_HEALTHZ, &answer);
        assert_int_equal(answer.status, 200);
    }
    http_client_close(&client);
    return is_open;
}

static void test_http_tls__keeps_a_connection_for_many_requests(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identity;
    struct http_client client;
    struct http_answer answer;
    http_identity_init(&identity);
    start_tls(&site);
    http_identity_serve(&identity, &site);
    assert_true(http_client_open_tls(&client, site.port, identity.client));
    for (int i = 0; i < 5; i++) {
        http_client_ask(&client, HTTP_POST_ECHO "Content-Length: 3\r\n\r\nabc", &answer);
        assert_string_equal(answer.body, "3 bytes, first a, last c");
    }
    /* Bodies of more than one TLS record. */
    struct buffer request;
    buffer_init(&request, SIZE_MAX);
    buffer_add_text(&request, HTTP_POST_ECHO "Content-Length: 100000\r\n\r\n");
    for (int i = 0; i < 100000; i++) {
        buffer_add_byte(&request, 'x');
    }
    assert_true(http_client_send(&client, request.bytes, request.size));
    assert_true(http_client_read(&client, &answer));
    assert_string_equal(answer.body, "100000 bytes, first x, last x");
    buffer_fini(&request);
    assert_int_equal(http_site_count(&site).accepted, 1);
    http_client_close(&client);
    http_site_stop(&site);
    http_identity_fini(&identity);
}

static void set_versions(SSL_CTX *context, int version) {
    assert_int_equal(SSL_CTX_set_min_proto_version(context, version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(context, version), 1);
}

static void test_http_tls__speaks_new_versions_and_strong_ciphers_only(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int version;
        const char *ciphers; /* of TLS up to 1.2 */
        bool is_served;
    } rows[] = {
        {"1.3", TLS1_3_VERSION, NULL, true},
        {"1.2", TLS1_2_VERSION, NULL, true},
        {"1.2, AES-128", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", true},
        {"1.2, ChaCha20", TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", true},
        {"1.2, CBC", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA", false},
        {"1.1", TLS1_1_VERSION, "ALL:@SECLEVEL=0", false},
        {"1.0", TLS1_VERSION, "ALL:@SECLEVEL=0", false},
    };
    struct http_site site;
    struct http_identity identity;
    http_identity_init(&identity);
    start_tls(&site);
    http_identity_serve(&identity, &site);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        set_versions(identity.client, rows[i].version);
        const char *ciphers = rows[i].ciphers != NULL ? rows[i].ciphers : "DEFAULT";
        assert_int_equal(SSL_CTX_set_cipher_list(identity.client, ciphers), 1);
        if (is_served(&site, &identity) != rows[i].is_served) {
            fail_msg("%s", rows[i].name);
        }
    }
    http_site_stop(&site);
    http_identity_fini(&identity);
}

static void test_http_tls__agrees_on_http_1_1_or_on_nothing(void **state) {
    (void)state;
    static const struct {
        const char *offered; /* each behind its length */
        bool is_served;
        const char *agreed;
    } rows[] = {
        {"\x08http/1.1", true, "http/1.1"},
        {"\x02h2\x08http/1.1", true, "http/1.1"},
        {"\x02h2", false, ""},
        {"", true, ""},
    };
    struct http_site site;
    struct http_identity identity;
    http_identity_init(&identity);
    start_tls(&site);
    http_identity_serve(&identity, &site);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_client client;
        const unsigned char *agreed = NULL;
        unsigned size = 0;
        SSL_CTX_set_alpn_protos(identity.client, (const unsigned char *)rows[i].offered,
                                (unsigned)strlen(rows[i].offered));
        bool is_open = http_client_open_tls(&client, site.port, identity.client);
        SSL_get0_alpn_selected(client.ssl, &agreed, &size);
        if (is_open != rows[i].is_served || size != strlen(rows[i].agreed) ||
            memcmp(rows[i].agreed, agreed != NULL ? (const char *)agreed : "", size) != 0) {
            fail_msg("%s", rows[i].offered);
        }
        http_client_close(&client);
    }
    http_site_stop(&site);
    http_identity_fini(&identity);
}

/* Who comes early waits in the listen queue, and is served when there is something to show. */
static void test_http_tls__takes_nobody_in_before_the_first_pair(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identity;
    struct http_client early;
    struct error error;
    http_identity_init(&identity);
    start_tls(&site);
    http_client_open(&early, site.port);
    assert_false(http_client_sees_end(&early, 300));
    assert_int_equal(http_site_count(&site).accepted, 0);
    assert_false(http_set_key_pair(site.server, "", "", &error));
    assert_int_equal(http_site_count(&site).accepted, 0);
    http_identity_serve(&identity, &site);
    HTTP_SITE_WAIT(&site, accepted, 1);
    http_client_close(&early);
    assert_true(is_served(&site, &identity));
    http_site_stop(&site);
    http_identity_fini(&identity);
}

static void test_http_tls__asks_for_the_pair_when_the_handshake_begins(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity before;
    struct http_identity identity;
    struct http_client client;
    http_identity_init(&before);
    http_identity_init(&identity);
    start_tls(&site);
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

static void test_http_tls__refuses_a_bad_pair_and_keeps_the_last(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identity;
    struct http_identity other;
    http_identity_init(&identity);
    http_identity_init(&other);
    start_tls(&site);
    http_identity_serve(&identity, &site);
    const char *chain = identity.leaf.certificate_pem;
    const char *key = identity.leaf.key_pem;
    const struct {
        const char *name;
        const char *chain;
        const char *key;
    } rows[] = {
        {"the key of another", chain, other.leaf.key_pem},
        {"the key of the CA", chain, identity.ca.key_pem},
        {"no certificate", "", key},
        {"no key", chain, ""},
        {"a key for a certificate", key, key},
        {"a certificate for a key", chain, chain},
        {"not PEM", "hello", "hello"},
        {"broken PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error error;
        if (http_set_key_pair(site.server, rows[i].chain, rows[i].key, &error)) {
            fail_msg("%s was taken", rows[i].name);
        }
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_true(is_served(&site, &identity));
    }
    http_site_stop(&site);
    http_identity_fini(&other);
    http_identity_fini(&identity);
}

/* A chain of `n` certificates, the leaf first. To be freed. */
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

static void test_http_tls__serves_the_whole_chain_up_to_a_limit(void **state) {
    (void)state;
    enum { CHAIN_MAX = 16 };
    struct http_site site;
    struct http_identity identity;
    struct http_client client;
    struct error error;
    http_identity_init(&identity);
    start_tls(&site);
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

static void test_http_tls__takes_no_pair_without_tls(void **state) {
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
    const struct http_identity *identity; /* either of two is fine */
    const struct http_identity *other;
    atomic_bool is_over;
    atomic_uint n_failed;
    atomic_uint n_served;
};

/* Handshakes without a break. Each must succeed with one of the two certificates. */
static void *run_load(void *context) {
    struct load *load = context;
    SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    X509_STORE *trusted = SSL_CTX_get_cert_store(client_context);
    const struct http_identity *identities[] = {load->identity, load->other};
    for (size_t i = 0; i < COUNT_OF(identities); i++) {
        /* Certificates of its own: OpenSSL notes down in them what it found out. */
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

static void test_http_tls__swaps_pairs_under_load(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identities[2];
    struct http_client old;
    struct http_answer answer;
    pthread_t thread;
    http_identity_init(&identities[0]);
    http_identity_init(&identities[1]);
    start_tls(&site);
    http_identity_serve(&identities[0], &site);
    assert_true(http_client_open_tls(&old, site.port, identities[0].client));
    struct load load = {.site = &site, .identity = &identities[0], .other = &identities[1]};
    assert_int_equal(pthread_create(&thread, NULL, run_load, &load), 0);
    for (unsigned i = 1; i <= 100; i++) {
        http_identity_serve(&identities[i % 2], &site);
        if (i % 10 == 0) {
            assert_false(is_served(&site, &identities[1]));
        }
        assert_true(is_served(&site, &identities[i % 2]));
    }
    atomic_store(&load.is_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&load.n_failed), 0);
    assert_true(atomic_load(&load.n_served) > 0);
    /* A connection outlives the pair that it began with. */
    http_client_ask(&old, HTTP_GET_HEALTHZ, &answer);
    assert_int_equal(answer.status, 200);
    http_client_close(&old);
    http_site_stop(&site);
    http_identity_fini(&identities[0]);
    http_identity_fini(&identities[1]);
}

static void test_http_tls__counts_what_is_no_handshake(void **state) {
    (void)state;
    enum { N_GARBAGE = 20 };
    struct http_site site;
    struct http_identity identity;
    struct http_client client;
    unsigned seed = 1;
    http_identity_init(&identity);
    start_tls(&site);
    http_identity_serve(&identity, &site);
    http_client_open(&client, site.port);
    assert_true(http_client_send_text(&client, HTTP_GET_HEALTHZ));
    assert_true(http_client_sees_end(&client, 2000));
    http_client_close(&client);
    for (int i = 0; i < N_GARBAGE; i++) {
        char garbage[300];
        for (size_t b = 0; b < sizeof garbage; b++) {
            seed = seed * 1103515245 + 12345;
            garbage[b] = (char)(seed >> 16);
        }
        http_client_open(&client, site.port);
        http_client_send(&client, garbage, sizeof garbage);
        http_client_close(&client);
    }
    HTTP_SITE_WAIT(&site, without_request, N_GARBAGE + 1);
    HTTP_SITE_WAIT(&site, connections, 0);
    assert_true(is_served(&site, &identity));
    HTTP_SITE_WAIT(&site, connections, 0);
    assert_int_equal(http_site_count(&site).without_request, N_GARBAGE + 1);
    http_site_stop(&site);
    http_identity_fini(&identity);
}

/* The bytes that a client would begin its handshake with. Returns how many. */
static size_t make_client_hello(const struct http_identity *identity, char *out, size_t capacity) {
    SSL *ssl = SSL_new(identity->client);
    BIO *sent = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), sent);
    SSL_connect(ssl);
    int size = BIO_read(sent, out, (int)capacity);
    SSL_free(ssl);
    assert_true(size > 100 && (size_t)size < capacity);
    return (size_t)size;
}

static void test_http_tls__ends_handshakes_that_stall_and_sleeps_meanwhile(void **state) {
    (void)state;
    enum { N = 5, HEAD_MS = 2000 };
    struct http_site site;
    struct http_identity identity;
    struct http_client clients[N];
    char hello[4096];
    http_identity_init(&identity);
    size_t size = make_client_hello(&identity, hello, sizeof hello);
    http_site_init(&site);
    site.options.is_tls = true;
    site.options.head_timeout_ms = HEAD_MS;
    http_site_start(&site);
    http_identity_serve(&identity, &site);
    /* Nothing, one byte, half, nearly all, and all of the first message. */
    const size_t sizes[N] = {0, 1, size / 2, size - 1, size};
    for (size_t i = 0; i < N; i++) {
        http_client_open(&clients[i], site.port);
        assert_true(http_client_send(&clients[i], hello, sizes[i]));
    }
    HTTP_SITE_WAIT(&site, connections, N);
    /* The answer to the whole message is made now; then there is nothing to do. */
    assert_false(http_client_sees_end(&clients[0], 100));
    http_assert_asleep(500);
    HTTP_SITE_WAIT(&site, connections, 0);
    assert_int_equal(http_site_count(&site).timeouts, N);
    assert_int_equal(http_site_count(&site).without_request, N);
    for (size_t i = 0; i < N; i++) {
        http_client_close(&clients[i]);
    }
    http_site_stop(&site);
    http_identity_fini(&identity);
}

static void test_http_tls__does_not_let_a_dripping_handshake_live_longer(void **state) {
    (void)state;
    enum { HEAD_MS = 300 };
    struct http_site site;
    struct http_identity identity;
    struct http_client client;
    char hello[4096];
    http_identity_init(&identity);
    size_t size = make_client_hello(&identity, hello, sizeof hello);
    http_site_init(&site);
    site.options.is_tls = true;
    site.options.head_timeout_ms = HEAD_MS;
    http_site_start(&site);
    http_identity_serve(&identity, &site);
    http_client_open(&client, site.port);
    int64_t before_ms = http_now_ms();
    for (size_t i = 0; i < size && !http_client_sees_end(&client, 20); i++) {
        http_client_send(&client, &hello[i], 1);
    }
    int64_t took_ms = http_now_ms() - before_ms;
    assert_true(took_ms > HEAD_MS - 20 && took_ms < HEAD_MS + 1500);
    http_client_close(&client);
    http_site_stop(&site);
    http_identity_fini(&identity);
}

int main(void) {
    /* OpenSSL, in the clients of these tests, writes without MSG_NOSIGNAL. The server's threads
       are on their own. */
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_tls__keeps_a_connection_for_many_requests),
        cmocka_unit_test(test_http_tls__speaks_new_versions_and_strong_ciphers_only),
        cmocka_unit_test(test_http_tls__agrees_on_http_1_1_or_on_nothing),
        cmocka_unit_test(test_http_tls__takes_nobody_in_before_the_first_pair),
        cmocka_unit_test(test_http_tls__asks_for_the_pair_when_the_handshake_begins),
        cmocka_unit_test(test_http_tls__refuses_a_bad_pair_and_keeps_the_last),
        cmocka_unit_test(test_http_tls__serves_the_whole_chain_up_to_a_limit),
        cmocka_unit_test(test_http_tls__takes_no_pair_without_tls),
        cmocka_unit_test(test_http_tls__swaps_pairs_under_load),
        cmocka_unit_test(test_http_tls__counts_what_is_no_handshake),
        cmocka_unit_test(test_http_tls__ends_handshakes_that_stall_and_sleeps_meanwhile),
        cmocka_unit_test(test_http_tls__does_not_let_a_dripping_handshake_live_longer),
    };
    return cmocka_run_group_tests_name("edge/http_tls", tests, NULL, NULL);
}
