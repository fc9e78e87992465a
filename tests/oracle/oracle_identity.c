// SPDX-License-Identifier: Apache-2.0

/*
 * Whose is D? DESIGN.md 1, "Whose is D?", and row 12.
 */

#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "oracle_parts.h"
#include "tree.h"

#define NAME_LABEL      "app.kubernetes.io/name"
#define INSTANCE_LABEL  "app.kubernetes.io/instance"
#define GENERATION_NOTE "toolhive.stacklok.dev/mcpserver-generation"

enum { CLAIMS_MAX = 16 };

/* The claims of the controller references of the new and of the old object, about one kind. */
struct claims {
    const char *uids[CLAIMS_MAX]; /* of those that name one of the kind and the object's name */
    size_t n_new;                 /* so many of them are the new object's */
    size_t n_uids;
    bool has_controller; /* there is one, whatever its kind */
    bool is_unreadable;  /* one of them cannot be read */
    bool is_of_any;      /* its kind cannot */
};

enum pair { PAIR_NONE, PAIR_OURS, PAIR_UNREADABLE };

/* An owner whose kind cannot be read may be any of the three. */
static void read_claim(const cJSON *reference, enum family of, const char *name,
                       struct claims *claims) {
    struct text version = oracle_text(tree_at(reference, "apiVersion", NULL), SIZE_MAX);
    struct text kind = oracle_text(tree_at(reference, "kind", NULL), LIMIT_KIND);
    struct text its = oracle_text(tree_at(reference, "name", NULL), LIMIT_NAME);
    struct text uid = oracle_text(tree_at(reference, "uid", NULL), LIMIT_UID);
    if ((version.state != UNUSABLE && !oracle_is_group(version.value, TOOLHIVE)) ||
        (kind.state != UNUSABLE && strcmp(kind.value, oracle_kinds[of]) != 0)) {
        return;
    }
    if (kind.state == UNUSABLE) {
        claims->is_of_any = true;
    }
    if (version.state == UNUSABLE || kind.state == UNUSABLE || its.state == UNUSABLE ||
        uid.state == UNUSABLE) {
        claims->is_unreadable = true;
    } else if (strcmp(its.value, name) == 0 && claims->n_uids < CLAIMS_MAX) {
        claims->uids[claims->n_uids++] = uid.value;
    }
}

static void read_claims_of(const cJSON *object, enum family of, const char *name,
                           struct claims *claims) {
    const cJSON *references = tree_at(object, "metadata", "ownerReferences", NULL);
    const cJSON *reference;
    cJSON_ArrayForEach(reference, references) {
        if (cJSON_IsTrue(tree_at(reference, "controller", NULL))) {
            claims->has_controller = true;
            read_claim(reference, of, name, claims);
        }
    }
}

static struct claims read_claims(const struct request *request, enum family of) {
    struct claims claims = {.n_uids = 0};
    read_claims_of(request->object, of, request->name.value, &claims);
    claims.n_new = claims.n_uids;
    read_claims_of(request->old, of, request->name.value, &claims);
    return claims;
}

/* Does one of the references name the one with that uid? A record without uid takes all. */
static bool claims_name(const struct claims *claims, size_t n, const struct server *server) {
    for (size_t i = 0; i < n; i++) {
        if (server->uid[0] == '\0' || strcmp(claims->uids[i], server->uid) == 0) {
            return true;
        }
    }
    return false;
}

/* A reference without uid is none, except to a record without one. */
static bool has_claim(const struct claims *claims) {
    for (size_t i = 0; i < claims->n_uids; i++) {
        if (claims->uids[i][0] != '\0') {
            return true;
        }
    }
    return false;
}

/* The selector of a Deployment speaks of MCPServers alone. */
static enum pair selector_of(const cJSON *object, const char *expected) {
    const cJSON *selector = tree_at(object, "spec", "selector", NULL);
    const cJSON *labels = tree_at(selector, "matchLabels", NULL);
    struct text name = oracle_text(tree_at(labels, NAME_LABEL, NULL), LIMIT_NAME);
    struct text instance = oracle_text(tree_at(labels, INSTANCE_LABEL, NULL), LIMIT_NAME);
    if (oracle_object(selector) == UNUSABLE || oracle_object(labels) == UNUSABLE) {
        return PAIR_UNREADABLE;
    }
    if ((name.state != UNUSABLE && strcmp(name.value, oracle_labels[MCPSERVER]) != 0) ||
        (instance.state != UNUSABLE && strcmp(instance.value, expected) != 0)) {
        return PAIR_NONE;
    }
    return name.state == SET && instance.state == SET ? PAIR_OURS : PAIR_UNREADABLE;
}

static enum pair read_selector(const struct request *request) {
    return selector_of(request->old != NULL ? request->old : request->object, request->name.value);
}

/* The one without uid that the labels of the object name. */
static struct server labels_name(const struct request *request, const cJSON *object) {
    struct server none = {.uid = ""};
    const cJSON *labels = tree_at(object, "metadata", "labels", NULL);
    struct text name = oracle_text(tree_at(labels, NAME_LABEL, NULL), LIMIT_NAME);
    struct text instance = oracle_text(tree_at(labels, INSTANCE_LABEL, NULL), LIMIT_NAME);
    for (enum family kind = MCPSERVER; kind < FAMILY; kind++) {
        if (strcmp(name.value, oracle_labels[kind]) == 0 && instance.state == SET) {
            struct server server = oracle_find_server(request->question->facts, kind,
                                                      request->namespace.value, instance.value);
            return server.uid[0] == '\0' ? server : none;
        }
    }
    return none;
}

/* Labels count if records have no uids: the old ones before the new ones. */
static struct server by_labels(const struct request *request, enum family kind) {
    struct server server = labels_name(request, request->old);
    if (!server.is_there || server.kind != kind) {
        server = labels_name(request, request->object);
    }
    server.is_there = server.is_there && server.kind == kind;
    return server;
}

struct integer oracle_noted_generation(const cJSON *deployment) {
    struct integer none = {UNUSABLE, 0};
    struct text note = oracle_text(
        tree_at(deployment, "spec", "template", "metadata", "annotations", GENERATION_NOTE, NULL),
        LIMIT_NAME);
    if (note.state == ABSENT) {
        return (struct integer){ABSENT, 0};
    }
    size_t size = strlen(note.value);
    if (size == 0 || size > 18 || strspn(note.value, "0123456789") != size) {
        return none;
    }
    return (struct integer){SET, strtoll(note.value, NULL, 10)};
}

static bool is_behind(const struct request *request, const struct server *server) {
    struct integer noted = oracle_noted_generation(request->object);
    return server->generation > 0 && noted.state == SET && noted.value > server->generation;
}

static struct identity found(enum identity_state state, const struct server *server) {
    return (struct identity){.state = state, .server = *server};
}

/* Not by owner, but the MCPServer is there. Where an owner cannot be read, the cap alone can be
   decided about; of another transport, the owner could be what matters. */
static enum identity_state by_selector(const struct claims *claims, enum pair pair,
                                       const struct server *server) {
    if (pair == PAIR_OURS && (server->is_stdio || !claims->is_unreadable)) {
        return IDENTITY_SELECTED;
    }
    return claims->is_unreadable || pair == PAIR_UNREADABLE ? IDENTITY_UNRESOLVED : IDENTITY_NONE;
}

/* Do the facts say that it is the MCPServer's, whatever its generation? */
static bool is_ours(const struct request *request, const struct claims *claims, enum pair pair,
                    const struct server *record) {
    return claims_name(claims, claims->n_uids, record) || pair == PAIR_OURS ||
           (!claims->has_controller && by_labels(request, record->kind).is_there);
}

/* Row 12. `record` is what the facts have. After a look-up that failed, the cap goes by the facts:
   the requester writes the annotation and, in a creation, the owner. */
static struct identity look_up(const struct request *request, const struct claims *claims,
                               enum pair pair, const struct server *record) {
    struct identity none = {.state = IDENTITY_NONE, .asks = true, .server = *record};
    struct identity unresolved = none;
    unresolved.state = IDENTITY_UNRESOLVED;
    bool is_former = record->is_there && (has_claim(claims) || claims->is_unreadable) &&
                     !claims_name(claims, claims->n_uids, record);
    if (!oracle_is_concerned(request, unresolved.server.kind)) {
        unresolved.asks = false;
        unresolved.state = request->is_scale ? IDENTITY_NONE : IDENTITY_UNRESOLVED;
        return unresolved;
    }
    oracle_mark_kind(request, MARK_ROW12_SERVER, record->kind);
    const cJSON *found_live =
        oracle_find(request->question->live, TOOLHIVE, oracle_kinds[record->kind],
                    request->namespace.value, request->name.value);
    switch (request->question->world) {
    case WORLD_FOUND: {
        if (found_live == NULL) {
            oracle_mark(request, MARK_ROW12_ABSENT);
            return none;
        }
        struct server live = oracle_server(found_live, record->kind);
        struct identity answer = {.asks = true, .is_confirmed = true, .server = live};
        oracle_mark(request, MARK_ROW12_FOUND);
        answer.state = claims_name(claims, claims->n_uids, &live)
                           ? IDENTITY_OWNED
                           : by_selector(claims, pair, &live);
        return answer;
    }
    case WORLD_ABSENT:
        oracle_mark(request, MARK_ROW12_ABSENT);
        return none;
    case WORLD_FAILED:
        oracle_mark(request, MARK_ROW12_FAILED);
        if (record->is_there && record->is_stdio &&
            ((is_former && pair == PAIR_OURS) ||
             (is_behind(request, record) && is_ours(request, claims, pair, record)))) {
            unresolved.state = IDENTITY_SELECTED;
        }
        return unresolved;
    default:
        oracle_mark(request, MARK_ROW12_OFFLINE);
        return unresolved;
    }
}

static void mark_owner(const struct request *request, const struct claims *claims,
                       const struct server *record) {
    if (!record->is_there) {
        return;
    }
    if (record->uid[0] == '\0' && claims->n_uids > 0) {
        oracle_mark(request, MARK_OWNER_WITHOUT_UID);
    } else if (claims_name(claims, claims->n_new, record)) {
        oracle_mark(request, MARK_OWNER_OF_BOTH);
    } else if (claims_name(claims, claims->n_uids, record)) {
        oracle_mark(request, MARK_OWNER_OF_OLD);
    } else if (claims->n_uids > 0) {
        oracle_mark(request, MARK_OWNER_FORMER);
    }
}

/* Is the controller, or else the old one, one of the family, but no MCPServer? */
static bool has_other_owner(const struct request *request) {
    for (enum family kind = REMOTEPROXY; kind < FAMILY; kind++) {
        struct claims claims = {.n_uids = 0};
        read_claims_of(request->object, kind, request->name.value, &claims);
        if (!claims.has_controller) {
            read_claims_of(request->old, kind, request->name.value, &claims);
        }
        if (claims.n_uids > 0 || (claims.is_unreadable && !claims.is_of_any)) {
            return true;
        }
    }
    return false;
}

enum ask { ASK, ASK_ANYWAY, ASK_WITHOUT_CLAIMS };

/* Is it one of this kind's? */
static struct identity of_kind(const struct request *request, enum family kind, enum ask ask) {
    struct identity none = {.state = IDENTITY_NONE, .server = {.kind = kind, .uid = ""}};
    struct claims all = read_claims(request, kind);
    struct claims claims = all;
    if (ask == ASK_WITHOUT_CLAIMS) {
        claims = (struct claims){.has_controller = true};
        all.is_unreadable = false;
    }
    struct server record = oracle_find_server(request->question->facts, kind,
                                              request->namespace.value, request->name.value);
    enum pair pair = kind == MCPSERVER ? read_selector(request) : PAIR_NONE;
    if (ask == ASK_WITHOUT_CLAIMS && pair == PAIR_UNREADABLE) {
        return none;
    }
    if (pair == PAIR_OURS && record.is_there && record.is_stdio && has_other_owner(request)) {
        claims.is_unreadable = false; /* the cap holds it, whoever the owner is */
    }
    mark_owner(request, &claims, &record);

    bool is_owned = record.is_there && claims_name(&claims, claims.n_uids, &record);
    bool has_api = request->question->world != WORLD_OFFLINE;
    if (ask == ASK_ANYWAY) {
        return look_up(request, &all, pair, &record);
    }
    if (is_owned) {
        if (is_behind(request, &record)) {
            oracle_mark(request, MARK_ROW12_NEWER);
            return look_up(request, &all, pair, &record);
        }
        return found(IDENTITY_OWNED, &record);
    }
    struct server labelled = by_labels(request, kind);
    if (labelled.is_there && !claims.has_controller) {
        oracle_mark_kind(request, MARK_LABELS_SERVER, kind);
        return is_behind(request, &labelled) ? look_up(request, &all, pair, &labelled)
                                             : found(IDENTITY_OWNED, &labelled);
    }
    if (request->name.state == ABSENT || request->name.value[0] == '\0') {
        return none;
    }
    if (claims.is_unreadable || pair == PAIR_UNREADABLE) {
        oracle_mark(request,
                    claims.is_unreadable ? MARK_OWNER_UNREADABLE : MARK_SELECTOR_UNREADABLE);
    }
    bool is_open = has_claim(&claims) || claims.is_unreadable || pair == PAIR_UNREADABLE ||
                   (claims.n_uids > 0 && !has_api && !record.is_there); /* manifests have no uids */
    if (is_open && (has_api || !record.is_there)) {
        return look_up(request, &all, pair, &record);
    }
    if (pair == PAIR_OURS) {
        oracle_mark(request, claims.n_uids > 0 ? MARK_OWNER_FORMER_SELECTED : MARK_SELECTOR);
        bool is_its_note = record.is_stdio || /* else it is the sibling's */
                           (ask != ASK_WITHOUT_CLAIMS && !has_other_owner(request));
        if (!record.is_there || (is_its_note && is_behind(request, &record))) {
            return look_up(request, &all, pair, &record);
        }
        return found(by_selector(&claims, pair, &record), &record);
    }
    return is_open ? found(by_selector(&claims, pair, &record), &record) : none;
}

/* Does this answer about one kind settle whose it is? An MCPServer that is not stdio and found by
   selector has nothing to say. Where a claim cannot be confirmed, that of another kind may hold,
   but none goes before a selector that may be a stdio MCPServer's. */
static bool settles(const struct request *request, enum family kind,
                    const struct identity *identity) {
    return identity->state == IDENTITY_OWNED ||
           (identity->state == IDENTITY_SELECTED && identity->server.is_stdio) ||
           (identity->state == IDENTITY_UNRESOLVED && kind == MCPSERVER &&
            read_selector(request) == PAIR_OURS);
}

/* Does a claim of this kind hold by the facts? */
static bool holds(const struct request *request, enum family kind) {
    struct claims claims = read_claims(request, kind);
    struct server record = oracle_find_server(request->question->facts, kind,
                                              request->namespace.value, request->name.value);
    return (record.is_there && claims_name(&claims, claims.n_uids, &record)) ||
           (!claims.has_controller && by_labels(request, kind).is_there);
}

/* The first kind whose claim holds by the facts; FAMILY if none does. The others then count no
   more: whoever writes owners could get out of its rules with a claim that nobody can confirm. But
   the selector of a stdio MCPServer, which nobody can write, still holds. */
static enum family holder(const struct request *request) {
    enum family kind = MCPSERVER;
    while (kind < FAMILY && !holds(request, kind)) {
        kind++;
    }
    return kind;
}

/* Asks about each kind in turn, as long as one settles it. `held_by` is the first kind whose claim
   holds by the facts. */
static struct identity ask_in_turn(const struct request *request, unsigned asks_anyway,
                                   enum family held_by) {
    struct identity best = {.state = IDENTITY_NONE, .server = {.uid = ""}};
    bool asks = false;
    for (enum family kind = MCPSERVER; kind < FAMILY; kind++) {
        bool is_confirmed = (asks_anyway & 1U << kind) != 0;
        bool is_other = held_by != FAMILY && kind != held_by && !is_confirmed;
        if (is_other && kind != MCPSERVER) {
            continue;
        }
        struct identity identity = of_kind(request, kind,
                                           is_confirmed ? ASK_ANYWAY
                                           : is_other   ? ASK_WITHOUT_CLAIMS
                                                        : ASK);
        asks = asks || identity.asks;
        identity.asks = asks;
        if (settles(request, kind, &identity) ||
            (kind == held_by && identity.state == IDENTITY_UNRESOLVED)) {
            return identity;
        }
        if (identity.state != IDENTITY_NONE && best.state != IDENTITY_UNRESOLVED &&
            oracle_is_concerned(request, identity.server.kind)) {
            best = identity;
        }
    }
    best.asks = asks;
    return best;
}

struct identity oracle_deployment(const struct request *request, unsigned asks_anyway) {
    enum family held_by = holder(request);
    struct identity identity = ask_in_turn(request, asks_anyway, held_by);
    if (held_by != FAMILY && identity.state != IDENTITY_OWNED && identity.asks &&
        !(identity.state == IDENTITY_SELECTED && identity.server.is_stdio) &&
        identity.state != IDENTITY_UNRESOLVED) {
        identity = ask_in_turn(request, asks_anyway, FAMILY); /* it is gone; the others count */
        identity.asks = true;
    }
    if (identity.state == IDENTITY_SELECTED && !identity.server.is_stdio &&
        !identity.is_confirmed && is_behind(request, &identity.server)) {
        identity = of_kind(request, MCPSERVER, ASK_ANYWAY); /* nobody else's: the note is its own */
    }
    if (identity.state == IDENTITY_OWNED) {
        oracle_mark_kind(request, MARK_OWNED_SERVER, identity.server.kind);
    } else if (identity.state == IDENTITY_SELECTED && identity.server.is_stdio &&
               has_other_owner(request)) {
        oracle_mark(request, MARK_SELECTOR_BEFORE_OWNER);
    } else if (identity.state == IDENTITY_NONE) {
        oracle_mark(request, MARK_NOT_OURS);
    }
    return identity;
}

/* The record of a Deployment has its owner and its selector, and nobody looks anything up. */
struct server oracle_recorded(const struct request *request, const char *deployment) {
    const cJSON *facts = request->question->facts;
    const cJSON *object =
        oracle_find(facts, "apps", "Deployment", request->namespace.value, deployment);
    struct request about = *request;
    struct server selected = {.uid = ""};
    about.operation = CREATE;
    about.object = object;
    about.old = NULL;
    about.name = (struct text){SET, deployment};
    for (enum family kind = MCPSERVER; kind < FAMILY; kind++) {
        struct server server =
            oracle_find_server(facts, kind, request->namespace.value, deployment);
        struct claims claims = read_claims(&about, kind);
        struct server labelled = by_labels(&about, kind);
        if (object == NULL && server.is_there) {
            oracle_mark(request, MARK_SCALER_WITHOUT_RECORD);
            return server;
        }
        if (server.is_there && claims_name(&claims, claims.n_uids, &server)) {
            return server;
        }
        if (labelled.is_there && !claims.has_controller) {
            return labelled;
        }
        if (kind == MCPSERVER && server.is_there && selector_of(object, deployment) == PAIR_OURS) {
            selected = server;
            if (server.is_stdio) {
                return server;
            }
        }
    }
    return selected;
}

/* The size of the value of the term that begins here; -1 if its key is another. */
static long term_value(const char *term, const char *key) {
    size_t n_key = strlen(key);
    size_t size = strcspn(term, ",");
    return size > n_key && strncmp(term, key, n_key) == 0 && term[n_key] == '='
               ? (long)(size - n_key - 1)
               : -1;
}

/* Is `key`=`value` one of the comma-separated terms? If `value` is NULL: is one of the values of
   the key too long to be read? */
static bool has_term(const char *selector, const char *key, const char *value) {
    for (const char *term = selector;; term++) {
        long size = term_value(term, key);
        const char *its = term + strlen(key) + 1;
        if (value == NULL
                ? size > LIMIT_NAME
                : size == (long)strlen(value) && strncmp(its, value, strlen(value)) == 0) {
            return true;
        }
        term += strcspn(term, ",");
        if (*term == '\0') {
            return false;
        }
    }
}

static enum pair read_scale(const struct request *request, enum family kind) {
    struct text selector = oracle_text(tree_at(request->old, "status", "selector", NULL), SIZE_MAX);
    if (selector.state == UNUSABLE) {
        return PAIR_UNREADABLE;
    }
    if (!has_term(selector.value, NAME_LABEL, oracle_labels[kind])) {
        return PAIR_NONE;
    }
    return has_term(selector.value, INSTANCE_LABEL, request->name.value) ? PAIR_OURS
           : has_term(selector.value, INSTANCE_LABEL, NULL)              ? PAIR_UNREADABLE
                                                                         : PAIR_NONE;
}

static struct identity scale_of(const struct request *request, enum family kind, bool may_look_up) {
    struct identity none = {.state = IDENTITY_NONE, .server = {.kind = kind, .uid = ""}};
    struct claims no_claims = {.n_uids = 0};
    enum pair pair = read_scale(request, kind);
    struct server record = oracle_find_server(request->question->facts, kind,
                                              request->namespace.value, request->name.value);
    if (pair == PAIR_OURS && record.is_there) {
        return found(IDENTITY_SELECTED, &record);
    }
    if (pair == PAIR_UNREADABLE) {
        oracle_mark(request, MARK_SCALE_UNREADABLE);
    }
    return pair == PAIR_NONE || !may_look_up ? none : look_up(request, &no_claims, pair, &record);
}

struct identity oracle_scale(const struct request *request, bool may_look_up) {
    struct identity none = {.state = IDENTITY_NONE, .server = {.uid = ""}};
    for (enum family kind = MCPSERVER; kind < FAMILY && request->name.value[0] != '\0'; kind++) {
        struct identity identity = scale_of(request, kind, may_look_up);
        none.asks = none.asks || identity.asks;
        identity.asks = none.asks;
        if (identity.state != IDENTITY_NONE) {
            return identity;
        }
    }
    oracle_mark(request, MARK_SCALE_NOT_OURS);
    return none;
}
