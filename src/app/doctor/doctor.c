// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "commands.h"
#include "doctor_ask.h"
#include "doctor_report.h"
#include "doctor_tools.h"
#include "edge/clock.h"
#include "exit_status.h"
#include "options.h"

enum { REPORT_MAX = 1 << 20, CONNECTIONS_MAX = 4 };

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
    OPTION("kubeconfig", 0, "FILE", kubeconfig,
           "the cluster; default: KUBECONFIG, the pod, ~/.kube/config"),
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
    .epilogue =
        "Exit status: 0 healthy, 1 a problem, 2 not known: doctor could not look at everything\n"
        "(a right is missing, or the API server did not answer), or wrong options or kubeconfig.\n"
        "With -o json, \"healthy\" is true, false or null. docs/doctor.md has a role for doctor.",
    .check = check,
};

static int print(const struct doctor_options *options, const struct doctor_report *report) {
    static const int statuses[] = {[DOCTOR_HEALTHY] = STATUS_OK,
                                   [DOCTOR_ILL] = STATUS_FAILED,
                                   [DOCTOR_UNKNOWN] = STATUS_USAGE};
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, REPORT_MAX);
    if (strcmp(options->output, "json") == 0) {
        doctor_report_json(report, &out);
    } else {
        doctor_report_text(report, options_want_colour(), &out);
    }
    fwrite(out.bytes, 1, out.size, stdout);
    return statuses[doctor_report_verdict(report)];
}

static int examine(const struct doctor_options *options, struct kube *kube) {
    AUTO(doctor_ask_fini) struct doctor_ask ask;
    struct doctor_report report = {.n_findings = 0};
    doctor_ask_init(&ask, kube);
    ask.patient.names = (struct finding_names){.namespace = options->namespace,
                                               .service = options->service_name,
                                               .configuration = options->config_name};
    ask.patient.version = CAPSTAN_VERSION;
    ask.patient.tools = &doctor_tools;
    doctor_ask_all(&ask);
    ask.patient.now = clock_wall_seconds();
    report.names = &ask.patient.names;
    report.n_findings = checkup_run(&ask.patient, report.findings);
    return print(options, &report);
}

static int run(const struct doctor_options *options, const struct kube_access *access) {
    const struct kube_options kube_options = {
        .access = access,
        .user_agent = "capstan-doctor/" CAPSTAN_VERSION,
        .connections_max = CONNECTIONS_MAX,
    };
    struct kube *kube;
    struct error error;
    if (!kube_new(&kube_options, &kube, &error)) {
        (void)exit_with(&error);
        return STATUS_USAGE;
    }
    int status = examine(options, kube);
    kube_free(kube);
    return status;
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
    if (!kubeconfig_find(options.kubeconfig, options.context, &access, &error)) {
        (void)exit_with(&error);
        return STATUS_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    return run(&options, &access);
}
