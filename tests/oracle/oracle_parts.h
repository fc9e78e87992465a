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

/* Is it any version of ToolHive's API group? */
bool oracle_is_group(const char *api_version);

/* An MCPServer as far as decisions need it. */
struct server {
    bool is_there;
    bool is_stdio;
    bool is_deleting;
    struct integer replicas;
    int64_t generation; /* 0 if it has none */
    const char *uid;    /* "" if it has none */
    struct text name;
};

struct server oracle_server(const cJSON *object);
struct server oracle_find_server(const cJSON *facts, const char *namespace, const char *name);

enum operation { OTHER_OPERATION, CREATE, UPDATE };

/* One review, read. */
struct request {
    const struct question *question;
    struct marks *marks;
    enum operation operation;
    const cJSON *object; /* NULL unless an object */
    const cJSON *old;    /* NULL unless an object, and unless it is an update */
    struct text name;
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

/* Whose is the Deployment, or the Deployment that is scaled? With `asks_anyway` the API server is
   asked although the facts know the MCPServer. */
struct identity oracle_deployment(const struct request *request, bool asks_anyway);
struct identity oracle_scale(const struct request *request);

/* The generation that the pod template's annotation names. SET only if it is a number. */
struct integer oracle_noted_generation(const cJSON *deployment);

enum table_rule { STDIO_CAP, PASSTHROUGH, GRACE_PERIOD, SESSION_STORAGE, RULES };
enum rule_mode { OFF, WARN, ENFORCE, DENY };

extern const char *const oracle_rule_names[RULES];
enum rule_mode oracle_mode(const struct request *request, enum table_rule rule);

/* The answer while the rows are asked. */
struct answer {
    bool is_unresolved;
    bool asks;
    bool is_denied;
    cJSON *patch;                 /* path: value */
    bool warns[RULES];            /* one warning a rule */
    enum table_rule order[RULES]; /* in which the rules warned */
    size_t n_order;
    bool notes[RULES]; /* audit annotations */
};

void oracle_warn(struct answer *answer, enum table_rule rule);
void oracle_patch(struct answer *answer, enum table_rule rule, const char *path,
                  cJSON *owned_value);
void oracle_deny(struct answer *answer, enum table_rule rule);

void oracle_judge_server(const struct request *request, struct answer *answer);
void oracle_judge_deployment(const struct request *request, struct answer *answer);
void oracle_judge_scale(const struct request *request, struct answer *answer);

static inline void oracle_mark(const struct request *request, enum mark mark) {
    request->marks->met[mark] = true;
}

#endif
