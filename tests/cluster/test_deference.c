// SPDX-License-Identifier: Apache-2.0

/*
 * The order of two writers of the conditions: `conditions.write`, an operator that writes them too,
 * and a leader whose facts lag behind.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

enum { EARLY_MS = 20, IDLE_MS = 2000, LIMIT_MS = 30000, BOUND_MS = 3000, SLACK_MS = 3000 };

#define POLICY "apiVersion: capstan.dev/v1\nkind: PolicyConfig\n"

static void start_with(struct cluster *cluster, const char *policy) {
    program_put(&cluster->program, "policy.yaml", policy);
    cluster->program.has_policy = true;
    cluster_start(cluster);
}

static int set_up(void **state) {
    return cluster_setup(state);
}

/* Both conditions as they are right for one replica, at this generation. */
static const char *status_at(int generation, char out[2048]) {
    static const char condition[] =
        "{\"type\":\"%s\",\"status\":\"False\",\"reason\":\"%s\",\"message\":\"%s\","
        "\"observedGeneration\":%d,\"lastTransitionTime\":\"2026-01-02T03:04:05Z\"}";
    char one[512];
    char two[512];
    snprintf(one, sizeof(one), condition, CLUSTER_CAPPED, "StdioReplicaCapNotActive",
             "stdio replica cap is not active", generation);
    snprintf(two, sizeof(two), condition, CLUSTER_STORAGE, "SessionStorageWarningNotApplicable",
             "session storage warning is not active", generation);
    snprintf(out, 2048, "{\"conditions\":[%s,%s]}", one, two);
    return out;
}

static void put(const struct cluster *cluster, const char *name, int replicas) {
    const struct cluster_server server = {
        .name = name, .transport = "sse", .replicas = replicas, .provider = "redis"};
    cluster_put_server(cluster, &server);
}

/* An MCPServer of which an operator has just written the status. */
static void put_operated(const struct cluster *cluster, const char *name, bool has_conditions) {
    char status[2048];
    const struct cluster_server server = {.name = name,
                                          .transport = "sse",
                                          .replicas = 0,
                                          .provider = "redis",
                                          .status = status_at(1, status)};
    cluster_put_server(cluster, &server);
    fake_operate(cluster->api, "default", name, status, has_conditions);
}

/* Returns how long after the call the conditions are written. */
static int64_t written_after_ms(const struct cluster *cluster, int64_t began_ms, const char *path) {
    struct fake_request request;
    assert_true(fake_wait(cluster->api, "PATCH", path, 1, LIMIT_MS + SLACK_MS));
    cluster_find(cluster, "PATCH", path, 0, &request);
    return request.at_ms - began_ms;
}

static void test_deference__what_the_operator_writes_itself_is_left_to_it(void **state) {
    struct cluster *cluster = *state;
    char status[2048];
    put_operated(cluster, "one", true);
    start_with(cluster, POLICY);
    put(cluster, "one", 1); /* generation 2 */
    http_sleep_ms(200);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("one"), 0);
    fake_operate(cluster->api, "default", "one", status_at(2, status), true);
    program_wait_for_metric(&cluster->program, "capstan_status_deferred_total", 1, 1);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("one"), 0);
}

static void test_deference__an_operator_that_died_leaves_none_missing(void **state) {
    struct cluster *cluster = *state;
    put_operated(cluster, "one", true);
    start_with(cluster, POLICY);
    int64_t began_ms = clock_boot_ms();
    put(cluster, "one", 2);
    assert_in_range(written_after_ms(cluster, began_ms, STATUS_OF("one")), IDLE_MS - EARLY_MS,
                    BOUND_MS);
    cluster_wait_for_condition(cluster, "one", CLUSTER_STORAGE, "False");
}

static void test_deference__an_old_operator_leaves_none_missing_however_busy_it_is(void **state) {
    struct cluster *cluster = *state;
    put_operated(cluster, "one", false);
    put_operated(cluster, "busy", false);
    start_with(cluster, POLICY);
    int64_t began_ms = clock_boot_ms();
    put(cluster, "one", 2);
    char status[2048];
    while (fake_count(cluster->api, "PATCH", STATUS_OF("one")) == 0) {
        fake_operate(cluster->api, "default", "busy", status_at(1, status), false);
        http_sleep_ms(200);
        assert_true(clock_boot_ms() < began_ms + LIMIT_MS);
    }
    assert_in_range(written_after_ms(cluster, began_ms, STATUS_OF("one")), IDLE_MS - EARLY_MS,
                    BOUND_MS);
}

static void test_deference__an_operator_that_is_always_busy_is_waited_for_30_s(void **state) {
    struct cluster *cluster = *state;
    char status[2048];
    put_operated(cluster, "one", true);
    put_operated(cluster, "busy", true);
    start_with(cluster, POLICY);
    int64_t began_ms = clock_boot_ms();
    put(cluster, "one", 2);
    while (fake_count(cluster->api, "PATCH", STATUS_OF("one")) == 0) {
        fake_operate(cluster->api, "default", "busy", status_at(1, status), true);
        http_sleep_ms(200);
        assert_true(clock_boot_ms() < began_ms + LIMIT_MS + SLACK_MS);
    }
    assert_in_range(written_after_ms(cluster, began_ms, STATUS_OF("one")), LIMIT_MS - EARLY_MS,
                    LIMIT_MS + SLACK_MS);
}

/* Capstan's own writes are no sign of an operator, whatever their number. */
static void test_deference__without_an_operator_nothing_waits(void **state) {
    enum { TIMES = 5, AT_ONCE_MS = 500 };
    struct cluster *cluster = *state;
    int64_t best_ms = INT64_MAX;
    start_with(cluster, POLICY);
    for (int i = 0; i < TIMES; i++) {
        char name[32];
        char path[64];
        snprintf(name, sizeof(name), "server-%d", i);
        snprintf(path, sizeof(path), "/mcpservers/%s/status?", name);
        int64_t began_ms = clock_boot_ms();
        put(cluster, name, 2);
        best_ms = MIN(best_ms, written_after_ms(cluster, began_ms, path));
    }
    assert_in_range(best_ms, 0, AT_ONCE_MS);
}

static void test_deference__on_waits_for_nobody(void **state) {
    enum { AT_ONCE_MS = 1000 };
    struct cluster *cluster = *state;
    put_operated(cluster, "one", true);
    start_with(cluster, POLICY "conditions: {write: on}\n");
    int64_t began_ms = clock_boot_ms();
    put(cluster, "one", 2);
    assert_in_range(written_after_ms(cluster, began_ms, STATUS_OF("one")), 0, AT_ONCE_MS);
}

static void test_deference__off_writes_no_status_until_the_policy_changes(void **state) {
    struct cluster *cluster = *state;
    const struct cluster_deployment deployment = {.name = "one", .replicas = 3};
    const struct cluster_server server = {.name = "one", .transport = "stdio", .replicas = 3};
    start_with(cluster, POLICY "conditions: {write: off}\n");
    cluster_put_server(cluster, &server);
    cluster_put_deployment(cluster, &deployment);
    cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), 1); /* it heals as ever */
    cluster_assert_count(cluster, "WRITE", "/status", 0);
    program_put(&cluster->program, "policy.yaml", POLICY "conditions: {write: \"on\"}\n");
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    program_put(&cluster->program, "policy.yaml", POLICY "conditions: {write: no}\n");
    while (program_count_log(&cluster->program, "source.reloaded") < 2) {
        http_sleep_ms(5);
    }
    fake_forget(cluster->api);
    put(cluster, "two", 2);
    cluster_put_server_status(cluster, "one", NULL);
    http_sleep_ms(IDLE_MS + EARLY_MS);
    cluster_assert_count(cluster, "WRITE", "/status", 0);
}

/* The object is at generation 6, and so are its conditions. The facts have generation 5 without
   conditions: they were erased, came back, and the watch tells none of it. */
static void test_e2__a_leader_whose_watch_lags_takes_nothing_back(void **state) {
    struct cluster *cluster = *state;
    char status[2048];
    char observed[256];
    for (int generation = 1; generation <= 5; generation++) {
        put(cluster, "one", generation % 2);
    }
    cluster_put_lease(cluster, "another");
    cluster->program.elects_leader = true;
    program_start(&cluster->program);
    cluster_wait_for_watches(cluster);
    fake_hold_watches(cluster->api);
    put(cluster, "one", 0);
    fake_operate(cluster->api, "default", "one", status_at(6, status), true);
    /* It takes the Lease after 15 s, and writes at once. */
    assert_true(fake_wait(cluster->api, "PATCH", STATUS_OF("one"), 1, LIMIT_MS));
    struct fake_request request;
    cluster_find(cluster, "PATCH", STATUS_OF("one"), 0, &request);
    cluster_wait_for(cluster, "GET", "/mcpservers/one", 1); /* it reads, and has nothing to write */
    cluster_assert_count(cluster, "WRITE", STATUS_OF("one"), 1);
    cluster_find(cluster, "PATCH", STATUS_OF("one"), 0, &request);
    assert_int_equal(request.status, 409);
    cluster_get_condition(cluster, "one", CLUSTER_CAPPED, "observedGeneration", observed);
    assert_string_equal(observed, "6");
    fake_release_watches(cluster->api);
    cluster_settle_slowly(cluster);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("one"), 1);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_deference__what_the_operator_writes_itself_is_left_to_it),
        FRESH(test_deference__an_operator_that_died_leaves_none_missing),
        FRESH(test_deference__an_old_operator_leaves_none_missing_however_busy_it_is),
        FRESH(test_deference__an_operator_that_is_always_busy_is_waited_for_30_s),
        FRESH(test_deference__without_an_operator_nothing_waits),
        FRESH(test_deference__on_waits_for_nobody),
        FRESH(test_deference__off_writes_no_status_until_the_policy_changes),
        FRESH(test_e2__a_leader_whose_watch_lags_takes_nothing_back),
    };
    return cmocka_run_group_tests_name("cluster/deference", tests, NULL, NULL);
}
