// SPDX-License-Identifier: Apache-2.0

/*
 * A user who scales a stdio server again and again, and is set back each time: what the log, the
 * metric and the Event say. Whatever is said, the cap holds.
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

#define HPA_USER           "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
#define OPERATOR           "system:serviceaccount:toolhive-system:toolhive-operator"
#define HPAS               "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
#define CONTESTED          "capstan_contested_total{rule=\"stdio-cap\"}"
#define REPLICAS_CONTESTED "\"reason\":\"ReplicasContested\""

static const struct cluster_deployment one_with_5 = {.name = "one", .replicas = 5};

static void start_with(struct cluster *cluster) {
    const struct cluster_server server = {
        .name = "one", .transport = "stdio", .replicas = -1, .status = CLUSTER_QUIET_STATUS};
    cluster_put_server(cluster, &server);
    cluster_start(cluster);
}

static int start(void **state) {
    cluster_setup(state);
    start_with(*state);
    return 0;
}

static int start_debug(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.log_level = "debug";
    start_with(cluster);
    return 0;
}

static int start_open(void **state) {
    static const struct cluster_server server = {
        .name = "one", .transport = "sse", .replicas = -1, .status = CLUSTER_QUIET_STATUS};
    cluster_setup(state);
    cluster_put_server(*state, &server);
    cluster_start(*state);
    return 0;
}

static int start_sse(void **state) {
    static const struct cluster_server server = {
        .name = "one", .transport = "sse", .replicas = 2, .provider = "redis"};
    cluster_setup(state);
    cluster_put_server(*state, &server);
    cluster_start(*state);
    return 0;
}

/* Somebody else holds the Lease, so that this replica never leads. */
static int start_following(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.elects_leader = true;
    cluster_put_lease(cluster, "another");
    start_with(cluster);
    return 0;
}

static void ask(const struct cluster *cluster, char *owned_review, const char *user,
                const char *patch, const char *warned) {
    AUTO_FREE char *review = owned_review;
    const char *at = strstr(review, "\"admin\"");
    assert_non_null(at);
    cluster_ask(
        cluster,
        memory_format("%.*s\"%s\"%s", (int)(at - review), review, user, at + strlen("\"admin\"")),
        patch, warned);
}

static void scale_with(const struct cluster *cluster, const char *user, int n, const char *patch,
                       const char *warned) {
    for (int i = 0; i < n; i++) {
        ask(cluster, cluster_review_scale(&one_with_5), user, patch, warned);
    }
}

static void scale(const struct cluster *cluster, const char *user, int n) {
    scale_with(cluster, user, n, PATCH_REPLICAS_TO_1, "stdio-cap");
}

/* The operator will set the count back (row 6b). The log and the metric say so, and no Event. */
static void test_contested__a_count_beside_spec_replicas_is_in_the_log(void **state) {
    struct cluster *cluster = *state;
    scale_with(cluster, HPA_USER, 20, "", "replica-passthrough");
    program_wait_for_log(&cluster->program, "\"review.contested\"", 1);
    assert_int_equal(program_count_log(&cluster->program, "\"review.contested\""), 1);
    assert_int_equal(program_count_log(&cluster->program, "leave spec.replicas unset"), 1);
    assert_int_equal(
        program_metric(&cluster->program, "capstan_contested_total{rule=\"replica-passthrough\"}"),
        18);
    cluster_settle(cluster);
    cluster_assert_count(cluster, NULL, HPAS, 0);
    assert_int_equal(program_metric(&cluster->program, CONTESTED), 0);
}

/* Reads the Event. No other Event comes in these tests. */
static void find_event(const struct cluster *cluster, size_t index, struct fake_request *request) {
    cluster_wait_for(cluster, "POST", EVENTS, index + 1);
    cluster_find(cluster, "POST", EVENTS, index, request);
    assert_non_null(strstr(request->body, REPLICAS_CONTESTED));
    assert_non_null(strstr(request->body, "\"type\":\"Warning\""));
    assert_non_null(strstr(request->body, "\"uid\":\"m-one\""));
}

static void test_contested__20_scales_make_3_lines_and_1_event(void **state) {
    const struct cluster *cluster = *state;
    struct fake_request request;
    scale(cluster, "alice", 20);
    find_event(cluster, 0, &request);
    assert_non_null(strstr(request.body, "alice asks for more than 1 replica again and again"));
    program_wait_for_log(&cluster->program, "\"review.contested\"", 1);
    assert_int_equal(program_count_log(&cluster->program, "\"review.decided\""), 2);
    assert_int_equal(program_count_log(&cluster->program, "\"review.contested\""), 1);
    assert_int_equal(program_count_log(&cluster->program, "\"user\":\"alice\",\"times\":3"), 1);
    assert_int_equal(program_metric(&cluster->program, CONTESTED), 18);
    cluster_assert_count(cluster, "POST", EVENTS, 1);
    cluster_assert_count(cluster, NULL, HPAS, 0);
}

static void test_contested__another_user_has_his_own(void **state) {
    const struct cluster *cluster = *state;
    struct fake_request request;
    scale(cluster, "alice", 3);
    scale(cluster, "bob", 2);
    find_event(cluster, 0, &request);
    cluster_assert_count(cluster, "POST", EVENTS, 1);
    scale(cluster, "bob", 1);
    find_event(cluster, 1, &request);
    assert_non_null(strstr(request.body, "bob asks"));
    assert_int_equal(program_count_log(&cluster->program, "\"review.contested\""), 2);
}

/* Row 7: the operator writes a count that it does not own. */
static void test_contested__the_operator_is_in_the_log(void **state) {
    struct cluster *cluster = *state;
    static const struct cluster_deployment noted = {
        .name = "one", .replicas = 5, .noted_generation = 1};
    for (int i = 0; i < 20; i++) {
        ask(cluster, cluster_review(&noted), OPERATOR, PATCH_REPLICAS_TO_1, "");
    }
    program_wait_for_log(&cluster->program, "\"review.contested\"", 1);
    assert_int_equal(program_count_log(&cluster->program, "\"review.contested\""), 1);
    assert_int_equal(program_count_log(&cluster->program, "which version of ToolHive"), 1);
    cluster_settle(cluster);
    cluster_assert_count(cluster, "POST", EVENTS, 0);
}

static void test_contested__the_debug_level_has_each(void **state) {
    const struct cluster *cluster = *state;
    scale(cluster, "alice", 20);
    program_wait_for_log(&cluster->program, "\"review.decided\"", 20);
}

/* Another replica has posted it in this hour. */
static void test_contested__an_event_that_is_there_is_no_failure(void **state) {
    struct cluster *cluster = *state;
    static const struct fake_fault there = {
        .verb = "POST", .path = EVENTS, .kind = FAKE_ANSWER, .status = 409};
    fake_inject(cluster->api, &there);
    scale(cluster, "alice", 3);
    cluster_wait_for(cluster, "POST", EVENTS, 1);
    cluster_settle(cluster);
    assert_int_equal(program_count_log(&cluster->program, "\"event.refused\""), 0);
}

static void test_contested__two_processes_give_the_event_one_name(void **state) {
    struct cluster *cluster = *state;
    struct fake_request requests[2];
    for (size_t i = 0; i < 2; i++) {
        scale(cluster, "alice", 3);
        find_event(cluster, i, &requests[i]);
        assert_int_equal(program_stop(&cluster->program), 0);
        cluster_start(cluster);
    }
    char names[2][256];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            sscanf(strstr(requests[i].body, "\"name\":\""), "\"name\":\"%255[^\"]", names[i]), 1);
    }
    assert_string_equal(names[0], names[1]);
    assert_int_equal(requests[0].status, 201);
    assert_int_equal(requests[1].status, 409);
}

#define LIST_OF(items) "{\"kind\":\"HorizontalPodAutoscalerList\",\"items\":[" items "]}"
#define TARGET         "\"spec\":{\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"one\"}}"

static void test_contested__the_event_names_the_hpa(void **state) {
    static const struct {
        int status;
        const char *body;
        const char *named;
    } rows[] = {
        {200, LIST_OF("{\"metadata\":{\"name\":\"greedy\"}," TARGET "}"),
         "Delete the HorizontalPodAutoscaler greedy, or"},
        {200,
         LIST_OF("{\"metadata\":{\"name\":\"keda-hpa-so\",\"labels\":{"
                 "\"scaledobject.keda.sh/name\":\"so\"}}," TARGET "}"),
         "Delete the ScaledObject so, which has the HorizontalPodAutoscaler keda-hpa-so"},
        {200, LIST_OF(""), "kubectl get hpa -n default"},
        {403, NULL, "kubectl get hpa -n default"},
        {500, NULL, "kubectl get hpa -n default"},
        {0, NULL, "kubectl get hpa -n default"}, /* no answer within 5 s */
    };
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct fake_fault fault = {.path = HPAS,
                                         .kind = rows[i].status == 0 ? FAKE_SILENT : FAKE_ANSWER,
                                         .status = rows[i].status,
                                         .body = rows[i].body};
        struct fake_request request;
        fake_inject(cluster->api, &fault);
        scale(cluster, HPA_USER, 3);
        find_event(cluster, 0, &request);
        if (strstr(request.body, rows[i].named) == NULL || strstr(request.body, HPA_USER) == NULL) {
            fail_msg("row %zu: %s", i, request.body);
        }
        cluster_assert_count(cluster, NULL, HPAS, 1);
        assert_int_equal(program_stop(&cluster->program), 0);
        fake_heal(cluster->api);
        fake_forget(cluster->api);
        cluster_start(cluster);
    }
}

static void test_contested__a_replica_that_does_not_lead_posts_it_too(void **state) {
    const struct cluster *cluster = *state;
    struct fake_request request;
    scale(cluster, "alice", 3);
    find_event(cluster, 0, &request);
    assert_int_equal(request.status, 201);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_contested__20_scales_make_3_lines_and_1_event, start,
                                        cluster_teardown),
        cmocka_unit_test_setup_teardown(test_contested__another_user_has_his_own, start,
                                        cluster_teardown),
        cmocka_unit_test_setup_teardown(test_contested__a_count_beside_spec_replicas_is_in_the_log,
                                        start_sse, cluster_teardown),
        cmocka_unit_test_setup_teardown(test_contested__the_operator_is_in_the_log, start_open,
                                        cluster_teardown),
        cmocka_unit_test_setup_teardown(test_contested__the_debug_level_has_each, start_debug,
                                        cluster_teardown),
        cmocka_unit_test_setup_teardown(test_contested__an_event_that_is_there_is_no_failure, start,
                                        cluster_teardown),
        cmocka_unit_test_setup_teardown(test_contested__two_processes_give_the_event_one_name,
                                        start, cluster_teardown),
        cmocka_unit_test_setup_teardown(test_contested__the_event_names_the_hpa, start,
                                        cluster_teardown),
        cmocka_unit_test_setup_teardown(test_contested__a_replica_that_does_not_lead_posts_it_too,
                                        start_following, cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/contested", tests, NULL, NULL);
}
