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

static void test_http_tls__keeps_a_connection_for_many_requests(void **state) {
    (void)state;
    struct http_site site;
    struct http_identity identity;
    struct http_client client;
    struct http_answer answer;
    http_identity_init(&identity);
    http_site_start_tls(&site);
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
        const char *ciphers; /* for TLS up to 1.2 */
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
    http_site_start_tls(&site);
    http_identity_serve(&identity, &site);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        set_versions(identity.client, rows[i].version);
        const char *ciphers = rows[i].ciphers != NULL ? rows[i].ciphers : "DEFAULT";
        assert_int_equal(SSL_CTX_set_cipher_list(identity.client, ciphers), 1);
        if (http_identity_is_served(&identity, &site) != rows[i].is_served) {
            fail_msg("%s", rows[i].name);
        }
    }
    http_site_stop(&site);
    http_identity_fini(&identity);
}

static void test_http_tls__agrees_on_http_1_1_or_on_nothing(void **state) {
    (void)state;
    static const struct {
        const char *offered; /* each with its length before it */
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
    http_site_start_tls(&site);
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

static void test_http_tls__counts_bytes_that_are_no_handshake(void **state) {
    (void)state;
    enum { N_GARBAGE = 20 };
    struct http_site site;
    struct http_identity identity;
    struct http_client client;
    unsigned seed = 1;
    http_identity_init(&identity);
    http_site_start_tls(&site);
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
    assert_true(http_identity_is_served(&identity, &site));
    HTTP_SITE_WAIT(&site, connections, 0);
    assert_int_equal(http_site_count(&site).without_request, N_GARBAGE + 1);
    http_site_stop(&site);
    http_identity_fini(&identity);
}

/* Makes the bytes that begin a client's handshake. Returns their number. */
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
    /* The server answers the whole message now. After that it must be idle. */
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
       block the signal themselves. */
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_tls__keeps_a_connection_for_many_requests),
        cmocka_unit_test(test_http_tls__speaks_new_versions_and_strong_ciphers_only),
        cmocka_unit_test(test_http_tls__agrees_on_http_1_1_or_on_nothing),
        cmocka_unit_test(test_http_tls__counts_bytes_that_are_no_handshake),
        cmocka_unit_test(test_http_tls__ends_handshakes_that_stall_and_sleeps_meanwhile),
        cmocka_unit_test(test_http_tls__does_not_let_a_dripping_handshake_live_longer),
    };
    return cmocka_run_group_tests_name("edge/http_tls", tests, NULL, NULL);
}
