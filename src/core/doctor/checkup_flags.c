// SPDX-License-Identifier: Apache-2.0

/*
 * Compares the flags of the Deployment with each other and with the objects around. Each fault is a
 * row of `faults`; the first that matches is the finding.
 */

#include <stdio.h>
#include <string.h>

#include "checkup_inside.h"
#include "core/certificates/keyring.h"
#include "settings.h"

enum { PORT_OF_HTTPS = 443, WEBHOOK_PORT = 9443, PROBE_PORT = 8081, TEXT_SIZE = 512 };

struct flags {
    const struct finding_names *names;
    const struct settings *settings;
    const cJSON *service; /* NULL: it could not be looked at, which another check says */
};

/* True if the flag is there and says something else. The kubelet fills in $(NAME). */
static bool differs(const char *flag, const char *expected) {
    return flag != NULL && strstr(flag, "$(") == NULL && strcmp(flag, expected) != 0;
}

static bool has_objects(const struct flags *flags, char out[TEXT_SIZE]) {
    snprintf(out, TEXT_SIZE,
             "--objects: Capstan reads files, and does not know the MCPServers of the cluster");
    return flags->settings->objects != NULL;
}

static bool has_status_dir(const struct flags *flags, char out[TEXT_SIZE]) {
    snprintf(out, TEXT_SIZE, "--status-dir goes with --objects, and Capstan does not start");
    return flags->settings->status_dir != NULL;
}

static bool fails_closed_by_files(const struct flags *flags, char out[TEXT_SIZE]) {
    snprintf(out, TEXT_SIZE,
             "--fail-closed with --webhook-cert-path: Capstan does not start, since it keeps no "
             "webhook configuration then");
    return flags->settings->fails_closed && flags->settings->cert_path != NULL;
}

static bool names_another_namespace(const struct flags *flags, char out[TEXT_SIZE]) {
    const char *flag = flags->settings->namespace;
    snprintf(out, TEXT_SIZE, "--namespace is %.63s, and the Deployment is in %s",
             flag != NULL ? flag : "", flags->names->namespace);
    return differs(flag, flags->names->namespace);
}

static bool names_another_service(const struct flags *flags, char out[TEXT_SIZE]) {
    const char *flag = flags->settings->service_name;
    const char *service = flags->names->service;
    snprintf(out, TEXT_SIZE,
             "--service-name is %.63s, and the Service is %s: the certificate is made for another "
             "name",
             flag != NULL ? flag : "capstan", service);
    return differs(flag != NULL ? flag : "capstan", service);
}

static bool names_another_configuration(const struct flags *flags, char out[TEXT_SIZE]) {
    const char *flag = flags->settings->config_name;
    const char *configuration = flags->names->configuration;
    snprintf(out, TEXT_SIZE,
             "--webhook-config-name is %.120s, and the webhook configuration is %.120s: nobody "
             "keeps its caBundle",
             flag != NULL ? flag : "zz-capstan", configuration);
    return flags->settings->cert_path == NULL &&
           differs(flag != NULL ? flag : "zz-capstan", configuration);
}

static bool reads_no_certificate(const struct flags *flags, char out[TEXT_SIZE]) {
    const char *path = flags->settings->cert_path;
    snprintf(out, TEXT_SIZE, "--webhook-cert-path is %.200s, where no volume is mounted",
             path != NULL ? path : "");
    return path != NULL && !settings_mount(flags->settings, path).is_mounted;
}

static bool reads_its_own_secret(const struct flags *flags, char out[TEXT_SIZE]) {
    const char *path = flags->settings->cert_path;
    snprintf(out, TEXT_SIZE,
             "--webhook-cert-path reads the Secret " KEYRING_SECRET_NAME
             ", which Capstan makes itself: nobody renews it then");
    return path != NULL &&
           strcmp(settings_mount(flags->settings, path).secret, KEYRING_SECRET_NAME) == 0;
}

static bool reads_no_policy(const struct flags *flags, char out[TEXT_SIZE]) {
    const char *path = flags->settings->config;
    snprintf(out, TEXT_SIZE, "--config is %.200s, where no volume is mounted",
             path != NULL ? path : "");
    return path != NULL && !settings_mount(flags->settings, path).is_mounted;
}

/* The port of an address flag, or else the default; 0 if it is off. */
static int port_of(const char *address, int otherwise) {
    if (address == NULL) {
        return otherwise;
    }
    return strcmp(address, "0") == 0 ? 0 : settings_port(address);
}

static const cJSON *find_service_port(const cJSON *service) {
    const cJSON *ports = tree_list(service, "spec.ports");
    const cJSON *port;
    cJSON_ArrayForEach(port, ports) {
        if (tree_integer(port, "port", -1) == PORT_OF_HTTPS) {
            return port;
        }
    }
    return cJSON_GetArrayItem(ports, 0);
}

/* The number of the port in the container that the Service leads to; -1 if it is not known. */
static int target_of(const struct flags *flags) {
    const cJSON *port = find_service_port(flags->service);
    const cJSON *target = tree_at(port, "targetPort");
    return target != NULL ? settings_container_port(flags->settings, target)
                          : (int)tree_integer(port, "port", -1);
}

static bool listens_elsewhere(const struct flags *flags, char out[TEXT_SIZE]) {
    int listens = port_of(flags->settings->webhook_address, WEBHOOK_PORT);
    int target = target_of(flags);
    snprintf(out, TEXT_SIZE,
             "--webhook-bind-address has port %d, and the Service leads to port %d: the API "
             "server reaches nobody",
             listens, target);
    return target > 0 && listens != target;
}

static bool is_probed_elsewhere(const struct flags *flags, char out[TEXT_SIZE]) {
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    int listens = port_of(flags->settings->probe_address, PROBE_PORT);
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        const cJSON *probe = tree_at(flags->settings->container, probes[i]);
        const cJSON *port = tree_at(probe, "httpGet.port");
        int probed = port != NULL ? settings_container_port(flags->settings, port) : -1;
        if (probed > 0 && probed != listens) {
            snprintf(out, TEXT_SIZE,
                     "--health-probe-bind-address has port %d, and the %s asks port %d", listens,
                     probes[i], probed);
            return true;
        }
    }
    return false;
}

static bool shares_a_port(const struct flags *flags, char out[TEXT_SIZE]) {
    const struct settings *settings = flags->settings;
    int webhook = port_of(settings->webhook_address, WEBHOOK_PORT);
    int probe = port_of(settings->probe_address, PROBE_PORT);
    int metrics = port_of(settings->metrics_address, 8080);
    snprintf(out, TEXT_SIZE,
             "two of the three addresses have the same port: Capstan does not start");
    return (webhook > 0 && (webhook == probe || webhook == metrics)) ||
           (probe > 0 && probe == metrics);
}

typedef bool fault_function(const struct flags *flags, char out[TEXT_SIZE]);

static fault_function *const faults[] = {
    has_objects,           has_status_dir,
    fails_closed_by_files, names_another_namespace,
    names_another_service, names_another_configuration,
    reads_no_certificate,  reads_its_own_secret,
    reads_no_policy,       shares_a_port,
    listens_elsewhere,     is_probed_elsewhere,
};

void checkup_flags(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini)
    cJSON *deployment = checkup_see_if_there(patient, QUESTION_DEPLOYMENT, finding);
    AUTO(tree_fini) cJSON *service = tree_read(&patient->answers[QUESTION_SERVICE]);
    struct settings settings;
    const struct flags flags = {
        .names = &patient->names, .settings = &settings, .service = service};
    char text[TEXT_SIZE];
    if (deployment == NULL) {
        return;
    }
    settings_read(deployment, &settings);
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        if (faults[i](&flags, text)) {
            finding_set(
                finding, FINDING_PROBLEM,
                "correct the arguments (kubectl -n NAMESPACE edit deployment capstan), or give "
                "doctor the same names (capstan doctor --help)",
                "%s", text);
            return;
        }
    }
    finding_set(finding, FINDING_OK, NULL, "the flags agree with the objects");
}
