// SPDX-License-Identifier: Apache-2.0

/*
 * Row 53: invalid answers to a list, a watch or a discovery.
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

#define GROUP "/apis/toolhive.stacklok.dev"

enum { BACKOFF_BASE_MS = 800, EARLY_MS = 20 };

static const struct cluster_deployment one_with_5 = {.name = "one", .replicas = 5};

static void put(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = -1};
    cluster_put_server(cluster, &server);
}

static void test_row_53__nonsense_instead_of_a_list_is_tried_again(void **state) {
    static const struct fake_fault faults[] = {
        {.kind = FAKE_ANSWER, .status = 500},
        {.kind = FAKE_ANSWER, .status = 502, .headers = "", .body = "<html><h1>502</h1>"},
        {.kind = FAKE_ANSWER, .status = 503, .headers = "Retry-After: 1\r\n"},
        {.kind = FAKE_ANSWER, .status = 504, .body = ""},
        {.kind = FAKE_ANSWER, .status = 200, .headers = "", .body = "<html>busy</html>"},
        {.kind = FAKE_ANSWER, .status = 200, .body = ""},
        {.kind = FAKE_ANSWER, .status = 200, .body = "null"},
        {.kind = FAKE_ANSWER, .status = 200, .body = "{}"},
        {.kind = FAKE_ANSWER, .status = 200, .body = "{\"items\":[{},null,7]}"},
        {.kind = FAKE_ANSWER, .status = 429, .headers = "Retry-After: 1\r\n"},
        {.kind = FAKE_CUT, .n_bytes = 50},
        {.kind = FAKE_RESET},
    };
    struct cluster *cluster = *state;
    put(cluster, "one");
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct fake_fault fault = faults[i];
        fault.verb = "LIST";
        fault.path = i % 2 == 0 ? SERVERS : DEPLOYMENTS;
        fault.times = 1;
        fake_forget(cluster->api);
        fake_inject(cluster->api, &fault);
        cluster_start(cluster);
        cluster_assert_count(cluster, "LIST", fault.path, 2);
        assert_int_equal(program_count_log(&cluster->program, "\"watch.failed\""), i + 1);
        cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
        assert_int_equal(program_stop(&cluster->program), 0);
    }
}

static void test_row_53__nonsense_instead_of_a_watch_is_tried_again(void **state) {
    static const struct fake_fault faults[] = {
        {.kind = FAKE_ANSWER, .status = 500},
        {.kind = FAKE_ANSWER, .status = 502, .headers = "", .body = "<html><h1>502</h1>"},
        {.kind = FAKE_ANSWER, .status = 504, .body = ""},
        {.kind = FAKE_ANSWER, .status = 200, .headers = "", .body = "<html>busy</html>\n"},
        {.kind = FAKE_ANSWER, .status = 200, .body = "{\"type\":\"ADDED\""},
        {.kind = FAKE_RESET},
    };
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        char name[32];
        struct fake_fault fault = faults[i];
        fault.verb = "WATCH";
        fault.path = SERVERS;
        fault.times = 1;
        fake_inject(cluster->api, &fault);
        cluster_start(cluster);
        snprintf(name, sizeof(name), "server-%zu", i);
        put(cluster, name);
        cluster_wait_for_condition(cluster, name, CLUSTER_CAPPED, "False");
        assert_int_equal(program_stop(&cluster->program), 0);
    }
}

/* Without discovery no look-up is possible, and each review asks for one. */
static void test_row_53__a_failing_discovery_is_not_hurried_by_look_ups(void **state) {
    static const struct fake_fault broken = {
        .verb = "GET", .path = GROUP, .kind = FAKE_ANSWER, .status = 500};
    struct cluster *cluster = *state;
    struct fake_request third;
    struct fake_request fourth;
    fake_inject(cluster->api, &broken);
    program_start_unready(&cluster->program);
    while (fake_count(cluster->api, "GET", GROUP) < 4) {
        cluster_ask(cluster, cluster_review(&one_with_5), "", "unresolved");
    }
    cluster_find(cluster, "GET", GROUP, 2, &third);
    cluster_find(cluster, "GET", GROUP, 3, &fourth);
    assert_true(fourth.at_ms - third.at_ms >= 4 * BACKOFF_BASE_MS - EARLY_MS);
    assert_int_equal(program_count_log(&cluster->program, "\"api.failed\""), 1);
}

#define UNBORN(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        UNBORN(test_row_53__nonsense_instead_of_a_list_is_tried_again),
        UNBORN(test_row_53__nonsense_instead_of_a_watch_is_tried_again),
        UNBORN(test_row_53__a_failing_discovery_is_not_hurried_by_look_ups),
    };
    return cmocka_run_group_tests_name("cluster/broken", tests, NULL, NULL);
}
