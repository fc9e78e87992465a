// SPDX-License-Identifier: Apache-2.0
#include "oracle.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "limits.h"
#include "oracle_parts.h"
#include "tree.h"

const char *const oracle_rule_names[RULES] = {
    [STDIO_CAP] = "stdio-cap",       [PASSTHROUGH] = "replica-passthrough",
    [GRACE_PERIOD] = "grace-period", [SESSION_STORAGE] = "session-storage",
    [AUTOSCALER] = "autoscaler",
};

/* ---- modes and exemptions ---- */

/* The first second after the day, in seconds since 1970. */
static int64_t end_of_day(const char *day) {
    struct tm date = {.tm_isdst = 0};
    sscanf(day, "%d-%d-%d", &date.tm_year, &date.tm_mon, &date.tm_mday);
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    date.tm_mday += 1;
    return (int64_t)timegm(&date);
}

static bool covers_rule(const cJSON *exemption, enum table_rule rule) {
    const cJSON *rules = tree_at(exemption, "rules", NULL);
    const cJSON *item;
    cJSON_ArrayForEach(item, rules) {
        if (strcmp(item->valuestring, oracle_rule_names[rule]) == 0) {
            return true;
        }
    }
    return rules == NULL;
}

static bool is_exempt(const struct request *request, enum table_rule rule) {
    const cJSON *exemption;
    bool is = false;
    cJSON_ArrayForEach(exemption, tree_at(request->question->policy, "exempt", NULL)) {
        const cJSON *name = tree_at(exemption, "name", NULL);
        const cJSON *kind = tree_at(exemption, "kind", NULL);
        const cJSON *until = tree_at(exemption, "until", NULL);
        if (strcmp(tree_at(exemption, "namespace", NULL)->valuestring, request->namespace.value) !=
                0 ||
            (name != NULL && strcmp(name->valuestring, request->name.value) != 0) ||
            (kind != NULL && strcmp(kind->valuestring, oracle_kinds[request->kind]) != 0) ||
            !covers_rule(exemption, rule)) {
            continue;
        }
        if (until != NULL && request->question->now >= end_of_day(until->valuestring)) {
            oracle_mark(request, MARK_EXEMPT_ENDED);
            continue;
        }
        oracle_mark(request, MARK_EXEMPT);
        if (kind != NULL) {
            oracle_mark_kind(request, MARK_EXEMPT_KIND_SERVER, request->kind);
        }
        is = true;
    }
    return is;
}

enum rule_mode oracle_mode(const struct request *request, enum table_rule rule) {
    static const char *const sections[RULES] = {"stdioCap", "replicas", "gracePeriod",
                                                "sessionStorage", "autoscaler"};
    static const char *const words[] = {"off", "warn", "enforce", "deny"};
    const cJSON *given = tree_at(request->question->policy, sections[rule], "mode", NULL);
    enum rule_mode mode = rule == SESSION_STORAGE || rule == AUTOSCALER ? WARN : ENFORCE;
    for (size_t i = 0; given != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(given->valuestring, words[i]) == 0) {
            mode = (enum rule_mode)i;
        }
    }
    return is_exempt(request, rule) ? OFF : mode;
}

/* ---- the answer ---- */

void oracle_warn(struct answer *answer, enum table_rule rule) {
    answer->order[answer->n_order++] = rule;
    answer->notes[rule] = true;
}

void oracle_warn_once(struct answer *answer, enum table_rule rule) {
    for (size_t i = 0; i < answer->n_order; i++) {
        if (answer->order[i] == rule) {
            return;
        }
    }
    oracle_warn(answer, rule);
}

void oracle_patch(struct answer *answer, enum table_rule rule, const char *path,
                  cJSON *owned_value) {
    answer->notes[rule] = true;
    tree_put(answer->patch, path, owned_value);
}

void oracle_deny(struct answer *answer, enum table_rule rule) {
    answer->is_denied = true;
    answer->n_order = 0;
    memset(answer->notes, 0, sizeof(answer->notes));
    answer->notes[rule] = true;
    cJSON_Delete(answer->patch);
    answer->patch = cJSON_CreateObject();
}

static cJSON *outcome(const char *name, bool asks) {
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "outcome", name);
    cJSON_AddBoolToObject(tree, "lookup", asks);
    return tree;
}

static cJSON *finish(const struct request *request, struct answer *answer) {
    answer->asks = answer->asks && request->question->world != WORLD_OFFLINE;
    bool fails =
        answer->is_unresolved &&
        cJSON_IsString(tree_at(request->question->policy, "onUnresolved", NULL)) &&
        strcmp(tree_at(request->question->policy, "onUnresolved", NULL)->valuestring, "fail") == 0;
    if (answer->is_unresolved) {
        oracle_mark(request, fails ? MARK_ROW12_FAIL : MARK_ROW12_UNRESOLVED);
    }
    if (fails) {
        cJSON_Delete(answer->patch);
        return outcome("failed", answer->asks);
    }
    cJSON *tree = outcome(answer->is_unresolved ? "unresolved" : "decided", answer->asks);
    cJSON_AddBoolToObject(tree, "allowed", !answer->is_denied);
    cJSON_AddItemToObject(tree, "patch", answer->patch);
    cJSON *warnings = cJSON_AddArrayToObject(tree, "warnings");
    cJSON *audit = cJSON_AddArrayToObject(tree, "audit");
    if (answer->is_unresolved) {
        cJSON_AddItemToArray(warnings, cJSON_CreateString("unresolved"));
    }
    for (size_t i = 0; i < answer->n_order; i++) {
        cJSON_AddItemToArray(warnings, cJSON_CreateString(oracle_rule_names[answer->order[i]]));
    }
    for (size_t i = 0; i < RULES; i++) {
        if (answer->notes[i]) {
            cJSON_AddItemToArray(audit, cJSON_CreateString(oracle_rule_names[i]));
        }
    }
    return tree;
}

/* ---- the request ---- */

enum judged { OTHER_KIND, ONE_OF_FAMILY, DEPLOYMENT, SCALE, HPA, SCALED_OBJECT };

static bool is_kind(const cJSON *request, const char *group, const char *kind,
                    const char *sub_resource) {
    struct text its_group = oracle_text(tree_at(request, "kind", "group", NULL), LIMIT_NAME);
    struct text its_kind = oracle_text(tree_at(request, "kind", "kind", NULL), LIMIT_KIND);
    struct text its_sub = oracle_text(tree_at(request, "subResource", NULL), LIMIT_KIND);
    return strcmp(its_group.value, group) == 0 && strcmp(its_kind.value, kind) == 0 &&
           its_sub.state != UNUSABLE && strcmp(its_sub.value, sub_resource) == 0;
}

static enum judged judge_kind(const cJSON *request, enum family *ret_family) {
    struct text group = oracle_text(tree_at(request, "resource", "group", NULL), LIMIT_NAME);
    struct text resource = oracle_text(tree_at(request, "resource", "resource", NULL), LIMIT_KIND);
    for (*ret_family = MCPSERVER; *ret_family < FAMILY; (*ret_family)++) {
        if (is_kind(request, TOOLHIVE, oracle_kinds[*ret_family], "")) {
            return ONE_OF_FAMILY;
        }
    }
    *ret_family = MCPSERVER;
    if (is_kind(request, "apps", "Deployment", "")) {
        return DEPLOYMENT;
    }
    if (is_kind(request, "autoscaling", "HorizontalPodAutoscaler", "")) {
        return HPA;
    }
    if (is_kind(request, "keda.sh", "ScaledObject", "")) {
        return SCALED_OBJECT;
    }
    return is_kind(request, "autoscaling", "Scale", "scale") && strcmp(group.value, "apps") == 0 &&
                   strcmp(resource.value, "deployments") == 0
               ? SCALE
               : OTHER_KIND;
}

/* The request's own, or else the object's. */
static struct text name_of(const cJSON *review_request, const cJSON *object, const char *key,
                           size_t limit) {
    struct text name = oracle_text(tree_at(review_request, key, NULL), limit);
    if (name.state == ABSENT || (name.state == SET && name.value[0] == '\0')) {
        return oracle_text(tree_at(object, "metadata", key, NULL), limit);
    }
    return name;
}

static const cJSON *object_of(const cJSON *review_request, const char *key) {
    const cJSON *object = tree_at(review_request, key, NULL);
    return cJSON_IsObject(object) ? object : NULL;
}

static void read_request(const cJSON *from, struct request *request) {
    struct text operation = oracle_text(tree_at(from, "operation", NULL), LIMIT_KIND);
    request->operation = strcmp(operation.value, "CREATE") == 0   ? CREATE
                         : strcmp(operation.value, "UPDATE") == 0 ? UPDATE
                                                                  : OTHER_OPERATION;
    request->object = object_of(from, "object");
    request->old = request->operation == UPDATE ? object_of(from, "oldObject") : NULL;
    request->name = name_of(from, request->object, "name", LIMIT_NAME);
    request->namespace = name_of(from, request->object, "namespace", LIMIT_NAMESPACE);
    request->user = oracle_text(tree_at(from, "userInfo", "username", NULL), LIMIT_USER);
}

static bool is_malformed(const cJSON *review) {
    struct text version = oracle_text(tree_at(review, "apiVersion", NULL), LIMIT_API_VERSION);
    struct text kind = oracle_text(tree_at(review, "kind", NULL), LIMIT_KIND);
    struct text uid = oracle_text(tree_at(review, "request", "uid", NULL), LIMIT_REVIEW_UID);
    return strcmp(version.value, "admission.k8s.io/v1") != 0 ||
           strcmp(kind.value, "AdmissionReview") != 0 || uid.value[0] == '\0';
}

static void judge(const struct request *request, enum judged kind, struct answer *answer) {
    if (request->operation == OTHER_OPERATION || request->object == NULL) {
        kind = OTHER_KIND;
    }
    switch (kind) {
    case ONE_OF_FAMILY:
        oracle_judge_server(request, answer);
        break;
    case DEPLOYMENT:
        oracle_judge_deployment(request, answer);
        break;
    case SCALE:
        oracle_judge_scale(request, answer);
        break;
    case HPA:
    case SCALED_OBJECT:
        oracle_judge_autoscaler(request, kind == SCALED_OBJECT, answer);
        break;
    default:
        oracle_mark(request, MARK_ROW13_OTHER);
        break;
    }
}

cJSON *oracle_answer(const struct question *question, struct marks *marks) {
    struct request request = {.question = question, .marks = marks};
    cJSON *review = tree_parse_wire(question->review);
    if (is_malformed(review)) {
        oracle_mark(&request, MARK_MALFORMED);
        cJSON_Delete(review);
        return outcome("malformed", false);
    }
    struct answer answer = {.patch = cJSON_CreateObject()};
    const cJSON *from = tree_at(review, "request", NULL);
    read_request(from, &request);
    judge(&request, judge_kind(from, &request.kind), &answer);
    cJSON *tree = finish(&request, &answer);
    cJSON_Delete(review);
    return tree;
}
