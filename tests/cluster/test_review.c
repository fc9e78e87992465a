// SPDX-License-Identifier: Apache-2.0

/*
 * `capstan review --kubeconfig`: an object that the cluster does not have does not exist. Facts
 * from the cluster fit manifests, which have no uid.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "edge/clock.h"

#define DEPLOYMENT(name, metadata)                                                                 \
    "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: " name "\n" metadata           \
    "spec: {replicas: 3, template: {spec: {containers: []}}}\n"
#define LABELLED(name)                                                                             \
    DEPLOYMENT(name, "  labels: {app.kubernetes.io/name: mcpserver, app.kubernetes.io/instance: "  \
                     "" name "}\n")
#define OWNED(name)                                                                                \
    DEPLOYMENT(name, "  ownerReferences:\n  - {apiVersion: toolhive.stacklok.dev/v1beta1, kind: "  \
                     "MCPServer, name: " name ", uid: m-" name ", controller: true}\n")

static void test_review__a_cluster_that_was_asked_is_believed(void **state) {
    struct cluster *cluster = *state;
    const struct cluster_server one = {.name = "one", .transport = "stdio", .replicas = -1};
    const struct cluster_server two = {.name = "two", .transport = "stdio", .replicas = -1};
    char output[4096];
    cluster_put_server(cluster, &one);
    cluster_put_server(cluster, &two);
    program_put(&cluster->program, "manifests.yaml",
                OWNED("one") LABELLED("two") OWNED("lost") LABELLED("gone"));
    program_put(&cluster->program, "policy.yaml",
                "apiVersion: capstan.dev/v1\nkind: PolicyConfig\nonUnresolved: fail\n");
    int status = program_shell(
        &cluster->program,
        "cd $FOLDER && \"$CAPSTAN\" review --kubeconfig kubeconfig -f manifests.yaml --config "
        "policy.yaml -o json | jq -c '.items[] | [.name, .unresolved, .patch[].value]'; "
        "\"$CAPSTAN\" review --kubeconfig kubeconfig -f manifests.yaml --config policy.yaml "
        ">/dev/null",
        output, sizeof(output));
    assert_string_equal(output, "[\"one\",false,1]\n[\"two\",false,1]\n[\"lost\",false]\n"
                                "[\"gone\",false]\n");
    assert_int_equal(status, 0);
    cluster_start(cluster);
}

#define OWNED_BY(kind, name, uid)                                                                  \
    DEPLOYMENT(name,                                                                               \
               "  ownerReferences:\n  - {apiVersion: toolhive.stacklok.dev/v1beta1, kind: " kind   \
               ", name: " name ", uid: " uid ", controller: true}\n")

/* All three kinds are listed, and stay apart under one name. A kind whose CRD is not installed
   hinders nothing, and it takes no time to find that out. */
static void test_review__lists_each_kind_that_is_installed(void **state) {
    enum { PROMPT_S = 5 };
    struct cluster *cluster = *state;
    const struct cluster_server server = {.name = "one", .transport = "sse", .replicas = 4};
    const struct cluster_server proxy = {.kind = FAKE_PROXY, .name = "one", .replicas = 5};
    char output[4096];
    cluster_put_server(cluster, &server);
    cluster_put_server(cluster, &proxy);
    fake_set_versions_of(cluster->api, FAKE_VIRTUAL, "");
    program_put(&cluster->program, "server.yaml", OWNED_BY("MCPServer", "one", "m-one"));
    program_put(&cluster->program, "proxy.yaml", OWNED_BY("MCPRemoteProxy", "one", "p-one"));
    int64_t began_ms = clock_boot_ms();
    int status = program_shell(
        &cluster->program,
        "cd $FOLDER && for kind in server proxy; do \"$CAPSTAN\" review --kubeconfig kubeconfig "
        "-f $kind.yaml -o json | jq -c '.items[] | [.name, .unresolved, .patch[].value]'; done",
        output, sizeof(output));
    assert_string_equal(output, "[\"one\",false,4]\n[\"one\",false,5]\n");
    assert_int_equal(status, 0);
    assert_true(clock_boot_ms() - began_ms < PROMPT_S * 1000 || program_is_sanitized());
    cluster_start(cluster);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_review__a_cluster_that_was_asked_is_believed,
                                        cluster_setup, cluster_teardown),
        cmocka_unit_test_setup_teardown(test_review__lists_each_kind_that_is_installed,
                                        cluster_setup, cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/review", tests, NULL, NULL);
}
