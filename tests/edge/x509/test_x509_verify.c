// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "x509_fixtures.h"

#define NAME "capstan.capstan-system.svc"

static struct x509_pair make(const struct profile *profile, const struct x509_pair *ca) {
    AUTO(auto_key) EVP_PKEY *key = EVP_EC_gen("P-256");
    return make_of_key(profile, ca, key);
}

/* The table of certs/README.md, with the observed behaviour of kube-apiserver. */
static void test_x509_verify__judges_as_the_api_server_does(void **state) {
    static const struct {
        struct profile profile;
        const char *complaint; /* NULL: accepted */
    } rows[] = {
        {{"x", "DNS:" NAME, "serverAuth", "digitalSignature", NULL, NOW - DAY, NOW + DAY}, NULL},
        {{"x", "DNS:" NAME, NULL, NULL, NULL, NOW - DAY, NOW + DAY}, NULL},
        {{"x", "DNS:*.capstan-system.svc", "serverAuth", NULL, NULL, NOW - DAY, NOW + DAY}, NULL},
        {{"x", "DNS:" NAME, "serverAuth", "keyEncipherment", NULL, NOW - DAY, NOW + DAY}, NULL},
        {{NULL, "critical,DNS:" NAME, "serverAuth", NULL, NULL, NOW - DAY, NOW + DAY}, NULL},
        {{NULL, "DNS:" NAME, "serverAuth", NULL, NULL, NOW - DAY, NOW + DAY}, NULL},
        {{"x", "DNS:" NAME, "clientAuth,serverAuth", NULL, NULL, NOW - DAY, NOW + DAY}, NULL},
        {{NAME, NULL, "serverAuth", NULL, NULL, NOW - DAY, NOW + DAY}, "is not for " NAME},
        {{"x", "DNS:" NAME ".cluster.local", "serverAuth", NULL, NULL, NOW - DAY, NOW + DAY},
         "is not for " NAME},
        {{"x", "DNS:" NAME, "clientAuth", NULL, NULL, NOW - DAY, NOW + DAY}, "serverAuth"},
        {{"x", "DNS:" NAME, "serverAuth", NULL, NULL, NOW - DAY, NOW - 1}, "expired on"},
        {{"x", "DNS:" NAME, "serverAuth", NULL, NULL, NOW + 1, NOW + DAY}, "not valid before"},
        {{"x", "DNS:" NAME, "serverAuth", NULL, NULL, NOW, NOW + DAY}, NULL},
        {{"x", "DNS:" NAME, "serverAuth", NULL, NULL, NOW - DAY, NOW + 1}, NULL},
    };
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("CA");
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(x509_pair_fini) struct x509_pair leaf = make(&rows[i].profile, &ca);
        struct error error = {.text = ""};
        bool is_accepted = x509_verify(leaf.certificate_pem, ca.certificate_pem, NAME, NOW, &error);
        if (is_accepted != (rows[i].complaint == NULL) ||
            (!is_accepted && strstr(error.text, rows[i].complaint) == NULL)) {
            fail_msg("row %zu: %s", i, is_accepted ? "accepted" : error.text);
        }
    }
}

static void test_x509_verify__accepts_keys_of_each_kind(void **state) {
    static const struct profile profile = {"x",  "DNS:" NAME, "serverAuth", "digitalSignature",
                                           NULL, NOW - DAY,   NOW + DAY};
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("CA");
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_RSA_gen(2048),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        AUTO(auto_key) EVP_PKEY *key = keys[i];
        AUTO(x509_pair_fini) struct x509_pair leaf = make_of_key(&profile, &ca, key);
        struct error error = {.text = ""};
        if (!x509_verify(leaf.certificate_pem, ca.certificate_pem, NAME, NOW, &error) ||
            !x509_is_key_of(leaf.certificate_pem, leaf.key_pem)) {
            fail_msg("row %zu: %s", i, error.text);
        }
    }
}

static void test_x509_verify__demands_a_ca_that_may_sign(void **state) {
    static const struct {
        struct profile ca;
        bool is_accepted;
    } rows[] = {
        {{"CA", NULL, NULL, "critical,keyCertSign", "critical,CA:TRUE", NOW - DAY, NOW + DAY},
         true},
        {{"CA", NULL, NULL, NULL, "critical,CA:TRUE", NOW - DAY, NOW + DAY}, true},
        {{"CA", NULL, NULL, "critical,digitalSignature", "critical,CA:TRUE", NOW - DAY, NOW + DAY},
         false},
        {{"CA", NULL, NULL, "critical,keyCertSign", "critical,CA:FALSE", NOW - DAY, NOW + DAY},
         false},
        {{"CA", NULL, NULL, "critical,keyCertSign", NULL, NOW - DAY, NOW + DAY}, false},
        {{"CA", NULL, NULL, NULL, NULL, NOW - DAY, NOW + DAY}, false},
    };
    static const struct profile profile = {"x",  "DNS:" NAME, "serverAuth", NULL,
                                           NULL, NOW - DAY,   NOW + DAY};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(x509_pair_fini) struct x509_pair ca = make(&rows[i].ca, NULL);
        AUTO(x509_pair_fini) struct x509_pair leaf = make(&profile, &ca);
        struct error error;
        bool is_accepted = x509_verify(leaf.certificate_pem, ca.certificate_pem, NAME, NOW, &error);
        if (is_accepted != rows[i].is_accepted) {
            fail_msg("row %zu: %s", i, is_accepted ? "accepted" : error.text);
        }
    }
}

static void test_x509_verify__accepts_a_leaf_that_is_in_the_bundle(void **state) {
    static const char *const constraints[] = {NULL, "critical,CA:FALSE", "critical,CA:TRUE"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(constraints); i++) {
        const struct profile profile = {"x",       "DNS:" NAME, "serverAuth", NULL, constraints[i],
                                        NOW - DAY, NOW + DAY};
        AUTO(x509_pair_fini) struct x509_pair leaf = make(&profile, NULL);
        struct error error;
        assert_true(x509_verify(leaf.certificate_pem, leaf.certificate_pem, NAME, NOW, &error));
    }
}

static void test_x509_verify__tells_cas_of_one_subject_apart(void **state) {
    static const struct profile plain = {"CA",      NULL,     NULL, NULL, "critical,CA:TRUE",
                                         NOW - DAY, NOW + DAY};
    static const struct profile profile = {"x",  "DNS:" NAME, "serverAuth", NULL,
                                           NULL, NOW - DAY,   NOW + DAY};
    (void)state;
    /* With key identifiers, as our certificates have them, and without. */
    for (int has_identifiers = 0; has_identifiers < 2; has_identifiers++) {
        AUTO(x509_pair_fini)
        struct x509_pair one = has_identifiers ? make_ca("CA") : make(&plain, NULL);
        AUTO(x509_pair_fini)
        struct x509_pair other = has_identifiers ? make_ca("CA") : make(&plain, NULL);
        AUTO(x509_pair_fini)
        struct x509_pair leaf = has_identifiers ? make_leaf(&other, NAME) : make(&profile, &other);
        AUTO(buffer_fini) struct buffer both;
        AUTO(buffer_fini) struct buffer reverse;
        struct error error;
        buffer_init(&both, 65536);
        buffer_init(&reverse, 65536);
        buffer_add_text(&both, one.certificate_pem);
        buffer_add_text(&both, other.certificate_pem);
        assert_true(x509_verify(leaf.certificate_pem, other.certificate_pem, NAME, NOW, &error));
        assert_false(x509_verify(leaf.certificate_pem, one.certificate_pem, NAME, NOW, &error));
        assert_non_null(strstr(error.text, "not signed by a CA of the bundle"));
        assert_true(x509_verify(leaf.certificate_pem, buffer_text(&both), NAME, NOW, &error));
        buffer_add_text(&reverse, other.certificate_pem);
        buffer_add_text(&reverse, one.certificate_pem);
        assert_true(x509_verify(leaf.certificate_pem, buffer_text(&reverse), NAME, NOW, &error));
        assert_true(x509_is_issued_by(leaf.certificate_pem, other.certificate_pem));
        assert_false(x509_is_issued_by(leaf.certificate_pem, one.certificate_pem));
    }
}

static void test_x509_verify__reads_a_bundle_one_by_one(void **state) {
    AUTO(x509_pair_fini) struct x509_pair one = make_ca("one");
    AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&one, NAME);
    AUTO(buffer_fini) struct buffer both;
    AUTO(x509_bundle_fini) struct x509_bundle bundle = {.n_items = 0};
    struct error error;
    (void)state;
    buffer_init(&both, 65536);
    buffer_add_text(&both, one.certificate_pem);
    buffer_add_text(&both, leaf.certificate_pem);
    assert_true(x509_read_bundle(buffer_text(&both), &bundle, &error));
    assert_int_equal(bundle.n_items, 2);
    assert_true(bundle.items[0].is_ca);
    assert_false(bundle.items[1].is_ca);
    assert_string_equal(bundle.items[0].pem, one.certificate_pem);
    assert_string_equal(bundle.items[1].pem, leaf.certificate_pem);
    assert_int_equal(strlen(bundle.items[0].id), X509_ID_SIZE - 1);
    assert_string_not_equal(bundle.items[0].id, bundle.items[1].id);
    assert_int_equal(bundle.items[0].not_after, NOW + 5 * YEAR);
    assert_true(x509_is_key_of(one.certificate_pem, one.key_pem));
    assert_false(x509_is_key_of(one.certificate_pem, leaf.key_pem));
    assert_false(x509_is_key_of(one.certificate_pem, "x"));
}

static void test_x509_verify__reads_64_certificates_and_not_one_more(void **state) {
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("one");
    (void)state;
    for (int n = 64; n <= 65; n++) {
        AUTO(buffer_fini) struct buffer pem;
        AUTO(x509_bundle_fini) struct x509_bundle bundle = {.n_items = 0};
        struct error error;
        buffer_init(&pem, 1 << 20);
        for (int i = 0; i < n; i++) {
            buffer_add_text(&pem, ca.certificate_pem);
        }
        assert_int_equal(x509_read_bundle(buffer_text(&pem), &bundle, &error), n == 64);
        if (n == 65) {
            assert_int_equal(error.kind, ERROR_TOO_LARGE);
        }
    }
}

static char *join(const char *first, const char *second) {
    char *joined = NULL;
    assert_true(asprintf(&joined, "%s%s", first, second) > 0);
    return joined;
}

static void test_x509_verify__finds_names_as_kube_apiserver_does(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("only-a-common-name");
    const char *names[] = {"capstan.capstan-system.svc", "*.wild.svc", "127.0.0.1"};
    AUTO(x509_pair_fini) struct x509_pair leaf = {0};
    struct error error;
    assert_true(x509_make_leaf(&ca, names, COUNT_OF(names), NOW, DAY, &leaf, &error));
    AUTO(free_text) char *chain = join(leaf.certificate_pem, ca.certificate_pem);
    const struct {
        const char *chain;
        const char *name;
        bool expected;
    } rows[] = {
        {chain, "capstan.capstan-system.svc", true},
        {chain, "CAPSTAN.capstan-system.svc", true},
        {chain, "capstan.other.svc", false},
        {chain, "capstan-system.svc", false},
        {chain, ".capstan-system.svc", false},
        {chain, "a.wild.svc", true},
        {chain, "a.b.wild.svc", false},
        {chain, "wild.svc", false},
        {chain, "127.0.0.1", false},
        {chain, "", false},
        {ca.certificate_pem, "only-a-common-name", false},
        {"nothing", "capstan.capstan-system.svc", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (x509_has_name(rows[i].chain, rows[i].name) != rows[i].expected) {
            fail_msg("row %zu: '%s'", i, rows[i].name);
        }
        assert_int_equal(ERR_peek_error(), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x509_verify__judges_as_the_api_server_does),
        cmocka_unit_test(test_x509_verify__accepts_keys_of_each_kind),
        cmocka_unit_test(test_x509_verify__demands_a_ca_that_may_sign),
        cmocka_unit_test(test_x509_verify__accepts_a_leaf_that_is_in_the_bundle),
        cmocka_unit_test(test_x509_verify__tells_cas_of_one_subject_apart),
        cmocka_unit_test(test_x509_verify__reads_a_bundle_one_by_one),
        cmocka_unit_test(test_x509_verify__reads_64_certificates_and_not_one_more),
        cmocka_unit_test(test_x509_verify__finds_names_as_kube_apiserver_does),
    };
    return cmocka_run_group_tests_name("edge/x509_verify", tests, NULL, NULL);
}
