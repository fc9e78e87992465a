// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#include <string.h>

/* An operator with a Redis of its own gives it to MCPServers. To the others it gives it if they
   name no session storage. */
static bool shares_sessions(const struct ruling *ruling) {
    const struct fact *server = ruling->server;
    bool takes_default = server->kind == OBJECT_MCPSERVER || !server->has_session_storage;
    return server->is_redis || (ruling->policy->has_default_redis && takes_default);
}

/* `what` are the replicas: "replicas" or "backendReplicas". */
static void find_fault(struct ruling *ruling, long long replicas, const char *what,
                       unsigned broken_by) {
    if (ruling->mode == MODE_DENY && ruling_is_new_violation(ruling, broken_by)) {
        ruling_deny(ruling, "%lld %s need sessionStorage.provider redis to share sessions",
                    replicas, what);
    } else if (strcmp(ruling->review->object.affinity, "None") == 0) {
        ruling_warn(
            ruling,
            "sessionAffinity None: requests of one session reach different %s (%lld); use redis",
            what, replicas);
    } else {
        ruling_warn(ruling, "%lld %s do not share sessions unless sessionStorage.provider is redis",
                    replicas, what);
    }
}

/* Row 2. There is nothing to enforce: Capstan cannot make up a session storage. */
const char *session_storage(struct ruling *ruling) {
    if (!kind_is_family(ruling->review->kind)) {
        return "only about MCPServers, MCPRemoteProxies and VirtualMCPServers";
    }
    if (!number_exceeds(&ruling->replicas, 1)) {
        return "spec.replicas is not above 1";
    }
    if (shares_sessions(ruling)) {
        return "sessions are kept in redis";
    }
    find_fault(ruling, ruling->replicas.value, "replicas",
               CHANGE_REPLICAS | CHANGE_PROVIDER | CHANGE_TRANSPORT);
    return NULL;
}

/* Row 2b. */
const char *session_storage_backends(struct ruling *ruling) {
    const struct number *backends = &ruling->review->object.backend_replicas;
    if (!kind_has(ruling->review->kind, KIND_HAS_BACKENDS)) {
        return "only about MCPServers";
    }
    if (ruling->server->is_stdio) {
        return "stdio is the cap's";
    }
    if (!number_exceeds(backends, 1)) {
        return "spec.backendReplicas is not above 1";
    }
    if (shares_sessions(ruling)) {
        return "sessions are kept in redis";
    }
    find_fault(ruling, backends->value, "backendReplicas",
               CHANGE_BACKENDS | CHANGE_PROVIDER | CHANGE_TRANSPORT);
    return NULL;
}
