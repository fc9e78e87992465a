// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_KEYRING_H
#define CORE_CERTIFICATES_KEYRING_H

/*
 * The Secret that holds Capstan's own certificates, as text in and text out:
 *
 *   ca.crt    the CAs that are to be trusted, PEM, one behind the other
 *   ca.key    the key of one of them, which signs
 *   tls.crt   the certificate that is served, and tls.key its key
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
    bool is_asked_unclearly; /* the annotation is there, and neither `leaf` nor `ca` */
    /* PEM. Never NULL; empty where the Secret has none, or none that is base64. */
    char *ca_crt;
    char *ca_key;
    char *tls_crt;
    char *tls_key;
};

/* Of a Secret as the API server sends it. ERROR_INVALID: it is no JSON object. */
bool keyring_read(const char *json, size_t size, struct keyring *ret_keyring,
                  struct error *error) MUST_CHECK;

/* Wipes the keys, and frees. */
void keyring_fini(struct keyring *keyring);

/* The body that writes it: a whole Secret for a POST if its resource_version is empty, else a merge
   patch that is refused (409) unless the Secret still has that version, and that takes the
   annotation away unless something is still asked for. The caller wipes `out`. */
void keyring_write(const struct keyring *keyring, const char *namespace, struct buffer *out);

#endif
