// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/memory.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "kube_site.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define OK_CLOSE "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"

enum { DAY_S = 86400 };

/* Two CAs, and a pair from each. */
struct world {
    struct x509_pair ca;
    struct x509_pair other_ca;
    struct x509_pair leaf; /* for 127.0.0.1 and api.example.org */
    struct x509_pair other_leaf;
    char folder[32];
};

static struct x509_pair make_ca(const char *name) {
    struct x509_pair ca = {0};
    struct error error;
    assert_true(x509_make_ca(name, clock_wall_seconds(), DAY_S, &ca, &error));
    return ca;
}

static struct x509_pair make_leaf(const struct x509_pair *ca) {
    static const char *const names[] = {"127.0.0.1", "api.example.org"};
    struct x509_pair leaf = {0};
    struct error error;
    assert_true(
        x509_make_leaf(ca, names, COUNT_OF(names), clock_wall_seconds(), DAY_S, &leaf, &error));
    return leaf;
}

static int make_world(void **state) {
    struct world *world = memory_new(1, sizeof(*world));
    signal(SIGPIPE, SIG_IGN); /* the server's SSL_write() has no MSG_NOSIGNAL */
    world->ca = make_ca("one");
    world->other_ca = make_ca("other");
    world->leaf = make_leaf(&world->ca);
    world->other_leaf = make_leaf(&world->other_ca);
    strcpy(world->folder, "/tmp/test-kube-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    *state = world;
    return 0;
}

static int end_world(void **state) {
    struct world *world = *state;
    x509_pair_fini(&world->ca);
    x509_pair_fini(&world->other_ca);
    x509_pair_fini(&world->leaf);
    x509_pair_fini(&world->other_leaf);
    rmdir(world->folder);
    free(world);
    return 0;
}

static char *write_file(const struct world *world, const char *name, const char *content) {
    char path[64];
    struct error error;
    snprintf(path, sizeof(path), "%s/%s", world->folder, name);
    assert_true(file_write(path, content, strlen(content), 0600, &error));
    return memory_copy(path, strlen(path));
}

static void require_client_of(SSL_CTX *context, const struct x509_pair *ca) {
    X509 *certificate = kube_site_certificate(ca->certificate_pem);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate), 1);
    X509_free(certificate);
    /* The pairs are for servers, but here they also serve clients. */
    SSL_CTX_set_purpose(context, X509_PURPOSE_ANY);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

/* Asks once with the access and fills in its server. Returns the record. */
static struct kube_heard ask_with(SSL_CTX *context, struct kube_access access) {
    struct kube_site site;
    struct kube_heard heard;
    kube_site_init(&site, &(struct script_options){.tls = context});
    access.server = site.url;
    site.access = access;
    kube_site_start(&site);
    script_server_answer(site.server, NULL, 0, OK_EMPTY);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    kube_site_stop(&site);
    return heard;
}

static void test_kube_tls__trusts_the_ca_it_is_given(void **state) {
    struct world *world = *state;
    static char right_name[] = "api.example.org";
    static char wrong_name[] = "api.example.com";
    AUTO_FREE char *ca_file = write_file(world, "ca", world->ca.certificate_pem);
    AUTO_FREE char *other_file = write_file(world, "other", world->other_ca.certificate_pem);
    char *ca_pem = world->ca.certificate_pem;
    char *other_pem = world->other_ca.certificate_pem;
    const struct {
        const char *name;
        struct kube_access access;
        bool is_good;
    } rows[] = {
        {"the CA in a file", {.ca_file = ca_file}, true},
        {"the CA in text", {.ca_pem = ca_pem}, true},
        {"another CA in a file", {.ca_file = other_file}, false},
        {"another CA in text", {.ca_pem = other_pem}, false},
        {"the CAs of the system", {0}, false},
        {"nothing is checked", {.is_insecure = true}, true},
        {"nothing is checked, not the name either",
         {.is_insecure = true, .tls_server_name = wrong_name},
         true},
        {"another name, of the certificate",
         {.ca_pem = ca_pem, .tls_server_name = right_name},
         true},
        {"another name", {.ca_pem = ca_pem, .tls_server_name = wrong_name}, false},
        {"the name, another CA", {.ca_pem = other_pem, .tls_server_name = right_name}, false},
    };
    SSL_CTX *context = kube_site_tls(&world->leaf);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_heard heard = ask_with(context, rows[i].access);
        if (heard.is_good != rows[i].is_good) {
            fail_msg("%s: '%s'", rows[i].name, heard.is_good ? "good" : heard.error.text);
        }
        if (!heard.is_good) {
            assert_int_equal(heard.status, 0);
            assert_int_equal(heard.error.kind, ERROR_UNAVAILABLE);
            assert_non_null(strstr(heard.error.text, "GET /a: no answer: SSL"));
        }
        kube_heard_fini(&heard);
    }
    SSL_CTX_free(context);
    unlink(ca_file);
    unlink(other_file);
}

static int note_name(SSL *ssl, int *alert, void *context) {
    (void)alert;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(context, 64, "%s", name == NULL ? "none" : name);
    return SSL_TLSEXT_ERR_OK;
}

static void test_kube_tls__asks_for_the_name_and_goes_to_the_server(void **state) {
    struct world *world = *state;
    static char name[] = "api.example.org";
    struct kube_site site;
    struct kube_heard heard;
    char noted[64] = "nothing";
    char expected[256];
    SSL_CTX *context = kube_site_tls(&world->leaf);
    SSL_CTX_set_tlsext_servername_callback(context, note_name);
    SSL_CTX_set_tlsext_servername_arg(context, noted);
    kube_site_init(&site, &(struct script_options){.tls = context});
    site.access.ca_pem = world->ca.certificate_pem;
    site.access.tls_server_name = name;
    kube_site_start(&site);
    script_server_answer(site.server, "/a", 0, OK_EMPTY);
    for (int i = 0; i < 2; i++) {
        kube_site_ask(&site, KUBE_GET, "/a", &heard);
        assert_true(heard.is_good);
        kube_heard_fini(&heard);
    }
    assert_string_equal(noted, "api.example.org");
    snprintf(expected, sizeof(expected), "\r\nHost: %s\r\n", site.url + strlen("https://"));
    assert_non_null(strstr(script_server_request(site.server, 0), expected));
    assert_int_equal(script_server_n_connections(site.server), 1);
    kube_site_stop(&site);
    SSL_CTX_free(context);
}

static void test_kube_tls__speaks_1_2_and_newer(void **state) {
    struct world *world = *state;
    static const struct {
        int version;
        bool is_good;
    } rows[] = {{TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        SSL_CTX *context = kube_site_tls(&world->leaf);
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
        SSL_CTX_set_min_proto_version(context, rows[i].version);
        SSL_CTX_set_max_proto_version(context, rows[i].version);
        struct kube_heard heard =
            ask_with(context, (struct kube_access){.ca_pem = world->ca.certificate_pem});
        if (heard.is_good != rows[i].is_good) {
            fail_msg("%x: '%s'", (unsigned)rows[i].version,
                     heard.is_good ? "good" : heard.error.text);
        }
        kube_heard_fini(&heard);
        SSL_CTX_free(context);
    }
}

static void test_kube_tls__shows_its_certificate(void **state) {
    struct world *world = *state;
    AUTO_FREE char *certificate = write_file(world, "crt", world->leaf.certificate_pem);
    AUTO_FREE char *key = write_file(world, "key", world->leaf.key_pem);
    char *ca = world->ca.certificate_pem;
    const struct {
        const char *name;
        struct kube_access access;
        bool is_good;
    } rows[] = {
        {"in files", {.ca_pem = ca, .certificate_file = certificate, .key_file = key}, true},
        {"in text",
         {.ca_pem = ca,
          .certificate_pem = world->leaf.certificate_pem,
          .key_pem = world->leaf.key_pem},
         true},
        {"of another CA",
         {.ca_pem = ca,
          .certificate_pem = world->other_leaf.certificate_pem,
          .key_pem = world->other_leaf.key_pem},
         false},
        {"none", {.ca_pem = ca}, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        SSL_CTX *context = kube_site_tls(&world->leaf);
        require_client_of(context, &world->ca);
        struct kube_heard heard = ask_with(context, rows[i].access);
        if (heard.is_good != rows[i].is_good) {
            fail_msg("%s: '%s'", rows[i].name, heard.is_good ? "good" : heard.error.text);
        }
        if (!heard.is_good) {
            assert_int_equal(heard.error.kind, ERROR_UNAVAILABLE);
        }
        kube_heard_fini(&heard);
        SSL_CTX_free(context);
    }
    unlink(certificate);
    unlink(key);
}

static void test_kube_tls__trusts_the_current_ca_file(void **state) {
    struct world *world = *state;
    struct kube_site site;
    struct kube_heard heard;
    SSL_CTX *context = kube_site_tls(&world->leaf);
    AUTO_FREE char *ca_file = write_file(world, "ca", world->other_ca.certificate_pem);
    kube_site_init(&site, &(struct script_options){.tls = context});
    site.access.ca_file = ca_file;
    kube_site_start(&site);
    script_server_answer(site.server, "/a", 0, OK_EMPTY);
    script_server_answer(site.server, "/close", 0, OK_CLOSE);

    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_false(heard.is_good);
    kube_heard_fini(&heard);
    free(write_file(world, "ca", world->ca.certificate_pem));
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_true(heard.is_good);
    kube_heard_fini(&heard);
    size_t n_connections = script_server_n_connections(site.server);

    /* Open connections stay open. The next handshake is refused, since it has no session to
       resume. */
    free(write_file(world, "ca", world->other_ca.certificate_pem));
    kube_site_ask(&site, KUBE_GET, "/close", &heard);
    assert_true(heard.is_good);
    kube_heard_fini(&heard);
    assert_int_equal(script_server_n_connections(site.server), n_connections);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_false(heard.is_good);
    kube_heard_fini(&heard);

    /* A file that is missing for a moment does no lasting harm. */
    unlink(ca_file);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_int_equal(heard.error.kind, ERROR_UNAVAILABLE);
    kube_heard_fini(&heard);
    free(write_file(world, "ca", world->ca.certificate_pem));
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_true(heard.is_good);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
    unlink(ca_file);
    SSL_CTX_free(context);
}

static void ask(struct kube_site *site, const char *path, size_t n_connections) {
    struct kube_heard heard;
    kube_site_ask(site, KUBE_GET, path, &heard);
    if (!heard.is_good) {
        fail_msg("%s: %s", path, heard.error.text);
    }
    kube_heard_fini(&heard);
    assert_int_equal(script_server_n_connections(site->server), n_connections);
}

/* kube-apiserver checks the certificate of a connection with each request. So once it has expired,
   the connection is useless. */
static void test_kube_tls__shows_a_replaced_certificate_over_a_new_connection(void **state) {
    struct world *world = *state;
    struct x509_pair next = make_leaf(&world->ca);
    struct kube_site site;
    SSL_CTX *context = kube_site_tls(&world->leaf);
    require_client_of(context, &world->ca);
    AUTO_FREE char *certificate = write_file(world, "crt", world->leaf.certificate_pem);
    AUTO_FREE char *key = write_file(world, "key", world->leaf.key_pem);
    kube_site_init(&site, &(struct script_options){.tls = context});
    site.access.ca_pem = world->ca.certificate_pem;
    site.access.certificate_file = certificate;
    site.access.key_file = key;
    kube_site_start(&site);
    script_server_answer(site.server, "/a", 0, OK_EMPTY);
    script_server_answer(site.server, "/close", 0, OK_CLOSE);
    ask(&site, "/a", 1);
    ask(&site, "/a", 1);
    /* Without its key it is useless. */
    free(write_file(world, "crt", next.certificate_pem));
    ask(&site, "/a", 1);
    free(write_file(world, "key", next.key_pem));
    ask(&site, "/a", 2);
    ask(&site, "/a", 2);
    /* The first connection is still open but stays unused. */
    ask(&site, "/close", 2);
    ask(&site, "/a", 3);
    kube_site_stop(&site);
    unlink(certificate);
    unlink(key);
    SSL_CTX_free(context);
    x509_pair_fini(&next);
}

static void test_kube_tls__receives_a_watch(void **state) {
    struct world *world = *state;
    static const struct script_step steps[] = {
        {SCRIPT_DRIP,
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na\nb\n\r\n3\r\nc\nd\r\n", 0, 0},
        {SCRIPT_CLOSE, NULL, 0, 0},
    };
    struct kube_site site;
    struct kube_heard heard;
    SSL_CTX *context = kube_site_tls(&world->leaf);
    kube_site_init(&site, &(struct script_options){.tls = context});
    site.access.ca_pem = world->ca.certificate_pem;
    kube_site_start(&site);
    script_server_play(site.server, "/w", 1, steps, COUNT_OF(steps));
    kube_site_ask(&site, KUBE_WATCH, "/w", &heard);
    assert_false(heard.is_good);
    assert_int_equal(heard.error.kind, ERROR_UNAVAILABLE);
    assert_string_equal(buffer_text(&heard.lines), "a\nb\nc\n");
    kube_heard_fini(&heard);
    kube_site_stop(&site);
    SSL_CTX_free(context);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_tls__trusts_the_ca_it_is_given),
        cmocka_unit_test(test_kube_tls__asks_for_the_name_and_goes_to_the_server),
        cmocka_unit_test(test_kube_tls__speaks_1_2_and_newer),
        cmocka_unit_test(test_kube_tls__shows_its_certificate),
        cmocka_unit_test(test_kube_tls__trusts_the_current_ca_file),
        cmocka_unit_test(test_kube_tls__shows_a_replaced_certificate_over_a_new_connection),
        cmocka_unit_test(test_kube_tls__receives_a_watch),
    };
    return cmocka_run_group_tests_name("edge/kube_tls", tests, make_world, end_world);
}
