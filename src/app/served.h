// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVED_H
#define APP_SERVED_H

/*
 * Which of Capstan's own certificates a replica serves, and when it may serve another.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/keyring.h"
#include "core/registration.h"
#include "core/renewal.h"
#include "edge/http.h"
#include "edge/x509.h"

struct served {
    char id[X509_ID_SIZE];          /* empty: nothing yet */
    struct x509_certificate issuer; /* `pem` is owned; NULL if it is not known */
    int64_t not_after;
};

void served_fini(struct served *served);

/* What the Secret has, as rotate_view_secret() and rotate_view_trust() see it. */
struct served_offer {
    const struct renewal_view *view;
    const struct keyring *keyring;
    const struct x509_bundle *cas;
    const struct registration *registration;
};

/* Gives the server the leaf of the Secret, if there is one that it does not have and that it may
   serve: one that each entry of the webhook configuration trusts, so that a replica need not rely
   on the leader's patience. Where nothing is served yet, or what is served is not trusted either,
   there is nothing to lose. False only if the server refuses it. */
bool served_take_up(struct served *served, const struct served_offer *offer,
                    struct http_server *server, struct error *error) MUST_CHECK;

/* Whether each entry trusts what is served. */
bool served_is_trusted(const struct served *served, const struct registration *registration);

/* What each caBundle should be: the CAs of the Secret. Where somebody has put others there, that of
   what is served stays trusted until it is served no more. */
void served_write_bundle(const struct served *served, const struct x509_bundle *cas,
                         struct buffer *out);

#endif
