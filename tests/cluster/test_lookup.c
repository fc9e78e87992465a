// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 23 and 34 to 38: reviews of objects that the watches have not reported yet. Admission then
 * asks the API server itself, within 500 ms.
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

enum { BUDGET_MS = 500, NEGATIVE_MS = 5000 };

#define GET_OF(name) "/namespaces/default/mcpservers/" name

static const struct cluster_deployment one_with_5 = {.name = "one", .replicas = 5};

/* The extra time that an answer may take on a busy machine. It is less than any fault lasts. */
static int64_t slack_ms(void) {
    return program_is_sanitized() ? 4000 : 2000;
}

static int start(void **state) {
    cluster_setup(state);
    cluster_start(*state);
    return 0;
}

/* The program watches, but no events come. */
static int start_deaf(void **state) {
    struct cluster *cluster = *state;
    start(state);
    cluster = *state;
    fake_hold_watches(cluster->api);
    return 0;
}

static void put_stdio(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = -1};
    cluster_put_server(cluster, &server);
}

static void put_sse(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "sse", .replicas = -1};
    cluster_put_server(cluster, &server);
}

static void inject(const struct cluster *cluster, const char *path, enum fake_fault_kind kind) {
    const struct fake_fault fault = {.verb = "GET", .path = path, .kind = kind};
    fake_inject(cluster->api, &fault);
}

static void test_row_36__a_deployment_may_come_before_the_event_of_its_mcpserver(void **state) {
    struct cluster *cluster = *state;
    put_stdio(cluster, "one");
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", GET_OF("one"), 1);
    fake_release_watches(cluster->api);
    cluster_settle(cluster);
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", GET_OF("one"), 1);
}

/* A Scale is found by its selector. Nobody asks for its Deployment. */
static void test_row_36__a_scale_asks_for_the_mcpserver_alone(void **state) {
    struct cluster *cluster = *state;
    put_stdio(cluster, "one");
    cluster_put_deployment(cluster, &one_with_5);
    cluster_ask(cluster, cluster_review_scale(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", "/namespaces/default/deployments/one", 0);
    cluster_assert_count(cluster, "GET", GET_OF("one"), 1);
}

static void test_row_36__what_is_not_there_is_nobodys_and_kept_for_5_s(void **state) {
    struct cluster *cluster = *state;
    struct fake_request first;
    struct fake_request second;
    cluster_ask(cluster, cluster_review(&one_with_5), "", "");
    cluster_find(cluster, "GET", GET_OF("one"), 0, &first);
    while (fake_count(cluster->api, "GET", GET_OF("one")) < 2) {
        cluster_ask(cluster, cluster_review(&one_with_5), "", "");
        assert_true(clock_boot_ms() - first.at_ms < NEGATIVE_MS + 2000);
    }
    cluster_find(cluster, "GET", GET_OF("one"), 1, &second);
    assert_true(second.at_ms - first.at_ms >= NEGATIVE_MS - 20);
}

/* A record that comes goes before the negative answer that is still kept. */
static void test_row_36__an_mcpserver_that_comes_is_known_at_once(void **state) {
    struct cluster *cluster = *state;
    cluster_ask(cluster, cluster_review(&one_with_5), "", "");
    put_stdio(cluster, "one");
    cluster_wait_for(cluster, "PATCH", STATUS_OF("one"), 1);
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
}

static void test_row_36__an_mcpserver_that_is_being_deleted_holds_its_deployment(void **state) {
    struct cluster *cluster = *state;
    const struct cluster_server going = {
        .name = "one", .transport = "stdio", .replicas = -1, .is_deleting = true};
    cluster_put_server(cluster, &going);
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", GET_OF("one"), 1);
}

static void test_row_37__a_newer_generation_than_the_cached_one_is_asked_for(void **state) {
    static const struct cluster_deployment noted = {
        .name = "one", .replicas = 5, .noted_generation = 2};
    static const struct cluster_deployment forged = {
        .name = "one", .replicas = 5, .noted_generation = 99};
    struct cluster *cluster = *state;
    put_sse(cluster, "one");
    cluster_wait_for(cluster, "PATCH", STATUS_OF("one"), 1);
    fake_hold_watches(cluster->api);
    put_stdio(cluster, "one");
    /* The program has no reason to doubt the cached record. */
    cluster_ask(cluster, cluster_review(&one_with_5), "", "");
    cluster_assert_count(cluster, "GET", GET_OF("one"), 0);
    cluster_ask(cluster, cluster_review(&noted), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", GET_OF("one"), 1);
    /* The answer is kept, so that a crowd with a made-up generation costs one GET. */
    cluster_ask(cluster, cluster_review(&forged), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", GET_OF("one"), 1);
}

static void test_row_38__an_mcpserver_that_was_recreated_is_another(void **state) {
    static const struct cluster_deployment of_the_new = {
        .name = "one", .replicas = 5, .owner_uid = "m-second"};
    const struct cluster_server second = {
        .name = "one", .uid = "m-second", .transport = "stdio", .replicas = -1};
    struct cluster *cluster = *state;
    put_sse(cluster, "one");
    cluster_wait_for(cluster, "PATCH", STATUS_OF("one"), 1);
    fake_hold_watches(cluster->api);
    cluster_remove_server(cluster, "one");
    cluster_put_server(cluster, &second);
    cluster_ask(cluster, cluster_review(&of_the_new), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_assert_count(cluster, "GET", GET_OF("one"), 1);
    fake_release_watches(cluster->api);
    cluster_settle(cluster);
    /* The Deployment of the old server is the new one's by its selector alone, for the cap. */
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    cluster_ask(cluster, cluster_review(&of_the_new), PATCH_REPLICAS_TO_1, "stdio-cap");
}

static void test_row_35__a_failed_look_up_leaves_it_unresolved(void **state) {
    static const struct fake_fault faults[] = {
        {.kind = FAKE_ANSWER, .status = 500},
        {.kind = FAKE_ANSWER, .status = 503, .headers = "Retry-After: 1\r\n"},
        {.kind = FAKE_ANSWER, .status = 429, .headers = "Retry-After: 0\r\n"},
        {.kind = FAKE_ANSWER, .status = 403},
        /* This 404 does not mean that the MCPServer is missing, but that nothing is served at the
           path. */
        {.kind = FAKE_ANSWER,
         .status = 404,
         .headers = "Content-Type: text/plain\r\n",
         .body = "404 page not found\n"},
        {.kind = FAKE_ANSWER, .status = 401},
        {.kind = FAKE_ANSWER, .status = 301, .headers = "Location: /\r\n"},
        {.kind = FAKE_ANSWER, .status = 200, .body = "<html>busy</html>"},
        {.kind = FAKE_ANSWER, .status = 200, .body = "{\"metadata\":{\"name\":\"one\""},
        {.kind = FAKE_ANSWER, .status = 200, .body = ""},
        {.kind = FAKE_ANSWER, .status = 200, .body = "null"},
        /* The answer is about an object of another kind. */
        {.kind = FAKE_ANSWER,
         .status = 200,
         .body = "{\"kind\":\"MCPRemoteProxy\",\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\","
                 "\"metadata\":{\"namespace\":\"default\",\"name\":\"one\",\"uid\":\"m-one\"}}"},
        {.kind = FAKE_ANSWER, .status = 204, .body = ""},
        {.kind = FAKE_CUT, .n_bytes = 40},
        {.kind = FAKE_RESET},
        {.kind = FAKE_SILENT},
        {.kind = FAKE_LATE, .delay_ms = 5000},
        {.kind = FAKE_DRIP, .n_bytes = 1, .delay_ms = 0, .status = 0},
    };
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct fake_fault fault = faults[i];
        bool is_whole = fault.kind == FAKE_DRIP;
        put_stdio(cluster, "one");
        fault.verb = "GET";
        fault.path = GET_OF("one");
        fake_inject(cluster->api, &fault);
        int64_t took_ms =
            cluster_ask(cluster, cluster_review(&one_with_5), is_whole ? PATCH_REPLICAS_TO_1 : "",
                        is_whole ? "stdio-cap" : "unresolved");
        assert_in_range(took_ms, 0, BUDGET_MS + slack_ms());
        fake_heal(cluster->api);
    }
    assert_true(program_count_log(&cluster->program, "\"lookup.failed\"") >= 1);
}

/* The request names no time. Takes the best of several measurements, since the machine has other
   work. */
static void test_row_35__a_look_up_has_500_ms(void **state) {
    enum { TIMES = 5, LATE_MS = 250 };
    struct cluster *cluster = *state;
    int64_t best_ms = INT64_MAX;
    put_stdio(cluster, "one");
    inject(cluster, GET_OF("one"), FAKE_SILENT);
    for (int i = 0; i < TIMES && best_ms > BUDGET_MS + LATE_MS; i++) {
        int64_t took_ms = cluster_ask(cluster, cluster_review(&one_with_5), "", "unresolved");
        best_ms = took_ms < best_ms ? took_ms : best_ms;
    }
    assert_in_range(best_ms, BUDGET_MS - 50, BUDGET_MS + LATE_MS);
}

static void test_row_35__the_policy_says_what_becomes_of_the_unresolved(void **state) {
    struct cluster *cluster = *state;
    struct verdict verdict;
    put_stdio(cluster, "one");
    inject(cluster, GET_OF("one"), FAKE_RESET);
    AUTO_FREE char *review = cluster_review(&one_with_5);
    wire_ask(&cluster->program, review, &verdict);
    assert_int_equal(verdict.status, 500);
    fake_heal(cluster->api);
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
}

static void test_row_34__the_callers_time_is_kept_to_as_well(void **state) {
    static const char *const targets[] = {"/mutate?timeout=1s", "/mutate?timeout=0s", "/mutate",
                                          "/mutate?timeout=30s"};
    struct cluster *cluster = *state;
    put_stdio(cluster, "one");
    inject(cluster, GET_OF("one"), FAKE_SILENT);
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        char head[256];
        struct http_client client;
        struct verdict verdict;
        AUTO_FREE char *review = cluster_review(&one_with_5);
        snprintf(head, sizeof(head),
                 "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 targets[i], strlen(review));
        program_connect(&cluster->program, &client);
        int64_t began_ms = clock_boot_ms();
        wire_send(&client, head, review, strlen(review));
        wire_read(&client, &verdict);
        assert_in_range(clock_boot_ms() - began_ms, 0, BUDGET_MS + slack_ms());
        wire_assert(&verdict, targets[i], "", "unresolved");
        http_client_close(&client);
    }
}

/* On a busy machine, steps that must fit into the 500 ms of a look-up may come too late. The test
   then tries again with other names. */
enum { CROWD = 16, ATTEMPTS = 10 };

static void send_review(struct http_client *client, const char *review) {
    char head[256];
    snprintf(head, sizeof(head),
             "POST /mutate?timeout=10s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n",
             strlen(review));
    wire_send(client, head, review, strlen(review));
}

static void connect_crowd(const struct cluster *cluster, struct http_client clients[CROWD]) {
    for (size_t i = 0; i < CROWD; i++) {
        program_connect(&cluster->program, &clients[i]);
    }
}

static void close_crowd(struct http_client clients[CROWD]) {
    for (size_t i = 0; i < CROWD; i++) {
        http_client_close(&clients[i]);
    }
}

static int start_with_one_worker(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.workers = 1;
    cluster_start(cluster);
    fake_hold_watches(cluster->api);
    return 0;
}

/* There is one worker and one queue of look-ups. The worker takes this connection's handshake and
   request after everything sent before. */
static void wait_until_all_is_asked(const struct cluster *cluster) {
    static const struct cluster_deployment last = {.name = "last", .replicas = 5};
    struct verdict verdict;
    for (int i = 0; i < 2; i++) {
        AUTO_FREE char *review = cluster_review(&last);
        wire_ask(&cluster->program, review, &verdict);
    }
}

/* Returns false if it took too long to prove anything. */
static bool try_crowd(const struct cluster *cluster, struct http_client clients[CROWD],
                      int attempt) {
    char name[32];
    char path[64];
    struct verdict verdicts[CROWD];
    snprintf(name, sizeof(name), "one-%d", attempt);
    snprintf(path, sizeof(path), "/namespaces/default/mcpservers/%s", name);
    const struct cluster_deployment deployment = {.name = name, .replicas = 5};
    AUTO_FREE char *review = cluster_review(&deployment);
    put_stdio(cluster, name);
    inject(cluster, path, FAKE_HELD);
    int64_t began_ms = clock_boot_ms();
    for (size_t i = 0; i < CROWD; i++) {
        send_review(&clients[i], review);
    }
    wait_until_all_is_asked(cluster);
    fake_heal(cluster->api);
    for (size_t i = 0; i < CROWD; i++) {
        wire_read(&clients[i], &verdicts[i]);
    }
    if (clock_boot_ms() - began_ms >= BUDGET_MS - 50) {
        return false;
    }
    for (size_t i = 0; i < CROWD; i++) {
        wire_assert(&verdicts[i], "one of many", PATCH_REPLICAS_TO_1, "stdio-cap");
    }
    cluster_assert_count(cluster, "GET", path, 1);
    return true;
}

static void test_row_36__concurrent_misses_share_one_look_up(void **state) {
    struct cluster *cluster = *state;
    struct http_client clients[CROWD];
    bool is_told = false;
    put_stdio(cluster, "last");
    connect_crowd(cluster, clients);
    for (int i = 0; i < ATTEMPTS && !is_told; i++) {
        is_told = try_crowd(cluster, clients, i);
    }
    assert_true(is_told);
    close_crowd(clients);
}

/* Measures how long another client waits while a crowd waits. */
static int64_t measure_other(const struct cluster *cluster, struct http_client clients[CROWD],
                             struct http_client *other, int attempt) {
    static const struct cluster_server server = {
        .name = "new", .transport = "stdio", .replicas = 3, .provider = "redis"};
    AUTO_FREE char *review = cluster_review_server(&server);
    struct verdict verdict;
    char path[64];
    snprintf(path, sizeof(path), "/namespaces/default/mcpservers/hang-%d-", attempt);
    for (int i = 0; i < CROWD; i++) {
        char name[32];
        snprintf(name, sizeof(name), "hang-%d-%d", attempt, i);
        const struct cluster_deployment deployment = {.name = name, .replicas = 5};
        AUTO_FREE char *hanging = cluster_review(&deployment);
        send_review(&clients[i], hanging);
    }
    cluster_wait_for(cluster, "GET", path, 1);
    int64_t began_ms = clock_boot_ms();
    wire_post(other, review, &verdict);
    int64_t took_ms = clock_boot_ms() - began_ms;
    wire_assert(&verdict, "the other", "", "stdio-cap");
    for (size_t i = 0; i < CROWD; i++) {
        wire_read(&clients[i], &verdict);
        wire_assert(&verdict, "one that hangs", "", "unresolved");
    }
    return took_ms;
}

static void test_row_35__others_do_not_wait_for_look_ups_that_hang(void **state) {
    struct cluster *cluster = *state;
    struct http_client clients[CROWD];
    struct http_client other;
    int64_t best_ms = INT64_MAX;
    inject(cluster, "/namespaces/default/mcpservers/hang", FAKE_SILENT);
    program_connect(&cluster->program, &other);
    connect_crowd(cluster, clients);
    for (int i = 0; i < ATTEMPTS && best_ms > BUDGET_MS / 4; i++) {
        int64_t took_ms = measure_other(cluster, clients, &other, i);
        best_ms = took_ms < best_ms ? took_ms : best_ms;
    }
    assert_in_range(best_ms, 0, BUDGET_MS / 4);
    http_client_close(&other);
    close_crowd(clients);
}

/* Capstan keeps no memory of its answers and writes nothing because of them. The same review gets
   the same answer, however often another webhook undoes it. */
static void test_row_23__a_decision_by_look_up_does_not_fight(void **state) {
    static const struct cluster_deployment patched = {.name = "one", .replicas = 1};
    struct cluster *cluster = *state;
    put_stdio(cluster, "one");
    for (int round = 0; round < 3; round++) {
        cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
        cluster_ask(cluster, cluster_review(&patched), "", "");
        cluster_ask(cluster, cluster_review_scale(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    }
    cluster_assert_count(cluster, "WRITE", NULL, 0);
}

static int start_failing(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.has_policy = true;
    program_put(&cluster->program, "policy.yaml",
                "apiVersion: capstan.dev/v1\nkind: PolicyConfig\nonUnresolved: fail\n");
    cluster_start(cluster);
    fake_hold_watches(cluster->api);
    return 0;
}

#define DEAF(test)  cmocka_unit_test_setup_teardown(test, start_deaf, cluster_teardown)
#define AWARE(test) cmocka_unit_test_setup_teardown(test, start, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        DEAF(test_row_36__a_deployment_may_come_before_the_event_of_its_mcpserver),
        DEAF(test_row_36__a_scale_asks_for_the_mcpserver_alone),
        DEAF(test_row_36__what_is_not_there_is_nobodys_and_kept_for_5_s),
        AWARE(test_row_36__an_mcpserver_that_comes_is_known_at_once),
        DEAF(test_row_36__an_mcpserver_that_is_being_deleted_holds_its_deployment),
        AWARE(test_row_37__a_newer_generation_than_the_cached_one_is_asked_for),
        AWARE(test_row_38__an_mcpserver_that_was_recreated_is_another),
        DEAF(test_row_35__a_failed_look_up_leaves_it_unresolved),
        DEAF(test_row_35__a_look_up_has_500_ms),
        cmocka_unit_test_setup_teardown(test_row_35__the_policy_says_what_becomes_of_the_unresolved,
                                        start_failing, cluster_teardown),
        DEAF(test_row_34__the_callers_time_is_kept_to_as_well),
        cmocka_unit_test_setup_teardown(test_row_36__concurrent_misses_share_one_look_up,
                                        start_with_one_worker, cluster_teardown),
        DEAF(test_row_35__others_do_not_wait_for_look_ups_that_hang),
        DEAF(test_row_23__a_decision_by_look_up_does_not_fight),
    };
    return cmocka_run_group_tests_name("cluster/lookup", tests, NULL, NULL);
}
