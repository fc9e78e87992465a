// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

/* Row 2. There is nothing to enforce: Capstan cannot make up a session storage. */
const char *session_storage(struct ruling *ruling) {
    long long replicas = ruling->replicas.value;
    if (ruling->review->kind != OBJECT_MCPSERVER) {
        return "only about MCPServers";
    }
    if (!number_exceeds(&ruling->replicas, 1)) {
        return "spec.replicas is not above 1";
    }
    if (ruling->server->is_redis) {
        return "sessions are kept in redis";
    }
    if (ruling->mode == MODE_DENY && ruling_is_new_violation(ruling)) {
        ruling_deny(ruling, "%lld replicas need sessionStorage.provider redis to share sessions",
                    replicas);
    } else {
        ruling_warn(ruling,
                    "%lld replicas do not share sessions unless sessionStorage.provider is redis",
                    replicas);
    }
    return NULL;
}
