// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_SERVED_H
#define APP_CERTIFICATES_SERVED_H

/*
 * Which of Capstan's own certificates a replica serves, and when it may serve another.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/certificates/keyring.h"
#include "core/certificates/registration.h"
#include "core/certificates/renewal.h"
#include "edge/http.h"
#include "edge/x509.h"

struct served {
    char id[X509_ID_SIZE]; /* empty: nothing yet */
    int64_t not_before;    /* seconds since 1970 */
    int64_t not_after;
    struct x509_certificate issuer; /* `pem` is owned; NULL if it is not known */
    struct x509_certificate former; /* who had signed what was served before, likewise ... */
    int64_t former_until_ms;        /* ... which others may serve until then */
};

void served_fini(struct served *served);

/* What the Secret has, as rotate_view_secret() and rotate_view_trust() see it. */
struct served_offer {
    const struct renewal_view *view;
    const struct keyring *keyring;
    const struct x509_bundle *cas;
    const struct registration *registration;
    bool is_trusted_long; /* the signer, by renewal_is_trusted_long() */
    int64_t wall_s;
    int64_t now_ms;
    int64_t trust_delay_ms;
};

/* Gives the server the leaf of the Secret, if there is one that it does not have and that it may
   serve: one that each entry of the webhook configuration has trusted for long enough, so that a
   replica need not rely on the leader's patience. Where nothing is served yet, or what is served is
   not trusted either, there is nothing to lose. What is valid now is not given up for what is not:
   somebody's clock is wrong. False only if the server refuses it. */
bool served_take_up(struct served *served, const struct served_offer *offer,
                    struct http_server *server, struct error *error) MUST_CHECK;

/* Whether it serves the leaf of the keyring. */
bool served_is_of(const struct served *served, const struct keyring *keyring);

/* Whether each entry trusts what is served. */
bool served_is_trusted(const struct served *served, const struct registration *registration);

/* What each caBundle should be: the CAs of the Secret. Where somebody has put others there, that of
   what is served stays trusted until it is served no more, here and by other replicas. */
void served_write_bundle(const struct served *served, const struct x509_bundle *cas, int64_t now_ms,
                         struct buffer *out);

#endif
