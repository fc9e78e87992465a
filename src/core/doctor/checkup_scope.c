// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/json_edit.h"
#include "checkup_json.h"
#include "selector.h"

enum { NAME_SIZE = 512, LABELS_SIZE = 512, SELECTOR_SIZE = 1024, SHOWN_MAX = 100 };

/* The name is among the labels of each namespace since Kubernetes 1.21. */
static const char labels_format[] = "{\"kubernetes.io/metadata.name\":\"%s\"}";

/* What the manifests have, as the API server writes it. */
static const char selector_format[] =
    "{\"matchExpressions\":[{\"key\":\"kubernetes.io/metadata.name\",\"operator\":\"NotIn\","
    "\"values\":[\"%s\",\"kube-node-lease\",\"kube-public\",\"kube-system\"]},"
    "{\"key\":\"capstan.dev/ignore\",\"operator\":\"DoesNotExist\"}]}";

static const char *const remedy = "apply the manifests again; until then: kubectl delete "
                                  "mutatingwebhookconfiguration CONFIGURATION";

static bool find_selector(const struct checkup_answer *entry, struct json_text *ret_selector) {
    static const char *const path[] = {"namespaceSelector"};
    return json_edit_find(entry->json, entry->size, path, COUNT_OF(path), ret_selector);
}

static bool find_labels(const struct checkup_answer *namespace, struct json_text *ret_labels) {
    static const char *const path[] = {"metadata", "labels"};
    return json_edit_find(namespace->json, namespace->size, path, COUNT_OF(path), ret_labels);
}

/* Whether requests about objects in this namespace reach the entry. Of a namespace that may not be
   looked at, the name is known at least. */
static bool reaches(const struct checkup_answer *entry, const char *name,
                    const struct checkup_answer *namespace) {
    char text[LABELS_SIZE];
    struct json_text selector;
    struct json_text labels;
    if (!find_selector(entry, &selector)) {
        return true;
    }
    if (namespace->status != HTTP_STATUS_OK || !find_labels(namespace, &labels)) {
        int size = snprintf(text, sizeof(text), labels_format, name);
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

static void count_selected(const struct json_text *selector, const struct checkup_answer *all,
                           size_t *ret_selected, size_t *ret_all) {
    static const char *const path[] = {"items"};
    struct json_text items;
    struct json_text item;
    struct json_reader reader;
    *ret_selected = 0;
    *ret_all = 0;
    if (all->status != HTTP_STATUS_OK ||
        !json_edit_find(all->json, all->size, path, COUNT_OF(path), &items)) {
        return;
    }
    json_begin(&reader, items.at, items.size);
    if (!json_enter_array(&reader)) {
        return;
    }
    while (json_next_item(&reader) && json_read_raw(&reader, &item)) {
        const struct checkup_answer namespace = {
            .status = HTTP_STATUS_OK, .json = item.at, .size = item.size};
        struct json_text labels;
        if (!find_labels(&namespace, &labels)) {
            labels = (struct json_text){.at = "{}", .size = 2};
        }
        *ret_all += 1;
        *ret_selected += selector_matches(selector, &labels) ? 1 : 0;
    }
}

/* A selector that is not of the manifests is somebody's choice, and has to be known; one that
   selects nobody is a problem. True if there is nothing to say. */
static bool check_selector(const struct checkup_answer *entry, const char *name,
                           const struct checkup_names *names, const struct checkup_answer *all,
                           struct finding *finding) {
    char ours[SELECTOR_SIZE];
    struct json_text selector;
    size_t n_selected;
    size_t n_all;
    int size = snprintf(ours, sizeof(ours), selector_format, names->namespace);
    if (!find_selector(entry, &selector) ||
        (selector.size == (size_t)size && memcmp(selector.at, ours, selector.size) == 0)) {
        return true;
    }
    int n_shown = selector.size < SHOWN_MAX ? (int)selector.size : SHOWN_MAX;
    count_selected(&selector, all, &n_selected, &n_all);
    if (n_all == 0) {
        return finding_set(
            finding, FINDING_NOTE, "ask again as somebody who may list namespaces, to know which",
            "%s is asked only about namespaces with %.*s", name, n_shown, selector.at);
    }
    if (n_selected > 0) {
        return finding_set(finding, FINDING_NOTE, "if nobody wants that, apply the manifests again",
                           "%s is asked about %zu of %zu namespaces only, by %.*s", name,
                           n_selected, n_all, n_shown, selector.at);
    }
    return finding_set(finding, FINDING_PROBLEM,
                       "apply the manifests again, or label a namespace as the namespaceSelector "
                       "wants it",
                       "%s is never asked: none of %zu namespaces is selected by %.*s", name, n_all,
                       n_shown, selector.at);
}

/* What may lock somebody out. True if there is nothing to say. */
static bool check_entry(const struct checkup_answer *entry, const char *name,
                        const struct checkup_names *names,
                        const struct checkup_namespaces *namespaces, struct finding *finding) {
    const char *reached = NULL;
    if (asks_about_everything(entry)) {
        return finding_set(finding, FINDING_PROBLEM, remedy,
                           "%s is asked about everything (*): it may lock out the cluster", name);
    }
    if (reaches(entry, "kube-system", namespaces->system)) {
        reached = "kube-system";
    } else if (reaches(entry, names->namespace, namespaces->home)) {
        reached = names->namespace;
    }
    return reached == NULL ||
           finding_set(finding, FINDING_PROBLEM, remedy,
                       "%s is asked about namespace %s too: it may lock out the cluster, or itself",
                       name, reached);
}

void checkup_scope(const struct checkup_answer *configuration, const struct checkup_names *names,
                   const struct checkup_namespaces *namespaces, struct finding *finding) {
    static const char *const entries_path[] = {"webhooks"};
    static const char *const name_path[] = {"name"};
    struct checkup_items entries;
    if (!checkup_has(configuration, "the MutatingWebhookConfiguration", remedy, finding)) {
        return;
    }
    finding_set(finding, FINDING_OK, NULL,
                "it keeps away from kube-system and from its own namespace");
    checkup_items(configuration, entries_path, COUNT_OF(entries_path), &entries);
    for (size_t i = 0; i < entries.n && finding->level != FINDING_PROBLEM; i++) {
        const struct checkup_answer *entry = &entries.items[i];
        char name[NAME_SIZE];
        struct finding other = *finding;
        checkup_text(entry, name_path, COUNT_OF(name_path), name, sizeof(name));
        if (!check_entry(entry, name, names, namespaces, &other) ||
            !check_selector(entry, name, names, namespaces->all, &other)) {
            /* The first note, unless there is a problem. */
            *finding = other.level > finding->level ? other : *finding;
        }
    }
}
