// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "admit.h"
#include "base/http_status.h"
#include "base/text.h"
#include "cluster.h"
#include "commands.h"
#include "core/cluster/pulse.h"
#include "edge/clock.h"
#include "exit_status.h"
#include "serve_options.h"
#include "sources.h"
#include "status_folder.h"

enum {
    BODY_MAX = 32 << 20,   /* kube-apiserver sends up to 17 MB for an object of 3 MB */
    BODIES_MAX = 96 << 20, /* of all requests together */
    CONNECTIONS_MAX = 1024,
    SIDE_BODY_MAX = 4096, /* of the probes and the metrics, which need none */
    SIDE_CONNECTIONS_MAX = 64,
    HEAD_TIMEOUT_MS = 10000,
    BODY_TIMEOUT_MS = 10000,
    IDLE_TIMEOUT_MS = 150000, /* the API server closes idle connections after 90 s; be later */
    DESCRIPTORS_WANTED = 4096,
    LOOK_INTERVAL_MS = 10000,
    SETTLE_MS = 50,
};

struct serve {
    const struct serve_options *options;
    struct log log;
    struct metrics *metrics;
    struct facts *facts;
    struct admit *admit;
    struct sources *sources;
    struct cluster *cluster; /* NULL: there is none, and the objects are files */
    struct http_server *webhook;
    struct http_server *probes;
    struct http_server *metrics_server;
    atomic_bool is_ready;
    _Atomic(uint64_t) n_turns; /* of the loop */
    struct pulse pulse;        /* of the one worker of the probes */
    int64_t began_us;
    int signals;
    char status_problem[sizeof(((struct error *)0)->text)]; /* as it was logged last, or empty */
};

static void handle_mutate(void *context, const struct http_request *request,
                          struct http_response *response) {
    const struct serve *serve = context;
    admit_request(serve->admit, request, response);
}

static void handle_healthz(void *context, const struct http_request *request,
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

static void handle_readyz(void *context, const struct http_request *request,
                          struct http_response *response) {
    struct serve *serve = context;
    (void)request;
    bool is_ready = atomic_load(&serve->is_ready);
    response->status = is_ready ? HTTP_STATUS_OK : HTTP_STATUS_UNAVAILABLE;
    buffer_add_text(&response->body, is_ready ? "ok\n" : "not ready\n");
}

static void handle_metrics(void *context, const struct http_request *request,
                           struct http_response *response) {
    const struct serve *serve = context;
    struct http_counts counts;
    (void)request;
    http_count(serve->webhook, &counts);
    metrics_set(serve->metrics, METRIC_HTTP_CONNECTIONS, (int64_t)counts.connections);
    metrics_set(serve->metrics, METRIC_HTTP_ACCEPTED, (int64_t)counts.accepted);
    metrics_set(serve->metrics, METRIC_HTTP_WITHOUT_REQUEST, (int64_t)counts.without_request);
    metrics_set(serve->metrics, METRIC_HTTP_TIMEOUTS, (int64_t)counts.timeouts);
    metrics_set(serve->metrics, METRIC_HTTP_TOO_LARGE, (int64_t)counts.too_large);
    metrics_set(serve->metrics, METRIC_HTTP_OVER_BUDGET, (int64_t)counts.over_budget);
    response->content_type = METRICS_CONTENT_TYPE;
    metrics_print(serve->metrics, &response->body);
}

static const struct http_route webhook_routes[] = {{"POST", "/mutate", handle_mutate}};
static const struct http_route probe_routes[] = {{"GET", "/healthz", handle_healthz},
                                                 {"GET", "/readyz", handle_readyz}};
static const struct http_route metrics_routes[] = {{"GET", "/metrics", handle_metrics}};

static bool start_webhook(struct serve *serve, struct error *error) {
    const struct http_options options = {
        .bind_address = serve->options->webhook_address,
        .routes = webhook_routes,
        .n_routes = COUNT_OF(webhook_routes),
        .context = serve,
        .is_tls = true,
        .workers = (unsigned)serve->options->workers,
        .connections_max = CONNECTIONS_MAX,
        .body_max = BODY_MAX,
        .bodies_max = BODIES_MAX,
        .head_timeout_ms = HEAD_TIMEOUT_MS,
        .body_timeout_ms = BODY_TIMEOUT_MS,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
    };
    return http_start(&options, &serve->webhook, error) ||
           error_wrap(error, "--webhook-bind-address");
}

/* The probes and the metrics: plain HTTP, and small. */
static bool start_side(struct serve *serve, const char *address, const struct http_route *routes,
                       size_t n_routes, struct http_server **ret_server, struct error *error) {
    const struct http_options options = {
        .bind_address = address,
        .routes = routes,
        .n_routes = n_routes,
        .context = serve,
        .workers = 1,
        .connections_max = SIDE_CONNECTIONS_MAX,
        .body_max = SIDE_BODY_MAX,
        .bodies_max = SIDE_CONNECTIONS_MAX * SIDE_BODY_MAX,
        .head_timeout_ms = HEAD_TIMEOUT_MS,
        .body_timeout_ms = BODY_TIMEOUT_MS,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
    };
    return address == NULL || http_start(&options, ret_server, error);
}

static bool start_sides(struct serve *serve, struct error *error) {
    const struct serve_options *options = serve->options;
    if (!start_side(serve, options->probe_address, probe_routes, COUNT_OF(probe_routes),
                    &serve->probes, error)) {
        return error_wrap(error, "--health-probe-bind-address");
    }
    if (!start_side(serve, options->metrics_address, metrics_routes, COUNT_OF(metrics_routes),
                    &serve->metrics_server, error)) {
        return error_wrap(error, "--metrics-bind-address");
    }
    return true;
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

/* What can be refused without anybody noticing comes first, and the probes, which send requests
   here, last. Connections that come before the certificate is there wait for it. */
static bool start(struct serve *serve, struct error *error) {
    if (!sources_load(serve->sources, SOURCE_POLICY, error) || !start_facts(serve, error) ||
        !start_webhook(serve, error)) {
        return false;
    }
    sources_set_server(serve->sources, serve->webhook);
    if (serve->cluster != NULL) {
        cluster_set_server(serve->cluster, serve->webhook);
        sources_set_service(serve->sources, serve->options->service_name,
                            cluster_namespace(serve->cluster));
    }
    return sources_load(serve->sources, SOURCE_CERTIFICATE, error) && start_sides(serve, error);
}

static int64_t port_of(const struct http_server *server) {
    return server == NULL ? 0 : http_port(server);
}

/* It answers from here on, though nobody should ask before it is ready. */
static void announce(struct serve *serve) {
    log_event(&serve->log, LOG_INFO, "serve.listening", LOG_TEXT("version", CAPSTAN_VERSION),
              LOG_TEXT("facts", serve->cluster == NULL ? "objects" : "cluster"),
              LOG_INTEGER("webhookPort", port_of(serve->webhook)),
              LOG_INTEGER("probePort", port_of(serve->probes)),
              LOG_INTEGER("metricsPort", port_of(serve->metrics_server)));
}

/* There is a certificate; what else it takes are the facts. Once true, this stays: an API server
   that is away must not take away the webhook as well. */
static void announce_when_ready(struct serve *serve) {
    if (atomic_load(&serve->is_ready) ||
        (serve->cluster != NULL && !cluster_is_ready(serve->cluster))) {
        return;
    }
    atomic_store(&serve->is_ready, true);
    if (serve->cluster != NULL) {
        cluster_note_ready(serve->cluster);
    }
    log_event(&serve->log, LOG_INFO, "serve.ready", LOG_TEXT("version", CAPSTAN_VERSION),
              LOG_INTEGER("webhookPort", port_of(serve->webhook)),
              LOG_INTEGER("probePort", port_of(serve->probes)),
              LOG_INTEGER("metricsPort", port_of(serve->metrics_server)),
              LOG_INTEGER("mcpservers", (int64_t)facts_count_servers(serve->facts)),
              LOG_INTEGER("deployments", (int64_t)facts_count_deployments(serve->facts)),
              LOG_INTEGER("otherObjects", (int64_t)sources_count_other_objects(serve->sources)),
              LOG_INTEGER("startMicroseconds", clock_boot_us() - serve->began_us));
}

/* Waits for one of the descriptors, or for the end of the time; not always for that long, since
   there is something to do in between, and a pulse to be felt. */
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

/* Returns the signal that came within the time, or 0. */
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

/* Waits for a signal, a change of a file, or the end of the time, or for less. Returns the signal,
   or 0. Who changes one file often changes more, or has not ended yet: a change is left alone for a
   moment. */
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

/* What cannot be written is said once, until it is something else. */
static void see_to_status(struct serve *serve) {
    struct error problem;
    if (serve->options->status_dir == NULL) {
        return;
    }
    size_t n_failed = status_folder_write(serve->facts, serve->options->status_dir, &serve->log,
                                          serve->metrics, &problem);
    if (n_failed > 0 && strcmp(serve->status_problem, problem.text) != 0) {
        log_event(&serve->log, LOG_ERROR, "status.refused", LOG_TEXT("problem", problem.text),
                  LOG_INTEGER("refused", (int64_t)n_failed));
    }
    text_copy(serve->status_problem, sizeof(serve->status_problem),
              n_failed > 0 ? problem.text : "");
}

/* Takes up what changed, and sees to what follows from it. */
static void refresh(struct serve *serve, bool is_overdue) {
    bool is_new = sources_refresh(serve->sources);
    if (is_new && serve->cluster != NULL) {
        cluster_policy_changed(serve->cluster);
    }
    if (is_new || is_overdue) {
        see_to_status(serve);
    }
}

/* The companion loop: takes up what changed, then sees to the conditions. Files, and conditions in
   files, are looked at every 10 s as well, since not all change makes itself known. */
static void loop(struct serve *serve) {
    int64_t look_ms = 0;
    for (;;) {
        bool has_changed;
        announce_when_ready(serve);
        int signal = wait_for_event(serve, left_until(look_ms), &has_changed);
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

/* Endpoints and connection pools need a while to notice that this process is going: it says so, and
   serves on. Then the writers end, and last the lease. A second signal ends the wait. */
static void drain(struct serve *serve) {
    int64_t ends_ms = clock_boot_ms() + serve->options->shutdown_delay_ms;
    atomic_store(&serve->is_ready, false);
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

/* Signals are taken by the loop alone, so they are blocked before any thread is there. */
static int open_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void tune_process(void) {
    struct rlimit limit;
    /* Large bodies come from mmap and go back at once; without this, glibc raises the threshold
       with the first one and keeps its memory. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_WANTED) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run(struct serve *serve) {
    struct error error;
    serve->began_us = clock_boot_us();
    if (!start(serve, &error)) {
        return exit_with(&error);
    }
    announce(serve);
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
        .signals = open_signals(),
        .metrics = metrics_new(CAPSTAN_VERSION),
        .facts = facts_new(),
    };
    serve.admit = admit_new(serve.facts, &serve.log, serve.metrics, clock_wall_seconds);
    serve.sources = sources_new(options, serve.facts, serve.admit, &serve.log, serve.metrics);
    int status = run(&serve);
    if (serve.cluster != NULL) {
        cluster_stop_lookups(serve.cluster);
    }
    http_stop(serve.metrics_server); /* which counts the webhook's connections */
    http_stop(serve.webhook);
    http_stop(serve.probes);
    if (status == STATUS_OK) {
        log_event(&serve.log, LOG_INFO, "serve.stopped", LOG_TEXT("version", CAPSTAN_VERSION));
    }
    cluster_free(serve.cluster);
    sources_free(serve.sources);
    admit_free(serve.admit);
    facts_free(serve.facts);
    metrics_free(serve.metrics);
    close(serve.signals);
    return status;
}

int serve_command(int argc, char **argv) {
    struct serve_options options;
    int status;
    tune_process();
    if (serve_options_read(argc, argv, &options, &status)) {
        status = serve_with(&options);
    }
    serve_options_fini(&options);
    return status;
}
