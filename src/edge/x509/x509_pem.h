// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_X509_X509_PEM_H
#define EDGE_X509_X509_PEM_H

/*
 * PEM text to OpenSSL's types and back, and OpenSSL's errors to ours. Every function here leaves
 * OpenSSL's error queue empty.
 */

#include <stdbool.h>
#include <stdint.h>

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/attribute.h"
#include "base/error.h"

/* For AUTO. */
void x509_auto_key(EVP_PKEY **key);
void x509_auto_certificate(X509 **certificate);
void x509_auto_chain(STACK_OF(X509) * *chain);

/* Sets "what: reason", with the reason of OpenSSL. Returns false. */
bool x509_fail(struct error *error, enum error_kind kind, const char *what);

/* Reads all certificates of the text, at least one. ERROR_INVALID if there is none or one does not
   parse. */
bool x509_read_chain(const char *pem, STACK_OF(X509) * *ret_chain, struct error *error) MUST_CHECK;

/* Reads the certificates of the text that parse, as Go reads a bundle of roots: skips all others,
   and those with headers. ERROR_INVALID if that leaves none. */
bool x509_read_roots(const char *pem, STACK_OF(X509) * *ret_roots, struct error *error) MUST_CHECK;

/* Reads the first key of the text. Refuses a key that needs a password (ERROR_INVALID). */
bool x509_read_key(const char *pem, EVP_PKEY **ret_key, struct error *error) MUST_CHECK;

bool x509_write_certificate(X509 *certificate, char **ret_pem, struct error *error) MUST_CHECK;
bool x509_write_key(EVP_PKEY *key, char **ret_pem, struct error *error) MUST_CHECK;

/* Seconds since 1970. */
bool x509_read_time(const ASN1_TIME *time, int64_t *ret_seconds, struct error *error) MUST_CHECK;

#endif
