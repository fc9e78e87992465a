// SPDX-License-Identifier: Apache-2.0

/*
 * Row 48: the Lease, and all answers of its API. Only the leader writes. The tests that take 10 or
 * 15 s are in test_lease_*.c.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

enum { RETRY_MAX_MS = 4400 };

static int set_up(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.elects_leader = true;
    return 0;
}

static int start(void **state) {
    set_up(state);
    cluster_start(*state);
    return 0;
}

static void put(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = 3};
    cluster_put_server(cluster, &server);
}

static void put_and_wait(const struct cluster *cluster, const char *name) {
    put(cluster, name);
    cluster_wait_for_condition(cluster, name, CLUSTER_CAPPED, "True");
}

static void test_lease__without_an_election_there_is_none(void **state) {
    struct cluster *cluster = *state;
    cluster->program.elects_leader = false;
    cluster_start(cluster);
    put_and_wait(cluster, "one");
    cluster_assert_count(cluster, NULL, LEASE, 0);
}

static void test_row_48__a_lease_that_is_not_there_is_made(void **state) {
    struct cluster *cluster = *state;
    struct fake_request request;
    char holder[256];
    put_and_wait(cluster, "one");
    cluster_find(cluster, "POST", LEASE, 0, &request);
    assert_string_equal(request.path,
                        "/apis/coordination.k8s.io/v1/namespaces/" CLUSTER_NAMESPACE "/leases");
    assert_int_equal(request.status, 201);
    cluster_get_holder(cluster, holder);
    assert_string_not_equal(holder, "");
    assert_non_null(strstr(request.body, holder));
    assert_int_equal(program_count_log(&cluster->program, "\"leader.elected\""), 1);
    /* The program renews every 2 s, without a look. */
    size_t n_looks = fake_count(cluster->api, "GET", LEASE);
    int64_t began_ms = clock_boot_ms();
    cluster_wait_for(cluster, "PUT", LEASE, 3);
    assert_in_range(clock_boot_ms() - began_ms, 3000, 3 * RETRY_MAX_MS);
    cluster_assert_count(cluster, "GET", LEASE, n_looks);
    /* Every replica serves, but only the leader writes: no write came before it had the Lease. */
    struct fake_request written;
    cluster_find(cluster, "WRITE", SERVERS, 0, &written);
    assert_true(written.at_ms >= request.at_ms);
}

static void test_row_48__a_follower_serves_and_writes_nothing(void **state) {
    struct cluster *cluster = *state;
    const struct cluster_deployment deployment = {.name = "one", .replicas = 5};
    cluster_put_lease(cluster, "another");
    put(cluster, "one");
    cluster_start(cluster);
    cluster_put_deployment(cluster, &deployment);
    for (size_t i = 0; i < 3; i++) {
        cluster_put_lease(cluster, "another");
        cluster_wait_for(cluster, "GET", LEASE, i + 1);
    }
    cluster_ask(cluster, cluster_review(&deployment), PATCH_REPLICAS_TO_1, "stdio-cap");
    assert_true(cluster_is_ready(cluster));
    cluster_assert_count(cluster, "WRITE", NULL, 0);
    cluster_assert_count(cluster, "PUT", LEASE, 0);
    /* The holder leaves. The program takes over, and does the pending work. */
    cluster_put_lease(cluster, "");
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), 1);
}

/* After the deletion nobody holds the Lease. The program must not write before it has made it
   again. */
static void test_row_48__a_lease_that_is_deleted_is_made_again(void **state) {
    struct cluster *cluster = *state;
    struct fake_request made;
    struct fake_request written;
    char holder[256];
    char now[256];
    put_and_wait(cluster, "one");
    cluster_get_holder(cluster, holder);
    fake_remove(cluster->api, FAKE_LEASE, CLUSTER_NAMESPACE, "capstan");
    cluster_wait_for(cluster, "GET", LEASE, 2);
    put_and_wait(cluster, "two");
    cluster_find(cluster, "POST", LEASE, 1, &made);
    cluster_find(cluster, "PATCH", STATUS_OF("two"), 0, &written);
    assert_true(written.at_ms >= made.at_ms);
    cluster_get_holder(cluster, now);
    assert_string_equal(now, holder);
}

/* Somebody takes the Lease while we hold it. The program gives in. */
static void test_row_48__a_lease_that_another_took_is_lost(void **state) {
    struct cluster *cluster = *state;
    put_and_wait(cluster, "one");
    cluster_put_lease(cluster, "another");
    program_wait_for_log(&cluster->program, "\"leader.lost\"", 1);
    size_t n = fake_count(cluster->api, "GET", LEASE);
    put(cluster, "two");
    for (size_t i = 0; i < 2; i++) {
        cluster_put_lease(cluster, "another");
        cluster_wait_for(cluster, "GET", LEASE, n + i + 1);
    }
    cluster_assert_count(cluster, "WRITE", STATUS_OF("two"), 0);
    assert_true(cluster_is_ready(cluster));
}

static void test_row_48__a_leader_that_ends_hands_over_at_once(void **state) {
    struct cluster *cluster = *state;
    struct program second;
    char first_holder[256];
    char holder[256];
    put_and_wait(cluster, "one");
    cluster_init_program(cluster, &second);
    program_start(&second);
    cluster_get_holder(cluster, first_holder);
    cluster_wait_for(cluster, "GET", LEASE, 3);
    put_and_wait(cluster, "two");
    assert_int_equal(program_count_log(&second, "\"leader.elected\""), 0);
    assert_int_equal(program_stop(&cluster->program), 0);
    cluster_get_holder(cluster, holder);
    assert_string_not_equal(holder, first_holder);
    int64_t began_ms = clock_boot_ms();
    put(cluster, "three");
    cluster_wait_for_condition(cluster, "three", CLUSTER_CAPPED, "True");
    assert_in_range(clock_boot_ms() - began_ms, 0, RETRY_MAX_MS + 1000);
    program_wait_for_log(&second, "\"leader.elected\"", 1);
    cluster_get_holder(cluster, holder);
    assert_string_not_equal(holder, first_holder);
    assert_int_equal(program_stop(&second), 0);
    program_fini(&second);
    /* Nobody holds the Lease now, and each status was written once. */
    cluster_get_holder(cluster, holder);
    assert_string_equal(holder, "");
    cluster_assert_count(cluster, "WRITE", STATUS_OF("one"), 1);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("two"), 1);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("three"), 1);
}

#define FRESH(test)  cmocka_unit_test_setup_teardown(test, start, cluster_teardown)
#define UNBORN(test) cmocka_unit_test_setup_teardown(test, set_up, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        UNBORN(test_lease__without_an_election_there_is_none),
        FRESH(test_row_48__a_lease_that_is_not_there_is_made),
        UNBORN(test_row_48__a_follower_serves_and_writes_nothing),
        FRESH(test_row_48__a_lease_that_is_deleted_is_made_again),
        FRESH(test_row_48__a_lease_that_another_took_is_lost),
        FRESH(test_row_48__a_leader_that_ends_hands_over_at_once),
    };
    return cmocka_run_group_tests_name("cluster/lease", tests, NULL, NULL);
}
