// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBECONFIG_EXEC_H
#define EDGE_KUBE_KUBECONFIG_EXEC_H

/*
 * The credential plugin of a user in a kubeconfig: its key `exec`.
 */

#include "edge/kubeconfig.h"
#include "kube_field.h"

/* For a table of fields; the target is a struct kube_plugin *. */
void kubeconfig_read_exec(struct kube_field_reader *reader, const char *path, void *target);

/* NULL is none. */
void kubeconfig_free_plugin(struct kube_plugin *plugin);

#endif
