// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_HEAL_H
#define CORE_CLUSTER_HEAL_H

/*
 * Finds what admission could not prevent: a stdio MCPServer whose Deployment has more than one
 * replica, because somebody scaled it before Capstan was there, or while it was away.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/admission/policy.h"
#include "core/facts/facts.h"

/* True if the Deployment is to be set to one replica. It must belong to the MCPServer, which must
   be stdio and may be in deletion, and stdio-cap must be in force (enforce or deny, and no
   exemption at `now`, which is seconds since 1970). Both must have a uid: a manifest without one is
   not live. */
bool heal_is_due(const struct policy *policy, const struct fact *server,
                 const struct fact *deployment, int64_t now);

#endif
