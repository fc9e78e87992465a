// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_X509_X509_STRICT_H
#define EDGE_X509_X509_STRICT_H

/*
 * Refuses what Go's crypto/x509 and crypto/tls refuse beyond OpenSSL, for the client of
 * kube-apiserver (Go 1.26). OpenSSL has found the chain, and checked its signatures and names, but
 * no dates.
 */

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/attribute.h"
#include "base/error.h"

/* Judges what the server sends: Go refuses the whole handshake if it cannot parse one of these,
   also one that the chain does not need. */
bool x509_strict_sent(STACK_OF(X509) * sent, struct error *error) MUST_CHECK;

/* Judges a chain from the leaf to the trusted certificate, at a time in seconds since 1970. */
bool x509_strict_chain(STACK_OF(X509) * chain, int64_t now, struct error *error) MUST_CHECK;

#endif
