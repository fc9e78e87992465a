// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
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

#define OPTION(NAME, LETTER, ARGUMENT, MEMBER, HELP)                                               \
    { NAME, ARGUMENT, HELP, OPTION_TEXT, offsetof(struct doctor_options, MEMBER), LETTER }

static const struct option doctor_option_list[] = {
    OPTION("kubeconfig", 0, "FILE", kubeconfig, "the cluster; default: the cluster of the pod"),
    OPTION("context", 0, "NAME", context, "a context of the kubeconfig; default: its current one"),
    OPTION("namespace", 0, "NAME", namespace, "the namespace of Capstan, default capstan-system"),
    OPTION("service-name", 0, "NAME", service_name, "default capstan"),
    OPTION("webhook-config-name", 0, "NAME", config_name, "default zz-capstan"),
    OPTION("output", 'o', "FORMAT", output, "text (default) or json"),
};

static bool check(void *target, struct error *error) {
    const struct doctor_options *options = target;
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

static const struct option_table doctor_table = {
    .usage = "capstan doctor [--kubeconfig FILE] [option]...",
    .summary = "Checks an installation. For each problem it names the remedy. It changes nothing.",
    .options = doctor_option_list,
    .n_options = COUNT_OF(doctor_option_list),
    .epilogue = "Exit status: 0 no problem, 1 a problem, 2 wrong options or kubeconfig.\n"
                "If doctor lacks the right to look at something, it prints a note.",
    .check = check,
};

enum question {
    CONFIGURATION,
    CONFIGURATIONS, /* of everybody */
    DEFINITION,
    OPERATORS,
    SYSTEM, /* the namespace kube-system */
    HOME,   /* the namespace of Capstan */
    NAMESPACES,
    SERVICE,
    ENDPOINTS,
    DEPLOYMENT,
    LEASE,
    SECRET,
    POLICIES, /* MutatingAdmissionPolicies */
    BINDINGS, /* of policies */
    QUESTIONS,
};

/* For checkup_add_named(). ask_policies() has the others. */
static const char *const paths[POLICIES] = {
    [CONFIGURATION] = REGISTRATIONS_PATH "/CONFIGURATION",
    [CONFIGURATIONS] = REGISTRATIONS_PATH,
    [DEFINITION] = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
                   "mcpservers.toolhive.stacklok.dev",
    [OPERATORS] = "/apis/apps/v1/deployments"
                  "?labelSelector=app.kubernetes.io%2Fname%3Dtoolhive-operator",
    [SYSTEM] = "/api/v1/namespaces/kube-system",
    [HOME] = "/api/v1/namespaces/NAMESPACE",
    [NAMESPACES] = "/api/v1/namespaces",
    [SERVICE] = "/api/v1/namespaces/NAMESPACE/services/SERVICE",
    [ENDPOINTS] = "/api/v1/namespaces/NAMESPACE/endpoints/SERVICE",
    [DEPLOYMENT] = "/apis/apps/v1/namespaces/NAMESPACE/deployments/capstan",
    [LEASE] = "/apis/coordination.k8s.io/v1/namespaces/NAMESPACE/leases/capstan",
    [SECRET] = "/api/v1/namespaces/NAMESPACE/secrets/", /* its name follows */
};

/* The installation. All questions are asked before the first check. */
struct patient {
    struct kube *kube;
    struct checkup_names names;
    struct doctor_reply replies[QUESTIONS];
    bool makes_certificates;
};

static void patient_fini(struct patient *patient) {
    for (size_t i = 0; i < QUESTIONS; i++) {
        doctor_reply_fini(&patient->replies[i]);
    }
    kube_free(patient->kube);
}

static const struct checkup_answer *answer_to(const struct patient *patient,
                                              enum question question) {
    return &patient->replies[question].answer;
}

static void ask_policy_list(struct patient *patient, const char *version, const char *plural,
                            enum question question) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "/apis/admissionregistration.k8s.io/%s/%s", version, plural);
    doctor_reply_fini(&patient->replies[question]);
    (void)doctor_ask(patient->kube, path, NULL, &patient->replies[question]);
}

/* Asks for the newest version that is served. Kubernetes has policies since 1.32. */
static void ask_policies(struct patient *patient) {
    static const char *const versions[] = {"v1", "v1beta1", "v1alpha1"};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        ask_policy_list(patient, versions[i], "mutatingadmissionpolicies", POLICIES);
        if (answer_to(patient, POLICIES)->status != HTTP_STATUS_NOT_FOUND) {
            ask_policy_list(patient, versions[i], "mutatingadmissionpolicybindings", BINDINGS);
            return;
        }
    }
}

static void ask_all(struct patient *patient) {
    for (size_t i = 0; i < POLICIES; i++) {
        AUTO(buffer_fini) struct buffer path;
        buffer_init(&path, PATH_SIZE);
        checkup_add_named(paths[i], &patient->names, &path);
        if (i == SECRET) {
            checkup_add_secret(answer_to(patient, DEPLOYMENT), &path);
        }
        (void)doctor_ask(patient->kube, buffer_text(&path), NULL, &patient->replies[i]);
    }
    ask_policies(patient);
    patient->makes_certificates = checkup_makes_certificates(answer_to(patient, DEPLOYMENT));
}

/* Reads the Secret. False if it has no certificate; the finding then says why. */
static bool read_keyring(const struct patient *patient, struct keyring *ret_keyring,
                         struct finding *finding) {
    const struct checkup_answer *answer = answer_to(patient, SECRET);
    struct error error;
    const char *remedy = "see what should make it, cert-manager for example";
    if (patient->makes_certificates) {
        remedy = "start a replica; the leader makes it";
    }
    if (!checkup_has(answer, "the Secret of the certificates", remedy, finding)) {
        return false;
    }
    if (!keyring_read(answer->json, answer->size, ret_keyring, &error)) {
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
    const struct checkup_answer *answer = answer_to(patient, CONFIGURATION);
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
            finding_set(finding, FINDING_PROBLEM, remedy,
                        "%s has no caBundle: it trusts no certificate", entry->name);
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
    checkup_certificate(chain.items[0].not_before, chain.items[0].not_after, clock_wall_seconds(),
                        finding);
}

static void check_rights(const struct patient *patient, struct finding *finding) {
    char account[NAME_SIZE + NAME_SIZE];
    const struct {
        const char *user;
        const char *what;
    } rows[] = {{account, "the ServiceAccount"}, {NULL, "the user who asks"}};
    snprintf(account, sizeof(account), "system:serviceaccount:%s:capstan",
             patient->names.namespace);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer missing;
        buffer_init(&missing, REPORT_MAX);
        if (!doctor_ask_rights(patient->kube, rows[i].user, &patient->names,
                               patient->makes_certificates, &missing)) {
            continue;
        }
        if (missing.size > 0) {
            finding_set(finding, FINDING_PROBLEM,
                        "apply the roles and bindings of the manifests again", "%s may not: %s",
                        rows[i].what, buffer_text(&missing));
        } else {
            finding_set(finding, FINDING_OK, NULL, "%s has all the rights that it needs",
                        rows[i].what);
        }
        return;
    }
    finding_set(finding, FINDING_NOTE, "run this as a user who may create SubjectAccessReviews",
                "could not ask about rights");
}

static void examine(struct patient *patient, struct doctor_report *report) {
    const struct checkup_answer *configuration = answer_to(patient, CONFIGURATION);
    const struct checkup_answer *service = answer_to(patient, SERVICE);
    const struct checkup_namespaces namespaces = {
        .system = answer_to(patient, SYSTEM),
        .home = answer_to(patient, HOME),
        .all = answer_to(patient, NAMESPACES),
    };
    const struct checkup_neighbours neighbours = {
        .configurations = answer_to(patient, CONFIGURATIONS),
        .policies = answer_to(patient, POLICIES),
        .bindings = answer_to(patient, BINDINGS),
    };
    ask_all(patient);
    checkup_definition(answer_to(patient, DEFINITION), doctor_report_add(report, "crd"));
    checkup_registration(configuration, service, &patient->names,
                         doctor_report_add(report, "webhook-configuration"));
    checkup_leftover(answer_to(patient, CONFIGURATIONS), &patient->names,
                     doctor_report_add(report, "leftover"));
    checkup_last_word(&neighbours, &patient->names, doctor_report_add(report, "last-word"));
    checkup_scope(configuration, &patient->names, &namespaces, doctor_report_add(report, "scope"));
    check_bundle(patient, doctor_report_add(report, "ca-bundle"));
    check_life(patient, doctor_report_add(report, "certificate"));
    checkup_service(service, answer_to(patient, ENDPOINTS), doctor_report_add(report, "service"));
    checkup_deployment(answer_to(patient, DEPLOYMENT), configuration,
                       doctor_report_add(report, "deployment"));
    check_rights(patient, doctor_report_add(report, "rbac"));
    checkup_lease(answer_to(patient, LEASE), clock_wall_seconds(),
                  doctor_report_add(report, "leader"));
    checkup_operator(answer_to(patient, OPERATORS), doctor_report_add(report, "operator"));
}

static int print(const struct doctor_options *options, const struct doctor_report *report) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, REPORT_MAX);
    if (strcmp(options->output, "json") == 0) {
        doctor_report_json(report, &out);
    } else {
        doctor_report_text(report, options_want_colour(), &out);
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
    struct doctor_report report = {.names = &patient.names};
    struct finding *first = doctor_report_add(&report, "api-server");
    struct error error;
    const struct kube_options kube_options = {
        .access = access,
        .user_agent = "capstan-doctor/" CAPSTAN_VERSION,
        .connections_max = CONNECTIONS_MAX,
    };
    if (!kube_new(&kube_options, &patient.kube, &error)) {
        return exit_with(&error);
    }
    if (doctor_ask(patient.kube, "/version", NULL, &version)) {
        checkup_server(&version.answer, first);
        examine(&patient, &report);
    } else {
        finding_set(first, FINDING_PROBLEM,
                    "see whether it runs, and whether the kubeconfig is the right one", "%s",
                    version.error.text);
    }
    return print(options, &report);
}

int doctor_command(int argc, char **argv) {
    struct doctor_options options = {
        .namespace = "capstan-system",
        .service_name = "capstan",
        .config_name = "zz-capstan",
        .output = "text",
    };
    AUTO(kube_access_fini) struct kube_access access = {.server = NULL};
    struct error error;
    int status;
    if (!options_begin(&doctor_table, argc, argv, &options, &status)) {
        return status;
    }
    if (!kubeconfig_read(options.kubeconfig, options.context, &access, &error)) {
        (void)exit_with(&error);
        return STATUS_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    return run(&options, &access);
}
