// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

/* Row 2. There is nothing to enforce: no session storage can be made up. */
void session_storage(struct ruling *ruling) {
    enum mode mode = ruling_mode(ruling, RULE_SESSION_STORAGE);
    const char *reason = mode == MODE_OFF                           ? "off, or exempt"
                         : ruling->review->kind != OBJECT_MCPSERVER ? "only about MCPServers"
                         : !number_exceeds(&ruling->replicas, 1)    ? "spec.replicas is not above 1"
                         : ruling->server->is_redis                 ? "sessions are kept in redis"
                                                                    : NULL;
    if (reason != NULL) {
        ruling_pass(ruling, reason);
        return;
    }
    long long replicas = ruling->replicas.value;
    if (mode == MODE_DENY && ruling_is_new_violation(ruling)) {
        ruling_deny(ruling, RULE_SESSION_STORAGE,
                    "%lld replicas need sessionStorage.provider redis to share sessions", replicas);
    } else {
        ruling_warn(ruling, RULE_SESSION_STORAGE,
                    "%lld replicas do not share sessions unless sessionStorage.provider is redis",
                    replicas);
    }
}
