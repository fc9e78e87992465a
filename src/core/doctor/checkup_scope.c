// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "checkup_inside.h"
#include "entry.h"
#include "selector.h"

enum { SELECTOR_SIZE = 1024, SHOWN_SIZE = 101 };

/* The namespaceSelector of the manifests; %s is Capstan's own namespace. */
static const char selector_format[] =
    "{\"matchExpressions\":[{\"key\":\"kubernetes.io/metadata.name\",\"operator\":\"NotIn\","
    "\"values\":[\"%s\",\"kube-node-lease\",\"kube-public\",\"kube-system\"]},"
    "{\"key\":\"capstan.dev/ignore\",\"operator\":\"DoesNotExist\"}]}";

static const char remedy[] = "apply the manifests again; until then: kubectl delete "
                             "mutatingwebhookconfiguration CONFIGURATION";

struct scope {
    const struct finding_names *names;
    const cJSON *all; /* the namespaces; NULL if they are not known */
};

static const cJSON *find_namespace(const cJSON *namespaces, const char *name) {
    const cJSON *namespace;
    cJSON_ArrayForEach(namespace, namespaces) {
        if (strcmp(tree_text(namespace, "metadata.name"), name) == 0) {
            return namespace;
        }
    }
    return NULL;
}

/* True if the entry is asked about objects in this namespace. If its object is not known, its name
   is, and Kubernetes has set that as a label since 1.21. */
static bool reaches(const cJSON *entry, const char *name, const cJSON *namespaces) {
    AUTO(tree_fini) cJSON *name_alone = cJSON_CreateObject();
    const cJSON *labels = tree_at(find_namespace(namespaces, name), "metadata.labels");
    cJSON_AddStringToObject(name_alone, "kubernetes.io/metadata.name", name);
    return selector_matches(tree_at(entry, "namespaceSelector"),
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
        if (has_star(tree_list(rule, "apiGroups")) || has_star(tree_list(rule, "resources"))) {
            return true;
        }
    }
    return false;
}

static int count_selected(const cJSON *selector, const cJSON *namespaces) {
    const cJSON *namespace;
    int n_selected = 0;
    cJSON_ArrayForEach(namespace, namespaces) {
        n_selected += selector_matches(selector, tree_at(namespace, "metadata.labels"));
    }
    return n_selected;
}

/* The beginning of its JSON. */
static void show_selector(const cJSON *selector, char out[SHOWN_SIZE]) {
    AUTO_FREE char *json = cJSON_PrintUnformatted(selector);
    snprintf(out, SHOWN_SIZE, "%s", json != NULL ? json : "");
}

/* True if the entry has the selector of the manifests, and it selects a namespace. Another one is
   somebody's choice, hence a note; one that selects no namespace is a problem. */
static bool check_selector(const cJSON *entry, const char *name, const struct scope *scope,
                           struct finding *finding) {
    char ours[SELECTOR_SIZE];
    char shown[SHOWN_SIZE];
    const cJSON *selector = tree_at(entry, "namespaceSelector");
    int n_all = cJSON_GetArraySize(scope->all);
    int n_selected = count_selected(selector, scope->all);
    snprintf(ours, sizeof(ours), selector_format, scope->names->namespace);
    bool is_ours = selector == NULL || tree_is(entry, "namespaceSelector", ours);
    show_selector(selector, shown);
    if (scope->all == NULL) {
        return is_ours || finding_set(finding, FINDING_NOTE,
                                      "kubectl get namespaces --show-labels tells which ones",
                                      "%s is asked only about namespaces with %s", name, shown);
    }
    if (n_selected == 0 && n_all > 0) {
        return finding_set(finding, FINDING_PROBLEM,
                           "apply the manifests again, or label a namespace so that the "
                           "namespaceSelector selects it: kubectl get namespaces --show-labels",
                           "%s is never asked: none of %d namespaces is selected by %s", name,
                           n_all, shown);
    }
    return is_ours ||
           finding_set(finding, FINDING_NOTE,
                       "if that is not intended, apply the manifests again: manifests/README.md",
                       "%s is asked about %d of %d namespaces only, by %s", name, n_selected, n_all,
                       shown);
}

/* True if the entry cannot lock anybody out. */
static bool check_reach(const cJSON *entry, const char *name, const struct scope *scope,
                        struct finding *finding) {
    const char *const kept_out[] = {"kube-system", scope->names->namespace};
    if (names_everything(tree_at(entry, "rules"))) {
        return finding_set(finding, FINDING_PROBLEM, remedy,
                           "%s is asked about everything (*): it may lock out the cluster", name);
    }
    for (size_t i = 0; i < COUNT_OF(kept_out); i++) {
        if (reaches(entry, kept_out[i], scope->all)) {
            return finding_set(
                finding, FINDING_PROBLEM, remedy,
                "%s is asked about namespace %s too: it may lock out the cluster, or itself", name,
                kept_out[i]);
        }
    }
    return true;
}

/* Entries for the Service of somebody else are none of Capstan's business. */
static bool is_of_interest(const cJSON *entry, const struct finding_names *names) {
    return tree_text(entry, "clientConfig.service.name")[0] == '\0' || entry_calls_us(entry, names);
}

void checkup_scope(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini) cJSON *tree = checkup_see_if_there(patient, QUESTION_CONFIGURATION, finding);
    AUTO(tree_fini) cJSON *all = NULL;
    struct scope scope = {.names = &patient->names};
    const cJSON *entry;
    if (tree == NULL) {
        return;
    }
    finding_set(finding, FINDING_OK, NULL,
                "it keeps away from kube-system and from its own namespace");
    all = checkup_see(patient, QUESTION_NAMESPACES, NULL, finding);
    scope.all = tree_list(all, "items");
    cJSON_ArrayForEach(entry, tree_list(tree, "webhooks")) {
        const char *name = tree_text(entry, "name");
        struct finding other = {.level = FINDING_OK};
        if (is_of_interest(entry, scope.names) && check_reach(entry, name, &scope, &other)) {
            (void)check_selector(entry, name, &scope, &other);
        }
        finding_worsen(finding, &other);
    }
}
