// SPDX-License-Identifier: Apache-2.0

/*
 * Rows 52, 56, 57, 58 and 66: an API server that is busy, away, or silent. Admission goes on with
 * the known facts, and readiness never changes.
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

enum { EARLY_MS = 20, CLOSE_MS = 10000 };

static const struct cluster_deployment one_with_5 = {.name = "one", .replicas = 5};

static int start(void **state) {
    cluster_setup(state);
    cluster_start(*state);
    return 0;
}

static void put(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = -1};
    cluster_put_server(cluster, &server);
}

static void put_and_wait(const struct cluster *cluster, const char *name) {
    put(cluster, name);
    cluster_wait_for_condition(cluster, name, CLUSTER_CAPPED, "False");
}

static void test_readiness__waits_for_both_lists_and_stays(void **state) {
    static const char *const paths[] = {SERVERS, DEPLOYMENTS};
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        const struct fake_fault silence = {.verb = "LIST", .path = paths[i], .kind = FAKE_SILENT};
        fake_inject(cluster->api, &silence);
        program_start_unready(&cluster->program);
        cluster_wait_for(cluster, "WATCH", paths[1 - i], 1);
        assert_false(cluster_is_ready(cluster));
        fake_heal(cluster->api);
        cluster_wait_until_ready(cluster);
        fake_go_away(cluster->api);
        assert_true(cluster_is_ready(cluster));
        assert_int_equal(program_stop(&cluster->program), 0);
        fake_come_back(cluster->api);
        fake_forget(cluster->api);
    }
}

static void test_row_66__an_api_server_that_is_away_is_waited_for(void **state) {
    struct cluster *cluster = *state;
    fake_go_away(cluster->api);
    program_start_unready(&cluster->program);
    assert_false(cluster_is_ready(cluster));
    cluster_ask(cluster, cluster_review(&one_with_5), "", "unresolved");
    fake_come_back(cluster->api);
    cluster_wait_until_ready(cluster);
    put_and_wait(cluster, "one");
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
}

static void test_row_66__an_api_server_that_goes_away_is_waited_for(void **state) {
    struct cluster *cluster = *state;
    put_and_wait(cluster, "one");
    fake_go_away(cluster->api);
    for (int i = 0; i < 3; i++) {
        assert_in_range(
            cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap"), 0,
            1000);
    }
    assert_true(cluster_is_ready(cluster));
    put(cluster, "two");
    fake_come_back(cluster->api);
    cluster_wait_for_condition(cluster, "two", CLUSTER_CAPPED, "False");
    assert_true(cluster_is_ready(cluster));
    /* The watch goes on from its last version. */
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
}

static void test_row_66__a_name_that_cannot_be_resolved_stops_nothing(void **state) {
    static const char *const servers[] = {"http://no-such-host.invalid:6443", "http://[::1]:9",
                                          "http://127.0.0.1:9"};
    struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        cluster_put_kubeconfig(cluster, servers[i], "{}");
        program_start_unready(&cluster->program);
        assert_false(cluster_is_ready(cluster));
        cluster_ask(cluster, cluster_review(&one_with_5), "", "unresolved");
        assert_int_equal(program_stop(&cluster->program), 0);
    }
}

/* The server closes no connection and sends nothing. The kernel of the peer still accepts data, so
   only the program's own limits show. */
static void test_row_56__a_silent_server_stops_nothing(void **state) {
    struct cluster *cluster = *state;
    put_and_wait(cluster, "one");
    fake_freeze(cluster->api);
    put(cluster, "two");
    cluster_ask(cluster, cluster_review(&one_with_5), PATCH_REPLICAS_TO_1, "stdio-cap");
    const struct cluster_deployment unknown = {.name = "unknown", .replicas = 5};
    cluster_ask(cluster, cluster_review(&unknown), "", "unresolved");
    assert_true(cluster_is_ready(cluster));
    fake_thaw(cluster->api);
    cluster_wait_for_condition(cluster, "two", CLUSTER_CAPPED, "False");
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
    cluster_assert_count(cluster, "WATCH", SERVERS, 1);
}

/* The program waits for the write under way, but not for ever. */
static void test_row_56__a_silent_server_does_not_delay_the_end(void **state) {
    struct cluster *cluster = *state;
    put_and_wait(cluster, "one");
    const struct fake_fault silence = {.verb = "PATCH", .kind = FAKE_SILENT};
    fake_inject(cluster->api, &silence);
    put(cluster, "two");
    cluster_wait_for(cluster, "PATCH", STATUS_OF("two"), 1);
    fake_freeze(cluster->api);
    int64_t began_ms = clock_boot_ms();
    program_signal(&cluster->program, SIGTERM);
    while (program_is_running(&cluster->program)) {
        assert_in_range(clock_boot_ms() - began_ms, 0, CLOSE_MS + 3000);
        http_sleep_ms(5);
    }
    assert_int_equal(program_wait(&cluster->program), 0);
    fake_thaw(cluster->api);
}

/* The timer of an idle connection to the API server in /proc/net/tcp: 2 means keepalive, due within
   30 s. */
static void test_row_56__an_idle_watch_is_probed(void **state) {
    struct cluster *cluster = *state;
    char command[512];
    char output[4096];
    unsigned timer = 0;
    unsigned long due = 0;
    snprintf(command, sizeof(command),
             "awk '$3 == \"0100007F:%04X\" && $4 == \"01\" {print $6}' /proc/net/tcp | sort -u | "
             "grep -v '^00' | head -1",
             fake_port(cluster->api));
    assert_int_equal(program_shell(&cluster->program, command, output, sizeof(output)), 0);
    assert_int_equal(sscanf(output, "%x:%lx", &timer, &due), 2);
    assert_int_equal(timer, 2);
    assert_in_range(due, 0, 3100);
}

static void get_version(const char *path, char out[64]) {
    const char *version = strstr(path, "resourceVersion=");
    assert_non_null(version);
    snprintf(out, 64, "%.*s", (int)strcspn(version, "&"), version);
}

static void test_row_52__a_watch_waits_as_long_as_it_is_told(void **state) {
    static const struct fake_fault busy = {.verb = "WATCH",
                                           .path = SERVERS,
                                           .kind = FAKE_ANSWER,
                                           .status = 429,
                                           .headers = "Retry-After: 5\r\n",
                                           .times = 1};
    struct cluster *cluster = *state;
    struct fake_request told;
    struct fake_request next;
    char told_version[64];
    char next_version[64];
    fake_inject(cluster->api, &busy);
    fake_cut_watches(cluster->api);
    cluster_wait_for(cluster, "WATCH", SERVERS, 3);
    cluster_find(cluster, "WATCH", SERVERS, 1, &told);
    cluster_find(cluster, "WATCH", SERVERS, 2, &next);
    assert_in_range(next.at_ms - told.at_ms, 5000 - EARLY_MS, 8000);
    get_version(told.path, told_version);
    get_version(next.path, next_version);
    assert_string_equal(told_version, next_version);
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
    put_and_wait(cluster, "one");
}

/* An API server restored from a backup has older versions than the program knows. A list asks for
   no version, so it never asks for a version from the future. */
static void test_row_57__a_list_asks_for_no_version(void **state) {
    struct cluster *cluster = *state;
    struct fake_request list;
    put_and_wait(cluster, "one");
    const struct fake_fault expired = {
        .verb = "WATCH", .path = SERVERS, .kind = FAKE_ANSWER, .status = 410, .times = 1};
    fake_inject(cluster->api, &expired);
    fake_end_watches(cluster->api);
    cluster_wait_for(cluster, "LIST", SERVERS, 2);
    for (size_t i = 0; i < 2; i++) {
        cluster_find(cluster, "LIST", SERVERS, i, &list);
        assert_null(strstr(list.path, "resourceVersion"));
    }
}

static void test_row_58__watches_that_end_at_once_are_not_hurried(void **state) {
    static const struct fake_fault over = {
        .verb = "WATCH", .path = SERVERS, .kind = FAKE_ANSWER, .status = 200, .body = ""};
    struct cluster *cluster = *state;
    struct fake_request first;
    struct fake_request last;
    fake_inject(cluster->api, &over);
    fake_cut_watches(cluster->api);
    assert_true(fake_wait(cluster->api, "WATCH", SERVERS, 4, 20000));
    cluster_find(cluster, "WATCH", SERVERS, 1, &first);
    cluster_find(cluster, "WATCH", SERVERS, 3, &last);
    assert_true(last.at_ms - first.at_ms >= 1600 - EARLY_MS);
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
}

/* Each ends well, and brings news. */
static void test_row_58__watches_that_end_with_news_are_not_hurried(void **state) {
    enum { STORM_MS = 4000, A_SECOND_MS = 1000 };
    struct cluster *cluster = *state;
    int64_t began_ms = clock_boot_ms();
    for (int i = 0; clock_boot_ms() - began_ms < STORM_MS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "server-%d", i);
        const struct cluster_server server = {
            .name = name, .transport = "stdio", .replicas = -1, .status = CLUSTER_QUIET_STATUS};
        cluster_put_server(cluster, &server);
        fake_end_watches(cluster->api);
        http_sleep_ms(5);
    }
    int64_t took_ms = clock_boot_ms() - began_ms;
    assert_in_range(fake_count(cluster->api, "WATCH", SERVERS), 3, 2 + took_ms / A_SECOND_MS);
    assert_true(program_count_log(&cluster->program, "each watch ends at once") > 0);
    put_and_wait(cluster, "one");
    cluster_assert_count(cluster, "LIST", SERVERS, 1);
}

#define FRESH(test)  cmocka_unit_test_setup_teardown(test, start, cluster_teardown)
#define UNBORN(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        UNBORN(test_readiness__waits_for_both_lists_and_stays),
        FRESH(test_row_52__a_watch_waits_as_long_as_it_is_told),
        FRESH(test_row_56__a_silent_server_stops_nothing),
        FRESH(test_row_56__a_silent_server_does_not_delay_the_end),
        FRESH(test_row_56__an_idle_watch_is_probed),
        FRESH(test_row_57__a_list_asks_for_no_version),
        FRESH(test_row_58__watches_that_end_at_once_are_not_hurried),
        FRESH(test_row_58__watches_that_end_with_news_are_not_hurried),
        UNBORN(test_row_66__an_api_server_that_is_away_is_waited_for),
        FRESH(test_row_66__an_api_server_that_goes_away_is_waited_for),
        UNBORN(test_row_66__a_name_that_cannot_be_resolved_stops_nothing),
    };
    return cmocka_run_group_tests_name("cluster/outage", tests, NULL, NULL);
}
