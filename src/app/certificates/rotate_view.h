// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ROTATE_VIEW_H
#define APP_CERTIFICATES_ROTATE_VIEW_H

/*
 * Looks into the certificates, and fills in the view by which core/certificates/renewal decides.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/certificates/keyring.h"
#include "core/certificates/registration.h"
#include "core/certificates/renewal.h"
#include "edge/x509.h"

/* Fills in the view's members about the Secret, and returns its CAs in the view's order. `keyring`
   is NULL if there is no Secret. `names` are those that the leaf must have. */
void rotate_view_secret(const struct keyring *keyring, const char *const *names, size_t n_names,
                        struct renewal_view *view, struct x509_bundle *ret_cas);

/* Fills in which of the view's CAs every entry trusts, and whether an entry trusts another CA that
   is still valid at `now`. `cas` are the view's CAs. */
void rotate_view_trust(const struct registration *registration, const struct x509_bundle *cas,
                       int64_t now, struct renewal_view *view);

/* The latest begin of a certificate in the Secret, of which `view` and `cas` tell, or in a
   caBundle; 0 if there is none. */
int64_t rotate_view_latest_begin(const struct registration *registration,
                                 const struct x509_bundle *cas, const struct renewal_view *view);

/* True if the entry's caBundle has this CA. */
bool rotate_view_trusts(const struct registration_entry *entry, const char *id);

/* True if every entry's caBundle has this CA; false if there is no entry. */
bool rotate_view_is_trusted(const struct registration *registration, const char *id);

#endif
