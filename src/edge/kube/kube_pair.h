// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_PAIR_H
#define EDGE_KUBE_KUBE_PAIR_H

/*
 * The current client certificate and key of a kubeconfig. A file that holds one of them may be
 * replaced at any time.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/kubeconfig.h"

struct kube_pair {
    const struct kube_access *access;
    bool is_fixed;         /* neither is a file */
    char *certificate_pem; /* NULL if there is none, or before the first read */
    char *key_pem;
    struct stat certificate_status; /* of the files, before they were read */
    struct stat key_status;
};

/* Reads nothing yet. The access is borrowed. */
void kube_pair_init(struct kube_pair *pair, const struct kube_access *access);
void kube_pair_fini(struct kube_pair *pair);

/* Reads files that changed. If one cannot be read, or if the two do not match because only one was
   replaced so far, the last pair stays in use. It is an error only if there is no last pair. */
bool kube_pair_refresh(struct kube_pair *pair, struct error *error) MUST_CHECK;

#endif
