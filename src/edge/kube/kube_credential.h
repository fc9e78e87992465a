// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_CREDENTIAL_H
#define EDGE_KUBE_KUBE_CREDENTIAL_H

/*
 * What requests authenticate with at the moment: a fixed token, a token file that is read again
 * when what is known is older than 50 s (as client-go does), a client certificate, whose file
 * is read again when it is another one, or what a credential plugin printed, until it expires. One
 * thread. A plugin runs as a process beside, so
 * asking never blocks: it is started when a credential is needed, and until it has ended the answer
 * is "pending".
 */

#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/kubeconfig.h"

struct kube_credential;

enum kube_credential_state {
    KUBE_CREDENTIAL_READY,
    KUBE_CREDENTIAL_PENDING, /* a plugin runs: ask again when the descriptor is readable */
    KUBE_CREDENTIAL_FAILED,  /* see the error; the plugin is not started again within 5 s */
};

/* Borrowed until the next call of this module. NULL: none of that kind. */
struct kube_identity {
    const char *token;
    const char *certificate_pem;
    const char *key_pem;
};

/* The access is borrowed. */
struct kube_credential *kube_credential_new(const struct kube_access *access);

/* A plugin that runs is killed. NULL is none. */
void kube_credential_free(struct kube_credential *credential);

/* A token file that cannot be read, is empty or holds no token leaves the last token in use, which
   at first is that of the kubeconfig; if there is none yet, that is a failure. `now_ms` is of
   clock_boot_ms(). A plugin has 60 s; its standard input is /dev/null and its standard error ours.
   How long its credential is good is reckoned by the wall clock when it comes, and from there by
   `now_ms`: it is renewed 10 s before it expires. Unless it is ready, the identity has no texts. */
enum kube_credential_state kube_credential_get(struct kube_credential *credential, int64_t now_ms,
                                               struct kube_identity *ret_identity,
                                               struct error *error) MUST_CHECK;

/* The API server answered 401: a token file is read again, a plugin run again, the next time.
   Returns whether there is any point in asking again with what comes then. */
bool kube_credential_refuse(struct kube_credential *credential);

/* Of the plugin that runs, for poll(): readable when it has printed something or ended. It stays
   the same for as long as the plugin runs; -1 when there is none. */
int kube_credential_descriptor(const struct kube_credential *credential);

#endif
