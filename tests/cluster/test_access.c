// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 49, 50 and 51: rotated tokens, missing rights, and MCPServers that are not served, not yet
 * served, or served under another version.
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

static const struct cluster_deployment one_with_5 = {.name = "one", .replicas = 5};

static void put(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = -1};
    cluster_put_server(cluster, &server);
}

static void put_and_wait(const struct cluster *cluster, const char *name) {
    put(cluster, name);
    cluster_wait_for_condition(cluster, name, CLUSTER_CAPPED, "False");
}

static int start_with_token(void **state) {
    char user[PROGRAM_PATH_SIZE + 32];
    char path[PROGRAM_PATH_SIZE];
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    program_path(&cluster->program, "token", path);
    snprintf(user, sizeof(user), "{tokenFile: \"%s\"}", path);
    program_put(&cluster->program, "token", "first\n");
    cluster_put_kubeconfig(cluster, NULL, user);
    fake_set_token(cluster->api, "first");
    cluster_start(cluster);
    return 0;
}

static void test_row_49__a_rotated_token_is_read_again_at_once(void **state) {
    struct cluster *cluster = *state;
    struct fake_request refused;
    struct fake_request good;
    put_and_wait(cluster, "one");
    cluster_find(cluster, "LIST", SERVERS, 0, &good);
    assert_string_equal(good.authorization, "Bearer first");
    size_t n = fake_count(cluster->api, "WRITE", NULL);
    program_put(&cluster->program, "token", "second\n");
    fake_set_token(cluster->api, "second");
    put_and_wait(cluster, "two");
    cluster_find(cluster, "WRITE", NULL, n, &refused);
    cluster_find(cluster, "WRITE", NULL, n + 1, &good);
    assert_int_equal(refused.status, 401);
    assert_int_equal(good.status, 200);
    assert_string_equal(good.authorization, "Bearer second");
    assert_in_range(good.at_ms - refused.at_ms, 0, 500);
    /* The watches go on with the new token. */
    size_t n_watches = fake_count(cluster->api, "WATCH", SERVERS);
    fake_end_watches(cluster->api);
    cluster_wait_for(cluster, "WATCH", SERVERS, n_watches + 1);
    put_and_wait(cluster, "three");
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
}

static void test_row_49__a_token_that_is_wrong_for_a_while_stops_nothing(void **state) {
    struct cluster *cluster = *state;
    put_and_wait(cluster, "one");
    fake_set_token(cluster->api, "second");
    size_t n = fake_count(cluster->api, NULL, SERVERS);
    fake_end_watches(cluster->api);
    cluster_wait_for(cluster, NULL, SERVERS, n + 2);
    put(cluster, "two");
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    assert_true(cluster_is_ready(cluster));
    /* The file is new but not yet complete. */
    program_put(&cluster->program, "token", "");
    cluster_wait_for(cluster, NULL, SERVERS, n + 3);
    program_put(&cluster->program, "token", "second");
    cluster_wait_for_condition(cluster, "two", CLUSTER_CAPPED, "False");
}

static void test_row_50__a_missing_right_is_logged_once_and_waited_for(void **state) {
    static const struct fake_fault denied = {
        .verb = "LIST", .path = SERVERS, .kind = FAKE_ANSWER, .status = 403};
    struct cluster *cluster = *state;
    put(cluster, "one");
    fake_inject(cluster->api, &denied);
    program_start_unready(&cluster->program);
    cluster_wait_for(cluster, "LIST", SERVERS, 3);
    assert_false(cluster_is_ready(cluster));
    assert_int_equal(program_count_log(&cluster->program, "\"watch.failed\""), 1);
    /* serve.unready may say it as well. */
    assert_in_range(program_count_log(&cluster->program, ": 403"), 1, 2);
    /* A look-up needs another right, which the program has. */
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    fake_heal(cluster->api);
    cluster_wait_until_ready(cluster);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "False");
}

/* A missing right is missing for all objects, so one line in the log is enough, and a few writes
   are. */
static void test_row_50__a_missing_right_to_write_is_logged_once_and_not_retried_fast(
    void **state) {
    enum { SERVERS_DENIED = 20, WRITES_MAX = 6 };
    static const struct fake_fault denied = {
        .verb = "PATCH", .path = "/status?", .kind = FAKE_ANSWER, .status = 403};
    struct cluster *cluster = *state;
    fake_inject(cluster->api, &denied);
    cluster_start(cluster);
    put(cluster, "one");
    for (int i = 1; i < SERVERS_DENIED; i++) {
        char name[32];
        snprintf(name, sizeof(name), "another-%d", i);
        put(cluster, name);
    }
    cluster_wait_for(cluster, "PATCH", "/status?", WRITES_MAX - 1);
    program_wait_for_metric(&cluster->program, "capstan_status_writes_total{result=\"error\"}",
                            WRITES_MAX - 1, WRITES_MAX);
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    assert_int_equal(program_count_log(&cluster->program, "\"status.refused\""), 1);
    assert_in_range(fake_count(cluster->api, "WRITE", NULL), WRITES_MAX - 1, WRITES_MAX);
    fake_heal(cluster->api);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "False");
}

static void test_row_51__without_the_crd_it_serves(void **state) {
    struct cluster *cluster = *state;
    static const struct cluster_server server = {
        .name = "new", .transport = "stdio", .replicas = 3, .provider = "redis"};
    const struct cluster_deployment plain = {.name = "plain", .replicas = 5, .owner_uid = ""};
    struct verdict verdict;
    fake_set_versions(cluster->api, "");
    program_start_unready(&cluster->program);
    cluster_wait_until_ready(cluster);
    /* Its selector names an MCPServer, and nobody can tell that there is none. */
    cluster_ask(cluster, cluster_review(&plain), "", "unresolved");
    cluster_ask(cluster, cluster_review_server(&server), "", "stdio-cap");
    /* The program may know or not know this one; it admits the object unchanged either way. */
    AUTO_FREE char *review = cluster_review(&one_with_5);
    wire_ask(&cluster->program, review, &verdict);
    assert_int_equal(verdict.status, 200);
    assert_true(verdict.is_allowed);
    assert_string_equal(verdict.patch, "");
    cluster_assert_count(cluster, "LIST", SERVERS, 0);
    assert_in_range(fake_count(cluster->api, "GET", "/apis/toolhive.stacklok.dev"), 4, 6);
}

/* ToolHive has other CRDs in the group. One of them may have a version that MCPServers lack. */
static void test_row_51__a_version_of_other_crds_is_not_taken(void **state) {
    struct cluster *cluster = *state;
    static const struct cluster_server server = {
        .name = "new", .transport = "stdio", .replicas = 3, .provider = "redis"};
    fake_set_versions(cluster->api, "+v1beta1,v1alpha1");
    cluster_start(cluster);
    cluster_put_server(cluster, &server);
    cluster_wait_for(cluster, "PATCH", "/toolhive.stacklok.dev/v1alpha1/", 1);
    cluster_assert_count(cluster, "LIST", "/v1beta1/", 0);
}

static void test_row_51__the_older_version_will_do(void **state) {
    struct cluster *cluster = *state;
    struct fake_request request;
    fake_set_versions(cluster->api, "v1alpha1");
    cluster_start(cluster);
    put_and_wait(cluster, "one");
    cluster_find(cluster, "PATCH", SERVERS, 0, &request);
    assert_non_null(strstr(request.path, "/v1alpha1/"));
    assert_non_null(strstr(request.body, "\"toolhive.stacklok.dev/v1alpha1\""));
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
}

static void test_row_51__a_version_that_is_dropped_is_left_for_another(void **state) {
    struct cluster *cluster = *state;
    struct fake_request request;
    put(cluster, "one");
    cluster_start(cluster);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "False");
    fake_set_versions(cluster->api, "v1alpha1");
    fake_end_watches(cluster->api);
    cluster_wait_for(cluster, "LIST", "/v1alpha1/mcpservers", 1);
    put_and_wait(cluster, "two");
    size_t n = fake_count(cluster->api, "PATCH", SERVERS);
    cluster_find(cluster, "PATCH", SERVERS, n - 1, &request);
    assert_non_null(strstr(request.path, "/v1alpha1/"));
    assert_true(cluster_is_ready(cluster));
    cluster_assert_count(cluster, "WRITE", "/mcpservers/one/status", 1);
}

static void test_row_51__a_discovery_that_fails_is_tried_again(void **state) {
    static const struct fake_fault faults[] = {
        {.kind = FAKE_ANSWER, .status = 503},
        {.kind = FAKE_ANSWER, .status = 200, .body = "<html>"},
        {.kind = FAKE_RESET},
    };
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct fake_fault fault = faults[i];
        fault.path = "/apis/toolhive.stacklok.dev";
        fault.verb = "GET";
        fault.times = 1;
        fake_inject(cluster->api, &fault);
        cluster_start(cluster);
        assert_int_equal(program_stop(&cluster->program), 0);
    }
}

#define TOKEN(test)  cmocka_unit_test_setup_teardown(test, start_with_token, cluster_teardown)
#define UNBORN(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TOKEN(test_row_49__a_rotated_token_is_read_again_at_once),
        TOKEN(test_row_49__a_token_that_is_wrong_for_a_while_stops_nothing),
        UNBORN(test_row_50__a_missing_right_is_logged_once_and_waited_for),
        UNBORN(test_row_50__a_missing_right_to_write_is_logged_once_and_not_retried_fast),
        UNBORN(test_row_51__without_the_crd_it_serves),
        UNBORN(test_row_51__a_version_of_other_crds_is_not_taken),
        UNBORN(test_row_51__the_older_version_will_do),
        UNBORN(test_row_51__a_version_that_is_dropped_is_left_for_another),
        UNBORN(test_row_51__a_discovery_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests_name("cluster/access", tests, NULL, NULL);
}
