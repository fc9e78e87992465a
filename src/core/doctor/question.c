// SPDX-License-Identifier: Apache-2.0
#include "core/doctor/question.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/certificates/keyring.h"
#include "core/certificates/registration.h"
#include "question_table.h"
#include "settings.h"
#include "tree.h"

#define ADMISSION "/apis/admissionregistration.k8s.io/"

const char *const question_versions[] = {"v1", "v1beta1", "v1alpha1", NULL};

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
    [QUESTION_GROUP] = {"/apis/toolhive.stacklok.dev", "APIGroup",
                        "the API group toolhive.stacklok.dev", "get /apis/*", false},
    [QUESTION_DEFINITION] = {"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
                             "mcpservers.toolhive.stacklok.dev",
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

bool question_add_path(enum question question, const struct finding_names *names,
                       const struct answer *answers, const char *version, struct buffer *out) {
    struct finding_names all = *names;
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
