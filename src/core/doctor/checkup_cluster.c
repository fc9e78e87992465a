// SPDX-License-Identifier: Apache-2.0

/* The API server itself, and the kinds that it serves to Capstan. */

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

/* Tells of the other kinds of the family. A cluster need not have them. */
static void add_others(const struct discovery *discovery, struct buffer *out) {
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_FAMILY_LAST; i++) {
        const char *version = discovery_version(discovery, (enum object_kind)i);
        if (i != OBJECT_MCPSERVER && version[0] != '\0') {
            buffer_add_format(out, "; %s as %s", kind_rows[i].plural, version);
        } else if (i != OBJECT_MCPSERVER) {
            buffer_add_format(out, "; %s are not installed", kind_rows[i].plural);
        }
    }
}

static void praise(const struct discovery *discovery, bool is_map, struct finding *finding) {
    const char *version = discovery_version(discovery, OBJECT_MCPSERVER);
    AUTO(buffer_fini) struct buffer others;
    buffer_init(&others, FINDING_MESSAGE_SIZE);
    add_others(discovery, &others);
    if (is_map) {
        finding_set(finding, FINDING_OK, NULL, "MCPServers are served as %s%s", version,
                    buffer_text(&others));
    } else {
        finding_set(finding, FINDING_NOTE,
                    "upgrade the CRDs: newer ones merge conditions by type. docs/doctor.md",
                    "MCPServers are served as %s; their CRD does not merge conditions by type, so "
                    "statuses are written whole%s",
                    version, buffer_text(&others));
    }
}

/* True if doctor could read the resources of each version that `serve` looks at. A version without
   any is none. */
static bool see_resources(const struct patient *patient, size_t n_lists, struct finding *finding) {
    for (size_t i = 0; i < n_lists; i++) {
        enum question question = (enum question)(QUESTION_RESOURCES + i);
        if (!checkup_is_absent(patient, question)) {
            AUTO(tree_fini) cJSON *tree = checkup_see(patient, question, NULL, finding);
            if (tree == NULL) {
                return false;
            }
        }
    }
    return true;
}

void checkup_definition(const struct patient *patient, struct finding *finding) {
    static const char install[] = "install the ToolHive operator's CRDs, and Capstan takes them up "
                                  "by itself; kubectl api-resources lists what is there";
    const struct answer *definition = &patient->answers[QUESTION_DEFINITION];
    AUTO(tree_fini) cJSON *group = checkup_see(patient, QUESTION_GROUP, install, finding);
    AUTO(tree_fini) cJSON *tree = NULL;
    struct discovery discovery;
    struct error error;
    bool is_map;
    (void)question_discover(patient->answers, DISCOVERY_VERSIONS_MAX, &discovery);
    if (group == NULL || !see_resources(patient, discovery.n_done, finding)) {
        return;
    }
    const char *version = discovery_version(&discovery, OBJECT_MCPSERVER);
    if (version[0] != '\0') {
        tree = checkup_see(patient, QUESTION_DEFINITION, install, finding);
        if (tree == NULL) {
            return;
        }
        if (discovery_read_definition(definition->json, definition->size, version, &is_map,
                                      &error)) {
            praise(&discovery, is_map, finding);
            return;
        }
    }
    finding_set(finding, FINDING_PROBLEM, install, "MCPServers are served in no version");
}
