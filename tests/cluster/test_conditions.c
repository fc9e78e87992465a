// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 62 to 65: the two conditions in a cluster. Capstan writes each once, and again only when
 * something differs. The conditions of others stay.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

#define OLD_TIME "2026-01-02T03:04:05Z"

static int start(void **state) {
    cluster_setup(state);
    cluster_start(*state);
    return 0;
}

static const struct cluster_server capped = {.name = "one", .transport = "stdio", .replicas = 3};

/* The status of `capped`, as Capstan wrote it long ago. */
#define CAPPED_STATUS                                                                              \
    "{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"},"             \
    "{\"type\":\"StdioReplicaCapped\",\"status\":\"True\",\"reason\":\"StdioTransportCapAt1\","    \
    "\"message\":\"stdio transport requires exactly 1 replica; deployment will use 1 regardless "  \
    "of spec.replicas\",\"observedGeneration\":1,\"lastTransitionTime\":\"" OLD_TIME "\"},"        \
    "{\"type\":\"SessionStorageWarning\",\"status\":\"True\","                                     \
    "\"reason\":\"SessionStorageMissingForReplicas\",\"message\":\"replicas > 1 but "              \
    "sessionStorage.provider is not redis; sessions are not shared across replicas\","             \
    "\"observedGeneration\":1,\"lastTransitionTime\":\"" OLD_TIME "\"}]}"

static void assert_member(const struct cluster *cluster, const char *type, const char *member,
                          const char *expected) {
    char is[256];
    cluster_get_condition(cluster, "one", type, member, is);
    assert_string_equal(is, expected);
}

static void put_capped_with_status(const struct cluster *cluster) {
    struct cluster_server server = capped;
    server.status = CAPPED_STATUS;
    cluster_put_server(cluster, &server);
}

static void test_conditions__a_new_mcpserver_is_written_once(void **state) {
    struct cluster *cluster = *state;
    struct fake_request request;
    cluster_put_server(cluster, &capped);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    assert_member(cluster, CLUSTER_STORAGE, "reason", "SessionStorageMissingForReplicas");
    assert_member(cluster, CLUSTER_CAPPED, "observedGeneration", "1");
    cluster_find(cluster, "WRITE", SERVERS, 0, &request);
    assert_string_equal(request.verb, "PATCH");
    assert_string_equal(request.path,
                        "/apis/toolhive.stacklok.dev/v1beta1/namespaces/default/mcpservers/one/"
                        "status?fieldManager=capstan&force=true");
    assert_string_equal(request.content_type, "application/apply-patch+yaml");
    assert_non_null(strstr(request.body, "\"resourceVersion\":\""));
    assert_null(strstr(request.body, "managedFields"));
    assert_null(strstr(request.body, "spec\""));
    cluster_settle_slowly(cluster);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("one"), 1);
}

/* Takes the best of several measurements, since others use the machine too. If writes waited for
   something, even the best would be slow. */
static void test_conditions__the_first_write_waits_for_nothing(void **state) {
    enum { TIMES = 5, AT_ONCE_MS = 500 };
    struct cluster *cluster = *state;
    int64_t best_ms = INT64_MAX;
    for (int i = 0; i < TIMES && best_ms > AT_ONCE_MS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "server-%d", i);
        const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = 3};
        int64_t began_ms = clock_boot_ms();
        cluster_put_server(cluster, &server);
        cluster_wait_for_condition(cluster, name, CLUSTER_CAPPED, "True");
        int64_t took_ms = clock_boot_ms() - began_ms;
        best_ms = took_ms < best_ms ? took_ms : best_ms;
    }
    assert_in_range(best_ms, 0, AT_ONCE_MS);
}

static void test_conditions__a_restart_writes_nothing(void **state) {
    struct cluster *cluster = *state;
    cluster_put_server(cluster, &capped);
    cluster_wait_for(cluster, "PATCH", STATUS_OF("one"), 1);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    assert_int_equal(program_stop(&cluster->program), 0);
    fake_forget(cluster->api);
    cluster_start(cluster);
    cluster_settle_slowly(cluster);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("one"), 0);
}

static void test_conditions__another_writer_of_the_same_is_not_answered(void **state) {
    struct cluster *cluster = *state;
    put_capped_with_status(cluster);
    for (int i = 0; i < 20; i++) {
        cluster_put_server_status(cluster, "one", CAPPED_STATUS);
    }
    cluster_settle(cluster);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("one"), 0);
}

static void test_conditions__the_time_moves_with_a_flip(void **state) {
    struct cluster *cluster = *state;
    struct cluster_server redis = capped;
    redis.provider = "redis";
    put_capped_with_status(cluster);
    cluster_put_server(cluster, &redis);
    cluster_wait_for_condition(cluster, "one", CLUSTER_STORAGE, "False");
    assert_member(cluster, CLUSTER_STORAGE, "reason", "SessionStorageConfigured");
    assert_member(cluster, CLUSTER_CAPPED, "lastTransitionTime", OLD_TIME);
    assert_member(cluster, CLUSTER_CAPPED, "observedGeneration", "2");
    assert_member(cluster, "Ready", "status", "True");
}

static void test_row_62__what_was_erased_comes_back_with_its_time(void **state) {
    struct cluster *cluster = *state;
    put_capped_with_status(cluster);
    cluster_settle(cluster);
    cluster_put_server_status(cluster, "one", "{\"conditions\":[{\"type\":\"Ready\"}]}");
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    assert_member(cluster, CLUSTER_CAPPED, "lastTransitionTime", OLD_TIME);
    assert_member(cluster, CLUSTER_STORAGE, "lastTransitionTime", OLD_TIME);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("one"), 1);
}

static void test_row_62__a_status_that_is_gone_altogether_comes_back(void **state) {
    struct cluster *cluster = *state;
    put_capped_with_status(cluster);
    cluster_settle(cluster);
    cluster_put_server_status(cluster, "one", NULL);
    cluster_wait_for_condition(cluster, "one", CLUSTER_STORAGE, "True");
    assert_member(cluster, CLUSTER_CAPPED, "lastTransitionTime", OLD_TIME);
}

/* The name is the same, but the object is new, and has no history. */
static void test_row_62__a_recreated_mcpserver_has_no_old_times(void **state) {
    struct cluster *cluster = *state;
    struct cluster_server second = capped;
    char time[256];
    second.uid = "m-second";
    put_capped_with_status(cluster);
    cluster_settle(cluster);
    cluster_remove_server(cluster, "one");
    cluster_put_server(cluster, &second);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    cluster_get_condition(cluster, "one", CLUSTER_CAPPED, "lastTransitionTime", time);
    assert_string_not_equal(time, OLD_TIME);
}

static void test_row_63__an_mcpserver_that_is_gone_meanwhile_is_dropped(void **state) {
    struct cluster *cluster = *state;
    const struct fake_fault held = {.verb = "PATCH", .path = STATUS_OF("one"), .kind = FAKE_HELD};
    fake_inject(cluster->api, &held);
    cluster_put_server(cluster, &capped);
    cluster_wait_for(cluster, "PATCH", STATUS_OF("one"), 1);
    cluster_remove_server(cluster, "one");
    fake_heal(cluster->api);
    cluster_settle_slowly(cluster);
    struct fake_request request;
    cluster_find(cluster, "PATCH", STATUS_OF("one"), 0, &request);
    assert_int_equal(request.status, 404);
    cluster_assert_count(cluster, "WRITE", "/mcpservers/one", 1);
    assert_null(fake_get(cluster->api, FAKE_SERVER, "default", "one"));
}

static void test_row_63__an_mcpserver_that_is_being_deleted_is_not_written(void **state) {
    struct cluster *cluster = *state;
    struct cluster_server going = capped;
    going.is_deleting = true;
    cluster_put_server(cluster, &going);
    cluster_settle(cluster);
    cluster_assert_count(cluster, "WRITE", "/mcpservers/one", 0);
}

static void test_row_65__a_422_is_not_tried_again_until_the_object_changes(void **state) {
    struct cluster *cluster = *state;
    struct cluster_server changed = capped;
    const struct fake_fault refusal = {
        .verb = "PATCH", .path = STATUS_OF("one"), .kind = FAKE_ANSWER, .status = 422};
    fake_inject(cluster->api, &refusal);
    cluster_put_server(cluster, &capped);
    cluster_wait_for(cluster, "PATCH", STATUS_OF("one"), 1);
    cluster_settle_slowly(cluster);
    cluster_settle_slowly(cluster);
    cluster_assert_count(cluster, "PATCH", STATUS_OF("one"), 1);
    program_wait_for_log(&cluster->program, "\"status.refused\"", 1);
    fake_heal(cluster->api);
    changed.replicas = 4;
    cluster_put_server(cluster, &changed);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    cluster_assert_count(cluster, "PATCH", STATUS_OF("one"), 2);
    assert_int_equal(program_count_log(&cluster->program, "\"status.refused\""), 1);
}

static void assert_gap(const struct cluster *cluster, size_t index, int64_t low, int64_t high) {
    struct fake_request first;
    struct fake_request second;
    cluster_find(cluster, "PATCH", STATUS_OF("one"), index, &first);
    cluster_find(cluster, "PATCH", STATUS_OF("one"), index + 1, &second);
    assert_in_range(second.at_ms - first.at_ms, low, high);
}

static void test_row_52__a_write_waits_as_long_as_it_is_told(void **state) {
    struct cluster *cluster = *state;
    const struct fake_fault busy = {.verb = "PATCH",
                                    .path = STATUS_OF("one"),
                                    .kind = FAKE_ANSWER,
                                    .status = 429,
                                    .headers = "Retry-After: 3\r\n",
                                    .times = 1};
    fake_inject(cluster->api, &busy);
    cluster_put_server(cluster, &capped);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    assert_gap(cluster, 0, 2990, 9000);
}

static void test_row_53__a_write_that_fails_is_tried_again(void **state) {
    static const struct fake_fault faults[] = {
        {.kind = FAKE_ANSWER, .status = 500},
        {.kind = FAKE_ANSWER, .status = 503, .body = "<html>"},
        {.kind = FAKE_RESET},
        {.kind = FAKE_CUT, .n_bytes = 10},
        {.kind = FAKE_ANSWER, .status = 409},
    };
    struct cluster *cluster = *state;
    char names[COUNT_OF(faults)][16];
    char paths[COUNT_OF(faults)][64];
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct fake_fault fault = faults[i];
        snprintf(names[i], sizeof(names[i]), "server-%zu", i);
        snprintf(paths[i], sizeof(paths[i]), "/mcpservers/%s/status?", names[i]);
        fault.verb = "PATCH";
        fault.path = paths[i];
        fault.times = 1;
        fake_inject(cluster->api, &fault);
        const struct cluster_server server = {
            .name = names[i], .transport = "stdio", .replicas = 3};
        cluster_put_server(cluster, &server);
    }
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        cluster_wait_for_condition(cluster, names[i], CLUSTER_CAPPED, "True");
        assert_in_range(fake_count(cluster->api, "PATCH", paths[i]), 1, 2);
    }
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, start, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_conditions__a_new_mcpserver_is_written_once),
        FRESH(test_conditions__the_first_write_waits_for_nothing),
        FRESH(test_conditions__a_restart_writes_nothing),
        FRESH(test_conditions__another_writer_of_the_same_is_not_answered),
        FRESH(test_conditions__the_time_moves_with_a_flip),
        FRESH(test_row_62__what_was_erased_comes_back_with_its_time),
        FRESH(test_row_62__a_status_that_is_gone_altogether_comes_back),
        FRESH(test_row_62__a_recreated_mcpserver_has_no_old_times),
        FRESH(test_row_63__an_mcpserver_that_is_gone_meanwhile_is_dropped),
        FRESH(test_row_63__an_mcpserver_that_is_being_deleted_is_not_written),
        FRESH(test_row_65__a_422_is_not_tried_again_until_the_object_changes),
        FRESH(test_row_52__a_write_waits_as_long_as_it_is_told),
        FRESH(test_row_53__a_write_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests_name("cluster/conditions", tests, NULL, NULL);
}
