// SPDX-License-Identifier: Apache-2.0

/*
 * The rows about Deployments and Scales: DESIGN.md 1, rows 3 to 11 and 13.
 */

#include <string.h>

#include "limits.h"
#include "oracle_parts.h"
#include "tree.h"

#define REPLICAS "/spec/replicas"
#define GRACE    "/spec/template/spec/terminationGracePeriodSeconds"
#define STRATEGY "/spec/strategy"

/* Only the API server sets the time of a deletion. So in an update the old object has it, and what
   a creation says of one is not so: a server-side apply that creates an object brings it here. */
bool oracle_is_ending(const struct request *request) {
    return request->operation == UPDATE &&
           oracle_is_deleting(request->old != NULL ? request->old : request->object);
}

/* ---- a Deployment: rows 3 to 5 and 7 to 10 ---- */

static struct integer grace_of(const cJSON *object) {
    return oracle_integer(
        tree_at(object, "spec", "template", "spec", "terminationGracePeriodSeconds", NULL),
        INT64_MIN / 2, INT64_MAX / 2);
}

static bool deployment_has_wrong_types(const cJSON *object) {
    const cJSON *strategy = tree_at(object, "spec", "strategy", NULL);
    return oracle_object(tree_at(object, "spec", NULL)) == UNUSABLE ||
           oracle_replicas(object).state == UNUSABLE || grace_of(object).state == UNUSABLE ||
           oracle_object(tree_at(object, "spec", "template", NULL)) == UNUSABLE ||
           oracle_object(tree_at(object, "spec", "template", "spec", NULL)) == UNUSABLE ||
           oracle_object(strategy) == UNUSABLE ||
           oracle_object(tree_at(strategy, "rollingUpdate", NULL)) == UNUSABLE ||
           oracle_text(tree_at(strategy, "type", NULL), LIMIT_WORD).state == UNUSABLE;
}

/* The spec-driven path of the cap: row 3, stdio, spec.replicas over the cap. Returns the count. */
static struct integer row_3_cap(const struct request *request, struct integer count,
                                struct answer *answer) {
    enum rule_mode mode = oracle_mode(request, STDIO_CAP);
    if (mode == OFF || (mode == WARN && oracle_is(count, 1))) {
        return count;
    }
    oracle_warn(answer, STDIO_CAP);
    if (mode == WARN) {
        oracle_mark(request, MARK_ROW3_CAP_PREVIEW);
        return count;
    }
    oracle_mark(request, oracle_is(count, 1) ? MARK_ROW3_CAP_SAME : MARK_ROW3_CAP_PATCH);
    if (!oracle_is(count, 1)) {
        oracle_patch(answer, STDIO_CAP, REPLICAS, cJSON_CreateNumber(1));
    }
    return (struct integer){SET, 1};
}

static struct integer row_3_passthrough(const struct request *request, struct integer count,
                                        struct integer wanted, struct answer *answer) {
    enum rule_mode mode = oracle_mode(request, PASSTHROUGH);
    if (oracle_is(count, wanted.value)) {
        oracle_mark(request, MARK_ROW3_SAME);
        return count;
    }
    if (mode == WARN) {
        oracle_mark(request, MARK_ROW3_PREVIEW);
        oracle_warn(answer, PASSTHROUGH);
    }
    if (mode != ENFORCE) {
        return count;
    }
    oracle_mark_kind(request, MARK_ROW3_SERVER, request->kind);
    oracle_patch(answer, PASSTHROUGH, REPLICAS, cJSON_CreateNumber((double)wanted.value));
    return wanted;
}

/* Rows 3, 4 and 11 of a creation. Returns the count that is left. */
static struct integer row_3(const struct request *request, const struct server *server,
                            struct integer count, struct answer *answer) {
    if (oracle_is(count, 0)) {
        oracle_mark(request, MARK_ROW11_CREATE);
        return count;
    }
    if (server->replicas.state != SET) {
        oracle_mark_kind(request, MARK_ROW4_SERVER, request->kind);
        return count;
    }
    return server->is_stdio && server->replicas.value > 1
               ? row_3_cap(request, count, answer)
               : row_3_passthrough(request, count, server->replicas, answer);
}

/* A name that cannot be read may be an operator's, if there is one. */
static bool is_operator(const struct request *request) {
    const cJSON *users = tree_at(request->question->policy, "replicas", "operatorUsers", NULL);
    const cJSON *user;
    if (request->user.state == UNUSABLE) {
        return users == NULL || cJSON_GetArraySize(users) > 0;
    }
    if (users == NULL) {
        return strcmp(request->user.value,
                      "system:serviceaccount:toolhive-system:toolhive-operator") == 0;
    }
    cJSON_ArrayForEach(user, users) {
        if (strcmp(user->valuestring, request->user.value) == 0) {
            return true;
        }
    }
    return false;
}

/* Does row 7 put the count back? */
static bool is_row_7(const struct request *request, const struct server *server) {
    struct integer count = oracle_replicas(request->object);
    struct integer before = oracle_replicas(request->old);
    return request->operation == UPDATE && is_operator(request) && !server->is_stdio &&
           !server->is_deleting && server->replicas.state == ABSENT && before.state == SET &&
           !oracle_is(count, before.value) && !oracle_is(count, 0) &&
           oracle_mode(request, PASSTHROUGH) != OFF;
}

static void row_7(const struct request *request, struct answer *answer) {
    struct integer before = oracle_replicas(request->old);
    if (oracle_mode(request, PASSTHROUGH) == WARN) {
        oracle_mark(request, MARK_ROW7_PREVIEW);
        oracle_warn(answer, PASSTHROUGH);
    } else {
        oracle_mark_kind(request, MARK_ROW7_SERVER, request->kind);
        oracle_patch(answer, PASSTHROUGH, REPLICAS, cJSON_CreateNumber((double)before.value));
    }
}

/* The externally-driven path of the cap: rows 5 and 6. */
static bool external_cap(const struct request *request, struct integer count,
                         struct answer *answer) {
    enum rule_mode mode = oracle_mode(request, STDIO_CAP);
    if (mode == OFF || !oracle_exceeds(count, 1)) {
        return false;
    }
    oracle_warn(answer, STDIO_CAP);
    if (mode != WARN) {
        oracle_patch(answer, STDIO_CAP, REPLICAS, cJSON_CreateNumber(1));
    }
    return true;
}

static void set_strategy(const struct request *request, struct answer *answer, enum mark mark,
                         const char *path, const char *value) {
    if (oracle_mode(request, STDIO_CAP) == WARN) {
        oracle_mark(request, MARK_SURGE_PREVIEW);
        oracle_warn_once(answer, STDIO_CAP);
        return;
    }
    oracle_mark(request, mark);
    oracle_patch(answer, STDIO_CAP, path, tree_parse(value));
}

static void prevent_surge(const struct request *request, struct answer *answer) {
    const cJSON *strategy = tree_at(request->object, "spec", "strategy", NULL);
    const cJSON *rolling = tree_at(strategy, "rollingUpdate", NULL);
    struct text type = oracle_text(tree_at(strategy, "type", NULL), LIMIT_WORD);
    struct integer surge = oracle_integer(tree_at(rolling, "maxSurge", NULL), 0, INT32_MAX);
    struct integer unavailable =
        oracle_integer(tree_at(rolling, "maxUnavailable", NULL), 0, INT32_MAX);
    if (!oracle_policy_flag(request, "stdioCap", "preventSurge") ||
        oracle_mode(request, STDIO_CAP) == OFF || strcmp(type.value, "Recreate") == 0) {
        return;
    }
    if (oracle_object(strategy) == ABSENT) {
        set_strategy(request, answer, MARK_SURGE_STRATEGY, STRATEGY,
                     "{\"type\": \"RollingUpdate\","
                     " \"rollingUpdate\": {\"maxSurge\": 0, \"maxUnavailable\": 1}}");
        return;
    }
    if (oracle_object(rolling) == ABSENT) {
        set_strategy(request, answer, MARK_SURGE_ROLLING_UPDATE, STRATEGY "/rollingUpdate",
                     "{\"maxSurge\": 0, \"maxUnavailable\": 1}");
        return;
    }
    if (!oracle_is(surge, 0)) {
        set_strategy(request, answer, MARK_SURGE_MEMBERS, STRATEGY "/rollingUpdate/maxSurge", "0");
    }
    if (!oracle_is(unavailable, 1)) {
        set_strategy(request, answer, MARK_SURGE_MEMBERS, STRATEGY "/rollingUpdate/maxUnavailable",
                     "1");
    }
    if (oracle_is(surge, 0) && oracle_is(unavailable, 1)) {
        oracle_mark(request, MARK_SURGE_RIGHT);
    }
}

/* Rows 9 and 10. */
static void grace_period(const struct request *request, struct answer *answer) {
    const cJSON *given = tree_at(request->question->policy, "gracePeriod", "seconds", NULL);
    int64_t seconds = given == NULL ? 30 : (int64_t)given->valuedouble;
    enum rule_mode mode = oracle_mode(request, GRACE_PERIOD);
    struct integer grace = grace_of(request->object);
    bool is_raised = grace.state == SET && grace.value < seconds &&
                     oracle_policy_flag(request, "gracePeriod", "minimum");
    if (mode == OFF) {
        return;
    }
    if (grace.state == SET && !is_raised) {
        oracle_mark_kind(request, MARK_ROW10_SERVER, request->kind);
        return;
    }
    if (mode == WARN) {
        oracle_mark(request, is_raised ? MARK_ROW10_PREVIEW : MARK_ROW9_PREVIEW);
        oracle_warn(answer, GRACE_PERIOD);
        return;
    }
    oracle_mark_kind(request, is_raised ? MARK_ROW10_RAISED_SERVER : MARK_ROW9_SERVER,
                     request->kind);
    oracle_patch(answer, GRACE_PERIOD, GRACE, cJSON_CreateNumber((double)seconds));
}

/* All rules, of a Deployment that is owned by a live MCPServer. Returns the count that is left, and
   whether row 3's cap decided about it. */
static struct integer owned_rows(const struct request *request, const struct server *server,
                                 bool *ret_is_capped, struct answer *answer) {
    struct integer count = oracle_replicas(request->object);
    if (request->operation == CREATE) {
        struct integer left = row_3(request, server, count, answer);
        *ret_is_capped = answer->notes[STDIO_CAP];
        return left;
    }
    if (is_row_7(request, server)) {
        row_7(request, answer);
    } else if (oracle_is(count, 0)) {
        oracle_mark(request, MARK_ROW11_UPDATE);
    } else if (!server->is_stdio) {
        oracle_mark_kind(request, MARK_ROW8_SERVER, request->kind);
    }
    return count;
}

static void deployment_rows(const struct request *request, const struct identity *identity,
                            struct answer *answer) {
    const struct server *server = &identity->server;
    bool is_owned = identity->state == IDENTITY_OWNED && !server->is_deleting;
    bool is_capped = false;
    struct integer count = oracle_replicas(request->object);
    request->marks->is_resolved = true;
    if (is_owned) {
        count = owned_rows(request, server, &is_capped, answer);
    }
    if (!is_owned && !server->is_deleting && server->is_stdio && request->operation == CREATE &&
        oracle_exceeds(server->replicas, 1) && !oracle_is(count, 0)) {
        count = row_3_cap(request, count, answer);
        is_capped = answer->notes[STDIO_CAP];
    }
    if (server->is_stdio && !is_capped && external_cap(request, count, answer)) {
        oracle_mark(request, oracle_mode(request, STDIO_CAP) == WARN ? MARK_ROW5_PREVIEW
                             : request->operation == CREATE          ? MARK_ROW5_CREATE
                                                                     : MARK_ROW5_UPDATE);
        if (server->is_deleting) {
            oracle_mark(request, MARK_ROW13_HELD);
        }
    }
    if (server->is_stdio && !server->is_deleting) {
        prevent_surge(request, answer);
    }
    if (is_owned) {
        grace_period(request, answer);
    }
}

/* Nobody needs to know whose the object is if every rule about it is off. To a Scale, the cap and
   row 6b have something to say, and the cap only to an MCPServer's. */
bool oracle_is_concerned(const struct request *asked, enum family kind) {
    struct request request = *asked;
    request.kind = kind;
    return (kind == MCPSERVER && oracle_mode(&request, STDIO_CAP) != OFF) ||
           oracle_mode(&request, PASSTHROUGH) != OFF ||
           (!request.is_scale && oracle_mode(&request, GRACE_PERIOD) != OFF);
}

/* An exemption names one of the family. By labels, a manifest of another name may be its
   Deployment. */
static struct request about(const struct request *request, const struct identity *identity) {
    struct request about = *request;
    about.kind = identity->server.kind;
    if (identity->state == IDENTITY_OWNED && identity->server.name.state == SET) {
        about.name = identity->server.name;
    }
    return about;
}

/* The rows, once it is known whose the object is. */
static void judge_known(const struct request *request, struct identity *identity,
                        struct answer *answer) {
    answer->asks = identity->asks;
    if (!oracle_is_concerned(request, request->kind)) {
        oracle_mark(request, MARK_ROW12_UNCONCERNED);
        return;
    }
    if (identity->state == IDENTITY_UNRESOLVED) {
        answer->is_unresolved = true;
    } else if (identity->state != IDENTITY_NONE) {
        deployment_rows(request, identity, answer);
    }
}

/* Does row 7 put the count back? */
static bool puts_back(const struct request *request, const struct identity *identity) {
    return identity->state == IDENTITY_OWNED && oracle_mode(request, PASSTHROUGH) == ENFORCE &&
           is_row_7(request, &identity->server);
}

void oracle_judge_deployment(const struct request *asked, struct answer *answer) {
    const struct request *request = asked;
    if (oracle_is_ending(request)) {
        oracle_mark(request, MARK_ROW13_DEPLOYMENT_DELETING);
        return;
    }
    if (deployment_has_wrong_types(request->object)) {
        oracle_mark(request, MARK_ROW13_WRONG_TYPE);
        return;
    }
    if (oracle_object(tree_at(request->object, "spec", "template", "spec", NULL)) != SET) {
        oracle_mark(request, MARK_ROW13_NO_POD_SPEC);
        return;
    }
    unsigned confirmed = 0;
    struct identity identity = oracle_deployment(asked, confirmed);
    struct request of_server = about(asked, &identity);
    request = &of_server;
    while (puts_back(request, &identity) && !identity.is_confirmed &&
           (oracle_noted_generation(request->object).state != SET ||
            request->user.state == UNUSABLE)) {
        confirmed |= 1U << identity.server.kind;
        identity = oracle_deployment(asked, confirmed);
        of_server = about(asked, &identity);
        oracle_mark(request, identity.is_confirmed ? MARK_ROW7_CONFIRMED : MARK_ROW7_UNCONFIRMED);
    }
    if (puts_back(request, &identity) && request->user.state == UNUSABLE) {
        identity.state = IDENTITY_UNRESOLVED;
    }
    judge_known(request, &identity, answer);
    if (identity.state != IDENTITY_NONE && identity.server.is_deleting &&
        identity.server.kind != MCPSERVER) {
        oracle_mark(request, MARK_ROW13_SIBLING_DELETING);
    }
}

/* ---- a Scale: rows 6, 6b, 8 and 11 ---- */

static void row_6(const struct request *request, struct integer count, const struct server *server,
                  struct answer *answer) {
    if (!external_cap(request, count, answer)) {
        return;
    }
    oracle_mark(request,
                oracle_mode(request, STDIO_CAP) == WARN ? MARK_ROW6_PREVIEW : MARK_ROW6_PATCH);
    if (server->is_deleting) {
        oracle_mark(request, MARK_ROW13_SCALE_HELD);
    }
}

/* The operator will set the count back. */
static void row_6b(const struct request *request, struct integer count, const struct server *server,
                   struct answer *answer) {
    if (server->is_deleting || server->replicas.state != SET ||
        oracle_is(count, server->replicas.value) || oracle_mode(request, PASSTHROUGH) == OFF) {
        oracle_mark_kind(request, MARK_ROW8_SCALE_SERVER, server->kind);
        return;
    }
    oracle_mark_kind(request, oracle_exceeds(count, 1) ? MARK_ROW6B_SERVER : MARK_ROW6B_LOW_SERVER,
                     server->kind);
    oracle_warn(answer, PASSTHROUGH);
}

/* An absent count is 0. Nobody looks up whom a count of 0 or 1 concerns. */
void oracle_judge_scale(const struct request *asked, struct answer *answer) {
    struct request request = *asked;
    struct integer count = oracle_replicas(request.object);
    request.is_scale = true;
    if (request.operation != UPDATE || count.state == UNUSABLE) {
        oracle_mark(asked, MARK_ROW13_WRONG_TYPE);
        return;
    }
    count = (struct integer){SET, count.value};
    if (oracle_is(count, 0)) {
        oracle_mark(asked, MARK_ROW11_SCALE);
    }
    struct identity identity = oracle_scale(&request, oracle_exceeds(count, 1));
    request.kind = identity.server.kind;
    answer->asks = identity.asks;
    if (!oracle_is_concerned(&request, request.kind)) {
        return;
    }
    answer->is_unresolved = identity.state == IDENTITY_UNRESOLVED;
    if (identity.state != IDENTITY_SELECTED) {
        return;
    }
    asked->marks->is_resolved = true;
    (identity.server.is_stdio ? row_6 : row_6b)(&request, count, &identity.server, answer);
}
