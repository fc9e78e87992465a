// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_X509_H
#define EDGE_X509_H

/*
 * Certificates through OpenSSL: makes a CA and serving pairs, and reads given ones. PEM text in,
 * PEM text out; no OpenSSL type leaves this module.
 *
 * The profile is what kube-apiserver's client demands: names as subjectAltName (it refuses a common
 * name alone), extendedKeyUsage serverAuth, and a CA with basicConstraints and keyCertSign.
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

/* Makes a self-signed ECDSA P-256 CA. It is valid from one hour before `now` (seconds since 1970).
   Errors: ERROR_INVALID (name or lifetime), ERROR_INTERNAL. Free with x509_pair_fini(). */
bool x509_make_ca(const char *common_name, int64_t now, int64_t lifetime_seconds,
                  struct x509_pair *ret_pair, struct error *error) MUST_CHECK;

/* Makes an ECDSA P-256 serving pair, signed by the CA, for DNS names or IP addresses in text form.
   Give at least one name. The first becomes the common name if it fits 64 bytes. It never outlives
   the CA. Errors: ERROR_INVALID (names, lifetime or CA), ERROR_INTERNAL. Free with
   x509_pair_fini(). */
bool x509_make_leaf(const struct x509_pair *ca, const char *const *names, size_t n_names,
                    int64_t now, int64_t lifetime_seconds, struct x509_pair *ret_pair,
                    struct error *error) MUST_CHECK;

/* Is the first certificate of the chain valid for the DNS name? */
bool x509_has_name(const char *chain_pem, const char *dns_name);

/* "9f86d0...": SHA-256 of the DER encoding, in hexadecimal with a NUL. */
#define X509_ID_SIZE 65

struct x509_certificate {
    char id[X509_ID_SIZE];
    char *pem; /* only this certificate; ends with a newline */
    int64_t not_before;
    int64_t not_after;
    bool is_ca; /* basicConstraints says CA, and keyUsage, if present, has keyCertSign */
};

/* The certificates of a PEM bundle, in order. */
struct x509_bundle {
    struct x509_certificate *items;
    size_t n_items;
};

/* Reads 1 to 64 certificates. Skips text between them. ERROR_TOO_LARGE for more than 64,
   ERROR_INVALID if there is none or one cannot be read. Free with x509_bundle_fini(). */
bool x509_read_bundle(const char *pem, struct x509_bundle *ret_bundle,
                      struct error *error) MUST_CHECK;
void x509_bundle_fini(struct x509_bundle *bundle);

/* Does the bundle have a certificate with this id? */
bool x509_bundle_has(const struct x509_bundle *bundle, const char *id);

/* Does the key belong to the first certificate? False also if one of them cannot be read. */
bool x509_is_key_of(const char *certificate_pem, const char *key_pem);

/* Did the CA sign the first certificate of the chain? Ignores dates. False also if one of them
   cannot be read. */
bool x509_is_issued_by(const char *chain_pem, const char *ca_pem);

/* Verifies the chain at the time `now` as the API server's client does (Go 1.26: crypto/x509 and
   crypto/tls), with the bundle as its only roots: signatures and their digests, keys, dates,
   extensions, CA constraints, serverAuth along the whole chain, and the DNS name unless it is NULL.
   A leaf that is in the bundle is trusted. Skips what is no certificate in the bundle. A few
   odd chains are judged otherwise than by Go; certs/README.md names them. Errors: ERROR_INVALID;
   the text says which check failed. */
bool x509_verify(const char *chain_pem, const char *bundle_pem, const char *dns_name, int64_t now,
                 struct error *error) MUST_CHECK;

#endif
