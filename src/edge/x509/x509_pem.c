// SPDX-License-Identifier: Apache-2.0
#include "x509_pem.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/memory.h"

static void auto_bio(BIO **bio) {
    BIO_free_all(*bio);
}

void x509_auto_key(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}

void x509_auto_certificate(X509 **certificate) {
    X509_free(*certificate);
}

void x509_auto_chain(STACK_OF(X509) * *chain) {
    sk_X509_pop_free(*chain, X509_free);
}

bool x509_fail(struct error *error, enum error_kind kind, const char *what) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    error_set(error, kind, "%s: %s", what, reason != NULL ? reason : "OpenSSL gives no reason");
    ERR_clear_error();
    return false;
}

static BIO *open_text(const char *pem) {
    size_t size = strlen(pem);
    return size <= INT_MAX ? BIO_new_mem_buf(pem, (int)size) : NULL;
}

/* At the end of the text OpenSSL reports "no start line". Any other error is a broken block. */
static bool is_at_end(void) {
    unsigned long code = ERR_peek_last_error();
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* Without this, OpenSSL would ask at the terminal. */
static int on_password(char *out, int capacity, int is_writing, void *was_asked) {
    (void)out;
    (void)capacity;
    (void)is_writing;
    *(bool *)was_asked = true;
    return -1;
}

bool x509_read_chain(const char *pem, STACK_OF(X509) * *ret_chain, struct error *error) {
    AUTO(auto_bio) BIO *text = open_text(pem);
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = sk_X509_new_null();
    if (text == NULL || chain == NULL) {
        return x509_fail(error, ERROR_INTERNAL, "reading certificates");
    }
    X509 *certificate;
    bool was_asked = false;
    while ((certificate = PEM_read_bio_X509(text, NULL, on_password, &was_asked)) != NULL) {
        if (sk_X509_push(chain, certificate) == 0) {
            X509_free(certificate);
            return x509_fail(error, ERROR_INTERNAL, "reading certificates");
        }
    }
    if (!is_at_end()) {
        x509_fail(error, ERROR_INVALID, "it does not parse");
        return error_wrap(error, "certificate %d of the chain", sk_X509_num(chain) + 1);
    }
    ERR_clear_error();
    if (sk_X509_num(chain) == 0) {
        return error_set(error, ERROR_INVALID, "there is no certificate in the text");
    }
    *ret_chain = TAKE(chain);
    return true;
}

/* NULL if the block is no certificate that parses. */
static X509 *read_block(const char *name, const char *header, const unsigned char *bytes,
                        long size) {
    const unsigned char *at = bytes;
    bool is_certificate = strcmp(name, PEM_STRING_X509) == 0 && header[0] == '\0';
    X509 *certificate = is_certificate ? d2i_X509(NULL, &at, size) : NULL;
    if (certificate != NULL && at != bytes + size) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

bool x509_read_roots(const char *pem, STACK_OF(X509) * *ret_roots, struct error *error) {
    AUTO(auto_bio) BIO *text = open_text(pem);
    AUTO(x509_auto_chain) STACK_OF(X509) *roots = sk_X509_new_null();
    char *name;
    char *header;
    unsigned char *bytes;
    long size;
    if (text == NULL || roots == NULL) {
        return x509_fail(error, ERROR_INTERNAL, "reading certificates");
    }
    while (!BIO_eof(text)) {
        if (PEM_read_bio(text, &name, &header, &bytes, &size) != 1) {
            continue; /* a broken block, or the end */
        }
        X509 *certificate = read_block(name, header, bytes, size);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(bytes);
        if (certificate != NULL && sk_X509_push(roots, certificate) == 0) {
            X509_free(certificate);
            return x509_fail(error, ERROR_INTERNAL, "reading certificates");
        }
    }
    ERR_clear_error();
    if (sk_X509_num(roots) == 0) {
        return error_set(error, ERROR_INVALID, "there is no certificate in the text");
    }
    *ret_roots = TAKE(roots);
    return true;
}

bool x509_read_key(const char *pem, EVP_PKEY **ret_key, struct error *error) {
    /* OpenSSL only says "unsupported" if the text has no key. */
    if (strstr(pem, "PRIVATE KEY-----") == NULL) {
        return error_set(error, ERROR_INVALID, "there is no private key in the text");
    }
    AUTO(auto_bio) BIO *text = open_text(pem);
    if (text == NULL) {
        return x509_fail(error, ERROR_INTERNAL, "reading the key");
    }
    bool was_asked = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, on_password, &was_asked);
    if (key != NULL) {
        ERR_clear_error();
        *ret_key = key;
        return true;
    }
    if (was_asked) {
        ERR_clear_error();
        return error_set(error, ERROR_INVALID, "the key is protected by a password");
    }
    return x509_fail(error, ERROR_INVALID, "the key does not parse");
}

static bool copy_text(BIO *text, char **ret_pem) {
    const char *bytes = NULL;
    long size = BIO_get_mem_data(text, &bytes);
    *ret_pem = size > 0 ? memory_copy(bytes, (size_t)size) : NULL;
    return size > 0;
}

bool x509_write_certificate(X509 *certificate, char **ret_pem, struct error *error) {
    AUTO(auto_bio) BIO *text = BIO_new(BIO_s_mem());
    return (text != NULL && PEM_write_bio_X509(text, certificate) == 1 &&
            copy_text(text, ret_pem)) ||
           x509_fail(error, ERROR_INTERNAL, "writing a certificate");
}

bool x509_write_key(EVP_PKEY *key, char **ret_pem, struct error *error) {
    AUTO(auto_bio) BIO *text = BIO_new(BIO_s_mem());
    return (text != NULL &&
            PEM_write_bio_PKCS8PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) == 1 &&
            copy_text(text, ret_pem)) ||
           x509_fail(error, ERROR_INTERNAL, "writing a key");
}

bool x509_read_time(const ASN1_TIME *time, int64_t *ret_seconds, struct error *error) {
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return x509_fail(error, ERROR_INVALID, "a date of the certificate does not parse");
    }
    *ret_seconds = timegm(&parts);
    return true;
}
