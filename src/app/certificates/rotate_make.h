// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ROTATE_MAKE_H
#define APP_CERTIFICATES_ROTATE_MAKE_H

/*
 * Makes the new content of the Secret that core/certificates/renewal orders.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "core/certificates/keyring.h"
#include "core/certificates/registration.h"
#include "core/certificates/renewal.h"
#include "edge/x509.h"

/* All borrowed. */
struct rotate_sources {
    const struct keyring *present; /* NULL: there is no Secret */
    const struct x509_bundle *cas; /* of the present one, in the order of ca.crt */
    size_t signer;                 /* the index of the signer in them */
    const struct keyring *memory;  /* for RENEWAL_RESTORE */
    const struct registration *registration;
    const char *const *names; /* for a leaf */
    size_t n_names;
    int64_t now; /* seconds since 1970 */
};

/* For an order with RENEWAL_WRITE. The result has the uid and the resource_version of the present
   Secret. */
bool rotate_make(const struct renewal_order *order, const struct rotate_sources *sources,
                 struct keyring *ret_keyring, struct error *error) MUST_CHECK;

/* A keyring with copies of the four texts, and nothing else. */
struct keyring rotate_make_copy(const struct keyring *keyring);

#endif
