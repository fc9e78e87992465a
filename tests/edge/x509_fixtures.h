// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_EDGE_X509_FIXTURES_H
#define TESTS_EDGE_X509_FIXTURES_H

/*
 * Certificates for the tests of x509. To be included after cmocka.h.
 */

#include <stdint.h>
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

#endif
