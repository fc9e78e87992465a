// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_EDGE_X509_FIXTURES_H
#define TESTS_EDGE_X509_FIXTURES_H

/*
 * Certificates for the tests of x509. Include it after cmocka.h.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/memory.h"
#include "edge/x509.h"

#define NOW  INT64_C(1800000000) /* 2027-01-15T08:00:00Z */
#define DAY  INT64_C(86400)
#define YEAR (365 * DAY)

static inline struct x509_pair make_ca(const char *name) {
    struct x509_pair ca = {0};
    struct error error;
    assert_true(x509_make_ca(name, NOW, 5 * YEAR, &ca, &error));
    return ca;
}

static inline struct x509_pair make_leaf(const struct x509_pair *ca, const char *name) {
    struct x509_pair leaf = {0};
    struct error error;
    if (!x509_make_leaf(ca, &name, 1, NOW, 90 * DAY, &leaf, &error)) {
        fail_msg("%s", error.text);
    }
    return leaf;
}

static inline X509 *parse(const char *pem) {
    BIO *text = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(text, NULL, NULL, NULL);
    BIO_free(text);
    assert_non_null(certificate);
    return certificate;
}

static inline void free_certificate(X509 **certificate) {
    X509_free(*certificate);
}

static inline void free_text(char **text) {
    free(*text);
}

static inline char *pem_of_certificate(X509 *certificate) {
    BIO *text = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(text, certificate), 1);
    const char *bytes = NULL;
    long size = BIO_get_mem_data(text, &bytes);
    char *pem = memory_copy(bytes, (size_t)size);
    BIO_free(text);
    return pem;
}

static inline char *pem_of_key(EVP_PKEY *key, const char *password) {
    BIO *text = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(text, key,
                                                   password == NULL ? NULL : EVP_aes_128_cbc(),
                                                   NULL, 0, NULL, (char *)(uintptr_t)password),
                     1);
    const char *bytes = NULL;
    long size = BIO_get_mem_data(text, &bytes);
    char *pem = memory_copy(bytes, (size_t)size);
    BIO_free(text);
    return pem;
}

/* A certificate with any profile. An extension that is NULL is left out. */
struct profile {
    const char *common_name; /* NULL: the subject is empty */
    const char *names;       /* in the syntax of openssl.cnf: "DNS:a" */
    const char *extended_usage;
    const char *usage;
    const char *constraints;
    int64_t begins;
    int64_t ends;
};

static inline void auto_key(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}

static inline void add_extension(X509 *certificate, int id, const char *value) {
    if (value != NULL) {
        char text[128];
        snprintf(text, sizeof(text), "%s", value);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, id, text);
        assert_non_null(extension);
        assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
        X509_EXTENSION_free(extension);
    }
}

/* The CA signs it; without a CA it is self-signed. */
static inline struct x509_pair make_of_key(const struct profile *profile,
                                           const struct x509_pair *ca, EVP_PKEY *key) {
    AUTO(auto_key) EVP_PKEY *signer = NULL;
    AUTO(free_certificate) X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
    if (profile->common_name != NULL) {
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                   (const unsigned char *)profile->common_name, -1, -1, 0);
    }
    ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)profile->begins);
    ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)profile->ends);
    X509_set_pubkey(certificate, key);
    add_extension(certificate, NID_subject_alt_name, profile->names);
    add_extension(certificate, NID_ext_key_usage, profile->extended_usage);
    add_extension(certificate, NID_key_usage, profile->usage);
    add_extension(certificate, NID_basic_constraints, profile->constraints);
    if (ca == NULL) {
        X509_set_issuer_name(certificate, subject);
        X509_sign(certificate, key, EVP_sha256());
    } else {
        BIO *text = BIO_new_mem_buf(ca->key_pem, -1);
        signer = PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);
        BIO_free(text);
        AUTO(free_certificate) X509 *issuer = parse(ca->certificate_pem);
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
        X509_sign(certificate, signer, EVP_sha256());
    }
    return (struct x509_pair){pem_of_certificate(certificate), pem_of_key(key, NULL)};
}

#endif
