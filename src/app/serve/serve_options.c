// SPDX-License-Identifier: Apache-2.0
#include "serve_options.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "exit_status.h"

static const struct option serve_option_list[] = {
    {"kubeconfig", "FILE", "the cluster; without it, and without --objects, that of the pod",
     OPTION_TEXT, offsetof(struct serve_options, kubeconfig), 0},
    {"leader-elect", NULL, "write only as holder of the Lease capstan; for several replicas",
     OPTION_SWITCH, offsetof(struct serve_options, elects_leader), 0},
    {"namespace", "NAME", "Capstan's own; default that of the kubeconfig or the pod", OPTION_TEXT,
     offsetof(struct serve_options, namespace), 0},
    {"service-name", "NAME", "the Service that leads here, default capstan", OPTION_TEXT,
     offsetof(struct serve_options, service_name), 0},
    {"webhook-config-name", "NAME",
     "the MutatingWebhookConfiguration whose caBundles are kept, default capstan", OPTION_TEXT,
     offsetof(struct serve_options, webhook_config_name), 0},
    {"fail-closed", NULL, "set failurePolicy Fail there, once this has been ready for 30 s",
     OPTION_SWITCH, offsetof(struct serve_options, fails_closed), 0},
    {"ca-trust-delay", "DURATION", "from trusting a new CA to using it, default 60s",
     OPTION_DURATION, offsetof(struct serve_options, trust_delay_ms), 0},
    {"ca-retire-delay", "DURATION", "from not using a CA to not trusting it, default 24h",
     OPTION_DURATION, offsetof(struct serve_options, retire_delay_ms), 0},
    {"objects", "PATH",
     "no cluster, but MCPServers and Deployments in a file or folder; repeatable", OPTION_TEXTS,
     offsetof(struct serve_options, objects), 0},
    {"status-dir", "DIR", "with --objects: conditions go to DIR/<namespace>/<name>.json",
     OPTION_TEXT, offsetof(struct serve_options, status_dir), 0},
    {"config", "FILE", "the policy; without it every rule has its default", OPTION_TEXT,
     offsetof(struct serve_options, config), 0},
    {"webhook-bind-address", "ADDRESS", "default 0.0.0.0:9443", OPTION_TEXT,
     offsetof(struct serve_options, webhook_address), 0},
    {"health-probe-bind-address", "ADDRESS", "default 0.0.0.0:8081; 0 turns it off", OPTION_TEXT,
     offsetof(struct serve_options, probe_address), 0},
    {"metrics-bind-address", "ADDRESS", "default 0.0.0.0:8080; 0 turns it off", OPTION_TEXT,
     offsetof(struct serve_options, metrics_address), 0},
    {"webhook-cert-path", "DIR",
     "the folder of the serving certificate; without it Capstan makes its own", OPTION_TEXT,
     offsetof(struct serve_options, cert_path), 0},
    {"webhook-cert-name", "FILE", "its certificate chain, default tls.crt", OPTION_TEXT,
     offsetof(struct serve_options, cert_name), 0},
    {"webhook-cert-key", "FILE", "its key, default tls.key", OPTION_TEXT,
     offsetof(struct serve_options, cert_key), 0},
    {"workers", "N", "threads that answer, default 2", OPTION_COUNT,
     offsetof(struct serve_options, workers), 0},
    {"shutdown-delay", "DURATION", "go on serving this long after SIGTERM, default 10s",
     OPTION_DURATION, offsetof(struct serve_options, shutdown_delay_ms), 0},
    {"log-format", "FORMAT", "json (default) or text", OPTION_TEXT,
     offsetof(struct serve_options, log_format_text), 0},
    {"log-level", "LEVEL", "debug, info (default), warn or error", OPTION_TEXT,
     offsetof(struct serve_options, log_level_text), 0},
};

static const struct option_table serve_table = {
    .usage = "capstan serve [option]...",
    .summary =
        "Answers AdmissionReviews (POST /mutate, TLS) from what the cluster has, or from what\n"
        "the objects of --objects say, and keeps the status conditions.",
    .options = serve_option_list,
    .n_options = COUNT_OF(serve_option_list),
    .epilogue = "GET /healthz and /readyz on the probe address, /metrics on its own.\n"
                "Files are read again when they change, and on SIGHUP. SIGTERM drains and ends.",
};

static bool check_names(const struct serve_options *options, struct error *error) {
    if (options->namespace != NULL && !text_is_dns_label(options->namespace)) {
        return error_set(error, ERROR_INVALID, "--namespace: '%s' is not the name of a namespace",
                         options->namespace);
    }
    if (!text_is_dns_label(options->service_name)) {
        return error_set(error, ERROR_INVALID, "--service-name: '%s' is not the name of a Service",
                         options->service_name);
    }
    if (!text_is_dns_subdomain(options->webhook_config_name)) {
        return error_set(error, ERROR_INVALID,
                         "--webhook-config-name: '%s' is not the name of an object",
                         options->webhook_config_name);
    }
    return true;
}

/* The first option that was given and needs a cluster, or NULL. */
static const char *find_cluster_option(const struct serve_options *options) {
    if (options->kubeconfig != NULL) {
        return "--kubeconfig";
    }
    if (options->elects_leader) {
        return "--leader-elect";
    }
    if (options->namespace != NULL) {
        return "--namespace";
    }
    return options->fails_closed ? "--fail-closed" : NULL;
}

/* The table cannot check which options go together, nor words with a closed set of values. */
static bool check(struct serve_options *options, struct error *error) {
    bool has_objects = options->objects.n_items > 0;
    const char *of_cluster = find_cluster_option(options);
    if (has_objects && of_cluster != NULL) {
        return error_set(error, ERROR_INVALID, "%s is for a cluster, and --objects for none",
                         of_cluster);
    }
    if (!has_objects && options->status_dir != NULL) {
        return error_set(error, ERROR_INVALID,
                         "--status-dir goes with --objects; in a cluster conditions are written to "
                         "the MCPServers");
    }
    if (!check_names(options, error)) {
        return false;
    }
    if (options->cert_path == NULL && has_objects) {
        return error_set(error, ERROR_INVALID,
                         "--objects needs --webhook-cert-path DIR; 'capstan certs' makes one");
    }
    if (options->cert_path != NULL && options->fails_closed) {
        return error_set(error, ERROR_INVALID,
                         "--fail-closed is for certificates that Capstan makes itself; with "
                         "--webhook-cert-path the webhook configuration is yours");
    }
    if (!log_parse_format(options->log_format_text, &options->log_format)) {
        return error_set(error, ERROR_INVALID, "--log-format: '%s' is neither json nor text",
                         options->log_format_text);
    }
    if (!log_parse_level(options->log_level_text, &options->log_level)) {
        return error_set(error, ERROR_INVALID,
                         "--log-level: '%s' is none of debug, info, warn and error",
                         options->log_level_text);
    }
    return true;
}

static const char *address_or_off(const char *address) {
    return strcmp(address, "0") == 0 ? NULL : address;
}

bool serve_options_read(int argc, char **argv, struct serve_options *ret_options, int *ret_status) {
    struct error error;
    *ret_options = (struct serve_options){
        .service_name = "capstan",
        .webhook_config_name = "capstan",
        .trust_delay_ms = 60000,
        .retire_delay_ms = 86400000,
        .webhook_address = "0.0.0.0:9443",
        .probe_address = "0.0.0.0:8081",
        .metrics_address = "0.0.0.0:8080",
        .cert_name = "tls.crt",
        .cert_key = "tls.key",
        .workers = 2,
        .shutdown_delay_ms = 10000,
        .log_format_text = "json",
        .log_level_text = "info",
    };
    if (!options_begin(&serve_table, argc, argv, ret_options, ret_status)) {
        return false;
    }
    if (!check(ret_options, &error)) {
        *ret_status = exit_with(&error);
        return false;
    }
    ret_options->probe_address = address_or_off(ret_options->probe_address);
    ret_options->metrics_address = address_or_off(ret_options->metrics_address);
    return true;
}

void serve_options_fini(struct serve_options *options) {
    option_texts_fini(&options->objects);
}
