// SPDX-License-Identifier: Apache-2.0
#include "cluster_facts.h"

#include <unistd.h>

#include "api.h"
#include "edge/clock.h"
#include "sync.h"

enum { PATIENCE_MS = 30000, CONNECTIONS_MAX = 4 };

static void on_change(void *context, const struct object *object) {
    (void)context;
    (void)object;
}

static bool is_done(const struct sync *const syncs[2]) {
    return sync_is_done(syncs[0]) && sync_is_done(syncs[1]);
}

/* Until it gives up, failures are in the log, on stderr. */
static bool wait_for_lists(struct api *api, struct sync *const syncs[2], struct error *error) {
    int64_t ends_ms = clock_boot_ms() + PATIENCE_MS;
    while (!is_done((const struct sync *const *)syncs)) {
        int64_t now_ms = clock_boot_ms();
        if (now_ms >= ends_ms) {
            return error_set(error, ERROR_UNAVAILABLE,
                             "the cluster's MCPServers and Deployments could not be listed within "
                             "%d s",
                             PATIENCE_MS / 1000);
        }
        int64_t next_ms = api_step(api, now_ms);
        for (int i = 0; i < 2; i++) {
            int64_t at_ms = sync_step(syncs[i], now_ms);
            next_ms = MIN(next_ms, at_ms);
        }
        next_ms = MIN(next_ms, ends_ms);
        kube_wait(api_kube(api), NULL, 0, next_ms > now_ms ? next_ms - now_ms : 0);
    }
    return true;
}

static bool load(struct kube *kube, struct facts *facts, struct metrics *metrics,
                 struct error *error) {
    struct log log = {.descriptor = STDERR_FILENO, .format = LOG_FORMAT_TEXT, .level = LOG_WARN};
    struct api *api = api_new(kube, &log, metrics);
    struct sync_options options = {
        .api = api,
        .kind = OBJECT_MCPSERVER,
        .facts = facts,
        .log = &log,
        .metrics = metrics,
        .changed = on_change,
    };
    struct sync *syncs[2] = {sync_new(&options), NULL};
    options.kind = OBJECT_DEPLOYMENT;
    syncs[1] = sync_new(&options);
    bool is_loaded = wait_for_lists(api, syncs, error);
    kube_free(kube); /* which cancels the requests under way */
    sync_free(syncs[0]);
    sync_free(syncs[1]);
    api_free(api);
    return is_loaded;
}

bool cluster_facts_load(const char *kubeconfig, struct facts *facts, struct error *error) {
    AUTO(kube_access_fini) struct kube_access access = {.server = NULL};
    struct kube *kube;
    if (!kubeconfig_read(kubeconfig, NULL, &access, error)) {
        return false;
    }
    const struct kube_options options = {
        .access = &access,
        .user_agent = "capstan/" CAPSTAN_VERSION,
        .connections_max = CONNECTIONS_MAX,
    };
    if (!kube_new(&options, &kube, error)) {
        return false;
    }
    struct metrics *metrics = metrics_new(CAPSTAN_VERSION, NULL, 0);
    bool is_loaded = load(kube, facts, metrics, error);
    metrics_free(metrics);
    return is_loaded;
}
