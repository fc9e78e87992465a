// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/json_edit.h"
#include "checkup_json.h"

enum { KEYS_MAX = 4, VALUE_SIZE = 512, PORT_OF_HTTPS = 443 };

static const char apply_again[] = "apply the manifests of this version again";

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
    const char *condition; /* of matchConditions, the only one; or NULL: none */
};

#define RULE(operations, group, versions, resources)                                               \
    "[{\"operations\":" operations ",\"apiGroups\":[\"" group "\"],\"apiVersions\":" versions      \
    ",\"resources\":[\"" resources "\"],\"scope\":\"Namespaced\"}]"

#define OF_AN_MCPSERVER                                                                            \
    "has(oldObject.status) && has(oldObject.status.selector) && "                                  \
    "oldObject.status.selector.split(',').exists(term, "                                           \
    "term == 'app.kubernetes.io/name=mcpserver')"

static const struct expected_entry expected_entries[] = {
    {"mcpservers.capstan.dev",
     RULE("[\"CREATE\",\"UPDATE\"]", "toolhive.stacklok.dev", "[\"v1alpha1\",\"v1beta1\"]",
          "mcpservers"),
     "{}", NULL},
    {"deployments.capstan.dev", RULE("[\"CREATE\",\"UPDATE\"]", "apps", "[\"v1\"]", "deployments"),
     "{\"matchLabels\":{\"app.kubernetes.io/name\":\"mcpserver\"}}", NULL},
    {"scale.capstan.dev", RULE("[\"UPDATE\"]", "apps", "[\"v1\"]", "deployments/scale"), "{}",
     OF_AN_MCPSERVER},
};

static size_t count_keys(const char *const keys[KEYS_MAX]) {
    size_t n = 0;
    while (n < KEYS_MAX && keys[n] != NULL) {
        n++;
    }
    return n;
}

static bool is_as(const struct checkup_answer *entry, const char *const keys[KEYS_MAX],
                  const char *value) {
    struct json_text raw;
    return json_edit_find(entry->json, entry->size, keys, count_keys(keys), &raw) &&
           raw.size == strlen(value) && memcmp(raw.at, value, raw.size) == 0;
}

/* Whether it has no conditions, or just those of the manifests: API servers before 1.28 drop them,
   and without one nothing is missed. Each other one may keep requests away. */
static bool has_good_conditions(const struct checkup_answer *entry, const char *condition) {
    static const char *const path[] = {"matchConditions"};
    static const char *const expression_path[] = {"expression"};
    struct checkup_items conditions;
    char expression[VALUE_SIZE];
    checkup_items(entry, path, COUNT_OF(path), &conditions);
    if (conditions.n == 0) {
        return true;
    }
    checkup_text(&conditions.items[0], expression_path, COUNT_OF(expression_path), expression,
                 sizeof(expression));
    return conditions.n == 1 && condition != NULL && strcmp(expression, condition) == 0;
}

/* Which member is not as it should be, or NULL. */
static const char *find_fault(const struct checkup_answer *entry,
                              const struct expected_entry *expected,
                              const struct checkup_names *names) {
    static const char *const rules[KEYS_MAX] = {"rules"};
    static const char *const selector[KEYS_MAX] = {"objectSelector"};
    static const char *const path[KEYS_MAX] = {"clientConfig", "service", "path"};
    static const char *const service[KEYS_MAX] = {"clientConfig", "service", "name"};
    static const char *const namespace[KEYS_MAX] = {"clientConfig", "service", "namespace"};
    static const char *const url[KEYS_MAX] = {"clientConfig", "url"};
    static const char *const timeout[] = {"timeoutSeconds"};
    char value[VALUE_SIZE];
    for (size_t i = 0; i < COUNT_OF(common); i++) {
        if (!is_as(entry, common[i].keys, common[i].value)) {
            return common[i].keys[0];
        }
    }
    int64_t seconds = checkup_integer(entry, timeout, COUNT_OF(timeout), 10);
    if (seconds < 2 || seconds > 10) {
        return "timeoutSeconds";
    }
    if (!is_as(entry, rules, expected->rules)) {
        return "rules";
    }
    if (!is_as(entry, selector, expected->object_selector)) {
        return "objectSelector";
    }
    if (json_edit_has(entry->json, entry->size, url, count_keys(url))) {
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

static const struct checkup_answer *find_entry(const struct checkup_items *entries,
                                               const char *wanted) {
    static const char *const path[] = {"name"};
    for (size_t i = 0; i < entries->n; i++) {
        char name[VALUE_SIZE];
        checkup_text(&entries->items[i], path, COUNT_OF(path), name, sizeof(name));
        if (strcmp(name, wanted) == 0) {
            return &entries->items[i];
        }
    }
    return NULL;
}

static bool has_port(const struct checkup_answer *service, int64_t wanted) {
    static const char *const ports_path[] = {"spec", "ports"};
    static const char *const port_path[] = {"port"};
    struct checkup_items ports;
    bool has = false;
    checkup_items(service, ports_path, COUNT_OF(ports_path), &ports);
    for (size_t i = 0; i < ports.n; i++) {
        has = has || checkup_integer(&ports.items[i], port_path, COUNT_OF(port_path), 0) == wanted;
    }
    return has;
}

/* Of an ExternalName the API server takes the host only, and of a URL it asks no Service. */
static bool check_port(const struct checkup_answer *entry, const char *name,
                       const struct checkup_answer *service, struct finding *finding) {
    static const char *const url_path[] = {"clientConfig", "url"};
    static const char *const port_path[] = {"clientConfig", "service", "port"};
    static const char *const type_path[] = {"spec", "type"};
    char type[VALUE_SIZE];
    if (service->status != HTTP_STATUS_OK ||
        json_edit_has(entry->json, entry->size, url_path, COUNT_OF(url_path))) {
        return true;
    }
    checkup_text(service, type_path, COUNT_OF(type_path), type, sizeof(type));
    int64_t port = checkup_integer(entry, port_path, COUNT_OF(port_path), PORT_OF_HTTPS);
    return strcmp(type, "ExternalName") == 0 || has_port(service, port) ||
           finding_set(finding, FINDING_PROBLEM,
                       "apply the manifests of this version again, or make "
                       "clientConfig.service.port a port of the Service",
                       "%s calls port %" PRId64 ", which the Service does not have: it is never "
                       "reached",
                       name, port);
}

/* True if all is well with the entry. */
static bool check_entry(const struct checkup_answer *entry, const struct expected_entry *expected,
                        const struct checkup_answer *service, const struct checkup_names *names,
                        struct finding *finding) {
    const char *fault = find_fault(entry, expected, names);
    if (fault != NULL) {
        return finding_set(finding, FINDING_PROBLEM, apply_again,
                           "%s of %s is not what this version expects", fault, expected->name);
    }
    /* Applying again does not take away what was never applied. */
    return (has_good_conditions(entry, expected->condition) ||
            finding_set(finding, FINDING_PROBLEM,
                        "take them out: kubectl edit mutatingwebhookconfiguration CONFIGURATION; "
                        "and apply the manifests again",
                        "matchConditions of %s are not what this version expects: it may never be "
                        "asked",
                        expected->name)) &&
           check_port(entry, expected->name, service, finding);
}

void checkup_registration(const struct checkup_answer *configuration,
                          const struct checkup_answer *service, const struct checkup_names *names,
                          struct finding *finding) {
    static const char *const path[] = {"webhooks"};
    struct checkup_items entries;
    if (!checkup_has(configuration, "the MutatingWebhookConfiguration", apply_again, finding)) {
        return;
    }
    checkup_items(configuration, path, COUNT_OF(path), &entries);
    for (size_t i = 0; i < COUNT_OF(expected_entries); i++) {
        const struct expected_entry *expected = &expected_entries[i];
        const struct checkup_answer *entry = find_entry(&entries, expected->name);
        if (entry == NULL) {
            finding_set(finding, FINDING_PROBLEM, apply_again, "it has no entry %s",
                        expected->name);
            return;
        }
        if (!check_entry(entry, expected, service, names, finding)) {
            return;
        }
    }
    if (entries.n > COUNT_OF(expected_entries)) {
        finding_set(finding, FINDING_NOTE, "remove those that nobody needs",
                    "it has %zu entries, of which this version knows %zu", entries.n,
                    COUNT_OF(expected_entries));
        return;
    }
    finding_set(finding, FINDING_OK, NULL, "its %zu entries are as this version expects them",
                entries.n);
}
