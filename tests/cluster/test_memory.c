// SPDX-License-Identifier: Apache-2.0

/*
 * The figures of memory: the program beside an API server with that many MCPServers and their
 * Deployments. Resident memory includes the libraries, which all their users share.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

enum { READY_MS = 60000 };

static void put_all(const struct cluster *cluster, int n_servers) {
    static const char *const transports[] = {"stdio", "sse", "streamable-http"};
    for (int i = 0; i < n_servers; i++) {
        char name[32];
        snprintf(name, sizeof(name), "mcp-server-%d", i);
        const struct cluster_server server = {.name = name,
                                              .transport =
                                                  transports[(size_t)i % COUNT_OF(transports)],
                                              .replicas = -1,
                                              .status = CLUSTER_QUIET_STATUS};
        const struct cluster_deployment deployment = {.name = name, .replicas = 1};
        cluster_put_server(cluster, &server);
        cluster_put_deployment(cluster, &deployment);
    }
}

/* The limits are in KiB. */
static void measure(struct cluster *cluster, int n_servers, int64_t rss_max,
                    int64_t anonymous_max) {
    static const struct cluster_deployment first = {.name = "mcp-server-0", .replicas = 5};
    put_all(cluster, n_servers);
    int64_t began_ms = clock_boot_ms();
    program_start_unready(&cluster->program);
    while (!cluster_is_ready(cluster)) {
        assert_true(clock_boot_ms() - began_ms < READY_MS);
        http_sleep_ms(10);
    }
    int64_t took_ms = clock_boot_ms() - began_ms;
    cluster_wait_for_watches(cluster);
    cluster_settle(cluster);
    cluster_ask(cluster, cluster_review(&first), PATCH_REPLICAS_TO_1, "stdio-cap");
    int64_t rss = program_memory_kib(&cluster->program, "VmRSS");
    int64_t anonymous = program_memory_kib(&cluster->program, "RssAnon");
    print_message("FIGURE %d MCPServers and their Deployments: ready after %lld ms, RSS %lld KiB "
                  "(under %lld), RssAnon %lld KiB (under %lld)\n",
                  n_servers, (long long)took_ms, (long long)rss, (long long)rss_max,
                  (long long)anonymous, (long long)anonymous_max);
    assert_true(rss < rss_max);
    assert_true(anonymous < anonymous_max);
}

static void test_memory__stays_under_16_mb_with_1000_mcpservers(void **state) {
    measure(*state, 1000, 16 * 1024, 6 * 1024);
}

static void test_memory__stays_under_100_mb_with_100000_mcpservers(void **state) {
    measure(*state, 100000, 100 * 1024, 100 * 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_memory__stays_under_16_mb_with_1000_mcpservers,
                                        cluster_setup, cluster_teardown),
        cmocka_unit_test_setup_teardown(test_memory__stays_under_100_mb_with_100000_mcpservers,
                                        cluster_setup, cluster_teardown),
    };
    if (program_is_sanitized()) {
        printf("THE FIGURES ARE NOT MEASURED: this is a build with sanitizers\n");
        return 77; /* meson: skipped */
    }
    /* meson sets this variable. With it, malloc() and free() fill each block. */
    unsetenv("MALLOC_PERTURB_");
    return cmocka_run_group_tests_name("cluster/memory", tests, NULL, NULL);
}
