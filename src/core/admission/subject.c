// SPDX-License-Identifier: Apache-2.0
#include "core/admission/subject.h"

#include <string.h>

#include "base/text.h"

/* The knowledge of the one of a kind that has the name of the object under review. */
enum knowledge {
    UNKNOWN,  /* the facts have none, and nobody has answered */
    RECORDED, /* the facts have it */
    LIVE,     /* the API server has just answered with it */
    GONE,     /* there is none */
};

/* The answer of an owner or a selector: is the object that one's? */
enum sign {
    SIGN_NONE,     /* not that one's */
    SIGN_OURS,     /* that one's */
    SIGN_DOUBTFUL, /* a look-up could tell; or the sign cannot be read */
};

struct search {
    struct facts *facts;
    const struct review *review;
    const struct evidence *evidence; /* NULL: there is no API server to ask */
    struct subject *subject;         /* its server is the one of `kind` */
    enum object_kind kind;
    enum knowledge knowledge;
};

/* Makes the one of this kind the subject's server. */
static enum knowledge know(struct search *search, enum object_kind kind) {
    const struct evidence *evidence = search->evidence;
    const struct review *review = search->review;
    struct fact *server = &search->subject->server;
    if (search->kind == kind) {
        return search->knowledge;
    }
    search->kind = kind;
    search->knowledge = UNKNOWN;
    if (evidence != NULL && evidence->states[kind] == EVIDENCE_FOUND) {
        *server = evidence->servers[kind];
        search->knowledge = LIVE;
    } else if (evidence != NULL && evidence->states[kind] == EVIDENCE_ABSENT) {
        search->knowledge = GONE;
    } else if (facts_find(search->facts, kind, review->namespace, review->name, server)) {
        search->knowledge = RECORDED;
    } else {
        server->name[0] = server->uid[0] = '\0';
    }
    server->kind = kind;
    return search->knowledge;
}

static bool can_ask(const struct search *search, enum object_kind kind) {
    return search->evidence != NULL && search->evidence->states[kind] == EVIDENCE_NONE;
}

static bool is_update(const struct review *review) {
    return review->operation == REVIEW_UPDATE && review->has_old;
}

/* A record without a uid is a manifest's: there is nothing to compare with. */
static bool is_of_uid(const struct fact *server, const struct owner *owner) {
    return server->uid[0] == '\0' || strcmp(server->uid, owner->uid) == 0;
}

static enum sign ask_owner(struct search *search, const struct owner *owner,
                           enum object_kind kind) {
    bool is_live = search->evidence != NULL;
    if (owner->kind != kind || owner->is_unusable || owner->name[0] == '\0' ||
        strcmp(owner->name, search->review->name) != 0 || (is_live && owner->uid[0] == '\0')) {
        return SIGN_NONE;
    }
    enum knowledge knowledge = know(search, kind);
    if (knowledge == UNKNOWN) {
        return SIGN_DOUBTFUL;
    }
    if (knowledge != GONE && is_of_uid(&search->subject->server, owner)) {
        return SIGN_OURS;
    }
    /* The facts may be behind the cluster. */
    return is_live && knowledge == RECORDED ? SIGN_DOUBTFUL : SIGN_NONE;
}

/* The old object keeps the ownerReference that a requester takes off. */
static enum sign ask_owners(struct search *search, enum object_kind kind) {
    const struct review *review = search->review;
    enum sign sign = ask_owner(search, &review->object.owner, kind);
    if (is_update(review) && sign != SIGN_OURS) {
        enum sign old = ask_owner(search, &review->old.owner, kind);
        sign = old != SIGN_NONE ? old : sign;
    }
    return sign;
}

/* A sign that cannot be read is doubtful, unless there is none of the family that it could mean:
   none of this kind, or, if the kind cannot be read either, none at all. */
static enum sign ask_unreadable(struct search *search, enum object_kind kind) {
    bool is_any = kind == OBJECT_OTHER;
    int first = is_any ? OBJECT_FAMILY_FIRST : (int)kind;
    int last = is_any ? OBJECT_FAMILY_LAST : (int)kind;
    bool has_name = search->review->name[0] != '\0';
    for (int i = first; has_name && i <= last; i++) {
        if (know(search, (enum object_kind)i) != GONE) {
            return SIGN_DOUBTFUL;
        }
    }
    return SIGN_NONE;
}

/* The answer of the owners: the kind of the one that they name, OBJECT_OTHER if it cannot be read.
 */
struct claim {
    enum sign sign;
    enum object_kind kind;
};

static struct claim ask_unreadable_owners(struct search *search) {
    const struct review *review = search->review;
    const struct owner *owners[] = {&review->object.owner, &review->old.owner};
    for (size_t i = 0; i < (is_update(review) ? COUNT_OF(owners) : 1); i++) {
        enum object_kind kind = owners[i]->kind;
        if (owners[i]->is_unusable && ask_unreadable(search, kind) == SIGN_DOUBTFUL) {
            return (struct claim){SIGN_DOUBTFUL, kind};
        }
    }
    return (struct claim){SIGN_NONE, OBJECT_OTHER};
}

static struct claim ask_all_owners(struct search *search) {
    struct claim doubt = {SIGN_NONE, OBJECT_OTHER};
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_FAMILY_LAST; i++) {
        enum object_kind kind = (enum object_kind)i;
        enum sign sign = ask_owners(search, kind);
        if (sign == SIGN_OURS) {
            return (struct claim){sign, kind};
        }
        if (sign == SIGN_DOUBTFUL && doubt.sign == SIGN_NONE) {
            doubt = (struct claim){sign, kind};
        }
    }
    return doubt.sign != SIGN_NONE ? doubt : ask_unreadable_owners(search);
}

static enum sign ask_selection(struct search *search, const struct selection *selection,
                               enum object_kind kind) {
    if (selection->is_unusable) {
        return ask_unreadable(search, kind);
    }
    if (!selection_names(selection, kind, search->review->name)) {
        return SIGN_NONE;
    }
    switch (know(search, kind)) {
    case UNKNOWN:
        return SIGN_DOUBTFUL;
    case GONE:
        return SIGN_NONE;
    default:
        return SIGN_OURS;
    }
}

/* The kind to look up next for an owner that cannot be read, which may be of any. Once one of them
   is found, no more can be told. */
static enum object_kind next_unasked(const struct search *search) {
    const struct evidence *evidence = search->evidence;
    for (int kind = OBJECT_FAMILY_FIRST; evidence != NULL && kind <= OBJECT_FAMILY_LAST; kind++) {
        if (evidence->states[kind] == EVIDENCE_NONE) {
            return (enum object_kind)kind;
        }
        if (evidence->states[kind] == EVIDENCE_FOUND) {
            return OBJECT_OTHER;
        }
    }
    return OBJECT_OTHER;
}

static enum object_kind lookup_of(const struct search *search, enum object_kind kind) {
    if (kind == OBJECT_OTHER) {
        return next_unasked(search);
    }
    return can_ask(search, kind) ? kind : OBJECT_OTHER;
}

/* An unreadable sign may mean any of the family. Without an MCPServer of the name, it is one of the
   siblings, for which the same rules hold. OBJECT_OTHER: it may be an MCPServer. */
static enum object_kind only_sibling(struct search *search) {
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        if (know(search, (enum object_kind)kind) != GONE) {
            return kind == OBJECT_MCPSERVER ? OBJECT_OTHER : (enum object_kind)kind;
        }
    }
    return OBJECT_OTHER;
}

/* `kind` may be OBJECT_OTHER: any of the family. */
static void leave_unresolved(struct search *search, enum object_kind kind) {
    struct subject *subject = search->subject;
    subject->state = SUBJECT_UNRESOLVED;
    subject->lookup_kind = lookup_of(search, kind);
    subject->server.kind = kind == OBJECT_OTHER ? only_sibling(search) : kind;
}

static void find(struct search *search, enum object_kind kind, enum subject_scope scope) {
    struct subject *subject = search->subject;
    (void)know(search, kind);
    subject->state = SUBJECT_FOUND;
    subject->scope = subject->server.is_deleting ? SCOPE_HOLD : scope;
    subject->is_confirmed = search->knowledge == LIVE;
    subject->lookup_kind = lookup_of(search, kind);
}

/* The record is older than the object that the operator saw when it wrote the pod template. */
static bool is_stale(const struct search *search) {
    const struct object *deployment = &search->review->object;
    const struct fact *server = &search->subject->server;
    return search->knowledge != LIVE && server->generation != 0 &&
           deployment->generation_note == PRESENCE_SET &&
           deployment->noted_generation > server->generation;
}

/*
 * The selector decides alone only if the owner cannot: a look-up comes first. After one that
 * failed, the cap goes by the facts: otherwise one forged ownerReference and a busy API server
 * would be a way round it. Neither is an owner of another kind a way round it.
 */
static void weigh(struct search *search, const struct selection *selection) {
    struct claim owner = ask_all_owners(search);
    bool is_of_sibling = selection->kind != OBJECT_OTHER && selection->kind != OBJECT_MCPSERVER;
    enum sign selector =
        is_of_sibling ? SIGN_NONE : ask_selection(search, selection, OBJECT_MCPSERVER);
    bool is_capped = selector == SIGN_OURS && search->subject->server.is_stdio;
    bool is_unread = selector == SIGN_DOUBTFUL && !selection->is_unusable;
    bool is_old = selector == SIGN_OURS && is_stale(search);
    bool is_siblings = owner.kind != OBJECT_OTHER && owner.kind != OBJECT_MCPSERVER;
    /* A sibling's claim frees nothing, so the MCPServer of the selector is asked for first. */
    bool is_cap_first = is_siblings && (is_capped || is_unread);
    if (owner.sign == SIGN_OURS && owner.kind == OBJECT_MCPSERVER) {
        find(search, owner.kind, SCOPE_ALL);
    } else if (owner.sign == SIGN_OURS && !is_cap_first) {
        find(search, owner.kind, SCOPE_ALL);
    } else if (owner.sign == SIGN_DOUBTFUL && !is_cap_first &&
               (lookup_of(search, owner.kind) != OBJECT_OTHER || !is_capped)) {
        leave_unresolved(search, owner.kind);
        if (is_siblings && is_old) {
            search->subject->server.kind = OBJECT_OTHER; /* the MCPServer is in doubt as well */
        }
    } else if (selector == SIGN_OURS) {
        find(search, OBJECT_MCPSERVER, SCOPE_CAP);
    } else if (selector == SIGN_DOUBTFUL) {
        leave_unresolved(search, OBJECT_MCPSERVER);
    }
}

/* On a live object labels prove nothing, unless the facts are manifests too (serve --objects). */
static bool find_by_labels(struct search *search, const struct object *object) {
    const struct review *review = search->review;
    const struct evidence *evidence = search->evidence;
    enum object_kind kind = object->labelled;
    struct subject *subject = search->subject;
    struct fact server;
    bool is_unusable = object->instance_presence == PRESENCE_UNUSABLE;
    /* The cap by the selector goes before the labels of a sibling, as before its owner. */
    bool may_be_capped = subject->state == SUBJECT_UNRESOLVED ||
                         (subject->state == SUBJECT_FOUND && subject->server.is_stdio);
    if (kind == OBJECT_OTHER || (may_be_capped && kind != OBJECT_MCPSERVER) ||
        (object->instance[0] == '\0' && !is_unusable)) {
        return false;
    }
    if (!is_unusable &&
        facts_find(search->facts, kind, review->namespace, object->instance, &server)) {
        if (review->is_manifest || server.uid[0] == '\0') {
            subject->server = server;
            search->kind = kind;
            search->knowledge = RECORDED;
            find(search, kind, SCOPE_ALL);
            return true;
        }
    } else if (review->is_manifest && subject->state == SUBJECT_NONE &&
               (evidence == NULL || evidence->states[kind] != EVIDENCE_ABSENT)) {
        leave_unresolved(search, kind);
    }
    return false;
}

static bool knows_labelled_server(const struct search *search, const struct object *object) {
    struct fact server;
    return object->labelled == OBJECT_MCPSERVER && object->instance_presence == PRESENCE_SET &&
           facts_find(search->facts, OBJECT_MCPSERVER, search->review->namespace, object->instance,
                      &server);
}

/* The old labels count first. But if the two name two kinds, the MCPServer counts, as among owners.
 */
static void find_by_all_labels(struct search *search, const struct object *settled,
                               const struct object *object) {
    bool is_new_first =
        settled->labelled != OBJECT_MCPSERVER && knows_labelled_server(search, object);
    const struct object *first = is_new_first ? object : settled;
    const struct object *second = is_new_first ? settled : object;
    (void)(find_by_labels(search, first) || find_by_labels(search, second));
}

/* Anybody may write the annotation. After a look-up that failed, the cap goes by the facts, as in
   weigh(). */
static void settle_stale(struct search *search) {
    const struct evidence *evidence = search->evidence;
    struct subject *subject = search->subject;
    bool has_failed = evidence != NULL && evidence->states[search->kind] == EVIDENCE_FAILED;
    if (!has_failed || !subject->server.is_stdio) {
        leave_unresolved(search, search->kind);
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
    weigh(search, &settled->selection);
    if (!object->owner.is_controlled && !settled->owner.is_controlled) {
        find_by_all_labels(search, settled, object);
    }
    if (subject->state == SUBJECT_FOUND && is_stale(search)) {
        settle_stale(search);
    }
}

/* A count of 0 or 1 is never capped, so it needs no look-up: at most there is a warning. */
static void find_for_scale(struct search *search) {
    const struct review *review = search->review;
    const struct selection *scaled = &review->old.scaled;
    const struct number *count = &review->object.replicas;
    enum object_kind kind = scaled->kind;
    enum sign sign = ask_selection(search, scaled, kind);
    if (count->state == PRESENCE_UNUSABLE) {
        return;
    }
    if (sign == SIGN_OURS) {
        find(search, kind, SCOPE_ALL);
    } else if (sign == SIGN_DOUBTFUL && number_exceeds(count, 1)) {
        leave_unresolved(search, kind);
    }
}

/* The one of the family that a Deployment of the facts belongs to: in the order of weigh(). */
static bool find_owner(struct search *search, const struct fact *deployment) {
    const struct owner *owner = &deployment->owner;
    struct fact *server = &search->subject->server;
    bool is_selected =
        deployment->is_selecting && facts_find(search->facts, OBJECT_MCPSERVER,
                                               deployment->namespace, deployment->name, server);
    if (is_selected && server->is_stdio) {
        return true;
    }
    /* The labels of a manifest, which stand in for an owner, may name one of another name. */
    bool is_named = !owner->is_controlled || strcmp(owner->name, deployment->name) == 0;
    if (kind_is_family(owner->kind) && !owner->is_unusable && is_named &&
        facts_find(search->facts, owner->kind, deployment->namespace, owner->name, server) &&
        is_of_uid(server, owner)) {
        return true;
    }
    return is_selected && facts_find(search->facts, OBJECT_MCPSERVER, deployment->namespace,
                                     deployment->name, server);
}

/* The operator takes the Deployment of a name whoever made it, so before there is one, the name
   tells. */
static bool find_by_name(struct search *search, const char *name) {
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        if (facts_find(search->facts, (enum object_kind)kind, search->review->namespace, name,
                       &search->subject->server)) {
            return true;
        }
    }
    return false;
}

static void find_for_autoscaler(struct search *search) {
    const struct review *review = search->review;
    const char *name = object_scaled_deployment(&review->object);
    struct fact deployment;
    if (name == NULL || object_maximum(&review->object).state == PRESENCE_UNUSABLE ||
        is_being_deleted(review)) {
        return;
    }
    bool is_known =
        facts_find(search->facts, OBJECT_DEPLOYMENT, review->namespace, name, &deployment);
    if (is_known ? find_owner(search, &deployment) : find_by_name(search, name)) {
        search->subject->state = SUBJECT_FOUND;
        search->subject->scope = search->subject->server.is_deleting ? SCOPE_HOLD : SCOPE_ALL;
    }
}

/* A name that cannot be read may be anybody's. */
static void find_for_nameless(struct search *search) {
    const struct review *review = search->review;
    const struct object *old = &review->old;
    const struct object *object = &review->object;
    if (object->owner.kind != OBJECT_OTHER || object->owner.is_unusable ||
        old->owner.kind != OBJECT_OTHER || old->owner.is_unusable ||
        object->selection.kind == OBJECT_MCPSERVER || old->selection.kind == OBJECT_MCPSERVER ||
        old->scaled.kind != OBJECT_OTHER) {
        search->subject->state = SUBJECT_UNRESOLVED;
    }
}

static void find_for_others(struct search *search) {
    const struct review *review = search->review;
    if (review->name_presence == PRESENCE_UNUSABLE ||
        review->namespace_presence == PRESENCE_UNUSABLE) {
        find_for_nameless(search);
    } else if (review->kind == OBJECT_DEPLOYMENT) {
        find_for_deployment(search);
    } else {
        find_for_scale(search);
    }
}

/* The fields of this kind that a rule reads are of their types, or absent. */
static bool is_sound_server(const struct object *object, enum object_kind kind) {
    const struct kind *row = &kind_rows[kind];
    bool has_backends = kind_has(kind, KIND_HAS_BACKENDS);
    return object->replicas.state != PRESENCE_UNUSABLE &&
           object->provider_presence != PRESENCE_UNUSABLE &&
           object->affinity_presence != PRESENCE_UNUSABLE &&
           (row->transport == NULL || object->transport_presence != PRESENCE_UNUSABLE) &&
           (!has_backends || object->backend_replicas.state != PRESENCE_UNUSABLE);
}

/* One of the family under review is its own subject; the facts may not have it yet. */
static void use_server_itself(const struct review *review, struct subject *subject) {
    const struct object *object = &review->object;
    if (is_being_deleted(review) || !is_sound_server(object, review->kind)) {
        return;
    }
    struct fact *server = &subject->server;
    memset(server, 0, offsetof(struct fact, namespace));
    text_copy(server->namespace, sizeof(server->namespace), review->namespace);
    text_copy(server->name, sizeof(server->name), review->name);
    server->uid[0] = '\0';
    server->kind = review->kind;
    server->is_stdio = object_is_stdio(object);
    server->is_redis = object_is_redis(object);
    server->has_session_storage = object->session_storage != PRESENCE_ABSENT;
    server->replicas = object->replicas;
    subject->is_confirmed = true;
    subject->state = SUBJECT_FOUND;
}

void subject_find(struct facts *facts, const struct review *review, const struct evidence *evidence,
                  struct subject *ret_subject) {
    struct search search = {facts, review, evidence, ret_subject, OBJECT_OTHER, UNKNOWN};
    memset(ret_subject, 0, offsetof(struct subject, server));
    ret_subject->server.name[0] = ret_subject->server.uid[0] = '\0';
    ret_subject->server.kind = OBJECT_OTHER;
    if (!review->has_object || review->operation == REVIEW_OTHER) {
        return;
    }
    if (kind_is_family(review->kind)) {
        use_server_itself(review, ret_subject);
    } else if (kind_is_autoscaler(review->kind)) {
        find_for_autoscaler(&search);
    } else if (review->kind == OBJECT_DEPLOYMENT || review->kind == OBJECT_SCALE) {
        find_for_others(&search);
    }
}
