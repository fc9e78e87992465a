// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/memory.h"
#include "edge/x509.h"
#include "x509_pem.h"

enum { CERTIFICATES_MAX = 64 };

static bool make_id(X509 *certificate, char out[X509_ID_SIZE], struct error *error) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1 ||
        size != (X509_ID_SIZE - 1) / 2) {
        return x509_fail(error, ERROR_INTERNAL, "hashing the certificate");
    }
    for (unsigned i = 0; i < size; i++) {
        snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
    }
    return true;
}

static bool is_ca(X509 *certificate) {
    /* Makes OpenSSL read the extensions into the flags. */
    bool is_sound = X509_check_purpose(certificate, -1, 0) == 1;
    uint32_t flags = X509_get_extension_flags(certificate);
    bool may_sign = (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) != 0;
    ERR_clear_error();
    return is_sound && (flags & EXFLAG_CA) != 0 && may_sign;
}

static bool read_certificate(X509 *certificate, struct x509_certificate *item,
                             struct error *error) {
    item->is_ca = is_ca(certificate);
    return make_id(certificate, item->id, error) &&
           x509_write_certificate(certificate, &item->pem, error) &&
           x509_read_time(X509_get0_notBefore(certificate), &item->not_before, error) &&
           x509_read_time(X509_get0_notAfter(certificate), &item->not_after, error);
}

bool x509_read_bundle(const char *pem, struct x509_bundle *ret_bundle, struct error *error) {
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = NULL;
    AUTO(x509_bundle_fini) struct x509_bundle bundle = {.n_items = 0};
    if (!x509_read_chain(pem, &chain, error)) {
        return false;
    }
    int n_items = sk_X509_num(chain);
    if (n_items > CERTIFICATES_MAX) {
        return error_set(error, ERROR_TOO_LARGE, "%d certificates, where at most %d may be",
                         n_items, CERTIFICATES_MAX);
    }
    bundle.items = memory_new((size_t)n_items, sizeof(*bundle.items));
    for (int i = 0; i < n_items; i++) {
        bundle.n_items++;
        if (!read_certificate(sk_X509_value(chain, i), &bundle.items[i], error)) {
            return false;
        }
    }
    *ret_bundle = TAKE(bundle);
    return true;
}

void x509_bundle_fini(struct x509_bundle *bundle) {
    for (size_t i = 0; i < bundle->n_items; i++) {
        free(bundle->items[i].pem);
    }
    free(bundle->items);
    *bundle = (struct x509_bundle){.n_items = 0};
}

bool x509_bundle_has(const struct x509_bundle *bundle, const char *id) {
    for (size_t i = 0; i < bundle->n_items; i++) {
        if (strcmp(bundle->items[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

bool x509_is_key_of(const char *certificate_pem, const char *key_pem) {
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = NULL;
    AUTO(x509_auto_key) EVP_PKEY *key = NULL;
    struct error ignored;
    bool is_key = x509_read_chain(certificate_pem, &chain, &ignored) &&
                  x509_read_key(key_pem, &key, &ignored) &&
                  X509_check_private_key(sk_X509_value(chain, 0), key) == 1;
    ERR_clear_error();
    return is_key;
}

bool x509_is_issued_by(const char *chain_pem, const char *ca_pem) {
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = NULL;
    AUTO(x509_auto_chain) STACK_OF(X509) *cas = NULL;
    struct error ignored;
    if (!x509_read_chain(chain_pem, &chain, &ignored) || !x509_read_chain(ca_pem, &cas, &ignored)) {
        return false;
    }
    X509 *ca = sk_X509_value(cas, 0);
    bool is_issued = X509_verify(sk_X509_value(chain, 0), X509_get0_pubkey(ca)) == 1;
    ERR_clear_error();
    return is_issued;
}
