// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "edge/x509.h"
#include "x509_pem.h"
#include "x509_strict.h"

static void auto_store(X509_STORE **store) {
    X509_STORE_free(*store);
}

static void auto_context(X509_STORE_CTX **context) {
    X509_STORE_CTX_free(*context);
}

static const char *verdict(int code) {
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        return "the certificate is not signed by a CA of the bundle";
    default:
        return "the certificate is not accepted";
    }
}

static bool verify_chain(STACK_OF(X509) * chain, X509_STORE *store, int64_t now,
                         struct error *error) {
    AUTO(auto_context) X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context == NULL ||
        X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) != 1) {
        return x509_fail(error, ERROR_INTERNAL, "verifying");
    }
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    /* Trust everything in the bundle, even the leaf itself. */
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST |
                                                X509_V_FLAG_NO_CHECK_TIME);
    bool is_good = X509_verify_cert(context) == 1;
    ERR_clear_error();
    if (is_good) {
        return x509_strict_chain(X509_STORE_CTX_get0_chain(context), now, error);
    }
    int code = X509_STORE_CTX_get_error(context);
    return error_set(error, ERROR_INVALID, "%s (%s)", verdict(code),
                     X509_verify_cert_error_string(code));
}

static bool verify_by(STACK_OF(X509) * chain, STACK_OF(X509) * roots, int first, int end,
                      int64_t now, struct error *error) {
    AUTO(auto_store) X509_STORE *store = X509_STORE_new();
    if (store == NULL) {
        return x509_fail(error, ERROR_INTERNAL, "verifying");
    }
    for (int i = first; i < end; i++) {
        if (X509_STORE_add_cert(store, sk_X509_value(roots, i)) != 1) {
            return x509_fail(error, ERROR_INTERNAL, "the bundle");
        }
    }
    return verify_chain(chain, store, now, error);
}

/* If several roots have the same subject and no key identifier, OpenSSL tries only one of them. Go
   tries each. */
static bool verify_by_any(STACK_OF(X509) * chain, STACK_OF(X509) * roots, int64_t now,
                          struct error *error) {
    int n = sk_X509_num(roots);
    struct error ignored;
    bool is_good = verify_by(chain, roots, 0, n, now, error);
    for (int i = 0; i < n && n > 1 && !is_good; i++) {
        is_good = verify_by(chain, roots, i, i + 1, now, &ignored);
    }
    return is_good;
}

bool x509_verify(const char *chain_pem, const char *bundle_pem, const char *dns_name, int64_t now,
                 struct error *error) {
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = NULL;
    AUTO(x509_auto_chain) STACK_OF(X509) *roots = NULL;
    if (!x509_read_chain(chain_pem, &chain, error)) {
        return false;
    }
    if (!x509_read_roots(bundle_pem, &roots, error)) {
        return error_wrap(error, "the bundle");
    }
    if (!x509_strict_sent(chain, error) || !verify_by_any(chain, roots, now, error)) {
        return false;
    }
    return dns_name == NULL || x509_has_name(chain_pem, dns_name) ||
           error_set(error, ERROR_INVALID, "the certificate is not for %s", dns_name);
}

bool x509_has_name(const char *chain_pem, const char *dns_name) {
    /* For OpenSSL, a leading dot means any name below it. */
    if (dns_name[0] == '\0' || dns_name[0] == '.') {
        return false;
    }
    AUTO(x509_auto_chain) STACK_OF(X509) *chain = NULL;
    struct error ignored;
    if (!x509_read_chain(chain_pem, &chain, &ignored)) {
        return false;
    }
    /* As Go verifies: it ignores the common name, and a star stands for a whole label. */
    unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    bool has_name = X509_check_host(sk_X509_value(chain, 0), dns_name, 0, flags, NULL) == 1;
    ERR_clear_error();
    return has_name;
}
