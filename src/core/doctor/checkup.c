// SPDX-License-Identifier: Apache-2.0
#include "core/doctor/checkup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/json_edit.h"
#include "base/text.h"
#include "checkup_json.h"
#include "core/certificates/registration.h"
#include "core/cluster/discovery.h"

#define DAY ((int64_t)86400)

enum { LEASE_AGE_MAX = 60, STALE_DAYS = 3, SHORT_DAYS = 30 };

bool finding_set(struct finding *finding, enum finding_level level, const char *remedy,
                 const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(finding->message, sizeof(finding->message), format, values);
    va_end(values);
    finding->level = level;
    finding->remedy = remedy;
    return false;
}

bool checkup_has(const struct checkup_answer *answer, const char *what, const char *remedy,
                 struct finding *finding) {
    if (answer->status == HTTP_STATUS_OK) {
        return true;
    }
    if (answer->status == HTTP_STATUS_NOT_FOUND) {
        return finding_set(finding, FINDING_PROBLEM, remedy, "%s is not there", what);
    }
    if (answer->status == HTTP_STATUS_FORBIDDEN) {
        return finding_set(finding, FINDING_NOTE, "ask again as somebody who may get it",
                           "%s may not be looked at", what);
    }
    return finding_set(finding, FINDING_NOTE, "ask again when the API server answers",
                       "%s could not be looked at: HTTP status %d", what, answer->status);
}

void checkup_service(const struct checkup_answer *service, const struct checkup_answer *endpoints,
                     struct finding *finding) {
    static const char *const type_path[] = {"spec", "type"};
    static const char *const ip_path[] = {"spec", "clusterIP"};
    static const char *const subsets_path[] = {"subsets"};
    char type[32];
    char ip[64];
    struct json_text subsets;
    if (!checkup_has(service, "the Service", "apply the manifests again", finding)) {
        return;
    }
    checkup_text(service, type_path, COUNT_OF(type_path), type, sizeof(type));
    checkup_text(service, ip_path, COUNT_OF(ip_path), ip, sizeof(ip));
    if (strcmp(type, "ExternalName") == 0) {
        finding_set(finding, FINDING_NOTE, NULL,
                    "the Service leads out of the cluster (ExternalName); nobody knows who is "
                    "there");
        return;
    }
    if (strcmp(ip, "None") == 0) {
        finding_set(finding, FINDING_PROBLEM, "make it a Service with a ClusterIP",
                    "the Service is headless, and the API server cannot call such");
        return;
    }
    if (!checkup_has(endpoints, "the list of its endpoints", "apply the manifests again",
                     finding)) {
        return;
    }
    bool has_subsets = json_edit_find(endpoints->json, endpoints->size, subsets_path,
                                      COUNT_OF(subsets_path), &subsets);
    if (!has_subsets || !checkup_contains(&subsets, "\"addresses\"")) {
        finding_set(finding, FINDING_PROBLEM,
                    "see why no pod is ready: kubectl -n NAMESPACE describe pods; and whether the "
                    "Service selects them",
                    "nobody is behind the Service: it has no ready endpoint");
        return;
    }
    finding_set(finding, FINDING_OK, NULL, "it leads to pods that are ready");
}

static bool fails_closed(const struct checkup_answer *configuration) {
    AUTO(registration_fini) struct registration registration = {.n_entries = 0};
    struct error error;
    bool fails = false;
    if (configuration->status != HTTP_STATUS_OK ||
        !registration_read(configuration->json, configuration->size, &registration, &error)) {
        return false;
    }
    for (size_t i = 0; i < registration.n_entries; i++) {
        fails = fails || registration.entries[i].fails;
    }
    return fails;
}

void checkup_deployment(const struct checkup_answer *deployment,
                        const struct checkup_answer *configuration, struct finding *finding) {
    static const char *const wanted_path[] = {"spec", "replicas"};
    static const char *const ready_path[] = {"status", "readyReplicas"};
    if (!checkup_has(deployment, "the Deployment", "apply the manifests again", finding)) {
        return;
    }
    int64_t wanted = checkup_integer(deployment, wanted_path, COUNT_OF(wanted_path), 1);
    int64_t ready = checkup_integer(deployment, ready_path, COUNT_OF(ready_path), 0);
    if (wanted < 2 && fails_closed(configuration)) {
        finding_set(finding, FINDING_PROBLEM,
                    "kubectl -n NAMESPACE scale deployment capstan --replicas=2; or failurePolicy: "
                    "Ignore",
                    "failurePolicy is Fail, with %" PRId64
                    " replica: each restart of it refuses writes",
                    wanted);
    } else if (wanted < 2) {
        finding_set(finding, FINDING_NOTE, "two replicas leave no gap", "%" PRId64 " replica",
                    wanted);
    } else if (ready < wanted) {
        finding_set(finding, FINDING_NOTE, "kubectl -n NAMESPACE describe pods tells more",
                    "%" PRId64 " of %" PRId64 " replicas are ready", ready, wanted);
    } else {
        finding_set(finding, FINDING_OK, NULL, "%" PRId64 " of %" PRId64 " replicas are ready",
                    ready, wanted);
    }
}

void checkup_definition(const struct checkup_answer *definition, struct finding *finding) {
    static const char *const versions[] = {"v1beta1", "v1alpha1"};
    struct error error;
    if (!checkup_has(definition, "the CustomResourceDefinition of MCPServers",
                     "install the ToolHive operator's CRDs; Capstan takes them up by itself",
                     finding)) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        bool is_map;
        if (!discovery_read_definition(definition->json, definition->size, versions[i], &is_map,
                                       &error)) {
            continue;
        }
        if (is_map) {
            finding_set(finding, FINDING_OK, NULL, "MCPServers are served as %s", versions[i]);
        } else {
            finding_set(finding, FINDING_NOTE, "newer CRDs of ToolHive let conditions be applied",
                        "MCPServers are served as %s; their conditions are no map by type, so that "
                        "statuses are written whole",
                        versions[i]);
        }
        return;
    }
    finding_set(finding, FINDING_PROBLEM, "install CRDs that serve v1beta1 or v1alpha1",
                "MCPServers are served neither as v1beta1 nor as v1alpha1");
}

void checkup_lease(const struct checkup_answer *lease, int64_t now, struct finding *finding) {
    static const char *const holder_path[] = {"spec", "holderIdentity"};
    static const char *const time_path[] = {"spec", "renewTime"};
    char holder[256];
    char time[64];
    int64_t renewed;
    if (lease->status == HTTP_STATUS_NOT_FOUND) {
        finding_set(finding, FINDING_NOTE, "it comes with the first replica that runs",
                    "there is no Lease: nobody has led yet");
        return;
    }
    if (!checkup_has(lease, "the Lease", NULL, finding)) {
        return;
    }
    checkup_text(lease, holder_path, COUNT_OF(holder_path), holder, sizeof(holder));
    checkup_text(lease, time_path, COUNT_OF(time_path), time, sizeof(time));
    bool has_time = text_parse_time(time, &renewed);
    if (holder[0] == '\0' || !has_time || now - renewed > LEASE_AGE_MAX) {
        finding_set(finding, FINDING_NOTE,
                    "see whether replicas run, and whether they may write Leases",
                    "nobody leads: the Lease was last renewed %s", has_time ? time : "never");
        return;
    }
    finding_set(finding, FINDING_OK, NULL, "%.120s leads", holder);
}

void checkup_operator(const struct checkup_answer *deployments, struct finding *finding) {
    static const char *const items_path[] = {"items"};
    static const char *const version_path[] = {"metadata", "labels", "app.kubernetes.io/version"};
    struct checkup_items operators;
    char version[64];
    if (!checkup_has(deployments, "the list of ToolHive's operators", NULL, finding)) {
        return;
    }
    checkup_items(deployments, items_path, COUNT_OF(items_path), &operators);
    if (operators.n == 0) {
        finding_set(finding, FINDING_NOTE, NULL,
                    "no ToolHive operator is to be seen; without one nothing makes Deployments of "
                    "MCPServers");
        return;
    }
    checkup_text(&operators.items[0], version_path, COUNT_OF(version_path), version,
                 sizeof(version));
    finding_set(finding, FINDING_NOTE, NULL,
                "ToolHive operator %s runs; since v0.13 it caps stdio servers itself, after the "
                "fact; Capstan adds request time and /scale",
                version[0] != '\0' ? version : "of unknown version");
}

void checkup_certificate(int64_t not_after, int64_t now, struct finding *finding) {
    static const char *const remedy =
        "see the log of the leader (certificate.failed) or what renews the Secret; at once: "
        "kubectl -n NAMESPACE annotate secret capstan-certs capstan.dev/rotate=leaf";
    char date[TEXT_TIME_SIZE];
    text_format_time(date, not_after);
    int64_t left = not_after - now;
    if (left <= 0) {
        finding_set(finding, FINDING_PROBLEM, remedy, "it expired on %s", date);
    } else if (left < STALE_DAYS * DAY) {
        finding_set(finding, FINDING_PROBLEM, remedy, "it expires on %s, in less than %d days",
                    date, STALE_DAYS);
    } else if (left < SHORT_DAYS * DAY) {
        finding_set(finding, FINDING_NOTE, remedy, "it expires on %s, in %" PRId64 " days", date,
                    left / DAY);
    } else {
        finding_set(finding, FINDING_OK, NULL, "good for another %" PRId64 " days", left / DAY);
    }
}

#define OWN true, true

const struct checkup_right checkup_rights[] = {
    {"list", "toolhive.stacklok.dev", "mcpservers", "", "", false, false},
    {"watch", "toolhive.stacklok.dev", "mcpservers", "", "", false, false},
    {"get", "toolhive.stacklok.dev", "mcpservers", "", "", false, false},
    {"list", "apps", "deployments", "", "", false, false},
    {"watch", "apps", "deployments", "", "", false, false},
    {"get", "apps", "deployments", "", "", false, false},
    {"get", "apiextensions.k8s.io", "customresourcedefinitions", "",
     "mcpservers.toolhive.stacklok.dev", false, false},
    {"patch", "toolhive.stacklok.dev", "mcpservers", "status", "", false, false},
    {"update", "toolhive.stacklok.dev", "mcpservers", "status", "", false, false},
    {"get", "apps", "deployments", "scale", "", false, false},
    {"patch", "apps", "deployments", "scale", "", false, false},
    {"create", "events.k8s.io", "events", "", "", false, false},
    {"create", "coordination.k8s.io", "leases", "", "", true, false},
    {"get", "coordination.k8s.io", "leases", "", "capstan", true, false},
    {"update", "coordination.k8s.io", "leases", "", "capstan", true, false},
    {"list", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "*", false, true},
    {"watch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "*", false,
     true},
    {"patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", "*", false,
     true},
    {"create", "", "secrets", "", "", OWN},
    {"list", "", "secrets", "", "capstan-certs", OWN},
    {"watch", "", "secrets", "", "capstan-certs", OWN},
    {"patch", "", "secrets", "", "capstan-certs", OWN},
};

const size_t checkup_n_rights = COUNT_OF(checkup_rights);
