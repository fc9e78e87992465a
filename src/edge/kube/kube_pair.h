// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_PAIR_H
#define EDGE_KUBE_KUBE_PAIR_H

/*
 * The client's certificate and key of a kubeconfig, as they are now: a file that holds one of them
 * may be replaced at any time.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/kubeconfig.h"

struct kube_pair {
    const struct kube_access *access;
    bool is_fixed;         /* neither is in a file */
    char *certificate_pem; /* NULL: there is none, or it has not been read yet */
    char *key_pem;
    struct stat certificate_status; /* of the files that were read */
    struct stat key_status;
};

/* Reads nothing yet. The access is borrowed. */
void kube_pair_init(struct kube_pair *pair, const struct kube_access *access);
void kube_pair_fini(struct kube_pair *pair);

/* Reads what is new. What cannot be read, or does not go together, since only one of the two has
   been replaced so far, leaves the last pair in use; without one that is the error. */
bool kube_pair_refresh(struct kube_pair *pair, struct error *error) MUST_CHECK;

#endif
