// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/http_status.h"
#include "base/json_edit.h"
#include "base/text.h"
#include "commands.h"
#include "core/certificates/keyring.h"
#include "core/certificates/registration.h"
#include "doctor_ask.h"
#include "doctor_report.h"
#include "edge/clock.h"
#include "edge/x509.h"
#include "exit_status.h"
#include "options.h"

enum { PATH_SIZE = 1024, NAME_SIZE = 254, REPORT_MAX = 1 << 20, CONNECTIONS_MAX = 4 };

struct doctor_options {
    const char *kubeconfig;
    const char *context;
    const char *namespace;
    const char *service_name;
    const char *config_name;
    const char *output;
};

static const struct option doctor_option_list[] = {
    {"kubeconfig", "FILE", "the cluster; without it that of the pod", OPTION_TEXT,
     offsetof(struct doctor_options, kubeconfig), 0},
    {"context", "NAME", "of the kubeconfig; default its current one", OPTION_TEXT,
     offsetof(struct doctor_options, context), 0},
    {"namespace", "NAME", "where Capstan is installed, default capstan-system", OPTION_TEXT,
     offsetof(struct doctor_options, namespace), 0},
    {"service-name", "NAME", "default capstan", OPTION_TEXT,
     offsetof(struct doctor_options, service_name), 0},
    {"webhook-config-name", "NAME", "default capstan", OPTION_TEXT,
     offsetof(struct doctor_options, config_name), 0},
    {"output", "FORMAT", "text (default) or json", OPTION_TEXT,
     offsetof(struct doctor_options, output), 'o'},
};

static const struct option_table doctor_table = {
    .usage = "capstan doctor [--kubeconfig FILE] [option]...",
    .summary = "Looks at an installation and says what is wrong with it, and what to do.",
    .options = doctor_option_list,
    .n_options = COUNT_OF(doctor_option_list),
    .epilogue = "Exit status: 0 nothing is wrong, 1 something is, 2 it could not be asked.\n"
                "It changes nothing. What it may not look at is a note, and no reason to worry.",
};

enum { CHECKS = 11 };

/* What the checks look at, all of it asked before the first one. */
struct patient {
    struct kube *kube;
    struct checkup_names names;
    struct doctor_reply configuration;
    struct doctor_reply definition;
    struct doctor_reply service;
    struct doctor_reply endpoints;
    struct doctor_reply deployment;
    struct doctor_reply secret;
    struct doctor_reply lease;
    struct doctor_reply operators;
    struct doctor_reply system; /* the namespace kube-system */
    struct doctor_reply home;   /* and that of Capstan */
    struct doctor_reply namespaces;
    bool makes_certificates;
};

static void patient_fini(struct patient *patient) {
    doctor_reply_fini(&patient->configuration);
    doctor_reply_fini(&patient->definition);
    doctor_reply_fini(&patient->service);
    doctor_reply_fini(&patient->endpoints);
    doctor_reply_fini(&patient->deployment);
    doctor_reply_fini(&patient->secret);
    doctor_reply_fini(&patient->lease);
    doctor_reply_fini(&patient->operators);
    doctor_reply_fini(&patient->system);
    doctor_reply_fini(&patient->home);
    doctor_reply_fini(&patient->namespaces);
    kube_free(patient->kube);
}

static void get(const struct patient *patient, const char *prefix, const char *collection,
                const char *name, struct doctor_reply *ret_reply) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/namespaces/%s/%s/%s", prefix, patient->names.namespace,
             collection, name);
    (void)doctor_ask(patient->kube, path, NULL, ret_reply);
}

/* The Secret that the Deployment mounts, where the certificate comes from elsewhere. */
static void find_secret(const struct patient *patient, char name[NAME_SIZE]) {
    static const char key[] = "\"secretName\":\"";
    const char *at = patient->deployment.answer.status == HTTP_STATUS_OK
                         ? strstr(patient->deployment.answer.json, key)
                         : NULL;
    snprintf(name, NAME_SIZE, "%s", KEYRING_SECRET_NAME);
    if (!patient->makes_certificates && at != NULL) {
        at += strlen(key);
        snprintf(name, NAME_SIZE, "%.*s", (int)strcspn(at, "\""), at);
    }
}

static void ask_all(struct patient *patient) {
    char path[PATH_SIZE];
    char secret[NAME_SIZE];
    snprintf(path, sizeof(path), REGISTRATIONS_PATH "/%s", patient->names.configuration);
    (void)doctor_ask(patient->kube, path, NULL, &patient->configuration);
    (void)doctor_ask(patient->kube,
                     "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
                     "mcpservers.toolhive.stacklok.dev",
                     NULL, &patient->definition);
    (void)doctor_ask(
        patient->kube,
        "/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dtoolhive-operator",
        NULL, &patient->operators);
    (void)doctor_ask(patient->kube, "/api/v1/namespaces/kube-system", NULL, &patient->system);
    snprintf(path, sizeof(path), "/api/v1/namespaces/%s", patient->names.namespace);
    (void)doctor_ask(patient->kube, path, NULL, &patient->home);
    (void)doctor_ask(patient->kube, "/api/v1/namespaces", NULL, &patient->namespaces);
    get(patient, "/api/v1", "services", patient->names.service, &patient->service);
    get(patient, "/api/v1", "endpoints", patient->names.service, &patient->endpoints);
    get(patient, "/apis/apps/v1", "deployments", "capstan", &patient->deployment);
    get(patient, "/apis/coordination.k8s.io/v1", "leases", "capstan", &patient->lease);
    patient->makes_certificates =
        patient->deployment.answer.status != HTTP_STATUS_OK ||
        strstr(patient->deployment.answer.json, "--webhook-cert-path") == NULL;
    find_secret(patient, secret);
    get(patient, "/api/v1", "secrets", secret, &patient->secret);
}

/* The certificate that is served, as the Secret has it; false, and the finding says so, if there is
   none. */
static bool read_keyring(const struct patient *patient, struct keyring *ret_keyring,
                         struct finding *finding) {
    struct error error;
    if (!checkup_has(&patient->secret.answer, "the Secret of the certificates",
                     patient->makes_certificates ? "start a replica; the leader makes it"
                                                 : "see to what makes it, cert-manager for example",
                     finding)) {
        return false;
    }
    if (!keyring_read(patient->secret.answer.json, patient->secret.answer.size, ret_keyring,
                      &error)) {
        return finding_set(finding, FINDING_PROBLEM, "delete it; the leader makes it again",
                           "the Secret: %s", error.text);
    }
    if (ret_keyring->tls_crt[0] == '\0') {
        keyring_fini(ret_keyring);
        return finding_set(finding, FINDING_PROBLEM,
                           "start a replica; if one runs, see its log (certificate.failed)",
                           "the Secret of the certificates has no certificate yet");
    }
    return true;
}

static void check_bundle(const struct patient *patient, struct finding *finding) {
    static const char *const remedy =
        "if a replica leads, it writes the caBundle within seconds; else see its log "
        "(certificate.failed, registration.contested)";
    AUTO(registration_fini) struct registration registration = {.n_entries = 0};
    AUTO(keyring_fini) struct keyring keyring = {.ca_crt = NULL};
    const struct checkup_answer *answer = &patient->configuration.answer;
    struct error error;
    char name[NAME_SIZE + NAME_SIZE];
    if (!checkup_has(answer, "the MutatingWebhookConfiguration", "apply the manifests again",
                     finding) ||
        !read_keyring(patient, &keyring, finding)) {
        return;
    }
    if (!registration_read(answer->json, answer->size, &registration, &error)) {
        finding_set(finding, FINDING_PROBLEM, remedy, "%s", error.text);
        return;
    }
    snprintf(name, sizeof(name), "%s.%s.svc", patient->names.service, patient->names.namespace);
    for (size_t i = 0; i < registration.n_entries; i++) {
        const struct registration_entry *entry = &registration.entries[i];
        if (entry->bundle_pem[0] == '\0') {
            finding_set(finding, FINDING_PROBLEM, remedy, "%s has no caBundle: nobody is trusted",
                        entry->name);
            return;
        }
        if (!x509_verify(keyring.tls_crt, entry->bundle_pem, name, clock_wall_seconds(), &error)) {
            finding_set(finding, FINDING_PROBLEM, remedy, "%s: %s", entry->name, error.text);
            return;
        }
    }
    finding_set(finding, FINDING_OK, NULL, "all %zu entries trust the certificate for %s",
                registration.n_entries, name);
}

static void check_life(const struct patient *patient, struct finding *finding) {
    AUTO(keyring_fini) struct keyring keyring = {.ca_crt = NULL};
    AUTO(x509_bundle_fini) struct x509_bundle chain = {.n_items = 0};
    struct error error;
    if (!read_keyring(patient, &keyring, finding)) {
        return;
    }
    if (!x509_read_bundle(keyring.tls_crt, &chain, &error)) {
        finding_set(finding, FINDING_PROBLEM, "delete the Secret; the leader makes it again",
                    "the certificate: %s", error.text);
        return;
    }
    checkup_certificate(chain.items[0].not_after, clock_wall_seconds(), finding);
}

static void check_rights(const struct patient *patient, struct finding *finding) {
    AUTO(buffer_fini) struct buffer missing;
    char user[NAME_SIZE + NAME_SIZE];
    const char *whose = "the ServiceAccount";
    buffer_init(&missing, REPORT_MAX);
    snprintf(user, sizeof(user), "system:serviceaccount:%s:capstan", patient->names.namespace);
    bool may_ask = doctor_ask_rights(patient->kube, user, &patient->names,
                                     patient->makes_certificates, &missing);
    if (!may_ask) {
        buffer_clear(&missing);
        whose = "whoever asks here";
        may_ask = doctor_ask_rights(patient->kube, NULL, &patient->names,
                                    patient->makes_certificates, &missing);
    }
    if (!may_ask) {
        finding_set(finding, FINDING_NOTE, "ask again as somebody who may",
                    "rights could not be asked about");
    } else if (missing.size > 0) {
        finding_set(finding, FINDING_PROBLEM, "apply the manifests again: roles and bindings",
                    "%s may not: %s", whose, buffer_text(&missing));
    } else {
        finding_set(finding, FINDING_OK, NULL, "%s may do all that it has to", whose);
    }
}

static void check_server(const struct doctor_reply *version, struct finding *finding) {
    static const char *const path[] = {"gitVersion"};
    struct json_text raw;
    bool has_version =
        json_edit_find(version->answer.json, version->answer.size, path, COUNT_OF(path), &raw);
    finding_set(finding, FINDING_OK, NULL, "it answers; version %.*s",
                has_version && raw.size < 64 ? (int)raw.size : 1, has_version ? raw.at : "?");
}

static void examine(struct patient *patient, const struct doctor_reply *version,
                    struct finding findings[CHECKS]) {
    static const char *const names[CHECKS] = {
        "api-server", "crd",        "webhook-configuration",
        "scope",      "ca-bundle",  "certificate",
        "service",    "deployment", "rbac",
        "leader",     "operator",
    };
    const struct checkup_answer *configuration = &patient->configuration.answer;
    const struct checkup_namespaces namespaces = {
        .system = &patient->system.answer,
        .home = &patient->home.answer,
        .all = &patient->namespaces.answer,
    };
    ask_all(patient);
    for (size_t i = 0; i < CHECKS; i++) {
        findings[i].check = names[i];
    }
    struct finding *next = findings;
    check_server(version, next++);
    checkup_definition(&patient->definition.answer, next++);
    checkup_registration(configuration, &patient->service.answer, &patient->names, next++);
    checkup_scope(configuration, &patient->names, &namespaces, next++);
    check_bundle(patient, next++);
    check_life(patient, next++);
    checkup_service(&patient->service.answer, &patient->endpoints.answer, next++);
    checkup_deployment(&patient->deployment.answer, configuration, next++);
    check_rights(patient, next++);
    checkup_lease(&patient->lease.answer, clock_wall_seconds(), next++);
    checkup_operator(&patient->operators.answer, next++);
}

static int print(const struct doctor_options *options, const struct doctor_report *report) {
    AUTO(buffer_fini) struct buffer out;
    const char *no_color = getenv("NO_COLOR");
    bool is_coloured = isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0');
    buffer_init(&out, REPORT_MAX);
    if (strcmp(options->output, "json") == 0) {
        doctor_report_json(report, &out);
    } else {
        doctor_report_text(report, is_coloured, &out);
    }
    fwrite(out.bytes, 1, out.size, stdout);
    return doctor_report_count(report, FINDING_PROBLEM) == 0 ? STATUS_OK : STATUS_FAILED;
}

static int run(const struct doctor_options *options, const struct kube_access *access) {
    AUTO(patient_fini)
    struct patient patient = {
        .names = {.namespace = options->namespace,
                  .service = options->service_name,
                  .configuration = options->config_name},
    };
    AUTO(doctor_reply_fini) struct doctor_reply version = {.body = {.bytes = NULL}};
    struct finding findings[CHECKS] = {{.check = "api-server"}};
    struct doctor_report report = {.findings = findings, .n_findings = 1, .names = &patient.names};
    struct error error;
    const struct kube_options kube_options = {
        .access = access,
        .user_agent = "capstan-doctor/" CAPSTAN_VERSION,
        .connections_max = CONNECTIONS_MAX,
    };
    if (!kube_new(&kube_options, &patient.kube, &error)) {
        return exit_with(&error);
    }
    if (!doctor_ask(patient.kube, "/version", NULL, &version)) {
        finding_set(&findings[0], FINDING_PROBLEM,
                    "see whether it runs, and whether the kubeconfig is the right one", "%s",
                    version.error.text);
        return print(options, &report);
    }
    examine(&patient, &version, findings);
    report.n_findings = CHECKS;
    return print(options, &report);
}

static bool check_options(const struct doctor_options *options, struct error *error) {
    if (strcmp(options->output, "text") != 0 && strcmp(options->output, "json") != 0) {
        return error_set(error, ERROR_INVALID, "-o: '%.64s' is neither text nor json",
                         options->output);
    }
    if (!text_is_dns_label(options->namespace)) {
        return error_set(error, ERROR_INVALID,
                         "--namespace: '%.64s' is not the name of a namespace", options->namespace);
    }
    if (!text_is_dns_label(options->service_name) || !text_is_dns_subdomain(options->config_name)) {
        return error_set(error, ERROR_INVALID,
                         "--service-name and --webhook-config-name are names of objects");
    }
    return true;
}

int doctor_command(int argc, char **argv) {
    struct doctor_options options = {
        .namespace = "capstan-system",
        .service_name = "capstan",
        .config_name = "capstan",
        .output = "text",
    };
    AUTO(kube_access_fini) struct kube_access access = {.server = NULL};
    struct error error;
    int status;
    if (!options_begin(&doctor_table, argc, argv, &options, &status)) {
        return status;
    }
    bool is_read = check_options(&options, &error) &&
                   (options.kubeconfig != NULL
                        ? kubeconfig_read(options.kubeconfig, options.context, &access, &error)
                        : kubeconfig_from_pod(KUBECONFIG_POD_FOLDER, &access, &error));
    if (!is_read) {
        (void)exit_with(&error);
        return STATUS_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    return run(&options, &access);
}
