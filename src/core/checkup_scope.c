// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/json_edit.h"
#include "checkup_json.h"
#include "selector.h"

enum { NAME_SIZE = 512, LABELS_SIZE = 512 };

/* The name is among the labels of each namespace since Kubernetes 1.21. */
static const char labels_format[] = "{\"kubernetes.io/metadata.name\":\"%s\"}";

/* Whether requests about objects in this namespace reach the entry. Of a namespace that may not be
   looked at, the name is known at least. */
static bool reaches(const struct checkup_answer *entry, const struct checkup_namespace *namespace) {
    static const char *const selector_path[] = {"namespaceSelector"};
    static const char *const labels_path[] = {"metadata", "labels"};
    char text[LABELS_SIZE];
    struct json_text selector;
    struct json_text labels;
    if (!json_edit_find(entry->json, entry->size, selector_path, COUNT_OF(selector_path),
                        &selector)) {
        return true;
    }
    if (namespace->answer->status != 200 ||
        !json_edit_find(namespace->answer->json, namespace->answer->size, labels_path,
                        COUNT_OF(labels_path), &labels)) {
        int size = snprintf(text, sizeof(text), labels_format, namespace->name);
        labels = (struct json_text){.at = text, .size = (size_t)size};
    }
    return selector_matches(&selector, &labels);
}

static bool asks_about_everything(const struct checkup_answer *entry) {
    static const char *const path[] = {"rules"};
    struct json_text rules;
    return json_edit_find(entry->json, entry->size, path, COUNT_OF(path), &rules) &&
           (checkup_contains(&rules, "\"*\"") || checkup_contains(&rules, "\"*/*\""));
}

void checkup_scope(const struct checkup_answer *configuration,
                   const struct checkup_namespace *namespaces, size_t n_namespaces,
                   struct finding *finding) {
    static const char *const entries_path[] = {"webhooks"};
    static const char *const name_path[] = {"name"};
    static const char *const remedy = "apply the manifests again; until then: kubectl delete "
                                      "mutatingwebhookconfiguration CONFIGURATION";
    struct checkup_items entries;
    if (!checkup_has(configuration, "the MutatingWebhookConfiguration", remedy, finding)) {
        return;
    }
    checkup_items(configuration, entries_path, COUNT_OF(entries_path), &entries);
    for (size_t i = 0; i < entries.n; i++) {
        const struct checkup_answer *entry = &entries.items[i];
        char name[NAME_SIZE];
        checkup_text(entry, name_path, COUNT_OF(name_path), name, sizeof(name));
        if (asks_about_everything(entry)) {
            finding_set(finding, FINDING_PROBLEM, remedy,
                        "%s is asked about everything (*): it may lock out the cluster", name);
            return;
        }
        for (size_t k = 0; k < n_namespaces; k++) {
            if (reaches(entry, &namespaces[k])) {
                finding_set(finding, FINDING_PROBLEM, remedy,
                            "%s is asked about namespace %s too: it may lock out the cluster, or "
                            "itself",
                            name, namespaces[k].name);
                return;
            }
        }
    }
    finding_set(finding, FINDING_OK, NULL,
                "it keeps away from kube-system and from its own "
                "namespace");
}
