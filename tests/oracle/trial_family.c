// SPDX-License-Identifier: Apache-2.0

/*
 * Random objects of the family, records of Deployments, and autoscalers.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "limits.h"
#include "tree.h"
#include "trial.h"

cJSON *trial_format(const char *format, ...) {
    char json[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(json, sizeof(json), format, arguments);
    va_end(arguments);
    return tree_parse(json);
}

static void put_count(struct chance *chance, cJSON *spec, const char *key) {
    static const char *const counts[] = {NULL, NULL, NULL, NULL, "0",    "1",         "2",
                                         "3",  "3",  "3",  "5",  "1000", "2147483647"};
    const char *count = CHANCE_PICK(chance, counts);
    if (count != NULL) {
        tree_put(spec, key, tree_parse(count));
    }
}

static void put_text_of(cJSON *object, const char *key, const char *text) {
    if (text != NULL) {
        tree_put_text(object, key, text);
    }
}

/* Members that a kind does not have are there sometimes, and mean nothing. */
void random_spec(struct chance *chance, enum family kind, cJSON *spec) {
    static const char *const transports[] = {"stdio", "stdio", "stdio", "stdio", "stdio",
                                             "sse",   "sse",   "sse",   "",      "streamable-http",
                                             "STDIO", NULL,    NULL};
    static const char *const providers[] = {NULL, NULL, NULL, "redis", "redis", "memory", "Redis"};
    static const char *const affinities[] = {NULL, NULL, "None", "ClientIP"};
    const char *provider = CHANCE_PICK(chance, providers);
    const char *transport = CHANCE_PICK(chance, transports);
    bool is_own = kind == MCPSERVER || chance_of(chance, 10);
    put_text_of(spec, "transport", is_own ? transport : NULL);
    put_count(chance, spec, "replicas");
    if (is_own && chance_of(chance, 80)) {
        put_count(chance, spec, "backendReplicas");
    }
    put_text_of(spec, "sessionAffinity", CHANCE_PICK(chance, affinities));
    if (provider != NULL) {
        tree_put(spec, "sessionStorage", trial_format("{\"provider\": \"%s\"}", provider));
    } else if (chance_of(chance, 10)) {
        tree_put(spec, "sessionStorage", cJSON_CreateObject());
    }
}

cJSON *random_server(struct chance *chance, enum family kind, const char *namespace,
                     const char *name, const char *uid) {
    static const int generations[] = {1, 1, 2, 2, 9, 10, 0};
    cJSON *server = trial_format("{\"apiVersion\": \"" TOOLHIVE "/%s\", \"kind\": \"%s\","
                                 " \"metadata\": {\"name\": \"%s\", \"namespace\": \"%s\"},"
                                 " \"spec\": {\"image\": \"i\"}}",
                                 chance_of(chance, 80)   ? "v1beta1"
                                 : chance_of(chance, 50) ? "v1alpha1"
                                                         : "v2",
                                 oracle_kinds[kind], name, namespace);
    cJSON *metadata = tree_at(server, "metadata", NULL);
    int generation = CHANCE_PICK(chance, generations);
    random_spec(chance, kind, tree_at(server, "spec", NULL));
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

/* ---- records of Deployments ---- */

static void put_owner(struct chance *chance, const struct names *names, cJSON *record) {
    static const char *const former[] = {"m-before", ""};
    size_t which = chance_below(chance, 10);
    enum family kind = which < 7 ? names->kind : (enum family)chance_below(chance, FAMILY);
    const char *uid = which == 0 ? CHANCE_PICK(chance, former) : names_uid(names, kind);
    tree_put(tree_at(record, "metadata", NULL), "ownerReferences",
             trial_format("[{\"apiVersion\": \"%s/v1beta1\", \"kind\": \"%s\", \"name\": \"%s\","
                          " \"uid\": \"%s\", \"controller\": %s}]",
                          which == 1 ? "example.com" : TOOLHIVE, oracle_kinds[kind],
                          which == 2 ? "notes" : names->name, uid, which == 3 ? "false" : "true"));
}

/* A Deployment as the facts know it, of whomever. */
cJSON *random_record(struct chance *chance, const struct names *names, bool has_uid) {
    cJSON *record = trial_format("{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\","
                                 " \"metadata\": {\"name\": \"%s\", \"namespace\": \"%s\"},"
                                 " \"spec\": {\"replicas\": 3}}",
                                 names->name, names->namespace);
    cJSON *metadata = tree_at(record, "metadata", NULL);
    const char *label =
        oracle_labels[chance_of(chance, 50) ? names->kind : chance_below(chance, FAMILY)];
    const char *instance = chance_of(chance, 85) ? names->name : "notes";
    if (has_uid) {
        tree_put_text(metadata, "uid", "d-1");
    }
    if (chance_of(chance, has_uid ? 60 : 20)) {
        put_owner(chance, names, record);
    }
    if (chance_of(chance, 60)) {
        tree_put(metadata, "labels",
                 trial_format("{\"app.kubernetes.io/name\": \"%s\","
                              " \"app.kubernetes.io/instance\": \"%s\"}",
                              label, instance));
    }
    if (chance_of(chance, 60)) {
        tree_put(tree_at(record, "spec", NULL), "selector",
                 trial_format("{\"matchLabels\": {\"app.kubernetes.io/name\": \"%s\","
                              " \"app.kubernetes.io/instance\": \"%s\"}}",
                              label, instance));
    }
    return record;
}

/* ---- autoscalers ---- */

static const char *maximum_key(const cJSON *object) {
    return strcmp(tree_at(object, "kind", NULL)->valuestring, "ScaledObject") == 0
               ? "maxReplicaCount"
               : "maxReplicas";
}

static void put_maximum(struct chance *chance, cJSON *object) {
    static const char *const maxima[] = {NULL, "null", "0", "1", "1", "2", "3", "5", "10", "100"};
    const char *maximum = CHANCE_PICK(chance, maxima);
    cJSON *spec = tree_at(object, "spec", NULL);
    tree_drop(spec, maximum_key(object));
    if (maximum != NULL) {
        tree_put(spec, maximum_key(object), tree_parse(maximum));
    }
}

cJSON *random_autoscaler(struct chance *chance, const struct names *names, bool is_keda) {
    cJSON *object = trial_format(
        "{\"apiVersion\": \"%s\", \"kind\": \"%s\", \"metadata\": {\"name\": \"scaler\","
        " \"namespace\": \"%s\", \"uid\": \"s-1\"}, \"spec\": {\"scaleTargetRef\":"
        " {\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"name\": \"%s\"}}}",
        is_keda                 ? "keda.sh/v1alpha1"
        : chance_of(chance, 80) ? "autoscaling/v2"
                                : "autoscaling/v1",
        is_keda ? "ScaledObject" : "HorizontalPodAutoscaler", names->namespace, names->name);
    put_maximum(chance, object);
    if (is_keda && chance_of(chance, 50)) {
        tree_drop(tree_at(object, "spec", "scaleTargetRef", NULL), "apiVersion");
        tree_drop(tree_at(object, "spec", "scaleTargetRef", NULL), "kind");
    }
    return object;
}

static void change_target(struct chance *chance, cJSON *object) {
    static const char *const kinds[] = {"StatefulSet", "deployment", "Deployments", "Rollout"};
    static const char *const versions[] = {"apps/v2", "extensions/v1beta1", "apps",
                                           "argoproj.io/v1alpha1", "v1"};
    cJSON *spec = tree_at(object, "spec", NULL);
    cJSON *target = tree_at(spec, "scaleTargetRef", NULL);
    switch (chance_below(chance, 9)) {
    case 0:
        tree_put_text(target, "kind", CHANCE_PICK(chance, kinds));
        break;
    case 1:
    case 2:
        tree_put_text(target, "apiVersion", CHANCE_PICK(chance, versions));
        break;
    case 3:
        tree_put_text(target, "name", chance_of(chance, 50) ? "notes" : "shop");
        break;
    case 4:
        spoil_text(chance, target, "name", LIMIT_NAME);
        break;
    case 5:
        spoil_text(chance, target, "kind", LIMIT_KIND);
        break;
    case 6:
        spoil_text(chance, target, "apiVersion", LIMIT_API_VERSION);
        break;
    case 7:
        tree_put(spec, "scaleTargetRef", tree_parse(chance_of(chance, 50) ? "null" : "\"github\""));
        break;
    default:
        tree_drop(target, chance_of(chance, 50) ? "name" : "apiVersion");
        break;
    }
}

void mutate_autoscaler(struct chance *chance, const struct names *names, cJSON *request) {
    static const char *const keys[] = {"object", "object", "oldObject"};
    cJSON *object = tree_at(request, CHANCE_PICK(chance, keys), NULL);
    (void)names;
    if (!cJSON_IsObject(object)) {
        return;
    }
    switch (chance_below(chance, 8)) {
    case 0:
    case 1:
        change_target(chance, object);
        break;
    case 2:
    case 3:
        put_maximum(chance, object);
        break;
    case 4:
        tree_put(tree_at(object, "spec", NULL), maximum_key(object), random_wrong_count(chance));
        break;
    case 5:
        tree_put(object, "spec", chance_of(chance, 50) ? cJSON_CreateNull() : tree_parse("[]"));
        break;
    case 6:
        tree_put_text(tree_at(object, "metadata", NULL), "deletionTimestamp",
                      "2026-11-22T11:59:00Z");
        break;
    default:
        tree_put_text(request, "subResource", "status");
        break;
    }
}
