// SPDX-License-Identifier: Apache-2.0

/*
 * Deployments of stdio MCPServers that run with more than one replica. They were scaled before
 * Capstan came, or while it was away.
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

#define POLICY "apiVersion: capstan.dev/v1\nkind: PolicyConfig\n"

static const struct cluster_deployment one_with_3 = {.name = "one", .replicas = 3};

static int start(void **state) {
    cluster_setup(state);
    cluster_start(*state);
    return 0;
}

static int start_electing(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.elects_leader = true;
    cluster_start(cluster);
    return 0;
}

static int set_up_policy(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.has_policy = true;
    return 0;
}

static void put_pair(const struct cluster *cluster, const char *transport, int replicas) {
    const struct cluster_server server = {
        .name = "one", .transport = transport, .replicas = replicas};
    cluster_put_server(cluster, &server);
    cluster_put_deployment(cluster, &one_with_3);
}

static int live_replicas(const struct cluster *cluster, const char *name) {
    cJSON *deployment = fake_get(cluster->api, FAKE_DEPLOYMENT, "default", name);
    const cJSON *spec = cJSON_GetObjectItemCaseSensitive(deployment, "spec");
    const cJSON *replicas = cJSON_GetObjectItemCaseSensitive(spec, "replicas");
    int n = replicas == NULL ? -1 : replicas->valueint;
    cJSON_Delete(deployment);
    return n;
}

static void test_heal__a_stdio_deployment_is_set_to_1_with_one_event(void **state) {
    struct cluster *cluster = *state;
    struct fake_request request;
    put_pair(cluster, "stdio", -1);
    cluster_wait_for(cluster, "POST", EVENTS, 1);
    cluster_find(cluster, "WRITE", DEPLOYMENTS, 0, &request);
    assert_string_equal(request.verb, "PATCH");
    assert_int_equal(strncmp(request.path, "/apis/apps/v1/namespaces/default/deployments/one/scale",
                             strlen("/apis/apps/v1/namespaces/default/deployments/one/scale")),
                     0);
    assert_string_equal(request.content_type, "application/merge-patch+json");
    assert_int_equal(request.status, 200);
    assert_int_equal(live_replicas(cluster, "one"), 1);
    cluster_find(cluster, "POST", EVENTS, 0, &request);
    assert_string_equal(request.path, "/apis/events.k8s.io/v1/namespaces/default/events");
    assert_int_equal(request.status, 201);
    assert_non_null(strstr(request.body, "\"reason\":\"StdioTransportCapAt1\""));
    assert_non_null(strstr(request.body, "\"uid\":\"m-one\""));
    program_wait_for_log(&cluster->program, "\"scale.written\"", 1);
    cluster_settle_slowly(cluster);
    cluster_assert_count(cluster, "WRITE", DEPLOYMENTS, 1);
    cluster_assert_count(cluster, "POST", EVENTS, 1);
}

/* spec.replicas is over the cap, so there is an Event for each condition and one for the
   Deployment. */
static void test_heal__a_spec_over_the_cap_does_not_matter(void **state) {
    struct cluster *cluster = *state;
    put_pair(cluster, "stdio", 3);
    cluster_wait_for(cluster, "POST", EVENTS, 3);
    cluster_settle_slowly(cluster);
    assert_int_equal(live_replicas(cluster, "one"), 1);
    cluster_assert_count(cluster, "PATCH", SCALE_OF("one"), 1);
    cluster_assert_count(cluster, "POST", EVENTS, 3);
}

static void test_heal__finds_a_scale_from_while_it_was_away(void **state) {
    struct cluster *cluster = *state;
    put_pair(cluster, "stdio", -1);
    cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), 1);
    assert_int_equal(program_stop(&cluster->program), 0);
    cluster_put_deployment(cluster, &one_with_3);
    cluster_start(cluster);
    cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), 2);
}

static void test_heal__leaves_alone_what_is_not_its_business(void **state) {
    static const struct {
        struct cluster_server server;
        struct cluster_deployment deployment;
    } rows[] = {
        {{.transport = "sse", .replicas = -1}, {.replicas = 3}},
        {{.transport = "sse", .replicas = 2, .provider = "redis"}, {.replicas = 3}},
        {{.transport = "streamable-http", .replicas = 1}, {.replicas = 3}},
        {{.transport = "STDIO", .replicas = -1}, {.replicas = 3}},
        {{.transport = "stdio", .replicas = -1}, {.replicas = 1}},
        {{.transport = "stdio", .replicas = -1}, {.replicas = 0}},
        {{.transport = "stdio", .replicas = -1}, {.replicas = -1}},
        {{.transport = "sse", .replicas = -1}, {.replicas = 3, .owner_uid = ""}},
    };
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char name[32];
        struct cluster_server server = rows[i].server;
        struct cluster_deployment deployment = rows[i].deployment;
        snprintf(name, sizeof(name), "server-%zu", i);
        server.name = deployment.name = name;
        cluster_put_server(cluster, &server);
        cluster_put_deployment(cluster, &deployment);
    }
    cluster_settle_slowly(cluster);
    cluster_assert_count(cluster, "WRITE", DEPLOYMENTS, 0);
    cluster_assert_count(cluster, "WRITE", EVENTS, 0);
}

/* Somebody took off the owner, or holds the MCPServer in deletion by a finalizer. */
static void test_heal__needs_no_owner_and_goes_on_during_deletion(void **state) {
    static const struct cluster_server servers[] = {
        {.name = "unowned", .transport = "stdio", .replicas = -1},
        {.name = "disowned", .transport = "stdio", .replicas = -1},
        {.name = "going", .transport = "stdio", .replicas = -1, .is_deleting = true},
    };
    static const struct cluster_deployment deployments[] = {
        {.name = "unowned", .replicas = 3, .owner_uid = ""},
        {.name = "disowned", .replicas = 3, .owner_uid = "m-another"},
        {.name = "going", .replicas = 3},
    };
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        cluster_put_server(cluster, &servers[i]);
        cluster_put_deployment(cluster, &deployments[i]);
    }
    cluster_wait_for(cluster, "PATCH", "/scale", COUNT_OF(servers));
    cluster_settle(cluster);
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        assert_int_equal(live_replicas(cluster, servers[i].name), 1);
    }
}

/* Healing takes a look and a write; the policy allows both or neither. */
static void test_heal__follows_the_policy(void **state) {
    static const struct {
        const char *policy;
        size_t n_writes;
    } rows[] = {
        {POLICY "stdioCap: {mode: deny}\n", 1},
        {POLICY "stdioCap: {mode: warn}\n", 0},
        {POLICY "stdioCap: {mode: \"off\"}\n", 0},
        {POLICY "exempt: [{namespace: default}]\n", 0},
        {POLICY "exempt: [{namespace: default, name: one, rules: [stdio-cap]}]\n", 0},
        {POLICY "exempt: [{namespace: default, name: one, rules: [grace-period]}]\n", 1},
        {POLICY "exempt: [{namespace: default, name: other}]\n", 1},
        {POLICY "exempt: [{namespace: default, until: \"2020-01-01\"}]\n", 1},
    };
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        program_put(&cluster->program, "policy.yaml", rows[i].policy);
        put_pair(cluster, "stdio", -1);
        cluster_start(cluster);
        if (rows[i].n_writes > 0) {
            cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), rows[i].n_writes);
        }
        cluster_settle(cluster);
        if (fake_count(cluster->api, NULL, SCALE_OF("one")) != 2 * rows[i].n_writes) {
            fail_msg("%s", rows[i].policy);
        }
        assert_int_equal(program_stop(&cluster->program), 0);
        fake_remove(cluster->api, FAKE_DEPLOYMENT, "default", "one");
        cluster_remove_server(cluster, "one");
        fake_forget(cluster->api);
    }
}

/* Capstan tries a refused write again only after a change, such as that of the MCPServer's
   status. */
static void test_heal__a_deployment_that_cannot_be_scaled_stops_nothing(void **state) {
    static const int statuses[] = {404, 403, 500, 409, 422};
    struct cluster *cluster = *state;
    char paths[COUNT_OF(statuses)][64];
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        char name[32];
        snprintf(name, sizeof(name), "server-%zu", i);
        snprintf(paths[i], sizeof(paths[i]), "/deployments/%s/scale", name);
        const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = -1};
        const struct cluster_deployment deployment = {.name = name, .replicas = 3};
        const struct fake_fault fault = {
            .verb = "PATCH", .path = paths[i], .kind = FAKE_ANSWER, .status = statuses[i]};
        fake_inject(cluster->api, &fault);
        cluster_put_server(cluster, &server);
        cluster_put_deployment(cluster, &deployment);
    }
    cluster_settle_slowly(cluster);
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        assert_in_range(fake_count(cluster->api, "PATCH", paths[i]), 1, 3);
    }
    assert_true(program_count_log(&cluster->program, "\"scale.refused\"") >= 4);
}

/* Somebody lowers the count between the look and the write, so the look is out of date. */
static void test_heal__a_count_that_was_lowered_meanwhile_is_not_raised(void **state) {
    struct cluster *cluster = *state;
    static const struct cluster_deployment stopped = {.name = "one", .replicas = 0};
    static const struct fake_fault held = {
        .verb = "PATCH", .path = SCALE_OF("one"), .kind = FAKE_HELD};
    fake_inject(cluster->api, &held);
    put_pair(cluster, "stdio", -1);
    cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), 1);
    cluster_put_deployment(cluster, &stopped);
    fake_heal(cluster->api);
    cluster_settle_slowly(cluster);
    assert_int_equal(live_replicas(cluster, "one"), 0);
    cluster_assert_count(cluster, "PATCH", SCALE_OF("one"), 1);
    cluster_assert_count(cluster, "WRITE", EVENTS, 0);
}

static void test_heal__events_that_are_refused_stop_nothing(void **state) {
    struct cluster *cluster = *state;
    const struct fake_fault denied = {
        .verb = "POST", .path = EVENTS, .kind = FAKE_ANSWER, .status = 403};
    fake_inject(cluster->api, &denied);
    put_pair(cluster, "stdio", 3);
    cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), 1);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    cluster_settle_slowly(cluster);
    assert_int_equal(live_replicas(cluster, "one"), 1);
    cluster_assert_count(cluster, "POST", EVENTS, 3);
}

/* There are more Events than Capstan sends at a time. */
static void test_heal__events_are_sent_before_the_end(void **state) {
    enum { N = 10 };
    static const struct fake_fault held = {.verb = "POST", .path = EVENTS, .kind = FAKE_HELD};
    struct cluster *cluster = *state;
    struct fake_request told;
    struct fake_request released;
    fake_inject(cluster->api, &held);
    for (int i = 0; i < N; i++) {
        char name[32];
        snprintf(name, sizeof(name), "server-%d", i);
        const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = -1};
        const struct cluster_deployment deployment = {.name = name, .replicas = 3};
        cluster_put_server(cluster, &server);
        cluster_put_deployment(cluster, &deployment);
    }
    program_wait_for_metric(&cluster->program, "capstan_scale_writes_total{result=\"ok\"}", N, N);
    program_signal(&cluster->program, SIGTERM);
    program_wait_for_log(&cluster->program, "\"serve.draining\"", 1);
    fake_heal(cluster->api);
    assert_int_equal(program_wait(&cluster->program), 0);
    assert_int_equal(fake_count_objects(cluster->api, FAKE_EVENT), N);
    /* The Lease is released last. */
    cluster_find(cluster, "POST", EVENTS, N - 1, &told);
    cluster_find(cluster, "PUT", LEASE, fake_count(cluster->api, "PUT", LEASE) - 1, &released);
    assert_non_null(strstr(released.body, "\"holderIdentity\":\"\""));
    assert_true(released.at_ms >= told.at_ms);
}

/* The two watches are independent, so that of the MCPServers may be behind. */
static void test_heal__a_server_that_left_stdio_is_not_touched(void **state) {
    struct cluster *cluster = *state;
    const struct fake_fault silence = {.verb = "WATCH", .path = "/mcpservers", .kind = FAKE_SILENT};
    const struct cluster_server stdio = {.name = "one", .transport = "stdio", .replicas = -1};
    const struct cluster_server sse = {.name = "one", .transport = "sse", .replicas = -1};
    cluster_put_server(cluster, &stdio);
    fake_inject(cluster->api, &silence);
    program_start_unready(&cluster->program);
    cluster_wait_until_ready(cluster);
    cluster_put_server(cluster, &sse);
    cluster_put_deployment(cluster, &one_with_3);
    cluster_wait_for(cluster, "GET", "/namespaces/default/mcpservers/one", 1);
    /* Once the watch is back and has sent its events, any effect of the old state has happened. */
    fake_heal(cluster->api);
    cluster_settle(cluster);
    assert_int_equal(live_replicas(cluster, "one"), 3);
    cluster_assert_count(cluster, NULL, SCALE_OF("one"), 0);
    cluster_assert_count(cluster, "WRITE", DEPLOYMENTS, 0);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, start, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_heal__a_stdio_deployment_is_set_to_1_with_one_event),
        FRESH(test_heal__a_spec_over_the_cap_does_not_matter),
        FRESH(test_heal__finds_a_scale_from_while_it_was_away),
        FRESH(test_heal__leaves_alone_what_is_not_its_business),
        FRESH(test_heal__needs_no_owner_and_goes_on_during_deletion),
        cmocka_unit_test_setup_teardown(test_heal__a_server_that_left_stdio_is_not_touched,
                                        cluster_setup, cluster_teardown),
        cmocka_unit_test_setup_teardown(test_heal__follows_the_policy, set_up_policy,
                                        cluster_teardown),
        FRESH(test_heal__a_deployment_that_cannot_be_scaled_stops_nothing),
        FRESH(test_heal__a_count_that_was_lowered_meanwhile_is_not_raised),
        FRESH(test_heal__events_that_are_refused_stop_nothing),
        cmocka_unit_test_setup_teardown(test_heal__events_are_sent_before_the_end, start_electing,
                                        cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/heal", tests, NULL, NULL);
}
