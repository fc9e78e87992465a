// SPDX-License-Identifier: Apache-2.0

/*
 * Row 36: many reviews of objects that the watches have not reported yet. They share GETs and
 * answers, wait for a place, and leave the API server in peace.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

enum {
    CROWD_MAX = 150,
    CROWD = 100,   /* the handshakes of more would take too long with sanitizers */
    ATTEMPTS = 10, /* on a busy machine, steps that must fit into a time may come too late */
    PLACES = 64,
    LAG_MS = 250,
};

#define ALL_SERVERS "/namespaces/default/mcpservers/"
#define DISCOVERY   "/customresourcedefinitions/"
#define PATCH_GRACE                                                                                \
    "[{\"op\":\"add\",\"path\":\"/spec/template/spec/"                                             \
    "terminationGracePeriodSeconds\",\"value\":30}]"

struct crowd {
    struct http_client clients[CROWD_MAX];
    size_t n;
};

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

static void put_server(const struct cluster *cluster, const char *name, const char *transport) {
    const struct cluster_server server = {.name = name, .transport = transport, .replicas = -1};
    cluster_put_server(cluster, &server);
}

static void inject(const struct cluster *cluster, const char *path, enum fake_fault_kind kind,
                   int64_t delay_ms) {
    const struct fake_fault fault = {
        .verb = "GET", .path = path, .kind = kind, .delay_ms = delay_ms};
    fake_inject(cluster->api, &fault);
}

static void connect_crowd(const struct cluster *cluster, size_t n, struct crowd *crowd) {
    crowd->n = n;
    for (size_t i = 0; i < n; i++) {
        program_connect(&cluster->program, &crowd->clients[i]);
    }
}

static void close_crowd(struct crowd *crowd) {
    for (size_t i = 0; i < crowd->n; i++) {
        http_client_close(&crowd->clients[i]);
    }
}

/* The API server sends `?timeout=`, which is the timeoutSeconds of the manifests. */
static void send_review(struct http_client *client, int timeout_s, const char *review) {
    char head[256];
    snprintf(head, sizeof(head),
             "POST /mutate?timeout=%ds HTTP/1.1\r\nHost: x\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             timeout_s, strlen(review));
    wire_send(client, head, review, strlen(review));
}

/* Client I sends the review of the Deployment NAME-I. */
static void send_reviews(struct crowd *crowd, int timeout_s, const char *name) {
    for (size_t i = 0; i < crowd->n; i++) {
        char numbered[64];
        snprintf(numbered, sizeof(numbered), "%s-%zu", name, i);
        const struct cluster_deployment deployment = {.name = numbered, .replicas = 5};
        AUTO_FREE char *review = cluster_review(&deployment);
        send_review(&crowd->clients[i], timeout_s, review);
    }
}

static void read_verdicts(struct crowd *crowd, const char *what, const char *patch,
                          const char *warned) {
    for (size_t i = 0; i < crowd->n; i++) {
        struct verdict verdict;
        wire_read(&crowd->clients[i], &verdict);
        wire_assert(&verdict, what, patch, warned);
    }
}

/* The time of the GET of this index. */
static int64_t came_ms(const struct cluster *cluster, const char *path, size_t index) {
    struct fake_request request;
    cluster_find(cluster, "GET", path, index, &request);
    return request.at_ms;
}

/* Returns false if one of them was not capped: a busy machine may need more than the 2 s. */
static bool try_150(const struct cluster *cluster, struct crowd *crowd, int attempt,
                    int64_t late_ms) {
    enum { EARLY_MS = 20 };
    char name[32];
    char path[64];
    bool are_capped = true;
    snprintf(name, sizeof(name), "one-%d", attempt);
    snprintf(path, sizeof(path), ALL_SERVERS "%s-", name);
    for (size_t i = 0; i < crowd->n; i++) {
        char numbered[64];
        snprintf(numbered, sizeof(numbered), "%s-%zu", name, i);
        put_server(cluster, numbered, "stdio");
    }
    inject(cluster, path, FAKE_LATE, late_ms);
    send_reviews(crowd, 3, name);
    for (size_t i = 0; i < crowd->n; i++) {
        struct verdict verdict;
        wire_read(&crowd->clients[i], &verdict);
        are_capped = are_capped && strcmp(verdict.patch, PATCH_REPLICAS_TO_1) == 0;
    }
    for (size_t i = 0; are_capped && i + PLACES < crowd->n; i++) {
        int64_t gap_ms = came_ms(cluster, path, i + PLACES) - came_ms(cluster, path, i);
        assert_true(gap_ms >= late_ms - EARLY_MS);
    }
    fake_heal(cluster->api);
    return are_capped;
}

/* The GETs take three rounds of 200 ms, which is more than the 500 ms of one GET. */
static void test_row_36__150_at_once_are_all_capped(void **state) {
    enum { N = 150, LATE_MS = 200, SANITIZED_LATE_MS = 50, TRIES = 3 };
    struct cluster *cluster = *state;
    struct crowd crowd;
    bool are_capped = false;
    connect_crowd(cluster, program_is_sanitized() ? CROWD : N, &crowd);
    for (int i = 0; i < TRIES && !are_capped; i++) {
        are_capped =
            try_150(cluster, &crowd, i, program_is_sanitized() ? SANITIZED_LATE_MS : LATE_MS);
    }
    assert_true(are_capped);
    close_crowd(&crowd);
}

/* The API server hangs. One half of the questions has GETs that take too long. The other half waits
   for places, until its deadline. */
static void test_row_36__a_full_table_starts_no_discovery(void **state) {
    struct cluster *cluster = *state;
    struct crowd crowd;
    size_t n_before = fake_count(cluster->api, "GET", DISCOVERY);
    inject(cluster, ALL_SERVERS "hang", FAKE_SILENT, 0);
    connect_crowd(cluster, CROWD, &crowd);
    int64_t began_ms = clock_boot_ms();
    send_reviews(&crowd, 1, "hang");
    read_verdicts(&crowd, "one that waits", "", "unresolved");
    assert_true(clock_boot_ms() - began_ms >= 700); /* not turned away, and 70 % of 1 s */
    assert_in_range(fake_count(cluster->api, "GET", ALL_SERVERS "hang"), PLACES, 2 * PLACES);
    cluster_settle_slowly(cluster);
    cluster_assert_count(cluster, "GET", DISCOVERY, n_before);
    assert_int_equal(program_count_log(&cluster->program, "\"lookup.failed\""), 1);
    close_crowd(&crowd);
}

/* Returns false if it took too long to prove anything. */
static bool try_65(const struct cluster *cluster, struct crowd *crowd, int attempt) {
    char name[32];
    char path[64];
    struct verdict verdict;
    snprintf(name, sizeof(name), "held-%d", attempt);
    snprintf(path, sizeof(path), ALL_SERVERS "%s-", name);
    for (size_t i = 0; i < crowd->n; i++) {
        char numbered[64];
        snprintf(numbered, sizeof(numbered), "%s-%zu", name, i);
        put_server(cluster, numbered, "stdio");
    }
    inject(cluster, path, FAKE_HELD, 0);
    int64_t began_ms = clock_boot_ms();
    send_reviews(crowd, 3, name);
    cluster_wait_for(cluster, "GET", path, PLACES);
    /* This one needs no look-up, and comes last. So the 65th question has come, too. */
    AUTO_FREE char *review = cluster_review_server(
        &(struct cluster_server){.name = "new", .transport = "stdio", .replicas = 1});
    wire_ask(&cluster->program, review, &verdict);
    size_t n_gets = fake_count(cluster->api, "GET", path);
    bool is_in_time = clock_boot_ms() - began_ms < 450;
    assert_true(!is_in_time || n_gets == PLACES);
    fake_heal(cluster->api);
    for (size_t i = 0; i < crowd->n; i++) {
        wire_read(&crowd->clients[i], &verdict);
        if (is_in_time) {
            wire_assert(&verdict, "one of 65", PATCH_REPLICAS_TO_1, "stdio-cap");
        }
    }
    return is_in_time;
}

static void test_row_36__the_65th_waits_for_a_place(void **state) {
    struct cluster *cluster = *state;
    struct crowd crowd;
    bool is_told = false;
    connect_crowd(cluster, PLACES + 1, &crowd);
    for (int i = 0; i < ATTEMPTS && !is_told; i++) {
        is_told = try_65(cluster, &crowd, i);
    }
    assert_true(is_told);
    close_crowd(&crowd);
}

/* 500 GETs in a second: a burst of 100, and 400 a second. So 800 take 1,750 ms. On a busy machine
   some questions may pass their deadlines. */
static void test_row_36__500_gets_begin_in_a_second(void **state) {
    enum { ROUNDS = 8, N = ROUNDS * CROWD, EARLY_MS = 100, BUNCHED = 40 };
    struct cluster *cluster = *state;
    struct crowd crowd;
    static int64_t came[N];
    connect_crowd(cluster, CROWD, &crowd);
    for (int i = 0; i < ROUNDS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "nobody-%d", i);
        send_reviews(&crowd, 3, name);
        for (size_t k = 0; k < CROWD; k++) {
            struct verdict verdict;
            wire_read(&crowd.clients[k], &verdict);
            assert_int_equal(verdict.status, 200);
        }
    }
    size_t n = fake_count(cluster->api, "GET", ALL_SERVERS "nobody");
    assert_in_range(n, N / 2, N);
    for (size_t i = 0; i < n; i++) {
        came[i] = came_ms(cluster, ALL_SERVERS "nobody", i);
    }
    assert_true(came[n - 1] - came[0] >= (int64_t)(n - 100) * 1000 / 400 - EARLY_MS);
    /* GETs may bunch up on their way. */
    for (size_t i = 0; i + 500 + BUNCHED < n; i++) {
        assert_true(came[i + 500 + BUNCHED] - came[i] >= 1000);
    }
    close_crowd(&crowd);
}

static void test_row_36__500_made_up_uids_of_a_known_mcpserver_cost_one_get(void **state) {
    enum { N = 50, ROUNDS = 10 };
    struct cluster *cluster = *state;
    struct crowd crowd;
    put_server(cluster, "one", "sse");
    cluster_settle(cluster);
    connect_crowd(cluster, N, &crowd);
    int64_t began_ms = clock_boot_ms();
    for (int i = 0; i < ROUNDS * N; i++) {
        char uid[32];
        struct verdict verdict;
        struct http_client *client = &crowd.clients[i % N];
        snprintf(uid, sizeof(uid), "made-up-%d", i);
        const struct cluster_deployment forged = {.name = "one", .replicas = 5, .owner_uid = uid};
        AUTO_FREE char *review = cluster_review(&forged);
        if (i >= N) {
            wire_read(client, &verdict);
            wire_assert(&verdict, uid, "", "");
        }
        send_review(client, 3, review);
    }
    read_verdicts(&crowd, "a made-up uid", "", "");
    int64_t took_ms = clock_boot_ms() - began_ms;
    assert_in_range(fake_count(cluster->api, "GET", ALL_SERVERS "one"), 1,
                    (uintmax_t)(1 + took_ms / 5000));
    assert_int_equal(program_metric(&cluster->program, "capstan_lookups_total{result=\"found\"}"),
                     fake_count(cluster->api, "GET", ALL_SERVERS "one"));
    close_crowd(&crowd);
}

/* An update of the Deployment, without a grace period. Only the owner's rules add one. */
static char *review_without_grace(const struct cluster_deployment *deployment) {
    static const char member[] = "\"terminationGracePeriodSeconds\":30,";
    char *review = cluster_review(deployment);
    for (char *at = strstr(review, member); at != NULL; at = strstr(at, member)) {
        memmove(at, at + strlen(member), strlen(at + strlen(member)) + 1);
    }
    return review;
}

/* Somebody has asked about the old MCPServer a moment ago, and the watch lags a little. Returns
   false if it lagged by too much to prove anything. */
static bool try_recreated(struct cluster *cluster, int attempt) {
    char name[32];
    char path[64];
    struct http_client client;
    struct verdict verdict;
    snprintf(name, sizeof(name), "one-%d", attempt);
    snprintf(path, sizeof(path), ALL_SERVERS "%s", name);
    const struct cluster_deployment forged = {.name = name, .replicas = 1, .owner_uid = "made-up"};
    const struct cluster_deployment of_the_new = {
        .name = name, .replicas = 1, .owner_uid = "m-second"};
    const struct cluster_server second = {
        .name = name, .uid = "m-second", .transport = "sse", .replicas = -1};
    put_server(cluster, name, "sse");
    cluster_settle(cluster);
    cluster_ask(cluster, review_without_grace(&forged), "", "");
    cluster_assert_count(cluster, "GET", path, 1);
    fake_hold_watches(cluster->api);
    cluster_remove_server(cluster, name);
    cluster_put_server(cluster, &second);
    program_connect(&cluster->program, &client);
    AUTO_FREE char *review = review_without_grace(&of_the_new);
    int64_t began_ms = clock_boot_ms();
    send_review(&client, 3, review);
    while (clock_boot_ms() < began_ms + LAG_MS / 4) {
        program_metric(&cluster->program, "capstan_lookups_total{result=\"found\"}");
    }
    fake_release_watches(cluster->api);
    wire_read(&client, &verdict);
    http_client_close(&client);
    if (clock_boot_ms() - began_ms >= LAG_MS - 20) {
        return false;
    }
    wire_assert(&verdict, "of the new one", PATCH_GRACE, "");
    cluster_assert_count(cluster, "GET", path, 2);
    return true;
}

static void test_row_38__a_recreated_mcpserver_is_found_while_the_watch_lags(void **state) {
    bool is_told = false;
    for (int i = 0; i < ATTEMPTS && !is_told; i++) {
        is_told = try_recreated(*state, i);
    }
    assert_true(is_told);
}

static void test_row_36__the_end_of_the_program_answers_all_that_wait(void **state) {
    enum { N = 100 };
    struct cluster *cluster = *state;
    struct crowd crowd;
    inject(cluster, ALL_SERVERS "hang", FAKE_SILENT, 0);
    connect_crowd(cluster, N, &crowd);
    int64_t began_ms = clock_boot_ms();
    send_reviews(&crowd, 30, "hang");
    cluster_wait_for(cluster, "GET", ALL_SERVERS "hang", PLACES);
    program_signal(&cluster->program, SIGTERM);
    read_verdicts(&crowd, "one that waits", "", "unresolved");
    int64_t took_ms = clock_boot_ms() - began_ms;
    assert_true(took_ms < CLUSTER_WAIT_MS);
    assert_int_equal(program_wait(&cluster->program), 0);
    /* Later, the GETs of 500 ms make room. */
    if (took_ms < 450) {
        cluster_assert_count(cluster, "GET", ALL_SERVERS "hang", PLACES);
    }
    close_crowd(&crowd);
}

#define DEAF(test)  cmocka_unit_test_setup_teardown(test, start_deaf, cluster_teardown)
#define AWARE(test) cmocka_unit_test_setup_teardown(test, start, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        DEAF(test_row_36__150_at_once_are_all_capped),
        AWARE(test_row_36__a_full_table_starts_no_discovery),
        DEAF(test_row_36__the_65th_waits_for_a_place),
        DEAF(test_row_36__500_gets_begin_in_a_second),
        AWARE(test_row_36__500_made_up_uids_of_a_known_mcpserver_cost_one_get),
        AWARE(test_row_38__a_recreated_mcpserver_is_found_while_the_watch_lags),
        DEAF(test_row_36__the_end_of_the_program_answers_all_that_wait),
    };
    return cmocka_run_group_tests_name("cluster/lookup_bounds", tests, NULL, NULL);
}
