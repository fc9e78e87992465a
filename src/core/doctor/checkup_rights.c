// SPDX-License-Identifier: Apache-2.0

/*
 * The rights of Capstan's ServiceAccount. They can come to it by its name, and by its groups, so
 * the API server is asked about both.
 */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/text.h"
#include "checkup_inside.h"
#include "settings.h"

enum { MISSING_MAX = 1 << 16 };

#define OWN true, true

/* A kind of core/facts/kind.h, or a resource that Capstan knows no more about. */
#define OF(ID)                 OBJECT_##ID, NULL, NULL
#define NAMED(group, resource) OBJECT_OTHER, group, resource

const struct checkup_right checkup_rights[] = {
    {"list", OF(MCPSERVER), "", "", false, false},
    {"watch", OF(MCPSERVER), "", "", false, false},
    {"get", OF(MCPSERVER), "", "", false, false},
    {"list", OF(MCPREMOTEPROXY), "", "", false, false},
    {"watch", OF(MCPREMOTEPROXY), "", "", false, false},
    {"get", OF(MCPREMOTEPROXY), "", "", false, false},
    {"list", OF(VIRTUALMCPSERVER), "", "", false, false},
    {"watch", OF(VIRTUALMCPSERVER), "", "", false, false},
    {"get", OF(VIRTUALMCPSERVER), "", "", false, false},
    {"list", OF(DEPLOYMENT), "", "", false, false},
    {"watch", OF(DEPLOYMENT), "", "", false, false},
    {"get", NAMED("apiextensions.k8s.io", "customresourcedefinitions"), "",
     "mcpservers.toolhive.stacklok.dev", false, false},
    {"patch", OF(MCPSERVER), "status", "", false, false},
    {"update", OF(MCPSERVER), "status", "", false, false},
    {"get", OF(DEPLOYMENT), "scale", "", false, false},
    {"patch", OF(DEPLOYMENT), "scale", "", false, false},
    {"list", OF(HPA), "", "", false, false},
    {"create", NAMED("events.k8s.io", "events"), "", "", false, false},
    {"get", NAMED("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), "", "capstan",
     false, false},
    {"get", NAMED("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), "", "*", false,
     false},
    {"patch", NAMED("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), "", "*",
     false, false},
    {"delete", NAMED("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), "", "*",
     false, false},
    {"delete", NAMED("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), "",
     "capstan", false, false},
    {"get", NAMED("", "namespaces"), "", "", true, false},
    {"create", NAMED("coordination.k8s.io", "leases"), "", "", true, false},
    {"get", NAMED("coordination.k8s.io", "leases"), "", "capstan", true, false},
    {"update", NAMED("coordination.k8s.io", "leases"), "", "capstan", true, false},
    {"list", NAMED("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), "", "*", false,
     true},
    {"watch", NAMED("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), "", "*",
     false, true},
    {"create", NAMED("", "secrets"), "", "", OWN},
    {"list", NAMED("", "secrets"), "", "capstan-certs", OWN},
    {"watch", NAMED("", "secrets"), "", "capstan-certs", OWN},
    {"patch", NAMED("", "secrets"), "", "capstan-certs", OWN},
};

const char *checkup_group_of(const struct checkup_right *right) {
    return right->kind != OBJECT_OTHER ? kind_rows[right->kind].group : right->group;
}

const char *checkup_resource_of(const struct checkup_right *right) {
    return right->kind != OBJECT_OTHER ? kind_rows[right->kind].plural : right->resource;
}

const size_t checkup_n_rights = COUNT_OF(checkup_rights);

enum checkup_grant checkup_read_grant(const struct answer *review) {
    AUTO(tree_fini) cJSON *tree = tree_read(review);
    const cJSON *allowed = tree_at(tree, "status.allowed");
    if (!cJSON_IsBool(allowed)) {
        return CHECKUP_UNASKED;
    }
    return cJSON_IsTrue(allowed) ? CHECKUP_GRANTED : CHECKUP_REFUSED;
}

bool checkup_is_user(const struct answer *review, const char *user) {
    AUTO(tree_fini) cJSON *tree = tree_read(review);
    return strcmp(tree_text(tree, "status.userInfo.username"), user) == 0;
}

void checkup_add_account(const struct patient *patient, struct buffer *out) {
    AUTO(tree_fini) cJSON *tree = tree_read(&patient->answers[QUESTION_DEPLOYMENT]);
    struct settings settings;
    settings_read(tree, &settings);
    buffer_add_format(out, "system:serviceaccount:%s:%s", patient->names.namespace,
                      settings.pod != NULL ? settings_account(settings.pod) : "capstan");
}

/* True if --watch-namespace narrows the right to the namespaces that it names. */
static bool is_of_watched(const struct checkup_right *right) {
    return right->kind != OBJECT_OTHER || strcmp(right->group, "events.k8s.io") == 0;
}

static void add_ask(const struct checkup_right *right, const char *namespace,
                    struct checkup_ask *asks, size_t *n_asks) {
    struct checkup_ask *ask = &asks[(*n_asks)++];
    assert(*n_asks <= CHECKUP_ASKS_MAX);
    ask->right = right;
    (void)text_copy(ask->namespace, sizeof(ask->namespace), namespace);
}

static_assert(COUNT_OF(checkup_rights) * SETTINGS_WATCHED_MAX <= CHECKUP_ASKS_MAX,
              "there is room for each right in each namespace");

size_t checkup_list_asks(const struct patient *patient,
                         struct checkup_ask ret_asks[CHECKUP_ASKS_MAX]) {
    AUTO(tree_fini) cJSON *tree = tree_read(&patient->answers[QUESTION_DEPLOYMENT]);
    struct settings settings;
    size_t n_asks = 0;
    settings_read(tree, &settings);
    for (size_t i = 0; i < checkup_n_rights; i++) {
        const struct checkup_right *right = &checkup_rights[i];
        if (right->is_for_certificates && settings.cert_path != NULL) {
            continue;
        }
        if (settings.n_watched == 0 || !is_of_watched(right)) {
            add_ask(right, right->is_namespaced ? patient->names.namespace : "", ret_asks, &n_asks);
            continue;
        }
        for (size_t j = 0; j < settings.n_watched; j++) {
            add_ask(right, settings.watched[j], ret_asks, &n_asks);
        }
    }
    return n_asks;
}

static void add_missing(const struct patient *patient, const struct checkup_ask *ask,
                        struct buffer *out) {
    const struct checkup_right *right = ask->right;
    const char *name = strcmp(right->name, "*") == 0 ? patient->names.configuration : right->name;
    buffer_add_format(out, "%s%s %s%s%s", out->size > 0 ? ", " : "", right->verb,
                      checkup_resource_of(right), right->subresource[0] != '\0' ? "/" : "",
                      right->subresource);
    if (name[0] != '\0') {
        buffer_add_format(out, " %s", name);
    }
    if (is_of_watched(right) && ask->namespace[0] != '\0') {
        buffer_add_format(out, " in %s", ask->namespace);
    }
}

/* A right that could not be asked about. The rights of the asker say nothing of Capstan's. */
static void explain(const struct patient *patient, struct finding *finding) {
    int status = patient->grants_status;
    if (status == HTTP_STATUS_FORBIDDEN) {
        finding_set(finding, FINDING_UNKNOWN,
                    "ask a cluster admin for the right to create "
                    "subjectaccessreviews.authorization.k8s.io; docs/doctor.md has a role for "
                    "doctor",
                    "could not ask about rights: the right to create "
                    "subjectaccessreviews.authorization.k8s.io is missing");
    } else if (status == 0 || status == HTTP_STATUS_OK) {
        finding_set(finding, FINDING_UNKNOWN, CHECKUP_ASK_AGAIN,
                    "could not ask about all rights: %s",
                    status == 0 ? "no answer" : "an answer cannot be read");
    } else {
        finding_set(finding, FINDING_UNKNOWN, CHECKUP_ASK_AGAIN,
                    "could not ask about all rights: HTTP status %d", status);
    }
}

/* The rights that the ServiceAccount does not have. */
struct lack {
    struct buffer missing;
    struct buffer idle; /* of kinds that are not installed */
    size_t n_unasked;
};

static void lack_fini(struct lack *lack) {
    buffer_fini(&lack->missing);
    buffer_fini(&lack->idle);
}

static void find_lack(const struct patient *patient, struct lack *ret_lack) {
    struct checkup_ask asks[CHECKUP_ASKS_MAX];
    size_t n_asks = checkup_list_asks(patient, asks);
    struct discovery discovery;
    bool is_whole = question_discover(patient->answers, DISCOVERY_VERSIONS_MAX, &discovery);
    ret_lack->n_unasked = 0;
    buffer_init(&ret_lack->missing, MISSING_MAX);
    buffer_init(&ret_lack->idle, MISSING_MAX);
    for (size_t i = 0; i < n_asks; i++) {
        enum object_kind kind = asks[i].right->kind;
        bool is_idle =
            is_whole && kind_is_family(kind) && discovery_version(&discovery, kind)[0] == '\0';
        ret_lack->n_unasked += patient->grants[i] == CHECKUP_UNASKED;
        if (patient->grants[i] == CHECKUP_REFUSED) {
            add_missing(patient, &asks[i], is_idle ? &ret_lack->idle : &ret_lack->missing);
        }
    }
}

static bool watches_more(const struct patient *patient) {
    AUTO(tree_fini) cJSON *tree = tree_read(&patient->answers[QUESTION_DEPLOYMENT]);
    struct settings settings;
    settings_read(tree, &settings);
    return settings.watches_more;
}

void checkup_grants(const struct patient *patient, struct finding *finding) {
    AUTO(lack_fini) struct lack lack;
    AUTO(buffer_fini) struct buffer account;
    buffer_init(&account, MISSING_MAX);
    checkup_add_account(patient, &account);
    find_lack(patient, &lack);
    if (lack.missing.size > 0) {
        finding_set(finding, FINDING_PROBLEM,
                    "apply the roles and bindings of the manifests again: manifests/README.md",
                    "%s may not: %s", buffer_text(&account), buffer_text(&lack.missing));
    } else if (lack.n_unasked > 0) {
        explain(patient, finding);
    } else if (watches_more(patient)) {
        finding_set(finding, FINDING_UNKNOWN,
                    "ask about the others by hand: kubectl auth can-i --list --as OTHER -n NAME",
                    "%s has the rights that it needs in the first %d of its namespaces; doctor "
                    "asked about no more",
                    buffer_text(&account), SETTINGS_WATCHED_MAX);
        (void)text_copy(finding->other, sizeof(finding->other), buffer_text(&account));
    } else if (lack.idle.size > 0) {
        finding_set(finding, FINDING_NOTE,
                    "apply the roles and bindings of the manifests again before you install the "
                    "CRDs of these kinds: manifests/README.md",
                    "%s may not: %s. Nothing is lost so far: these kinds are not installed",
                    buffer_text(&account), buffer_text(&lack.idle));
    } else {
        finding_set(finding, FINDING_OK, NULL, "%s has all the rights that it needs",
                    buffer_text(&account));
    }
}
