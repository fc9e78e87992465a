// SPDX-License-Identifier: Apache-2.0

/*
 * Row 51: the CRD comes after the program. The program looks for it less and less often, at last
 * every 30 s. An API server that has just started does not know the CRD for a moment, and the
 * program does not believe it. This test takes that long, so it has a file of its own.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "edge/clock.h"

enum { LOOK_MS = 30000, SLACK_MS = 6000 };

static void test_row_51__a_crd_that_comes_later_is_found_within_30_s(void **state) {
    struct cluster *cluster = *state;
    static const struct cluster_server server = {
        .name = "one", .transport = "stdio", .replicas = 3};
    static const struct cluster_deployment deployment = {.name = "one", .replicas = 5};
    fake_set_versions(cluster->api, "");
    program_start_unready(&cluster->program);
    cluster_wait_until_ready(cluster);
    fake_set_versions(cluster->api, "v1beta1");
    int64_t began_ms = clock_boot_ms();
    cluster_put_server(cluster, &server);
    assert_true(fake_wait(cluster->api, "PATCH", STATUS_OF("one"), 1, LOOK_MS + SLACK_MS));
    assert_in_range(clock_boot_ms() - began_ms, 0, LOOK_MS + SLACK_MS);
    cluster_ask(cluster, cluster_review(&deployment), PATCH_REPLICAS_TO_1, "stdio-cap");
    assert_in_range(fake_count(cluster->api, "GET", "/apis/toolhive.stacklok.dev"), 2, 8);
}

static void test_row_51__a_crd_that_is_away_for_a_moment_is_not_taken_for_gone(void **state) {
    struct cluster *cluster = *state;
    static const struct cluster_server server = {
        .name = "one", .transport = "stdio", .replicas = 3};
    static const struct cluster_deployment deployment = {.name = "one", .replicas = 5};
    cluster_put_server(cluster, &server);
    fake_set_versions(cluster->api, "");
    program_start_unready(&cluster->program);
    assert_true(fake_wait(cluster->api, "GET", "/apis/toolhive.stacklok.dev", 2, SLACK_MS));
    fake_set_versions(cluster->api, "v1beta1");
    cluster_wait_until_ready(cluster);
    cluster_ask(cluster, cluster_review(&deployment), PATCH_REPLICAS_TO_1, "stdio-cap");
    assert_int_equal(program_count_log(&cluster->program, "\"version\":\"none\""), 0);
}

/* An optional kind: it comes, it goes, and it comes back. The others are there all the time. */
static void test_row_51__a_kind_may_come_and_go_and_come_back(void **state) {
    struct cluster *cluster = *state;
    const struct program *program = &cluster->program;
    static const struct cluster_server virtual = {
        .kind = FAKE_VIRTUAL, .name = "one", .replicas = -1};
    static const struct cluster_server server = {.name = "one", .replicas = -1};
    static const struct cluster_deployment deployment = {.name = "one", .replicas = 5};
    fake_set_versions_of(cluster->api, FAKE_VIRTUAL, "");
    cluster_put_server(cluster, &server);
    cluster_put_server(cluster, &virtual);
    cluster_start(cluster);
    fake_set_versions_of(cluster->api, FAKE_VIRTUAL, "v1beta1");
    assert_true(fake_wait(cluster->api, "WATCH", VIRTUALS, 1, LOOK_MS + SLACK_MS));
    program_wait_for_metric(program, "capstan_virtualmcpservers", 1, 1);
    fake_set_versions_of(cluster->api, FAKE_VIRTUAL, "");
    fake_end_watches(cluster->api);
    int64_t gone_ms = clock_boot_ms();
    while (program_metric(program, "capstan_virtualmcpservers") != 0) {
        assert_true(clock_boot_ms() - gone_ms < LOOK_MS);
        http_sleep_ms(50);
    }
    assert_true(cluster_is_ready(cluster));
    size_t n = fake_count(cluster->api, "LIST", VIRTUALS);
    fake_set_versions_of(cluster->api, FAKE_VIRTUAL, "v1beta1");
    assert_true(fake_wait(cluster->api, "LIST", VIRTUALS, n + 1, LOOK_MS + SLACK_MS));
    program_wait_for_metric(program, "capstan_virtualmcpservers", 1, 1);
    cluster_ask(cluster, cluster_review(&deployment), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "LIST", "/v1beta1" SERVERS, 1);
    assert_int_equal(program_count_log(program, "\"level\":\"warn\",\"event\":\"api."), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_row_51__a_crd_that_comes_later_is_found_within_30_s,
                                        cluster_setup, cluster_teardown),
        cmocka_unit_test_setup_teardown(
            test_row_51__a_crd_that_is_away_for_a_moment_is_not_taken_for_gone, cluster_setup,
            cluster_teardown),
        cmocka_unit_test_setup_teardown(test_row_51__a_kind_may_come_and_go_and_come_back,
                                        cluster_setup, cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/late_crd", tests, NULL, NULL);
}
