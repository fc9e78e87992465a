// SPDX-License-Identifier: Apache-2.0

/*
 * Row 48: after any failed renewal the next one succeeds, and the program loses nothing.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

static int set_up(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.elects_leader = true;
    return 0;
}

static void put_and_wait(const struct cluster *cluster, const char *name) {
    const struct cluster_server server = {.name = name, .transport = "stdio", .replicas = 3};
    cluster_put_server(cluster, &server);
    cluster_wait_for_condition(cluster, name, CLUSTER_CAPPED, "True");
}

static int version_of(const struct cluster *cluster) {
    cJSON *lease = fake_get(cluster->api, FAKE_LEASE, CLUSTER_NAMESPACE, "capstan");
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(lease, "metadata");
    int version = atoi(cJSON_GetObjectItemCaseSensitive(metadata, "resourceVersion")->valuestring);
    cJSON_Delete(lease);
    return version;
}

static void wait_for_renewal(const struct cluster *cluster, int version) {
    int64_t until_ms = clock_boot_ms() + CLUSTER_WAIT_MS;
    while (version_of(cluster) == version) {
        assert_true(clock_boot_ms() < until_ms);
        http_sleep_ms(5);
    }
}

static void test_row_48__a_renewal_that_goes_wrong_is_made_good(void **state) {
    static const struct fake_fault faults[] = {
        {.kind = FAKE_ANSWER, .status = 500},
        {.kind = FAKE_ANSWER, .status = 409},
        {.kind = FAKE_ANSWER, .status = 429, .headers = "Retry-After: 1\r\n"},
        {.kind = FAKE_ANSWER, .status = 200, .body = "not JSON"},
        {.kind = FAKE_ANSWER, .status = 200, .body = "{}"},
        {.kind = FAKE_RESET},
    };
    struct cluster *cluster = *state;
    char holder[256];
    char now[256];
    cluster_start(cluster);
    put_and_wait(cluster, "one");
    cluster_get_holder(cluster, holder);
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct fake_fault fault = faults[i];
        fault.path = LEASE;
        fault.times = 1;
        fake_inject(cluster->api, &fault);
        wait_for_renewal(cluster, version_of(cluster));
    }
    put_and_wait(cluster, "two");
    cluster_get_holder(cluster, now);
    assert_string_equal(now, holder);
    assert_int_equal(program_count_log(&cluster->program, "\"leader.lost\""), 0);
    assert_int_equal(program_count_log(&cluster->program, "\"leader.elected\""), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_row_48__a_renewal_that_goes_wrong_is_made_good, set_up,
                                        cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/lease_faults", tests, NULL, NULL);
}
