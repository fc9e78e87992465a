// SPDX-License-Identifier: Apache-2.0

/* The Service, and whether pods behind it are ready on the port that the API server calls. */

#include <string.h>

#include "checkup_inside.h"

enum { PORT_OF_HTTPS = 443 };

/* True if the endpoint takes connections. An endpoint that says nothing of it does. */
static bool is_ready(const cJSON *endpoint) {
    const cJSON *ready = tree_at(endpoint, "conditions.ready");
    return !cJSON_IsFalse(ready) && cJSON_GetArraySize(tree_list(endpoint, "addresses")) > 0;
}

static int count_ready(const cJSON *slice) {
    const cJSON *endpoint;
    int n_ready = 0;
    cJSON_ArrayForEach(endpoint, tree_list(slice, "endpoints")) {
        n_ready += is_ready(endpoint);
    }
    return n_ready;
}

/* True if the slice has a port of this name. The only port of a Service may have none. */
static bool has_port(const cJSON *slice, const char *name) {
    const cJSON *port;
    cJSON_ArrayForEach(port, tree_list(slice, "ports")) {
        if (strcmp(tree_text(port, "name"), name) == 0 && tree_integer(port, "port", -1) > 0) {
            return true;
        }
    }
    return false;
}

/* The name of the Service's port that the manifests call, or else of its first. Another check says
   whether the entries call a port that is there. */
static const char *name_of_port(const cJSON *service) {
    const cJSON *ports = tree_list(service, "spec.ports");
    const cJSON *port;
    cJSON_ArrayForEach(port, ports) {
        if (tree_integer(port, "port", -1) == PORT_OF_HTTPS) {
            return tree_text(port, "name");
        }
    }
    return tree_text(cJSON_GetArrayItem(ports, 0), "name");
}

static void judge_slices(const cJSON *slices, const char *port, struct finding *finding) {
    const cJSON *slice;
    int n_ready = 0;
    int n_reached = 0;
    cJSON_ArrayForEach(slice, tree_list(slices, "items")) {
        int n = count_ready(slice);
        n_ready += n;
        n_reached += has_port(slice, port) ? n : 0;
    }
    if (n_ready == 0) {
        finding_set(finding, FINDING_PROBLEM,
                    "find out why no pod is ready (kubectl -n NAMESPACE describe pods), and "
                    "whether the Service selects them",
                    "nobody is behind the Service: it has no ready endpoint");
    } else if (n_reached == 0) {
        finding_set(finding, FINDING_PROBLEM,
                    "compare the targetPort of the Service with the ports of the container: "
                    "kubectl -n NAMESPACE describe service SERVICE; " CHECKUP_APPLY_AGAIN,
                    "pods are ready, but none of them has the port '%.63s' of the Service", port);
    } else {
        finding_set(finding, FINDING_OK, NULL, "it leads to %d endpoints that are ready",
                    n_reached);
    }
}

void checkup_service(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini)
    cJSON *service = checkup_see(patient, QUESTION_SERVICE, CHECKUP_APPLY_AGAIN, finding);
    AUTO(tree_fini) cJSON *slices = NULL;
    if (service == NULL) {
        return;
    }
    if (strcmp(tree_text(service, "spec.type"), "ExternalName") == 0) {
        finding_set(finding, FINDING_UNKNOWN,
                    "see from the API server's machine whether Capstan answers there: curl -k "
                    "https://.../mutate; docs/doctor.md",
                    "the Service leads out of the cluster (ExternalName), where doctor cannot "
                    "look");
        return;
    }
    if (strcmp(tree_text(service, "spec.clusterIP"), "None") == 0) {
        finding_set(finding, FINDING_PROBLEM,
                    "delete it (kubectl -n NAMESPACE delete service SERVICE), and apply the "
                    "manifests again",
                    "the Service is headless, and the API server cannot call a headless Service");
        return;
    }
    slices = checkup_see(patient, QUESTION_SLICES, NULL, finding);
    if (slices != NULL) {
        judge_slices(slices, name_of_port(service), finding);
    }
}
