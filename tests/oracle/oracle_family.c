// SPDX-License-Identifier: Apache-2.0

/*
 * The rows about the family itself: DESIGN.md 1, rows 1, 2 and 2b, and "Modes".
 */

#include <string.h>

#include "limits.h"
#include "oracle_parts.h"
#include "tree.h"

bool oracle_policy_flag(const struct request *request, const char *section, const char *key) {
    return cJSON_IsTrue(tree_at(request->question->policy, section, key, NULL));
}

static struct integer backends_of(const cJSON *server) {
    return oracle_integer(tree_at(server, "spec", "backendReplicas", NULL), 0, INT32_MAX);
}

static struct text transport_of(const cJSON *server) {
    struct text transport = oracle_text(tree_at(server, "spec", "transport", NULL), LIMIT_WORD);
    return transport.state == ABSENT ? (struct text){SET, "stdio"} : transport;
}

static struct text provider_of(const cJSON *server) {
    return oracle_text(tree_at(server, "spec", "sessionStorage", "provider", NULL), LIMIT_WORD);
}

static struct text affinity_of(const cJSON *server) {
    return oracle_text(tree_at(server, "spec", "sessionAffinity", NULL), LIMIT_WORD);
}

static enum state storage_of(const cJSON *server) {
    return oracle_object(tree_at(server, "spec", "sessionStorage", NULL));
}

/* Only MCPServers have a transport that matters, and backendReplicas. */
static bool has_wrong_types(enum family kind, const cJSON *server) {
    return oracle_object(tree_at(server, "spec", NULL)) == UNUSABLE ||
           oracle_replicas(server).state == UNUSABLE || storage_of(server) == UNUSABLE ||
           provider_of(server).state == UNUSABLE || affinity_of(server).state == UNUSABLE ||
           (kind == MCPSERVER &&
            (transport_of(server).state == UNUSABLE || backends_of(server).state == UNUSABLE));
}

/* The fields that broke a rule. */
struct breach {
    bool is_by_replicas;
    bool is_by_backends;
    bool is_by_transport;
    bool is_by_provider;
};

static bool numbers_differ(struct integer one, struct integer other) {
    return one.state != other.state || one.value != other.value;
}

static bool texts_differ(struct text one, struct text other) {
    return one.state != other.state || strcmp(one.value, other.value) != 0;
}

/* Did the request itself break the rule? Without an old object of an update, nobody can tell. */
static bool is_new(const struct request *request, const struct breach *breach) {
    const cJSON *now = request->object;
    const cJSON *old = request->old;
    if (request->operation == CREATE) {
        return true;
    }
    return old != NULL &&
           ((breach->is_by_replicas &&
             numbers_differ(oracle_replicas(now), oracle_replicas(old))) ||
            (breach->is_by_backends && numbers_differ(backends_of(now), backends_of(old))) ||
            (breach->is_by_transport && texts_differ(transport_of(now), transport_of(old))) ||
            (breach->is_by_provider && texts_differ(provider_of(now), provider_of(old))));
}

static bool is_stdio(const struct request *request) {
    return request->kind == MCPSERVER && strcmp(transport_of(request->object).value, "stdio") == 0;
}

/* Row 1. Returns the count that is left. */
static struct integer row_1(const struct request *request, struct answer *answer) {
    static const struct breach breach = {
        .is_by_replicas = true, .is_by_transport = true, .is_by_provider = true};
    static const struct breach rewrite = {.is_by_replicas = true, .is_by_transport = true};
    struct integer replicas = oracle_replicas(request->object);
    enum rule_mode mode = oracle_mode(request, STDIO_CAP);
    bool changes = is_new(request, &breach);
    bool rewrites = mode == ENFORCE && oracle_policy_flag(request, "stdioCap", "rewriteSpec");
    if (!is_stdio(request) || !oracle_exceeds(replicas, 1) || mode == OFF) {
        return replicas;
    }
    if (mode == DENY && changes) {
        oracle_mark(request, MARK_ROW1_DENY);
        oracle_deny(answer, STDIO_CAP);
        return replicas;
    }
    oracle_warn(answer, STDIO_CAP);
    if (rewrites && is_new(request, &rewrite)) {
        oracle_mark(request, MARK_ROW1_REWRITE);
        oracle_patch(answer, STDIO_CAP, "/spec/replicas", cJSON_CreateNumber(1));
        return (struct integer){SET, 1};
    }
    oracle_mark(request, mode == DENY   ? MARK_ROW1_OLD_OFFENDER
                         : mode == WARN ? MARK_ROW1_WARN
                         : rewrites     ? MARK_ROW1_LEFT_ALONE
                                        : MARK_ROW1_ENFORCE);
    return replicas;
}

/* Row 2b of stdio: the backend has one pod, whatever the policy would have liked to set. */
static void row_2b_stdio(const struct request *request, struct answer *answer) {
    static const struct breach breach = {.is_by_backends = true, .is_by_transport = true};
    enum rule_mode mode = oracle_mode(request, STDIO_CAP);
    if (!is_stdio(request) || !oracle_exceeds(backends_of(request->object), 1) || mode == OFF) {
        return;
    }
    if (mode == DENY && is_new(request, &breach)) {
        oracle_mark(request, MARK_ROW2B_STDIO_DENY);
        oracle_deny(answer, STDIO_CAP);
        return;
    }
    oracle_mark(request, mode == DENY   ? MARK_ROW2B_STDIO_OLD
                         : mode == WARN ? MARK_ROW2B_STDIO_WARN
                                        : MARK_ROW2B_STDIO_ENFORCE);
    oracle_warn(answer, STDIO_CAP);
}

/* Sessions are shared: by a Redis of its own, or by the operator's default. The operator gives that
   one to every MCPServer, and to the others where they have no sessionStorage. */
static bool shares_sessions(const struct request *request) {
    bool has_default = oracle_policy_flag(request, "sessionStorage", "defaultRedis") &&
                       (request->kind == MCPSERVER || storage_of(request->object) == ABSENT);
    if (has_default && strcmp(provider_of(request->object).value, "redis") != 0 &&
        oracle_exceeds(oracle_replicas(request->object), 1)) {
        oracle_mark_kind(request, MARK_DEFAULT_REDIS_SERVER, request->kind);
    }
    return has_default || strcmp(provider_of(request->object).value, "redis") == 0;
}

static void row_2(const struct request *request, struct integer replicas, struct answer *answer) {
    /* Of a sibling nobody reads the transport. */
    const struct breach breach = {.is_by_replicas = true,
                                  .is_by_provider = true,
                                  .is_by_transport = request->kind == MCPSERVER};
    enum rule_mode mode = oracle_mode(request, SESSION_STORAGE);
    if (!oracle_exceeds(replicas, 1) || shares_sessions(request) || mode == OFF) {
        return;
    }
    if (strcmp(affinity_of(request->object).value, "None") == 0) {
        oracle_mark_kind(request, MARK_ROW2_AFFINITY_SERVER, request->kind);
    }
    if (mode == DENY && is_new(request, &breach)) {
        oracle_mark_kind(request, MARK_ROW2_DENY_SERVER, request->kind);
        oracle_deny(answer, SESSION_STORAGE);
        return;
    }
    oracle_mark_kind(request, mode == DENY ? MARK_ROW2_OLD_SERVER : MARK_ROW2_WARN_SERVER,
                     request->kind);
    oracle_warn(answer, SESSION_STORAGE);
}

/* Row 2b of the other transports. */
static void row_2b_sessions(const struct request *request, struct answer *answer) {
    static const struct breach breach = {
        .is_by_backends = true, .is_by_provider = true, .is_by_transport = true};
    enum rule_mode mode = oracle_mode(request, SESSION_STORAGE);
    if (request->kind != MCPSERVER || is_stdio(request) ||
        !oracle_exceeds(backends_of(request->object), 1) || shares_sessions(request) ||
        mode == OFF) {
        return;
    }
    if (mode == DENY && is_new(request, &breach)) {
        oracle_mark(request, MARK_ROW2B_SESSIONS_DENY);
        oracle_deny(answer, SESSION_STORAGE);
        return;
    }
    oracle_mark(request, mode == DENY ? MARK_ROW2B_SESSIONS_OLD : MARK_ROW2B_SESSIONS_WARN);
    oracle_warn(answer, SESSION_STORAGE);
}

/* A refusal comes alone, and ends it. */
void oracle_judge_server(const struct request *request, struct answer *answer) {
    if (oracle_is_ending(request)) {
        oracle_mark_kind(request, MARK_ROW13_ENDING_SERVER, request->kind);
        return;
    }
    if (has_wrong_types(request->kind, request->object)) {
        oracle_mark(request, MARK_ROW13_WRONG_TYPE);
        return;
    }
    request->marks->is_resolved = true;
    struct integer replicas = row_1(request, answer);
    if (!answer->is_denied) {
        row_2b_stdio(request, answer);
    }
    if (!answer->is_denied) {
        row_2(request, replicas, answer);
    }
    if (!answer->is_denied) {
        row_2b_sessions(request, answer);
    }
}
