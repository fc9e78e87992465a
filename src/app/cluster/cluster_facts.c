// SPDX-License-Identifier: Apache-2.0
#include "cluster_facts.h"

#include <string.h>
#include <unistd.h>

#include "api.h"
#include "edge/clock.h"
#include "sync_part.h"

enum { PATIENCE_MS = 30000, CONNECTIONS_MAX = SYNC_PART_WATCHES + 2 };

static void on_change(void *context, enum object_kind kind, const struct object *object) {
    (void)context;
    (void)kind;
    (void)object;
}

/* Names the first list that is missing, and why. */
static bool fail_to_list(const struct sync_part *part, struct error *error) {
    AUTO(buffer_fini) struct buffer reasons;
    buffer_init(&reasons, SIZE_MAX);
    sync_part_why_not_done(part, &reasons);
    const char *text = buffer_text(&reasons);
    return error_set(error, ERROR_UNAVAILABLE,
                     "the cluster could not be listed within %d s; it takes the right to list each "
                     "kind of ToolHive's that is installed, and Deployments: %.*s",
                     PATIENCE_MS / 1000, (int)strcspn(text, "\n"), text);
}

/* The log, on stderr, has the failures until it gives up. */
static bool wait_for_lists(struct api *api, struct sync_part *part, struct error *error) {
    int64_t ends_ms = clock_boot_ms() + PATIENCE_MS;
    while (!sync_part_is_done(part)) {
        int64_t now_ms = clock_boot_ms();
        if (now_ms >= ends_ms) {
            return fail_to_list(part, error);
        }
        int64_t next_ms = MIN(ends_ms, api_step(api, now_ms));
        next_ms = MIN(next_ms, sync_part_step(part, now_ms));
        kube_wait(api_kube(api), NULL, 0, next_ms > now_ms ? next_ms - now_ms : 0);
    }
    return true;
}

static bool list_once(struct kube *kube, struct facts *facts, struct metrics *metrics,
                      struct error *error) {
    struct log log = {.descriptor = STDERR_FILENO, .format = LOG_FORMAT_TEXT, .level = LOG_WARN};
    struct api *api = api_new(kube, &log, metrics);
    const struct sync_options options = {
        .api = api,
        .facts = facts,
        .log = &log,
        .metrics = metrics,
        .changed = on_change,
    };
    struct sync_part *part = sync_part_new(&options);
    bool is_done = wait_for_lists(api, part, error);
    kube_free(kube); /* cancels the requests under way */
    sync_part_free(part);
    api_free(api);
    return is_done;
}

bool cluster_facts_load(const char *kubeconfig, struct facts *facts, struct error *error) {
    AUTO(kube_access_fini) struct kube_access access = {.server = NULL};
    struct kube *kube;
    const struct kube_options options = {
        .access = &access,
        .user_agent = "capstan/" CAPSTAN_VERSION,
        .connections_max = CONNECTIONS_MAX,
    };
    if (!kubeconfig_read(kubeconfig, NULL, &access, error) || !kube_new(&options, &kube, error)) {
        return false;
    }
    struct metrics *metrics = metrics_new(CAPSTAN_VERSION, NULL, 0);
    bool is_done = list_once(kube, facts, metrics, error);
    metrics_free(metrics);
    return is_done;
}
