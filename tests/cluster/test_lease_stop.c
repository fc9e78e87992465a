// SPDX-License-Identifier: Apache-2.0

/*
 * Row 47: the leader stops for longer than its renewals hold, then goes on. It must not go on to
 * write.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "edge/clock.h"

enum { STOP_MS = 10500 };

static int set_up(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.elects_leader = true;
    return 0;
}

static void put(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = 3};
    cluster_put_server(cluster, &server);
}

/* Stops the program with pending work. When it goes on, it first reads what is in its sockets. */
static void stop_for_long(struct cluster *cluster) {
    program_signal(&cluster->program, SIGSTOP);
    put(cluster, "late");
    int64_t until_ms = clock_boot_ms() + STOP_MS;
    while (clock_boot_ms() < until_ms) {
        http_sleep_ms(until_ms - clock_boot_ms());
    }
}

static void start(struct cluster *cluster) {
    cluster_start(cluster);
    put(cluster, "one");
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    cluster_wait_for(cluster, "PUT", LEASE, 1);
}

static void test_row_47__a_stopped_leader_writes_nothing_when_another_leads(void **state) {
    struct cluster *cluster = *state;
    start(cluster);
    stop_for_long(cluster);
    cluster_put_lease(cluster, "another");
    size_t n = fake_count(cluster->api, NULL, LEASE);
    program_signal(&cluster->program, SIGCONT);
    program_wait_for_log(&cluster->program, "\"leader.lost\"", 1);
    for (size_t i = 0; i < 2; i++) {
        cluster_wait_for(cluster, NULL, LEASE, n + 2 * (i + 1));
        cluster_put_lease(cluster, "another");
    }
    cluster_assert_count(cluster, "WRITE", STATUS_OF("late"), 0);
    assert_true(cluster_is_ready(cluster));
}

static void test_row_47__a_stopped_leader_reads_the_lease_before_it_writes(void **state) {
    struct cluster *cluster = *state;
    struct fake_request look;
    struct fake_request renewal;
    struct fake_request written;
    start(cluster);
    stop_for_long(cluster);
    size_t n = fake_count(cluster->api, NULL, LEASE);
    size_t n_puts = fake_count(cluster->api, "PUT", LEASE);
    program_signal(&cluster->program, SIGCONT);
    cluster_wait_for_condition(cluster, "late", CLUSTER_CAPPED, "True");
    cluster_find(cluster, NULL, LEASE, n, &look);
    cluster_find(cluster, "PUT", LEASE, n_puts, &renewal);
    cluster_find(cluster, "WRITE", STATUS_OF("late"), 0, &written);
    assert_string_equal(look.verb, "GET");
    assert_int_equal(renewal.status, 200);
    assert_true(written.at_ms >= renewal.at_ms);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_row_47__a_stopped_leader_writes_nothing_when_another_leads, set_up,
            cluster_teardown),
        cmocka_unit_test_setup_teardown(
            test_row_47__a_stopped_leader_reads_the_lease_before_it_writes, set_up,
            cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/lease_stop", tests, NULL, NULL);
}
