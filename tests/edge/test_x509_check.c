// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "edge/x509.h"
#include "x509_fixtures.h"

static char *join(const char *first, const char *second) {
    char *joined = NULL;
    assert_true(asprintf(&joined, "%s%s", first, second) > 0);
    return joined;
}

static void test_x509_check__checks_a_pair_before_it_is_served(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("ca");
    AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&ca, "localhost");
    AUTO(x509_pair_fini) struct x509_pair other = make_leaf(&ca, "localhost");
    AUTO(free_text) char *chain = join(leaf.certificate_pem, ca.certificate_pem);
    AUTO(free_text) char *reversed = join(ca.certificate_pem, leaf.certificate_pem);
    AUTO(free_text) char *half = strndup(leaf.certificate_pem, strlen(leaf.certificate_pem) / 2);
    AUTO(free_text) char *broken_chain = join(leaf.certificate_pem, half);
    AUTO(free_text) char *spoiled = strdup(leaf.certificate_pem);
    spoiled[60] = spoiled[60] == 'A' ? 'B' : 'A';
    spoiled[61] = '!';
    AUTO(free_text) char *half_key = strndup(leaf.key_pem, strlen(leaf.key_pem) / 2);
    AUTO(free_text) char *both = join(leaf.key_pem, leaf.certificate_pem);
    const char *key = leaf.key_pem;
    const struct {
        const char *row;
        const char *chain;
        const char *key;
        int64_t now;
        const char *expected; /* NULL: all is well */
    } rows[] = {
        {"alone", leaf.certificate_pem, key, NOW, NULL},
        {"with its CA", chain, key, NOW, NULL},
        {"both in one file", both, both, NOW, NULL},
        {"the first moment", chain, key, NOW - 3600, NULL},
        {"too early", chain, key, NOW - 3601,
         "the certificate is not valid before 2027-01-15T07:00:00Z"},
        {"the last moment", chain, key, NOW + 90 * DAY, NULL},
        {"too late", chain, key, NOW + 90 * DAY + 1,
         "the certificate expired on 2027-04-15T08:00:00Z"},
        {"another's key", chain, other.key_pem, NOW, "the key is not that of the certificate"},
        {"the CA first", reversed, key, NOW, "the key is not that of the certificate"},
        {"empty", "", key, NOW, "there is no certificate in the text"},
        {"no PEM", "hello\n", key, NOW, "there is no certificate in the text"},
        {"half a certificate", half, key, NOW, "certificate 1 of the chain: it does not parse: "},
        {"half a second one", broken_chain, key, NOW,
         "certificate 2 of the chain: it does not parse: "},
        {"not base64", spoiled, key, NOW, "certificate 1 of the chain: it does not parse: "},
        {"no key", chain, "", NOW, "there is no private key in the text"},
        {"a certificate as key", chain, leaf.certificate_pem, NOW,
         "there is no private key in the text"},
        {"half a key", chain, half_key, NOW, "the key does not parse: "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct x509_info info;
        struct error error = {0};
        bool is_good = x509_check_pair(rows[i].chain, rows[i].key, rows[i].now, &info, &error);
        const char *expected = rows[i].expected == NULL ? "" : rows[i].expected;
        if (is_good != (rows[i].expected == NULL) ||
            strncmp(error.text, expected, strlen(expected)) != 0) {
            fail_msg("%s: %s", rows[i].row, is_good ? "is good" : error.text);
        }
        assert_true(is_good || error.kind == ERROR_INVALID);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void test_x509_check__tells_of_the_first_certificate(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("ca");
    AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&ca, "capstan.capstan-system.svc");
    AUTO(free_text) char *chain = join(leaf.certificate_pem, ca.certificate_pem);
    struct x509_info info;
    struct error error;
    assert_true(x509_check_pair(chain, leaf.key_pem, NOW, &info, &error));
    assert_string_equal(info.subject, "CN=capstan.capstan-system.svc");
    assert_int_equal(info.not_before, NOW - 3600);
    assert_int_equal(info.not_after, NOW + 90 * DAY);
}

static void test_x509_check__a_long_subject_is_cut(void **state) {
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(free_certificate) X509 *certificate = X509_new();
    char part[61] = "";
    memset(part, 'x', 60);
    for (int i = 0; i < 3; i++) {
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "OU", MBSTRING_ASC,
                                   (const unsigned char *)part, -1, -1, 0);
    }
    ASN1_TIME_set(X509_getm_notBefore(certificate), NOW);
    ASN1_TIME_set(X509_getm_notAfter(certificate), NOW + DAY);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    AUTO(free_text) char *pem = pem_of_certificate(certificate);
    AUTO(free_text) char *key_pem = pem_of_key(key, NULL);
    EVP_PKEY_free(key);
    struct x509_info info;
    struct error error;
    assert_true(x509_check_pair(pem, key_pem, NOW, &info, &error));
    assert_int_equal(strlen(info.subject), sizeof(info.subject) - 1);
}

static void test_x509_check__never_asks_for_a_password(void **state) {
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(free_text) char *key_pem = pem_of_key(key, "secret");
    EVP_PKEY_free(key);
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("ca");
    struct x509_info info;
    struct error error;
    assert_false(x509_check_pair(ca.certificate_pem, key_pem, NOW, &info, &error));
    assert_string_equal(error.text, "the key is protected by a password");
}

static void test_x509_check__finds_names_as_kube_apiserver_does(void **state) {
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
        cmocka_unit_test(test_x509_check__checks_a_pair_before_it_is_served),
        cmocka_unit_test(test_x509_check__tells_of_the_first_certificate),
        cmocka_unit_test(test_x509_check__a_long_subject_is_cut),
        cmocka_unit_test(test_x509_check__never_asks_for_a_password),
        cmocka_unit_test(test_x509_check__finds_names_as_kube_apiserver_does),
    };
    return cmocka_run_group_tests_name("edge/x509_check", tests, NULL, NULL);
}
