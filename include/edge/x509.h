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

/* True if the first certificate of the chain is valid for the DNS name. */
bool x509_has_name(const char *chain_pem, const char *dns_name);

/* "9f86d0...": SHA-256 of the DER encoding in hexadecimal, and a NUL. */
#define X509_ID_SIZE 65

struct x509_certificate {
    char id[X509_ID_SIZE];
    char *pem; /* of this one alone, ending in a newline */
    int64_t not_before;
    int64_t not_after;
    bool is_ca; /* basicConstraints says CA, and keyUsage, if there is any, keyCertSign */
};

/* The certificates of a PEM bundle, in its order. */
struct x509_bundle {
    struct x509_certificate *items;
    size_t n_items;
};

/* At least one certificate and at most 64 (ERROR_TOO_LARGE), and nothing that cannot be read. Text
   between them is passed over. */
bool x509_read_bundle(const char *pem, struct x509_bundle *ret_bundle,
                      struct error *error) MUST_CHECK;
void x509_bundle_fini(struct x509_bundle *bundle);

/* Whether a certificate of this id is in it. */
bool x509_bundle_has(const struct x509_bundle *bundle, const char *id);

/* Whether the key is that of the first certificate. False also if one of them cannot be read. */
bool x509_is_key_of(const char *certificate_pem, const char *key_pem);

/* Whether the CA has signed the first certificate of the chain. Dates do not matter. */
bool x509_is_issued_by(const char *chain_pem, const char *ca_pem);

/* Verifies the chain at the time `now` as the API server's client does, with the bundle as its only
   roots: signatures, dates, CA constraints, serverAuth, and the DNS name, unless that is NULL. A
   leaf that is itself in the bundle is trusted. Errors: ERROR_INVALID, and the text says which
   check failed. */
bool x509_verify(const char *chain_pem, const char *bundle_pem, const char *dns_name, int64_t now,
                 struct error *error) MUST_CHECK;

#endif
