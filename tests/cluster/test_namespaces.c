// SPDX-License-Identifier: Apache-2.0

/*
 * --watch-namespace: the program knows, asks about and writes objects of those namespaces alone.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "base/memory.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

/* As long as "default", so that a text of one becomes a text of the other in place. */
#define FOREIGN "foreign"
#define SECOND  "another"

static const struct cluster_deployment one_with_5 = {.name = "one", .replicas = 5};

static char *moved(char *owned_text, const char *namespace) {
    static const char home[] = "\"default\"";
    for (char *at = owned_text; (at = strstr(at, home)) != NULL; at++) {
        memcpy(at + 1, namespace, sizeof(home) - 3);
    }
    return owned_text;
}

/* A stdio server whose Deployment has 3 replicas, which the leader heals. */
static void put(const struct cluster *cluster, const char *namespace) {
    static const char server[] =
        "{\"metadata\":{\"namespace\":\"default\",\"name\":\"one\",\"uid\":\"m-one\"},"
        "\"spec\":{\"transport\":\"stdio\",\"replicas\":3}}";
    static const char deployment[] =
        "{\"metadata\":{\"namespace\":\"default\",\"name\":\"one\",\"uid\":\"d-one\",\"labels\":{"
        "\"app.kubernetes.io/name\":\"mcpserver\"},\"ownerReferences\":[{\"apiVersion\":"
        "\"toolhive.stacklok.dev/v1beta1\",\"kind\":\"MCPServer\",\"name\":\"one\",\"uid\":"
        "\"m-one\",\"controller\":true}]},\"spec\":{\"replicas\":3}}";
    AUTO_FREE char *first = moved(memory_copy(server, strlen(server)), namespace);
    AUTO_FREE char *second = moved(memory_copy(deployment, strlen(deployment)), namespace);
    fake_put(cluster->api, FAKE_SERVER, first);
    fake_put(cluster->api, FAKE_DEPLOYMENT, second);
}

static void ask(const struct cluster *cluster, const char *namespace, const char *patch,
                const char *warned) {
    cluster_wait_for_verdict(cluster, moved(cluster_review(&one_with_5), namespace), patch, warned);
}

static void test_namespaces__the_others_are_left_alone(void **state) {
    struct cluster *cluster = *state;
    cluster->program.watch_namespaces[0] = "default";
    put(cluster, "default");
    put(cluster, FOREIGN);
    cluster_start(cluster);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), 1);
    ask(cluster, "default", PATCH_REPLICAS_TO_1, "stdio-cap");
    for (int i = 0; i < 3; i++) {
        ask(cluster, FOREIGN, "", "");
    }
    put(cluster, FOREIGN);
    cluster_settle(cluster);
    assert_int_equal(program_count_log(&cluster->program, "\"review.unwatched\""), 1);
    cluster_assert_count(cluster, NULL, "/namespaces/" FOREIGN "/", 0);
    cluster_assert_count(cluster, NULL, "/v1beta1/mcpservers", 0);
    cluster_assert_count(cluster, NULL, "/v1/deployments", 0);
}

/* The namespaces are listed one by one, and a new list of one forgets nothing of the other. */
static void test_namespaces__two_do_not_disturb_each_other(void **state) {
    struct cluster *cluster = *state;
    cluster->program.watch_namespaces[0] = "default";
    cluster->program.watch_namespaces[1] = SECOND;
    put(cluster, "default");
    put(cluster, SECOND);
    cluster_start(cluster);
    ask(cluster, "default", PATCH_REPLICAS_TO_1, "stdio-cap");
    ask(cluster, SECOND, PATCH_REPLICAS_TO_1, "stdio-cap");
    static const struct fake_fault gone = {
        .verb = "WATCH", .path = "/namespaces/" SECOND "/", .kind = FAKE_ANSWER, .status = 410};
    size_t n = fake_count(cluster->api, "LIST", "/namespaces/" SECOND "/mcpservers");
    fake_inject(cluster->api, &gone);
    fake_cut_watches(cluster->api);
    cluster_wait_for(cluster, "LIST", "/namespaces/" SECOND "/mcpservers", n + 2);
    fake_heal(cluster->api);
    fake_remove(cluster->api, FAKE_SERVER, SECOND, "one");
    ask(cluster, SECOND, "", "");
    fake_forget(cluster->api);
    ask(cluster, "default", PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", "/namespaces/default/mcpservers/one", 0);
}

/* It comes later, and its objects are known then. */
static void test_namespaces__one_may_be_empty_at_first(void **state) {
    struct cluster *cluster = *state;
    cluster->program.watch_namespaces[0] = "default";
    cluster->program.watch_namespaces[1] = SECOND;
    cluster_start(cluster);
    put(cluster, SECOND);
    cluster_wait_for(cluster, "PATCH", "/namespaces/" SECOND "/deployments/one/scale", 1);
    ask(cluster, SECOND, PATCH_REPLICAS_TO_1, "stdio-cap");
}

static void test_namespaces__an_unwatched_one_never_fails(void **state) {
    struct cluster *cluster = *state;
    cluster->program.watch_namespaces[0] = "default";
    cluster->program.has_policy = true;
    program_put(&cluster->program, "policy.yaml",
                "apiVersion: capstan.dev/v1\nkind: PolicyConfig\nonUnresolved: fail\n");
    cluster_start(cluster);
    ask(cluster, FOREIGN, "", "");
}

/* Somebody who takes the rights in one namespace must not take Capstan from the others for long. */
static void test_namespaces__one_that_stays_forbidden_does_not_hold_up_the_others(void **state) {
    enum { PATIENCE_MS = 20000, SLACK_MS = 15000 };
    struct cluster *cluster = *state;
    static const struct fake_fault forbidden = {
        .path = "/namespaces/" SECOND "/", .kind = FAKE_ANSWER, .status = 403};
    cluster->program.watch_namespaces[0] = "default";
    cluster->program.watch_namespaces[1] = SECOND;
    fake_inject(cluster->api, &forbidden);
    program_start_unready(&cluster->program);
    int64_t began_ms = clock_boot_ms();
    while (!cluster_is_ready(cluster)) {
        assert_true(clock_boot_ms() < began_ms + PATIENCE_MS + SLACK_MS);
        http_sleep_ms(50);
    }
    assert_true(clock_boot_ms() >= began_ms + PATIENCE_MS - 1000);
    put(cluster, "default");
    ask(cluster, "default", PATCH_REPLICAS_TO_1, "stdio-cap");
}

static void test_namespaces__one_that_may_not_be_listed_is_named(void **state) {
    struct cluster *cluster = *state;
    static const struct fake_fault forbidden = {
        .path = "/namespaces/" SECOND "/mcpservers", .kind = FAKE_ANSWER, .status = 403};
    cluster->program.watch_namespaces[0] = "default";
    cluster->program.watch_namespaces[1] = SECOND;
    put(cluster, "default");
    fake_inject(cluster->api, &forbidden);
    program_start_unready(&cluster->program);
    program_wait_for_log(&cluster->program,
                         "\"watch.failed\",\"resource\":\"" SECOND "/mcpservers\"", 1);
    ask(cluster, "default", PATCH_REPLICAS_TO_1, "stdio-cap");
    assert_false(cluster_is_ready(cluster));
    program_wait_for_log(&cluster->program, SECOND "/mcpservers have not been listed yet", 1);
    fake_heal(cluster->api);
    cluster_wait_until_ready(cluster);
}

#define UNBORN(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        UNBORN(test_namespaces__the_others_are_left_alone),
        UNBORN(test_namespaces__two_do_not_disturb_each_other),
        UNBORN(test_namespaces__one_may_be_empty_at_first),
        UNBORN(test_namespaces__an_unwatched_one_never_fails),
        UNBORN(test_namespaces__one_that_stays_forbidden_does_not_hold_up_the_others),
        UNBORN(test_namespaces__one_that_may_not_be_listed_is_named),
    };
    return cmocka_run_group_tests_name("cluster/namespaces", tests, NULL, NULL);
}
