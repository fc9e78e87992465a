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

const struct checkup_right checkup_rights[] = {
    {"list", "toolhive.stacklok.dev", "mcpservers", "", "", false, false},
    {"watch", "toolhive.stacklok.dev", "mcpservers", "", "", false, false},
    {"get", "toolhive.stacklok.dev", "mcpservers", "", "", false, false},
    {"list", "toolhive.stacklok.dev", "mcpremoteproxies", "", "", false, false},
    {"watch", "toolhive.stacklok.dev", "mcpremoteproxies", "", "", false, false},
    {"get", "toolhive.stacklok.dev", "mcpremoteproxies", "", "", false, false},
    {"list", "toolhive.stacklok.dev", "virtualmcpservers", "", "", false, false},
    {"watch", "toolhive.stacklok.dev", "virtualmcpservers", "", "", false, false},
    {"get", "toolhive.stacklok.dev", "virtualmcpservers", "", "", false, false},
    {"list", "apps", "deployments", "", "", false, false},
    {"watch", "apps", "deployments", "", "", false, false},
    {"get", "apiextensions.k8s.io", "customresourcedefinitions", "",
     "mcpservers.toolhive.stacklok.dev", false, false},
    {"patch", "toolhive.stacklok.dev", "mcpservers", "status", "", false, false},
    {"update", "toolhive.stacklok.dev", "mcpservers", "status", "", false, false},
    {"get", "apps", "deployments", "scale", "", false, false},
    {"patch", "apps", "deployments", "scale", "", false, false},
    {"list", "autoscaling", "horizontalpodautoscalers", "", "", false, false},
    {"create", "events.k8s.io", "events", "", "", false, false},
    {"get", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "capstan", false,
     false},
    {"get", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "*", false, false},
    {"patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "*", false,
     false},
    {"delete", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "*", false,
     false},
    {"delete", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "capstan",
     false, false},
    {"get", "", "namespaces", "", "", true, false},
    {"create", "coordination.k8s.io", "leases", "", "", true, false},
    {"get", "coordination.k8s.io", "leases", "", "capstan", true, false},
    {"update", "coordination.k8s.io", "leases", "", "capstan", true, false},
    {"list", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "*", false, true},
    {"watch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "*", false,
     true},
    {"create", "", "secrets", "", "", OWN},
    {"list", "", "secrets", "", "capstan-certs", OWN},
    {"watch", "", "secrets", "", "capstan-certs", OWN},
    {"patch", "", "secrets", "", "capstan-certs", OWN},
};

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
    static const char *const groups[] = {"toolhive.stacklok.dev", "apps", "autoscaling",
                                         "events.k8s.io"};
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        if (strcmp(right->group, groups[i]) == 0) {
            return true;
        }
    }
    return false;
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
    buffer_add_format(out, "%s%s %s%s%s", out->size > 0 ? ", " : "", right->verb, right->resource,
                      right->subresource[0] != '\0' ? "/" : "", right->subresource);
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

static bool watches_more(const struct patient *patient) {
    AUTO(tree_fini) cJSON *tree = tree_read(&patient->answers[QUESTION_DEPLOYMENT]);
    struct settings settings;
    settings_read(tree, &settings);
    return settings.watches_more;
}

void checkup_grants(const struct patient *patient, struct finding *finding) {
    struct checkup_ask asks[CHECKUP_ASKS_MAX];
    size_t n_asks = checkup_list_asks(patient, asks);
    AUTO(buffer_fini) struct buffer missing;
    AUTO(buffer_fini) struct buffer account;
    size_t n_unasked = 0;
    buffer_init(&missing, MISSING_MAX);
    buffer_init(&account, MISSING_MAX);
    checkup_add_account(patient, &account);
    for (size_t i = 0; i < n_asks; i++) {
        n_unasked += patient->grants[i] == CHECKUP_UNASKED;
        if (patient->grants[i] == CHECKUP_REFUSED) {
            add_missing(patient, &asks[i], &missing);
        }
    }
    if (missing.size > 0) {
        finding_set(finding, FINDING_PROBLEM,
                    "apply the roles and bindings of the manifests again: manifests/README.md",
                    "%s may not: %s", buffer_text(&account), buffer_text(&missing));
    } else if (n_unasked > 0) {
        explain(patient, finding);
    } else if (watches_more(patient)) {
        finding_set(finding, FINDING_UNKNOWN,
                    "ask about the others by hand: kubectl auth can-i --list --as OTHER -n NAME",
                    "%s has the rights that it needs in the first %d of its namespaces; doctor "
                    "asked about no more",
                    buffer_text(&account), SETTINGS_WATCHED_MAX);
        (void)text_copy(finding->other, sizeof(finding->other), buffer_text(&account));
    } else {
        finding_set(finding, FINDING_OK, NULL, "%s has all the rights that it needs",
                    buffer_text(&account));
    }
}
