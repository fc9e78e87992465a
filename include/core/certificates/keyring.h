// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_KEYRING_H
#define CORE_CERTIFICATES_KEYRING_H

/*
 * Reads and writes the Secret that holds Capstan's own certificates:
 *
 *   ca.crt    the trusted CAs, PEM, one after the other
 *   ca.key    the key of the CA that signs
 *   tls.crt   the certificate of the webhook server
 *   tls.key   its key
 *
 * The annotation capstan.dev/rotate, `leaf` or `ca`, asks for a renewal at once.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/certificates/renewal.h"
#include "core/facts/object.h"

#define KEYRING_SECRET_NAME "capstan-certs"

struct keyring {
    char uid[OBJECT_UID_SIZE];
    char resource_version[OBJECT_VERSION_SIZE];
    enum renewal_request asked;
    bool is_asked_unclearly; /* the annotation is neither `leaf` nor `ca` */
    /* PEM. Never NULL; empty if the Secret has none, or if it is not base64. */
    char *ca_crt;
    char *ca_key;
    char *tls_crt;
    char *tls_key;
};

/* Reads a Secret from the API server. ERROR_INVALID if it is no JSON object. The caller owns the
   keyring. */
bool keyring_read(const char *json, size_t size, struct keyring *ret_keyring,
                  struct error *error) MUST_CHECK;

/* Zeroes the keys, and frees. */
void keyring_fini(struct keyring *keyring);

/* True if the four texts are the same. */
bool keyring_is_as(const struct keyring *keyring, const struct keyring *other);

/* Appends the body of the request that writes the keyring: a whole Secret for a POST if its
   resource_version is empty, else a merge patch. The API server refuses the patch (409) if the
   Secret has another version by now. The patch removes the annotation, unless `asked` still asks
   for something. `out` has to be a secret buffer. */
void keyring_write(const struct keyring *keyring, const char *namespace, struct buffer *out);

#endif
