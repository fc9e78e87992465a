// SPDX-License-Identifier: Apache-2.0

/*
 * /readyz says why the program is not ready, and the log says so, too. The log at level debug shows
 * each request to the API server.
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

enum { BODY_SIZE = 4096 };

static int set_up(void **state) {
    return cluster_setup(state);
}

static int ask(const struct cluster *cluster, const char *path, char body[BODY_SIZE]) {
    struct http_client client;
    struct http_answer answer;
    AUTO_FREE char *text = memory_format("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    http_client_open(&client, cluster->program.probe_port);
    assert_true(http_client_send_text(&client, text));
    assert_true(http_client_read_whole(&client, &answer, body, BODY_SIZE));
    http_client_close(&client);
    return answer.status;
}

static void wait_for(const struct cluster *cluster, const char *path, int status,
                     const char *text) {
    char body[BODY_SIZE];
    int64_t until_ms = clock_boot_ms() + CLUSTER_WAIT_MS;
    while (ask(cluster, path, body) != status || strstr(body, text) == NULL) {
        if (clock_boot_ms() > until_ms) {
            fail_msg("%s is: %s", path, body);
        }
        http_sleep_ms(20);
    }
}

static void test_readyz__says_which_resource_is_forbidden(void **state) {
    static const struct fake_fault denied = {.verb = "LIST",
                                             .path = SERVERS,
                                             .kind = FAKE_ANSWER,
                                             .status = 403,
                                             .body = "{\"kind\":\"Status\",\"message\":"
                                                     "\"mcpservers are forbidden\"}"};
    struct cluster *cluster = *state;
    char body[BODY_SIZE];
    fake_inject(cluster->api, &denied);
    program_start_unready(&cluster->program);
    wait_for(cluster, "/readyz", 503, "mcpservers are forbidden");
    wait_for(cluster, "/readyz?verbose", 503, "[-]facts failed: mcpservers have not been listed");
    assert_int_equal(ask(cluster, "/readyz", body), 503);
    assert_null(strstr(body, "deployments"));
    assert_int_equal(strchr(body, '\n') - body, strlen(body) - 1);
    program_wait_for_log(&cluster->program, "\"serve.unready\"", 1);
    assert_true(program_count_log(&cluster->program, "mcpservers are forbidden") > 0);
    fake_heal(cluster->api);
    wait_for(cluster, "/readyz", 200, "ok\n");
    wait_for(cluster, "/readyz?verbose=1", 200,
             "[+]facts ok\n[+]certificate ok\n[+]room ok\n[+]draining ok\nreadyz check passed\n");
    /* As kube-apiserver does. */
    assert_int_equal(ask(cluster, "/readyz?foo", body), 200);
    assert_string_equal(body, "ok\n");
    assert_int_equal(ask(cluster, "/readyz?foo&verbose", body), 200);
    assert_non_null(strstr(body, "readyz check passed\n"));
    /* Ready, it stays so without its API server. */
    fake_go_away(cluster->api);
    program_wait_for_log(&cluster->program, "\"watch.failed\"", 2);
    assert_int_equal(ask(cluster, "/readyz", body), 200);
    assert_int_equal(program_count_log(&cluster->program, "\"serve.unready\""), 1);
    assert_int_equal(program_count_log(&cluster->program, "\"event\":\"serve.ready\""), 1);
    fake_come_back(cluster->api);
}

/* Another replica holds the Lease, and writes no certificate. */
static void test_readyz__says_who_leads(void **state) {
    struct cluster *cluster = *state;
    cluster->program.makes_certificates = true;
    cluster->program.elects_leader = true;
    cluster_put_lease(cluster, "somebody-else");
    program_start_unready(&cluster->program);
    wait_for(cluster, "/readyz", 503, "is held by somebody-else");
    wait_for(cluster, "/readyz?verbose", 503, "[-]certificate failed: ");
    for (int i = 0; program_count_log(&cluster->program, "\"serve.unready\"") == 0; i++) {
        assert_true(i < 10);
        cluster_put_lease(cluster, "somebody-else");
        http_sleep_ms(1000);
    }
    assert_true(program_count_log(&cluster->program, "is held by somebody-else") > 0);
    assert_int_equal(program_count_log(&cluster->program, "\"serve.unready\""), 1);
}

/* A Lease that no replica can read is free when its time is over. */
static void test_lease__one_with_an_unusable_holder_is_taken_over(void **state) {
    struct cluster *cluster = *state;
    char long_holder[301];
    char json[1024];
    char holder[256] = "";
    memset(long_holder, 'x', sizeof(long_holder) - 1);
    long_holder[sizeof(long_holder) - 1] = '\0';
    cluster->program.elects_leader = true;
    snprintf(json, sizeof(json),
             "{\"metadata\":{\"namespace\":\"" CLUSTER_NAMESPACE "\",\"name\":\"capstan\"},"
             "\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":15}}",
             long_holder);
    fake_put(cluster->api, FAKE_LEASE, json);
    int64_t began_ms = clock_boot_ms();
    cluster_start(cluster);
    program_wait_for_log(&cluster->program, "\"leader.failed\"", 1);
    while (program_count_log(&cluster->program, "\"leader.elected\"") == 0) {
        assert_true(clock_boot_ms() - began_ms < 25000);
        http_sleep_ms(50);
    }
    assert_true(clock_boot_ms() - began_ms >= 15000);
    cluster_get_holder(cluster, holder);
    assert_non_null(strchr(holder, '_'));
    assert_int_equal(program_stop(&cluster->program), 0);
    assert_int_equal(program_count_log(&cluster->program, "\"leader.released\""), 1);
    assert_int_equal(program_count_log(&cluster->program, "\"leader.lost\""), 0);
}

static void test_debug__shows_each_request_and_no_secret(void **state) {
    struct cluster *cluster = *state;
    const struct cluster_server server = {.name = "one", .transport = "stdio", .replicas = 3};
    cluster->program.log_level = "debug";
    cluster_put_kubeconfig(cluster, NULL, "{token: a-token-of-mine}");
    fake_set_token(cluster->api, "a-token-of-mine");
    cluster_start(cluster);
    cluster_put_server(cluster, &server);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    program_wait_for_log(&cluster->program,
                         "\"event\":\"api.asked\",\"method\":\"PATCH\",\"path\":\"/apis/"
                         "toolhive.stacklok.dev/v1beta1/namespaces/default/mcpservers/one/status\","
                         "\"status\":200,\"milliseconds\":",
                         1);
    assert_int_equal(program_count_log(&cluster->program, "\"event\":\"api.watching\""), 4);
    program_wait_for_log(&cluster->program, "\"method\":\"GET\"", 1);
    assert_int_equal(program_stop(&cluster->program), 0);
    /* The end of each watch. */
    assert_int_equal(
        program_count_log(&cluster->program, "\"event\":\"api.asked\",\"method\":\"WATCH\""), 4);
    assert_int_equal(program_count_log(&cluster->program, "a-token-of-mine"), 0);
    assert_int_equal(program_count_log(&cluster->program, "Bearer"), 0);
    assert_int_equal(program_count_log(&cluster->program, "fieldManager"), 0);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_readyz__says_which_resource_is_forbidden),
        FRESH(test_readyz__says_who_leads),
        FRESH(test_lease__one_with_an_unusable_holder_is_taken_over),
        FRESH(test_debug__shows_each_request_and_no_secret),
    };
    return cmocka_run_group_tests_name("cluster/readyz", tests, NULL, NULL);
}
