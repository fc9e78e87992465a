// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "checkup_inside.h"
#include "core/certificates/registration.h"
#include "entry.h"
#include "webhook_rules.h"

enum { SECONDS_MIN = 2, SECONDS_MAX = 10, SECONDS_DEFAULT = 10, PORT_OF_HTTPS = 443 };

struct expectation {
    const char *path;
    const char *json;
};

/* Expected of all entries. */
static const struct expectation common[] = {
    {"admissionReviewVersions", "[\"v1\"]"},
    {"matchPolicy", "\"Equivalent\""},
    {"reinvocationPolicy", "\"IfNeeded\""},
};

struct expected_entry {
    const char *name;
    int first; /* of the kinds that it is about, which stand together in the table */
    int last;
    const char *operations; /* a JSON array, as the versions are */
    const char *versions;
    const char *condition; /* the only one of matchConditions; NULL for none */
};

/* Not by labels: anybody may take one off. */
#define SELECTS_OR_IS_OWNED                                                                        \
    "[object, oldObject].exists(it, it != null && (has(it.spec) && has(it.spec.selector) && "      \
    "it.spec.selector != null && has(it.spec.selector.matchLabels) && 'app.kubernetes.io/name' "   \
    "in it.spec.selector.matchLabels && it.spec.selector.matchLabels['app.kubernetes.io/name'] "   \
    "in ['mcpserver', 'mcpremoteproxy', 'virtualmcpserver'] || has(it.metadata) && "               \
    "has(it.metadata.ownerReferences) && (it.metadata.ownerReferences.size() > 100 || "            \
    "it.metadata.ownerReferences.exists(owner, has(owner.apiVersion) && "                          \
    "owner.apiVersion.startsWith('toolhive.stacklok.dev/')))))"

#define SCALES_ONE_THAT_SELECTS                                                                    \
    "oldObject != null && has(oldObject.status) && has(oldObject.status.selector) && "             \
    "(oldObject.status.selector.size() > 10000 || oldObject.status.selector.split(',')"            \
    ".exists(term, term in ['app.kubernetes.io/name=mcpserver', "                                  \
    "'app.kubernetes.io/name=mcpremoteproxy', 'app.kubernetes.io/name=virtualmcpserver']))"

#define SCALES_A_DEPLOYMENT                                                                        \
    "object != null && has(object.spec) && type(object.spec) == map && "                           \
    "has(object.spec.scaleTargetRef) && type(object.spec.scaleTargetRef) == map && "               \
    "(!has(object.spec.scaleTargetRef.kind) || object.spec.scaleTargetRef.kind in "                \
    "['', 'Deployment'])"

#define CREATE_AND_UPDATE "[\"CREATE\",\"UPDATE\"]"

static const struct expected_entry expected_entries[] = {
    {.name = "mcpservers.capstan.dev",
     .first = OBJECT_FAMILY_FIRST,
     .last = OBJECT_FAMILY_LAST,
     .operations = CREATE_AND_UPDATE,
     .versions = "[\"*\"]"},
    {.name = "deployments.capstan.dev",
     .first = OBJECT_DEPLOYMENT,
     .last = OBJECT_DEPLOYMENT,
     .operations = CREATE_AND_UPDATE,
     .versions = "[\"v1\"]",
     .condition = SELECTS_OR_IS_OWNED},
    {.name = "scale.capstan.dev",
     .first = OBJECT_SCALE,
     .last = OBJECT_SCALE,
     .operations = "[\"UPDATE\"]",
     .versions = "[\"v1\"]",
     .condition = SCALES_ONE_THAT_SELECTS},
    {.name = REGISTRATION_AUTOSCALERS_NAME,
     .first = OBJECT_HPA,
     .last = OBJECT_SCALEDOBJECT,
     .operations = CREATE_AND_UPDATE,
     .versions = "[\"*\"]",
     .condition = SCALES_A_DEPLOYMENT},
};

/* Adds the rule that an entry needs for a kind. A Scale comes under the group of its Deployment. */
static void add_rule(const struct expected_entry *expected, enum object_kind kind, cJSON *wanted) {
    const struct kind *row = &kind_rows[kind];
    const char *group = kind_rows[kind == OBJECT_SCALE ? OBJECT_DEPLOYMENT : kind].group;
    cJSON *rule = cJSON_CreateObject();
    cJSON_AddItemToObject(rule, "operations", cJSON_Parse(expected->operations));
    cJSON_AddItemToObject(rule, "apiGroups", cJSON_CreateStringArray(&group, 1));
    cJSON_AddItemToObject(rule, "apiVersions", cJSON_Parse(expected->versions));
    cJSON_AddItemToObject(rule, "resources", cJSON_CreateStringArray(&row->plural, 1));
    cJSON_AddStringToObject(rule, "scope", "Namespaced");
    cJSON_AddItemToArray(wanted, rule);
}

/* Adds the resources of an entry's kinds: all, or with `entry` those that its rules miss. */
static void add_resources(const struct expected_entry *expected, const cJSON *entry,
                          struct buffer *out) {
    for (int i = expected->first; i <= expected->last; i++) {
        AUTO(tree_fini) cJSON *wanted = cJSON_CreateArray();
        add_rule(expected, (enum object_kind)i, wanted);
        if (entry == NULL || !webhook_rules_cover(tree_list(entry, "rules"), wanted)) {
            buffer_add_format(out, "%s%s", out->size > 0 ? ", " : "", kind_rows[i].plural);
        }
    }
}

/* An Event may follow from a request, but never from a dry run (app/cluster/contest_event). With
   any other value the API server would refuse each dry run. */
static bool has_side_effects(const cJSON *entry) {
    const char *value = tree_text(entry, "sideEffects");
    return strcmp(value, "None") != 0 && strcmp(value, "NoneOnDryRun") != 0;
}

/* The path of the first common member that differs; NULL if none does. */
static const char *find_common_difference(const cJSON *entry) {
    for (size_t i = 0; i < COUNT_OF(common); i++) {
        if (!tree_is(entry, common[i].path, common[i].json)) {
            return common[i].path;
        }
    }
    return has_side_effects(entry) ? "sideEffects" : NULL;
}

/* True if the entry is asked about more than it has to see. */
static bool has_broader_rules(const cJSON *entry, const struct expected_entry *expected) {
    AUTO(tree_fini) cJSON *wanted = cJSON_CreateArray();
    for (int i = expected->first; i <= expected->last; i++) {
        add_rule(expected, (enum object_kind)i, wanted);
    }
    return !webhook_rules_cover(wanted, tree_list(entry, "rules"));
}

static const char *find_service_difference(const cJSON *entry, const struct finding_names *names) {
    const struct {
        const char *path;
        const char *text;
    } rows[] = {
        {"clientConfig.service.path", "/mutate"},
        {"clientConfig.service.name", names->service},
        {"clientConfig.service.namespace", names->namespace},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(tree_text(entry, rows[i].path), rows[i].text) != 0) {
            return rows[i].path;
        }
    }
    return NULL;
}

/* The path of the first member that is not as expected; NULL if all are. */
static const char *find_fault(const cJSON *entry, const struct finding_names *names) {
    const char *fault = find_common_difference(entry);
    int64_t seconds = tree_integer(entry, "timeoutSeconds", SECONDS_DEFAULT);
    if (fault == NULL && (seconds < SECONDS_MIN || seconds > SECONDS_MAX)) {
        fault = "timeoutSeconds";
    }
    if (fault == NULL && !entry_has_url(entry)) {
        fault = find_service_difference(entry, names);
    }
    return fault;
}

/* True if the entry is asked about all objects, whatever labels they have. */
static bool selects_all(const cJSON *entry) {
    const cJSON *selector = tree_at(entry, "objectSelector");
    return cJSON_GetArraySize(tree_at(selector, "matchLabels")) == 0 &&
           cJSON_GetArraySize(tree_list(selector, "matchExpressions")) == 0;
}

/* True if the entry has no matchConditions, or the one of the manifests. Any other condition may
   keep requests away. */
static bool has_good_conditions(const cJSON *entry, const char *wanted) {
    const cJSON *conditions = tree_list(entry, "matchConditions");
    int n_conditions = cJSON_GetArraySize(conditions);
    const char *expression = tree_text(cJSON_GetArrayItem(conditions, 0), "expression");
    return n_conditions == 0 ||
           (n_conditions == 1 && wanted != NULL && strcmp(expression, wanted) == 0);
}

/* True if the entry has no condition where the manifests have one. Nothing is missed without it. */
static bool lacks_condition(const cJSON *entry, const char *wanted) {
    return wanted != NULL && cJSON_GetArraySize(tree_list(entry, "matchConditions")) == 0;
}

static bool has_port(const cJSON *service, int64_t wanted) {
    const cJSON *port;
    bool has = false;
    cJSON_ArrayForEach(port, tree_list(service, "spec.ports")) {
        has = has || tree_integer(port, "port", 0) == wanted;
    }
    return has;
}

/* True if nothing is wrong with the port. From a Service of type ExternalName the API server takes
   the host only. */
static bool check_port(const cJSON *entry, const char *name, const cJSON *service,
                       struct finding *finding) {
    int64_t port = tree_integer(entry, "clientConfig.service.port", PORT_OF_HTTPS);
    bool matters = service != NULL && !entry_has_url(entry) &&
                   strcmp(tree_text(service, "spec.type"), "ExternalName") != 0;
    return !matters || has_port(service, port) ||
           finding_set(finding, FINDING_PROBLEM,
                       CHECKUP_APPLY_AGAIN ", or make clientConfig.service.port a port of the "
                                           "Service",
                       "%s calls port %" PRId64 ", which the Service does not have: it is never "
                       "reached",
                       name, port);
}

/* True if no filter keeps away a request that the entry has to see. kubectl apply removes only what
   was once applied, so the remedies name kubectl edit. */
static bool check_filters(const cJSON *entry, const struct expected_entry *expected,
                          struct finding *finding) {
    if (!selects_all(entry)) {
        return finding_set(finding, FINDING_PROBLEM,
                           "remove it with kubectl edit mutatingwebhookconfiguration "
                           "CONFIGURATION, then apply the manifests again: manifests/README.md",
                           "objectSelector of %s is not what this version expects: anybody can "
                           "take a label off, and so get round Capstan",
                           expected->name);
    }
    if (!has_good_conditions(entry, expected->condition)) {
        return finding_set(finding, FINDING_PROBLEM,
                           "remove them with kubectl edit mutatingwebhookconfiguration "
                           "CONFIGURATION, then apply the manifests again: manifests/README.md",
                           "matchConditions of %s are not what this version expects: it may never "
                           "be asked",
                           expected->name);
    }
    return true;
}

/* True if the entry is asked about all that it has to see. */
static bool check_rules(const cJSON *entry, const struct expected_entry *expected,
                        struct finding *finding) {
    AUTO(buffer_fini) struct buffer missed;
    buffer_init(&missed, FINDING_MESSAGE_SIZE);
    add_resources(expected, entry, &missed);
    return missed.size == 0 ||
           finding_set(finding, FINDING_PROBLEM, CHECKUP_APPLY_AGAIN,
                       "the rules of %s miss requests about %s: Capstan is not asked about these, "
                       "so no rule of the policy holds there",
                       expected->name, buffer_text(&missed));
}

/* True if nothing is wrong with the entry. */
static bool check_entry(const cJSON *entry, const struct expected_entry *expected,
                        const cJSON *service, const struct finding_names *names,
                        struct finding *finding) {
    const char *fault = find_fault(entry, names);
    if (fault != NULL) {
        return finding_set(finding, FINDING_PROBLEM, CHECKUP_APPLY_AGAIN,
                           "%s of %s is not what this version expects", fault, expected->name);
    }
    if (strcmp(expected->name, REGISTRATION_AUTOSCALERS_NAME) == 0 &&
        strcmp(tree_text(entry, "failurePolicy"), "Ignore") != 0) {
        return finding_set(finding, FINDING_PROBLEM, CHECKUP_APPLY_AGAIN,
                           "failurePolicy of %s is not Ignore: no autoscaler can be written while "
                           "Capstan does not answer",
                           expected->name);
    }
    return check_rules(entry, expected, finding) && check_filters(entry, expected, finding) &&
           check_port(entry, expected->name, service, finding);
}

static const cJSON *find_entry(const cJSON *entries, const char *name) {
    const cJSON *entry;
    cJSON_ArrayForEach(entry, entries) {
        if (strcmp(tree_text(entry, "name"), name) == 0) {
            return entry;
        }
    }
    return NULL;
}

static bool is_expected(const cJSON *entry) {
    for (size_t i = 0; i < COUNT_OF(expected_entries); i++) {
        if (strcmp(tree_text(entry, "name"), expected_entries[i].name) == 0) {
            return true;
        }
    }
    return false;
}

/* Remarks about an entry that nothing is wrong with. */
static void remark(const cJSON *entry, const struct expected_entry *expected,
                   struct finding *finding) {
    if (lacks_condition(entry, expected->condition)) {
        finding_set(finding, FINDING_NOTE,
                    CHECKUP_APPLY_AGAIN ". API servers before 1.28 drop matchConditions",
                    "%s has no matchConditions: Capstan is asked about objects that are none of "
                    "its business",
                    expected->name);
    } else if (has_broader_rules(entry, expected)) {
        finding_set(finding, FINDING_NOTE, CHECKUP_APPLY_AGAIN,
                    "the rules of %s are broader than this version needs: Capstan is asked about "
                    "more, and admits that as it is",
                    expected->name);
    }
}

/* The finding if nothing is wrong with any expected entry. `serve` leaves entries alone that lead
   elsewhere, and so does this. */
static void praise(const cJSON *entries, const struct finding_names *names,
                   struct finding *finding) {
    const cJSON *entry;
    int n_unknown = 0;
    int n_foreign = 0;
    cJSON_ArrayForEach(entry, entries) {
        bool is_unknown = !is_expected(entry);
        n_unknown += is_unknown && entry_calls_us(entry, names);
        n_foreign += is_unknown && !entry_calls_us(entry, names);
    }
    if (n_unknown > 0) {
        finding_set(finding, FINDING_NOTE,
                    "remove those that nobody needs: kubectl edit mutatingwebhookconfiguration "
                    "CONFIGURATION",
                    "it has %d entries for Capstan's Service that this version does not know",
                    n_unknown);
        return;
    }
    finding_set(finding, FINDING_OK, NULL,
                "its %zu entries are as this version expects them; %d of others are left alone",
                COUNT_OF(expected_entries), n_foreign);
    for (size_t i = 0; i < COUNT_OF(expected_entries) && finding->level == FINDING_OK; i++) {
        const struct expected_entry *expected = &expected_entries[i];
        remark(find_entry(entries, expected->name), expected, finding);
    }
}

static void report_absence(const struct expected_entry *expected, struct finding *finding) {
    AUTO(buffer_fini) struct buffer resources;
    buffer_init(&resources, FINDING_MESSAGE_SIZE);
    add_resources(expected, NULL, &resources);
    finding_set(finding, FINDING_PROBLEM, CHECKUP_APPLY_AGAIN,
                "it has no entry %s: Capstan is never asked about %s, so no rule of the policy "
                "holds there",
                expected->name, buffer_text(&resources));
}

void checkup_registration(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini)
    cJSON *tree = checkup_see(patient, QUESTION_CONFIGURATION, CHECKUP_APPLY_AGAIN, finding);
    AUTO(tree_fini) cJSON *service = tree_read(&patient->answers[QUESTION_SERVICE]);
    const cJSON *entries = tree_list(tree, "webhooks");
    if (tree == NULL) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(expected_entries); i++) {
        const struct expected_entry *expected = &expected_entries[i];
        const cJSON *entry = find_entry(entries, expected->name);
        if (entry == NULL) {
            report_absence(expected, finding);
            return;
        }
        if (!check_entry(entry, expected, service, &patient->names, finding)) {
            return;
        }
    }
    praise(entries, &patient->names, finding);
}
