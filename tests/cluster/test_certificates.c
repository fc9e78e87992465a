// SPDX-License-Identifier: Apache-2.0

/*
 * Certificates of Capstan's own beside an API server whose clock differs, or whose answers to
 * writes are somebody else's.
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
#include "base/memory.h"
#include "cluster/cluster.h"
#include "edge/clock.h"

#define SECRETS        "/secrets"
#define CONFIGURATIONS "/mutatingwebhookconfigurations"
#define CONFIGURATION  "zz-capstan"
#define FORMER         "capstan"
#define DAY_S          86400

enum { EARLY_MS = 50 };

/* A configuration with one entry that leads to Capstan, and with this caBundle. */
static void put_bundle(const struct cluster *cluster, const char *name, const char *pem) {
    AUTO(buffer_fini) struct buffer json;
    buffer_init(&json, SIZE_MAX);
    buffer_add_format(&json,
                      "{\"metadata\":{\"name\":\"%s\"},\"webhooks\":[{\"name\":\"a.capstan.dev\","
                      "\"clientConfig\":{\"service\":{\"namespace\":\"" CLUSTER_NAMESPACE
                      "\",\"name\":\"capstan\"},\"caBundle\":\"",
                      name);
    buffer_add_base64(&json, pem, strlen(pem));
    buffer_add_text(&json, "\"}}]}");
    fake_put(cluster->api, FAKE_CONFIGURATION, buffer_text(&json));
}

static void put_configuration(const struct cluster *cluster, const char *name) {
    put_bundle(cluster, name, "");
}

static int set_up(void **state) {
    struct cluster *cluster;
    cluster_setup(state);
    cluster = *state;
    cluster->program.makes_certificates = true;
    put_configuration(cluster, CONFIGURATION);
    fake_put(cluster->api, FAKE_NAMESPACE, "{\"metadata\":{\"name\":\"" CLUSTER_NAMESPACE "\"}}");
    return 0;
}

static char *bundle_of(const struct cluster *cluster) {
    cJSON *configuration = fake_get(cluster->api, FAKE_CONFIGURATION, "", CONFIGURATION);
    const cJSON *webhooks = cJSON_GetObjectItemCaseSensitive(configuration, "webhooks");
    const cJSON *config =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(webhooks, 0), "clientConfig");
    const char *bundle = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(config, "caBundle"));
    char *copy = bundle == NULL ? NULL : strdup(bundle);
    cJSON_Delete(configuration);
    return copy;
}

static void test_certificates__a_wrong_clock_makes_none(void **state) {
    static const int64_t aheads_s[] = {400 * DAY_S, -400 * DAY_S};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(aheads_s); i++) {
        struct cluster *cluster;
        set_up((void **)&cluster);
        fake_set_clock(cluster->api, aheads_s[i]);
        program_start_unready(&cluster->program);
        program_wait_for_log(&cluster->program, "\"clock.disagrees\"", 1);
        cluster_settle(cluster);
        assert_int_equal(fake_count_objects(cluster->api, FAKE_SECRET), 0);
        cluster_assert_count(cluster, "WRITE", SECRETS, 0);
        cluster_assert_count(cluster, "WRITE",
                             CONFIGURATIONS "/" CONFIGURATION "?fieldManager=capstan-certs", 0);
        assert_false(cluster_is_ready(cluster));
        assert_int_equal(program_count_log(&cluster->program, "\"clock.disagrees\""), 1);
        /* Somebody puts the clock right. The next answer shows it. */
        fake_set_clock(cluster->api, 0);
        cluster_settle(cluster);
        cluster_wait_until_ready(cluster);
        assert_int_equal(fake_count_objects(cluster->api, FAKE_SECRET), 1);
        cluster_teardown((void **)&cluster);
    }
}

/* Another replica may have a right clock. The leader gives up what it has, and does not come back
   before the other one could take it. */
static void test_certificates__a_leader_with_a_wrong_clock_lets_another_lead(void **state) {
    enum { LEAD_MS = 10000, SLACK_MS = 3000 };
    struct cluster *cluster = *state;
    cluster->program.elects_leader = true;
    fake_set_clock(cluster->api, 400 * DAY_S);
    program_start_unready(&cluster->program);
    program_wait_for_log(&cluster->program, "\"leader.elected\"", 1);
    int64_t until_ms = clock_boot_ms() + LEAD_MS + SLACK_MS;
    while (program_count_log(&cluster->program, "\"leader.lost\"") == 0) {
        assert_true(clock_boot_ms() < until_ms);
        http_sleep_ms(50);
    }
    size_t n = fake_count(cluster->api, NULL, LEASE);
    http_sleep_ms(LEAD_MS);
    cluster_assert_count(cluster, NULL, LEASE, n);
}

/* The time of a condition is the API server's, too. */
static void test_certificates__a_condition_has_the_time_of_the_api_server(void **state) {
    struct cluster *cluster = *state;
    const struct cluster_server server = {.name = "one", .transport = "stdio", .replicas = 3};
    char is[256];
    fake_set_date(cluster->api, "Sun, 06 Nov 1994 08:49:37 GMT");
    program_start_unready(&cluster->program);
    cluster_put_server(cluster, &server);
    cluster_wait_for_condition(cluster, "one", CLUSTER_CAPPED, "True");
    cluster_get_condition(cluster, "one", CLUSTER_CAPPED, "lastTransitionTime", is);
    assert_memory_equal(is, "1994-11-06T08:4", 15);
}

static void test_certificates__an_api_server_without_a_clock_stops_nothing(void **state) {
    static const char *const dates[] = {NULL, "garbage", "0"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        struct cluster *cluster;
        set_up((void **)&cluster);
        if (dates[i] != NULL) {
            fake_set_date(cluster->api, dates[i]);
        }
        cluster_start(cluster);
        assert_int_equal(program_count_log(&cluster->program, "\"clock.disagrees\""), 0);
        cluster_assert_count(cluster, "POST", SECRETS, 1);
        cluster_teardown((void **)&cluster);
    }
}

#define AS_BEFORE                                                                                  \
    "{\"kind\":\"MutatingWebhookConfiguration\",\"metadata\":{\"name\":\"" CONFIGURATION           \
    "\"},\"webhooks\":[{\"name\":\"a.capstan.dev\",\"clientConfig\":{\"service\":{"                \
    "\"namespace\":\"" CLUSTER_NAMESPACE "\",\"name\":\"capstan\"}}}]}"

static const char *const foreign_bodies[] = {
    "<html>please log in</html>",
    "",
    "{}",
    "null",
    "{\"kind\":\"Status\",\"status\":\"Success\"}",
    "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"capstan-certs\"},\"data\":{}}",
    "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"other\"},\"data\":{}}",
    "{\"kind\":\"MutatingWebhookConfiguration\",\"metadata\":{\"name\":\"other\"}}",
    AS_BEFORE,
};

/* Starts the program, whose first matching write gets a foreign answer. Waits for the second. */
static struct cluster *start_with(bool makes_certificates, const char *verb, const char *path,
                                  const char *body) {
    struct cluster *cluster;
    const struct fake_fault fault = {
        .verb = verb, .path = path, .kind = FAKE_ANSWER, .status = 200, .body = body, .times = 1};
    set_up((void **)&cluster);
    cluster->program.makes_certificates = makes_certificates;
    fake_inject(cluster->api, &fault);
    cluster_start(cluster);
    cluster_wait_for(cluster, verb, path, 2);
    return cluster;
}

static void test_certificates__an_answer_that_shows_no_certificates_is_a_failure(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(foreign_bodies); i++) {
        struct cluster *cluster = start_with(true, "POST", SECRETS, foreign_bodies[i]);
        assert_int_equal(program_count_log(&cluster->program, "\"certificate.failed\""), 1);
        assert_true(program_count_log(&cluster->program, "see whether a proxy") > 0);
        assert_int_equal(fake_count_objects(cluster->api, FAKE_SECRET), 1);
        cluster_assert_count(cluster, "POST", SECRETS, 2);
        cluster_teardown((void **)&cluster);
    }
}

static void test_certificates__an_answer_that_shows_an_old_bundle_is_a_failure(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(foreign_bodies); i++) {
        struct cluster *cluster =
            start_with(true, "PATCH", "?fieldManager=capstan-certs", foreign_bodies[i]);
        assert_int_equal(program_count_log(&cluster->program, "\"certificate.failed\""), 1);
        assert_true(program_count_log(&cluster->program, "see whether a proxy") > 0);
        char *bundle = bundle_of(cluster);
        assert_non_null(bundle);
        free(bundle);
        cluster_teardown((void **)&cluster);
    }
}

/* Without certificates of its own, it writes nothing but the owner into the configuration. */
static void test_certificates__an_answer_that_shows_no_owner_is_a_failure(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(foreign_bodies); i++) {
        struct cluster *cluster =
            start_with(false, "PATCH", "?fieldManager=capstan", foreign_bodies[i]);
        program_wait_for_log(&cluster->program, "\"registration.owned\"", 1);
        assert_int_equal(program_count_log(&cluster->program, "\"registration.unowned\""), 1);
        assert_true(program_count_log(&cluster->program, "see whether a proxy") > 0);
        cluster_teardown((void **)&cluster);
    }
}

/* The former configuration stays, so that is no success. */
static void test_certificates__an_answer_that_shows_no_deletion_is_a_failure(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(foreign_bodies); i++) {
        struct cluster *cluster;
        const struct fake_fault fault = {.verb = "DELETE",
                                         .path = CONFIGURATIONS "/" FORMER,
                                         .kind = FAKE_ANSWER,
                                         .status = 200,
                                         .body = foreign_bodies[i],
                                         .times = 1};
        if (strstr(foreign_bodies[i], "Success") != NULL) {
            continue; /* the next look tells that it is still there */
        }
        set_up((void **)&cluster);
        cluster->program.makes_certificates = false;
        cluster->program.trust_delay = "0s";
        AUTO_FREE char *ca = program_read(&cluster->program, "certs/ca.crt");
        put_bundle(cluster, CONFIGURATION, ca);
        put_configuration(cluster, FORMER);
        fake_inject(cluster->api, &fault);
        cluster_start(cluster);
        program_wait_for_log(&cluster->program, "\"registration.leftover\"", 1);
        assert_true(program_count_log(&cluster->program, "see whether a proxy") > 0);
        assert_int_equal(program_count_log(&cluster->program, "\"registration.retired\""), 0);
        cluster_wait_for(cluster, "DELETE", CONFIGURATIONS "/" FORMER, 2);
        program_wait_for_log(&cluster->program, "\"registration.retired\"", 1);
        assert_int_equal(fake_count_objects(cluster->api, FAKE_CONFIGURATION), 1);
        cluster_teardown((void **)&cluster);
    }
}

/* Each fight doubles the pause. The log and the Event do not come with each. */
static void test_certificates__the_pause_after_a_fight_doubles(void **state) {
    enum { FIGHTS = 4 };
    struct cluster *cluster = *state;
    struct fake_request first;
    struct fake_request second;
    cluster_start(cluster);
    for (size_t i = 0; i < FIGHTS; i++) {
        cluster_wait_for(cluster, "PATCH", "?fieldManager=capstan-certs", i + 1);
        put_configuration(cluster, CONFIGURATION);
    }
    cluster_wait_for(cluster, "PATCH", "?fieldManager=capstan-certs", FIGHTS + 1);
    for (size_t i = 0; i < FIGHTS; i++) {
        cluster_find(cluster, "PATCH", "?fieldManager=capstan-certs", i, &first);
        cluster_find(cluster, "PATCH", "?fieldManager=capstan-certs", i + 1, &second);
        assert_in_range(second.at_ms - first.at_ms, (1000 << i) - EARLY_MS, (1000 << i) + 900);
    }
    assert_int_equal(program_count_log(&cluster->program, "\"registration.contested\""), 1);
    cluster_wait_for(cluster, "POST", EVENTS, 1);
    cluster_assert_count(cluster, "POST", EVENTS, 1);
}

#define NO_HOLDER                                                                                  \
    "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"capstan\",\"resourceVersion\":\"1\"},"           \
    "\"spec\":{\"holderIdentity\":\"\"}}"

/* A record that is not the written one is none. */
static void test_certificates__an_answer_that_shows_another_lease_is_a_failure(void **state) {
    static const char *const bodies[] = {
        "<html>please log in</html>",
        "{}",
        NO_HOLDER,
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cluster *cluster;
        const struct fake_fault fault = {.verb = "POST",
                                         .path = LEASE,
                                         .kind = FAKE_ANSWER,
                                         .status = 200,
                                         .body = bodies[i],
                                         .times = 1};
        cluster_setup((void **)&cluster);
        cluster->program.elects_leader = true;
        fake_inject(cluster->api, &fault);
        cluster_start(cluster);
        program_wait_for_log(&cluster->program, "\"leader.failed\"", 1);
        assert_int_equal(program_count_log(&cluster->program, "\"leader.elected\""), 0);
        assert_true(program_count_log(&cluster->program, "see whether a proxy") > 0);
        program_wait_for_log(&cluster->program, "\"leader.elected\"", 1);
        cluster_teardown((void **)&cluster);
    }
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, cluster_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates__a_wrong_clock_makes_none),
        FRESH(test_certificates__a_leader_with_a_wrong_clock_lets_another_lead),
        FRESH(test_certificates__a_condition_has_the_time_of_the_api_server),
        cmocka_unit_test(test_certificates__an_api_server_without_a_clock_stops_nothing),
        cmocka_unit_test(test_certificates__an_answer_that_shows_no_certificates_is_a_failure),
        cmocka_unit_test(test_certificates__an_answer_that_shows_an_old_bundle_is_a_failure),
        cmocka_unit_test(test_certificates__an_answer_that_shows_no_owner_is_a_failure),
        cmocka_unit_test(test_certificates__an_answer_that_shows_no_deletion_is_a_failure),
        FRESH(test_certificates__the_pause_after_a_fight_doubles),
        cmocka_unit_test(test_certificates__an_answer_that_shows_another_lease_is_a_failure),
    };
    return cmocka_run_group_tests_name("cluster/certificates", tests, NULL, NULL);
}
