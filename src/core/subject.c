// SPDX-License-Identifier: Apache-2.0
#include "core/subject.h"

#include <string.h>

#include "base/text.h"

#define SELECTOR_TERM          "app.kubernetes.io/name=" MCPSERVER_LABEL
#define SELECTOR_INSTANCE_TERM "app.kubernetes.io/instance="

/* What says whose a Deployment is; taken from the object itself, or from its record. */
struct claim {
    const char *namespace;
    const char *name;
    const struct owner *owner;
    bool is_labelled;
    const char *instance;
};

static void find_by_owner(struct facts *facts, const struct claim *claim, struct subject *subject) {
    const struct owner *owner = claim->owner;
    if (!owner->is_mcpserver || owner->name[0] == '\0' || strcmp(owner->name, claim->name) != 0) {
        return;
    }
    if (!facts_find_server(facts, claim->namespace, owner->name, &subject->server)) {
        subject->state = SUBJECT_UNRESOLVED;
        return;
    }
    /* A record without a uid is a manifest's: there is nothing to compare with. */
    if (subject->server.uid[0] == '\0' || strcmp(subject->server.uid, owner->uid) == 0) {
        subject->state = SUBJECT_FOUND;
    }
}

static void find_by_labels(struct facts *facts, const struct claim *claim,
                           struct subject *subject) {
    if (claim->is_labelled && claim->instance[0] != '\0' &&
        facts_find_server(facts, claim->namespace, claim->instance, &subject->server) &&
        subject->server.uid[0] == '\0') {
        subject->state = SUBJECT_FOUND;
    }
}

static void find_server(struct facts *facts, const struct claim *claim, struct subject *subject) {
    if (claim->owner->is_controlled) {
        find_by_owner(facts, claim, subject);
    } else {
        find_by_labels(facts, claim, subject);
    }
    if (subject->state == SUBJECT_FOUND && subject->server.is_deleting) {
        subject->state = SUBJECT_NONE;
    }
}

/* The record is older than what the operator saw when it wrote the pod template. */
static bool is_stale(const struct server_fact *server, const struct object *deployment) {
    return server->generation != 0 && deployment->generation_note == PRESENCE_SET &&
           deployment->noted_generation > server->generation;
}

static bool is_sound_deployment(const struct object *object) {
    return object->replicas.state != NUMBER_WRONG && object->pod_spec == PRESENCE_SET &&
           object->grace_period.state != NUMBER_WRONG && object->strategy != PRESENCE_WRONG &&
           object->rolling_update != PRESENCE_WRONG;
}

static void find_for_deployment(struct facts *facts, const struct review *review,
                                struct subject *subject) {
    const struct object *object = &review->object;
    if (object->is_deleting || !is_sound_deployment(object)) {
        return;
    }
    const struct claim claim = {review->namespace, review->name, &object->owner,
                                object->is_labelled, object->instance};
    find_server(facts, &claim, subject);
    if (subject->state == SUBJECT_FOUND && is_stale(&subject->server, object)) {
        subject->state = SUBJECT_UNRESOLVED;
    }
}

/* A manifest's Deployment has no uid; its name counts only together with both selector terms. */
static bool find_manifest(struct facts *facts, const struct review *review,
                          struct deployment_fact *ret) {
    char term[sizeof(SELECTOR_INSTANCE_TERM) + OBJECT_NAME_SIZE] = SELECTOR_INSTANCE_TERM;
    size_t used = strlen(term);
    if (!facts_find_manifest_deployment(facts, review->namespace, review->name, ret)) {
        return false;
    }
    const char *instance = ret->owner.is_controlled ? ret->owner.name : ret->instance;
    text_copy(term + used, sizeof(term) - used, instance);
    return object_selects(review->old.selector, term);
}

static void find_for_scale(struct facts *facts, const struct review *review,
                           struct subject *subject) {
    struct deployment_fact deployment;
    /* A count of 0 or 1 is nobody's concern: no look-up, and no warning if it cannot be made. */
    if (!object_selects(review->old.selector, SELECTOR_TERM) ||
        !number_exceeds(&review->object.replicas, 1)) {
        return;
    }
    const char *uid = review->object.uid[0] != '\0' ? review->object.uid : review->old.uid;
    bool is_known = (uid[0] != '\0' && facts_find_deployment(facts, uid, &deployment)) ||
                    find_manifest(facts, review, &deployment);
    if (!is_known) {
        subject->state = SUBJECT_UNRESOLVED;
        return;
    }
    if (deployment.is_deleting) {
        return;
    }
    const struct claim claim = {deployment.namespace, deployment.name, &deployment.owner,
                                deployment.is_labelled, deployment.instance};
    find_server(facts, &claim, subject);
}

/* An MCPServer under review is its own subject; the facts may not have it yet. */
static void take_server(const struct review *review, struct subject *subject) {
    const struct object *object = &review->object;
    if (object->is_deleting || object->replicas.state == NUMBER_WRONG ||
        object->transport_presence == PRESENCE_WRONG ||
        object->provider_presence == PRESENCE_WRONG) {
        return;
    }
    struct server_fact *server = &subject->server;
    text_copy(server->namespace, sizeof(server->namespace), review->namespace);
    text_copy(server->name, sizeof(server->name), review->name);
    server->is_stdio = object_is_stdio(object);
    server->is_redis = object_is_redis(object);
    server->replicas = object->replicas;
    subject->is_confirmed = true;
    subject->state = SUBJECT_FOUND;
}

void subject_find(struct facts *facts, const struct review *review, struct subject *ret_subject) {
    *ret_subject = (struct subject){.state = SUBJECT_NONE};
    if (!review->has_object || review->operation == REVIEW_OTHER) {
        return;
    }
    switch (review->kind) {
    case OBJECT_MCPSERVER:
        take_server(review, ret_subject);
        return;
    case OBJECT_DEPLOYMENT:
        find_for_deployment(facts, review, ret_subject);
        return;
    case OBJECT_SCALE:
        find_for_scale(facts, review, ret_subject);
        return;
    case OBJECT_OTHER:
        return;
    }
}
