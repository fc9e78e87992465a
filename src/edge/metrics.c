// SPDX-License-Identifier: Apache-2.0
#include "edge/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/attribute.h"
#include "base/memory.h"

struct bound {
    int64_t us;
    const char *seconds;
};

static const struct bound bounds[] = {
    {50, "0.00005"},  {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},
    {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},
    {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},  {1000000, "1"},   {2500000, "2.5"},
    {5000000, "5"},   {10000000, "10"},
};

enum { BOUNDS_COUNT = COUNT_OF(bounds) };

/* The series of one family must stand side by side. */
struct series {
    const char *family;
    const char *type;
    const char *help;
    const char *labels; /* as printed, or "" */
};

#define REQUESTS                                                                                   \
    "capstan_admission_requests_total", "counter", "Answers to admission requests, by HTTP status."
#define CONFIG_RELOADS                                                                             \
    "capstan_config_reloads_total", "counter", "Changed policy files, taken up or refused."
#define OBJECTS_RELOADS                                                                            \
    "capstan_objects_reloads_total", "counter", "Changed object files, taken up or refused."
#define CERTIFICATE_RELOADS                                                                        \
    "capstan_certificate_reloads_total", "counter", "Changed serving pairs, taken up or refused."
#define STATUS_WRITES                                                                              \
    "capstan_status_writes_total", "counter", "Writes of conditions to MCPServer status."
#define SCALE_WRITES                                                                               \
    "capstan_scale_writes_total", "counter", "Deployments of stdio servers scaled back to 1."
#define LOOKUPS "capstan_lookups_total", "counter", "Live look-ups for admission requests."

static const struct series table[METRIC_COUNT] = {
    [METRIC_REQUESTS_200] = {REQUESTS, "{code=\"200\"}"},
    [METRIC_REQUESTS_400] = {REQUESTS, "{code=\"400\"}"},
    [METRIC_REQUESTS_500] = {REQUESTS, "{code=\"500\"}"},
    [METRIC_UNRESOLVED] = {"capstan_admission_unresolved_total", "counter",
                           "Requests whose MCPServer could not be looked up in time.", ""},
    [METRIC_CONFIG_RELOADS_OK] = {CONFIG_RELOADS, "{result=\"ok\"}"},
    [METRIC_CONFIG_RELOADS_REFUSED] = {CONFIG_RELOADS, "{result=\"refused\"}"},
    [METRIC_OBJECTS_RELOADS_OK] = {OBJECTS_RELOADS, "{result=\"ok\"}"},
    [METRIC_OBJECTS_RELOADS_REFUSED] = {OBJECTS_RELOADS, "{result=\"refused\"}"},
    [METRIC_CERTIFICATE_RELOADS_OK] = {CERTIFICATE_RELOADS, "{result=\"ok\"}"},
    [METRIC_CERTIFICATE_RELOADS_REFUSED] = {CERTIFICATE_RELOADS, "{result=\"refused\"}"},
    [METRIC_CERTIFICATE_EXPIRATION] = {"capstan_certificate_expiration_timestamp_seconds", "gauge",
                                       "When the serving certificate expires.", ""},
    [METRIC_STATUS_WRITES_OK] = {STATUS_WRITES, "{result=\"ok\"}"},
    [METRIC_STATUS_WRITES_ERROR] = {STATUS_WRITES, "{result=\"error\"}"},
    [METRIC_STATUS_CONFLICTS] = {"capstan_status_conflicts_total", "counter",
                                 "Writes that another writer had undone since.", ""},
    [METRIC_STATUS_DEFERRED] = {"capstan_status_deferred_total", "counter",
                                "Writes that were left to the operator, which has written.", ""},
    [METRIC_SCALE_WRITES_OK] = {SCALE_WRITES, "{result=\"ok\"}"},
    [METRIC_SCALE_WRITES_ERROR] = {SCALE_WRITES, "{result=\"error\"}"},
    [METRIC_SCALE_CONFLICTS] = {"capstan_scale_conflicts_total", "counter",
                                "Heals that another writer has undone.", ""},
    [METRIC_LOOKUPS_FOUND] = {LOOKUPS, "{result=\"found\"}"},
    [METRIC_LOOKUPS_ABSENT] = {LOOKUPS, "{result=\"absent\"}"},
    [METRIC_LOOKUPS_FAILED] = {LOOKUPS, "{result=\"failed\"}"},
    [METRIC_LEADER] = {"capstan_leader", "gauge", "Whether this replica is the one that writes.",
                       ""},
    [METRIC_WATCH_ERRORS] = {"capstan_watch_errors_total", "counter",
                             "Lists and watches that failed, and events that mean nothing.", ""},
    [METRIC_DISCOVERY_ERRORS] = {"capstan_discovery_errors_total", "counter",
                                 "Questions about served versions that were not answered.", ""},
    [METRIC_MCPSERVERS] = {"capstan_mcpservers", "gauge", "MCPServers known.", ""},
    [METRIC_MCPREMOTEPROXIES] = {"capstan_mcpremoteproxies", "gauge", "MCPRemoteProxies known.",
                                 ""},
    [METRIC_VIRTUALMCPSERVERS] = {"capstan_virtualmcpservers", "gauge", "VirtualMCPServers known.",
                                  ""},
    [METRIC_DEPLOYMENTS] = {"capstan_deployments", "gauge", "Deployments known.", ""},
    [METRIC_HTTP_CONNECTIONS] = {"capstan_http_connections", "gauge",
                                 "Connections open on the webhook port.", ""},
    [METRIC_HTTP_ACCEPTED] = {"capstan_http_connections_accepted_total", "counter",
                              "Connections accepted on the webhook port.", ""},
    [METRIC_HTTP_WITHOUT_REQUEST] = {"capstan_http_connections_without_request_total", "counter",
                                     "Connections that ended before a request was read.", ""},
    [METRIC_HTTP_TIMEOUTS] = {"capstan_http_timeouts_total", "counter",
                              "Connections closed by a time limit.", ""},
    [METRIC_HTTP_EVICTED] = {"capstan_http_connections_evicted_total", "counter",
                             "Idle or stalled connections closed to make room for new ones.", ""},
    [METRIC_HTTP_MALFORMED] = {"capstan_http_malformed_total", "counter",
                               "Requests refused for their request line or headers, or for "
                               "malformed chunks: 400, 414, 431, 505.",
                               ""},
    [METRIC_HTTP_TOO_LARGE] = {"capstan_http_too_large_total", "counter",
                               "Requests answered 413 for the size of their body.", ""},
    [METRIC_HTTP_OVER_BUDGET] = {"capstan_http_over_budget_total", "counter",
                                 "Requests answered 503 for the bodies in flight.", ""},
};

static const struct series histograms[METRIC_HISTOGRAM_COUNT] = {
    [METRIC_ADMISSION_DURATION] = {"capstan_admission_duration_seconds", "histogram",
                                   "Time from a whole request to its answer.", ""},
};

struct histogram {
    _Atomic uint64_t counts[BOUNDS_COUNT + 1]; /* not cumulative; the last one has no bound */
    _Atomic uint64_t sum_us;
};

struct metrics {
    char *version;
    const char *const *rules;
    size_t n_rules;
    _Atomic int64_t (*decisions)[METRIC_ACTION_COUNT]; /* for each rule */
    _Atomic int64_t *contested;                        /* for each rule */
    _Atomic int64_t values[METRIC_COUNT];
    struct histogram histograms[METRIC_HISTOGRAM_COUNT];
};

struct metrics *metrics_new(const char *version, const char *const *rules, size_t n_rules) {
    struct metrics *metrics = memory_new(1, sizeof(*metrics));
    metrics->rules = rules;
    metrics->n_rules = n_rules;
    metrics->decisions = memory_new(n_rules, sizeof(metrics->decisions[0]));
    metrics->contested = memory_new(n_rules, sizeof(metrics->contested[0]));
    metrics->version = memory_copy(version, strlen(version));
    return metrics;
}

void metrics_free(struct metrics *metrics) {
    if (metrics == NULL) {
        return;
    }
    free(metrics->contested);
    free(metrics->decisions);
    free(metrics->version);
    free(metrics);
}

void metrics_add(struct metrics *metrics, enum metric metric, int64_t n) {
    assert(metric < METRIC_COUNT);
    atomic_fetch_add_explicit(&metrics->values[metric], n, memory_order_relaxed);
}

void metrics_count_decision(struct metrics *metrics, size_t rule, enum metric_action action) {
    assert(rule < metrics->n_rules && action < METRIC_ACTION_COUNT);
    atomic_fetch_add_explicit(&metrics->decisions[rule][action], 1, memory_order_relaxed);
}

void metrics_count_contested(struct metrics *metrics, size_t rule) {
    assert(rule < metrics->n_rules);
    atomic_fetch_add_explicit(&metrics->contested[rule], 1, memory_order_relaxed);
}

void metrics_set(struct metrics *metrics, enum metric metric, int64_t value) {
    assert(metric < METRIC_COUNT);
    atomic_store_explicit(&metrics->values[metric], value, memory_order_relaxed);
}

void metrics_observe_us(struct metrics *metrics, enum metric_histogram histogram,
                        int64_t duration_us) {
    assert(histogram < METRIC_HISTOGRAM_COUNT);
    struct histogram *into = &metrics->histograms[histogram];
    uint64_t duration = (uint64_t)MAX(duration_us, 0);
    size_t i = 0;
    while (i < BOUNDS_COUNT && duration > (uint64_t)bounds[i].us) {
        i++;
    }
    atomic_fetch_add_explicit(&into->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&into->sum_us, duration, memory_order_relaxed);
}

static void print_head(const struct series *series, struct buffer *out) {
    buffer_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", series->family, series->help,
                      series->family, series->type);
}

static void print_decisions(const struct metrics *metrics, struct buffer *out) {
    static const struct series family = {"capstan_admission_decisions_total", "counter",
                                         "What the rules did, by rule and action.", ""};
    static const char *const actions[METRIC_ACTION_COUNT] = {"patch", "warn", "deny"};
    print_head(&family, out);
    for (size_t rule = 0; rule < metrics->n_rules; rule++) {
        for (size_t action = 0; action < METRIC_ACTION_COUNT; action++) {
            int64_t value =
                atomic_load_explicit(&metrics->decisions[rule][action], memory_order_relaxed);
            buffer_add_format(out, "%s{rule=\"%s\",action=\"%s\"} %" PRId64 "\n", family.family,
                              metrics->rules[rule], actions[action], value);
        }
    }
}

static void print_contested(const struct metrics *metrics, struct buffer *out) {
    static const struct series family = {
        "capstan_contested_total", "counter",
        "Counts that a user set on the same object for the third time or more, by rule.", ""};
    print_head(&family, out);
    for (size_t rule = 0; rule < metrics->n_rules; rule++) {
        int64_t value = atomic_load_explicit(&metrics->contested[rule], memory_order_relaxed);
        buffer_add_format(out, "%s{rule=\"%s\"} %" PRId64 "\n", family.family, metrics->rules[rule],
                          value);
    }
}

static void print_values(const struct metrics *metrics, struct buffer *out) {
    const char *family = "";
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct series *series = &table[i];
        if (i == METRIC_UNRESOLVED) {
            print_decisions(metrics, out);
            print_contested(metrics, out);
        }
        if (strcmp(series->family, family) != 0) {
            family = series->family;
            print_head(series, out);
        }
        int64_t value = atomic_load_explicit(&metrics->values[i], memory_order_relaxed);
        buffer_add_format(out, "%s%s %" PRId64 "\n", family, series->labels, value);
    }
}

static void print_histogram(const struct histogram *histogram, const struct series *series,
                            struct buffer *out) {
    const char *family = series->family;
    uint64_t count = 0;
    print_head(series, out);
    for (size_t i = 0; i <= BOUNDS_COUNT; i++) {
        count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        buffer_add_format(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", family,
                          i < BOUNDS_COUNT ? bounds[i].seconds : "+Inf", count);
    }
    uint64_t sum_us = atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
    buffer_add_format(out, "%s_sum %" PRIu64 ".%06" PRIu64 "\n", family, sum_us / 1000000,
                      sum_us % 1000000);
    /* Not a counter of its own: it must equal the last bucket while other threads count. */
    buffer_add_format(out, "%s_count %" PRIu64 "\n", family, count);
}

static void print_label_value(const char *value, struct buffer *out) {
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            buffer_add_text(out, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\') {
            buffer_add_byte(out, '\\');
        }
        buffer_add_byte(out, *value);
    }
}

static void print_build_info(const struct metrics *metrics, struct buffer *out) {
    static const struct series info = {"capstan_build_info", "gauge", "Which version this is.", ""};
    print_head(&info, out);
    buffer_add_format(out, "%s{version=\"", info.family);
    print_label_value(metrics->version, out);
    buffer_add_text(out, "\"} 1\n");
}

void metrics_print(const struct metrics *metrics, struct buffer *out) {
    print_values(metrics, out);
    for (size_t i = 0; i < METRIC_HISTOGRAM_COUNT; i++) {
        print_histogram(&metrics->histograms[i], &histograms[i], out);
    }
    print_build_info(metrics, out);
}
