// SPDX-License-Identifier: Apache-2.0

/*
 * Failures that last: the log says each at once, once a minute, and once when it is over. The limit
 * is a minute, so this test takes more than two.
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

enum { LASTS_MS = 64000, OVER_MS = 100000 };

static const struct {
    const char *failed;
    const char *recovered;
    struct fake_fault fault;
} rows[] = {
    {"\"event\":\"watch.failed\",\"resource\":\"deployments\"",
     "\"event\":\"watch.recovered\",\"resource\":\"deployments\"",
     {.verb = "WATCH", .path = DEPLOYMENTS, .kind = FAKE_ANSWER, .status = 403}},
    {"\"event\":\"event.refused\"",
     "\"event\":\"event.recovered\"",
     {.verb = "POST", .path = EVENTS, .kind = FAKE_ANSWER, .status = 403}},
    {"\"event\":\"scale.refused\"",
     "\"event\":\"scale.recovered\"",
     {.verb = "PATCH", .path = "/scale", .kind = FAKE_ANSWER, .status = 403}},
    {"\"event\":\"leader.failed\"",
     "\"event\":\"leader.recovered\"",
     {.verb = "PUT", .path = LEASE, .kind = FAKE_ANSWER, .status = 403}},
};

static void put(const struct cluster *cluster, int i) {
    char name[32];
    snprintf(name, sizeof(name), "server-%d", i);
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = 3};
    const struct cluster_deployment deployment = {.name = name, .replicas = 3};
    cluster_put_server(cluster, &server);
    cluster_put_deployment(cluster, &deployment);
}

static void test_silence__a_failure_that_lasts_is_a_line_a_minute_and_one_when_it_is_over(
    void **state) {
    struct cluster *cluster = *state;
    int i = 0;
    cluster->program.elects_leader = true;
    cluster_start(cluster);
    put(cluster, i++);
    cluster_wait_for(cluster, "PATCH", "/scale", 1);
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        fake_inject(cluster->api, &rows[row].fault);
    }
    fake_cut_watches(cluster->api);
    for (int64_t began_ms = clock_boot_ms(); clock_boot_ms() - began_ms < LASTS_MS;) {
        put(cluster, i++);
        http_sleep_ms(500);
    }
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        size_t n = program_count_log(&cluster->program, rows[row].failed);
        if (n < 1 || n > 2 || program_count_log(&cluster->program, rows[row].recovered) != 0) {
            fail_msg("%s: %zu lines", rows[row].failed, n);
        }
    }
    /* The first lists: the family and Deployments. */
    assert_true(program_count_log(&cluster->program, "\"watch.synced\"") <= FAKE_FAMILY_COUNT + 1);
    fake_heal(cluster->api);
    put(cluster, i++);
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        int64_t began_ms = clock_boot_ms();
        while (program_count_log(&cluster->program, rows[row].recovered) == 0) {
            if (clock_boot_ms() - began_ms > OVER_MS) {
                fail_msg("%s", rows[row].recovered);
            }
            http_sleep_ms(100);
        }
        assert_int_equal(program_count_log(&cluster->program, rows[row].recovered), 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_silence__a_failure_that_lasts_is_a_line_a_minute_and_one_when_it_is_over,
            cluster_setup, cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/silence", tests, NULL, NULL);
}
