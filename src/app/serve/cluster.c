// SPDX-License-Identifier: Apache-2.0
#include "cluster.h"

#include <stdlib.h>

#include "base/memory.h"
#include "certificates/adopt.h"
#include "certificates/retire.h"
#include "certificates/rotate.h"
#include "cluster/api.h"
#include "cluster/contest_event.h"
#include "cluster/elect.h"
#include "cluster/events.h"
#include "cluster/lookup.h"
#include "cluster/sync_part.h"
#include "companion/companion.h"
#include "edge/clock.h"

enum {
    CONNECTIONS_MAX = 94, /* the Lease, 16 writes and the look-ups; the watches come on top */
    CLOSE_PATIENCE_MS = 10000,
    EVENTS_PATIENCE_MS = 5000, /* of those; the Lease needs some, too */
};

struct cluster {
    struct kube_access access;
    const char *namespace;
    struct kube *kube;
    struct log *log;
    struct api *api;
    struct elect *elect;
    struct events *events;
    struct companion *companion;
    struct lookup *lookup;
    struct contest_event *contest_event;
    struct rotate *rotate; /* NULL: the certificate comes from files */
    struct retire *retire; /* NULL: there is nothing to retire */
    struct adopt *adopt;
    size_t n_parts; /* 1 for all namespaces, or one for each */
    struct sync_part *parts[WATCH_NAMESPACES_MAX];
    bool is_closing;
    bool is_releasing;
    int64_t closes_ms;      /* when closing ends at the latest */
    int64_t events_wait_ms; /* when it stops waiting for Events */
};

static struct rotate *new_rotate(struct cluster *cluster, const struct serve_options *options,
                                 struct metrics *metrics) {
    const struct rotate_options rotate_options = {
        .kube = cluster->kube,
        .elect = cluster->elect,
        .events = cluster->events,
        .namespace = cluster->namespace,
        .service_name = options->service_name,
        .config_name = options->webhook_config_name,
        .trust_delay_ms = options->trust_delay_ms,
        .retire_delay_ms = options->retire_delay_ms,
        .fails_closed = options->fails_closed,
        .log = cluster->log,
        .metrics = metrics,
    };
    return rotate_new(&rotate_options);
}

static struct retire *new_retire(struct cluster *cluster, const struct serve_options *options) {
    const struct retire_options retire_options = {
        .kube = cluster->kube,
        .elect = cluster->elect,
        .namespace = cluster->namespace,
        .service_name = options->service_name,
        .config_name = options->webhook_config_name,
        .rotate = cluster->rotate,
        .cert_path = options->cert_path,
        .cert_name = options->cert_name,
        .trust_delay_ms = options->trust_delay_ms,
        .log = cluster->log,
    };
    return retire_new(&retire_options);
}

static struct adopt *new_adopt(struct cluster *cluster, const struct serve_options *options) {
    const struct adopt_options adopt_options = {
        .kube = cluster->kube,
        .elect = cluster->elect,
        .namespace = cluster->namespace,
        .service_name = options->service_name,
        .config_name = options->webhook_config_name,
        .log = cluster->log,
    };
    return adopt_new(&adopt_options);
}

static struct contest_event *new_contest_event(struct cluster *cluster, struct facts *facts) {
    const struct contest_event_options options = {
        .api = cluster->api,
        .elect = cluster->elect,
        .events = cluster->events,
        .facts = facts,
    };
    return contest_event_new(&options);
}

static void warn_insecure(const struct kube_access *access, struct log *log) {
    if (access->is_insecure) {
        log_event(log, LOG_WARN, "api.insecure", LOG_TEXT("server", access->server),
                  LOG_TEXT("hint",
                           "insecure-skip-tls-verify: anybody may pose as the API server; give "
                           "the kubeconfig its certificate-authority"));
    }
}

/* Never logs a body, a header or a query: the query of a watch is long, and says nothing. */
static void log_exchange(void *context, const struct kube_exchange *exchange) {
    log_event(context, LOG_DEBUG, exchange->is_begin ? "api.watching" : "api.asked",
              LOG_TEXT("method", exchange->method), LOG_TEXT("path", exchange->path),
              LOG_INTEGER("status", exchange->status),
              LOG_INTEGER("milliseconds", exchange->milliseconds),
              LOG_INTEGER("bytes", (int64_t)exchange->n_bytes));
}

/* The companion writes to MCPServers, and to their Deployments. */
static void on_change(void *context, enum object_kind kind, const struct object *object) {
    struct cluster *cluster = context;
    if (kind_is_family(kind)) {
        lookup_notice(cluster->lookup, kind, object);
    }
    if (kind_has(kind, KIND_HAS_CONDITIONS) || kind == OBJECT_DEPLOYMENT) {
        companion_look(cluster->companion, object);
    }
}

/* Outside of a cluster, files can take its place. */
static bool read_access(const struct serve_options *options, struct kube_access *ret_access,
                        struct error *error) {
    if (kubeconfig_read(options->kubeconfig, NULL, ret_access, error)) {
        return true;
    }
    const struct error inner = *error;
    bool is_outside = options->kubeconfig == NULL && inner.kind == ERROR_NOT_FOUND;
    return is_outside && error_set(error, inner.kind, "%s or --objects PATH", inner.text);
}

static size_t count_parts(const struct serve_options *options) {
    return MAX(options->watch_namespaces.n_items, (size_t)1);
}

static void start_syncs(struct cluster *cluster, const struct serve_options *options,
                        struct facts *facts, struct metrics *metrics) {
    const struct option_texts *namespaces = &options->watch_namespaces;
    for (size_t i = 0; i < count_parts(options); i++) {
        const struct sync_options sync_options = {
            .api = cluster->api,
            .namespace = namespaces->n_items > 0 ? namespaces->items[i] : NULL,
            .facts = facts,
            .log = cluster->log,
            .metrics = metrics,
            .changed = on_change,
            .context = cluster,
        };
        cluster->parts[i] = sync_part_new(&sync_options);
    }
    cluster->n_parts = count_parts(options);
}

static void auto_free(struct cluster **cluster) {
    cluster_free(*cluster);
}

bool cluster_new(const struct serve_options *options, struct facts *facts, struct admit *admit,
                 struct log *log, struct metrics *metrics, struct cluster **ret_cluster,
                 struct error *error) {
    AUTO(auto_free) struct cluster *cluster = memory_new(1, sizeof(*cluster));
    cluster->log = log;
    if (!read_access(options, &cluster->access, error)) {
        return false;
    }
    const struct kube_options kube_options = {
        .access = &cluster->access,
        .user_agent = "capstan/" CAPSTAN_VERSION,
        .connections_max = CONNECTIONS_MAX + SYNC_PART_WATCHES * count_parts(options),
        .on_exchange = log->level <= LOG_DEBUG ? log_exchange : NULL,
        .context = log,
    };
    if (!kube_new(&kube_options, &cluster->kube, error)) {
        return false;
    }
    warn_insecure(&cluster->access, log);
    cluster->namespace =
        options->namespace != NULL ? options->namespace : cluster->access.namespace;
    cluster->api = api_new(cluster->kube, log, metrics);
    cluster->elect =
        elect_new(cluster->kube, cluster->namespace, !options->elects_leader, log, metrics);
    cluster->events = events_new(cluster->kube, log);
    if (options->cert_path == NULL) {
        cluster->rotate = new_rotate(cluster, options, metrics);
    }
    cluster->retire = new_retire(cluster, options);
    cluster->adopt = new_adopt(cluster, options);
    const struct companion_options companion_options = {
        .api = cluster->api,
        .elect = cluster->elect,
        .facts = facts,
        .policy = admit_policy(admit),
        .events = cluster->events,
        .log = log,
        .metrics = metrics,
    };
    cluster->companion = companion_new(&companion_options);
    cluster->lookup = lookup_new(cluster->api, log, metrics);
    admit_set_lookup(admit, cluster->lookup);
    cluster->contest_event = new_contest_event(cluster, facts);
    admit_set_contest_event(admit, cluster->contest_event);
    admit_set_namespaces(admit, options->watch_namespaces.items, options->watch_namespaces.n_items);
    start_syncs(cluster, options, facts, metrics);
    *ret_cluster = TAKE(cluster);
    return true;
}

void cluster_free(struct cluster *cluster) {
    if (cluster == NULL) {
        return;
    }
    kube_free(cluster->kube); /* cancels every request, so that none calls back */
    adopt_free(cluster->adopt);
    retire_free(cluster->retire);
    rotate_free(cluster->rotate);
    for (size_t i = 0; i < cluster->n_parts; i++) {
        sync_part_free(cluster->parts[i]);
    }
    contest_event_free(cluster->contest_event);
    lookup_free(cluster->lookup);
    companion_free(cluster->companion);
    events_free(cluster->events);
    elect_free(cluster->elect);
    api_free(cluster->api);
    kube_access_fini(&cluster->access);
    free(cluster);
}

/* Gives the Lease back only when the writers are done, since the next leader begins to write at
   once. Events come before it, too: no other replica will send them. */
static void release_if_idle(struct cluster *cluster, int64_t now_ms) {
    bool is_idle = companion_is_idle(cluster->companion) &&
                   (cluster->rotate == NULL || rotate_is_idle(cluster->rotate)) &&
                   retire_is_idle(cluster->retire) && adopt_is_idle(cluster->adopt);
    bool are_sent = events_are_sent(cluster->events) || now_ms >= cluster->events_wait_ms;
    if (cluster->is_closing && !cluster->is_releasing && is_idle && are_sent) {
        cluster->is_releasing = true;
        elect_release(cluster->elect);
    }
}

/* Does everything that is due. Returns when to step again. */
static int64_t step(struct cluster *cluster, int64_t now_ms) {
    int64_t next_ms = INT64_MAX;
    next_ms = MIN(next_ms, lookup_step(cluster->lookup, now_ms));
    release_if_idle(cluster, now_ms);
    next_ms = MIN(next_ms, api_step(cluster->api, now_ms));
    for (size_t i = 0; i < cluster->n_parts; i++) {
        next_ms = MIN(next_ms, sync_part_step(cluster->parts[i], now_ms));
    }
    next_ms = MIN(next_ms, elect_step(cluster->elect, now_ms));
    next_ms = MIN(next_ms, companion_step(cluster->companion, now_ms));
    next_ms = MIN(next_ms, events_step(cluster->events, now_ms));
    if (cluster->rotate != NULL) {
        next_ms = MIN(next_ms, rotate_step(cluster->rotate, now_ms));
    }
    next_ms = MIN(next_ms, retire_step(cluster->retire, now_ms));
    next_ms = MIN(next_ms, adopt_step(cluster->adopt, now_ms));
    return next_ms;
}

void cluster_wait(struct cluster *cluster, struct pollfd *descriptors, size_t n_descriptors,
                  int64_t timeout_ms) {
    int64_t now_ms = clock_boot_ms();
    int64_t until_ms = now_ms + timeout_ms;
    until_ms = MIN(until_ms, step(cluster, now_ms));
    int64_t left_ms = until_ms - clock_boot_ms();
    kube_wait(cluster->kube, descriptors, n_descriptors, left_ms > 0 ? left_ms : 0);
    /* Sends the questions that woke the loop, and gives the answers that came. */
    lookup_step(cluster->lookup, clock_boot_ms());
    contest_event_step(cluster->contest_event);
}

/* Somebody who deletes the RoleBinding of one namespace must not take Capstan from the others. But
   if the API server refuses all of them, something else is wrong. */
static bool is_given_up(const struct cluster *cluster, size_t part) {
    bool is_another_listed = false;
    for (size_t i = 0; i < cluster->n_parts; i++) {
        is_another_listed = is_another_listed || sync_part_is_done(cluster->parts[i]);
    }
    return is_another_listed && sync_part_is_refused(cluster->parts[part]);
}

void cluster_why_no_facts(const struct cluster *cluster, struct buffer *out) {
    for (size_t i = 0; i < cluster->n_parts; i++) {
        if (!is_given_up(cluster, i)) {
            sync_part_why_not_done(cluster->parts[i], out);
        }
    }
}

void cluster_why_no_certificate(const struct cluster *cluster, struct buffer *out) {
    int64_t now_ms = clock_boot_ms();
    size_t size = out->size;
    if (cluster->rotate == NULL) {
        return;
    }
    rotate_why_unready(cluster->rotate, now_ms, out);
    if (out->size == size || elect_leads(cluster->elect, now_ms)) {
        return;
    }
    const char *holder = elect_holder(cluster->elect);
    buffer_add_format(
        out,
        "only the leader writes certificates and caBundles; the Lease " ELECT_LEASE_NAME
        " in %s %s%s, and this replica is %s\n",
        cluster->namespace, holder[0] != '\0' ? "is held by " : "has no holder yet", holder,
        elect_identity(cluster->elect));
}

void cluster_set_server(struct cluster *cluster, struct http_server *server) {
    if (cluster->rotate != NULL) {
        rotate_set_server(cluster->rotate, server);
    }
}

const char *cluster_namespace(const struct cluster *cluster) {
    return cluster->namespace;
}

int64_t cluster_wall_s(const struct cluster *cluster) {
    return kube_wall_s(cluster->kube, clock_boot_ms());
}

void cluster_note_ready(struct cluster *cluster) {
    if (cluster->rotate != NULL) {
        rotate_note_ready(cluster->rotate, clock_boot_ms());
    }
}

void cluster_set_policy(struct cluster *cluster, const struct policy *policy) {
    companion_set_policy(cluster->companion, policy);
}

void cluster_close(struct cluster *cluster) {
    if (!cluster->is_closing) {
        cluster->is_closing = true;
        cluster->closes_ms = clock_boot_ms() + CLOSE_PATIENCE_MS;
        cluster->events_wait_ms = clock_boot_ms() + EVENTS_PATIENCE_MS;
        companion_close(cluster->companion);
        if (cluster->rotate != NULL) {
            rotate_close(cluster->rotate);
        }
        retire_close(cluster->retire);
        adopt_close(cluster->adopt);
    }
}

bool cluster_is_closed(const struct cluster *cluster) {
    return clock_boot_ms() >= cluster->closes_ms ||
           (cluster->is_releasing && elect_is_released(cluster->elect));
}

void cluster_stop_lookups(struct cluster *cluster) {
    lookup_close(cluster->lookup);
}
