// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBECONFIG_EXEC_H
#define EDGE_KUBE_KUBECONFIG_EXEC_H

/*
 * Reads the credential plugin of a user in a kubeconfig: its key `exec`.
 */

#include "base/json_fields.h"
#include "edge/kubeconfig.h"

/* For a row of a strict reading; the member is a struct kube_plugin *. */
void kubeconfig_read_exec(struct json_walk *walk, void *at);

/* Puts the folder before the command if that has a slash and is relative. NULL is none. */
void kubeconfig_resolve_plugin(const char *folder, struct kube_plugin *plugin);

/* NULL is none. */
void kubeconfig_free_plugin(struct kube_plugin *plugin);

#endif
