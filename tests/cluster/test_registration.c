// SPDX-License-Identifier: Apache-2.0

/*
 * The entries of the webhook configuration over an upgrade from three of them to four, with and
 * without --fail-closed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "cluster/cluster.h"
#include "core/certificates/registration.h"
#include "edge/clock.h"

#define CONFIGURATION "zz-capstan"

/* Capstan has to be ready for 30 s before it fails closed. */
enum { FAIL_CLOSED_MS = 30000, WAIT_MS = FAIL_CLOSED_MS + CLUSTER_WAIT_MS, N_OLD = 3, N_NEW = 4 };

static const char *const names[N_NEW] = {"mcpservers.capstan.dev", "deployments.capstan.dev",
                                         "scale.capstan.dev", REGISTRATION_AUTOSCALERS_NAME};

/* Applies the first `n_entries`. As kubectl apply does, it keeps the caBundles of the entries that
   are there, and sets each failurePolicy to what the manifests have. */
static void apply(const struct cluster *cluster, size_t n_entries) {
    AUTO(buffer_fini) struct buffer json;
    cJSON *before = fake_get(cluster->api, FAKE_CONFIGURATION, "", CONFIGURATION);
    const cJSON *entries = cJSON_GetObjectItemCaseSensitive(before, "webhooks");
    buffer_init(&json, SIZE_MAX);
    buffer_add_text(&json, "{\"metadata\":{\"name\":\"" CONFIGURATION "\"},\"webhooks\":[");
    for (size_t i = 0; i < n_entries; i++) {
        const cJSON *config =
            cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(entries, (int)i), "clientConfig");
        const char *bundle =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(config, "caBundle"));
        buffer_add_format(&json,
                          "%s{\"name\":\"%s\",\"failurePolicy\":\"Ignore\",\"clientConfig\":{"
                          "\"service\":{\"namespace\":\"" CLUSTER_NAMESPACE
                          "\",\"name\":\"capstan\"},\"caBundle\":\"%s\"}}",
                          i > 0 ? "," : "", names[i], bundle != NULL ? bundle : "");
    }
    buffer_add_text(&json, "]}");
    cJSON_Delete(before);
    fake_put(cluster->api, FAKE_CONFIGURATION, buffer_text(&json));
}

/* Adds a line for each entry: its name, its failurePolicy, and whether it has a caBundle. */
static void describe(const struct cluster *cluster, struct buffer *out) {
    cJSON *configuration = fake_get(cluster->api, FAKE_CONFIGURATION, "", CONFIGURATION);
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(configuration, "webhooks")) {
        const cJSON *config = cJSON_GetObjectItemCaseSensitive(entry, "clientConfig");
        const char *bundle =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(config, "caBundle"));
        buffer_add_format(
            out, "%s %s%s\n", cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "name")),
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "failurePolicy")),
            bundle != NULL && bundle[0] != '\0' ? "" : " blank");
    }
    cJSON_Delete(configuration);
}

static void wait_until(const struct cluster *cluster, const char *expected, int64_t wait_ms) {
    int64_t until_ms = clock_boot_ms() + wait_ms;
    AUTO(buffer_fini) struct buffer is;
    buffer_init(&is, SIZE_MAX);
    do {
        http_sleep_ms(50);
        buffer_clear(&is);
        describe(cluster, &is);
    } while (strcmp(buffer_text(&is), expected) != 0 && clock_boot_ms() < until_ms);
    assert_string_equal(buffer_text(&is), expected);
}

static int set_up(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.makes_certificates = true;
    fake_put(cluster->api, FAKE_NAMESPACE, "{\"metadata\":{\"name\":\"" CLUSTER_NAMESPACE "\"}}");
    apply(cluster, N_OLD);
    return 0;
}

#define OLD_ENTRIES(policy)                                                                        \
    "mcpservers.capstan.dev " policy "\ndeployments.capstan.dev " policy                           \
    "\nscale.capstan.dev " policy "\n"

/* Somebody's own configuration may do without the entry for autoscalers. */
static void test_registration__three_entries_are_enough_to_be_ready(void **state) {
    struct cluster *cluster = *state;
    cluster_start(cluster);
    wait_until(cluster, OLD_ENTRIES("Ignore"), CLUSTER_WAIT_MS);
    apply(cluster, N_NEW);
    wait_until(cluster, OLD_ENTRIES("Ignore") "autoscalers.capstan.dev Ignore\n", CLUSTER_WAIT_MS);
    cluster_wait_until_ready(cluster);
}

static void test_registration__the_fourth_entry_never_fails_closed(void **state) {
    struct cluster *cluster = *state;
    cluster->program.fails_closed = true;
    cluster_start(cluster);
    wait_until(cluster, OLD_ENTRIES("Fail"), WAIT_MS);
    apply(cluster, N_NEW);
    wait_until(cluster, OLD_ENTRIES("Fail") "autoscalers.capstan.dev Ignore\n", CLUSTER_WAIT_MS);
    /* It is content with that, and does not write again and again. */
    cluster_settle_slowly(cluster);
    size_t n_writes = fake_count(cluster->api, "PATCH", "?fieldManager=capstan-certs");
    cluster_settle_slowly(cluster);
    cluster_assert_count(cluster, "PATCH", "?fieldManager=capstan-certs", n_writes);
    assert_true(cluster_is_ready(cluster));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_registration__three_entries_are_enough_to_be_ready),
        FRESH(test_registration__the_fourth_entry_never_fails_closed),
    };
    return cmocka_run_group_tests_name("cluster/registration", tests, NULL, NULL);
}
