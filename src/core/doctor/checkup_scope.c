// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "checkup_json.h"
#include "selector.h"

enum { SELECTOR_SIZE = 1024, SHOWN_SIZE = 101 };

/* The namespaceSelector of the manifests; %s is Capstan's own namespace. */
static const char selector_format[] =
    "{\"matchExpressions\":[{\"key\":\"kubernetes.io/metadata.name\",\"operator\":\"NotIn\","
    "\"values\":[\"%s\",\"kube-node-lease\",\"kube-public\",\"kube-system\"]},"
    "{\"key\":\"capstan.dev/ignore\",\"operator\":\"DoesNotExist\"}]}";

static const char *const remedy = "apply the manifests again; until then: kubectl delete "
                                  "mutatingwebhookconfiguration CONFIGURATION";

/* The namespaces as trees, NULL if they are not known. */
struct scope {
    const struct checkup_names *names;
    const cJSON *system;
    const cJSON *home;
    const cJSON *all;
};

/* True if the entry is asked about objects in this namespace. If its object is not known, its name
   is, and Kubernetes has set that as a label since 1.21. */
static bool reaches(const cJSON *entry, const char *name, const cJSON *namespace) {
    AUTO(checkup_tree_fini) cJSON *name_alone = cJSON_CreateObject();
    const cJSON *labels = checkup_at(namespace, "metadata.labels");
    cJSON_AddStringToObject(name_alone, "kubernetes.io/metadata.name", name);
    return selector_matches(checkup_at(entry, "namespaceSelector"),
                            labels != NULL ? labels : name_alone);
}

/* True if an item of the list begins with "*", which means everything. */
static bool has_star(const cJSON *list) {
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        if (cJSON_IsString(item) && item->valuestring[0] == '*') {
            return true;
        }
    }
    return false;
}

/* All versions of a named resource are not everything. */
static bool names_everything(const cJSON *rules) {
    const cJSON *rule;
    cJSON_ArrayForEach(rule, rules) {
        if (has_star(checkup_list(rule, "apiGroups")) ||
            has_star(checkup_list(rule, "resources"))) {
            return true;
        }
    }
    return false;
}

static int count_selected(const cJSON *selector, const cJSON *namespaces) {
    const cJSON *namespace;
    int n_selected = 0;
    cJSON_ArrayForEach(namespace, namespaces) {
        n_selected += selector_matches(selector, checkup_at(namespace, "metadata.labels"));
    }
    return n_selected;
}

/* The beginning of its JSON. */
static void show_selector(const cJSON *selector, char out[SHOWN_SIZE]) {
    AUTO_FREE char *json = cJSON_PrintUnformatted(selector);
    snprintf(out, SHOWN_SIZE, "%s", json != NULL ? json : "");
}

/* True if the entry has the selector of the manifests. Another one is somebody's choice, hence a
   note; one that selects no namespace is a problem. */
static bool check_selector(const cJSON *entry, const char *name, const struct scope *scope,
                           struct finding *finding) {
    char ours[SELECTOR_SIZE];
    char shown[SHOWN_SIZE];
    const cJSON *selector = checkup_at(entry, "namespaceSelector");
    const cJSON *all = checkup_list(scope->all, "items");
    int n_all = cJSON_GetArraySize(all);
    int n_selected = count_selected(selector, all);
    snprintf(ours, sizeof(ours), selector_format, scope->names->namespace);
    if (selector == NULL || checkup_is(entry, "namespaceSelector", ours)) {
        return true;
    }
    show_selector(selector, shown);
    if (n_all == 0) {
        return finding_set(finding, FINDING_NOTE,
                           "run this as a user who may list namespaces, to learn which ones",
                           "%s is asked only about namespaces with %s", name, shown);
    }
    if (n_selected > 0) {
        return finding_set(
            finding, FINDING_NOTE, "if that is not intended, apply the manifests again",
            "%s is asked about %d of %d namespaces only, by %s", name, n_selected, n_all, shown);
    }
    return finding_set(finding, FINDING_PROBLEM,
                       "apply the manifests again, or label a namespace so that the "
                       "namespaceSelector selects it",
                       "%s is never asked: none of %d namespaces is selected by %s", name, n_all,
                       shown);
}

/* True if the entry cannot lock anybody out. */
static bool check_reach(const cJSON *entry, const char *name, const struct scope *scope,
                        struct finding *finding) {
    const struct {
        const char *name;
        const cJSON *object;
    } kept_out[] = {{"kube-system", scope->system}, {scope->names->namespace, scope->home}};
    if (names_everything(checkup_at(entry, "rules"))) {
        return finding_set(finding, FINDING_PROBLEM, remedy,
                           "%s is asked about everything (*): it may lock out the cluster", name);
    }
    for (size_t i = 0; i < COUNT_OF(kept_out); i++) {
        if (reaches(entry, kept_out[i].name, kept_out[i].object)) {
            return finding_set(
                finding, FINDING_PROBLEM, remedy,
                "%s is asked about namespace %s too: it may lock out the cluster, or itself", name,
                kept_out[i].name);
        }
    }
    return true;
}

void checkup_scope(const struct checkup_answer *configuration, const struct checkup_names *names,
                   const struct checkup_namespaces *namespaces, struct finding *finding) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(configuration);
    AUTO(checkup_tree_fini) cJSON *system = checkup_tree(namespaces->system);
    AUTO(checkup_tree_fini) cJSON *home = checkup_tree(namespaces->home);
    AUTO(checkup_tree_fini) cJSON *all = checkup_tree(namespaces->all);
    const struct scope scope = {.names = names, .system = system, .home = home, .all = all};
    const cJSON *entries = checkup_list(tree, "webhooks");
    const cJSON *entry;
    if (!checkup_has(configuration, "the MutatingWebhookConfiguration", remedy, finding)) {
        return;
    }
    finding_set(finding, FINDING_OK, NULL,
                "it keeps away from kube-system and from its own namespace");
    cJSON_ArrayForEach(entry, entries) {
        const char *name = checkup_text(entry, "name");
        struct finding other;
        bool is_good =
            check_reach(entry, name, &scope, &other) && check_selector(entry, name, &scope, &other);
        /* The first problem; if there is none, the first note. */
        if (!is_good && other.level > finding->level) {
            other.check = finding->check;
            *finding = other;
        }
    }
}
