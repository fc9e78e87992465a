// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_REGISTRATION_H
#define CORE_CERTIFICATES_REGISTRATION_H

/*
 * Our MutatingWebhookConfiguration, as far as this program writes it itself: the caBundle of each
 * entry and, where it is asked to, the failurePolicy. Everything else belongs to whoever installs
 * it. https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

#define REGISTRATIONS_PATH "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"

enum { REGISTRATION_ENTRIES_MAX = 16, REGISTRATION_NAME_SIZE = 254 };

struct registration_entry {
    size_t index; /* in the list of webhooks */
    char name[REGISTRATION_NAME_SIZE];
    char service_namespace[REGISTRATION_NAME_SIZE]; /* empty, as the next, if it is a URL */
    char service_name[REGISTRATION_NAME_SIZE];
    char *bundle_pem; /* decoded; empty if there is none, or none that is base64 */
    bool fails;       /* its failurePolicy is Fail */
};

struct registration {
    struct registration_entry entries[REGISTRATION_ENTRIES_MAX];
    size_t n_entries;
};

/* Of an object as the API server sends it. ERROR_INVALID: it is no JSON object; ERROR_TOO_LARGE: it
   has too many entries. */
bool registration_read(const char *json, size_t size, struct registration *ret_registration,
                       struct error *error) MUST_CHECK;
void registration_fini(struct registration *registration);

/* Forgets the entries that lead elsewhere than to this Service: they are somebody else's, who has a
   certificate of another CA. Returns how many they are. */
size_t registration_keep_service(struct registration *registration, const char *namespace,
                                 const char *name);

/* Whether each entry has this caBundle, and, if asked for, fails. */
bool registration_is_as(const struct registration *registration, const char *bundle_pem,
                        bool fails);

/* The JSON Patch (RFC 6902) that makes it so: for each entry that differs a `test` of its name, so
   that nothing is written where entries have moved meanwhile, and the `add`s. `fails` false leaves
   the failurePolicy as it is. */
void registration_write_patch(const struct registration *registration, const char *bundle_pem,
                              bool fails, struct buffer *out);

#endif
