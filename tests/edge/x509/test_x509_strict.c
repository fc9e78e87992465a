// SPDX-License-Identifier: Apache-2.0

/*
 * Chains of a root, an intermediate and a leaf, each with one change. A verdict is that of Go's
 * crypto/x509 and crypto/tls, which kube-apiserver calls.
 *
 * With X509_ROWS=FOLDER in the environment, the rows are also written there as PEM files, so that
 * others can be asked about the same certificates.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "x509_fixtures.h"

#define NAME "capstan.capstan-system.svc"

enum { PEM_MAX = 1 << 16 };

enum place { ROOT, MIDDLE, LEAF, PLACES };

/* A change of a certificate before it is signed. */
struct change {
    void (*make)(X509 *certificate, const char *value);
    const char *value;
};

struct row {
    const char *name;
    const char *complaint; /* NULL: accepted */
    enum place place;      /* of what follows */
    struct change change;
    const EVP_MD *(*digest)(void);             /* of its signature; NULL: SHA-256 */
    int (*set_padding)(EVP_PKEY_CTX *padding); /* of its signature */
    EVP_PKEY *(*make_key)(void);               /* NULL: P-256 */
};

static EVP_PKEY *rsa_512(void) {
    return EVP_RSA_gen(512);
}

static EVP_PKEY *rsa_1023(void) {
    return EVP_RSA_gen(1023);
}

static EVP_PKEY *rsa_1024(void) {
    return EVP_RSA_gen(1024);
}

/* A public key that nobody has the private one of: to find one takes minutes. */
static EVP_PKEY *rsa_of(int bits) {
    EVP_PKEY *key = NULL;
    BIGNUM *modulus = BN_new();
    BIGNUM *exponent = BN_new();
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BN_one(modulus);
    BN_lshift(modulus, modulus, bits - 1);
    BN_add_word(modulus, 1);
    BN_set_word(exponent, RSA_F4);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY_fromdata_init(context);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

static EVP_PKEY *rsa_8192(void) {
    return rsa_of(8192);
}

static EVP_PKEY *rsa_8193(void) {
    return rsa_of(8193);
}

static EVP_PKEY *rsa_2048(void) {
    return EVP_RSA_gen(2048);
}

static EVP_PKEY *p224(void) {
    return EVP_EC_gen("P-224");
}

static EVP_PKEY *p521(void) {
    return EVP_EC_gen("P-521");
}

static EVP_PKEY *secp256k1(void) {
    return EVP_EC_gen("secp256k1");
}

static EVP_PKEY *compressed(void) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
    return key;
}

static EVP_PKEY *ed25519(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static EVP_PKEY *ed448(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
}

static int pss_of_go(EVP_PKEY_CTX *padding) {
    return EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static int pss_of_a_short_salt(EVP_PKEY_CTX *padding) {
    return EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 20) == 1;
}

static void remove_extension(X509 *certificate, int id) {
    int place = X509_get_ext_by_NID(certificate, id, -1);
    if (place >= 0) {
        X509_EXTENSION_free(X509_delete_ext(certificate, place));
    }
}

static void set_usage(X509 *certificate, const char *value) {
    remove_extension(certificate, NID_ext_key_usage);
    add_extension(certificate, NID_ext_key_usage, value);
}

static void set_key_usage(X509 *certificate, const char *value) {
    remove_extension(certificate, NID_key_usage);
    add_extension(certificate, NID_key_usage, value);
}

static void set_constraints(X509 *certificate, const char *value) {
    remove_extension(certificate, NID_basic_constraints);
    add_extension(certificate, NID_basic_constraints, value);
}

static void set_names(X509 *certificate, const char *value) {
    remove_extension(certificate, NID_subject_alt_name);
    add_extension(certificate, NID_subject_alt_name, value);
}

static void set_subtrees(X509 *certificate, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, NID_name_constraints, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static void set_serial(X509 *certificate, const char *value) {
    ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate), atoi(value));
}

/* 21 bytes, which RFC 5280 forbids. */
static void set_long_serial(X509 *certificate, const char *value) {
    BIGNUM *number = BN_new();
    (void)value;
    BN_one(number);
    BN_lshift(number, number, 162);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
}

static void set_end(X509 *certificate, const char *value) {
    ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(NOW + atoi(value)));
}

static void set_begin(X509 *certificate, const char *value) {
    ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)(NOW + atoi(value)));
}

static void add_raw(X509 *certificate, const char *id, bool is_critical, const char *bytes,
                    int size) {
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *object = OBJ_txt2obj(id, 1);
    ASN1_OCTET_STRING_set(value, (const unsigned char *)bytes, size);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, is_critical, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OBJECT_free(object);
    ASN1_OCTET_STRING_free(value);
}

static void add_unknown(X509 *certificate, const char *value) {
    add_raw(certificate, "1.2.3.4.5", strcmp(value, "critical") == 0, "\x05\x00", 2);
}

static void add_netscape_type(X509 *certificate, const char *value) {
    (void)value;
    add_raw(certificate, "2.16.840.1.113730.1.1", true, "\x03\x02\x06\x40", 4);
}

static void add_key_identifier(X509 *certificate, const char *value) {
    remove_extension(certificate, NID_subject_key_identifier);
    add_raw(certificate, "2.5.29.14", strcmp(value, "critical") == 0,
            "\x04\x03"
            "abc",
            5);
}

static void add_twice(X509 *certificate, const char *value) {
    add_unknown(certificate, value);
    add_unknown(certificate, value);
}

/* An iPAddress of so many bytes. */
static void add_address(X509 *certificate, const char *value) {
    char bytes[64] = "\x30";
    int size = atoi(value);
    static const char host[] = NAME;
    bytes[1] = (char)(2 + (int)sizeof(host) - 1 + 2 + size);
    bytes[2] = '\x82';
    bytes[3] = (char)(sizeof(host) - 1);
    memcpy(bytes + 4, host, sizeof(host) - 1);
    bytes[4 + sizeof(host) - 1] = '\x87';
    bytes[5 + sizeof(host) - 1] = (char)size;
    remove_extension(certificate, NID_subject_alt_name);
    add_raw(certificate, "2.5.29.17", false, bytes, 2 + bytes[1]);
}

static void set_version_1(X509 *certificate, const char *value) {
    (void)value;
    while (X509_get_ext_count(certificate) > 0) {
        X509_EXTENSION_free(X509_delete_ext(certificate, 0));
    }
    X509_set_version(certificate, X509_VERSION_1);
}

static void add_empty_usage(X509 *certificate, const char *value) {
    (void)value;
    remove_extension(certificate, NID_ext_key_usage);
    add_raw(certificate, "2.5.29.37", false, "\x30\x00", 2);
}

static void add_empty_constraints(X509 *certificate, const char *value) {
    (void)value;
    add_raw(certificate, "2.5.29.30", true, "\x30\x00", 2);
}

static void add_broken_access(X509 *certificate, const char *value) {
    (void)value;
    add_raw(certificate, "1.3.6.1.5.5.7.1.1", false, "\x04\x01x", 3);
}

static const struct row rows[] = {
    {.name = "plain", .place = LEAF},
    /* extendedKeyUsage, of the whole chain */
    {"root-client", "serverAuth", ROOT, {set_usage, "clientAuth"}, NULL, NULL, NULL},
    {"middle-client", "serverAuth", MIDDLE, {set_usage, "clientAuth"}, NULL, NULL, NULL},
    {"leaf-client", "serverAuth", LEAF, {set_usage, "clientAuth"}, NULL, NULL, NULL},
    {"root-code", "serverAuth", ROOT, {set_usage, "codeSigning"}, NULL, NULL, NULL},
    {"middle-unknown-usage", "serverAuth", MIDDLE, {set_usage, "1.2.3.4"}, NULL, NULL, NULL},
    {"root-both", NULL, ROOT, {set_usage, "clientAuth,serverAuth"}, NULL, NULL, NULL},
    {"root-any", NULL, ROOT, {set_usage, "anyExtendedKeyUsage"}, NULL, NULL, NULL},
    {"middle-any", NULL, MIDDLE, {set_usage, "anyExtendedKeyUsage"}, NULL, NULL, NULL},
    {"leaf-any", NULL, LEAF, {set_usage, "anyExtendedKeyUsage"}, NULL, NULL, NULL},
    {"leaf-no-usage", NULL, LEAF, {set_usage, NULL}, NULL, NULL, NULL},
    /* signatures; nobody verifies that of a root */
    {"root-sha1", NULL, ROOT, {NULL, NULL}, EVP_sha1, NULL, NULL},
    {"middle-sha1", "digest", MIDDLE, {NULL, NULL}, EVP_sha1, NULL, NULL},
    {"leaf-sha1", "digest", LEAF, {NULL, NULL}, EVP_sha1, NULL, NULL},
    {"leaf-sha224", "digest", LEAF, {NULL, NULL}, EVP_sha224, NULL, NULL},
    {"leaf-sha3", "", LEAF, {NULL, NULL}, EVP_sha3_256, NULL, NULL},
    {"leaf-sha384", NULL, LEAF, {NULL, NULL}, EVP_sha384, NULL, NULL},
    {"leaf-sha512", NULL, LEAF, {NULL, NULL}, EVP_sha512, NULL, NULL},
    /* keys */
    {"root-rsa-512", "1024", ROOT, {NULL, NULL}, NULL, NULL, rsa_512},
    {"root-rsa-1023", "1024", ROOT, {NULL, NULL}, NULL, NULL, rsa_1023},
    {"root-rsa-1024", NULL, ROOT, {NULL, NULL}, NULL, NULL, rsa_1024},
    {"middle-rsa-1023", "1024", MIDDLE, {NULL, NULL}, NULL, NULL, rsa_1023},
    {"middle-rsa-1024", NULL, MIDDLE, {NULL, NULL}, NULL, NULL, rsa_1024},
    {"leaf-rsa-1023", "1024", LEAF, {NULL, NULL}, NULL, NULL, rsa_1023},
    {"leaf-rsa-8192", NULL, LEAF, {NULL, NULL}, NULL, NULL, rsa_8192},
    {"leaf-rsa-8193", "8192", LEAF, {NULL, NULL}, NULL, NULL, rsa_8193},
    {"root-p224", NULL, ROOT, {NULL, NULL}, NULL, NULL, p224},
    {"middle-p521", NULL, MIDDLE, {NULL, NULL}, NULL, NULL, p521},
    {"root-secp256k1", "key", ROOT, {NULL, NULL}, NULL, NULL, secp256k1},
    {"leaf-secp256k1", "key", LEAF, {NULL, NULL}, NULL, NULL, secp256k1},
    {"leaf-compressed", "key", LEAF, {NULL, NULL}, NULL, NULL, compressed},
    {"middle-ed25519", NULL, MIDDLE, {NULL, NULL}, NULL, NULL, ed25519},
    {"middle-ed448", "is signed with", MIDDLE, {NULL, NULL}, NULL, NULL, ed448},
    {"leaf-ed448", "key", LEAF, {NULL, NULL}, NULL, NULL, ed448},
    /* what cannot be parsed */
    {"root-serial", "serial", ROOT, {set_serial, "-1"}, NULL, NULL, NULL},
    {"middle-serial", "serial", MIDDLE, {set_serial, "-1"}, NULL, NULL, NULL},
    {"leaf-serial", "serial", LEAF, {set_serial, "-200"}, NULL, NULL, NULL},
    {"leaf-serial-0", NULL, LEAF, {set_serial, "0"}, NULL, NULL, NULL},
    {"leaf-serial-long", NULL, LEAF, {set_long_serial, NULL}, NULL, NULL, NULL},
    {"root-twice", "twice", ROOT, {add_twice, "usual"}, NULL, NULL, NULL},
    {"leaf-twice", "twice", LEAF, {add_twice, "usual"}, NULL, NULL, NULL},
    {"leaf-address-4", NULL, LEAF, {add_address, "4"}, NULL, NULL, NULL},
    {"leaf-address-5", "subjectAltName", LEAF, {add_address, "5"}, NULL, NULL, NULL},
    {"leaf-address-16", NULL, LEAF, {add_address, "16"}, NULL, NULL, NULL},
    {"leaf-address-17", "subjectAltName", LEAF, {add_address, "17"}, NULL, NULL, NULL},
    {"leaf-identifier", NULL, LEAF, {add_key_identifier, "usual"}, NULL, NULL, NULL},
    {"leaf-identifier-critical",
     "critical",
     LEAF,
     {add_key_identifier, "critical"},
     NULL,
     NULL,
     NULL},
    /* critical extensions */
    {"root-unknown", NULL, ROOT, {add_unknown, "usual"}, NULL, NULL, NULL},
    {"root-unknown-critical", "critical", ROOT, {add_unknown, "critical"}, NULL, NULL, NULL},
    {"middle-unknown-critical", "critical", MIDDLE, {add_unknown, "critical"}, NULL, NULL, NULL},
    {"leaf-unknown-critical", "critical", LEAF, {add_unknown, "critical"}, NULL, NULL, NULL},
    {"leaf-netscape-critical", "critical", LEAF, {add_netscape_type, NULL}, NULL, NULL, NULL},
    /* CAs */
    {"root-path-0",
     "path",
     ROOT,
     {set_constraints, "critical,CA:TRUE,pathlen:0"},
     NULL,
     NULL,
     NULL},
    {"root-path-1", NULL, ROOT, {set_constraints, "critical,CA:TRUE,pathlen:1"}, NULL, NULL, NULL},
    {"middle-path-0",
     NULL,
     MIDDLE,
     {set_constraints, "critical,CA:TRUE,pathlen:0"},
     NULL,
     NULL,
     NULL},
    {"middle-no-ca", "", MIDDLE, {set_constraints, "critical,CA:FALSE"}, NULL, NULL, NULL},
    {"middle-without", "", MIDDLE, {set_constraints, NULL}, NULL, NULL, NULL},
    {"root-without", "", ROOT, {set_constraints, NULL}, NULL, NULL, NULL},
    {"root-version-1", NULL, ROOT, {set_version_1, NULL}, NULL, NULL, NULL},
    {"middle-version-1", "", MIDDLE, {set_version_1, NULL}, NULL, NULL, NULL},
    {"middle-no-sign", "", MIDDLE, {set_key_usage, "digitalSignature"}, NULL, NULL, NULL},
    {"root-no-sign", "", ROOT, {set_key_usage, "cRLSign"}, NULL, NULL, NULL},
    /* names, and constraints on them */
    {"leaf-other-name", "is not for", LEAF, {set_names, "DNS:x.svc"}, NULL, NULL, NULL},
    {"leaf-star", NULL, LEAF, {set_names, "DNS:*.capstan-system.svc"}, NULL, NULL, NULL},
    {"leaf-star-within",
     "is not for",
     LEAF,
     {set_names, "DNS:c*.capstan-system.svc"},
     NULL,
     NULL,
     NULL},
    {"leaf-no-names", "is not for", LEAF, {set_names, NULL}, NULL, NULL, NULL},
    {"root-permits", NULL, ROOT, {set_subtrees, "critical,permitted;DNS:svc"}, NULL, NULL, NULL},
    {"root-permits-others",
     "",
     ROOT,
     {set_subtrees, "critical,permitted;DNS:com"},
     NULL,
     NULL,
     NULL},
    {"middle-excludes",
     "",
     MIDDLE,
     {set_subtrees, "critical,excluded;DNS:capstan-system.svc"},
     NULL,
     NULL,
     NULL},
    {"middle-excludes-others", NULL, MIDDLE, {set_subtrees, "excluded;DNS:com"}, NULL, NULL, NULL},
    {"middle-permits-id-critical",
     "critical",
     MIDDLE,
     {set_subtrees, "critical,permitted;RID:1.2.3"},
     NULL,
     NULL,
     NULL},
    {"middle-empty-constraints", "empty", MIDDLE, {add_empty_constraints, NULL}, NULL, NULL, NULL},
    {"leaf-empty-usage", NULL, LEAF, {add_empty_usage, NULL}, NULL, NULL, NULL},
    {"leaf-broken-access",
     "authorityInfoAccess",
     LEAF,
     {add_broken_access, NULL},
     NULL,
     NULL,
     NULL},
    /* dates: both ends belong to the life */
    {"leaf-ends-now", NULL, LEAF, {set_end, "0"}, NULL, NULL, NULL},
    {"leaf-ended", "expired on", LEAF, {set_end, "-1"}, NULL, NULL, NULL},
    {"middle-ends-now", NULL, MIDDLE, {set_end, "0"}, NULL, NULL, NULL},
    {"middle-ended", "expired on", MIDDLE, {set_end, "-1"}, NULL, NULL, NULL},
    {"root-ended", "expired on", ROOT, {set_end, "-1"}, NULL, NULL, NULL},
    {"root-begins-now", NULL, ROOT, {set_begin, "0"}, NULL, NULL, NULL},
    {"root-begins-soon", "not valid before", ROOT, {set_begin, "1"}, NULL, NULL, NULL},
};

/* The padding of signatures by RSA keys. */
static const struct row padded_rows[] = {
    {"leaf-pss", NULL, LEAF, {NULL, NULL}, NULL, pss_of_go, NULL},
    {"leaf-pss-salt", "digest", LEAF, {NULL, NULL}, NULL, pss_of_a_short_salt, NULL},
    {"leaf-pss-sha1", "digest", LEAF, {NULL, NULL}, EVP_sha1, pss_of_go, NULL},
};

static void sign(X509 *certificate, EVP_PKEY *signer, const struct row *row) {
    const EVP_MD *digest = row->digest != NULL ? row->digest() : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding = NULL;
    if (EVP_PKEY_is_a(signer, "ED25519") || EVP_PKEY_is_a(signer, "ED448")) {
        digest = NULL;
    }
    assert_int_equal(EVP_DigestSignInit(context, &padding, digest, NULL, signer), 1);
    assert_true(row->set_padding == NULL || row->set_padding(padding));
    assert_true(X509_sign_ctx(certificate, context) > 0);
    EVP_MD_CTX_free(context);
}

/* The certificates of a row, from the root to the leaf. */
static void make_chain(const struct row *row, EVP_PKEY *(*make_key)(void), char *ret_pems[PLACES]) {
    static const struct profile profiles[PLACES] = {
        {"root", NULL, NULL, "critical,keyCertSign", "critical,CA:TRUE", NOW - DAY, NOW + DAY},
        {"middle", NULL, NULL, "critical,keyCertSign", "critical,CA:TRUE", NOW - DAY, NOW + DAY},
        {"leaf", "DNS:" NAME, "serverAuth", "digitalSignature", NULL, NOW - DAY, NOW + DAY},
    };
    static const struct row plain = {.name = "plain"};
    EVP_PKEY *keys[PLACES];
    for (int place = ROOT; place < PLACES; place++) {
        bool is_changed = (int)row->place == place;
        keys[place] = is_changed && row->make_key != NULL ? row->make_key() : make_key();
        AUTO(auto_key) EVP_PKEY *usual = EVP_EC_gen("P-256");
        AUTO(x509_pair_fini) struct x509_pair pair = make_of_key(&profiles[place], NULL, usual);
        AUTO(free_certificate) X509 *certificate = parse(pair.certificate_pem);
        X509_set_pubkey(certificate, keys[place]);
        if (place != ROOT) {
            AUTO(free_certificate) X509 *issuer = parse(ret_pems[place - 1]);
            X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
        }
        if (is_changed && row->change.make != NULL) {
            row->change.make(certificate, row->change.value);
        }
        sign(certificate, keys[place == ROOT ? ROOT : place - 1], is_changed ? row : &plain);
        ret_pems[place] = pem_of_certificate(certificate);
    }
    for (int place = ROOT; place < PLACES; place++) {
        EVP_PKEY_free(keys[place]);
    }
}

static void put(const struct row *row, const char *what, const char *text) {
    const char *folder = getenv("X509_ROWS");
    char path[512];
    if (folder == NULL) {
        return;
    }
    snprintf(path, sizeof(path), "%s/%s.%s", folder, row->name, what);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void judge(const struct row *row, EVP_PKEY *(*make_key)(void)) {
    char *pems[PLACES];
    AUTO(buffer_fini) struct buffer sent;
    struct error error = {.text = ""};
    make_chain(row, make_key, pems);
    buffer_init(&sent, PEM_MAX);
    buffer_add_text(&sent, pems[LEAF]);
    buffer_add_text(&sent, pems[MIDDLE]);
    put(row, "chain", buffer_text(&sent));
    put(row, "roots", pems[ROOT]);
    put(row, row->complaint == NULL ? "accepted" : "refused", "");
    bool is_accepted = x509_verify(buffer_text(&sent), pems[ROOT], NAME, NOW, &error);
    if (is_accepted != (row->complaint == NULL) ||
        (!is_accepted && strstr(error.text, row->complaint) == NULL)) {
        fail_msg("%s: %s", row->name, is_accepted ? "accepted" : error.text);
    }
    for (int place = ROOT; place < PLACES; place++) {
        free(pems[place]);
    }
}

static EVP_PKEY *p256(void) {
    return EVP_EC_gen("P-256");
}

static void test_x509_strict__judges_as_go_does(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        judge(&rows[i], p256);
    }
    for (size_t i = 0; i < COUNT_OF(padded_rows); i++) {
        judge(&padded_rows[i], rsa_2048);
    }
}

/* A bundle may have blocks that nobody can read, and others than certificates. */
static void test_x509_strict__skips_what_is_no_root(void **state) {
    static const char *const blocks[] = {
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        "-----BEGIN CERTIFICATE-----\nComment: x\n\nAAAA\n-----END CERTIFICATE-----\n",
        "text\n",
    };
    AUTO(x509_pair_fini) struct x509_pair ca = make_ca("CA");
    AUTO(x509_pair_fini) struct x509_pair leaf = make_leaf(&ca, NAME);
    struct error error;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        AUTO(buffer_fini) struct buffer bundle;
        buffer_init(&bundle, PEM_MAX);
        buffer_add_format(&bundle, "%s%s", blocks[i], ca.certificate_pem);
        if (!x509_verify(leaf.certificate_pem, buffer_text(&bundle), NAME, NOW, &error)) {
            fail_msg("row %zu: %s", i, error.text);
        }
        assert_false(x509_verify(leaf.certificate_pem, blocks[i], NAME, NOW, &error));
        assert_non_null(strstr(error.text, "the bundle"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x509_strict__judges_as_go_does),
        cmocka_unit_test(test_x509_strict__skips_what_is_no_root),
    };
    return cmocka_run_group_tests_name("edge/x509_strict", tests, NULL, NULL);
}
