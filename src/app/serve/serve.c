// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "admit.h"
#include "base/http_status.h"
#include "cluster.h"
#include "commands.h"
#include "complaint_log.h"
#include "core/cluster/pulse.h"
#include "edge/clock.h"
#include "exit_status.h"
#include "process.h"
#include "readiness.h"
#include "serve_options.h"
#include "sources.h"
#include "status_folder.h"

enum {
    BODY_MAX = 32 << 20,   /* kube-apiserver sends up to 17 MB for an object of 3 MB */
    BODIES_MAX = 96 << 20, /* of all requests together */
    CONNECTIONS_MAX = 1024,
    SIDE_BODY_MAX = 4096, /* the probes and the metrics need no body */
    SIDE_CONNECTIONS_MAX = 64,
    SIDE_TIMEOUT_MS = 5000,  /* a silent peer must not keep the probes from the kubelet */
    FULL_MAX_MS = 5000,      /* then others should get the requests */
    DESCRIPTORS_OTHER = 320, /* all but those of the webhook port */
    HEAD_TIMEOUT_MS = 10000,
    BODY_TIMEOUT_MS = 10000,
    IDLE_TIMEOUT_MS = 150000, /* the API server closes idle connections after 90 s; be later */
    LOOK_INTERVAL_MS = 10000,
    SETTLE_MS = 50,
    UNREADY_LOOK_MS = 500, /* before it was ready, so that the log says it in time */
    REASONS_MAX = 8192,
    START_PATIENCE_MS = 3000, /* before the log says why it is not ready yet */
};

struct serve {
    const struct serve_options *options;
    struct log log;
    struct metrics *metrics;
    struct facts *facts;
    struct admit *admit;
    struct sources *sources;
    struct cluster *cluster; /* NULL: the facts come from files */
    struct http_server *webhook;
    struct http_server *probes;
    struct http_server *metrics_server;
    struct readiness *readiness;
    bool was_ready; /* once */
    bool was_unready_said;
    struct complaint waiting;  /* for the first time, or again */
    _Atomic(uint64_t) n_turns; /* of the loop */
    struct pulse pulse;        /* belongs to the one worker of the probes */
    int64_t began_us;
    int signals;
    struct complaint complaint; /* about --status-dir */
};

static void on_mutate(void *context, const struct http_request *request,
                      struct http_response *response) {
    const struct serve *serve = context;
    admit_request(serve->admit, request, response);
}

static void on_healthz(void *context, const struct http_request *request,
                       struct http_response *response) {
    struct serve *serve = context;
    (void)request;
    int64_t still_ms = pulse_step(&serve->pulse, atomic_load(&serve->n_turns), clock_boot_ms());
    if (still_ms < PULSE_STILL_MAX_MS) {
        buffer_add_text(&response->body, "ok\n");
        return;
    }
    response->status = HTTP_STATUS_UNAVAILABLE;
    buffer_add_format(&response->body, "the loop has not turned for %lld s\n",
                      (long long)still_ms / 1000);
}

static void on_readyz(void *context, const struct http_request *request,
                      struct http_response *response) {
    struct serve *serve = context;
    int64_t full_ms = serve->webhook != NULL ? http_full_ms(serve->webhook) : 0;
    AUTO(buffer_fini) struct buffer room;
    buffer_init(&room, SIDE_BODY_MAX);
    if (full_ms >= FULL_MAX_MS) {
        buffer_add_format(&room,
                          "the webhook port has had no room for new connections for %lld s\n",
                          (long long)full_ms / 1000);
    }
    if (!readiness_print(serve->readiness, buffer_text(&room), http_has_query(request, "verbose"),
                         &response->body)) {
        response->status = HTTP_STATUS_UNAVAILABLE;
    }
}

static void on_metrics(void *context, const struct http_request *request,
                       struct http_response *response) {
    const struct serve *serve = context;
    struct http_counts counts;
    (void)request;
    http_count(serve->webhook, &counts);
    metrics_set(serve->metrics, METRIC_HTTP_CONNECTIONS, (int64_t)counts.connections);
    metrics_set(serve->metrics, METRIC_HTTP_ACCEPTED, (int64_t)counts.accepted);
    metrics_set(serve->metrics, METRIC_HTTP_WITHOUT_REQUEST, (int64_t)counts.without_request);
    metrics_set(serve->metrics, METRIC_HTTP_TIMEOUTS, (int64_t)counts.timeouts);
    metrics_set(serve->metrics, METRIC_HTTP_EVICTED, (int64_t)counts.evicted);
    metrics_set(serve->metrics, METRIC_HTTP_MALFORMED, (int64_t)counts.malformed);
    metrics_set(serve->metrics, METRIC_HTTP_TOO_LARGE, (int64_t)counts.too_large);
    metrics_set(serve->metrics, METRIC_HTTP_OVER_BUDGET, (int64_t)counts.over_budget);
    response->content_type = METRICS_CONTENT_TYPE;
    metrics_print(serve->metrics, &response->body);
}

static const struct http_route webhook_routes[] = {{"POST", "/mutate", on_mutate}};
static const struct http_route probe_routes[] = {{"GET", "/healthz", on_healthz},
                                                 {"GET", "/readyz", on_readyz}};
static const struct http_route metrics_routes[] = {{"GET", "/metrics", on_metrics}};

/* An error names the option that the address comes from. Without an address, starts nothing. */
static bool start_server(struct serve *serve, const char *option, struct http_options options,
                         struct http_server **ret_server, struct error *error) {
    options.context = serve;
    return options.bind_address == NULL || http_start(&options, ret_server, error) ||
           error_wrap(error, "%s", option);
}

/* With few descriptors the webhook port must leave some to the probes. */
static size_t webhook_connections_max(const struct serve_options *options) {
    const rlim_t others = DESCRIPTORS_OTHER + 2 * options->watch_namespaces.n_items;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return CONNECTIONS_MAX;
    }
    rlim_t left = limit.rlim_cur > 2 * others ? limit.rlim_cur - others : limit.rlim_cur / 4;
    return left < CONNECTIONS_MAX ? MAX((size_t)left, 1) : CONNECTIONS_MAX;
}

static bool start_webhook(struct serve *serve, struct error *error) {
    const struct http_options options = {
        .bind_address = serve->options->webhook_address,
        .routes = webhook_routes,
        .n_routes = COUNT_OF(webhook_routes),
        .is_tls = true,
        .workers = (unsigned)serve->options->workers,
        .connections_max = webhook_connections_max(serve->options),
        .body_max = BODY_MAX,
        .bodies_max = BODIES_MAX,
        .head_timeout_ms = HEAD_TIMEOUT_MS,
        .body_timeout_ms = BODY_TIMEOUT_MS,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
    };
    return start_server(serve, "--webhook-bind-address", options, &serve->webhook, error);
}

/* The servers for the probes and the metrics: plain HTTP, and small. */
static bool start_sides(struct serve *serve, struct error *error) {
    struct http_options options = {
        .bind_address = serve->options->probe_address,
        .routes = probe_routes,
        .n_routes = COUNT_OF(probe_routes),
        .workers = 1,
        .connections_max = SIDE_CONNECTIONS_MAX,
        .body_max = SIDE_BODY_MAX,
        .bodies_max = SIDE_CONNECTIONS_MAX * SIDE_BODY_MAX,
        .head_timeout_ms = SIDE_TIMEOUT_MS,
        .body_timeout_ms = SIDE_TIMEOUT_MS,
        .idle_timeout_ms = SIDE_TIMEOUT_MS,
    };
    if (!start_server(serve, "--health-probe-bind-address", options, &serve->probes, error)) {
        return false;
    }
    options.bind_address = serve->options->metrics_address;
    options.routes = metrics_routes;
    options.n_routes = COUNT_OF(metrics_routes);
    return start_server(serve, "--metrics-bind-address", options, &serve->metrics_server, error);
}

static bool start_facts(struct serve *serve, struct error *error) {
    const struct serve_options *options = serve->options;
    if (options->objects.n_items == 0) {
        return cluster_new(options, serve->facts, serve->admit, &serve->log, serve->metrics,
                           &serve->cluster, error);
    }
    return (options->status_dir == NULL ||
            status_folder_open(options->status_dir, options->objects.items,
                               options->objects.n_items, error)) &&
           sources_load(serve->sources, SOURCE_OBJECTS, error);
}

/* Reads what may be refused before it opens a port. Opens the probes last, since they bring the
   requests. Connections that come before the certificate wait for it. */
static bool start(struct serve *serve, struct error *error) {
    if (!sources_load(serve->sources, SOURCE_POLICY, error) || !start_facts(serve, error) ||
        !start_webhook(serve, error)) {
        return false;
    }
    const char *namespace = NULL;
    if (serve->cluster != NULL) {
        cluster_set_server(serve->cluster, serve->webhook);
        namespace = cluster_namespace(serve->cluster);
    }
    sources_set_server(serve->sources, serve->webhook, namespace);
    sources_set_cluster(serve->sources, serve->cluster);
    return sources_load(serve->sources, SOURCE_CERTIFICATE, error) && start_sides(serve, error);
}

static int64_t port_of(const struct http_server *server) {
    return server == NULL ? 0 : http_port(server);
}

/* The webhook answers from here on, though nobody should ask before serve.ready. */
static void log_listening(struct serve *serve) {
    log_event(&serve->log, LOG_INFO, "serve.listening", LOG_TEXT("version", CAPSTAN_VERSION),
              LOG_TEXT("facts", serve->cluster == NULL ? "objects" : "cluster"),
              LOG_INTEGER("webhookPort", port_of(serve->webhook)),
              LOG_INTEGER("probePort", port_of(serve->probes)),
              LOG_INTEGER("metricsPort", port_of(serve->metrics_server)));
}

/* The facts stay ready: if the API server goes away, the webhook must not go with it. */
static void look_at_readiness(struct serve *serve) {
    AUTO(buffer_fini) struct buffer facts;
    AUTO(buffer_fini) struct buffer certificate;
    buffer_init(&facts, REASONS_MAX);
    buffer_init(&certificate, REASONS_MAX);
    if (serve->cluster != NULL) {
        if (!serve->was_ready) {
            cluster_why_no_facts(serve->cluster, &facts);
        }
        cluster_why_no_certificate(serve->cluster, &certificate);
    }
    sources_why_unready(serve->sources, &certificate);
    readiness_set(serve->readiness, READINESS_FACTS, buffer_text(&facts));
    readiness_set(serve->readiness, READINESS_CERTIFICATE, buffer_text(&certificate));
}

/* Once it has been ready, the log says at once that it is not. Before that the log gives it some
   time. A replica that is ready and unready in turn says so once a minute. */
static void log_unready(struct serve *serve) {
    AUTO(buffer_fini) struct buffer reasons;
    buffer_init(&reasons, REASONS_MAX);
    int64_t now_ms = clock_boot_ms();
    bool is_start = !serve->was_ready && now_ms < serve->began_us / 1000 + START_PATIENCE_MS;
    if (is_start || complaint_raise(&serve->waiting, "", now_ms) == 0) {
        return;
    }
    readiness_print_reasons(serve->readiness, &reasons);
    serve->was_unready_said = true;
    log_event(&serve->log, LOG_WARN, "serve.unready", LOG_TEXT("reasons", buffer_text(&reasons)),
              LOG_TEXT("hint", "no Service leads to this replica meanwhile; /readyz?verbose on the "
                               "probe port says what is the case now"));
}

static void log_ready(struct serve *serve) {
    log_event(&serve->log, LOG_INFO, "serve.ready", LOG_TEXT("version", CAPSTAN_VERSION),
              LOG_INTEGER("webhookPort", port_of(serve->webhook)),
              LOG_INTEGER("probePort", port_of(serve->probes)),
              LOG_INTEGER("metricsPort", port_of(serve->metrics_server)),
              LOG_INTEGER("mcpservers", (int64_t)facts_count(serve->facts, OBJECT_MCPSERVER)),
              LOG_INTEGER("deployments", (int64_t)facts_count(serve->facts, OBJECT_DEPLOYMENT)),
              LOG_INTEGER("otherObjects", (int64_t)sources_count_other_objects(serve->sources)),
              LOG_INTEGER("startMicroseconds", clock_boot_us() - serve->began_us));
}

static void note_ready(struct serve *serve) {
    look_at_readiness(serve);
    if (!readiness_is_ready(serve->readiness)) {
        log_unready(serve);
        return;
    }
    bool is_first = !serve->was_ready;
    if (is_first && serve->cluster != NULL) {
        cluster_note_ready(serve->cluster);
    }
    if (is_first || serve->was_unready_said) {
        log_ready(serve);
    }
    serve->was_ready = true;
    serve->was_unready_said = false;
    complaint_settle(&serve->waiting);
    (void)complaint_step(&serve->waiting, clock_boot_ms());
}

/* Waits for one of the descriptors or for the end of the time, but never longer than
   LOOK_INTERVAL_MS, so that the pulse goes on. May return sooner. */
static void wait_for(struct serve *serve, struct pollfd *descriptors, size_t n_descriptors,
                     int64_t timeout_ms) {
    timeout_ms = timeout_ms < LOOK_INTERVAL_MS ? timeout_ms : LOOK_INTERVAL_MS;
    atomic_fetch_add(&serve->n_turns, 1);
    if (serve->cluster != NULL) {
        cluster_wait(serve->cluster, descriptors, n_descriptors, timeout_ms);
    } else {
        (void)poll(descriptors, (nfds_t)n_descriptors, (int)timeout_ms);
    }
}

static int64_t left_until(int64_t until_ms) {
    int64_t left_ms = until_ms - clock_boot_ms();
    return left_ms > 0 ? left_ms : 0;
}

static int read_signal(const struct serve *serve, const struct pollfd *descriptor) {
    struct signalfd_siginfo info;
    bool is_there = descriptor->revents != 0 &&
                    read(serve->signals, &info, sizeof(info)) == (ssize_t)sizeof(info);
    return is_there ? (int)info.ssi_signo : 0;
}

/* Waits for a signal or for the end of the time. Returns the signal, or 0. */
static int wait_for_signal(struct serve *serve, int64_t timeout_ms) {
    int64_t until_ms = clock_boot_ms() + timeout_ms;
    int signal;
    do {
        struct pollfd descriptor = {.fd = serve->signals, .events = POLLIN};
        wait_for(serve, &descriptor, 1, left_until(until_ms));
        signal = read_signal(serve, &descriptor);
    } while (signal == 0 && left_until(until_ms) > 0);
    return signal;
}

/* Waits for a signal, for a change of a file or for the end of the time; may return sooner. Returns
   the signal, or 0. After a change it waits SETTLE_MS more: the writer may not be done, or may
   change other files too. */
static int wait_for_event(struct serve *serve, int64_t timeout_ms, bool *ret_has_changed) {
    struct pollfd descriptors[1 + SOURCE_COUNT] = {{.fd = serve->signals, .events = POLLIN}};
    for (int kind = 0; kind < SOURCE_COUNT; kind++) {
        descriptors[1 + kind] = (struct pollfd){
            .fd = sources_descriptor(serve->sources, (enum source_kind)kind), .events = POLLIN};
    }
    wait_for(serve, descriptors, COUNT_OF(descriptors), timeout_ms);
    *ret_has_changed = false;
    for (int kind = 0; kind < SOURCE_COUNT; kind++) {
        *ret_has_changed = *ret_has_changed || descriptors[1 + kind].revents != 0;
    }
    int signal = read_signal(serve, &descriptors[0]);
    return signal == 0 && *ret_has_changed ? wait_for_signal(serve, SETTLE_MS) : signal;
}

static void write_statuses(struct serve *serve) {
    struct error problem;
    bool is_off = admit_policy(serve->admit)->conditions_write == CONDITIONS_OFF;
    if (serve->options->status_dir == NULL || is_off) {
        return;
    }
    size_t n_failed = status_folder_write(serve->facts, serve->options->status_dir, &serve->log,
                                          serve->metrics, &problem);
    if (n_failed == 0) {
        complaint_settle(&serve->complaint);
        return;
    }
    int64_t times = complaint_raise(&serve->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(&serve->log, LOG_ERROR, "status.refused", LOG_TEXT("problem", problem.text),
                  LOG_INTEGER("refused", (int64_t)n_failed), LOG_INTEGER("times", times),
                  LOG_TEXT("hint", "the conditions in --status-dir are old; see whether this user "
                                   "may write there, and whether there is room"));
    }
}

/* Reads the files that changed, and does what follows from them. */
static void refresh(struct serve *serve, bool is_overdue) {
    bool is_new = sources_refresh(serve->sources);
    if (is_new && serve->cluster != NULL) {
        cluster_set_policy(serve->cluster, admit_policy(serve->admit));
    }
    if (is_new || is_overdue) {
        write_statuses(serve);
    }
}

/* The companion loop. It looks at the files, and at the conditions in files, every 10 s as well,
   since not every change wakes it. */
static void loop(struct serve *serve) {
    int64_t look_ms = 0;
    for (;;) {
        bool has_changed;
        note_ready(serve);
        admit_step(serve->admit, clock_boot_ms());
        complaint_log_over(&serve->complaint, &serve->log, "status.recovered", "--status-dir",
                           clock_boot_ms());
        int64_t wait_ms = left_until(look_ms);
        int signal = wait_for_event(
            serve, serve->was_ready ? wait_ms : MIN(wait_ms, UNREADY_LOOK_MS), &has_changed);
        if (signal == SIGTERM || signal == SIGINT) {
            return;
        }
        if (signal == SIGHUP) {
            sources_expire(serve->sources);
        }
        bool is_overdue = clock_boot_ms() >= look_ms;
        if (signal == SIGHUP || has_changed || is_overdue) {
            refresh(serve, is_overdue);
        }
        if (is_overdue) {
            look_ms = clock_boot_ms() + LOOK_INTERVAL_MS;
        }
    }
}

/* Becomes unready and serves on for a while, since endpoints and connection pools need time to
   notice. Then ends the writers, and at last gives the Lease back. A second signal ends the wait.
 */
static void drain(struct serve *serve) {
    int64_t ends_ms = clock_boot_ms() + serve->options->shutdown_delay_ms;
    readiness_set(serve->readiness, READINESS_DRAINING,
                  "this replica has been told to end, and serves on for --shutdown-delay\n");
    http_drain(serve->webhook);
    log_event(&serve->log, LOG_INFO, "serve.draining",
              LOG_INTEGER("milliseconds", serve->options->shutdown_delay_ms));
    int signal = 0;
    while (signal != SIGTERM && signal != SIGINT && left_until(ends_ms) > 0) {
        signal = wait_for_signal(serve, left_until(ends_ms));
    }
    if (serve->cluster != NULL) {
        cluster_close(serve->cluster);
        while (!cluster_is_closed(serve->cluster)) {
            cluster_wait(serve->cluster, NULL, 0, SETTLE_MS);
        }
    }
}

static int run(struct serve *serve) {
    struct error error;
    serve->began_us = clock_boot_us();
    if (!start(serve, &error)) {
        return exit_with(&error);
    }
    log_listening(serve);
    loop(serve);
    drain(serve);
    return STATUS_OK;
}

static int serve_with(const struct serve_options *options) {
    struct serve serve = {
        .options = options,
        .log = {.descriptor = STDERR_FILENO,
                .format = options->log_format,
                .level = options->log_level},
        .signals = process_open_signals(),
        .metrics = metrics_new(CAPSTAN_VERSION, rule_names, RULE_COUNT),
        .facts = facts_new(),
        .readiness = readiness_new(),
    };
    serve.admit = admit_new(serve.facts, &serve.log, serve.metrics, clock_wall_seconds);
    serve.sources = sources_new(options, serve.facts, serve.admit, &serve.log, serve.metrics);
    int status = run(&serve);
    if (serve.cluster != NULL) {
        cluster_stop_lookups(serve.cluster);
    }
    http_stop(serve.metrics_server); /* these two first, since they ask the webhook */
    http_stop(serve.probes);
    http_stop(serve.webhook);
    if (status == STATUS_OK) {
        log_event(&serve.log, LOG_INFO, "serve.stopped", LOG_TEXT("version", CAPSTAN_VERSION));
    }
    cluster_free(serve.cluster);
    sources_free(serve.sources);
    admit_free(serve.admit);
    facts_free(serve.facts);
    readiness_free(serve.readiness);
    metrics_free(serve.metrics);
    close(serve.signals);
    return status;
}

int serve_command(int argc, char **argv) {
    struct serve_options options;
    int status;
    process_tune();
    if (serve_options_read(argc, argv, &options, &status)) {
        status = serve_with(&options);
    }
    serve_options_fini(&options);
    return status;
}
