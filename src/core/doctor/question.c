// SPDX-License-Identifier: Apache-2.0
#include "core/doctor/question.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/text.h"
#include "core/certificates/keyring.h"
#include "core/certificates/registration.h"
#include "question_table.h"
#include "settings.h"
#include "tree.h"

#define GROUP_PATH "/apis/" TOOLHIVE_GROUP
#define ADMISSION  "/apis/admissionregistration.k8s.io/"

const char *const question_versions[] = {"v1", "v1beta1", "v1alpha1", NULL};

#define RESOURCES(i)                                                                               \
    [QUESTION_RESOURCES + (i)] = {GROUP_PATH "/OTHER", "APIResourceList",                          \
                                  "the list of resources of " TOOLHIVE_GROUP, "get /apis/*",       \
                                  false}
static_assert(DISCOVERY_VERSIONS_MAX == 8, "there is a row for each version");

const struct question_row question_rows[QUESTION_COUNT] = {
    [QUESTION_VERSION] = {"/version", NULL, "the version of the API server", "get /version", false},
    [QUESTION_CONFIGURATION] = {REGISTRATIONS_PATH "/CONFIGURATION", "MutatingWebhookConfiguration",
                                "the MutatingWebhookConfiguration",
                                "get mutatingwebhookconfigurations.admissionregistration.k8s.io",
                                false},
    [QUESTION_CONFIGURATIONS] = {REGISTRATIONS_PATH, "MutatingWebhookConfigurationList",
                                 "the list of MutatingWebhookConfigurations",
                                 "list mutatingwebhookconfigurations.admissionregistration.k8s.io",
                                 false},
    [QUESTION_GROUP] = {GROUP_PATH, "APIGroup", "the API group " TOOLHIVE_GROUP, "get /apis/*",
                        false},
    RESOURCES(0),
    RESOURCES(1),
    RESOURCES(2),
    RESOURCES(3),
    RESOURCES(4),
    RESOURCES(5),
    RESOURCES(6),
    RESOURCES(7),
    [QUESTION_DEFINITION] = {"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
                             "mcpservers." TOOLHIVE_GROUP,
                             "CustomResourceDefinition",
                             "the CustomResourceDefinition of MCPServers",
                             "get customresourcedefinitions.apiextensions.k8s.io", false},
    [QUESTION_OPERATORS] = {"/apis/apps/v1/deployments"
                            "?labelSelector=app.kubernetes.io%2Fname%3Dtoolhive-operator",
                            "DeploymentList", "the list of ToolHive's operators",
                            "list deployments.apps", false},
    [QUESTION_HOME] = {"/api/v1/namespaces/NAMESPACE", "Namespace", "the Namespace",
                       "get namespaces", false},
    [QUESTION_NAMESPACES] = {"/api/v1/namespaces", "NamespaceList", "the list of Namespaces",
                             "list namespaces", false},
    [QUESTION_SERVICE] = {"/api/v1/namespaces/NAMESPACE/services/SERVICE", "Service", "the Service",
                          "get services", true},
    [QUESTION_SLICES] = {"/apis/discovery.k8s.io/v1/namespaces/NAMESPACE/endpointslices"
                         "?labelSelector=kubernetes.io%2Fservice-name%3DSERVICE",
                         "EndpointSliceList", "the list of its EndpointSlices",
                         "list endpointslices.discovery.k8s.io", true},
    [QUESTION_DEPLOYMENT] = {"/apis/apps/v1/namespaces/NAMESPACE/deployments/capstan", "Deployment",
                             "the Deployment", "get deployments.apps", true},
    [QUESTION_PODS] = {"/api/v1/namespaces/NAMESPACE/pods"
                       "?labelSelector=app.kubernetes.io%2Fname%3Dcapstan",
                       "PodList", "the list of its pods", "list pods", true},
    [QUESTION_LEASE] = {"/apis/coordination.k8s.io/v1/namespaces/NAMESPACE/leases/capstan", "Lease",
                        "the Lease", "get leases.coordination.k8s.io", true},
    [QUESTION_SECRET] = {"/api/v1/namespaces/NAMESPACE/secrets/", "Secret",
                         "the Secret of the certificates", "get secrets", true},
    [QUESTION_POLICY] = {"/api/v1/namespaces/NAMESPACE/configmaps/", "ConfigMap",
                         "the ConfigMap of the policy", "get configmaps", true},
    [QUESTION_MUTATIONS] = {ADMISSION "OTHER/mutatingadmissionpolicies",
                            "MutatingAdmissionPolicyList", "the list of MutatingAdmissionPolicies",
                            "list mutatingadmissionpolicies.admissionregistration.k8s.io", false},
    [QUESTION_BINDINGS] = {ADMISSION "OTHER/mutatingadmissionpolicybindings",
                           "MutatingAdmissionPolicyBindingList",
                           "the list of MutatingAdmissionPolicyBindings",
                           "list mutatingadmissionpolicybindings.admissionregistration.k8s.io",
                           false},
};

/* The name at the end of the path of a Secret or ConfigMap; "" if the Deployment names none. A name
   that the API server would not admit must not become a part of a path. */
static const char *name_of(enum question question, const struct settings *settings) {
    const char *name = question == QUESTION_SECRET
                           ? settings_secret(settings)
                           : settings_mount(settings, settings->config).config_map;
    return text_is_dns_subdomain(name) ? name : "";
}

bool question_discover(const struct answer *answers, size_t n_lists,
                       struct discovery *ret_discovery) {
    const struct answer *group = &answers[QUESTION_GROUP];
    struct error error;
    bool is_whole = true;
    *ret_discovery = (struct discovery){.n_versions = 0};
    if (group->status != HTTP_STATUS_OK) {
        return group->status == HTTP_STATUS_NOT_FOUND;
    }
    if (!discovery_read_group(group->json, group->size, ret_discovery, &error)) {
        return error.kind == ERROR_NOT_FOUND;
    }
    for (size_t i = 0; i < n_lists && discovery_next(ret_discovery) != NULL; i++) {
        const struct answer *list = &answers[QUESTION_RESOURCES + i];
        if (list->status != HTTP_STATUS_OK ||
            !discovery_read_resources(ret_discovery, list->json, list->size, &error)) {
            is_whole = is_whole && list->status == HTTP_STATUS_NOT_FOUND;
            discovery_skip(ret_discovery);
        }
    }
    return is_whole;
}

/* Adds the path of the next version of the family; false if none has to be looked at. */
static bool add_resources_path(enum question question, const struct answer *answers,
                               const struct finding_names *names, struct buffer *out) {
    struct discovery discovery;
    struct finding_names all = *names;
    (void)question_discover(answers, question - QUESTION_RESOURCES, &discovery);
    all.other = discovery_next(&discovery);
    if (all.other == NULL) {
        return false;
    }
    finding_add_named(question_rows[question].path, &all, out);
    return true;
}

bool question_add_path(enum question question, const struct finding_names *names,
                       const struct answer *answers, const char *version, struct buffer *out) {
    struct finding_names all = *names;
    if (question >= QUESTION_RESOURCES && question <= QUESTION_RESOURCES_LAST) {
        return add_resources_path(question, answers, names, out);
    }
    all.other = version;
    finding_add_named(question_rows[question].path, &all, out);
    if (question != QUESTION_SECRET && question != QUESTION_POLICY) {
        return true;
    }
    AUTO(tree_fini) cJSON *deployment = tree_read(&answers[QUESTION_DEPLOYMENT]);
    struct settings settings;
    settings_read(deployment, &settings);
    const char *name = name_of(question, &settings);
    buffer_add_text(out, name);
    return name[0] != '\0';
}
