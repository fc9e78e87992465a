// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "edge/x509.h"
#include "x509_fixtures.h"

static const char *const service_names[] = {"capstan.capstan-system.svc",
                                            "capstan.capstan-system.svc.cluster.local", "localhost",
                                            "127.0.0.1", "::1"};

/* Checks chain, purpose, name and time, as a client does. Returns an X509_V_* code. */
static int verify(const char *leaf_pem, const char *ca_pem, const char *name, int64_t time) {
    AUTO(free_certificate) X509 *leaf = parse(leaf_pem);
    AUTO(free_certificate) X509 *ca = parse(ca_pem);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, ca), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf, NULL), 1);
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    unsigned char address[16];
    bool is_address =
        inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    assert_int_equal(is_address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name)
                                : X509_VERIFY_PARAM_set1_host(parameters, name, 0),
                     1);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    X509_VERIFY_PARAM_set_time(parameters, time);
    X509_VERIFY_PARAM_set_flags(parameters,
                                X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    assert_int_equal(X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER), 1);
    X509_verify_cert(context);
    int code = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return code;
}

static void test_x509__makes_a_pair_that_a_strict_client_trusts(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("capstan-ca");
    AUTO(x509_pair_fini) struct x509_pair leaf = {0};
    struct error error;
    assert_true(
        x509_make_leaf(&ca, service_names, COUNT_OF(service_names), NOW, 90 * DAY, &leaf, &error));
    const struct {
        const char *name;
        int64_t time;
        int expected;
    } rows[] = {
        {"capstan.capstan-system.svc", NOW, X509_V_OK},
        {"capstan.capstan-system.svc.cluster.local", NOW, X509_V_OK},
        {"localhost", NOW, X509_V_OK},
        {"127.0.0.1", NOW, X509_V_OK},
        {"::1", NOW, X509_V_OK},
        {"capstan.other.svc", NOW, X509_V_ERR_HOSTNAME_MISMATCH},
        {"127.0.0.2", NOW, X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"localhost", NOW - 3600, X509_V_OK},
        {"localhost", NOW - 3601, X509_V_ERR_CERT_NOT_YET_VALID},
        {"localhost", NOW + 90 * DAY - 1, X509_V_OK},
        {"localhost", NOW + 90 * DAY + 1, X509_V_ERR_CERT_HAS_EXPIRED},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int code = verify(leaf.certificate_pem, ca.certificate_pem, rows[i].name, rows[i].time);
        if (code != rows[i].expected) {
            fail_msg("%s at %lld: %s", rows[i].name, (long long)rows[i].time,
                     X509_verify_cert_error_string(code));
        }
    }
}

static void test_x509__another_ca_of_the_same_name_does_not_vouch(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("capstan-ca");
    AUTO(x509_pair_fini) struct x509_pair other = make_ca("capstan-ca");
    AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&ca, "localhost");
    assert_int_not_equal(verify(leaf.certificate_pem, other.certificate_pem, "localhost", NOW),
                         X509_V_OK);
}

static void test_x509__the_ca_has_the_profile_of_a_ca(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair pair = make_ca("capstan-ca");
    AUTO(free_certificate) X509 *ca = parse(pair.certificate_pem);
    int is_critical = 0;
    BASIC_CONSTRAINTS *constraints =
        X509_get_ext_d2i(ca, NID_basic_constraints, &is_critical, NULL);
    assert_non_null(constraints);
    assert_int_equal(is_critical, 1);
    assert_true(constraints->ca != 0);
    BASIC_CONSTRAINTS_free(constraints);
    ASN1_BIT_STRING *usage = X509_get_ext_d2i(ca, NID_key_usage, &is_critical, NULL);
    assert_non_null(usage);
    assert_int_equal(is_critical, 1);
    ASN1_BIT_STRING_free(usage);
    assert_int_equal(X509_get_key_usage(ca), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_non_null(X509_get0_subject_key_id(ca));
    assert_int_equal(X509_get_version(ca), X509_VERSION_3);
    assert_int_equal(X509_check_ca(ca), 1);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(ca), X509_get_issuer_name(ca)), 0);
}

static void test_x509__the_leaf_has_the_profile_of_a_server(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair ca_pair = make_ca("capstan-ca");
    AUTO(x509_pair_fini) struct x509_pair pair = make_leaf(&ca_pair, "capstan.capstan-system.svc");
    AUTO(free_certificate) X509 *ca = parse(ca_pair.certificate_pem);
    AUTO(free_certificate) X509 *leaf = parse(pair.certificate_pem);
    assert_int_equal(X509_check_ca(leaf), 0);
    assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_SERVER);
    assert_int_equal(
        ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf), X509_get0_subject_key_id(ca)), 0);
    int is_critical = 0;
    ASN1_BIT_STRING *usage = X509_get_ext_d2i(leaf, NID_key_usage, &is_critical, NULL);
    ASN1_BIT_STRING_free(usage);
    assert_int_equal(is_critical, 1);
    EVP_PKEY *key = X509_get0_pubkey(leaf);
    char curve[32] = "";
    assert_int_equal(EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL), 1);
    assert_string_equal(curve, "prime256v1");
}

static void test_x509__serials_and_keys_are_unique(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair first_pair = make_ca("capstan-ca");
    AUTO(x509_pair_fini) struct x509_pair second_pair = make_ca("capstan-ca");
    AUTO(free_certificate) X509 *first = parse(first_pair.certificate_pem);
    AUTO(free_certificate) X509 *second = parse(second_pair.certificate_pem);
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(first), NULL);
    assert_int_equal(BN_num_bits(serial), 128);
    assert_false(BN_is_negative(serial));
    BN_free(serial);
    assert_int_not_equal(
        ASN1_INTEGER_cmp(X509_get0_serialNumber(first), X509_get0_serialNumber(second)), 0);
    assert_int_not_equal(
        ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(first), X509_get0_subject_key_id(second)),
        0);
}

static void test_x509__keys_are_plain_pkcs8(void **state) {
    (void)state;
    static const char head[] = "-----BEGIN PRIVATE KEY-----\n";
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("capstan-ca");
    AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&ca, "localhost");
    assert_memory_equal(ca.key_pem, head, strlen(head));
    assert_memory_equal(leaf.key_pem, head, strlen(head));
}

static void test_x509__a_leaf_never_outlives_its_ca(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair ca = {0};
    struct error error;
    assert_true(x509_make_ca("short", NOW, DAY, &ca, &error));
    const struct {
        int64_t lifetime;
        int64_t expected;
    } rows[] = {
        {DAY - 1, NOW + DAY - 1}, {DAY, NOW + DAY}, {DAY + 1, NOW + DAY}, {YEAR, NOW + DAY}};
    const char *name = "localhost";
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(x509_pair_fini) struct x509_pair leaf = {0};
        AUTO(x509_bundle_fini) struct x509_bundle bundle = {.n_items = 0};
        assert_true(x509_make_leaf(&ca, &name, 1, NOW, rows[i].lifetime, &leaf, &error));
        assert_true(x509_read_bundle(leaf.certificate_pem, &bundle, &error));
        assert_int_equal(bundle.items[0].not_after, rows[i].expected);
        assert_int_equal(bundle.items[0].not_before, NOW - 3600);
    }
    struct x509_pair leaf = {0};
    assert_false(x509_make_leaf(&ca, &name, 1, NOW + DAY, DAY, &leaf, &error));
    assert_string_equal(error.text, "the CA expired on 2027-01-16T08:00:00Z");
    assert_null(leaf.certificate_pem);
}

static void test_x509__accepts_only_dns_names_and_addresses(void **state) {
    (void)state;
    char label_63[64] = "";
    char label_64[65] = "";
    memset(label_63, 'a', 63);
    memset(label_64, 'a', 64);
    const struct {
        const char *name;
        bool is_taken;
    } rows[] = {
        {"a", true},
        {"a.b-c.svc", true},
        {"*.capstan-system.svc", true},
        {"10.0.0.1", true},
        {"fd00::1", true},
        {"1.capstan", true},
        {label_63, true},
        {label_64, false},
        {"", false},
        {"*", false},
        {"*.", false},
        {"a.*.svc", false},
        {"*a.svc", false},
        {"a..b", false},
        {".a", false},
        {"a.", false},
        {"-a", false},
        {"a_b", false},
        {"a b", false},
        {"a,DNS:evil.example", false},
        {"10.0.0.256", false},
        {"10.0.0", false},
        {"fd00:::1", false},
        {"[::1]", false},
        {"fe80::1%eth0", false},
        {"127.0.0.1/8", false},
        {"https://a", false},
    };
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("capstan-ca");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *names[] = {"good", rows[i].name};
        AUTO(x509_pair_fini) struct x509_pair leaf = {0};
        struct error error;
        bool is_taken = x509_make_leaf(&ca, names, 2, NOW, DAY, &leaf, &error);
        if (is_taken != rows[i].is_taken) {
            fail_msg("'%s' is%s taken", rows[i].name, is_taken ? "" : " not");
        }
        if (!is_taken) {
            assert_int_equal(error.kind, ERROR_INVALID);
            assert_non_null(strstr(error.text, "is neither a DNS name nor an IP address"));
        }
        assert_int_equal(is_taken, leaf.certificate_pem != NULL);
    }
}

static void test_x509__the_first_name_is_the_common_name_if_it_fits(void **state) {
    (void)state;
    char name_64[65] = "";
    char name_65[66] = "";
    memset(name_64, 'a', 64);
    memset(name_65, 'a', 65);
    name_64[30] = '.';
    name_65[30] = '.';
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("capstan-ca");
    const struct {
        const char *name;
        const char *common_name;
        int is_critical;
    } rows[] = {{name_64, name_64, 0}, {name_65, "", 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&ca, rows[i].name);
        AUTO(free_certificate) X509 *certificate = parse(leaf.certificate_pem);
        char common_name[66] = "";
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common_name,
                                  sizeof(common_name));
        assert_string_equal(common_name, rows[i].common_name);
        int is_critical = -1;
        GENERAL_NAMES *names =
            X509_get_ext_d2i(certificate, NID_subject_alt_name, &is_critical, NULL);
        assert_non_null(names);
        GENERAL_NAMES_free(names);
        assert_int_equal(is_critical, rows[i].is_critical);
        assert_int_equal(verify(leaf.certificate_pem, ca.certificate_pem, rows[i].name, NOW),
                         X509_V_OK);
    }
}

static void test_x509__refuses_to_make_what_makes_no_sense(void **state) {
    (void)state;
    char name_64[65] = "";
    char name_65[66] = "";
    memset(name_64, 'n', 64);
    memset(name_65, 'n', 65);
    const struct {
        const char *name;
        int64_t now;
        int64_t lifetime;
        bool is_made;
    } rows[] = {
        {"ca", NOW, 1, true},
        {"ca", NOW, 0, false},
        {"ca", NOW, -1, false},
        {"ca", NOW, INT64_MAX, false},
        {"ca", -1, 1, false},
        {"ca", INT64_C(253402300798), 1, true},
        {"ca", INT64_C(253402300798), 2, false},
        {"ca", INT64_MAX, 1, false},
        {name_64, NOW, 1, true},
        {name_65, NOW, 1, false},
        {"", NOW, 1, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(x509_pair_fini) struct x509_pair ca = {0};
        struct error error;
        bool is_made = x509_make_ca(rows[i].name, rows[i].now, rows[i].lifetime, &ca, &error);
        if (is_made != rows[i].is_made) {
            fail_msg("row %zu is%s made", i, is_made ? "" : " not");
        }
        assert_true(is_made || error.kind == ERROR_INVALID);
    }
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("ca");
    struct x509_pair leaf = {0};
    struct error error;
    assert_false(x509_make_leaf(&ca, NULL, 0, NOW, DAY, &leaf, &error));
    assert_string_equal(error.text, "a serving certificate needs at least one name");
}

static void test_x509__dates_beyond_2049_are_kept(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair ca = {0};
    AUTO(x509_bundle_fini) struct x509_bundle bundle = {.n_items = 0};
    struct error error;
    assert_true(x509_make_ca("ca", NOW, 100 * YEAR, &ca, &error));
    assert_true(x509_read_bundle(ca.certificate_pem, &bundle, &error));
    assert_int_equal(bundle.items[0].not_after, NOW + 100 * YEAR);
}

static void test_x509__signs_with_a_ca_only(void **state) {
    (void)state;
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("ca");
    AUTO(x509_pair_fini) struct x509_pair other = make_ca("other");
    AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&ca, "localhost");
    const struct {
        const char *row;
        struct x509_pair signer;
        const char *expected;
    } rows[] = {
        {"a leaf", leaf, "the certificate of the CA is not that of a CA"},
        {"a key of another",
         {ca.certificate_pem, other.key_pem},
         "the key of the CA is not that of its certificate"},
        {"no certificate",
         {leaf.key_pem, leaf.key_pem},
         "the CA: there is no certificate in the text"},
        {"no key",
         {ca.certificate_pem, ca.certificate_pem},
         "the CA: there is no private key in the text"},
    };
    const char *name = "localhost";
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct x509_pair made = {0};
        struct error error;
        assert_false(x509_make_leaf(&rows[i].signer, &name, 1, NOW, DAY, &made, &error));
        assert_string_equal(error.text, rows[i].expected);
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

/* Makes a CA as others do: any kind of key, and only the extension that a CA needs. */
static struct x509_pair make_foreign_ca(EVP_PKEY *key, const EVP_MD *digest) {
    AUTO(free_certificate) X509 *ca = X509_new();
    X509_set_version(ca, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(ca), 1);
    ASN1_TIME_set(X509_getm_notBefore(ca), NOW);
    ASN1_TIME_set(X509_getm_notAfter(ca), NOW + YEAR);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(ca), "O", MBSTRING_ASC,
                               (const unsigned char *)"Example Inc", -1, -1, 0);
    X509_set_issuer_name(ca, X509_get_subject_name(ca));
    X509_set_pubkey(ca, key);
    BASIC_CONSTRAINTS constraints = {.ca = 0xFF};
    assert_int_equal(X509_add1_ext_i2d(ca, NID_basic_constraints, &constraints, 1, 0), 1);
    assert_true(X509_sign(ca, key, digest) > 0);
    return (struct x509_pair){pem_of_certificate(ca), pem_of_key(key, NULL)};
}

static void test_x509__signs_with_a_foreign_ca(void **state) {
    (void)state;
    EVP_PKEY *keys[] = {EVP_RSA_gen(2048), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                        EVP_EC_gen("P-384")};
    const EVP_MD *digests[] = {EVP_sha256(), NULL, EVP_sha384()};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        AUTO(x509_pair_fini) struct x509_pair ca = make_foreign_ca(keys[i], digests[i]);
        AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&ca, "localhost");
        AUTO(free_certificate) X509 *signer = parse(ca.certificate_pem);
        AUTO(free_certificate) X509 *certificate = parse(leaf.certificate_pem);
        assert_int_equal(X509_verify(certificate, X509_get0_pubkey(signer)), 1);
        assert_int_equal(X509_check_issued(signer, certificate), X509_V_OK);
        assert_int_equal(ERR_peek_error(), 0);
        EVP_PKEY_free(keys[i]);
    }
}

static void test_x509__leaves_no_error_of_openssl_behind(void **state) {
    (void)state;
    ERR_clear_error();
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("ca");
    assert_non_null(ca.certificate_pem);
    assert_int_equal(ERR_peek_error(), 0);
    AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&ca, "localhost");
    assert_non_null(leaf.certificate_pem);
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x509__makes_a_pair_that_a_strict_client_trusts),
        cmocka_unit_test(test_x509__another_ca_of_the_same_name_does_not_vouch),
        cmocka_unit_test(test_x509__the_ca_has_the_profile_of_a_ca),
        cmocka_unit_test(test_x509__the_leaf_has_the_profile_of_a_server),
        cmocka_unit_test(test_x509__serials_and_keys_are_unique),
        cmocka_unit_test(test_x509__keys_are_plain_pkcs8),
        cmocka_unit_test(test_x509__a_leaf_never_outlives_its_ca),
        cmocka_unit_test(test_x509__accepts_only_dns_names_and_addresses),
        cmocka_unit_test(test_x509__the_first_name_is_the_common_name_if_it_fits),
        cmocka_unit_test(test_x509__refuses_to_make_what_makes_no_sense),
        cmocka_unit_test(test_x509__dates_beyond_2049_are_kept),
        cmocka_unit_test(test_x509__signs_with_a_ca_only),
        cmocka_unit_test(test_x509__signs_with_a_foreign_ca),
        cmocka_unit_test(test_x509__leaves_no_error_of_openssl_behind),
    };
    return cmocka_run_group_tests_name("edge/x509", tests, NULL, NULL);
}
