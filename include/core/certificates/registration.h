// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_REGISTRATION_H
#define CORE_CERTIFICATES_REGISTRATION_H

/*
 * The members of our MutatingWebhookConfiguration that this program writes: the caBundle of each
 * entry and, on request, the failurePolicy. All else belongs to the person who installs it.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

#define REGISTRATIONS_PATH "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
#define REGISTRATION_KIND  "MutatingWebhookConfiguration"

/* The entry for autoscalers only warns or refuses, so it never fails closed. */
#define REGISTRATION_AUTOSCALERS_NAME "autoscalers.capstan.dev"

enum { REGISTRATION_ENTRIES_MAX = 16, REGISTRATION_NAME_SIZE = 254, REGISTRATION_ID_SIZE = 64 };

struct registration_entry {
    size_t index; /* in the list of webhooks */
    char name[REGISTRATION_NAME_SIZE];
    char service_namespace[REGISTRATION_NAME_SIZE]; /* this and the next are empty for a URL */
    char service_name[REGISTRATION_NAME_SIZE];
    char *bundle_pem; /* decoded, never NULL; empty if there is none, or if it is not base64 */
    bool fails;       /* its failurePolicy is Fail */
};

struct registration {
    char uid[REGISTRATION_ID_SIZE]; /* this and the next are empty if they are not there */
    char resource_version[REGISTRATION_ID_SIZE];
    struct registration_entry entries[REGISTRATION_ENTRIES_MAX];
    size_t n_entries;
};

/* Reads an object from the API server. ERROR_INVALID if it is no JSON object, ERROR_TOO_LARGE if it
   has more than REGISTRATION_ENTRIES_MAX entries. The caller owns the registration. */
bool registration_read(const char *json, size_t size, struct registration *ret_registration,
                       struct error *error) MUST_CHECK;
void registration_fini(struct registration *registration);

/* Removes the entries that lead elsewhere than to this Service: they belong to somebody else, with
   a certificate of another CA. Returns how many it removed. */
size_t registration_keep_service(struct registration *registration, const char *namespace,
                                 const char *name);

/* True if `fails` is about this entry: it is about all but that for autoscalers. */
bool registration_may_fail(const struct registration_entry *entry);

/* True if each entry has this caBundle and, if `fails`, each that may fail has the failurePolicy
   Fail. */
bool registration_is_as(const struct registration *registration, const char *bundle_pem,
                        bool fails);

/* True if the entries of `before` that registration_write_patch() changes are in `registration` as
   it makes them. */
bool registration_shows(const struct registration *registration, const struct registration *before,
                        const char *bundle_pem, bool fails);

/* A copy of all of it. Free it with registration_fini(). */
struct registration registration_copy(const struct registration *registration);

/* Appends the JSON Patch (RFC 6902) that makes it so. For each entry that differs it has a `test`
   of the name and the `add`s: if entries have moved meanwhile, the API server writes nothing.
   `fails` false leaves the failurePolicy as it is; so does an entry that may not fail. */
void registration_write_patch(const struct registration *registration, const char *bundle_pem,
                              bool fails, struct buffer *out);

#endif
