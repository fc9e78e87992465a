// SPDX-License-Identifier: Apache-2.0

/* The API server itself, and the kind that it serves to Capstan. */

#include "checkup_inside.h"
#include "core/cluster/discovery.h"

void checkup_server(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini) cJSON *tree = checkup_see(patient, QUESTION_VERSION, NULL, finding);
    const char *version = tree_text(tree, "gitVersion");
    if (tree == NULL && patient->answers[QUESTION_VERSION].status == 0) {
        finding->remedy =
            "see whether the API server runs, and whether the kubeconfig is the right "
            "one: kubectl cluster-info";
    }
    if (tree == NULL) {
        return;
    }
    if (version[0] == '\0') {
        finding_set(
            finding, FINDING_UNKNOWN,
            "see whether the kubeconfig leads to a Kubernetes cluster: kubectl cluster-info",
            "it answers, and says no version");
        return;
    }
    finding_set(finding, FINDING_OK, NULL, "it answers; version \"%s\"", version);
}

static void praise(const char *version, bool is_map, struct finding *finding) {
    if (is_map) {
        finding_set(finding, FINDING_OK, NULL, "MCPServers are served as %s", version);
    } else {
        finding_set(finding, FINDING_NOTE,
                    "upgrade the CRDs: newer ones merge conditions by type. docs/doctor.md",
                    "MCPServers are served as %s; their CRD does not merge conditions by type, so "
                    "statuses are written whole",
                    version);
    }
}

/* Takes the versions in the order in which `serve` takes them. False if none of them is served. */
static bool judge_versions(const struct answer *definition, struct discovery *discovery,
                           struct finding *finding) {
    struct error error;
    for (; discovery_next(discovery) != NULL; discovery_skip(discovery)) {
        const char *version = discovery_next(discovery);
        bool is_map;
        if (discovery_read_definition(definition->json, definition->size, version, &is_map,
                                      &error)) {
            praise(version, is_map, finding);
            return true;
        }
    }
    return false;
}

void checkup_definition(const struct patient *patient, struct finding *finding) {
    static const char install[] = "install the ToolHive operator's CRDs, and Capstan takes them up "
                                  "by itself; kubectl api-resources lists what is there";
    const struct answer *group = &patient->answers[QUESTION_GROUP];
    const struct answer *definition = &patient->answers[QUESTION_DEFINITION];
    AUTO(tree_fini) cJSON *group_tree = checkup_see(patient, QUESTION_GROUP, install, finding);
    AUTO(tree_fini) cJSON *tree = NULL;
    struct discovery discovery;
    struct error error;
    if (group_tree == NULL) {
        return;
    }
    if (discovery_read_group(group->json, group->size, &discovery, &error)) {
        tree = checkup_see(patient, QUESTION_DEFINITION, install, finding);
        if (tree == NULL || judge_versions(definition, &discovery, finding)) {
            return;
        }
    }
    finding_set(finding, FINDING_PROBLEM, install, "MCPServers are served in no version");
}
