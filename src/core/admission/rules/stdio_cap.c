// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#define ALLOWS_ONE "stdio transport allows 1 replica"

/*
 * The cap reports a changed count in its warning only, never in a note of its own. On reinvocation
 * the object already carries our patch, and the annotation must be the same as the first time.
 */
static void set_one_replica(struct ruling *ruling) {
    ruling_patch(ruling, PATCH_REPLICAS, 1);
}

static bool is_over_cap(const struct ruling *ruling) {
    return ruling->server->is_stdio && number_exceeds(&ruling->server->replicas, 1);
}

static bool has_backends(const struct ruling *ruling) {
    return number_exceeds(&ruling->review->object.backend_replicas, 1);
}

/* On reinvocation the count is 1, and this has nothing to say. So it says nothing to the audit log
   where backendReplicas go on having their say there. */
static void tell_rewrite(struct ruling *ruling, long long replicas) {
    static const char text[] = ALLOWS_ONE "; spec.replicas set to 1, not %lld";
    if (has_backends(ruling)) {
        ruling_tell(ruling, text, replicas);
    } else {
        ruling_warn(ruling, text, replicas);
    }
}

/* Row 1: the MCPServer itself. Its Deployment is held at 1, so the MCPServer is admitted as it is,
   unless the policy rewrites or refuses it. */
static void cap_server(struct ruling *ruling) {
    long long replicas = ruling->server->replicas.value;
    /* An update that changes neither leaves the spec as it is: a PUT that changes nothing, such as
       a storage migrator's, must stay one. */
    const bool rewrites = ruling->policy->rewrites_spec &&
                          ruling_is_new_violation(ruling, CHANGE_TRANSPORT | CHANGE_REPLICAS);
    if (ruling->mode == MODE_DENY &&
        ruling_is_new_violation(ruling, CHANGE_TRANSPORT | CHANGE_REPLICAS | CHANGE_PROVIDER)) {
        ruling_deny(ruling, ALLOWS_ONE "; spec.replicas is %lld", replicas);
    } else if (ruling->mode == MODE_ENFORCE && rewrites) {
        set_one_replica(ruling);
        tell_rewrite(ruling, replicas);
    } else if (ruling->mode == MODE_WARN && rewrites) {
        ruling_warn(ruling, ALLOWS_ONE "; mode enforce would set spec.replicas to 1, not %lld",
                    replicas);
    } else if (ruling->mode == MODE_WARN) {
        ruling_warn(ruling, ALLOWS_ONE "; mode enforce would hold the Deployment at 1, not %lld",
                    replicas);
    } else {
        ruling_warn(ruling, ALLOWS_ONE "; the Deployment is held at 1, not %lld", replicas);
    }
}

/* Row 2b for stdio: each backend is one process behind the one proxy. The operator makes as many as
   the spec says, so there is nothing to hold. */
const char *stdio_cap_backends(struct ruling *ruling) {
    const struct number *backends = &ruling->review->object.backend_replicas;
    if (ruling->review->kind != OBJECT_MCPSERVER) {
        return "only about MCPServers";
    }
    if (!ruling->server->is_stdio) {
        return "the transport is not stdio";
    }
    if (!has_backends(ruling)) {
        return "spec.backendReplicas is not above 1";
    }
    if (ruling->mode == MODE_DENY &&
        ruling_is_new_violation(ruling, CHANGE_TRANSPORT | CHANGE_BACKENDS)) {
        ruling_deny(ruling, ALLOWS_ONE "; spec.backendReplicas is %lld",
                    (long long)backends->value);
    } else {
        ruling_warn(ruling,
                    ALLOWS_ONE "; spec.backendReplicas %lld makes sessions lose their backend",
                    (long long)backends->value);
    }
    return NULL;
}

/* Row 3 for stdio: a new Deployment of an MCPServer whose spec asks for more than one. It does not
   apply during the deletion of the MCPServer. */
static bool is_spec_driven_create(const struct ruling *ruling) {
    return ruling->review->kind == OBJECT_DEPLOYMENT &&
           ruling->review->operation == REVIEW_CREATE && is_over_cap(ruling) &&
           !ruling->server->is_deleting && !number_is(&ruling->review->object.replicas, 0);
}

static void cap_new_deployment(struct ruling *ruling) {
    long long replicas = ruling->server->replicas.value;
    bool would_change = !number_is(&ruling->replicas, 1);
    if (ruling->mode != MODE_WARN) {
        if (would_change) {
            set_one_replica(ruling);
        }
        ruling_warn(ruling, ALLOWS_ONE "; spec.replicas %lld is held at 1", replicas);
    } else if (would_change) {
        ruling_warn(ruling, ALLOWS_ONE "; mode enforce would hold spec.replicas %lld at 1",
                    replicas);
    }
}

const char *stdio_cap_spec_driven(struct ruling *ruling) {
    if (!ruling->server->is_stdio) {
        return "the transport is not stdio";
    }
    if (!is_over_cap(ruling)) {
        return "spec.replicas is not above 1";
    }
    if (ruling->review->kind == OBJECT_MCPSERVER) {
        cap_server(ruling);
        return NULL;
    }
    if (is_spec_driven_create(ruling)) {
        cap_new_deployment(ruling);
        return NULL;
    }
    return "not a new Deployment that runs";
}

static const char *why_not_externally_driven(const struct ruling *ruling) {
    if (ruling->review->kind != OBJECT_DEPLOYMENT && ruling->review->kind != OBJECT_SCALE) {
        return "only about running Deployments";
    }
    if (!ruling->server->is_stdio) {
        return "the transport is not stdio";
    }
    if (is_spec_driven_create(ruling)) {
        return "the spec-driven path decides";
    }
    return number_exceeds(&ruling->replicas, 1) ? NULL : "the count is not above 1";
}

/* Rows 5 and 6: kubectl scale, an HPA or a person wants more than one of a stdio server, whatever
   its spec says. */
const char *stdio_cap_externally_driven(struct ruling *ruling) {
    long long replicas = ruling->replicas.value;
    const char *reason = why_not_externally_driven(ruling);
    if (reason != NULL) {
        return reason;
    }
    if (ruling->mode == MODE_WARN) {
        ruling_warn(ruling, ALLOWS_ONE "; mode enforce would hold it at 1, not %lld", replicas);
    } else {
        set_one_replica(ruling);
        ruling_warn(ruling, ALLOWS_ONE "; held at 1, not %lld", replicas);
    }
    return NULL;
}

/* Each operation goes as deep as the object does, since `add` needs the parent to be there. */
static void set_no_surge(struct ruling *ruling, const struct object *object) {
    if (object->strategy == PRESENCE_ABSENT) {
        ruling_patch(ruling, PATCH_STRATEGY, 0);
        return;
    }
    if (object->rolling_update == PRESENCE_ABSENT) {
        ruling_patch(ruling, PATCH_ROLLING_UPDATE, 0);
        return;
    }
    if (!number_is(&object->max_surge, 0)) {
        ruling_patch(ruling, PATCH_MAX_SURGE, 0);
    }
    if (!number_is(&object->max_unavailable, 1)) {
        ruling_patch(ruling, PATCH_MAX_UNAVAILABLE, 1);
    }
}

static const char *why_not_surge(const struct ruling *ruling) {
    const struct object *object = &ruling->review->object;
    if (!ruling->policy->prevents_surge) {
        return "preventSurge is off";
    }
    if (ruling->review->kind != OBJECT_DEPLOYMENT) {
        return "only about Deployments";
    }
    if (!ruling->server->is_stdio) {
        return "the transport is not stdio";
    }
    if (object_is_recreate(object)) {
        return "the strategy is Recreate";
    }
    return NULL;
}

/* The default surge of a rolling update runs two proxies of a stdio server side by side. */
const char *stdio_cap_prevent_surge(struct ruling *ruling) {
    const struct object *object = &ruling->review->object;
    const char *reason = why_not_surge(ruling);
    if (reason != NULL) {
        return reason;
    }
    bool is_done = number_is(&object->max_surge, 0) && number_is(&object->max_unavailable, 1);
    if (ruling->mode != MODE_WARN) {
        /* Also where it is done. On reinvocation the annotation must be the same as the first time,
           and the other steps of the cap may have their part in it. */
        ruling_note(ruling, "rolling update without surge");
    }
    if (is_done) {
        return "rollouts have no surge already";
    }
    if (ruling->mode != MODE_WARN) {
        set_no_surge(ruling, object);
    } else if (!ruling_warn_also(ruling, "without surge")) {
        ruling_warn(ruling,
                    "mode enforce would set maxSurge 0 and maxUnavailable 1 for stdio transport");
    }
    return NULL;
}
