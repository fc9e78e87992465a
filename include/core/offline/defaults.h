// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_OFFLINE_DEFAULTS_H
#define CORE_OFFLINE_DEFAULTS_H

/*
 * Fills in the values that the API server sets before it asks a webhook. A manifest that is
 * reviewed without a cluster lacks them, which can change the verdict.
 *
 * Only the values that decisions look at: spec.transport of an MCPServer (the default of its CRD);
 * spec.replicas of a Deployment, the terminationGracePeriodSeconds of its pods and the members of
 * spec.strategy (k8s.io/kubernetes/pkg/apis/apps/v1 and core/v1). An object without a spec stays as
 * it is, and a Deployment without a pod spec gets no grace period: the API server would refuse
 * both.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/facts/object.h"

/* Copies the object to `out` and sets each member that is absent or null. All other bytes stay as
   they are, and so does a member of a wrong type. *ret_any: at least one was set. Fails only if the
   JSON is malformed, and adds nothing then. */
bool defaults_apply(enum object_kind kind, const char *json, size_t size, struct buffer *out,
                    bool *ret_any, struct error *error) MUST_CHECK;

#endif
