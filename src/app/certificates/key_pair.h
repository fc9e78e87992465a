// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_KEY_PAIR_H
#define APP_CERTIFICATES_KEY_PAIR_H

/*
 * Reads the serving certificate from a folder, as cert-manager or `capstan certs` writes it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "edge/http.h"

struct key_pair {
    const char *dns_name; /* by which the API server calls Capstan; NULL: any name will do */
    bool has_name;        /* the certificate is for that name */
    int64_t begins;       /* seconds since 1970, as are the others */
    int64_t expires;
    /* The times of its issuer, if the file has that. Else both are those of the certificate. */
    int64_t issuer_begins;
    int64_t issuer_expires;
};

/* Reads both files, checks that they are a pair and valid now, and serves them. On an error the
   server keeps the pair that it had. The caller sets `pair->dns_name`; this sets the rest. A
   missing name is no error, since clients may know Capstan by another name. */
bool key_pair_load(const char *folder, const char *certificate_name, const char *key_name,
                   struct http_server *server, struct key_pair *pair,
                   struct error *error) MUST_CHECK;

/* Appends a line if the certificate that was loaded is not valid at this time, and one if its
   issuer is not. */
void key_pair_why_unready(const struct key_pair *pair, int64_t wall_s, struct buffer *out);

/* True if the certificate in the folder, as it is now, is one that the API server's client accepts
   with this caBundle, for this name. False also if it cannot be read. */
bool key_pair_is_trusted(const char *folder, const char *certificate_name, const char *dns_name,
                         const char *bundle_pem);

#endif
