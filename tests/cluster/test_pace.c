// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 62 and 64: writes of one object keep their distance. On a CRD without a map of conditions
 * the program writes the whole status, and must not undo the writes of others.
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

enum { PACE_MS = 2000, FIGHT_MS = 5000, EARLY_MS = 20 };

static const struct cluster_server capped = {.name = "one", .transport = "stdio", .replicas = 3};

static int start(void **state) {
    cluster_setup(state);
    cluster_start(*state);
    return 0;
}

static int start_without_map(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    fake_set_list_map(cluster->api, false);
    cluster_start(cluster);
    return 0;
}

/* The program may not read the CRD, so it does not know if there is a map. */
static int start_blind(void **state) {
    struct cluster *cluster;
    static const struct fake_fault denied = {
        .path = "customresourcedefinitions", .kind = FAKE_ANSWER, .status = 403};
    cluster_setup(state);
    cluster = *state;
    fake_set_list_map(cluster->api, false);
    fake_inject(cluster->api, &denied);
    cluster_start(cluster);
    return 0;
}

static int64_t at_ms(const struct cluster *cluster, const char *path, size_t index) {
    struct fake_request request;
    cluster_find(cluster, "WRITE", path, index, &request);
    return request.at_ms;
}

static void test_row_59__an_object_is_written_once_in_2_s(void **state) {
    struct cluster *cluster = *state;
    struct cluster_server server = capped;
    cluster_put_server(cluster, &server);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    server.replicas = 1;
    cluster_put_server(cluster, &server);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "False");
    assert_in_range(at_ms(cluster, STATUS_OF("one"), 1) - at_ms(cluster, STATUS_OF("one"), 0),
                    PACE_MS - EARLY_MS, 2 * PACE_MS);
}

static void test_row_62__a_persistent_eraser_is_not_fought_without_end(void **state) {
    struct cluster *cluster = *state;
    static const int64_t gaps_ms[] = {PACE_MS, FIGHT_MS};
    cluster_put_server(cluster, &capped);
    for (size_t i = 0; i < sizeof(gaps_ms) / sizeof(gaps_ms[0]); i++) {
        cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
        cluster_put_server_status(cluster, "one", "{\"conditions\":[]}");
        assert_true(fake_wait(cluster->api, "PATCH", STATUS_OF("one"), i + 2, 15000));
        int64_t gap_ms =
            at_ms(cluster, STATUS_OF("one"), i + 1) - at_ms(cluster, STATUS_OF("one"), i);
        assert_in_range(gap_ms, gaps_ms[i] - EARLY_MS, 2 * gaps_ms[i] + 1000);
    }
}

#define FOREIGN                                                                                    \
    "{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"},"             \
    "{\"type\":\"Valid\",\"status\":\"False\",\"message\":\"\\u00e9\\\"\"}]}"

static void assert_foreign(const struct cluster *cluster) {
    char is[256];
    cluster_get_condition(cluster, "one", "Ready", "status", is);
    assert_string_equal(is, "True");
    cluster_get_condition(cluster, "one", "Valid", "message", is);
    assert_string_equal(is, "\xc3\xa9\"");
    cJSON *server = fake_get(cluster->api, FAKE_SERVER, "default", "one");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(server, "status");
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(status, "phase")->valuestring, "Running");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(status, "conditions")), 4);
    cJSON_Delete(server);
}

static void put_with_foreign(const struct cluster *cluster) {
    struct cluster_server server = capped;
    server.status = FOREIGN;
    cluster_put_server(cluster, &server);
}

static void test_row_64__without_a_map_the_conditions_of_others_stay(void **state) {
    struct cluster *cluster = *state;
    put_with_foreign(cluster);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    assert_foreign(cluster);
    cluster_assert_count(cluster, "PUT", "/mcpservers/one/status", 1);
    cluster_assert_count(cluster, "PATCH", SERVERS, 0);
    cluster_put_server_status(cluster, "one", FOREIGN);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    assert_foreign(cluster);
}

/* Somebody else is faster each time but the last. */
static void test_row_64__a_conflict_is_read_and_tried_again(void **state) {
    struct cluster *cluster = *state;
    const struct fake_fault held = {
        .verb = "PUT", .path = "/mcpservers/one/status", .kind = FAKE_HELD, .times = 2};
    fake_inject(cluster->api, &held);
    cluster_put_server(cluster, &capped);
    cluster_wait_for(cluster, "PUT", "/mcpservers/one/status", 1);
    cluster_put_server_status(cluster, "one", "{\"phase\":\"Pending\"}");
    fake_release(cluster->api);
    cluster_wait_for(cluster, "PUT", "/mcpservers/one/status", 2);
    cluster_put_server_status(cluster, "one", FOREIGN);
    fake_release(cluster->api);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    assert_foreign(cluster);
    cluster_assert_count(cluster, "PUT", "/mcpservers/one/status", 3);
}

/* The object of this name may be another one than the program knows. */
static void test_row_64__a_recreated_mcpserver_has_no_old_times(void **state) {
    static const char old_time[] = "2026-01-02T03:04:05Z";
    static const struct fake_fault held = {
        .verb = "GET", .path = "/namespaces/default/mcpservers/one", .kind = FAKE_HELD};
    struct cluster *cluster = *state;
    struct cluster_server second = {
        .name = "one", .uid = "m-second", .transport = "sse", .replicas = 1};
    struct cluster_server first = {
        .name = "one", .transport = "sse", .replicas = 1, .status = CLUSTER_QUIET_STATUS};
    char time[256];
    cluster_put_server(cluster, &first);
    cluster_settle(cluster);
    fake_inject(cluster->api, &held);
    first.replicas = 3;
    first.status = NULL;
    cluster_put_server(cluster, &first);
    cluster_wait_for(cluster, "GET", held.path, 1);
    cluster_get_condition(cluster, "one", CLUSTER_CAPPED, "lastTransitionTime", time);
    assert_string_equal(time, old_time);
    cluster_remove_server(cluster, "one");
    cluster_put_server(cluster, &second);
    fake_heal(cluster->api);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "False");
    cluster_get_condition(cluster, "one", CLUSTER_CAPPED, "lastTransitionTime", time);
    assert_string_not_equal(time, old_time);
}

/* An older CRD, or a new one: after a restart the program asks again. */
static void test_row_64__a_map_that_comes_is_found_after_a_restart(void **state) {
    struct cluster *cluster = *state;
    put_with_foreign(cluster);
    cluster_wait_for(cluster, "PUT", "/mcpservers/one/status", 1);
    assert_int_equal(program_stop(&cluster->program), 0);
    fake_set_list_map(cluster->api, true);
    cluster_put_server_status(cluster, "one", FOREIGN);
    cluster_start(cluster);
    cluster_wait_for(cluster, "PATCH", STATUS_OF("one"), 1);
}

#define FRESH(test)  cmocka_unit_test_setup_teardown(test, start, cluster_teardown)
#define LISTED(test) cmocka_unit_test_setup_teardown(test, start_without_map, cluster_teardown)
#define BLIND(test)                                                                                \
    {                                                                                              \
        "test_row_64__where_the_crd_may_not_be_read_the_conditions_of_others_stay", test,          \
            start_blind, cluster_teardown, NULL                                                    \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_row_59__an_object_is_written_once_in_2_s),
        FRESH(test_row_62__a_persistent_eraser_is_not_fought_without_end),
        LISTED(test_row_64__without_a_map_the_conditions_of_others_stay),
        BLIND(test_row_64__without_a_map_the_conditions_of_others_stay),
        LISTED(test_row_64__a_conflict_is_read_and_tried_again),
        LISTED(test_row_64__a_recreated_mcpserver_has_no_old_times),
        LISTED(test_row_64__a_map_that_comes_is_found_after_a_restart),
    };
    return cmocka_run_group_tests_name("cluster/pace", tests, NULL, NULL);
}
