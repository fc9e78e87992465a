// SPDX-License-Identifier: Apache-2.0

/*
 * The three kinds of the family: each is discovered, listed, watched and looked up by itself. A
 * kind that the API server lacks, or does not show, disturbs no other one.
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

#define OPERATOR "system:serviceaccount:toolhive-system:toolhive-operator"

static const struct cluster_deployment one_with_5 = {.name = "one", .replicas = 5};

/* One object of the kind, without spec.replicas. An MCPServer is stdio. */
static void put(const struct cluster *cluster, enum fake_kind kind, const char *name) {
    const struct cluster_server object = {.kind = kind, .name = name, .replicas = -1};
    cluster_put_server(cluster, &object);
}

static void wait_for_counts(const struct cluster *cluster, int n_servers, int n_proxies,
                            int n_virtuals) {
    const struct program *program = &cluster->program;
    program_wait_for_metric(program, "capstan_mcpservers", n_servers, n_servers);
    program_wait_for_metric(program, "capstan_mcpremoteproxies", n_proxies, n_proxies);
    program_wait_for_metric(program, "capstan_virtualmcpservers", n_virtuals, n_virtuals);
}

static void test_family__three_kinds_are_listed_and_watched(void **state) {
    struct cluster *cluster = *state;
    static const char *const paths[] = {"/v1beta1" SERVERS, "/v1beta1" PROXIES,
                                        "/v1beta1" VIRTUALS};
    static const struct cluster_deployment of_proxy = {
        .kind = FAKE_PROXY, .name = "one", .replicas = 1};
    put(cluster, FAKE_SERVER, "one");
    put(cluster, FAKE_PROXY, "one");
    put(cluster, FAKE_VIRTUAL, "one");
    cluster_start(cluster);
    wait_for_counts(cluster, 1, 1, 1);
    put(cluster, FAKE_PROXY, "two");
    put(cluster, FAKE_VIRTUAL, "two");
    put(cluster, FAKE_VIRTUAL, "three");
    wait_for_counts(cluster, 1, 2, 3);
    fake_remove(cluster->api, FAKE_VIRTUAL, "default", "one");
    wait_for_counts(cluster, 1, 2, 2);
    cluster_put_deployment(cluster, &of_proxy);
    program_wait_for_metric(&cluster->program, "capstan_deployments", 1, 1);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        cluster_assert_count(cluster, "LIST", paths[i], 1);
        cluster_assert_count(cluster, "WATCH", paths[i], 1);
    }
    cluster_settle(cluster);
    cluster_assert_count(cluster, "WRITE", PROXIES, 0);
    cluster_assert_count(cluster, "WRITE", VIRTUALS, 0);
}

/* Row 7: an operator that does not know the live count has it kept. Without an annotation, the
   owner is looked up, and it must be the owner of the right kind: the others share its name, and
   have spec.replicas, or are stdio. */
static void test_family__the_count_of_each_kinds_deployment_is_kept(void **state) {
    static const struct {
        enum fake_kind kind;
        const char *path;
    } rows[] = {
        {FAKE_SERVER, "/namespaces/default/mcpservers/one"},
        {FAKE_PROXY, "/namespaces/default/mcpremoteproxies/one"},
        {FAKE_VIRTUAL, "/namespaces/default/virtualmcpservers/one"},
    };
    struct cluster *cluster = *state;
    cluster_start(cluster);
    fake_hold_watches(cluster->api);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct cluster_deployment deployment = {
            .kind = rows[i].kind, .name = "one", .replicas = 7, .user = OPERATOR};
        for (size_t j = 0; j < COUNT_OF(rows); j++) {
            const struct cluster_server object = {.kind = rows[j].kind,
                                                  .name = "one",
                                                  .transport = "sse",
                                                  .replicas = j == i ? -1 : 7};
            cluster_put_server(cluster, &object);
        }
        cluster_ask(cluster, cluster_review(&deployment), PATCH_REPLICAS_TO_1, "");
        for (size_t j = 0; j < COUNT_OF(rows); j++) {
            cluster_assert_count(cluster, "GET", rows[j].path, j <= i ? 1 : 0);
        }
    }
}

static void test_family__an_absent_crd_does_not_hinder(void **state) {
    enum { PROMPT_MS = 5000 }; /* less than three absences take */
    struct cluster *cluster = *state;
    static const struct cluster_deployment of_proxy = {
        .kind = FAKE_PROXY, .name = "none", .replicas = 5};
    fake_set_versions_of(cluster->api, FAKE_PROXY, "");
    fake_set_versions_of(cluster->api, FAKE_VIRTUAL, "");
    put(cluster, FAKE_SERVER, "one");
    int64_t began_ms = clock_boot_ms();
    cluster_start(cluster);
    assert_true(clock_boot_ms() - began_ms < PROMPT_MS || program_is_sanitized());
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    /* Nobody can be asked about this one. */
    cluster_ask(cluster, cluster_review(&of_proxy), "", "unresolved");
    cluster_assert_count(cluster, NULL, PROXIES, 0);
    cluster_assert_count(cluster, NULL, VIRTUALS, 0);
    assert_int_equal(
        program_count_log(&cluster->program,
                          "\"level\":\"info\",\"event\":\"api.discovered\",\"resource\":"
                          "\"mcpremoteproxies.toolhive.stacklok.dev\",\"version\":"
                          "\"none\""),
        1);
    assert_int_equal(program_count_log(&cluster->program,
                                       "\"resource\":\"virtualmcpservers.toolhive.stacklok.dev\","
                                       "\"version\":\"none\""),
                     1);
    assert_int_equal(program_count_log(&cluster->program, "\"level\":\"warn\",\"event\":\"api."),
                     0);
    /* The CRD of MCPServers is large. It is asked for once, and the group again and again. */
    assert_true(fake_wait(cluster->api, "GET", "/apis/toolhive.stacklok.dev/v1beta1", 3, 15000));
    cluster_assert_count(cluster, "GET", "/customresourcedefinitions/", 1);
}

/* The end of a watch may come from a change of the CRD. But Capstan reads one CRD alone, which is
   large: that of MCPServers, whose watch goes on. */
static void test_family__a_watch_that_ends_again_and_again_asks_for_no_other_crd(void **state) {
    static const struct fake_fault broken = {
        .verb = "WATCH", .path = PROXIES, .kind = FAKE_ANSWER, .status = 403};
    struct cluster *cluster = *state;
    cluster_start(cluster);
    cluster_assert_count(cluster, "GET", "/customresourcedefinitions/", 1);
    fake_inject(cluster->api, &broken);
    fake_cut_watches(cluster->api);
    /* The watch of MCPServers was cut, too, so that its CRD is asked for once more. */
    assert_true(fake_wait(cluster->api, "GET", "/customresourcedefinitions/", 2, 15000));
    size_t n = fake_count(cluster->api, "GET", "/apis/toolhive.stacklok.dev/v1beta1");
    assert_true(
        fake_wait(cluster->api, "GET", "/apis/toolhive.stacklok.dev/v1beta1", n + 2, 30000));
    cluster_assert_count(cluster, "GET", "/customresourcedefinitions/", 2);
}

static void test_family__a_version_that_nobody_knows_will_do(void **state) {
    struct cluster *cluster = *state;
    struct fake_request request;
    static const struct cluster_server capped = {
        .name = "capped", .transport = "stdio", .replicas = 3};
    static const struct cluster_deployment fresh = {.name = "fresh", .replicas = 5};
    fake_set_versions(cluster->api, "v1beta2");
    put(cluster, FAKE_SERVER, "one");
    put(cluster, FAKE_PROXY, "one");
    cluster_put_server(cluster, &capped);
    cluster_start(cluster);
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_wait_for_condition(cluster, "capped", CLUSTER_CAPPED, "True");
    cluster_find(cluster, "PATCH", STATUS_OF("capped"), 0, &request);
    assert_non_null(strstr(request.path, "/v1beta2/"));
    assert_non_null(strstr(request.body, "\"toolhive.stacklok.dev/v1beta2\""));
    wait_for_counts(cluster, 2, 1, 0);
    /* By a look-up, too. */
    fake_hold_watches(cluster->api);
    put(cluster, FAKE_SERVER, "fresh");
    cluster_ask(cluster, cluster_review(&fresh), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", "/v1beta2/namespaces/default/mcpservers/fresh", 1);
}

static void test_family__kinds_may_have_different_versions(void **state) {
    struct cluster *cluster = *state;
    fake_set_versions_of(cluster->api, FAKE_SERVER, "v1beta1,v1alpha1");
    fake_set_versions_of(cluster->api, FAKE_PROXY, "v1alpha1");
    fake_set_versions_of(cluster->api, FAKE_VIRTUAL, "v2");
    put(cluster, FAKE_SERVER, "one");
    put(cluster, FAKE_PROXY, "one");
    put(cluster, FAKE_VIRTUAL, "one");
    cluster_start(cluster);
    wait_for_counts(cluster, 1, 1, 1);
    cluster_assert_count(cluster, "LIST", "/v1beta1" SERVERS, 1);
    cluster_assert_count(cluster, "LIST", "/v1alpha1" PROXIES, 1);
    cluster_assert_count(cluster, "LIST", "/v2" VIRTUALS, 1);
    cluster_assert_count(cluster, "LIST", "/toolhive.stacklok.dev/", 3);
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
}

static void test_row_50__a_kind_that_is_forbidden_stops_no_other(void **state) {
    static const struct fake_fault denied = {
        .verb = "LIST", .path = PROXIES, .kind = FAKE_ANSWER, .status = 403};
    struct cluster *cluster = *state;
    put(cluster, FAKE_SERVER, "one");
    put(cluster, FAKE_VIRTUAL, "one");
    fake_inject(cluster->api, &denied);
    program_start_unready(&cluster->program);
    wait_for_counts(cluster, 1, 0, 1);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "False");
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    assert_false(cluster_is_ready(cluster));
    program_wait_for_log(&cluster->program, "mcpremoteproxies have not been listed yet", 1);
    fake_heal(cluster->api);
    cluster_wait_until_ready(cluster);
}

/* The kind that may be there stays unknown, and the others go on. */
static void test_row_50__a_version_that_is_forbidden_stops_no_other(void **state) {
    static const struct fake_fault denied = {
        .verb = "GET", .path = "/toolhive.stacklok.dev/v2", .kind = FAKE_ANSWER, .status = 403};
    struct cluster *cluster = *state;
    fake_set_versions_of(cluster->api, FAKE_VIRTUAL, "v2");
    put(cluster, FAKE_SERVER, "one");
    put(cluster, FAKE_PROXY, "one");
    put(cluster, FAKE_VIRTUAL, "one");
    fake_inject(cluster->api, &denied);
    program_start_unready(&cluster->program);
    wait_for_counts(cluster, 1, 1, 0);
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    program_wait_for_log(&cluster->program, "\"event\":\"api.failed\"", 1);
    assert_false(cluster_is_ready(cluster));
    assert_int_equal(program_count_log(&cluster->program, "\"version\":\"none\""), 0);
    fake_heal(cluster->api);
    cluster_wait_until_ready(cluster);
    wait_for_counts(cluster, 1, 1, 1);
}

#define UNBORN(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        UNBORN(test_family__three_kinds_are_listed_and_watched),
        UNBORN(test_family__the_count_of_each_kinds_deployment_is_kept),
        UNBORN(test_family__an_absent_crd_does_not_hinder),
        UNBORN(test_family__a_watch_that_ends_again_and_again_asks_for_no_other_crd),
        UNBORN(test_family__a_version_that_nobody_knows_will_do),
        UNBORN(test_family__kinds_may_have_different_versions),
        UNBORN(test_row_50__a_kind_that_is_forbidden_stops_no_other),
        UNBORN(test_row_50__a_version_that_is_forbidden_stops_no_other),
    };
    return cmocka_run_group_tests_name("cluster/family", tests, NULL, NULL);
}
