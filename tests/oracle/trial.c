// SPDX-License-Identifier: Apache-2.0
#include "trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "limits.h"
#include "tree.h"
#include "wire.h"

#define OPERATOR "system:serviceaccount:toolhive-system:toolhive-operator"

enum {
    MIDNIGHT = 1801440000, /* 2027-02-01T00:00:00Z */
};

static cJSON *format_tree(const char *format, ...) __attribute__((format(printf, 1, 2)));

static cJSON *format_tree(const char *format, ...) {
    char json[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(json, sizeof(json), format, arguments);
    va_end(arguments);
    return tree_parse(json);
}

/* ---- facts ---- */

static void random_spec(struct chance *chance, cJSON *spec) {
    static const char *const transports[] = {"stdio", "stdio", "stdio", "stdio", "stdio",
                                             "sse",   "sse",   "sse",   "",      "streamable-http",
                                             "STDIO", NULL,    NULL};
    static const char *const counts[] = {NULL, NULL, NULL, NULL, "0",    "1",         "2",
                                         "3",  "3",  "3",  "5",  "1000", "2147483647"};
    static const char *const providers[] = {NULL, NULL, NULL, "redis", "redis", "memory", "Redis"};
    const char *transport = CHANCE_PICK(chance, transports);
    const char *count = CHANCE_PICK(chance, counts);
    const char *provider = CHANCE_PICK(chance, providers);
    if (transport != NULL) {
        tree_put_text(spec, "transport", transport);
    }
    if (count != NULL) {
        tree_put(spec, "replicas", tree_parse(count));
    }
    if (provider != NULL) {
        tree_put(spec, "sessionStorage", format_tree("{\"provider\": \"%s\"}", provider));
    }
}

static cJSON *random_server(struct chance *chance, const char *namespace, const char *name,
                            const char *uid) {
    static const int generations[] = {1, 1, 2, 2, 9, 10, 0};
    cJSON *server = format_tree("{\"apiVersion\": \"toolhive.stacklok.dev/%s\","
                                " \"kind\": \"MCPServer\", \"metadata\": {\"name\": \"%s\","
                                " \"namespace\": \"%s\"}, \"spec\": {\"image\": \"i\"}}",
                                chance_of(chance, 80) ? "v1beta1" : "v1alpha1", name, namespace);
    cJSON *metadata = tree_at(server, "metadata", NULL);
    int generation = CHANCE_PICK(chance, generations);
    random_spec(chance, tree_at(server, "spec", NULL));
    if (uid[0] != '\0') {
        tree_put_text(metadata, "uid", uid);
    }
    if (generation > 0) {
        tree_put(metadata, "generation", cJSON_CreateNumber(generation));
    }
    if (chance_of(chance, 10)) {
        tree_put_text(metadata, "deletionTimestamp", "2026-11-22T11:59:00Z");
    }
    return server;
}

/* Neighbours that must not be taken for the MCPServer, and a Deployment that proves nothing. */
static void add_neighbours(struct chance *chance, const struct names *names, const char *uid,
                           cJSON *facts) {
    static const char *const elsewhere[] = {"other", "default-2", "sandbox-2"};
    if (chance_of(chance, 30)) {
        cJSON_AddItemToArray(
            facts, random_server(chance, CHANCE_PICK(chance, elsewhere), names->name, uid));
    }
    if (chance_of(chance, 30)) {
        cJSON_AddItemToArray(facts, random_server(chance, names->namespace, "notes",
                                                  uid[0] == '\0' ? "" : "m-notes"));
    }
    if (chance_of(chance, 20)) {
        cJSON_AddItemToArray(
            facts, format_tree("{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\","
                               " \"metadata\": {\"name\": \"%s\", \"namespace\": \"%s\","
                               " \"uid\": \"d-%d\", \"ownerReferences\": [{\"apiVersion\":"
                               " \"toolhive.stacklok.dev/v1beta1\", \"kind\": \"MCPServer\","
                               " \"name\": \"notes\", \"uid\": \"m-notes\","
                               " \"controller\": true}]}, \"spec\": {\"replicas\": 3}}",
                               names->name, names->namespace, (int)chance_below(chance, 2)));
    }
}

static cJSON *random_facts(struct chance *chance, const struct names *names) {
    cJSON *facts = cJSON_CreateArray();
    const char *uid = chance_of(chance, 12) ? "" : names->uid;
    if (chance_of(chance, 88)) {
        cJSON_AddItemToArray(facts, random_server(chance, names->namespace, names->name, uid));
    }
    add_neighbours(chance, names, uid, facts);
    return facts;
}

/* The live MCPServer, with which the API server would answer: mostly that of the facts, somewhat
 * newer. */
static cJSON *random_live(struct chance *chance, const struct names *names) {
    char uid[sizeof(names->uid) + 8];
    size_t which = chance_below(chance, 10);
    snprintf(uid, sizeof(uid), "%s", which < 8 ? names->uid : which < 9 ? "m-before" : "m-after");
    return random_server(chance, names->namespace, names->name, uid);
}

/* ---- the policy ---- */

static void random_modes(struct chance *chance, cJSON *policy) {
    static const char *const sections[] = {"stdioCap", "replicas", "gracePeriod", "sessionStorage"};
    static const char *const modes[][5] = {{"off", "warn", "deny", "deny", "enforce"},
                                           {"off", "warn", "enforce", "warn", "enforce"},
                                           {"off", "warn", "enforce", "off", "enforce"},
                                           {"off", "warn", "deny", "deny", "deny"}};
    for (size_t i = 0; i < 4; i++) {
        cJSON *section = cJSON_AddObjectToObject(policy, sections[i]);
        if (chance_of(chance, 45)) {
            tree_put_text(section, "mode", CHANCE_PICK(chance, modes[i]));
        }
    }
}

static cJSON *random_exemption(struct chance *chance, const struct names *names) {
    static const char *const rules[] = {"[\"stdio-cap\"]",
                                        "[\"replica-passthrough\"]",
                                        "[\"grace-period\"]",
                                        "[\"session-storage\"]",
                                        "[\"stdio-cap\", \"replica-passthrough\"]",
                                        "[\"replica-passthrough\", \"grace-period\"]"};
    static const char *const days[] = {"2027-01-31", "2027-01-30", "2027-02-01"};
    cJSON *exemption = cJSON_CreateObject();
    tree_put_text(exemption, "namespace", chance_of(chance, 85) ? names->namespace : "other");
    if (chance_of(chance, 50)) {
        tree_put_text(exemption, "name", chance_of(chance, 75) ? names->name : "notes");
    }
    if (chance_of(chance, 60)) {
        tree_put(exemption, "rules", tree_parse(CHANCE_PICK(chance, rules)));
    }
    if (chance_of(chance, 50)) {
        tree_put_text(exemption, "until", CHANCE_PICK(chance, days));
    }
    return exemption;
}

static void random_switches(struct chance *chance, cJSON *policy) {
    static const int seconds[] = {30, 60, 29, 1};
    static const char *const users[] = {"[\"" OPERATOR "\"]", "[\"ops\", \"operator\"]", "[]"};
    cJSON *cap = tree_at(policy, "stdioCap", NULL);
    cJSON *grace = tree_at(policy, "gracePeriod", NULL);
    if (chance_of(chance, 40)) {
        tree_put(cap, "preventSurge", cJSON_CreateBool(chance_of(chance, 85)));
    }
    if (chance_of(chance, 40)) {
        tree_put(cap, "rewriteSpec", cJSON_CreateBool(chance_of(chance, 85)));
    }
    if (chance_of(chance, 45)) {
        tree_put(grace, "minimum", cJSON_CreateBool(chance_of(chance, 85)));
    }
    if (chance_of(chance, 30)) {
        tree_put(grace, "seconds", cJSON_CreateNumber(CHANCE_PICK(chance, seconds)));
    }
    if (chance_of(chance, 20)) {
        tree_put(tree_at(policy, "replicas", NULL), "operatorUsers",
                 tree_parse(CHANCE_PICK(chance, users)));
    }
    if (chance_of(chance, 30)) {
        tree_put_text(policy, "onUnresolved", chance_of(chance, 70) ? "fail" : "allow");
    }
}

static cJSON *random_policy(struct chance *chance, const struct names *names) {
    cJSON *policy = cJSON_CreateObject();
    random_modes(chance, policy);
    random_switches(chance, policy);
    if (chance_of(chance, 12)) {
        cJSON *list = cJSON_AddArrayToObject(policy, "exempt");
        for (size_t n = 1 + chance_below(chance, 2); n > 0; n--) {
            cJSON_AddItemToArray(list, random_exemption(chance, names));
        }
    }
    return policy;
}

/* ---- the review, as it should be ---- */

static cJSON *new_request(struct chance *chance, const struct names *names, const char *kind,
                          const char *resource, const char *sub_resource) {
    static const char *const users[] = {OPERATOR, OPERATOR, OPERATOR, "admin", "ops"};
    cJSON *request =
        format_tree("{\"uid\": \"r-1\", \"kind\": %s, \"resource\": %s,"
                    " \"name\": \"%s\", \"namespace\": \"%s\","
                    " \"userInfo\": {\"username\": \"%s\", \"groups\": [\"g\"]},"
                    " \"object\": null, \"oldObject\": null, \"dryRun\": false}",
                    kind, resource, names->name, names->namespace, CHANCE_PICK(chance, users));
    bool is_update = sub_resource != NULL || chance_of(chance, 60);
    tree_put_text(request, "operation", is_update ? "UPDATE" : "CREATE");
    if (sub_resource != NULL) {
        tree_put_text(request, "subResource", sub_resource);
    }
    return request;
}

static bool is_update(const cJSON *request) {
    return strcmp(tree_at(request, "operation", NULL)->valuestring, "UPDATE") == 0;
}

static cJSON *new_deployment(struct chance *chance, const struct names *names) {
    cJSON *deployment = format_tree(
        "{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {\"name\": \"%s\","
        " \"namespace\": \"%s\", \"labels\": {\"app.kubernetes.io/name\": \"mcpserver\","
        " \"app.kubernetes.io/instance\": \"%s\"}, \"ownerReferences\": [{\"apiVersion\":"
        " \"toolhive.stacklok.dev/v1beta1\", \"kind\": \"MCPServer\", \"name\": \"%s\","
        " \"uid\": \"%s\", \"controller\": true}]}, \"spec\": {\"selector\": {\"matchLabels\":"
        " {\"app.kubernetes.io/name\": \"mcpserver\", \"app.kubernetes.io/instance\": \"%s\"}},"
        " \"template\": {\"metadata\": {\"annotations\":"
        " {\"toolhive.stacklok.dev/mcpserver-generation\": \"1\"}},"
        " \"spec\": {\"containers\": []}}}}",
        names->name, names->namespace, names->name, names->name, names->uid, names->name);
    cJSON *spec = tree_at(deployment, "spec", NULL);
    tree_put(spec, "replicas", random_count(chance));
    tree_put(spec, "strategy", random_strategy(chance));
    if (chance_of(chance, 55)) {
        tree_put(tree_at(spec, "template", "spec", NULL), "terminationGracePeriodSeconds",
                 cJSON_CreateNumber(30));
    }
    return deployment;
}

static cJSON *deployment_request(struct chance *chance, const struct names *names) {
    cJSON *request = new_request(
        chance, names, "{\"group\": \"apps\", \"version\": \"v1\", \"kind\": \"Deployment\"}",
        "{\"group\": \"apps\", \"version\": \"v1\", \"resource\": \"deployments\"}", NULL);
    cJSON *deployment = new_deployment(chance, names);
    if (is_update(request)) {
        cJSON *old = tree_copy(deployment);
        tree_put_text(tree_at(deployment, "metadata", NULL), "uid", "d-1");
        tree_put_text(tree_at(old, "metadata", NULL), "uid", "d-1");
        if (chance_of(chance, 75)) {
            tree_put(tree_at(old, "spec", NULL), "replicas", random_count(chance));
        }
        tree_put(request, "oldObject", old);
    }
    tree_put(request, "object", deployment);
    return request;
}

static cJSON *new_scale(struct chance *chance, const struct names *names) {
    cJSON *scale = format_tree("{\"apiVersion\": \"autoscaling/v1\", \"kind\": \"Scale\","
                               " \"metadata\": {\"name\": \"%s\", \"namespace\": \"%s\","
                               " \"uid\": \"d-1\"}, \"spec\": {}, \"status\": {\"replicas\": 1,"
                               " \"selector\": \"app=mcpserver,app.kubernetes.io/instance=%s,"
                               "app.kubernetes.io/name=mcpserver,toolhive=true\"}}",
                               names->name, names->namespace, names->name);
    tree_put(tree_at(scale, "spec", NULL), "replicas", random_count(chance));
    return scale;
}

static cJSON *scale_request(struct chance *chance, const struct names *names) {
    cJSON *request = new_request(
        chance, names, "{\"group\": \"autoscaling\", \"version\": \"v1\", \"kind\": \"Scale\"}",
        "{\"group\": \"apps\", \"version\": \"v1\", \"resource\": \"deployments\"}", "scale");
    tree_put(request, "object", new_scale(chance, names));
    tree_put(request, "oldObject", new_scale(chance, names));
    return request;
}

static cJSON *server_request(struct chance *chance, const struct names *names) {
    cJSON *request = new_request(chance, names,
                                 "{\"group\": \"toolhive.stacklok.dev\", \"version\": \"v1beta1\","
                                 " \"kind\": \"MCPServer\"}",
                                 "{\"group\": \"toolhive.stacklok.dev\", \"version\": \"v1beta1\","
                                 " \"resource\": \"mcpservers\"}",
                                 NULL);
    bool updates = is_update(request);
    cJSON *server = random_server(chance, names->namespace, names->name, updates ? names->uid : "");
    tree_drop(tree_at(server, "metadata", NULL), "deletionTimestamp");
    if (updates) {
        cJSON *old = tree_copy(server);
        if (chance_of(chance, 60)) {
            tree_put(old, "spec", cJSON_CreateObject());
            random_spec(chance, tree_at(old, "spec", NULL));
        }
        tree_put(request, "oldObject", old);
    }
    tree_put(request, "object", server);
    return request;
}

/* ---- a trial ---- */

static void random_names(struct chance *chance, struct names *names) {
    static const char *const common[] = {"github", "github", "weather", "a"};
    static const char *const namespaces[] = {"default", "default", "prod", "sandbox"};
    snprintf(names->name, sizeof(names->name), "%s", CHANCE_PICK(chance, common));
    snprintf(names->namespace, sizeof(names->namespace), "%s", CHANCE_PICK(chance, namespaces));
    if (chance_of(chance, 3)) {
        memset(names->name, 'n', LIMIT_NAME);
        names->name[LIMIT_NAME] = '\0';
    }
    if (chance_of(chance, 3)) {
        memset(names->namespace, 's', LIMIT_NAMESPACE);
        names->namespace[LIMIT_NAMESPACE] = '\0';
    }
    snprintf(names->uid, sizeof(names->uid), "m-1");
    if (chance_of(chance, 5)) {
        memset(names->uid, 'u', LIMIT_UID);
        names->uid[LIMIT_UID] = '\0';
    }
}

static cJSON *random_review(struct chance *chance, const struct names *names) {
    cJSON *review = tree_parse("{\"kind\": \"AdmissionReview\","
                               " \"apiVersion\": \"admission.k8s.io/v1\"}");
    size_t which = chance_below(chance, 100);
    cJSON *request = which < 60   ? deployment_request(chance, names)
                     : which < 80 ? scale_request(chance, names)
                                  : server_request(chance, names);
    for (size_t n = chance_below(chance, 4); n > 0; n--) {
        (which < 60   ? mutate_deployment
         : which < 80 ? mutate_scale
                      : mutate_server)(chance, names, request);
    }
    tree_put(review, "request", request);
    if (chance_of(chance, 15)) {
        mutate_request(chance, names, review);
    }
    return review;
}

/* Row 7 needs many things at once: an update by the operator, of a server that is not stdio and has
   no count. */
static void lean_to_row_7(struct chance *chance, cJSON *trial) {
    cJSON *server = cJSON_GetArrayItem(tree_at(trial, "facts", NULL), 0);
    cJSON *request = tree_at(trial, "review", "request", NULL);
    cJSON *annotations = tree_at(request, "object", "spec", "template", "metadata", NULL);
    if (tree_at(server, "spec", NULL) == NULL || tree_at(request, "userInfo", NULL) == NULL) {
        return;
    }
    tree_put(server, "spec", tree_parse("{\"transport\": \"sse\"}"));
    tree_put_text(tree_at(request, "userInfo", NULL), "username", OPERATOR);
    tree_drop(tree_at(trial, "policy", "replicas", NULL), "operatorUsers");
    if (chance_of(chance, 40)) {
        tree_drop(annotations, "annotations");
    }
}

/* No owner: the selector decides. */
static void lean_to_selector(struct chance *chance, cJSON *trial) {
    cJSON *request = tree_at(trial, "review", "request", NULL);
    tree_drop(tree_at(request, "object", "metadata", NULL), "ownerReferences");
    tree_drop(tree_at(request, "oldObject", "metadata", NULL), "ownerReferences");
    if (chance_of(chance, 30)) {
        mutate_selector(chance, tree_at(request, "object", NULL));
    }
    if (chance_of(chance, 30)) {
        mutate_selector(chance, tree_at(request, "oldObject", NULL));
    }
}

/* README.md lists the open questions. */
static void leave_open_questions(cJSON *trial) {
    cJSON *request = tree_at(trial, "review", "request", NULL);
    cJSON *object = tree_at(request, "object", NULL);
    if (!cJSON_IsString(tree_at(object, "metadata", "deletionTimestamp", NULL))) {
        tree_drop(tree_at(request, "oldObject", "metadata", NULL), "deletionTimestamp");
    }
    if (!trial_can_be(trial, WORLD_FOUND)) {
        tree_drop(tree_at(object, "spec", NULL), "selector");
        tree_drop(tree_at(request, "oldObject", "spec", NULL), "selector");
    }
    if (tree_at(request, "name", NULL) == NULL &&
        tree_at(object, "metadata", "name", NULL) == NULL) {
        tree_drop(tree_at(object, "metadata", NULL), "ownerReferences");
        tree_drop(tree_at(request, "oldObject", "metadata", NULL), "ownerReferences");
    }
}

cJSON *trial_new(uint64_t seed) {
    static const int64_t nows[] = {MIDNIGHT - 1, MIDNIGHT, MIDNIGHT - 43200, MIDNIGHT + 43200};
    struct chance chance = {seed};
    struct names names;
    cJSON *trial = cJSON_CreateObject();
    chance.state = chance_next(&chance);
    random_names(&chance, &names);
    tree_put(trial, "facts", random_facts(&chance, &names));
    tree_put(trial, "policy", random_policy(&chance, &names));
    tree_put(trial, "now", cJSON_CreateNumber((double)CHANCE_PICK(&chance, nows)));
    tree_put(trial, "live", random_live(&chance, &names));
    tree_put(trial, "review", random_review(&chance, &names));
    if (chance_of(&chance, 10)) {
        lean_to_row_7(&chance, trial);
    } else if (chance_of(&chance, 10)) {
        lean_to_selector(&chance, trial);
    }
    if (!TRIAL_ASKS_OPEN_QUESTIONS) {
        leave_open_questions(trial);
    }
    tree_put(trial, "style", cJSON_CreateNumber((double)chance_below(&chance, 1U << 30)));
    if (chance_of(&chance, 1)) {
        tree_put_text(trial, "tail", chance_of(&chance, 50) ? "x" : "{}");
    } else if (chance_of(&chance, 1)) {
        tree_put(trial, "cut", cJSON_CreateNumber((double)chance_below(&chance, 40) + 1));
    }
    return trial;
}

char *trial_text(const cJSON *trial) {
    const cJSON *tail = tree_at(trial, "tail", NULL);
    const cJSON *cut = tree_at(trial, "cut", NULL);
    const cJSON *style = tree_at(trial, "style", NULL);
    AUTO_FREE char *text = wire_write(tree_at(trial, "review", NULL),
                                      style == NULL ? 0 : (uint64_t)style->valuedouble);
    size_t size = strlen(text);
    if (cut != NULL && (size_t)cut->valueint < size) {
        text[size - (size_t)cut->valueint] = '\0';
    }
    return memory_format("%s%s", text, tail == NULL ? "" : tail->valuestring);
}

struct question trial_question(const cJSON *trial, enum world world, const char *text) {
    const cJSON *now = tree_at(trial, "now", NULL);
    return (struct question){
        .facts = tree_at(trial, "facts", NULL),
        .policy = tree_at(trial, "policy", NULL),
        .now = now == NULL ? 0 : (int64_t)now->valuedouble,
        .review = text,
        .world = world,
        .live = tree_at(trial, "live", NULL),
    };
}

bool trial_can_be(const cJSON *trial, enum world world) {
    const cJSON *object;
    cJSON_ArrayForEach(object, tree_at(trial, "facts", NULL)) {
        if (tree_at(object, "metadata", "uid", NULL) == NULL) {
            return world == WORLD_OFFLINE;
        }
    }
    return true;
}
