// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_TLS_H
#define EDGE_HTTP_TLS_H

/*
 * The dates of a certificate that the server is about to serve. edge/x509 reads dates too, but its
 * library takes milliseconds to start; GnuTLS, which serves the certificate, has started anyway.
 */

#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"

/* In seconds since 1970. */
struct http_tls_validity {
    int64_t not_before;
    int64_t not_after;
};

/* The dates of the first certificate of a chain (PEM). Error: ERROR_INVALID. */
bool http_tls_read_validity(const char *chain_pem, struct http_tls_validity *ret_validity,
                            struct error *error) MUST_CHECK;

#endif
