// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 59 and 61: very many events, and very many objects.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "edge/clock.h"

enum {
    STORM_EVENTS = 30000,
    STORM_PER_S = 10000,
    STORM_GROWTH_KIB = 4096,
    PACE_MS = 2000,
    MANY = 50000,
    MANY_READY_MS = 60000,
    MANY_KIB = 60 * 1024,
};

/* Alternates between two counts, 10,000 times a second. */
static void storm(const struct cluster *cluster, int first, int last) {
    int64_t began_ms = clock_boot_ms();
    for (int i = first; i < last; i++) {
        const struct cluster_server server = {
            .name = "one", .transport = "stdio", .replicas = 2 + i % 2};
        cluster_put_server(cluster, &server);
        int64_t due_ms = began_ms + (int64_t)(i - first) * 1000 / STORM_PER_S;
        while (clock_boot_ms() < due_ms) {
            http_sleep_ms(1);
        }
    }
}

/* The API server refuses a write if the object has changed since it was judged. Five such tries are
   one write. */
static void check_writes(const struct cluster *cluster, size_t n_max) {
    enum { TRIES = 5 };
    struct fake_request request;
    size_t n = 0;
    size_t n_good = 0;
    for (; fake_find(cluster->api, "WRITE", STATUS_OF("one"), n, &request); n++) {
        n_good += request.status == 200;
    }
    assert_in_range(n_good, 1, n_max);
    assert_in_range(n, 2, n_max * TRIES);
}

static void test_row_59__a_storm_about_one_object_is_a_few_writes(void **state) {
    struct cluster *cluster = *state;
    char generation[256];
    char expected[256];
    cluster_start(cluster);
    int64_t began_ms = clock_boot_ms();
    storm(cluster, 0, STORM_EVENTS / 3);
    int64_t before_kib = program_memory_kib(&cluster->program, "VmRSS");
    storm(cluster, STORM_EVENTS / 3, STORM_EVENTS);
    snprintf(expected, sizeof(expected), "%d", STORM_EVENTS);
    do {
        cluster_get_condition(cluster, "one", CLUSTER_CAPPED, "observedGeneration", generation);
        assert_true(clock_boot_ms() - began_ms < 60000);
        http_sleep_ms(5);
    } while (strcmp(generation, expected) != 0);
    int64_t took_ms = clock_boot_ms() - began_ms;
    check_writes(cluster, (size_t)(took_ms / PACE_MS + 2));
    if (!program_is_sanitized()) {
        assert_true(program_memory_kib(&cluster->program, "VmRSS") < before_kib + STORM_GROWTH_KIB);
    }
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
}

static void test_row_61__50000_objects_are_listed_and_nothing_is_written(void **state) {
    struct cluster *cluster = *state;
    const struct cluster_deployment last = {.name = "server-49999", .replicas = 5};
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof(name), "server-%05d", i);
        const struct cluster_server server = {
            .name = name, .transport = "stdio", .replicas = -1, .status = CLUSTER_QUIET_STATUS};
        cluster_put_server(cluster, &server);
    }
    int64_t began_ms = clock_boot_ms();
    program_start_unready(&cluster->program);
    while (!cluster_is_ready(cluster)) {
        assert_true(clock_boot_ms() - began_ms < MANY_READY_MS);
        http_sleep_ms(10);
    }
    cluster_ask(cluster, cluster_review(&last), PATCH_REPLICAS_TO_1, "stdio-cap");
    if (!program_is_sanitized()) {
        int64_t kib = program_memory_kib(&cluster->program, "VmRSS");
        print_message("%d MCPServers: RSS %lld KiB (under %d)\n", MANY, (long long)kib, MANY_KIB);
        assert_true(kib < MANY_KIB);
    }
    cluster_settle(cluster);
    cluster_assert_count(cluster, "WRITE", NULL, 1);
    assert_true(fake_count(cluster->api, "LIST", SERVERS) >= MANY / 500);
    /* Lists everything again, while the program knows it already. */
    fake_forget(cluster->api);
    static const struct fake_fault expired = {
        .verb = "WATCH", .path = SERVERS, .kind = FAKE_ANSWER, .status = 410, .times = 1};
    fake_inject(cluster->api, &expired);
    fake_end_watches(cluster->api);
    assert_true(fake_wait(cluster->api, "WATCH", SERVERS, 2, MANY_READY_MS));
    cluster_settle(cluster);
    cluster_assert_count(cluster, "WRITE", NULL, 1);
    cluster_assert_count(cluster, "LIST", SERVERS, MANY / 500);
    cluster_ask(cluster, cluster_review(&last), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", "/namespaces/default/mcpservers/", 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_row_59__a_storm_about_one_object_is_a_few_writes,
                                        cluster_setup, cluster_teardown),
        cmocka_unit_test_setup_teardown(
            test_row_61__50000_objects_are_listed_and_nothing_is_written, cluster_setup,
            cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/volume", tests, NULL, NULL);
}
