// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/json_edit.h"
#include "checkup_json.h"

enum { ENTRIES_MAX = 16, KEYS_MAX = 4, VALUE_SIZE = 512 };

/* A member that an entry has to have just so, as the API server writes it. */
struct expectation {
    const char *keys[KEYS_MAX];
    const char *value; /* JSON without blanks */
};

static const struct expectation common[] = {
    {{"admissionReviewVersions"}, "[\"v1\"]"},
    {{"sideEffects"}, "\"None\""},
    {{"matchPolicy"}, "\"Equivalent\""},
    {{"reinvocationPolicy"}, "\"IfNeeded\""},
};

struct expected_entry {
    const char *name;
    const char *rules; /* in the order of keys in which the API server writes them */
    const char *object_selector;
};

#define RULE(operations, group, versions, resources)                                               \
    "[{\"operations\":" operations ",\"apiGroups\":[\"" group "\"],\"apiVersions\":" versions      \
    ",\"resources\":[\"" resources "\"],\"scope\":\"Namespaced\"}]"

static const struct expected_entry expected_entries[] = {
    {"mcpservers.capstan.dev",
     RULE("[\"CREATE\",\"UPDATE\"]", "toolhive.stacklok.dev", "[\"v1alpha1\",\"v1beta1\"]",
          "mcpservers"),
     "{}"},
    {"deployments.capstan.dev", RULE("[\"CREATE\",\"UPDATE\"]", "apps", "[\"v1\"]", "deployments"),
     "{\"matchLabels\":{\"app.kubernetes.io/name\":\"mcpserver\"}}"},
    {"scale.capstan.dev", RULE("[\"UPDATE\"]", "apps", "[\"v1\"]", "deployments/scale"), "{}"},
};

static size_t read_entries(const struct checkup_answer *configuration,
                           struct json_text entries[ENTRIES_MAX]) {
    static const char *const path[] = {"webhooks"};
    struct json_text raw;
    struct json_reader reader;
    size_t n_entries = 0;
    if (!json_edit_find(configuration->json, configuration->size, path, COUNT_OF(path), &raw)) {
        return 0;
    }
    json_begin(&reader, raw.at, raw.size);
    if (json_enter_array(&reader)) {
        while (n_entries < ENTRIES_MAX && json_next_item(&reader) &&
               json_read_raw(&reader, &entries[n_entries])) {
            n_entries++;
        }
    }
    return n_entries;
}

static size_t count_keys(const char *const keys[KEYS_MAX]) {
    size_t n = 0;
    while (n < KEYS_MAX && keys[n] != NULL) {
        n++;
    }
    return n;
}

static bool is_as(const struct json_text *entry, const char *const keys[KEYS_MAX],
                  const char *value) {
    struct json_text raw;
    return json_edit_find(entry->at, entry->size, keys, count_keys(keys), &raw) &&
           raw.size == strlen(value) && memcmp(raw.at, value, raw.size) == 0;
}

static void name_of(const struct json_text *entry, char *out, size_t capacity) {
    static const char *const path[] = {"name"};
    const struct checkup_answer answer = {.json = entry->at, .size = entry->size};
    checkup_text(&answer, path, COUNT_OF(path), out, capacity);
}

/* Which member is not as it should be, or NULL. */
static const char *find_fault(const struct json_text *entry, const struct expected_entry *expected,
                              const struct checkup_names *names) {
    static const char *const rules[KEYS_MAX] = {"rules"};
    static const char *const selector[KEYS_MAX] = {"objectSelector"};
    static const char *const path[KEYS_MAX] = {"clientConfig", "service", "path"};
    static const char *const service[KEYS_MAX] = {"clientConfig", "service", "name"};
    static const char *const namespace[KEYS_MAX] = {"clientConfig", "service", "namespace"};
    static const char *const url[KEYS_MAX] = {"clientConfig", "url"};
    static const char *const timeout[] = {"timeoutSeconds"};
    const struct checkup_answer answer = {.json = entry->at, .size = entry->size};
    char value[VALUE_SIZE];
    for (size_t i = 0; i < COUNT_OF(common); i++) {
        if (!is_as(entry, common[i].keys, common[i].value)) {
            return common[i].keys[0];
        }
    }
    int64_t seconds = checkup_integer(&answer, timeout, COUNT_OF(timeout), 10);
    if (seconds < 2 || seconds > 10) {
        return "timeoutSeconds";
    }
    if (!is_as(entry, rules, expected->rules)) {
        return "rules";
    }
    if (!is_as(entry, selector, expected->object_selector)) {
        return "objectSelector";
    }
    if (json_edit_has(entry->at, entry->size, url, count_keys(url))) {
        return NULL;
    }
    if (!is_as(entry, path, "\"/mutate\"")) {
        return "clientConfig.service.path";
    }
    snprintf(value, sizeof(value), "\"%s\"", names->service);
    if (!is_as(entry, service, value)) {
        return "clientConfig.service.name";
    }
    snprintf(value, sizeof(value), "\"%s\"", names->namespace);
    return is_as(entry, namespace, value) ? NULL : "clientConfig.service.namespace";
}

static const struct json_text *find_entry(const struct json_text *entries, size_t n_entries,
                                          const char *wanted) {
    for (size_t i = 0; i < n_entries; i++) {
        char name[VALUE_SIZE];
        name_of(&entries[i], name, sizeof(name));
        if (strcmp(name, wanted) == 0) {
            return &entries[i];
        }
    }
    return NULL;
}

void checkup_registration(const struct checkup_answer *configuration,
                          const struct checkup_names *names, struct finding *finding) {
    static const char *const remedy = "apply the manifests of this version again";
    struct json_text entries[ENTRIES_MAX];
    if (!checkup_has(configuration, "the MutatingWebhookConfiguration", remedy, finding)) {
        return;
    }
    size_t n_entries = read_entries(configuration, entries);
    for (size_t i = 0; i < COUNT_OF(expected_entries); i++) {
        const struct expected_entry *expected = &expected_entries[i];
        const struct json_text *entry = find_entry(entries, n_entries, expected->name);
        if (entry == NULL) {
            finding_set(finding, FINDING_PROBLEM, remedy, "it has no entry %s", expected->name);
            return;
        }
        const char *fault = find_fault(entry, expected, names);
        if (fault != NULL) {
            finding_set(finding, FINDING_PROBLEM, remedy,
                        "%s of %s is not what this version expects", fault, expected->name);
            return;
        }
    }
    if (n_entries > COUNT_OF(expected_entries)) {
        finding_set(finding, FINDING_NOTE, "remove those that nobody needs",
                    "it has %zu entries, of which this version knows %zu", n_entries,
                    COUNT_OF(expected_entries));
        return;
    }
    finding_set(finding, FINDING_OK, NULL, "its %zu entries are as this version expects them",
                n_entries);
}

/* Whether the namespaceSelector leaves a namespace out by its name. */
static bool excludes(const struct json_text *entry, const char *namespace) {
    static const char *const path[] = {"namespaceSelector", "matchExpressions"};
    char quoted[VALUE_SIZE];
    struct json_text raw;
    struct json_text item;
    struct json_reader reader;
    if (!json_edit_find(entry->at, entry->size, path, COUNT_OF(path), &raw)) {
        return false;
    }
    snprintf(quoted, sizeof(quoted), "\"%s\"", namespace);
    json_begin(&reader, raw.at, raw.size);
    if (!json_enter_array(&reader)) {
        return false;
    }
    while (json_next_item(&reader) && json_read_raw(&reader, &item)) {
        if (checkup_contains(&item, "\"key\":\"kubernetes.io/metadata.name\"") &&
            checkup_contains(&item, "\"operator\":\"NotIn\"") && checkup_contains(&item, quoted)) {
            return true;
        }
    }
    return false;
}

void checkup_scope(const struct checkup_answer *configuration, const struct checkup_names *names,
                   struct finding *finding) {
    static const char *const rules_path[] = {"rules"};
    static const char *const remedy = "apply the manifests again; until then: kubectl delete "
                                      "mutatingwebhookconfiguration capstan";
    struct json_text entries[ENTRIES_MAX];
    if (!checkup_has(configuration, "the MutatingWebhookConfiguration", remedy, finding)) {
        return;
    }
    size_t n_entries = read_entries(configuration, entries);
    for (size_t i = 0; i < n_entries; i++) {
        char name[VALUE_SIZE];
        struct json_text rules;
        name_of(&entries[i], name, sizeof(name));
        if (json_edit_find(entries[i].at, entries[i].size, rules_path, COUNT_OF(rules_path),
                           &rules) &&
            (checkup_contains(&rules, "\"*\"") || checkup_contains(&rules, "\"*/*\""))) {
            finding_set(finding, FINDING_PROBLEM, remedy,
                        "%s is asked about everything (*): it may lock out the cluster", name);
            return;
        }
        const char *open = !excludes(&entries[i], "kube-system")      ? "kube-system"
                           : !excludes(&entries[i], names->namespace) ? names->namespace
                                                                      : NULL;
        if (open != NULL) {
            finding_set(
                finding, FINDING_PROBLEM, remedy,
                "%s is asked about namespace %s too: it may lock out the cluster, or itself", name,
                open);
            return;
        }
    }
    finding_set(finding, FINDING_OK, NULL, "it keeps away from kube-system and from %s",
                names->namespace);
}
