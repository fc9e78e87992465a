// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_HEAL_H
#define CORE_CLUSTER_HEAL_H

/*
 * What admission could not prevent: a stdio MCPServer whose Deployment lives with more than one
 * replica, since it was scaled before Capstan was there, or while it was away.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/admission/policy.h"
#include "core/facts/facts.h"

/* Whether the Deployment is to be set to one replica: it is the live MCPServer's, that is stdio,
   and stdio-cap is in force for it (enforce or deny, not exempt at `now`, seconds since 1970). Both
   must have a uid: what is only a manifest lives nowhere. */
bool heal_is_due(const struct policy *policy, const struct server_fact *server,
                 const struct deployment_fact *deployment, int64_t now);

#endif
