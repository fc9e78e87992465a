// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_CREDENTIAL_H
#define EDGE_KUBE_KUBE_CREDENTIAL_H

/*
 * The current credential for requests: a fixed token, a token file that is read again after 50 s
 * (as client-go does), a client certificate whose file is read again when it changes, or the output
 * of a credential plugin until it expires. Used by one thread.
 *
 * A plugin runs as a separate process, so asking never blocks. It starts when a credential is
 * needed. Until it ends, the answer is KUBE_CREDENTIAL_PENDING.
 */

#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/kubeconfig.h"

struct kube_credential;

enum kube_credential_state {
    KUBE_CREDENTIAL_READY,
    KUBE_CREDENTIAL_PENDING, /* a plugin runs: ask again when the descriptor is readable */
    KUBE_CREDENTIAL_FAILED,  /* see the error; the plugin rests for 5 s */
};

/* Borrowed until the next call of this module. NULL if there is none of that kind. */
struct kube_identity {
    const char *token;
    const char *certificate_pem;
    const char *key_pem;
};

/* The access is borrowed. Free with kube_credential_free(). */
struct kube_credential *kube_credential_new(const struct kube_access *access);

/* Kills a running plugin. NULL is allowed. */
void kube_credential_free(struct kube_credential *credential);

/* Gets the credential. `now_ms` is clock_boot_ms().

   If the token file cannot be read, is empty or holds no token, the last token stays in use; at
   first that is the token of the kubeconfig. It is a failure only if there is none yet.

   A plugin has 60 s. Its standard input is /dev/null, its standard error is ours. The wall clock
   gives the remaining life of what it printed; from there `now_ms` counts. It is renewed 10 s
   before it expires.

   Unless the state is KUBE_CREDENTIAL_READY, all texts of the identity are NULL. */
enum kube_credential_state kube_credential_get(struct kube_credential *credential, int64_t now_ms,
                                               struct kube_identity *ret_identity,
                                               struct error *error) MUST_CHECK;

/* The API server answered 401. The next kube_credential_get() reads the token file or runs the
   plugin again. Returns whether that can give another credential. */
bool kube_credential_refuse(struct kube_credential *credential);

/* For poll(): readable when the running plugin has printed something or has ended. It stays the
   same while the plugin runs. -1 if none runs. */
int kube_credential_descriptor(const struct kube_credential *credential);

#endif
