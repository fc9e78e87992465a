// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_X509_H
#define EDGE_X509_H

/*
 * Certificates through OpenSSL: makes a CA and serving pairs, and looks into given ones. PEM text
 * in, PEM text out; no OpenSSL type leaves this module.
 *
 * The profile is what kube-apiserver's client demands: names as subjectAltName (a common name
 * alone is refused), extendedKeyUsage serverAuth, the CA with basicConstraints and keyCertSign.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"

struct x509_pair {
    char *certificate_pem;
    char *key_pem; /* PKCS #8, unencrypted */
};

void x509_pair_fini(struct x509_pair *pair);

/* A self-signed ECDSA P-256 CA, valid from an hour before `now` (seconds since 1970). */
bool x509_make_ca(const char *common_name, int64_t now, int64_t lifetime_seconds,
                  struct x509_pair *ret_pair, struct error *error) MUST_CHECK;

/* An ECDSA P-256 serving pair for the names (DNS names, or IP addresses in text form), signed by
   the CA. At least one name; the first becomes the common name if it fits 64 bytes. */
bool x509_make_leaf(const struct x509_pair *ca, const char *const *names, size_t n_names,
                    int64_t now, int64_t lifetime_seconds, struct x509_pair *ret_pair,
                    struct error *error) MUST_CHECK;

struct x509_info {
    int64_t not_before; /* of the first certificate, seconds since 1970 */
    int64_t not_after;
    char subject[128];
};

/* Checks a pair before it is served: the chain parses, the key is that of its first certificate,
   and `now` is within its dates. */
bool x509_check_pair(const char *chain_pem, const char *key_pem, int64_t now,
                     struct x509_info *ret_info, struct error *error) MUST_CHECK;

/* True if the first certificate of the chain is valid for the DNS name. */
bool x509_has_name(const char *chain_pem, const char *dns_name);

#endif
