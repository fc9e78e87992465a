// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/heal.h"

#include <string.h>

/* By owner or by selector, as in core/admission/subject.h. */
static bool is_of(const struct fact *deployment, const struct fact *server) {
    const struct owner *owner = &deployment->owner;
    bool is_live = server->uid[0] != '\0' && deployment->uid[0] != '\0';
    bool is_named = strcmp(deployment->name, server->name) == 0 &&
                    strcmp(deployment->namespace, server->namespace) == 0;
    bool is_owned = owner->kind == server->kind && !owner->is_unusable &&
                    strcmp(owner->uid, server->uid) == 0 && strcmp(owner->name, server->name) == 0;
    return is_live && is_named && (is_owned || deployment->is_selecting);
}

bool heal_is_due(const struct policy *policy, const struct fact *server,
                 const struct fact *deployment, int64_t now) {
    if (!is_of(deployment, server) || deployment->is_deleting || !server->is_stdio ||
        !number_exceeds(&deployment->replicas, 1)) {
        return false;
    }
    enum mode mode =
        policy_mode(policy, RULE_STDIO_CAP, server->kind, server->namespace, server->name, now);
    return mode == MODE_ENFORCE || mode == MODE_DENY;
}
