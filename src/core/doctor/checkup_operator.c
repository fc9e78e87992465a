// SPDX-License-Identifier: Apache-2.0

/* ToolHive's operator, and whether the policy knows it by the name that it has here. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "checkup_inside.h"
#include "settings.h"

enum { USER_SIZE = 2 * CHECKUP_NAME_SIZE + 32 };

void checkup_operator(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini) cJSON *tree = checkup_see(patient, QUESTION_OPERATORS, NULL, finding);
    const cJSON *first = cJSON_GetArrayItem(tree_list(tree, "items"), 0);
    const char *version = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
        tree_at(first, "metadata.labels"), "app.kubernetes.io/version"));
    if (tree == NULL) {
        return;
    }
    if (first == NULL) {
        finding_set(finding, FINDING_NOTE, NULL,
                    "no ToolHive operator was found; without one, nothing makes Deployments for "
                    "MCPServers");
        return;
    }
    finding_set(finding, FINDING_NOTE, NULL,
                "ToolHive operator %.63s runs; since v0.13 it caps stdio servers itself, after the "
                "fact; Capstan adds request time and /scale",
                version != NULL && version[0] != '\0' ? version : "of unknown version");
}

/* The policy of the ConfigMap that the Deployment mounts, or the default one. NULL: it is not known
   or not good; the finding then says why. */
static struct policy *read_policy(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini)
    cJSON *deployment = checkup_see_if_there(patient, QUESTION_DEPLOYMENT, finding);
    AUTO(tree_fini) cJSON *tree = NULL;
    struct settings settings;
    struct policy *policy;
    struct error error;
    if (deployment == NULL) {
        return NULL;
    }
    settings_read(deployment, &settings);
    if (settings.config == NULL) {
        return policy_default();
    }
    const struct settings_mount mount = settings_mount(&settings, settings.config);
    if (mount.config_map[0] == '\0') {
        finding_set(finding, FINDING_UNKNOWN,
                    "put it into a ConfigMap, or look there: kubectl -n NAMESPACE exec "
                    "deployment/capstan -- capstan explain",
                    "the policy %.200s comes from no ConfigMap, so doctor cannot look at it",
                    settings.config);
        return NULL;
    }
    tree = checkup_see(patient, QUESTION_POLICY, CHECKUP_APPLY_AGAIN, finding);
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree_at(tree, "data"), mount.key));
    if (tree != NULL && text == NULL) {
        finding_set(finding, FINDING_PROBLEM, CHECKUP_APPLY_AGAIN,
                    "the ConfigMap %.253s has no key %.253s", mount.config_map, mount.key);
    }
    if (text == NULL) {
        return NULL;
    }
    if (!patient->tools->read_policy(text, &policy, &error)) {
        finding_set(finding, FINDING_PROBLEM,
                    "correct it: kubectl -n NAMESPACE edit configmap OTHER; docs/ has the policy's "
                    "reference",
                    "the policy is refused, and the last good one stays: %s", error.text);
        (void)text_copy(finding->other, sizeof(finding->other), mount.config_map);
        return NULL;
    }
    return policy;
}

static void policy_fini(struct policy **policy) {
    policy_free(*policy);
}

/* Sets the finding if the policy does not know the operator of this Deployment. */
static bool is_known(const struct policy *policy, const cJSON *operator, struct finding * finding) {
    char user[USER_SIZE];
    snprintf(user, sizeof(user), "system:serviceaccount:%s:%s",
             tree_text(operator, "metadata.namespace"),
             settings_account(tree_at(operator, "spec.template.spec")));
    return policy_is_operator(policy, user) ||
           finding_set(finding, FINDING_PROBLEM,
                       "add it to replicas.operatorUsers of the policy: kubectl -n NAMESPACE edit "
                       "configmap capstan-policy",
                       "the operator runs as %s, which replicas.operatorUsers of the policy lacks: "
                       "its updates overwrite the counts of autoscalers",
                       user);
}

void checkup_operator_users(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini) cJSON *tree = checkup_see(patient, QUESTION_OPERATORS, NULL, finding);
    AUTO(policy_fini) struct policy *policy = NULL;
    const cJSON *operator;
    if (tree == NULL) {
        return;
    }
    policy = read_policy(patient, finding);
    if (policy == NULL) {
        return;
    }
    cJSON_ArrayForEach(operator, tree_list(tree, "items")) {
        if (!is_known(policy, operator, finding)) {
            return;
        }
    }
    finding_set(finding, FINDING_OK, NULL, "the policy knows all %d operators by their names",
                cJSON_GetArraySize(tree_list(tree, "items")));
}
