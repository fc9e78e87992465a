// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_PLUGIN_H
#define EDGE_KUBE_KUBE_PLUGIN_H

/*
 * One run of a credential plugin: a process in a group of its own, whose standard output is taken
 * in without blocking. What it prints is no business of this module.
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
    KUBE_PLUGIN_ENDED,  /* well */
    KUBE_PLUGIN_FAILED, /* see the error; the process is gone */
};

/* `access` is borrowed until the run is freed, and has a plugin. */
bool kube_plugin_start(const struct kube_access *access, int64_t now_ms,
                       struct kube_plugin_run **ret_run, struct error *error) MUST_CHECK;

/* Takes in what there is. The output is borrowed from the run, and given only when it ended. */
enum kube_plugin_state kube_plugin_step(struct kube_plugin_run *run, int64_t now_ms,
                                        const char **ret_output, size_t *ret_size,
                                        struct error *error) MUST_CHECK;

/* Kills all of the group if the process has not ended. NULL is none. */
void kube_plugin_free(struct kube_plugin_run *run);

/* Readable when there is something to take in; for poll(). */
int kube_plugin_descriptor(const struct kube_plugin_run *run);

#endif
