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

/* ---- facts ---- */

/* Neighbours that must not be taken for the one, and a Deployment. */
static void add_neighbours(struct chance *chance, const struct names *names, bool has_uids,
                           cJSON *facts) {
    static const char *const elsewhere[] = {"other", "default-2", "sandbox-2"};
    if (chance_of(chance, 30)) {
        cJSON_AddItemToArray(facts,
                             random_server(chance, names->kind, CHANCE_PICK(chance, elsewhere),
                                           names->name, has_uids ? names->uid : ""));
    }
    if (chance_of(chance, 30)) {
        cJSON_AddItemToArray(facts, random_server(chance, names->kind, names->namespace, "notes",
                                                  has_uids ? "m-notes" : ""));
    }
    if (chance_of(chance, 50)) {
        cJSON_AddItemToArray(facts, random_record(chance, names, has_uids));
    }
}

/* The three kinds may share a name. The one that the trial is about stands first. */
static void add_family(struct chance *chance, const struct names *names, bool has_uids,
                       unsigned own_percent, cJSON *list) {
    for (enum family i = MCPSERVER; i < FAMILY; i++) {
        enum family kind = (names->kind + i) % FAMILY;
        if (chance_of(chance, kind == names->kind ? own_percent : 25)) {
            cJSON_AddItemToArray(list, random_server(chance, kind, names->namespace, names->name,
                                                     has_uids ? names_uid(names, kind) : ""));
        }
    }
}

static cJSON *random_facts(struct chance *chance, const struct names *names) {
    cJSON *facts = cJSON_CreateArray();
    bool has_uids = chance_of(chance, 88);
    add_family(chance, names, has_uids, 88, facts);
    add_neighbours(chance, names, has_uids, facts);
    return facts;
}

/* What an API server has: mostly what the facts have, somewhat newer. */
static cJSON *random_live(struct chance *chance, const struct names *names) {
    cJSON *live = cJSON_CreateArray();
    add_family(chance, names, true, 90, live);
    if (chance_of(chance, 20) && cJSON_GetArraySize(live) > 0) {
        tree_put_text(tree_at(cJSON_GetArrayItem(live, 0), "metadata", NULL), "uid",
                      chance_of(chance, 50) ? "m-before" : "m-after");
    }
    return live;
}

/* ---- the policy ---- */

static void random_modes(struct chance *chance, cJSON *policy) {
    static const char *const sections[] = {"stdioCap", "replicas", "gracePeriod", "sessionStorage",
                                           "autoscaler"};
    static const char *const modes[][5] = {{"off", "warn", "deny", "deny", "enforce"},
                                           {"off", "warn", "enforce", "warn", "enforce"},
                                           {"off", "warn", "enforce", "off", "enforce"},
                                           {"off", "warn", "deny", "deny", "deny"},
                                           {"off", "warn", "deny", "deny", "deny"}};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
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
                                        "[\"autoscaler\"]",
                                        "[\"stdio-cap\", \"replica-passthrough\"]",
                                        "[\"replica-passthrough\", \"grace-period\"]"};
    static const char *const days[] = {"2027-01-31", "2027-01-30", "2027-02-01"};
    cJSON *exemption = cJSON_CreateObject();
    tree_put_text(exemption, "namespace", chance_of(chance, 85) ? names->namespace : "other");
    if (chance_of(chance, 50)) {
        tree_put_text(exemption, "name", chance_of(chance, 75) ? names->name : "notes");
    }
    if (chance_of(chance, 50)) {
        tree_put_text(
            exemption, "kind",
            oracle_kinds[chance_of(chance, 70) ? names->kind : chance_below(chance, FAMILY)]);
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
    if (chance_of(chance, 50)) {
        tree_put(cap, "rewriteSpec", cJSON_CreateBool(chance_of(chance, 85)));
    }
    if (chance_of(chance, 60)) {
        tree_put(grace, "minimum", cJSON_CreateBool(chance_of(chance, 85)));
    }
    if (chance_of(chance, 30)) {
        tree_put(grace, "seconds", cJSON_CreateNumber(CHANCE_PICK(chance, seconds)));
    }
    if (chance_of(chance, 30)) {
        tree_put(tree_at(policy, "sessionStorage", NULL), "defaultRedis",
                 cJSON_CreateBool(chance_of(chance, 85)));
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
        trial_format("{\"uid\": \"r-1\", \"kind\": %s, \"resource\": %s,"
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
    const char *label = oracle_labels[names->kind];
    cJSON *deployment = trial_format(
        "{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {\"name\": \"%s\","
        " \"namespace\": \"%s\", \"labels\": {\"app.kubernetes.io/name\": \"%s\","
        " \"app.kubernetes.io/instance\": \"%s\"}, \"ownerReferences\": [{\"apiVersion\":"
        " \"toolhive.stacklok.dev/v1beta1\", \"kind\": \"%s\", \"name\": \"%s\","
        " \"uid\": \"%s\", \"controller\": true}]}, \"spec\": {\"selector\": {\"matchLabels\":"
        " {\"app.kubernetes.io/name\": \"%s\", \"app.kubernetes.io/instance\": \"%s\"}},"
        " \"template\": {\"metadata\": {\"annotations\":"
        " {\"toolhive.stacklok.dev/mcpserver-generation\": \"1\"}},"
        " \"spec\": {\"containers\": []}}}}",
        names->name, names->namespace, label, names->name, oracle_kinds[names->kind], names->name,
        names->uid, label, names->name);
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
    cJSON *scale =
        trial_format("{\"apiVersion\": \"autoscaling/v1\", \"kind\": \"Scale\","
                     " \"metadata\": {\"name\": \"%s\", \"namespace\": \"%s\","
                     " \"uid\": \"d-1\"}, \"spec\": {}, \"status\": {\"replicas\": 1,"
                     " \"selector\": \"app=mcpserver,app.kubernetes.io/instance=%s,"
                     "app.kubernetes.io/name=%s,toolhive=true\"}}",
                     names->name, names->namespace, names->name, oracle_labels[names->kind]);
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

static cJSON *family_request(struct chance *chance, const struct names *names) {
    static const char *const plurals[FAMILY] = {"mcpservers", "mcpremoteproxies",
                                                "virtualmcpservers"};
    char kind[256];
    char resource[256];
    snprintf(kind, sizeof(kind),
             "{\"group\": \"" TOOLHIVE "\", \"version\": \"v1beta1\","
             " \"kind\": \"%s\"}",
             oracle_kinds[names->kind]);
    snprintf(resource, sizeof(resource),
             "{\"group\": \"" TOOLHIVE "\", \"version\": \"v1beta1\","
             " \"resource\": \"%s\"}",
             plurals[names->kind]);
    cJSON *request = new_request(chance, names, kind, resource, NULL);
    bool updates = is_update(request);
    cJSON *server = random_server(chance, names->kind, names->namespace, names->name,
                                  updates ? names->uid : "");
    tree_drop(tree_at(server, "metadata", NULL), "deletionTimestamp");
    if (updates) {
        cJSON *old = tree_copy(server);
        if (chance_of(chance, 60)) {
            tree_put(old, "spec", cJSON_CreateObject());
            random_spec(chance, names->kind, tree_at(old, "spec", NULL));
        }
        tree_put(request, "oldObject", old);
    }
    tree_put(request, "object", server);
    return request;
}

static cJSON *autoscaler_request(struct chance *chance, const struct names *names) {
    bool is_keda = chance_of(chance, 50);
    cJSON *request = new_request(
        chance, names,
        is_keda ? "{\"group\": \"keda.sh\", \"version\": \"v1alpha1\", \"kind\": \"ScaledObject\"}"
                : "{\"group\": \"autoscaling\", \"version\": \"v2\","
                  " \"kind\": \"HorizontalPodAutoscaler\"}",
        is_keda ? "{\"group\": \"keda.sh\", \"version\": \"v1alpha1\","
                  " \"resource\": \"scaledobjects\"}"
                : "{\"group\": \"autoscaling\", \"version\": \"v2\","
                  " \"resource\": \"horizontalpodautoscalers\"}",
        NULL);
    cJSON *object = random_autoscaler(chance, names, is_keda);
    if (is_update(request)) {
        tree_put(request, "oldObject",
                 chance_of(chance, 50) ? tree_copy(object)
                                       : random_autoscaler(chance, names, is_keda));
    }
    if (chance_of(chance, 50)) {
        tree_put_text(request, "name", "scaler");
    }
    tree_put(request, "object", object);
    return request;
}

/* ---- a trial ---- */

const char *names_uid(const struct names *names, enum family kind) {
    static const char *const uids[FAMILY] = {"m-1", "p-1", "v-1"};
    return kind == names->kind ? names->uid : uids[kind];
}

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
    static const enum family kinds[] = {MCPSERVER, MCPSERVER, MCPSERVER, REMOTEPROXY, VIRTUAL};
    static const char *const uids[FAMILY] = {"m-1", "p-1", "v-1"};
    names->kind = CHANCE_PICK(chance, kinds);
    snprintf(names->uid, sizeof(names->uid), "%s", uids[names->kind]);
    if (chance_of(chance, 5)) {
        memset(names->uid, 'u', LIMIT_UID);
        names->uid[LIMIT_UID] = '\0';
    }
}

static cJSON *random_review(struct chance *chance, const struct names *names) {
    cJSON *review = tree_parse("{\"kind\": \"AdmissionReview\","
                               " \"apiVersion\": \"admission.k8s.io/v1\"}");
    static const struct {
        unsigned up_to;
        cJSON *(*make)(struct chance *chance, const struct names *names);
        void (*mutate)(struct chance *chance, const struct names *names, cJSON *request);
    } kinds[] = {{46, deployment_request, mutate_deployment},
                 {62, scale_request, mutate_scale},
                 {81, family_request, mutate_server},
                 {100, autoscaler_request, mutate_autoscaler}};
    size_t which = chance_below(chance, 100);
    size_t i = 0;
    while (which >= kinds[i].up_to) {
        i++;
    }
    cJSON *request = kinds[i].make(chance, names);
    for (size_t n = chance_below(chance, 4); n > 0; n--) {
        kinds[i].mutate(chance, names, request);
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

/* The operator's Deployment of a sibling got the selector of an MCPServer. */
static void lean_to_two_kinds(struct chance *chance, cJSON *trial) {
    cJSON *request = tree_at(trial, "review", "request", NULL);
    static const char *const keys[] = {"object", "oldObject"};
    cJSON *object;
    for (size_t i = 0; i < 2; i++) {
        object = tree_at(request, keys[i], NULL);
        tree_put_text(tree_at(object, "spec", "selector", "matchLabels", NULL),
                      "app.kubernetes.io/name", oracle_labels[MCPSERVER]);
    }
    cJSON_ArrayForEach(object, tree_at(trial, "facts", NULL)) {
        if (strcmp(tree_at(object, "kind", NULL)->valuestring, oracle_kinds[MCPSERVER]) == 0 &&
            chance_of(chance, 70)) {
            tree_drop(tree_at(object, "spec", NULL), "transport");
        }
    }
}

/* An autoscaler of a stdio MCPServer, or too many backends. */
static void lean_to_offence(struct chance *chance, cJSON *trial, cJSON *object) {
    cJSON *spec = tree_at(object, "spec", NULL);
    cJSON *server = cJSON_GetArrayItem(tree_at(trial, "facts", NULL), 0);
    if (chance_of(chance, 50)) {
        return;
    }
    if (tree_at(spec, "scaleTargetRef", NULL) != NULL) {
        tree_put(spec, "maxReplicas", cJSON_CreateNumber(5));
        tree_put(spec, "maxReplicaCount", cJSON_CreateNumber(5));
        tree_put(server, "spec", cJSON_CreateObject());
    } else {
        tree_put(spec, "backendReplicas", cJSON_CreateNumber(2));
    }
}

/* An update that changes next to nothing, under deny: what broke a rule before can be edited. */
static void lean_to_old_offence(struct chance *chance, cJSON *trial) {
    static const char *const sections[] = {"stdioCap", "sessionStorage", "autoscaler"};
    cJSON *request = tree_at(trial, "review", "request", NULL);
    cJSON *object = tree_at(request, "object", NULL);
    if (!cJSON_IsObject(tree_at(request, "oldObject", NULL)) || !cJSON_IsObject(object)) {
        return;
    }
    lean_to_offence(chance, trial, object);
    cJSON *old = tree_copy(object);
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (chance_of(chance, 75)) {
            tree_put_text(tree_at(trial, "policy", sections[i], NULL), "mode", "deny");
        }
    }
    if (chance_of(chance, 50)) {
        static const char *const keys[] = {"replicas", "backendReplicas", "maxReplicas",
                                           "maxReplicaCount"};
        tree_put(tree_at(old, "spec", NULL), CHANCE_PICK(chance, keys), random_count(chance));
    }
    tree_put(request, "oldObject", old);
}

/* Can one of the controllers not be read? */
static bool has_unreadable_owner(const cJSON *object) {
    static const struct {
        const char *key;
        size_t limit;
    } texts[] = {
        {"kind", LIMIT_KIND}, {"apiVersion", SIZE_MAX}, {"name", LIMIT_NAME}, {"uid", LIMIT_UID}};
    const cJSON *reference;
    cJSON_ArrayForEach(reference, tree_at(object, "metadata", "ownerReferences", NULL)) {
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            if (oracle_text(tree_at(reference, texts[i].key, NULL), texts[i].limit).state ==
                UNUSABLE) {
                return true;
            }
        }
    }
    return false;
}

static bool has_unreadable_selector(const cJSON *object) {
    const cJSON *selector = tree_at(object, "spec", "selector", NULL);
    const cJSON *label;
    cJSON_ArrayForEach(label, tree_at(selector, "matchLabels", NULL)) {
        if (oracle_text(label, LIMIT_NAME).state == UNUSABLE) {
            return true;
        }
    }
    return cJSON_IsObject(tree_at(object, "status", NULL)) &&
           oracle_text(tree_at(object, "status", "selector", NULL), SIZE_MAX).state == UNUSABLE;
}

static bool has_sibling_owner(const cJSON *object) {
    const cJSON *reference;
    cJSON_ArrayForEach(reference, tree_at(object, "metadata", "ownerReferences", NULL)) {
        struct text kind = oracle_text(tree_at(reference, "kind", NULL), LIMIT_KIND);
        if (strcmp(kind.value, oracle_kinds[REMOTEPROXY]) == 0 ||
            strcmp(kind.value, oracle_kinds[VIRTUAL]) == 0) {
            return true;
        }
    }
    return false;
}

/* README.md lists the open questions. API servers let none of these signs in. */
static void leave_open_questions(cJSON *trial) {
    cJSON *request = tree_at(trial, "review", "request", NULL);
    cJSON *object = tree_at(request, "object", NULL);
    cJSON *old = tree_at(request, "oldObject", NULL);
    const cJSON *owners = tree_at(object, "metadata", "ownerReferences", NULL);
    bool is_unreadable = has_unreadable_owner(object) || has_unreadable_owner(old);
    bool is_selector = has_unreadable_selector(object) || has_unreadable_selector(old);
    const cJSON *before = tree_at(old, "metadata", "ownerReferences", NULL);
    bool is_of_two = owners != NULL && before != NULL && !cJSON_Compare(owners, before, true);
    cJSON *exemption;
    if (is_unreadable && owners == NULL) {
        tree_drop(tree_at(old, "metadata", NULL), "ownerReferences");
    } else if (is_unreadable) {
        tree_put(tree_at(old, "metadata", NULL), "ownerReferences", tree_copy(owners));
    }
    if (is_selector && (!trial_can_be(trial, WORLD_FOUND) || has_sibling_owner(object) ||
                        has_sibling_owner(old))) {
        tree_drop(tree_at(object, "spec", NULL), "selector");
        tree_drop(tree_at(old, "spec", NULL), "selector");
    }
    cJSON_ArrayForEach(exemption, tree_at(trial, "policy", "exempt", NULL)) {
        if (is_unreadable || is_selector || is_of_two) {
            tree_drop(exemption, "kind");
        }
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
    cJSON *resource = tree_at(trial, "review", "request", "resource", "resource", NULL);
    if (cJSON_IsString(resource) && strcmp(resource->valuestring, "deployments") != 0 &&
        chance_of(&chance, 30)) {
        lean_to_old_offence(&chance, trial);
    } else if (chance_of(&chance, 10)) {
        lean_to_row_7(&chance, trial);
    } else if (chance_of(&chance, 10)) {
        lean_to_selector(&chance, trial);
    } else if (names.kind != MCPSERVER && chance_of(&chance, 10)) {
        lean_to_two_kinds(&chance, trial);
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
