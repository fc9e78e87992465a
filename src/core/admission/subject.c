// SPDX-License-Identifier: Apache-2.0
#include "core/admission/subject.h"

#include <string.h>

#include "base/text.h"

/* The knowledge of the MCPServer that has the name of the object under review. */
enum knowledge {
    UNKNOWN,  /* the facts have none, and nobody has answered */
    RECORDED, /* the facts have it */
    LIVE,     /* the API server has just answered with it */
    GONE,     /* there is none */
};

/* The answer of an owner or a selector: is the object that MCPServer's? */
enum sign {
    SIGN_NONE,     /* not that MCPServer's */
    SIGN_OURS,     /* that MCPServer's */
    SIGN_DOUBTFUL, /* a look-up could tell; or the sign cannot be read */
};

struct search {
    struct facts *facts;
    const struct review *review;
    const struct evidence *evidence; /* NULL: there is no API server to ask */
    enum knowledge knowledge;
    struct subject *subject;
};

static void know(struct search *search) {
    const struct evidence *evidence = search->evidence;
    const struct review *review = search->review;
    struct fact *server = &search->subject->server;
    if (evidence != NULL && evidence->state == EVIDENCE_FOUND) {
        *server = evidence->server;
        search->knowledge = LIVE;
    } else if (evidence != NULL && evidence->state == EVIDENCE_ABSENT) {
        search->knowledge = GONE;
    } else if (facts_find_server(search->facts, review->namespace, review->name, server)) {
        search->knowledge = RECORDED;
    }
}

static bool is_update(const struct review *review) {
    return review->operation == REVIEW_UPDATE && review->has_old;
}

/* True if the facts may be behind the cluster. */
static bool may_be_behind(const struct search *search) {
    return search->evidence != NULL && search->knowledge == RECORDED;
}

/* A record without a uid is a manifest's: there is nothing to compare with. */
static bool is_of_uid(const struct fact *server, const struct owner *owner) {
    return server->uid[0] == '\0' || strcmp(server->uid, owner->uid) == 0;
}

static enum sign ask_owner(const struct search *search, const struct owner *owner) {
    bool is_live = search->evidence != NULL;
    if (owner->is_unusable) {
        return SIGN_DOUBTFUL;
    }
    if (!owner->is_mcpserver || owner->name[0] == '\0' ||
        strcmp(owner->name, search->review->name) != 0 || (is_live && owner->uid[0] == '\0')) {
        return SIGN_NONE;
    }
    if (search->knowledge == UNKNOWN) {
        return SIGN_DOUBTFUL;
    }
    if (search->knowledge != GONE && is_of_uid(&search->subject->server, owner)) {
        return SIGN_OURS;
    }
    return may_be_behind(search) ? SIGN_DOUBTFUL : SIGN_NONE;
}

/* The old object keeps the ownerReference that a requester takes off. */
static enum sign ask_owners(const struct search *search) {
    const struct review *review = search->review;
    enum sign sign = ask_owner(search, &review->object.owner);
    if (is_update(review) && sign != SIGN_OURS) {
        enum sign old = ask_owner(search, &review->old.owner);
        sign = old != SIGN_NONE ? old : sign;
    }
    return sign;
}

static enum sign ask_selection(const struct search *search, const struct selection *selection) {
    if (selection->is_unusable) {
        return SIGN_DOUBTFUL;
    }
    if (!selection_names(selection, search->review->name)) {
        return SIGN_NONE;
    }
    return search->knowledge == UNKNOWN ? SIGN_DOUBTFUL : SIGN_OURS;
}

static void leave_unresolved(struct search *search) {
    search->subject->state = SUBJECT_UNRESOLVED;
}

static void find(struct search *search, enum subject_scope scope) {
    struct subject *subject = search->subject;
    subject->state = SUBJECT_FOUND;
    subject->scope = subject->server.is_deleting ? SCOPE_HOLD : scope;
    subject->is_confirmed = search->knowledge == LIVE;
}

/*
 * The selector decides alone only if the owner cannot: a look-up comes first. After one that
 * failed, the cap goes by the facts: otherwise one forged ownerReference and a busy API server
 * would be a way round it.
 */
static void weigh(struct search *search, enum sign owner, enum sign selector) {
    const struct evidence *evidence = search->evidence;
    bool can_ask = evidence != NULL && evidence->state == EVIDENCE_NONE;
    bool is_ours = selector == SIGN_OURS && search->knowledge != GONE;
    bool is_capped = is_ours && search->subject->server.is_stdio;
    if (search->knowledge == GONE) {
        return;
    }
    if (owner == SIGN_OURS) {
        find(search, SCOPE_ALL);
    } else if (owner == SIGN_DOUBTFUL && (can_ask || !is_capped)) {
        leave_unresolved(search);
    } else if (is_ours) {
        find(search, SCOPE_CAP);
    } else if (selector == SIGN_DOUBTFUL) {
        leave_unresolved(search);
    }
}

/* On a live object labels prove nothing, unless the facts are manifests too (serve --objects). */
static bool find_by_labels(struct search *search, const struct object *object) {
    const struct review *review = search->review;
    const struct evidence *evidence = search->evidence;
    struct fact server;
    bool is_unusable = object->instance_presence == PRESENCE_UNUSABLE;
    bool is_pair = object->is_labelled && (object->instance[0] != '\0' || is_unusable);
    if (!is_pair) {
        return false;
    }
    if (!is_unusable &&
        facts_find_server(search->facts, review->namespace, object->instance, &server)) {
        if (review->is_manifest || server.uid[0] == '\0') {
            search->subject->server = server;
            search->knowledge = RECORDED;
            find(search, SCOPE_ALL);
            return true;
        }
    } else if (review->is_manifest && search->subject->state == SUBJECT_NONE &&
               (evidence == NULL || evidence->state != EVIDENCE_ABSENT)) {
        leave_unresolved(search);
    }
    return false;
}

/* The record is older than the MCPServer that the operator saw when it wrote the pod template. */
static bool is_stale(const struct subject *subject, const struct object *deployment) {
    return !subject->is_confirmed && subject->server.generation != 0 &&
           deployment->generation_note == PRESENCE_SET &&
           deployment->noted_generation > subject->server.generation;
}

/* Anybody may write the annotation. After a look-up that failed, the cap goes by the facts, as in
   weigh(). */
static void settle_stale(struct search *search) {
    const struct evidence *evidence = search->evidence;
    struct subject *subject = search->subject;
    bool has_failed = evidence != NULL && evidence->state == EVIDENCE_FAILED;
    if (!has_failed || !subject->server.is_stdio) {
        leave_unresolved(search);
    } else if (subject->scope == SCOPE_ALL) {
        subject->scope = SCOPE_CAP;
    }
}

static bool is_sound_deployment(const struct object *object) {
    return object->replicas.state != PRESENCE_UNUSABLE && object->pod_spec == PRESENCE_SET &&
           object->grace_period.state != PRESENCE_UNUSABLE &&
           object->strategy != PRESENCE_UNUSABLE && object->rolling_update != PRESENCE_UNUSABLE;
}

/* Only an API server begins a deletion. A timestamp that comes with a request is the requester's,
   and the API server drops it from a new object after admission. */
static bool is_being_deleted(const struct review *review) {
    const struct object *settled = review->has_old ? &review->old : &review->object;
    return review->operation == REVIEW_UPDATE && settled->is_deleting;
}

static void find_for_deployment(struct search *search) {
    const struct review *review = search->review;
    const struct object *object = &review->object;
    const struct object *settled = is_update(review) ? &review->old : object;
    struct subject *subject = search->subject;
    if (is_being_deleted(review) || !is_sound_deployment(object)) {
        return;
    }
    weigh(search, ask_owners(search), ask_selection(search, &settled->selection));
    if (!object->owner.is_controlled && !settled->owner.is_controlled) {
        (void)(find_by_labels(search, settled) || find_by_labels(search, object));
    }
    if (subject->state == SUBJECT_FOUND && is_stale(subject, object)) {
        settle_stale(search);
    }
}

/* No rule is about a count of 0 or 1, so it needs no look-up and no warning. */
static void find_for_scale(struct search *search) {
    const struct review *review = search->review;
    enum sign sign = ask_selection(search, &review->old.scaled);
    if (!number_exceeds(&review->object.replicas, 1) || search->knowledge == GONE) {
        return;
    }
    if (sign == SIGN_OURS) {
        find(search, SCOPE_ALL);
    } else if (sign == SIGN_DOUBTFUL) {
        leave_unresolved(search);
    }
}

/* A name that cannot be read may be anybody's. */
static void find_for_nameless(struct search *search) {
    const struct review *review = search->review;
    const struct object *old = &review->old;
    const struct object *object = &review->object;
    if (object->owner.is_mcpserver || object->owner.is_unusable || old->owner.is_mcpserver ||
        old->owner.is_unusable || object->selection.is_mcpserver || old->selection.is_mcpserver ||
        old->scaled.is_mcpserver) {
        leave_unresolved(search);
    }
}

static void find_for_others(struct search *search) {
    const struct review *review = search->review;
    const struct evidence *evidence = search->evidence;
    if (review->name_presence == PRESENCE_UNUSABLE ||
        review->namespace_presence == PRESENCE_UNUSABLE) {
        find_for_nameless(search);
        return;
    }
    search->subject->could_look_up = evidence == NULL || evidence->state == EVIDENCE_NONE;
    know(search);
    if (review->kind == OBJECT_DEPLOYMENT) {
        find_for_deployment(search);
    } else {
        find_for_scale(search);
    }
}

/* An MCPServer under review is its own subject; the facts may not have it yet. */
static void use_server_itself(const struct review *review, struct subject *subject) {
    const struct object *object = &review->object;
    if (is_being_deleted(review) || object->replicas.state == PRESENCE_UNUSABLE ||
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
    struct search search = {facts, review, evidence, UNKNOWN, ret_subject};
    memset(ret_subject, 0, offsetof(struct subject, server));
    ret_subject->server.name[0] = ret_subject->server.uid[0] = '\0';
    if (!review->has_object || review->operation == REVIEW_OTHER) {
        return;
    }
    if (review->kind == OBJECT_MCPSERVER) {
        use_server_itself(review, ret_subject);
    } else if (review->kind == OBJECT_DEPLOYMENT || review->kind == OBJECT_SCALE) {
        find_for_others(&search);
    }
}
