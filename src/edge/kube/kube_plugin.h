// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_PLUGIN_H
#define EDGE_KUBE_KUBE_PLUGIN_H

/*
 * One run of a credential plugin: a process in its own group. Its standard output is read without
 * blocking and not interpreted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "edge/kubeconfig.h"

enum { KUBE_PLUGIN_OUTPUT_MAX = 1 << 20, KUBE_PLUGIN_TIMEOUT_MS = 60000 };

struct kube_plugin_run;

enum kube_plugin_state {
    KUBE_PLUGIN_RUNS,
    KUBE_PLUGIN_ENDED,  /* with exit status 0 */
    KUBE_PLUGIN_FAILED, /* see the error; the process is gone */
};

/* `access` has a plugin and is borrowed until the run is freed. Free with kube_plugin_free(). */
bool kube_plugin_start(const struct kube_access *access, int64_t now_ms,
                       struct kube_plugin_run **ret_run, struct error *error) MUST_CHECK;

/* Reads what has arrived. Sets the output only for KUBE_PLUGIN_ENDED; it is borrowed from the
   run. */
enum kube_plugin_state kube_plugin_step(struct kube_plugin_run *run, int64_t now_ms,
                                        const char **ret_output, size_t *ret_size,
                                        struct error *error) MUST_CHECK;

/* Kills the group if the process has not ended. NULL is allowed. */
void kube_plugin_free(struct kube_plugin_run *run);

/* For poll(): readable when there is output or the process has ended. */
int kube_plugin_descriptor(const struct kube_plugin_run *run);

#endif
