// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "edge/metrics.h"

enum { PAGE_MAX = 65536, BUCKETS = 17, THREADS = 8, ROUNDS = 20000 };

static const struct {
    enum metric metric;
    const char *series;
} all[] = {
    {METRIC_REQUESTS_200, "capstan_admission_requests_total{code=\"200\"}"},
    {METRIC_REQUESTS_400, "capstan_admission_requests_total{code=\"400\"}"},
    {METRIC_REQUESTS_500, "capstan_admission_requests_total{code=\"500\"}"},
    {METRIC_UNRESOLVED, "capstan_admission_unresolved_total"},
    {METRIC_CONFIG_RELOADS_OK, "capstan_config_reloads_total{result=\"ok\"}"},
    {METRIC_CONFIG_RELOADS_REFUSED, "capstan_config_reloads_total{result=\"refused\"}"},
    {METRIC_OBJECTS_RELOADS_OK, "capstan_objects_reloads_total{result=\"ok\"}"},
    {METRIC_OBJECTS_RELOADS_REFUSED, "capstan_objects_reloads_total{result=\"refused\"}"},
    {METRIC_CERTIFICATE_RELOADS_OK, "capstan_certificate_reloads_total{result=\"ok\"}"},
    {METRIC_CERTIFICATE_RELOADS_REFUSED, "capstan_certificate_reloads_total{result=\"refused\"}"},
    {METRIC_CERTIFICATE_EXPIRATION, "capstan_certificate_expiration_timestamp_seconds"},
    {METRIC_STATUS_WRITES_OK, "capstan_status_writes_total{result=\"ok\"}"},
    {METRIC_STATUS_WRITES_ERROR, "capstan_status_writes_total{result=\"error\"}"},
    {METRIC_STATUS_CONFLICTS, "capstan_status_conflicts_total"},
    {METRIC_STATUS_DEFERRED, "capstan_status_deferred_total"},
    {METRIC_SCALE_WRITES_OK, "capstan_scale_writes_total{result=\"ok\"}"},
    {METRIC_SCALE_WRITES_ERROR, "capstan_scale_writes_total{result=\"error\"}"},
    {METRIC_SCALE_CONFLICTS, "capstan_scale_conflicts_total"},
    {METRIC_LOOKUPS_FOUND, "capstan_lookups_total{result=\"found\"}"},
    {METRIC_LOOKUPS_ABSENT, "capstan_lookups_total{result=\"absent\"}"},
    {METRIC_LOOKUPS_FAILED, "capstan_lookups_total{result=\"failed\"}"},
    {METRIC_LEADER, "capstan_leader"},
    {METRIC_WATCH_ERRORS, "capstan_watch_errors_total"},
    {METRIC_DISCOVERY_ERRORS, "capstan_discovery_errors_total"},
    {METRIC_MCPSERVERS, "capstan_mcpservers"},
    {METRIC_MCPREMOTEPROXIES, "capstan_mcpremoteproxies"},
    {METRIC_VIRTUALMCPSERVERS, "capstan_virtualmcpservers"},
    {METRIC_DEPLOYMENTS, "capstan_deployments"},
    {METRIC_HTTP_CONNECTIONS, "capstan_http_connections"},
    {METRIC_HTTP_ACCEPTED, "capstan_http_connections_accepted_total"},
    {METRIC_HTTP_WITHOUT_REQUEST, "capstan_http_connections_without_request_total"},
    {METRIC_HTTP_TIMEOUTS, "capstan_http_timeouts_total"},
    {METRIC_HTTP_EVICTED, "capstan_http_connections_evicted_total"},
    {METRIC_HTTP_MALFORMED, "capstan_http_malformed_total"},
    {METRIC_HTTP_TOO_LARGE, "capstan_http_too_large_total"},
    {METRIC_HTTP_OVER_BUDGET, "capstan_http_over_budget_total"},
};

/* The actions of the rules are counted apart, by names that app gives. */
static const char *const rules[] = {"first", "second-rule"};
enum { DECISIONS = COUNT_OF(rules) * METRIC_ACTION_COUNT, CONTESTED = COUNT_OF(rules) };

static void free_metrics(struct metrics **metrics) {
    metrics_free(*metrics);
}

static struct buffer print(const struct metrics *metrics) {
    struct buffer page;
    buffer_init(&page, PAGE_MAX);
    metrics_print(metrics, &page);
    assert_false(page.is_cut);
    buffer_text(&page);
    return page;
}

static bool is_series(const char *line, const char *series) {
    size_t size = strlen(series);
    return strncmp(line, series, size) == 0 && line[size] == ' ';
}

/* Returns the text behind a series, up to the end of its line. */
static const char *find(const struct buffer *page, const char *series) {
    for (const char *line = page->bytes; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (is_series(line, series)) {
            return line + strlen(series) + 1;
        }
    }
    fail_msg("there is no %s", series);
    return "";
}

static int64_t value_of(const struct buffer *page, const char *series) {
    return strtoll(find(page, series), NULL, 10);
}

static void test_metrics__every_series_exists_from_the_start(void **state) {
    (void)state;
    AUTO(free_metrics) struct metrics *metrics = metrics_new("1.2.3", rules, COUNT_OF(rules));
    AUTO(buffer_fini) struct buffer page = print(metrics);
    assert_int_equal(COUNT_OF(all), METRIC_COUNT);
    size_t n_series = 0;
    for (const char *line = page.bytes; *line != '\0'; line = strchr(line, '\n') + 1) {
        n_series += *line != '#';
    }
    /* And the histogram's buckets, +Inf, sum and count, and the version. */
    assert_int_equal(n_series, METRIC_COUNT + DECISIONS + CONTESTED + BUCKETS + 3 + 1);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_int_equal(value_of(&page, all[i].series), 0);
    }
    assert_int_equal(value_of(&page, "capstan_build_info{version=\"1.2.3\"}"), 1);
}

static void test_metrics__each_number_is_printed_under_its_name(void **state) {
    (void)state;
    AUTO(free_metrics) struct metrics *metrics = metrics_new("1", rules, COUNT_OF(rules));
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        metrics_set(metrics, all[i].metric, (int64_t)(1000 + i));
        metrics_add(metrics, all[i].metric, 5);
        metrics_add(metrics, all[i].metric, -1);
    }
    metrics_set(metrics, METRIC_MCPSERVERS, INT64_MAX);
    metrics_set(metrics, METRIC_DEPLOYMENTS, INT64_MIN);
    AUTO(buffer_fini) struct buffer page = print(metrics);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        int64_t expected = (int64_t)(1004 + i);
        if (all[i].metric == METRIC_MCPSERVERS) {
            expected = INT64_MAX;
        } else if (all[i].metric == METRIC_DEPLOYMENTS) {
            expected = INT64_MIN;
        }
        if (value_of(&page, all[i].series) != expected) {
            fail_msg("%s is %" PRId64, all[i].series, value_of(&page, all[i].series));
        }
    }
}

static void test_metrics__decisions_are_in_the_documented_order(void **state) {
    (void)state;
    static const char *const actions[] = {"patch", "warn", "deny"};
    AUTO(free_metrics) struct metrics *metrics = metrics_new("1", rules, COUNT_OF(rules));
    for (size_t i = 0; i < DECISIONS; i++) {
        for (size_t n = 0; n <= i; n++) {
            metrics_count_decision(metrics, i / 3, (enum metric_action)(i % 3));
        }
    }
    AUTO(buffer_fini) struct buffer page = print(metrics);
    const char *last = page.bytes;
    for (size_t i = 0; i < DECISIONS; i++) {
        char series[128];
        snprintf(series, sizeof(series),
                 "capstan_admission_decisions_total{rule=\"%s\",action=\"%s\"}", rules[i / 3],
                 actions[i % 3]);
        assert_int_equal(value_of(&page, series), i + 1);
        assert_true(find(&page, series) > last);
        last = find(&page, series);
    }
    assert_true(find(&page, "capstan_admission_unresolved_total") > last);
}

static void test_metrics__contested_counts_are_counted_by_rule(void **state) {
    (void)state;
    AUTO(free_metrics) struct metrics *metrics = metrics_new("1", rules, COUNT_OF(rules));
    metrics_count_contested(metrics, 1);
    metrics_count_contested(metrics, 1);
    AUTO(buffer_fini) struct buffer page = print(metrics);
    assert_int_equal(value_of(&page, "capstan_contested_total{rule=\"first\"}"), 0);
    assert_int_equal(value_of(&page, "capstan_contested_total{rule=\"second-rule\"}"), 2);
}

/* Copies the name, up to a label, a space or a suffix of the histogram. */
static void family_of(const char *line, bool is_histogram, char out[128]) {
    size_t size = strcspn(line, "{ ");
    snprintf(out, 128, "%.*s", (int)size, line);
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
    for (size_t i = 0; is_histogram && i < COUNT_OF(suffixes); i++) {
        size_t suffix_size = strlen(suffixes[i]);
        if (size > suffix_size && strcmp(out + size - suffix_size, suffixes[i]) == 0) {
            out[size - suffix_size] = '\0';
        }
    }
}

struct format {
    regex_t help;
    regex_t type;
    regex_t sample;
    char family[128]; /* of the last # HELP line; the samples after it belong to it */
    char kind[16];
};

static void compile(regex_t *expression, const char *text) {
    assert_int_equal(regcomp(expression, text, REG_EXTENDED | REG_NOSUB), 0);
}

static void format_init(struct format *format) {
    *format = (struct format){0};
    compile(&format->help, "^# HELP capstan_[a-z_]+ [A-Z][^\\]*\\.$");
    compile(&format->type, "^# TYPE capstan_[a-z_]+ (counter|gauge|histogram)$");
    compile(&format->sample, "^capstan_[a-z_]+([{][a-z]+=\"[^\"]*\"(,[a-z]+=\"[^\"]*\")*[}])? "
                             "-?[0-9]+([.][0-9]+)?$");
}

static void format_fini(struct format *format) {
    regfree(&format->help);
    regfree(&format->type);
    regfree(&format->sample);
}

static bool matches(const regex_t *expression, const char *line) {
    return regexec(expression, line, 0, NULL, 0) == 0;
}

static void check_line(struct format *format, const char *line) {
    char name[128];
    if (strncmp(line, "# HELP ", 7) == 0) {
        assert_true(matches(&format->help, line));
        assert_int_equal(sscanf(line, "# HELP %127s", format->family), 1);
        format->kind[0] = '\0';
    } else if (strncmp(line, "# TYPE ", 7) == 0) {
        assert_true(matches(&format->type, line));
        assert_int_equal(sscanf(line, "# TYPE %127s %15s", name, format->kind), 2);
        assert_string_equal(name, format->family);
        bool is_total = strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0;
        assert_int_equal(is_total, strcmp(format->kind, "counter") == 0);
    } else {
        family_of(line, strcmp(format->kind, "histogram") == 0, name);
        assert_string_equal(name, format->family);
        if (format->kind[0] == '\0' || !matches(&format->sample, line)) {
            fail_msg("'%s' is no sample", line);
        }
    }
}

static void test_metrics__every_line_follows_the_format(void **state) {
    (void)state;
    AUTO(free_metrics) struct metrics *metrics = metrics_new("0.1.0", rules, COUNT_OF(rules));
    metrics_observe_us(metrics, METRIC_ADMISSION_DURATION, 1234567);
    metrics_add(metrics, METRIC_UNRESOLVED, 3);
    AUTO(buffer_fini) struct buffer page = print(metrics);
    AUTO(format_fini) struct format format;
    format_init(&format);
    assert_int_equal(page.bytes[page.size - 1], '\n');
    size_t n_families = 0;
    char *rest = page.bytes;
    for (char *line = strsep(&rest, "\n"); rest != NULL; line = strsep(&rest, "\n")) {
        check_line(&format, line);
        n_families += strncmp(line, "# TYPE ", 7) == 0;
    }
    assert_int_equal(n_families, 31);
}

static void test_metrics__a_family_is_introduced_once(void **state) {
    (void)state;
    AUTO(free_metrics) struct metrics *metrics = metrics_new("1", rules, COUNT_OF(rules));
    AUTO(buffer_fini) struct buffer page = print(metrics);
    for (const char *line = page.bytes; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, "# TYPE ", 7) != 0) {
            continue;
        }
        char head[160];
        snprintf(head, sizeof(head), "%.*s ", (int)(7 + strcspn(line + 7, " ")), line);
        const char *first = strstr(page.bytes, head);
        assert_ptr_equal(first, line);
        assert_null(strstr(first + 1, head));
    }
}

static void test_metrics__a_duration_counts_from_its_bucket_on(void **state) {
    (void)state;
    static const char *const bounds[BUCKETS + 1] = {
        "0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
        "0.05",    "0.1",    "0.25",    "0.5",    "1",     "2.5",    "5",     "10",   "+Inf"};
    const struct {
        int64_t us;
        size_t bucket;
        const char *sum;
    } rows[] = {
        {INT64_MIN, 0, "0.000000\n"},
        {-1, 0, "0.000000\n"},
        {0, 0, "0.000000\n"},
        {50, 0, "0.000050\n"},
        {51, 1, "0.000051\n"},
        {100, 1, "0.000100\n"},
        {101, 2, "0.000101\n"},
        {250, 2, "0.000250\n"},
        {500, 3, "0.000500\n"},
        {1000, 4, "0.001000\n"},
        {2500, 5, "0.002500\n"},
        {5000, 6, "0.005000\n"},
        {10000, 7, "0.010000\n"},
        {25000, 8, "0.025000\n"},
        {50000, 9, "0.050000\n"},
        {100000, 10, "0.100000\n"},
        {250000, 11, "0.250000\n"},
        {500000, 12, "0.500000\n"},
        {999999, 13, "0.999999\n"},
        {1000000, 13, "1.000000\n"},
        {1000001, 14, "1.000001\n"},
        {5000000, 15, "5.000000\n"},
        {10000000, 16, "10.000000\n"},
        {10000001, 17, "10.000001\n"},
        {INT64_MAX, 17, "9223372036854.775807\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(free_metrics) struct metrics *metrics = metrics_new("1", rules, COUNT_OF(rules));
        metrics_observe_us(metrics, METRIC_ADMISSION_DURATION, rows[i].us);
        AUTO(buffer_fini) struct buffer page = print(metrics);
        for (size_t j = 0; j < COUNT_OF(bounds); j++) {
            char series[96];
            snprintf(series, sizeof(series), "capstan_admission_duration_seconds_bucket{le=\"%s\"}",
                     bounds[j]);
            if (value_of(&page, series) != (j >= rows[i].bucket)) {
                fail_msg("%" PRId64 " us in bucket %s", rows[i].us, bounds[j]);
            }
        }
        assert_int_equal(value_of(&page, "capstan_admission_duration_seconds_count"), 1);
        const char *sum = find(&page, "capstan_admission_duration_seconds_sum");
        assert_int_equal(strncmp(sum, rows[i].sum, strlen(rows[i].sum)), 0);
    }
}

static void test_metrics__buckets_are_cumulative(void **state) {
    (void)state;
    AUTO(free_metrics) struct metrics *metrics = metrics_new("1", rules, COUNT_OF(rules));
    for (int64_t us = 1; us <= 20000000; us *= 2) {
        metrics_observe_us(metrics, METRIC_ADMISSION_DURATION, us);
    }
    AUTO(buffer_fini) struct buffer page = print(metrics);
    static const char bucket[] = "capstan_admission_duration_seconds_bucket{le=";
    int64_t last = 0;
    size_t n_buckets = 0;
    for (const char *line = page.bytes; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, bucket, strlen(bucket)) == 0) {
            int64_t value = strtoll(strchr(line, ' '), NULL, 10);
            assert_true(value >= last);
            last = value;
            n_buckets++;
        }
    }
    assert_int_equal(n_buckets, BUCKETS + 1);
    assert_int_equal(last, 25);
    assert_int_equal(value_of(&page, "capstan_admission_duration_seconds_count"), 25);
}

static void test_metrics__the_version_is_escaped(void **state) {
    (void)state;
    AUTO(free_metrics) struct metrics *metrics = metrics_new("a\"b\\c\nd", rules, COUNT_OF(rules));
    AUTO(buffer_fini) struct buffer page = print(metrics);
    assert_int_equal(value_of(&page, "capstan_build_info{version=\"a\\\"b\\\\c\\nd\"}"), 1);
}

static void *count(void *context) {
    struct metrics *metrics = context;
    for (int i = 0; i < ROUNDS; i++) {
        metrics_add(metrics, METRIC_REQUESTS_200, 1);
        metrics_count_decision(metrics, 1, METRIC_DENY);
        metrics_observe_us(metrics, METRIC_ADMISSION_DURATION, 75);
        metrics_set(metrics, METRIC_MCPSERVERS, i);
    }
    return NULL;
}

static void test_metrics__nothing_is_lost_between_threads(void **state) {
    (void)state;
    AUTO(free_metrics) struct metrics *metrics = metrics_new("1", rules, COUNT_OF(rules));
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count, metrics), 0);
    }
    /* A page printed meanwhile is consistent: the count equals the last bucket. */
    for (int i = 0; i < 50; i++) {
        AUTO(buffer_fini) struct buffer page = print(metrics);
        assert_int_equal(value_of(&page, "capstan_admission_duration_seconds_bucket{le=\"+Inf\"}"),
                         value_of(&page, "capstan_admission_duration_seconds_count"));
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    AUTO(buffer_fini) struct buffer page = print(metrics);
    const int64_t total = (int64_t)THREADS * ROUNDS;
    assert_int_equal(value_of(&page, all[METRIC_REQUESTS_200].series), total);
    assert_int_equal(
        value_of(&page, "capstan_admission_decisions_total{rule=\"second-rule\",action=\"deny\"}"),
        total);
    assert_int_equal(value_of(&page, "capstan_admission_duration_seconds_count"), total);
    assert_int_equal(value_of(&page, "capstan_admission_duration_seconds_sum"),
                     total * 75 / 1000000);
    assert_int_equal(value_of(&page, "capstan_mcpservers"), ROUNDS - 1);
}

static void test_metrics__freeing_none_does_nothing(void **state) {
    (void)state;
    metrics_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics__every_series_exists_from_the_start),
        cmocka_unit_test(test_metrics__each_number_is_printed_under_its_name),
        cmocka_unit_test(test_metrics__contested_counts_are_counted_by_rule),
        cmocka_unit_test(test_metrics__decisions_are_in_the_documented_order),
        cmocka_unit_test(test_metrics__every_line_follows_the_format),
        cmocka_unit_test(test_metrics__a_family_is_introduced_once),
        cmocka_unit_test(test_metrics__a_duration_counts_from_its_bucket_on),
        cmocka_unit_test(test_metrics__buckets_are_cumulative),
        cmocka_unit_test(test_metrics__the_version_is_escaped),
        cmocka_unit_test(test_metrics__nothing_is_lost_between_threads),
        cmocka_unit_test(test_metrics__freeing_none_does_nothing),
    };
    return cmocka_run_group_tests_name("edge/metrics", tests, NULL, NULL);
}
