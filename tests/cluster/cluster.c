// SPDX-License-Identifier: Apache-2.0
#include "cluster/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/clock.h"

enum { STEP_MS = 5 };

void cluster_put_kubeconfig(const struct cluster *cluster, const char *server, const char *user) {
    char text[1024];
    char own[64];
    snprintf(own, sizeof(own), "http://127.0.0.1:%u", fake_port(cluster->api));
    snprintf(text, sizeof(text),
             "apiVersion: v1\nkind: Config\ncurrent-context: fake\n"
             "clusters: [{name: fake, cluster: {server: \"%s\"}}]\n"
             "contexts: [{name: fake, context: {cluster: fake, user: fake, namespace: "
             "" CLUSTER_NAMESPACE "}}]\n"
             "users: [{name: fake, user: %s}]\n",
             server == NULL ? own : server, user);
    program_put(&cluster->program, "kubeconfig", text);
}

int cluster_setup(void **state) {
    struct cluster *cluster = memory_new(1, sizeof(*cluster));
    *state = cluster;
    cluster->api = fake_new();
    program_init(&cluster->program);
    cluster->program.has_kubeconfig = true;
    cluster_put_kubeconfig(cluster, NULL, "{}");
    return 0;
}

int cluster_teardown(void **state) {
    struct cluster *cluster = *state;
    int status = cluster->program.pid == 0 ? 0 : program_stop(&cluster->program);
    if (status != 0) {
        AUTO_FREE char *log = program_read(&cluster->program, "log");
        print_error("status %d: %s\n", status, log);
    }
    program_fini(&cluster->program);
    fake_free(cluster->api);
    free(cluster);
    return status;
}

void cluster_init_program(const struct cluster *cluster, struct program *ret_program) {
    program_init(ret_program);
    ret_program->has_kubeconfig = true;
    ret_program->elects_leader = true;
    AUTO_FREE char *kubeconfig = program_read(&cluster->program, "kubeconfig");
    program_put(ret_program, "kubeconfig", kubeconfig);
}

void cluster_start(struct cluster *cluster) {
    program_start(&cluster->program);
    cluster_wait_until_ready(cluster);
    cluster_wait_for_watches(cluster);
}

/* The last lines of the log, for an error message. */
static char *read_log(const struct cluster *cluster) {
    enum { TAIL = 3000 };
    char *log = program_read(&cluster->program, "log");
    size_t size = strlen(log);
    if (size > TAIL) {
        memmove(log, log + size - TAIL, TAIL + 1);
    }
    return log;
}

bool cluster_is_ready(const struct cluster *cluster) {
    return http_client_ask_once(cluster->program.probe_port,
                                "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n") == 200;
}

void cluster_wait_until_ready(const struct cluster *cluster) {
    int64_t until_ms = clock_boot_ms() + CLUSTER_WAIT_MS;
    while (!cluster_is_ready(cluster)) {
        if (clock_boot_ms() > until_ms) {
            AUTO_FREE char *log = read_log(cluster);
            fail_msg("it is not ready: %s", log);
        }
        http_sleep_ms(STEP_MS);
    }
}

static bool watches_all(const struct cluster *cluster) {
    bool watches = fake_count_watches(cluster->api, FAKE_DEPLOYMENT) > 0;
    for (int kind = 0; kind < FAKE_FAMILY_COUNT; kind++) {
        watches = watches && (!fake_is_installed(cluster->api, (enum fake_kind)kind) ||
                              fake_count_watches(cluster->api, (enum fake_kind)kind) > 0);
    }
    return watches;
}

void cluster_wait_for_watches(const struct cluster *cluster) {
    int64_t until_ms = clock_boot_ms() + CLUSTER_WAIT_MS;
    while (!watches_all(cluster)) {
        if (clock_boot_ms() > until_ms) {
            AUTO_FREE char *log = read_log(cluster);
            fail_msg("it does not watch all: %s", log);
        }
        http_sleep_ms(STEP_MS);
    }
}

static void fail_count(const struct cluster *cluster, const char *verb, const char *path,
                       size_t wanted) {
    AUTO_FREE char *log = read_log(cluster);
    fail_msg("%zu of %s *%s*, not %zu: %s", fake_count(cluster->api, verb, path), verb,
             path == NULL ? "" : path, wanted, log);
}

void cluster_wait_for(const struct cluster *cluster, const char *verb, const char *path, size_t n) {
    if (!fake_wait(cluster->api, verb, path, n, CLUSTER_WAIT_MS)) {
        fail_count(cluster, verb, path, n);
    }
}

void cluster_assert_count(const struct cluster *cluster, const char *verb, const char *path,
                          size_t n) {
    if (fake_count(cluster->api, verb, path) != n) {
        fail_count(cluster, verb, path, n);
    }
}

void cluster_find(const struct cluster *cluster, const char *verb, const char *path, size_t index,
                  struct fake_request *ret_request) {
    if (!fake_find(cluster->api, verb, path, index, ret_request)) {
        fail_count(cluster, verb, path, index + 1);
    }
}

static void settle(struct cluster *cluster, bool is_slow) {
    char name[32];
    char path[64];
    snprintf(name, sizeof(name), "marker-%u", cluster->n_markers++);
    snprintf(path, sizeof(path), "/mcpservers/%s/status", name);
    /* Both of its conditions are False and stay False, so no Event follows. */
    struct cluster_server marker = {.name = name, .transport = "sse", .replicas = 1};
    size_t n = fake_count(cluster->api, "WRITE", path);
    cluster_put_server(cluster, &marker);
    cluster_wait_for(cluster, "WRITE", path, n + 1);
    if (is_slow) {
        marker.replicas = 2;
        marker.provider = "redis";
        cluster_put_server(cluster, &marker);
        cluster_wait_for(cluster, "WRITE", path, n + 2);
    }
    cluster_remove_server(cluster, name);
}

void cluster_settle(struct cluster *cluster) {
    settle(cluster, false);
}

void cluster_settle_slowly(struct cluster *cluster) {
    settle(cluster, true);
}

int64_t cluster_ask(const struct cluster *cluster, char *owned_review, const char *patch,
                    const char *warned) {
    struct verdict verdict;
    int64_t began_ms = clock_boot_ms();
    wire_ask(&cluster->program, owned_review, &verdict);
    int64_t took_ms = clock_boot_ms() - began_ms;
    wire_assert(&verdict, owned_review, patch, warned);
    free(owned_review);
    return took_ms;
}

void cluster_wait_for_verdict(const struct cluster *cluster, char *owned_review, const char *patch,
                              const char *warned) {
    struct verdict verdict;
    int64_t until_ms = clock_boot_ms() + CLUSTER_WAIT_MS;
    do {
        wire_ask(&cluster->program, owned_review, &verdict);
    } while ((strcmp(verdict.patch, patch) != 0 || strcmp(verdict.warned, warned) != 0) &&
             clock_boot_ms() < until_ms);
    wire_assert(&verdict, owned_review, patch, warned);
    free(owned_review);
}

void cluster_get_condition(const struct cluster *cluster, const char *name, const char *type,
                           const char *member, char out[256]) {
    cJSON *server = fake_get(cluster->api, FAKE_SERVER, "default", name);
    const cJSON *conditions = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(server, "status"), "conditions");
    const cJSON *condition;
    out[0] = '\0';
    cJSON_ArrayForEach(condition, conditions) {
        const cJSON *is = cJSON_GetObjectItemCaseSensitive(condition, "type");
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(condition, member);
        if (strcmp(is->valuestring, type) == 0 && cJSON_IsString(value)) {
            snprintf(out, 256, "%s", value->valuestring);
        } else if (strcmp(is->valuestring, type) == 0 && cJSON_IsNumber(value)) {
            snprintf(out, 256, "%d", value->valueint);
        }
    }
    cJSON_Delete(server);
}

void cluster_wait_for_condition(const struct cluster *cluster, const char *name, const char *type,
                                const char *status) {
    char is[256];
    int64_t until_ms = clock_boot_ms() + CLUSTER_WAIT_MS;
    do {
        cluster_get_condition(cluster, name, type, "status", is);
        if (strcmp(is, status) == 0) {
            return;
        }
        http_sleep_ms(STEP_MS);
    } while (clock_boot_ms() < until_ms);
    AUTO_FREE char *log = read_log(cluster);
    fail_msg("%s of %s is '%s', not '%s': %s", type, name, is, status, log);
}
