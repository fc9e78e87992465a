// SPDX-License-Identifier: Apache-2.0

/*
 * An API server that takes no write of any object. The program writes seldom, however many objects
 * there are, says why once, and catches up soon after. Heals do not wait for statuses.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

enum {
    EARLY_MS = 20,
    PER_SECOND_MAX = 10,
    CATCH_UP_MS = 60000,
    STATUS_LANES = 12,
    PATIENCE_MS = 3000, /* on a busy machine */
};

static int start(void **state) {
    cluster_setup(state);
    cluster_start(*state);
    return 0;
}

static void put_many(const struct cluster *cluster, const char *prefix, int n) {
    for (int i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s-%04d", prefix, i);
        const struct cluster_server server = {.name = name, .transport = "sse", .replicas = -1};
        cluster_put_server(cluster, &server);
    }
}

static void put_to_heal(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {
        .name = name, .transport = "stdio", .replicas = -1, .status = CLUSTER_QUIET_STATUS};
    const struct cluster_deployment deployment = {.name = name, .replicas = 3};
    cluster_put_server(cluster, &server);
    cluster_put_deployment(cluster, &deployment);
}

static int64_t at_ms(const struct cluster *cluster, const char *verb, const char *path,
                     size_t index) {
    struct fake_request request;
    cluster_find(cluster, verb, path, index, &request);
    return request.at_ms;
}

/* The most writes that began within one second. */
static size_t most_in_a_second(const struct cluster *cluster, size_t n) {
    size_t most = 0;
    size_t first = 0;
    for (size_t last = 0; last < n; last++) {
        int64_t last_ms = at_ms(cluster, "WRITE", NULL, last);
        while (at_ms(cluster, "WRITE", NULL, first) <= last_ms - 1000) {
            first++;
        }
        most = last - first + 1 > most ? last - first + 1 : most;
    }
    return most;
}

static void test_refused__everybodys_failure_is_a_few_writes(void **state) {
    enum { N_WRITES = 5 };
    static const struct {
        int n_objects;
        struct fake_fault fault;
        const char *said;
    } rows[] = {
        {3000, {.kind = FAKE_ANSWER, .status = 500}, ": 500"},
        {1500, {.kind = FAKE_ANSWER, .status = 403}, ": 403"},
        {200, {.kind = FAKE_ANSWER, .status = 200, .body = "<html>log in"}, "see whether a proxy"},
        {200, {.kind = FAKE_ANSWER, .status = 404, .body = "<html>"}, ": 404"},
        {200, {.kind = FAKE_ANSWER, .status = 404}, "has the status subresource"},
        {200, {.kind = FAKE_RESET}, "no answer"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cluster *cluster;
        struct fake_fault fault = rows[i].fault;
        fault.verb = "PATCH";
        fault.path = "/status?";
        cluster_setup((void **)&cluster);
        fake_inject(cluster->api, &fault);
        put_many(cluster, "server", rows[i].n_objects);
        cluster_start(cluster);
        assert_true(fake_wait(cluster->api, "PATCH", "/status?", N_WRITES, CATCH_UP_MS));
        size_t n = fake_count(cluster->api, "WRITE", NULL);
        size_t most = most_in_a_second(cluster, n);
        if (most > PER_SECOND_MAX || n > N_WRITES + 2) {
            fail_msg("row %zu: %zu writes, up to %zu in a second", i, n, most);
        }
        program_wait_for_metric(&cluster->program, "capstan_status_writes_total{result=\"error\"}",
                                N_WRITES - 1, N_WRITES + 2);
        assert_int_equal(program_count_log(&cluster->program, "\"status.refused\""), 1);
        assert_true(program_count_log(&cluster->program, rows[i].said) > 0);
        fake_heal(cluster->api);
        int64_t began_ms = clock_boot_ms();
        while (fake_count(cluster->api, "PATCH", "/status?") < n + (size_t)rows[i].n_objects) {
            assert_true(clock_boot_ms() - began_ms < CATCH_UP_MS);
            http_sleep_ms(20);
        }
        program_wait_for_metric(&cluster->program, "capstan_status_writes_total{result=\"ok\"}",
                                rows[i].n_objects, rows[i].n_objects);
        cluster_teardown((void **)&cluster);
    }
}

/* Two begin at once, and then none before the time. */
static void test_refused__nobody_writes_before_a_retry_after_is_over(void **state) {
    enum { WAIT_MS = 3000, N = 300 };
    static const struct fake_fault busy = {.verb = "PATCH",
                                           .path = "/status?",
                                           .kind = FAKE_ANSWER,
                                           .status = 429,
                                           .headers = "Retry-After: 3\r\n"};
    struct cluster *cluster = *state;
    fake_inject(cluster->api, &busy);
    put_many(cluster, "server", N);
    cluster_start(cluster);
    assert_true(fake_wait(cluster->api, "PATCH", "/status?", 4, CATCH_UP_MS));
    for (size_t i = 2; i < 4; i++) {
        int64_t gap_ms =
            at_ms(cluster, "PATCH", "/status?", i) - at_ms(cluster, "PATCH", "/status?", i - 1);
        assert_true(gap_ms >= WAIT_MS - EARLY_MS);
    }
    cluster_assert_count(cluster, "WRITE", NULL, 4);
    fake_heal(cluster->api);
    assert_true(fake_wait(cluster->api, "PATCH", "/status?", 4 + N, CATCH_UP_MS));
    assert_true(at_ms(cluster, "PATCH", "/status?", 4) - at_ms(cluster, "PATCH", "/status?", 3) >=
                WAIT_MS - EARLY_MS);
}

/* One object that cannot be written, whatever the status, holds nobody up for long. */
static void test_refused__one_object_alone_stops_no_others(void **state) {
    static const int statuses[] = {403, 404, 409, 422, 429, 500};
    struct cluster *cluster = *state;
    char paths[COUNT_OF(statuses)][64];
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        char name[32];
        snprintf(name, sizeof(name), "bad-%zu", i);
        snprintf(paths[i], sizeof(paths[i]), "/mcpservers/%s/status?", name);
        const struct fake_fault fault = {
            .verb = "PATCH", .path = paths[i], .kind = FAKE_ANSWER, .status = statuses[i]};
        const struct cluster_server server = {.name = name, .transport = "sse", .replicas = -1};
        fake_inject(cluster->api, &fault);
        cluster_put_server(cluster, &server);
    }
    put_many(cluster, "good", 100);
    cluster_wait_for_condition(cluster, "good-0099", CLUSTER_CAPPED, "False");
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        cluster_wait_for(cluster, "PATCH", paths[i], 1);
    }
    fake_heal(cluster->api); /* it borrows the paths */
}

static void test_refused__a_heal_passes_statuses_that_hang(void **state) {
    static const struct fake_fault held = {.verb = "PATCH", .path = "/status?", .kind = FAKE_HELD};
    struct cluster *cluster = *state;
    fake_inject(cluster->api, &held);
    put_many(cluster, "server", 200);
    cluster_wait_for(cluster, "PATCH", "/status?", STATUS_LANES);
    int64_t began_ms = clock_boot_ms();
    put_to_heal(cluster, "one");
    cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), 1);
    assert_in_range(clock_boot_ms() - began_ms, 0, PATIENCE_MS);
    cluster_assert_count(cluster, "PATCH", "/status?", STATUS_LANES);
    fake_heal(cluster->api);
}

static void test_refused__a_heal_passes_statuses_that_are_refused(void **state) {
    static const struct fake_fault faults[] = {
        {.kind = FAKE_ANSWER, .status = 403},
        {.kind = FAKE_ANSWER, .status = 429, .headers = "Retry-After: 60\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct cluster *cluster;
        struct fake_fault fault = faults[i];
        fault.verb = "PATCH";
        fault.path = "/status?";
        cluster_setup((void **)&cluster);
        cluster_start(cluster);
        fake_inject(cluster->api, &fault);
        put_many(cluster, "server", 50);
        program_wait_for_log(&cluster->program, "\"status.refused\"", 1);
        int64_t began_ms = clock_boot_ms();
        put_to_heal(cluster, "one");
        cluster_wait_for(cluster, "PATCH", SCALE_OF("one"), 1);
        assert_in_range(clock_boot_ms() - began_ms, 0, PATIENCE_MS);
        cluster_teardown((void **)&cluster);
    }
}

/* Those that are refused are dropped, and the others wait. */
static void test_refused__events_wait_while_none_is_taken(void **state) {
    enum { N = 40 };
    static const struct fake_fault faults[] = {
        {.verb = "POST", .path = EVENTS, .kind = FAKE_ANSWER, .status = 403},
        {.verb = "POST", .path = EVENTS, .kind = FAKE_ANSWER, .status = 200, .body = "<html>"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct cluster *cluster;
        cluster_setup((void **)&cluster);
        cluster_start(cluster);
        fake_inject(cluster->api, &faults[i]);
        for (int j = 0; j < N; j++) {
            char name[32];
            snprintf(name, sizeof(name), "server-%d", j);
            put_to_heal(cluster, name);
        }
        program_wait_for_metric(&cluster->program, "capstan_scale_writes_total{result=\"ok\"}", N,
                                N);
        cluster_wait_for(cluster, "POST", EVENTS, 5);
        size_t n = fake_count(cluster->api, "POST", EVENTS);
        int64_t took_ms = at_ms(cluster, "POST", EVENTS, n - 1) - at_ms(cluster, "POST", EVENTS, 0);
        assert_true(took_ms >= 600 - EARLY_MS);
        assert_in_range(n, 5, 6);
        assert_int_equal(program_count_log(&cluster->program, "\"event.refused\""), 1);
        fake_heal(cluster->api);
        assert_true(fake_wait(cluster->api, "POST", EVENTS, N, CATCH_UP_MS));
        cluster_teardown((void **)&cluster);
    }
}

#define FRESH(test)  cmocka_unit_test_setup_teardown(test, start, cluster_teardown)
#define UNBORN(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused__everybodys_failure_is_a_few_writes),
        UNBORN(test_refused__nobody_writes_before_a_retry_after_is_over),
        FRESH(test_refused__one_object_alone_stops_no_others),
        FRESH(test_refused__a_heal_passes_statuses_that_hang),
        cmocka_unit_test(test_refused__a_heal_passes_statuses_that_are_refused),
        cmocka_unit_test(test_refused__events_wait_while_none_is_taken),
    };
    return cmocka_run_group_tests_name("cluster/refused", tests, NULL, NULL);
}
