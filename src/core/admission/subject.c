// SPDX-License-Identifier: Apache-2.0
#include "core/admission/subject.h"

#include <string.h>

#include "base/text.h"

#define SELECTOR_TERM          "app.kubernetes.io/name=" MCPSERVER_LABEL
#define SELECTOR_INSTANCE_TERM "app.kubernetes.io/instance="

/* The signs of whose a Deployment is, borrowed from the object itself or from its record. */
struct claim {
    const char *namespace;
    const char *name;
    const struct owner *owner;
    bool is_labelled;
    const char *instance;
    bool is_manifest; /* not in a cluster yet, so that only the labels can tell */
};

struct sources {
    struct facts *facts;
    const struct evidence *evidence; /* NULL: there is no API server to ask */
};

static void leave_unresolved(struct subject *subject) {
    subject->state = SUBJECT_UNRESOLVED;
    subject->could_look_up = true;
}

/* An answer of the API server is final, whatever its generation. */
static void use_evidence(const struct evidence *evidence, const struct owner *owner,
                         struct subject *subject) {
    if (evidence->state == EVIDENCE_FOUND && strcmp(evidence->server.uid, owner->uid) == 0) {
        subject->server = evidence->server;
        subject->is_confirmed = true;
        subject->state = SUBJECT_FOUND;
    }
}

static void find_by_owner(const struct sources *sources, const struct claim *claim,
                          struct subject *subject) {
    const struct owner *owner = claim->owner;
    const struct evidence *evidence = sources->evidence;
    if (!owner->is_mcpserver || owner->name[0] == '\0' || strcmp(owner->name, claim->name) != 0 ||
        (evidence != NULL && owner->uid[0] == '\0')) {
        return;
    }
    if (evidence != NULL &&
        (evidence->state == EVIDENCE_FOUND || evidence->state == EVIDENCE_ABSENT)) {
        use_evidence(evidence, owner, subject);
        return;
    }
    bool is_known =
        facts_find_server(sources->facts, claim->namespace, owner->name, &subject->server);
    /* A record without a uid is a manifest's: there is nothing to compare with. */
    bool is_same = is_known &&
                   (subject->server.uid[0] == '\0' || strcmp(subject->server.uid, owner->uid) == 0);
    if (is_same) {
        subject->state = SUBJECT_FOUND;
        subject->could_look_up = true;
    } else if (!is_known || evidence != NULL) {
        /* The facts have another uid. Where a look-up is possible, they may be out of date. Where
           none is, they are the cluster, and the object is another MCPServer's. */
        leave_unresolved(subject);
    }
}

/* On a live object labels prove nothing, unless the facts are manifests too (serve --objects). */
static void find_by_labels(const struct sources *sources, const struct claim *claim,
                           struct subject *subject) {
    const struct evidence *evidence = sources->evidence;
    if (!claim->is_labelled || claim->instance[0] == '\0') {
        return;
    }
    if (facts_find_server(sources->facts, claim->namespace, claim->instance, &subject->server)) {
        bool is_enough = claim->is_manifest || subject->server.uid[0] == '\0';
        subject->state = is_enough ? SUBJECT_FOUND : SUBJECT_NONE;
    } else if (claim->is_manifest) {
        leave_unresolved(subject);
        if (evidence != NULL && evidence->state == EVIDENCE_ABSENT) {
            subject->state = SUBJECT_NONE;
        }
    }
}

static void find_server(const struct sources *sources, const struct claim *claim,
                        struct subject *subject) {
    if (claim->owner->is_controlled) {
        find_by_owner(sources, claim, subject);
    } else {
        find_by_labels(sources, claim, subject);
    }
    if (subject->state == SUBJECT_FOUND && subject->server.is_deleting) {
        subject->state = SUBJECT_NONE;
    }
}

/* The record is older than the MCPServer that the operator saw when it wrote the pod template. */
static bool is_stale(const struct subject *subject, const struct object *deployment) {
    return !subject->is_confirmed && subject->server.generation != 0 &&
           deployment->generation_note == PRESENCE_SET &&
           deployment->noted_generation > subject->server.generation;
}

static bool is_sound_deployment(const struct object *object) {
    return object->replicas.state != PRESENCE_UNUSABLE && object->pod_spec == PRESENCE_SET &&
           object->grace_period.state != PRESENCE_UNUSABLE &&
           object->strategy != PRESENCE_UNUSABLE && object->rolling_update != PRESENCE_UNUSABLE;
}

static void find_for_deployment(const struct sources *sources, const struct review *review,
                                struct subject *subject) {
    const struct object *object = &review->object;
    if (object->is_deleting || !is_sound_deployment(object)) {
        return;
    }
    const struct claim claim = {review->namespace,   review->name,     &object->owner,
                                object->is_labelled, object->instance, review->is_manifest};
    find_server(sources, &claim, subject);
    if (subject->state == SUBJECT_FOUND && is_stale(subject, object)) {
        subject->state = SUBJECT_UNRESOLVED;
    }
}

/* A Deployment from a manifest has no uid. Its name counts only together with both selector terms.
 */
static bool selects_manifest(const struct review *review, const struct fact *manifest) {
    char term[sizeof(SELECTOR_INSTANCE_TERM) + OBJECT_NAME_SIZE] = SELECTOR_INSTANCE_TERM;
    size_t used = strlen(term);
    const char *instance =
        manifest->owner.is_controlled ? manifest->owner.name : manifest->instance;
    text_copy(term + used, sizeof(term) - used, instance);
    return object_selects(review->old.selector, term);
}

/* Finds the scaled Deployment by its uid, never by its name alone: one of another uid is another
   Deployment. */
static bool find_deployment(const struct sources *sources, const struct review *review,
                            const char *uid, struct fact *ret_deployment) {
    if (uid[0] != '\0' && facts_find_deployment(sources->facts, review->namespace, review->name,
                                                uid, ret_deployment)) {
        return true;
    }
    return facts_find_deployment(sources->facts, review->namespace, review->name, NULL,
                                 ret_deployment) &&
           ret_deployment->uid[0] == '\0' && selects_manifest(review, ret_deployment);
}

static void find_for_scale(const struct sources *sources, const struct review *review,
                           struct subject *subject) {
    struct fact deployment;
    /* No rule is about a count of 0 or 1, so it needs no look-up and no warning. */
    if (!object_selects(review->old.selector, SELECTOR_TERM) ||
        !number_exceeds(&review->object.replicas, 1)) {
        return;
    }
    const char *uid = review->object.uid[0] != '\0' ? review->object.uid : review->old.uid;
    if (!find_deployment(sources, review, uid, &deployment)) {
        subject->state = SUBJECT_UNRESOLVED;
        return;
    }
    if (deployment.is_deleting) {
        return;
    }
    const struct claim claim = {deployment.namespace,   deployment.name,     &deployment.owner,
                                deployment.is_labelled, deployment.instance, false};
    find_server(sources, &claim, subject);
}

/* An MCPServer under review is its own subject; the facts may not have it yet. */
static void use_server_itself(const struct review *review, struct subject *subject) {
    const struct object *object = &review->object;
    if (object->is_deleting || object->replicas.state == PRESENCE_UNUSABLE ||
        object->transport_presence == PRESENCE_UNUSABLE ||
        object->provider_presence == PRESENCE_UNUSABLE) {
        return;
    }
    struct fact *server = &subject->server;
    memset(server, 0, offsetof(struct fact, namespace));
    text_copy(server->namespace, sizeof(server->namespace), review->namespace);
    text_copy(server->name, sizeof(server->name), review->name);
    server->uid[0] = '\0';
    server->is_stdio = object_is_stdio(object);
    server->is_redis = object_is_redis(object);
    server->replicas = object->replicas;
    subject->is_confirmed = true;
    subject->state = SUBJECT_FOUND;
}

void subject_find(struct facts *facts, const struct review *review, const struct evidence *evidence,
                  struct subject *ret_subject) {
    const struct sources sources = {facts, evidence};
    memset(ret_subject, 0, offsetof(struct subject, server));
    ret_subject->server.name[0] = ret_subject->server.uid[0] = '\0';
    if (!review->has_object || review->operation == REVIEW_OTHER) {
        return;
    }
    if (review->kind == OBJECT_MCPSERVER) {
        use_server_itself(review, ret_subject);
    } else if (review->kind == OBJECT_DEPLOYMENT) {
        find_for_deployment(&sources, review, ret_subject);
    } else if (review->kind == OBJECT_SCALE) {
        find_for_scale(&sources, review, ret_subject);
    }
}
