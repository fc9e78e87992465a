// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBECONFIG_DECODE_H
#define EDGE_KUBE_KUBECONFIG_DECODE_H

/*
 * What one cluster, one context and one user of a kubeconfig say. They are JSON here, which is what
 * edge/yaml makes of the file, and errors carry the offset in it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/kubeconfig.h"

enum { KUBECONFIG_PATH_SIZE = 96 };

/* A mapping somewhere in the JSON of a kubeconfig. */
struct kubeconfig_part {
    const char *json;                /* all of it; borrowed */
    size_t at;                       /* where the mapping begins */
    size_t size;                     /* 0: there is none, which is as good as an empty one */
    char path[KUBECONFIG_PATH_SIZE]; /* "clusters[0].cluster" */
};

/* Each text is NULL where it is not given. */
struct kubeconfig_context {
    char *cluster;
    char *user;
    char *namespace;
};

void kubeconfig_context_fini(struct kubeconfig_context *context);

/* For each: keys that are not known are passed over, and null is as good as no value. After an
   error the target is as far as it came, to be given to its fini. `folder` is where relative paths
   start:
   "" or with its slash. */
bool kubeconfig_decode_context(const struct kubeconfig_part *part,
                               struct kubeconfig_context *context, struct error *error) MUST_CHECK;
bool kubeconfig_decode_cluster(const struct kubeconfig_part *part, const char *folder,
                               struct kube_access *access, struct error *error) MUST_CHECK;
bool kubeconfig_decode_user(const struct kubeconfig_part *part, const char *folder,
                            struct kube_access *access, struct error *error) MUST_CHECK;

#endif
