// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBECONFIG_DECODE_H
#define EDGE_KUBE_KUBECONFIG_DECODE_H

/*
 * Reads one cluster, one context and one user of a kubeconfig. edge/yaml has made JSON of the file;
 * errors carry the offset in that JSON.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/error.h"
#include "base/json.h"
#include "edge/kubeconfig.h"

enum { KUBECONFIG_PATH_SIZE = 96 };

/* A cluster, a context or a user, somewhere in the JSON of a kubeconfig. */
struct kubeconfig_part {
    struct json_text json;           /* borrowed; empty if the item has none, which reads as null */
    size_t offset;                   /* in all of the JSON */
    char path[KUBECONFIG_PATH_SIZE]; /* "clusters[0].cluster" */
};

/* Each text is NULL if it is not given. */
struct kubeconfig_context {
    char *cluster;
    char *user;
    char *namespace;
};

void kubeconfig_context_fini(struct kubeconfig_context *context);

/* These skip unknown keys and read null as no value. After an error the target is half filled; the
   caller calls its fini. Relative paths start at `folder`: "" or with its slash. */
bool kubeconfig_decode_context(const struct kubeconfig_part *part,
                               struct kubeconfig_context *context, struct error *error) MUST_CHECK;
bool kubeconfig_decode_cluster(const struct kubeconfig_part *part, const char *folder,
                               struct kube_access *access, struct error *error) MUST_CHECK;
bool kubeconfig_decode_user(const struct kubeconfig_part *part, const char *folder,
                            struct kube_access *access, struct error *error) MUST_CHECK;

#endif
