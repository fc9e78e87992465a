// SPDX-License-Identifier: Apache-2.0

/*
 * Row 48: without renewals, the leader gives the Lease up 10 s after it began the last good
 * renewal. A Lease that nobody renews is free after 15 s.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

enum {
    DEADLINE_MS = 10000,
    DURATION_MS = 15000,
    RETRY_MAX_MS = 4400,
    EARLY_MS = 500,
    SLACK_MS = 4000
};

static int set_up(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.elects_leader = true;
    return 0;
}

static void put(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = 3};
    cluster_put_server(cluster, &server);
}

static void wait_for_loss(const struct cluster *cluster) {
    int64_t until_ms = clock_boot_ms() + DEADLINE_MS + SLACK_MS;
    while (program_count_log(&cluster->program, "\"leader.lost\"") == 0) {
        assert_true(clock_boot_ms() < until_ms);
        http_sleep_ms(5);
    }
}

/* Reads the time after the name, by the program's own clock. */
static int64_t read_time_ms(const char *at, const char *name) {
    struct tm time = {0};
    int milliseconds = 0;
    const char *text = strstr(at, name);
    assert_non_null(text);
    const char *rest = strptime(text + strlen(name), "\":\"%Y-%m-%dT%H:%M:%S", &time);
    assert_non_null(rest);
    assert_int_equal(sscanf(rest, ".%3d", &milliseconds), 1);
    return timegm(&time) * 1000 + milliseconds;
}

static int64_t read_loss_ms(const struct cluster *cluster) {
    AUTO_FREE char *log = program_read(&cluster->program, "log");
    char *at = strstr(log, "\"leader.lost\"");
    assert_non_null(at);
    while (at > log && at[-1] != '\n') {
        at--;
    }
    return read_time_ms(at, "\"time");
}

/* The time of the last good renewal, as its record says. */
static int64_t read_renewal_ms(const struct cluster *cluster) {
    struct fake_request request;
    int64_t renewed_ms = 0;
    for (size_t i = 0; fake_find(cluster->api, "PUT", LEASE, i, &request); i++) {
        renewed_ms = request.status == 200 ? read_time_ms(request.body, "\"renewTime") : renewed_ms;
    }
    return renewed_ms;
}

static void test_row_48__a_lease_that_cannot_be_renewed_is_lost_after_10_s(void **state) {
    static const struct fake_fault silence = {.path = LEASE, .kind = FAKE_SILENT};
    struct cluster *cluster = *state;
    cluster_start(cluster);
    put(cluster, "one");
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    cluster_wait_for(cluster, "PUT", LEASE, 1);
    fake_inject(cluster->api, &silence);
    wait_for_loss(cluster);
    assert_in_range(read_loss_ms(cluster) - read_renewal_ms(cluster), DEADLINE_MS - EARLY_MS,
                    DEADLINE_MS + SLACK_MS);
    put(cluster, "two");
    size_t n = fake_count(cluster->api, NULL, LEASE);
    cluster_wait_for(cluster, NULL, LEASE, n + 1);
    cluster_assert_count(cluster, "WRITE", STATUS_OF("two"), 0);
    assert_true(cluster_is_ready(cluster));
    fake_heal(cluster->api);
    cluster_wait_for_condition(cluster, "two", CLUSTER_CAPPED, "True");
}

/* The times in the record come from another clock and mean nothing here. */
static void test_row_48__a_lease_without_renewals_is_free_after_15_s(void **state) {
    struct cluster *cluster = *state;
    struct fake_request look;
    struct fake_request taken;
    struct fake_request written;
    char holder[256];
    fake_put(cluster->api, FAKE_LEASE,
             "{\"metadata\":{\"namespace\":\"" CLUSTER_NAMESPACE "\",\"name\":\"capstan\"},"
             "\"spec\":{\"holderIdentity\":\"another\",\"leaseDurationSeconds\":15,"
             "\"acquireTime\":\"2000-01-01T00:00:00.000000Z\","
             "\"renewTime\":\"2000-01-01T00:00:00.000000Z\",\"leaseTransitions\":7}}");
    put(cluster, "one");
    cluster_start(cluster);
    assert_true(fake_wait(cluster->api, "PUT", LEASE, 1, DURATION_MS + RETRY_MAX_MS + SLACK_MS));
    cluster_find(cluster, "GET", LEASE, 0, &look);
    cluster_find(cluster, "PUT", LEASE, 0, &taken);
    cluster_wait_for(cluster, "WRITE", NULL, 1);
    cluster_find(cluster, "WRITE", NULL, 0, &written);
    assert_true(written.at_ms >= taken.at_ms);
    assert_in_range(taken.at_ms - look.at_ms, DURATION_MS - 20,
                    DURATION_MS + RETRY_MAX_MS + SLACK_MS);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    cluster_get_holder(cluster, holder);
    assert_string_not_equal(holder, "another");
    cJSON *lease = fake_get(cluster->api, FAKE_LEASE, CLUSTER_NAMESPACE, "capstan");
    const cJSON *spec = cJSON_GetObjectItemCaseSensitive(lease, "spec");
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(spec, "leaseTransitions")->valueint, 8);
    cJSON_Delete(lease);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_row_48__a_lease_that_cannot_be_renewed_is_lost_after_10_s, set_up,
            cluster_teardown),
        cmocka_unit_test_setup_teardown(test_row_48__a_lease_without_renewals_is_free_after_15_s,
                                        set_up, cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/lease_lost", tests, NULL, NULL);
}
