// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_ORACLE_PARTS_H
#define ORACLE_ORACLE_PARTS_H

/*
 * The parts that the files of the oracle share.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oracle.h"

enum state { ABSENT, SET, UNUSABLE };

struct text {
    enum state state;
    const char *value; /* "" unless SET */
};

struct integer {
    enum state state;
    int64_t value;
};

/* At most `limit` bytes and no U+0000. null is absent. */
struct text oracle_text(const cJSON *node, size_t limit);
struct integer oracle_integer(const cJSON *node, int64_t low, int64_t high);

/* An object; null is absent, and all else is unusable. */
enum state oracle_object(const cJSON *node);

/* Is metadata.deletionTimestamp set? */
bool oracle_is_deleting(const cJSON *object);

#define TOOLHIVE "toolhive.stacklok.dev"

/* Is it any version of the API group? */
bool oracle_is_group(const char *api_version, const char *group);

/* The family, in the order in which they count. */
enum family { MCPSERVER, REMOTEPROXY, VIRTUAL, FAMILY };

/* The name of the kind, and the value of app.kubernetes.io/name on its Deployment. */
extern const char *const oracle_kinds[FAMILY];
extern const char *const oracle_labels[FAMILY];

/* One of the family as far as decisions need it. */
struct server {
    bool is_there;
    enum family kind;
    bool is_stdio; /* of an MCPServer alone */
    bool is_deleting;
    struct integer replicas;
    int64_t generation; /* 0 if it has none */
    const char *uid;    /* "" if it has none */
    struct text name;
};

struct server oracle_server(const cJSON *object, enum family kind);
struct server oracle_find_server(const cJSON *facts, enum family kind, const char *namespace,
                                 const char *name);

/* The first object of the group, kind, namespace and name in a list; NULL if there is none. */
const cJSON *oracle_find(const cJSON *list, const char *group, const char *kind,
                         const char *namespace, const char *name);

enum operation { OTHER_OPERATION, CREATE, UPDATE };

/* One review, read. */
struct request {
    const struct question *question;
    struct marks *marks;
    enum operation operation;
    const cJSON *object; /* NULL unless an object */
    const cJSON *old;    /* NULL unless an object, and unless it is an update */
    bool is_scale;
    enum family kind; /* of the one of the family that the request is about */
    struct text name; /* of the object; in the rows, of the one of the family */
    struct text namespace;
    struct text user;
};

enum identity_state { IDENTITY_NONE, IDENTITY_OWNED, IDENTITY_SELECTED, IDENTITY_UNRESOLVED };

struct identity {
    enum identity_state state;
    bool asks;         /* the API server must be asked, if there is one */
    bool is_confirmed; /* `server` is the API server's answer */
    struct server server;
};

/* Whose is the Deployment? The API server is asked about the kinds of the set `asks_anyway` (1 <<
   kind) although the facts know it. */
struct identity oracle_deployment(const struct request *request, unsigned asks_anyway);

/* Whose is the Deployment that is scaled? Whoever asks for one replica or none is not worth a
   look-up. */
struct identity oracle_scale(const struct request *request, bool may_look_up);

/* Whose is a Deployment by the facts alone? */
struct server oracle_recorded(const struct request *request, const char *deployment);

/* The generation that the pod template's annotation names. SET only if it is a number. */
struct integer oracle_noted_generation(const cJSON *deployment);

enum table_rule { STDIO_CAP, PASSTHROUGH, GRACE_PERIOD, SESSION_STORAGE, AUTOSCALER, RULES };
enum rule_mode { OFF, WARN, ENFORCE, DENY };

extern const char *const oracle_rule_names[RULES];
enum rule_mode oracle_mode(const struct request *request, enum table_rule rule);

/* Does it matter whose the Deployment, or the Scale, is? */
bool oracle_is_concerned(const struct request *request, enum family kind);

/* The answer while the rows are asked. */
enum { WARNINGS_MAX = 8 };

struct answer {
    bool is_unresolved;
    bool asks;
    bool is_denied;
    cJSON *patch;                        /* path: value */
    enum table_rule order[WARNINGS_MAX]; /* the rules of the warnings */
    size_t n_order;
    bool notes[RULES]; /* audit annotations */
};

/* Another warning of the rule. */
void oracle_warn(struct answer *answer, enum table_rule rule);

/* A warning of the rule, unless it has one: what it says then stands in one warning. */
void oracle_warn_once(struct answer *answer, enum table_rule rule);
void oracle_patch(struct answer *answer, enum table_rule rule, const char *path,
                  cJSON *owned_value);
void oracle_deny(struct answer *answer, enum table_rule rule);

void oracle_judge_server(const struct request *request, struct answer *answer);
void oracle_judge_deployment(const struct request *request, struct answer *answer);
void oracle_judge_scale(const struct request *request, struct answer *answer);
void oracle_judge_autoscaler(const struct request *request, bool is_keda, struct answer *answer);

/* Is the object of the request being deleted? */
bool oracle_is_ending(const struct request *request);

struct integer oracle_replicas(const cJSON *object);
bool oracle_exceeds(struct integer integer, int64_t limit);
bool oracle_is(struct integer integer, int64_t value);
bool oracle_policy_flag(const struct request *request, const char *section, const char *key);

static inline void oracle_mark(const struct request *request, enum mark mark) {
    request->marks->met[mark] = true;
}

/* One of three marks that stand side by side, one for each kind. */
static inline void oracle_mark_kind(const struct request *request, enum mark first,
                                    enum family kind) {
    request->marks->met[(int)first + (int)kind] = true;
}

#endif
