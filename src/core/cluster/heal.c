// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/heal.h"

#include <string.h>

bool heal_is_due(const struct policy *policy, const struct fact *server,
                 const struct fact *deployment, int64_t now) {
    const struct owner *owner = &deployment->owner;
    bool is_owned = owner->is_controlled && owner->is_mcpserver && server->uid[0] != '\0' &&
                    deployment->uid[0] != '\0' && strcmp(owner->uid, server->uid) == 0 &&
                    strcmp(owner->name, server->name) == 0 &&
                    strcmp(deployment->name, server->name) == 0 &&
                    strcmp(deployment->namespace, server->namespace) == 0;
    if (!is_owned || server->is_deleting || deployment->is_deleting || !server->is_stdio ||
        !number_exceeds(&deployment->replicas, 1)) {
        return false;
    }
    enum mode mode = policy_mode(policy, RULE_STDIO_CAP, server->namespace, server->name, now);
    return mode == MODE_ENFORCE || mode == MODE_DENY;
}
