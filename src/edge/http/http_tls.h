// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_TLS_H
#define EDGE_HTTP_HTTP_TLS_H

/*
 * The key pair that handshakes are answered with. Each connection holds on to the pair that it
 * began with, so a pair that was superseded is freed with its last connection and never earlier.
 * The only file that knows GnuTLS.
 */

#include <microhttpd.h>

#include "base/attribute.h"
#include "base/error.h"

struct http_tls;

/* What one connection holds. */
struct http_tls_session {
    struct http_tls *tls;
    struct key_pair *pair; /* NULL until its handshake asks */
};

struct http_tls *http_tls_new(void);
void http_tls_free(struct http_tls *tls);

/* See http_set_key_pair(). */
bool http_tls_set_key_pair(struct http_tls *tls, const char *chain_pem, const char *key_pem,
                           struct error *error) MUST_CHECK;

/* For MHD_OPTION_ARRAY: TLS 1.2 and 1.3 with the keys of the connection's http_tls. */
enum { HTTP_TLS_N_OPTIONS = 4 };
void http_tls_fill_options(struct MHD_OptionItem out[HTTP_TLS_N_OPTIONS]);

/* Before the handshake: prepares the GnuTLS session of a new connection. */
void http_tls_open(struct http_tls *tls, struct http_tls_session *session, void *gnutls_session);

/* After GnuTLS is done with the connection. Does nothing to a zeroed one. */
void http_tls_close(struct http_tls_session *session);

#endif
