// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#define ALLOWS_ONE "stdio transport allows 1 replica"

static bool is_over_cap(const struct ruling *ruling) {
    return ruling->server->is_stdio && number_exceeds(&ruling->server->replicas, 1);
}

/* Row 1: the MCPServer itself. Its Deployment will be held at 1, so it is admitted as it is, unless
   the policy wants its spec to say so too, or refuses it. */
static void cap_server(struct ruling *ruling, enum mode mode) {
    long long replicas = ruling->server->replicas.value;
    const bool rewrites = ruling->policy->rewrites_spec;
    if (mode == MODE_DENY && ruling_is_new_violation(ruling)) {
        ruling_deny(ruling, RULE_STDIO_CAP, ALLOWS_ONE "; spec.replicas is %lld", replicas);
    } else if (mode == MODE_ENFORCE && rewrites) {
        ruling_patch(ruling, RULE_STDIO_CAP, PATCH_REPLICAS, 1);
        ruling_warn(ruling, RULE_STDIO_CAP, ALLOWS_ONE "; spec.replicas set to 1, not %lld",
                    replicas);
    } else if (mode == MODE_WARN && rewrites) {
        ruling_warn(ruling, RULE_STDIO_CAP,
                    ALLOWS_ONE "; mode enforce would set spec.replicas to 1, not %lld", replicas);
    } else if (mode == MODE_WARN) {
        ruling_warn(ruling, RULE_STDIO_CAP,
                    ALLOWS_ONE "; mode enforce would hold the Deployment at 1, not %lld", replicas);
    } else {
        ruling_warn(ruling, RULE_STDIO_CAP, ALLOWS_ONE "; the Deployment is held at 1, not %lld",
                    replicas);
    }
}

/* Row 3 for stdio: a new Deployment of an MCPServer whose spec asks for more than one. */
static bool is_spec_driven_create(const struct ruling *ruling) {
    return ruling->review->kind == OBJECT_DEPLOYMENT &&
           ruling->review->operation == REVIEW_CREATE && is_over_cap(ruling) &&
           !number_is(&ruling->review->object.replicas, 0);
}

static void cap_new_deployment(struct ruling *ruling, enum mode mode) {
    long long replicas = ruling->server->replicas.value;
    bool would_change = !number_is(&ruling->replicas, 1);
    if (mode != MODE_WARN) {
        if (would_change) {
            ruling_patch(ruling, RULE_STDIO_CAP, PATCH_REPLICAS, 1);
        }
        ruling_warn(ruling, RULE_STDIO_CAP, ALLOWS_ONE "; spec.replicas %lld is held at 1",
                    replicas);
    } else if (would_change) {
        ruling_warn(ruling, RULE_STDIO_CAP,
                    ALLOWS_ONE "; mode enforce would hold spec.replicas %lld at 1", replicas);
    }
}

void stdio_cap_spec_driven(struct ruling *ruling) {
    enum mode mode = ruling_mode(ruling, RULE_STDIO_CAP);
    if (mode == MODE_OFF) {
        ruling_pass(ruling, "off, or exempt");
    } else if (ruling->review->kind == OBJECT_MCPSERVER && is_over_cap(ruling)) {
        cap_server(ruling, mode);
    } else if (is_spec_driven_create(ruling)) {
        cap_new_deployment(ruling, mode);
    } else {
        ruling_pass(ruling, !ruling->server->is_stdio ? "the transport is not stdio"
                            : !is_over_cap(ruling)    ? "spec.replicas is not above 1"
                                                      : "not a new Deployment that runs");
    }
}

/* Rows 5 and 6: somebody (kubectl scale, an HPA, a person) wants more than one of a stdio server,
   whatever its spec says. */
void stdio_cap_externally_driven(struct ruling *ruling) {
    enum mode mode = ruling_mode(ruling, RULE_STDIO_CAP);
    const char *reason = mode == MODE_OFF ? "off, or exempt"
                         : ruling->review->kind == OBJECT_MCPSERVER
                             ? "only about running Deployments"
                         : !ruling->server->is_stdio             ? "the transport is not stdio"
                         : is_spec_driven_create(ruling)         ? "the spec-driven path decides"
                         : !number_exceeds(&ruling->replicas, 1) ? "the count is not above 1"
                                                                 : NULL;
    if (reason != NULL) {
        ruling_pass(ruling, reason);
        return;
    }
    long long replicas = ruling->replicas.value;
    if (mode == MODE_WARN) {
        ruling_warn(ruling, RULE_STDIO_CAP,
                    ALLOWS_ONE "; mode enforce would hold it at 1, not %lld", replicas);
        return;
    }
    ruling_patch(ruling, RULE_STDIO_CAP, PATCH_REPLICAS, 1);
    ruling_warn(ruling, RULE_STDIO_CAP, ALLOWS_ONE "; held at 1, not %lld", replicas);
}

/* Each operation goes as deep as the object does, since `add` needs the parent to be there. */
static void set_no_surge(struct ruling *ruling, const struct object *object) {
    if (object->strategy == PRESENCE_ABSENT) {
        ruling_patch(ruling, RULE_STDIO_CAP, PATCH_STRATEGY, 0);
        return;
    }
    if (object->rolling_update == PRESENCE_ABSENT) {
        ruling_patch(ruling, RULE_STDIO_CAP, PATCH_ROLLING_UPDATE, 0);
        return;
    }
    if (!number_is(&object->max_surge, 0)) {
        ruling_patch(ruling, RULE_STDIO_CAP, PATCH_MAX_SURGE, 0);
    }
    if (!number_is(&object->max_unavailable, 1)) {
        ruling_patch(ruling, RULE_STDIO_CAP, PATCH_MAX_UNAVAILABLE, 1);
    }
}

/* The default surge of a rolling update runs two proxies of a stdio server side by side. */
void stdio_cap_prevent_surge(struct ruling *ruling) {
    enum mode mode = ruling_mode(ruling, RULE_STDIO_CAP);
    const struct object *object = &ruling->review->object;
    bool is_right = number_is(&object->max_surge, 0) && number_is(&object->max_unavailable, 1);
    const char *reason = mode == MODE_OFF                            ? "off, or exempt"
                         : !ruling->policy->prevents_surge           ? "preventSurge is off"
                         : ruling->review->kind != OBJECT_DEPLOYMENT ? "only about Deployments"
                         : !ruling->server->is_stdio                 ? "the transport is not stdio"
                         : object_is_recreate(object)                ? "the strategy is Recreate"
                         : is_right ? "rollouts have no surge already"
                                    : NULL;
    if (reason != NULL) {
        ruling_pass(ruling, reason);
        return;
    }
    if (mode != MODE_WARN) {
        set_no_surge(ruling, object);
    } else if (!ruling_warn_also(ruling, RULE_STDIO_CAP, "without surge")) {
        ruling_warn(ruling, RULE_STDIO_CAP,
                    "mode enforce would set maxSurge 0 and maxUnavailable 1 for stdio transport");
    }
}
