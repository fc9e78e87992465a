// SPDX-License-Identifier: Apache-2.0

/*
 * Writes that another writer undoes, or that nobody has done at all: the answer to a write counts
 * only if it shows the object as written.
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

enum { EARLY_MS = 20, PACE_MS = 2000, FIGHT_MS = 5000, WAIT_MS = 30000 };

static int start(void **state) {
    cluster_setup(state);
    cluster_start(*state);
    return 0;
}

static void put_deployment(const struct cluster *cluster, int replicas) {
    const struct cluster_deployment deployment = {.name = "one", .replicas = replicas};
    cluster_put_deployment(cluster, &deployment);
}

static void put_pair(const struct cluster *cluster) {
    const struct cluster_server server = {
        .name = "one", .transport = "stdio", .replicas = -1, .status = CLUSTER_QUIET_STATUS};
    cluster_put_server(cluster, &server);
    put_deployment(cluster, 3);
}

static int live_replicas(const struct cluster *cluster) {
    cJSON *deployment = fake_get(cluster->api, FAKE_DEPLOYMENT, "default", "one");
    const cJSON *spec = cJSON_GetObjectItemCaseSensitive(deployment, "spec");
    int n = cJSON_GetObjectItemCaseSensitive(spec, "replicas")->valueint;
    cJSON_Delete(deployment);
    return n;
}

static int64_t gap_ms(const struct cluster *cluster, const char *path, size_t index) {
    struct fake_request first;
    struct fake_request second;
    cluster_find(cluster, "PATCH", path, index, &first);
    cluster_find(cluster, "PATCH", path, index + 1, &second);
    return second.at_ms - first.at_ms;
}

#define ANOTHER_SCALE                                                                              \
    "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"two\"},"       \
    "\"spec\":{\"replicas\":1}}"

/* A proxy that wants a login, or anything else that is not the Scale. */
static void test_undone__a_heal_that_nobody_did_is_tried_again(void **state) {
    static const char *const bodies[] = {
        "<html>please log in</html>",
        "",
        "{}",
        "null",
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Success\"}",
        ANOTHER_SCALE,
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cluster *cluster;
        const struct fake_fault fault = {.verb = "PATCH",
                                         .path = SCALE_OF("one"),
                                         .kind = FAKE_ANSWER,
                                         .status = 200,
                                         .body = bodies[i],
                                         .times = 1};
        start((void **)&cluster);
        fake_inject(cluster->api, &fault);
        put_pair(cluster);
        program_wait_for_log(&cluster->program, "\"scale.refused\"", 1);
        assert_int_equal(program_count_log(&cluster->program, "\"scale.written\""), 0);
        assert_true(program_count_log(&cluster->program, "see whether a proxy") > 0);
        cluster_wait_for(cluster, "POST", EVENTS, 1);
        assert_int_equal(live_replicas(cluster), 1);
        cluster_assert_count(cluster, "PATCH", SCALE_OF("one"), 2);
        cluster_assert_count(cluster, "POST", EVENTS, 1);
        program_wait_for_metric(&cluster->program, "capstan_scale_writes_total{result=\"error\"}",
                                1, 1);
        cluster_teardown((void **)&cluster);
    }
}

/* The same for a status; and another writer may take our conditions out within the request. */
static void test_undone__a_status_that_nobody_wrote_is_tried_again(void **state) {
    static const struct {
        const char *body;
        const char *event;
    } rows[] = {
        {"<html>please log in</html>", "\"status.refused\""},
        {"{\"kind\":\"MCPServer\",\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\",\"metadata\":"
         "{\"namespace\":\"default\",\"name\":\"two\"}}",
         "\"status.refused\""},
        {"{\"kind\":\"MCPServer\",\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\",\"metadata\":"
         "{\"namespace\":\"default\",\"name\":\"one\"},\"status\":" CLUSTER_QUIET_STATUS "}",
         "\"status.contested\""},
    };
    static const struct cluster_server capped = {
        .name = "one", .transport = "stdio", .replicas = 3};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cluster *cluster;
        const struct fake_fault fault = {.verb = "PATCH",
                                         .path = STATUS_OF("one"),
                                         .kind = FAKE_ANSWER,
                                         .status = 200,
                                         .body = rows[i].body,
                                         .times = 1};
        start((void **)&cluster);
        fake_inject(cluster->api, &fault);
        cluster_put_server(cluster, &capped);
        program_wait_for_log(&cluster->program, rows[i].event, 1);
        assert_int_equal(program_count_log(&cluster->program, "\"status.written\""), 0);
        cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
        cluster_wait_for(cluster, "POST", EVENTS, 2); /* of the write that was done */
        cluster_assert_count(cluster, "POST", EVENTS, 2);
        cluster_assert_count(cluster, "PATCH", STATUS_OF("one"), 2);
        program_wait_for_metric(&cluster->program, "capstan_status_writes_total{result=\"error\"}",
                                1, 1);
        cluster_teardown((void **)&cluster);
    }
}

/* Another webhook on deployments/scale, which is asked after ours, sets 3. */
static void test_undone__a_heal_undone_in_its_request_is_said_and_tried_more_slowly(void **state) {
    static const struct fake_fault neighbour = {
        .verb = "PATCH",
        .path = SCALE_OF("one"),
        .kind = FAKE_ANSWER,
        .status = 200,
        .body = "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"namespace\":"
                "\"default\",\"name\":\"one\",\"uid\":\"d-one\"},\"spec\":{\"replicas\":3}}",
        .times = 2};
    struct cluster *cluster = *state;
    fake_inject(cluster->api, &neighbour);
    put_pair(cluster);
    program_wait_for_log(&cluster->program, "\"scale.contested\"", 1);
    assert_true(fake_wait(cluster->api, "PATCH", SCALE_OF("one"), 2, WAIT_MS));
    cluster_assert_count(cluster, "WRITE", EVENTS, 0);
    assert_int_equal(program_count_log(&cluster->program, "\"scale.written\""), 0);
    assert_true(fake_wait(cluster->api, "PATCH", SCALE_OF("one"), 3, WAIT_MS));
    program_wait_for_log(&cluster->program, "\"scale.written\"", 1);
    assert_true(gap_ms(cluster, SCALE_OF("one"), 0) >= FIGHT_MS - EARLY_MS);
    assert_true(gap_ms(cluster, SCALE_OF("one"), 1) >= 2 * FIGHT_MS - EARLY_MS);
    assert_int_equal(live_replicas(cluster), 1);
    assert_int_equal(program_count_log(&cluster->program, "\"scale.contested\""), 1);
    program_wait_for_metric(&cluster->program, "capstan_scale_conflicts_total", 2, 2);
}

/* An autoscaler that follows load, where admission does not stop it. */
static void test_undone__heals_undone_with_another_count_each_time_are_slowed(void **state) {
    struct cluster *cluster = *state;
    put_pair(cluster);
    for (int i = 0; i < 2; i++) {
        assert_true(fake_wait(cluster->api, "PATCH", SCALE_OF("one"), (size_t)i + 1, WAIT_MS));
        program_wait_for_metric(&cluster->program, "capstan_scale_writes_total{result=\"ok\"}",
                                i + 1, i + 1);
        put_deployment(cluster, 2 + i % 2);
    }
    assert_true(fake_wait(cluster->api, "PATCH", SCALE_OF("one"), 3, WAIT_MS));
    assert_true(gap_ms(cluster, SCALE_OF("one"), 0) >= PACE_MS - EARLY_MS);
    assert_true(gap_ms(cluster, SCALE_OF("one"), 1) >= FIGHT_MS - EARLY_MS);
    program_wait_for_metric(&cluster->program, "capstan_scale_conflicts_total", 2, 2);
    assert_int_equal(program_count_log(&cluster->program, "\"scale.contested\""), 1);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, start, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undone__a_heal_that_nobody_did_is_tried_again),
        cmocka_unit_test(test_undone__a_status_that_nobody_wrote_is_tried_again),
        FRESH(test_undone__a_heal_undone_in_its_request_is_said_and_tried_more_slowly),
        FRESH(test_undone__heals_undone_with_another_count_each_time_are_slowed),
    };
    return cmocka_run_group_tests_name("cluster/undone", tests, NULL, NULL);
}
