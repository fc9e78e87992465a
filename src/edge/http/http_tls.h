// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_TLS_H
#define EDGE_HTTP_HTTP_TLS_H

/*
 * The key pair that answers handshakes. Each connection keeps the pair of its own handshake, so an
 * old pair is freed with its last connection. This is the only file that knows GnuTLS.
 */

#include <microhttpd.h>

#include "base/attribute.h"
#include "base/error.h"

struct http_tls;

/* The part of one connection. */
struct http_tls_session {
    struct http_tls *tls;
    struct key_pair *pair; /* NULL until the handshake asks */
};

struct http_tls *http_tls_new(void);
void http_tls_free(struct http_tls *tls);

/* See http_set_key_pair(). */
bool http_tls_set_key_pair(struct http_tls *tls, const char *chain_pem, const char *key_pem,
                           struct error *error) MUST_CHECK;

/* For MHD_OPTION_ARRAY: TLS 1.2 and 1.3 with the keys of the connection's http_tls. */
enum { HTTP_TLS_N_OPTIONS = 4 };
void http_tls_fill_options(struct MHD_OptionItem out[HTTP_TLS_N_OPTIONS]);

/* Prepares the GnuTLS session of a new connection, before the handshake. */
void http_tls_open(struct http_tls *tls, struct http_tls_session *session, void *gnutls_session);

/* Releases the key pair when GnuTLS has finished with the connection. Does nothing if all zero. */
void http_tls_close(struct http_tls_session *session);

#endif
