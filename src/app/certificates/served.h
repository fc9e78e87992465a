// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_SERVED_H
#define APP_CERTIFICATES_SERVED_H

/*
 * The one of Capstan's own certificates that this replica serves, and the rule when it may serve
 * another.
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
    struct x509_certificate former; /* the issuer before, likewise ... */
    int64_t former_until_ms;        /* ... other replicas may serve its leaf until then */
};

void served_fini(struct served *served);

/* The content of the Secret, as rotate_view_secret() and rotate_view_trust() see it. */
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

/* Gives the server the leaf of the Secret, if that is new and the replica may serve it. Each entry
   of the webhook configuration must have trusted its issuer for long enough: a replica does not
   rely on the leader's patience. If nothing is served yet, or the entries do not trust the present
   leaf either, there is nothing to lose. A valid leaf is not given up for one that is not valid:
   then somebody's clock is wrong. False only if the server refuses the leaf. */
bool served_take_up(struct served *served, const struct served_offer *offer,
                    struct http_server *server, struct error *error) MUST_CHECK;

/* True if the server has the leaf of the keyring. */
bool served_is_of(const struct served *served, const struct keyring *keyring);

/* True if both the leaf and its issuer are valid. If not, appends a line for each that is not. */
bool served_explain_dates(const struct served *served, int64_t wall_s, struct buffer *out);

/* True if the entry trusts the issuer of the leaf that is served. */
bool served_is_trusted_by(const struct served *served, const struct registration_entry *entry);

/* True if each entry trusts the issuer of the leaf that is served. */
bool served_is_trusted(const struct served *served, const struct registration *registration);

/* Writes what each caBundle should be: the CAs of the Secret. If somebody has replaced those, the
   issuer of the leaf stays in as well, until no replica serves that leaf any more. */
void served_write_bundle(const struct served *served, const struct x509_bundle *cas, int64_t now_ms,
                         struct buffer *out);

#endif
