// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBECONFIG_AS_H
#define EDGE_KUBE_KUBECONFIG_AS_H

/*
 * Impersonation: the keys as, as-uid, as-groups and as-user-extra of a user in a kubeconfig.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */

#include "base/json_fields.h"

/* Readers for json_fields. Each adds headers ("Impersonate-User: jane") to a NULL-terminated list,
   a char **, which is NULL to begin with. A value that no header can have is a fault. */
void kubeconfig_read_as(struct json_walk *walk, void *headers);
void kubeconfig_read_as_uid(struct json_walk *walk, void *headers);
void kubeconfig_read_as_groups(struct json_walk *walk, void *headers);
void kubeconfig_read_as_extra(struct json_walk *walk, void *headers);

/* Fails the walk if there are headers, and none of them names a user. */
void kubeconfig_check_as(struct json_walk *walk, char **headers);

#endif
