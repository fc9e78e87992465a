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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_review__a_cluster_that_was_asked_is_believed,
                                        cluster_setup, cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/review", tests, NULL, NULL);
}
