// SPDX-License-Identifier: Apache-2.0
#include "core/doctor/checkup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/text.h"
#include "checkup_json.h"
#include "core/certificates/expiry.h"
#include "core/certificates/keyring.h"
#include "core/cluster/discovery.h"

#define HOUR ((int64_t)3600)
#define DAY  ((int64_t)86400)

enum { LEASE_AGE_MAX = 60, LEFT_SIZE = 32 };

bool finding_set(struct finding *finding, enum finding_level level, const char *remedy,
                 const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(finding->message, sizeof(finding->message), format, values);
    va_end(values);
    finding->level = level;
    finding->remedy = remedy;
    finding->other[0] = '\0';
    return false;
}

/* The size of the placeholder at the start of the text, and the name for it; 0 if there is none. */
static size_t match_placeholder(const char *text, const struct checkup_names *names,
                                const char **ret_name) {
    const struct {
        const char *placeholder;
        const char *name;
    } rows[] = {{"NAMESPACE", names->namespace},
                {"SERVICE", names->service},
                {"CONFIGURATION", names->configuration},
                {"OTHER", names->other != NULL ? names->other : ""}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t size = strlen(rows[i].placeholder);
        if (strncmp(text, rows[i].placeholder, size) == 0) {
            *ret_name = rows[i].name;
            return size;
        }
    }
    return 0;
}

void checkup_add_named(const char *text, const struct checkup_names *names, struct buffer *out) {
    while (*text != '\0') {
        const char *name;
        size_t size = match_placeholder(text, names, &name);
        if (size > 0) {
            buffer_add_text(out, name);
            text += size;
        } else {
            buffer_add_byte(out, *text++);
        }
    }
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
        return finding_set(finding, FINDING_NOTE, "run this as a user who may get it",
                           "%s may not be looked at", what);
    }
    return finding_set(finding, FINDING_NOTE, "run this again when the API server answers",
                       "%s could not be looked at: HTTP status %d", what, answer->status);
}

void checkup_server(const struct checkup_answer *version, struct finding *finding) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(version);
    const char *text = checkup_text(tree, "gitVersion");
    const char *quote = text[0] == '\0' ? "" : "\"";
    finding_set(finding, FINDING_OK, NULL, "it answers; version %s%s%s", quote,
                text[0] == '\0' ? "?" : text, quote);
}

bool checkup_allows(const struct checkup_answer *review) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(review);
    return cJSON_IsTrue(checkup_at(tree, "status.allowed"));
}

static bool has_ready_address(const cJSON *endpoints) {
    const cJSON *subset;
    bool has = false;
    cJSON_ArrayForEach(subset, checkup_list(endpoints, "subsets")) {
        has = has || cJSON_GetArraySize(checkup_list(subset, "addresses")) > 0;
    }
    return has;
}

void checkup_service(const struct checkup_answer *service, const struct checkup_answer *endpoints,
                     struct finding *finding) {
    AUTO(checkup_tree_fini) cJSON *service_tree = checkup_tree(service);
    AUTO(checkup_tree_fini) cJSON *endpoints_tree = checkup_tree(endpoints);
    if (!checkup_has(service, "the Service", "apply the manifests again", finding)) {
        return;
    }
    if (strcmp(checkup_text(service_tree, "spec.type"), "ExternalName") == 0) {
        finding_set(finding, FINDING_NOTE, NULL,
                    "the Service leads out of the cluster (ExternalName), where doctor cannot "
                    "look");
        return;
    }
    if (strcmp(checkup_text(service_tree, "spec.clusterIP"), "None") == 0) {
        finding_set(finding, FINDING_PROBLEM, "make it a Service with a ClusterIP",
                    "the Service is headless, and the API server cannot call a headless Service");
        return;
    }
    if (!checkup_has(endpoints, "the list of its endpoints", "apply the manifests again",
                     finding)) {
        return;
    }
    if (!has_ready_address(endpoints_tree)) {
        finding_set(finding, FINDING_PROBLEM,
                    "find out why no pod is ready (kubectl -n NAMESPACE describe pods), and "
                    "whether the Service selects them",
                    "nobody is behind the Service: it has no ready endpoint");
        return;
    }
    finding_set(finding, FINDING_OK, NULL, "it leads to pods that are ready");
}

static bool fails_closed(const struct checkup_answer *configuration) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(configuration);
    const cJSON *entry;
    bool fails = false;
    cJSON_ArrayForEach(entry, checkup_list(tree, "webhooks")) {
        fails = fails || strcmp(checkup_text(entry, "failurePolicy"), "Fail") == 0;
    }
    return fails;
}

void checkup_deployment(const struct checkup_answer *deployment,
                        const struct checkup_answer *configuration, struct finding *finding) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(deployment);
    int64_t wanted = checkup_integer(tree, "spec.replicas", 1);
    int64_t ready = checkup_integer(tree, "status.readyReplicas", 0);
    if (!checkup_has(deployment, "the Deployment", "apply the manifests again", finding)) {
        return;
    }
    if (wanted < 2 && fails_closed(configuration)) {
        finding_set(finding, FINDING_PROBLEM,
                    "kubectl -n NAMESPACE scale deployment capstan --replicas=2; or failurePolicy: "
                    "Ignore",
                    "failurePolicy is Fail, with %" PRId64
                    " replica: each restart of it refuses writes",
                    wanted);
    } else if (wanted < 2) {
        finding_set(finding, FINDING_NOTE, "run two replicas, so that a restart leaves no gap",
                    "%" PRId64 " replica", wanted);
    } else if (ready < wanted) {
        finding_set(finding, FINDING_NOTE, "kubectl -n NAMESPACE describe pods tells more",
                    "%" PRId64 " of %" PRId64 " replicas are ready", ready, wanted);
    } else {
        finding_set(finding, FINDING_OK, NULL, "%" PRId64 " of %" PRId64 " replicas are ready",
                    ready, wanted);
    }
}

/* True if one of the texts has the flag for certificates from elsewhere. */
static bool has_path_flag(const cJSON *arguments) {
    const cJSON *argument;
    bool has = false;
    cJSON_ArrayForEach(argument, arguments) {
        has = has || (cJSON_IsString(argument) &&
                      strstr(argument->valuestring, "--webhook-cert-path") != NULL);
    }
    return has;
}

static bool mounts_certificates(const cJSON *deployment) {
    const cJSON *containers = checkup_list(deployment, "spec.template.spec.containers");
    const cJSON *container;
    bool mounts = false;
    cJSON_ArrayForEach(container, containers) {
        mounts = mounts || has_path_flag(checkup_list(container, "args")) ||
                 has_path_flag(checkup_list(container, "command"));
    }
    return mounts;
}

bool checkup_makes_certificates(const struct checkup_answer *deployment) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(deployment);
    return !mounts_certificates(tree);
}

void checkup_add_secret(const struct checkup_answer *deployment, struct buffer *out) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(deployment);
    const cJSON *volumes = checkup_list(tree, "spec.template.spec.volumes");
    const cJSON *volume;
    const char *name = "";
    cJSON_ArrayForEach(volume, volumes) {
        name = name[0] != '\0' ? name : checkup_text(volume, "secret.secretName");
    }
    bool is_mounted = name[0] != '\0' && mounts_certificates(tree);
    buffer_add_text(out, is_mounted ? name : KEYRING_SECRET_NAME);
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
            finding_set(finding, FINDING_NOTE, "newer CRDs of ToolHive merge conditions by type",
                        "MCPServers are served as %s; their CRD does not merge conditions by "
                        "type, so statuses are written whole",
                        versions[i]);
        }
        return;
    }
    finding_set(finding, FINDING_PROBLEM, "install CRDs that serve v1beta1 or v1alpha1",
                "MCPServers are served neither as v1beta1 nor as v1alpha1");
}

void checkup_lease(const struct checkup_answer *lease, int64_t now, struct finding *finding) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(lease);
    const char *holder = checkup_text(tree, "spec.holderIdentity");
    const char *time = checkup_text(tree, "spec.renewTime");
    int64_t renewed;
    if (lease->status == HTTP_STATUS_NOT_FOUND) {
        finding_set(finding, FINDING_NOTE, "the first replica that runs creates it",
                    "there is no Lease: nobody has led yet");
        return;
    }
    if (!checkup_has(lease, "the Lease", NULL, finding)) {
        return;
    }
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
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(deployments);
    const cJSON *first = cJSON_GetArrayItem(checkup_list(tree, "items"), 0);
    const char *version = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
        checkup_at(first, "metadata.labels"), "app.kubernetes.io/version"));
    if (!checkup_has(deployments, "the list of ToolHive's operators", NULL, finding)) {
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

/* "29 days" or, if it is less than two days, "30 hours". */
static void write_left(int64_t left, char *out, size_t size) {
    bool is_short = left < 2 * DAY;
    snprintf(out, size, "%" PRId64 " %s", left / (is_short ? HOUR : DAY),
             is_short ? "hours" : "days");
}

void checkup_certificate(int64_t not_before, int64_t not_after, int64_t now,
                         struct finding *finding) {
    static const char *const remedy =
        "see the leader's log (certificate.failed), or whatever renews the Secret; to renew at "
        "once: kubectl -n NAMESPACE annotate secret capstan-certs capstan.dev/rotate=leaf";
    char date[TEXT_TIME_SIZE];
    char left[LEFT_SIZE];
    text_format_time(date, not_after);
    write_left(not_after - now, left, sizeof(left));
    switch (expiry_level_at(not_before, not_after, now)) {
    case EXPIRY_OVER:
        finding_set(finding, FINDING_PROBLEM, remedy, "it expired on %s", date);
        break;
    case EXPIRY_LAST:
        finding_set(finding, FINDING_PROBLEM, remedy,
                    "it expires on %s, in %s: less than a tenth of its life is left", date, left);
        break;
    case EXPIRY_WARNING:
    case EXPIRY_NOTICE:
        finding_set(finding, FINDING_NOTE, remedy, "it expires on %s, in %s", date, left);
        break;
    case EXPIRY_FAR:
        finding_set(finding, FINDING_OK, NULL, "good for another %s", left);
        break;
    }
}

#define OWN true, true

const struct checkup_right checkup_rights[] = {
    {"list", "toolhive.stacklok.dev", "mcpservers", "", "", false, false},
    {"watch", "toolhive.stacklok.dev", "mcpservers", "", "", false, false},
    {"get", "toolhive.stacklok.dev", "mcpservers", "", "", false, false},
    {"list", "apps", "deployments", "", "", false, false},
    {"watch", "apps", "deployments", "", "", false, false},
    {"get", "apiextensions.k8s.io", "customresourcedefinitions", "",
     "mcpservers.toolhive.stacklok.dev", false, false},
    {"patch", "toolhive.stacklok.dev", "mcpservers", "status", "", false, false},
    {"update", "toolhive.stacklok.dev", "mcpservers", "status", "", false, false},
    {"get", "apps", "deployments", "scale", "", false, false},
    {"patch", "apps", "deployments", "scale", "", false, false},
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
