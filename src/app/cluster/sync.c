// SPDX-License-Identifier: Apache-2.0
#include "sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "chance.h"
#include "core/cluster/watch.h"
#include "edge/clock.h"
#include "watch_health.h"

enum {
    LINE_MAX_BYTES =
        32 << 20, /* one object; the API server stores up to 1.5 MB, escaped six times that */
    PAGE_MAX_BYTES = 32 << 20, /* when a page is larger, fewer objects are asked for */
};

struct sync {
    struct sync_options options;
    struct watch watch;
    struct kube_call *call; /* the request under way, or NULL */
    unsigned epoch;         /* of the api, for which the list was made */
    bool is_following;      /* which is a watch */
    struct watch_health health;
    bool is_broken; /* what came could not be read; the request ends as a failure */
};

struct sync *sync_new(const struct sync_options *options) {
    struct sync *sync = memory_new(1, sizeof(*sync));
    sync->options = *options;
    sync->health = (struct watch_health){
        .resource = options->kind == OBJECT_MCPSERVER ? "mcpservers" : "deployments",
        .log = options->log,
        .metrics = options->metrics};
    watch_init(&sync->watch, options->selector);
    return sync;
}

void sync_free(struct sync *sync) {
    free(sync);
}

static void count_objects(const struct sync *sync) {
    const struct sync_options *options = &sync->options;
    bool is_server = options->kind == OBJECT_MCPSERVER;
    metrics_set(options->metrics, is_server ? METRIC_MCPSERVERS : METRIC_DEPLOYMENTS,
                (int64_t)(is_server ? facts_count_servers(options->facts)
                                    : facts_count_deployments(options->facts)));
}

static void report(struct sync *sync, const struct kube_answer *answer) {
    const char *problem = sync->is_broken   ? "an answer could not be read"
                          : answer->is_good ? NULL
                                            : answer->error.text;
    watch_health_note(&sync->health, problem, clock_boot_ms());
}

static void end_request(struct sync *sync, const struct kube_answer *answer) {
    const struct watch_outcome outcome = {
        .is_good = answer->is_good && !sync->is_broken,
        .is_garbled = sync->is_broken,
        .is_too_large = answer->error.kind == ERROR_TOO_LARGE && !answer->is_good,
        .status = answer->status,
        .retry_after_ms = answer->retry_after_ms,
    };
    sync->call = NULL;
    /* A CRD that changes ends its watches, too. */
    if (answer->status == HTTP_STATUS_NOT_FOUND ||
        (sync->options.kind == OBJECT_MCPSERVER && sync->is_following)) {
        api_doubt(sync->options.api);
    }
    report(sync, answer);
    watch_end(&sync->watch, clock_boot_ms(), chance_draw(), &outcome);
}

static void put_item(void *context, const struct object *object) {
    const struct sync *sync = context;
    facts_put(sync->options.facts, object);
}

static void finish_round(struct sync *sync) {
    const struct sync_options *options = &sync->options;
    facts_end_round(options->facts, options->kind);
    count_objects(sync);
    log_event(options->log, LOG_INFO, "watch.synced", LOG_TEXT("resource", sync->health.resource),
              LOG_INTEGER("objects", (int64_t)(options->kind == OBJECT_MCPSERVER
                                                   ? facts_count_servers(options->facts)
                                                   : facts_count_deployments(options->facts))));
    options->changed(options->context, NULL);
}

static void take_page(void *context, const struct kube_answer *answer) {
    struct sync *sync = context;
    struct feed_page page;
    struct error error;
    sync->is_broken =
        answer->is_good && !feed_read_page(answer->body, answer->body_size, sync->options.kind,
                                           put_item, sync, &page, &error);
    if (answer->is_good && !sync->is_broken && watch_page(&sync->watch, &page)) {
        finish_round(sync);
    }
    end_request(sync, answer);
}

/* A watch is ended from within by cancelling it, after which nobody tells that it has ended. */
static void break_off(struct sync *sync, const char *problem) {
    struct kube_answer answer = {.status = HTTP_STATUS_OK, .retry_after_ms = -1};
    error_set(&answer.error, ERROR_UNAVAILABLE, "watch: %s", problem);
    kube_cancel(api_kube(sync->options.api), sync->call);
    end_request(sync, &answer);
}

static void take_line(void *context, const char *line, size_t size) {
    struct sync *sync = context;
    const struct sync_options *options = &sync->options;
    struct feed_event event;
    struct error error;
    if (!feed_read_event(line, size, options->kind, &event, &error)) {
        sync->is_broken = true;
        break_off(sync, error.text);
        return;
    }
    if (event.type == FEED_UNKNOWN) {
        metrics_add(options->metrics, METRIC_WATCH_ERRORS, 1);
    }
    switch (watch_event(&sync->watch, &event)) {
    case WATCH_IGNORE:
        return;
    case WATCH_PUT:
        facts_put(options->facts, &event.object);
        break;
    case WATCH_REMOVE:
        facts_remove(options->facts, &event.object);
        break;
    case WATCH_CLOSE:
        break_off(sync, event.message);
        return;
    }
    count_objects(sync);
    options->changed(options->context, &event.object);
}

static void take_watch_end(void *context, const struct kube_answer *answer) {
    end_request(context, answer);
}

static void ask(struct sync *sync, const struct watch_order *order) {
    const struct sync_options *options = &sync->options;
    char path[API_PATH_SIZE];
    bool is_list = order->verb == WATCH_LIST;
    api_list_path(options->api, options->kind, path);
    size_t size = strlen(path) + strlen(order->query) + 2;
    AUTO_FREE char *whole = memory_new(1, size);
    snprintf(whole, size, "%s%s%s", path, order->query[0] != '\0' ? "?" : "", order->query);
    if (is_list && order->is_first_page) {
        facts_begin_round(options->facts, options->kind);
    }
    const struct kube_request request = {
        .verb = is_list ? KUBE_GET : KUBE_WATCH,
        .path = whole,
        .timeout_ms = order->timeout_ms,
        .answer_max = is_list ? PAGE_MAX_BYTES : LINE_MAX_BYTES,
        .line = is_list ? NULL : take_line,
        .done = is_list ? take_page : take_watch_end,
        .context = sync,
    };
    sync->is_broken = false;
    sync->is_following = !is_list;
    sync->call = kube_begin(api_kube(options->api), &request);
}

static bool is_served(const struct sync *sync) {
    return sync->options.kind != OBJECT_MCPSERVER || api_state(sync->options.api) == API_SERVED;
}

/* MCPServers may be served under another version by now, or no more. */
static void follow_api(struct sync *sync) {
    const struct sync_options *options = &sync->options;
    if (options->kind != OBJECT_MCPSERVER || sync->epoch == api_epoch(options->api)) {
        return;
    }
    sync->epoch = api_epoch(options->api);
    if (sync->call != NULL) {
        break_off(sync, "the version that is served has changed");
    }
    watch_restart(&sync->watch);
    if (api_state(options->api) == API_ABSENT) {
        facts_begin_round(options->facts, options->kind);
        finish_round(sync);
    }
}

int64_t sync_step(struct sync *sync, int64_t now_ms) {
    struct watch_order order;
    follow_api(sync);
    if (!is_served(sync)) {
        return INT64_MAX;
    }
    watch_step(&sync->watch, now_ms, chance_draw(), &order);
    if (order.verb != WATCH_WAIT) {
        ask(sync, &order);
        return INT64_MAX;
    }
    return order.at_ms;
}

bool sync_is_done(const struct sync *sync) {
    return watch_is_synced(&sync->watch) ||
           (sync->options.kind == OBJECT_MCPSERVER && api_state(sync->options.api) == API_ABSENT);
}
