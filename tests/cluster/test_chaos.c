// SPDX-License-Identifier: Apache-2.0

/*
 * A quarter of the API server's answers are wrong, to writes too, while objects come, change and
 * go. After that all is right within a minute, and the program has not asked too often meanwhile.
 *
 * Ten seeds run side by side. CHAOS_SEED in the environment runs one of them alone.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "base/memory.h"
#include "cluster/cluster.h"
#include "edge/clock.h"
#include "support/chance.h"

enum {
    N_SEEDS = 10,
    N_SERVERS = 16,
    PERCENT = 25,
    CHAOS_MS = 10000,
    CALM_MAX_MS = 60000,
    QUIET_MS = 3000, /* without a write; more than the pace of 2 s an object */
    STEP_MS = 20,
    NAME_SIZE = 32,
    WHY_SIZE = 256,
};

#define CONFIGURATIONS "/mutatingwebhookconfigurations"

/* An MCPServer and its Deployment, as the test last put them. */
struct pair {
    bool is_there;
    char name[NAME_SIZE];
    char uid[NAME_SIZE];
    char deployment_uid[NAME_SIZE];
    unsigned n_births;
    struct cluster_server server;
    struct cluster_deployment deployment;
};

struct trial {
    uint64_t seed;
    struct chance chance;
    struct cluster *cluster;
    struct pair pairs[N_SERVERS];
    size_t n_changes;
    size_t n_reviews;
    int64_t began_ms;
    int64_t calm_ms;  /* when the chaos ended */
    size_t n_writes;  /* as last counted ... */
    int64_t wrote_ms; /* ... and when that number last grew */
    bool is_over;
};

static void put_configuration(const struct cluster *cluster) {
    fake_put(cluster->api, FAKE_CONFIGURATION,
             "{\"metadata\":{\"name\":\"zz-capstan\"},\"webhooks\":[{\"name\":\"a.capstan.dev\","
             "\"clientConfig\":{\"service\":{\"namespace\":\"" CLUSTER_NAMESPACE
             "\",\"name\":\"capstan\"}}}]}");
    fake_put(cluster->api, FAKE_NAMESPACE, "{\"metadata\":{\"name\":\"" CLUSTER_NAMESPACE "\"}}");
}

/* Even seeds have certificates from files, so that the test can ask reviews. Odd seeds make their
   own. Half of each start within the chaos. */
static void begin(struct trial *trial, uint64_t seed) {
    struct cluster *cluster;
    cluster_setup((void **)&cluster);
    *trial = (struct trial){.seed = seed, .chance = {seed}, .cluster = cluster};
    cluster->program.elects_leader = true;
    cluster->program.makes_certificates = seed % 2 == 1;
    fake_set_clock(cluster->api, 0);
    put_configuration(cluster);
    for (size_t i = 0; i < N_SERVERS; i++) {
        snprintf(trial->pairs[i].name, NAME_SIZE, "server-%zu", i);
    }
    if (seed % 4 < 2) {
        fake_set_chaos(cluster->api, seed, PERCENT);
        program_start_unready(&cluster->program);
    } else {
        cluster_start(cluster);
        fake_set_chaos(cluster->api, seed, PERCENT);
    }
    trial->began_ms = clock_boot_ms();
}

static void give_birth(const struct trial *trial, struct pair *pair) {
    size_t place = (size_t)(pair - trial->pairs);
    pair->is_there = true;
    pair->n_births++;
    snprintf(pair->uid, NAME_SIZE, "m-%zu-%u", place, pair->n_births);
    snprintf(pair->deployment_uid, NAME_SIZE, "d-%zu-%u", place, pair->n_births);
}

static void put(struct trial *trial, struct pair *pair) {
    static const char *const transports[] = {NULL, "stdio", "stdio", "sse", "streamable-http"};
    static const char *const providers[] = {NULL, "memory", "redis"};
    static const int counts[] = {-1, 1, 2, 3};
    if (!pair->is_there) {
        give_birth(trial, pair);
    }
    pair->server = (struct cluster_server){
        .name = pair->name,
        .uid = pair->uid,
        .transport = CHANCE_PICK(&trial->chance, transports),
        .replicas = CHANCE_PICK(&trial->chance, counts),
        .provider = CHANCE_PICK(&trial->chance, providers),
    };
    pair->deployment = (struct cluster_deployment){
        .name = pair->name,
        .uid = pair->deployment_uid,
        .owner_uid = pair->uid,
        .replicas = 1 + (int)chance_below(&trial->chance, 4),
    };
    cluster_put_server(trial->cluster, &pair->server);
    cluster_put_deployment(trial->cluster, &pair->deployment);
}

static void take_away(struct trial *trial, struct pair *pair) {
    pair->is_there = false;
    fake_remove(trial->cluster->api, FAKE_SERVER, "default", pair->name);
    fake_remove(trial->cluster->api, FAKE_DEPLOYMENT, "default", pair->name);
}

/* Any verdict is right during the chaos, but there is one. */
static void ask(struct trial *trial, struct pair *pair) {
    const struct cluster_deployment wish = {
        .name = pair->name, .uid = pair->deployment_uid, .owner_uid = pair->uid, .replicas = 5};
    AUTO_FREE char *review = cluster_review(&wish);
    struct verdict verdict;
    if (trial->cluster->program.makes_certificates) {
        return; /* its certificate has other names than localhost */
    }
    wire_ask(&trial->cluster->program, review, &verdict);
    assert_int_equal(verdict.status, 200);
    trial->n_reviews++;
}

static void change(struct trial *trial) {
    struct pair *pair = &trial->pairs[chance_below(&trial->chance, N_SERVERS)];
    size_t what = chance_below(&trial->chance, 100);
    trial->n_changes++;
    if (what < 70) {
        put(trial, pair);
    } else if (what < 85) {
        take_away(trial, pair);
    } else if (what < 92 && pair->n_births > 0) {
        ask(trial, pair);
    } else if (what < 96) {
        fake_compact(trial->cluster->api);
    } else {
        fake_cut_watches(trial->cluster->api);
    }
}

static bool is_stdio(const struct pair *pair) {
    return pair->server.transport == NULL || strcmp(pair->server.transport, "stdio") == 0;
}

static bool has_condition(const struct trial *trial, const struct pair *pair, const char *type,
                          const char *reason, char why[WHY_SIZE]) {
    char is[256];
    char observed[256];
    cJSON *server = fake_get(trial->cluster->api, FAKE_SERVER, "default", pair->name);
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(server, "metadata");
    const cJSON *generation = cJSON_GetObjectItemCaseSensitive(metadata, "generation");
    int wanted = cJSON_IsNumber(generation) ? generation->valueint : -1;
    cJSON_Delete(server);
    cluster_get_condition(trial->cluster, pair->name, type, "reason", is);
    cluster_get_condition(trial->cluster, pair->name, type, "observedGeneration", observed);
    snprintf(why, WHY_SIZE, "%.32s: %.32s is '%.64s' of generation %.8s, not '%s' of %d",
             pair->name, type, is, observed, reason, wanted);
    return strcmp(is, reason) == 0 && atoi(observed) == wanted;
}

static bool has_both(const struct trial *trial, const struct pair *pair, char why[WHY_SIZE]) {
    bool is_many = pair->server.replicas > 1;
    bool is_redis = pair->server.provider != NULL && strcmp(pair->server.provider, "redis") == 0;
    const char *storage =
        is_redis ? "SessionStorageConfigured" : "SessionStorageMissingForReplicas";
    return has_condition(trial, pair, CLUSTER_CAPPED,
                         is_stdio(pair) && is_many ? "StdioTransportCapAt1"
                                                   : "StdioReplicaCapNotActive",
                         why) &&
           has_condition(trial, pair, CLUSTER_STORAGE,
                         is_many ? storage : "SessionStorageWarningNotApplicable", why);
}

static bool has_count(const struct trial *trial, const struct pair *pair, char why[WHY_SIZE]) {
    cJSON *deployment = fake_get(trial->cluster->api, FAKE_DEPLOYMENT, "default", pair->name);
    const cJSON *spec = cJSON_GetObjectItemCaseSensitive(deployment, "spec");
    const cJSON *replicas = cJSON_GetObjectItemCaseSensitive(spec, "replicas");
    int is = cJSON_IsNumber(replicas) ? replicas->valueint : -1;
    int wanted = is_stdio(pair) ? 1 : pair->deployment.replicas;
    cJSON_Delete(deployment);
    snprintf(why, WHY_SIZE, "%s has %d replicas, not %d", pair->name, is, wanted);
    return is == wanted;
}

/* The facts are right: a scaled Deployment of a stdio server is capped, any other is left alone,
   and so is the Deployment of a server that is gone. */
static bool is_judged(const struct trial *trial, const struct pair *pair, char why[WHY_SIZE]) {
    const struct cluster_deployment wish = {
        .name = pair->name, .uid = pair->deployment_uid, .owner_uid = pair->uid, .replicas = 5};
    bool is_capped = pair->is_there && is_stdio(pair);
    AUTO_FREE char *review = cluster_review(&wish);
    struct verdict verdict;
    wire_ask(&trial->cluster->program, review, &verdict);
    snprintf(why, WHY_SIZE, "%s: the patch is '%.80s' with warnings '%.64s'", pair->name,
             verdict.patch, verdict.warned);
    return strcmp(verdict.patch, is_capped ? PATCH_REPLICAS_TO_1 : "") == 0 &&
           strcmp(verdict.warned, is_capped ? "stdio-cap" : "") == 0;
}

static bool is_pair_right(const struct trial *trial, const struct pair *pair, char why[WHY_SIZE]) {
    if (pair->is_there && (!has_both(trial, pair, why) || !has_count(trial, pair, why))) {
        return false;
    }
    return pair->n_births == 0 || trial->cluster->program.makes_certificates ||
           is_judged(trial, pair, why);
}

static bool is_quiet(struct trial *trial, char why[WHY_SIZE]) {
    size_t n = fake_count(trial->cluster->api, "WRITE", NULL);
    if (n != trial->n_writes) {
        trial->n_writes = n;
        trial->wrote_ms = clock_boot_ms();
    }
    snprintf(why, WHY_SIZE, "it still writes");
    return clock_boot_ms() >= trial->wrote_ms + QUIET_MS;
}

static bool is_right(struct trial *trial, char why[WHY_SIZE]) {
    char holder[256];
    const struct cluster *cluster = trial->cluster;
    if (!is_quiet(trial, why)) {
        return false;
    }
    snprintf(why, WHY_SIZE, "it is not ready");
    if (!cluster_is_ready(cluster)) {
        return false;
    }
    cluster_get_holder(cluster, holder);
    snprintf(why, WHY_SIZE, "nobody holds the Lease");
    if (holder[0] == '\0') {
        return false;
    }
    for (size_t i = 0; i < N_SERVERS; i++) {
        if (!is_pair_right(trial, &trial->pairs[i], why)) {
            return false;
        }
    }
    return true;
}

/* A request that has failed is tried again later and later, and no watch begins twice in a second.
   So the sums are a few requests a second, and a few for each change. */
static void assert_bounds(const struct trial *trial) {
    size_t seconds = (size_t)(clock_boot_ms() - trial->began_ms) / 1000 + 2;
    const struct {
        const char *verb;
        const char *path;
        size_t most;
    } bounds[] = {
        {"WATCH", SERVERS, seconds},
        {"LIST", SERVERS, 2 * seconds},
        {"WATCH", DEPLOYMENTS, seconds},
        {"LIST", DEPLOYMENTS, 2 * seconds},
        {"WATCH", CONFIGURATIONS, seconds},
        {"LIST", CONFIGURATIONS, 2 * seconds},
        {NULL, LEASE, 3 * seconds},
        {"WRITE", NULL, 10 * seconds + 3 * (trial->n_changes + N_SERVERS)},
        {"GET", "/mcpservers/",
         3 * (trial->n_changes + trial->n_reviews + N_SERVERS) + 10 * seconds},
    };
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        size_t n = fake_count(trial->cluster->api, bounds[i].verb, bounds[i].path);
        if (n > bounds[i].most) {
            fail_msg("seed %llu: %zu of %s %s in %zu s, more than %zu",
                     (unsigned long long)trial->seed, n,
                     bounds[i].verb == NULL ? "any" : bounds[i].verb,
                     bounds[i].path == NULL ? "any" : bounds[i].path, seconds, bounds[i].most);
        }
    }
}

static void fail_with_log(const struct trial *trial, const char *why) {
    enum { TAIL = 4000 };
    AUTO_FREE char *log = program_read(&trial->cluster->program, "log");
    size_t size = strlen(log);
    fail_msg("seed %llu, %d s after the chaos: %s; CHAOS_SEED=%llu repeats it; the log ends: %s",
             (unsigned long long)trial->seed, CALM_MAX_MS / 1000, why,
             (unsigned long long)trial->seed, log + (size > TAIL ? size - TAIL : 0));
}

static void end_if_right(struct trial *trial) {
    char why[WHY_SIZE];
    if (trial->is_over) {
        return;
    }
    trial->is_over = is_right(trial, why);
    if (trial->is_over) {
        print_message("seed %llu: right %lld ms after the chaos, %zu changes, %zu writes\n",
                      (unsigned long long)trial->seed,
                      (long long)(clock_boot_ms() - trial->calm_ms), trial->n_changes,
                      trial->n_writes);
        assert_bounds(trial);
    } else if (clock_boot_ms() > trial->calm_ms + CALM_MAX_MS) {
        fail_with_log(trial, why);
    }
}

static void run(struct trial *trials, size_t n_trials) {
    int64_t until_ms = clock_boot_ms() + CHAOS_MS;
    size_t n_over = 0;
    while (clock_boot_ms() < until_ms) {
        for (size_t i = 0; i < n_trials; i++) {
            change(&trials[i]);
        }
        http_sleep_ms(STEP_MS);
    }
    for (size_t i = 0; i < n_trials; i++) {
        fake_heal(trials[i].cluster->api);
        trials[i].calm_ms = clock_boot_ms();
    }
    while (n_over < n_trials) {
        n_over = 0;
        for (size_t i = 0; i < n_trials; i++) {
            end_if_right(&trials[i]);
            n_over += trials[i].is_over;
        }
        http_sleep_ms(10 * STEP_MS);
    }
}

static void test_chaos__all_is_right_within_a_minute_of_its_end(void **state) {
    static struct trial trials[N_SEEDS];
    const char *alone = getenv("CHAOS_SEED");
    size_t n_trials = alone == NULL ? N_SEEDS : 1;
    (void)state;
    for (size_t i = 0; i < n_trials; i++) {
        begin(&trials[i], alone == NULL ? i : strtoull(alone, NULL, 10));
    }
    run(trials, n_trials);
    for (size_t i = 0; i < n_trials; i++) {
        assert_int_equal(cluster_teardown((void **)&trials[i].cluster), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chaos__all_is_right_within_a_minute_of_its_end),
    };
    return cmocka_run_group_tests_name("cluster/chaos", tests, NULL, NULL);
}
