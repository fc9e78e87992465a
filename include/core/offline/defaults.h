// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_OFFLINE_DEFAULTS_H
#define CORE_OFFLINE_DEFAULTS_H

/*
 * What the API server fills in before it asks a webhook. A manifest that is reviewed without a
 * cluster lacks these values, and the verdict on it could be another one.
 *
 * Only what a decision looks at: of an MCPServer spec.transport (the default of its CRD), of a
 * Deployment spec.replicas, the terminationGracePeriodSeconds of its pods and the members of
 * spec.strategy (k8s.io/kubernetes/pkg/apis/apps/v1 and core/v1). An object without a spec is left
 * alone, and a Deployment without a pod spec has no grace period; the API server would refuse both.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/facts/object.h"

/* Copies the object to `out` with each default set that is absent or null; all other bytes stay as
   they are, and so does a member of a wrong type. *ret_any tells whether a default was set. Fails,
   with nothing added, only if the JSON is malformed. */
bool defaults_apply(enum object_kind kind, const char *json, size_t size, struct buffer *out,
                    bool *ret_any, struct error *error) MUST_CHECK;

#endif
