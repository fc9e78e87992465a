// SPDX-License-Identifier: Apache-2.0
#include "serve_options.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "exit_status.h"

/* All addresses, of IPv6 and IPv4. */
#define WEBHOOK_ADDRESS ":9443"
#define PROBE_ADDRESS   ":8081"
#define METRICS_ADDRESS ":8080"

#define OPTION(TYPE, NAME, ARGUMENT, MEMBER, HELP)                                                 \
    { NAME, ARGUMENT, HELP, OPTION_##TYPE, offsetof(struct serve_options, MEMBER), 0 }

static const struct option serve_option_list[] = {
    OPTION(TEXT, "kubeconfig", "FILE", kubeconfig,
           "the cluster; default, without --objects: the cluster of the pod"),
    OPTION(SWITCH, "leader-elect", NULL, elects_leader,
           "write only while this holds the Lease capstan; for several replicas"),
    OPTION(TEXT, "namespace", "NAME", namespace,
           "Capstan's own; default: the kubeconfig's or the pod's"),
    OPTION(TEXTS, "watch-namespace", "NAME", watch_namespaces,
           "look at this namespace alone; repeatable, 64 at most; default: all"),
    OPTION(TEXT, "service-name", "NAME", service_name,
           "the Service that leads to this process, default capstan"),
    OPTION(TEXT, "webhook-config-name", "NAME", webhook_config_name,
           "the MutatingWebhookConfiguration to keep caBundles in, default zz-capstan"),
    OPTION(SWITCH, "fail-closed", NULL, fails_closed,
           "set failurePolicy Fail there, 30 s after this is ready"),
    OPTION(DURATION, "ca-trust-delay", "DURATION", trust_delay_ms,
           "from trusting a new CA to using it, default 60s"),
    OPTION(DURATION, "ca-retire-delay", "DURATION", retire_delay_ms,
           "from not using a CA to not trusting it, default 24h"),
    OPTION(TEXTS, "objects", "PATH", objects,
           "read objects of these kinds from a file or folder; repeatable"),
    OPTION(TEXT, "status-dir", "DIR", status_dir,
           "with --objects: write conditions to DIR/<namespace>/<name>.json"),
    OPTION(TEXT, "config", "FILE", config, "the policy; default: every rule has its default"),
    OPTION(TEXT, "webhook-bind-address", "ADDRESS", webhook_address,
           "default " WEBHOOK_ADDRESS "; without a host: all addresses, of IPv6 and IPv4"),
    OPTION(TEXT, "health-probe-bind-address", "ADDRESS", probe_address,
           "default " PROBE_ADDRESS "; 0 turns it off"),
    OPTION(TEXT, "metrics-bind-address", "ADDRESS", metrics_address,
           "default " METRICS_ADDRESS "; 0 turns it off"),
    OPTION(TEXT, "webhook-cert-path", "DIR", cert_path,
           "the folder of the serving certificate; default: Capstan makes its own"),
    OPTION(TEXT, "webhook-cert-name", "FILE", cert_name,
           "the certificate chain in that folder, default tls.crt"),
    OPTION(TEXT, "webhook-cert-key", "FILE", cert_key, "its key, default tls.key"),
    OPTION(COUNT, "workers", "N", workers, "threads that answer requests, default 2"),
    OPTION(DURATION, "shutdown-delay", "DURATION", shutdown_delay_ms,
           "serve for this long after SIGTERM, default 10s"),
    OPTION(TEXT, "log-format", "FORMAT", log_format_text, "json (default) or text"),
    OPTION(TEXT, "log-level", "LEVEL", log_level_text, "debug, info (default), warn or error"),
};

static bool check_watch_namespaces(const struct option_texts *names, struct error *error) {
    if (names->n_items > WATCH_NAMESPACES_MAX) {
        return error_set(error, ERROR_INVALID,
                         "--watch-namespace: %d namespaces at most; leave it out to watch all",
                         WATCH_NAMESPACES_MAX);
    }
    for (size_t i = 0; i < names->n_items; i++) {
        if (!text_is_dns_label(names->items[i])) {
            return error_set(error, ERROR_INVALID,
                             "--watch-namespace: '%s' is not the name of a namespace",
                             names->items[i]);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(names->items[i], names->items[k]) == 0) {
                return error_set(error, ERROR_INVALID,
                                 "--watch-namespace: '%s' is there twice; give it once",
                                 names->items[i]);
            }
        }
    }
    return true;
}

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
    return check_watch_namespaces(&options->watch_namespaces, error);
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
    if (options->watch_namespaces.n_items > 0) {
        return "--watch-namespace";
    }
    return options->fails_closed ? "--fail-closed" : NULL;
}

static const char *address_or_off(const char *address) {
    return strcmp(address, "0") == 0 ? NULL : address;
}

/* The table cannot check which options go together, nor words with a closed set of values. */
static bool check(void *target, struct error *error) {
    struct serve_options *options = target;
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
    options->probe_address = address_or_off(options->probe_address);
    options->metrics_address = address_or_off(options->metrics_address);
    return true;
}

static const struct option_table serve_table = {
    .usage = "capstan serve [option]...",
    .summary =
        "Answers AdmissionReviews (POST /mutate, TLS) by the MCPServers, MCPRemoteProxies,\n"
        "VirtualMCPServers and Deployments of the cluster, or of --objects. Keeps the status\n"
        "conditions of the MCPServers.",
    .options = serve_option_list,
    .n_options = COUNT_OF(serve_option_list),
    .epilogue =
        "The probe address answers GET /healthz and /readyz, the metrics address /metrics.\n"
        "Capstan reads files again when they change, and on SIGHUP. SIGTERM ends it.",
    .check = check,
};

bool serve_options_read(int argc, char **argv, struct serve_options *ret_options, int *ret_status) {
    *ret_options = (struct serve_options){
        .service_name = "capstan",
        .webhook_config_name = "zz-capstan",
        .trust_delay_ms = 60000,
        .retire_delay_ms = 86400000,
        .webhook_address = WEBHOOK_ADDRESS,
        .probe_address = PROBE_ADDRESS,
        .metrics_address = METRICS_ADDRESS,
        .cert_name = "tls.crt",
        .cert_key = "tls.key",
        .workers = 2,
        .shutdown_delay_ms = 10000,
        .log_format_text = "json",
        .log_level_text = "info",
    };
    return options_begin(&serve_table, argc, argv, ret_options, ret_status);
}

void serve_options_fini(struct serve_options *options) {
    option_texts_fini(&options->objects);
    option_texts_fini(&options->watch_namespaces);
}
