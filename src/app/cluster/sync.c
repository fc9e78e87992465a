// SPDX-License-Identifier: Apache-2.0
#include "sync.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "base/text.h"
#include "edge/clock.h"
#include "gauges.h"
#include "watch_run.h"

enum { RESOURCE_SIZE = 96 };

struct sync {
    struct sync_options options;
    char resource[RESOURCE_SIZE]; /* for people: "mcpservers", or "team-a/mcpservers" */
    uint64_t round;               /* of the facts, since the list began */
    struct watch_run run;
    unsigned epoch; /* the api's, as of the list */
    char since[TEXT_TIME_SIZE];
    int64_t refused_ms; /* the first of the refusals in a row; -1: there is none */
    bool was_said;      /* watch.synced */
};

static void on_round(void *context) {
    struct sync *sync = context;
    sync->round = facts_begin_round(sync->options.facts, sync->options.kind);
}

/* All Deployments are watched, since a selector of the watch would go by labels, which anybody may
   edit. The facts keep those that name one of the family. One whose owner cannot be read is of no
   use there: it belongs to nobody, and admission reads the owner from the request. */
static bool is_kept(const struct object *object) {
    return object->kind != OBJECT_DEPLOYMENT || object_names_family(object);
}

static void on_item(void *context, const struct object *object) {
    const struct sync *sync = context;
    if (is_kept(object)) {
        facts_put(sync->options.facts, object);
    }
}

static void on_listed(void *context, const struct kube_answer *page) {
    struct sync *sync = context;
    const struct sync_options *options = &sync->options;
    (void)page;
    size_t n_objects =
        facts_end_round(options->facts, options->kind, options->namespace, sync->round);
    /* A later list is no news. The events watch.failed and watch.recovered tell the rest. */
    enum log_level level = sync->was_said ? LOG_DEBUG : LOG_INFO;
    sync->was_said = true;
    log_event(options->log, level, "watch.synced", LOG_TEXT("resource", sync->resource),
              LOG_INTEGER("objects", (int64_t)n_objects));
    gauges_set(options->metrics, options->facts, options->kind);
    options->changed(options->context, options->kind, NULL);
}

static void on_event(void *context, enum watch_effect effect, const struct feed_event *event) {
    const struct sync *sync = context;
    const struct sync_options *options = &sync->options;
    if (event->type == FEED_UNKNOWN) {
        metrics_add(options->metrics, METRIC_WATCH_ERRORS, 1);
    }
    if (effect == WATCH_IGNORE) {
        return;
    }
    if (effect == WATCH_PUT && is_kept(&event->object)) {
        facts_put(options->facts, &event->object);
    } else {
        facts_remove(options->facts, &event->object);
    }
    gauges_set(options->metrics, options->facts, options->kind);
    options->changed(options->context, options->kind, &event->object);
}

/* A change of a CRD ends the watches of its kind, too. */
static void on_end(void *context, const struct kube_answer *answer, bool is_watch) {
    struct sync *sync = context;
    if (answer->status != HTTP_STATUS_FORBIDDEN) {
        sync->refused_ms = -1;
    } else if (sync->refused_ms < 0) {
        sync->refused_ms = clock_boot_ms();
    }
    if (answer->status == HTTP_STATUS_NOT_FOUND ||
        (kind_is_family(sync->options.kind) && is_watch)) {
        api_doubt(sync->options.api, sync->options.kind);
    }
}

struct sync *sync_new(const struct sync_options *options) {
    struct sync *sync = memory_new(1, sizeof(*sync));
    const struct watch_run_options run_options = {
        .kube = api_kube(options->api),
        .resource = sync->resource,
        .selector = "",
        .kind = options->kind,
        .log = options->log,
        .metrics = options->metrics,
        .on_round = on_round,
        .on_item = on_item,
        .on_listed = on_listed,
        .on_event = on_event,
        .on_end = on_end,
        .context = sync,
    };
    bool is_one = options->namespace != NULL;
    sync->options = *options;
    sync->epoch = api_epoch(options->api, options->kind);
    sync->refused_ms = -1;
    snprintf(sync->resource, sizeof(sync->resource), "%s%s%s", is_one ? options->namespace : "",
             is_one ? "/" : "", kind_rows[options->kind].plural);
    text_format_time(sync->since, clock_wall_seconds());
    watch_run_init(&sync->run, &run_options);
    return sync;
}

void sync_free(struct sync *sync) {
    free(sync);
}

static bool is_absent(const struct sync *sync) {
    return api_state(sync->options.api, sync->options.kind) == API_ABSENT;
}

/* The API server may serve the kind under another version by now, or not any more. */
static void follow_api(struct sync *sync) {
    const struct sync_options *options = &sync->options;
    unsigned epoch = api_epoch(options->api, options->kind);
    if (sync->epoch == epoch) {
        return;
    }
    sync->epoch = epoch;
    watch_run_break_off(&sync->run, "the version that is served has changed");
    watch_run_restart(&sync->run);
    if (is_absent(sync)) {
        on_round(sync);
        on_listed(sync, NULL);
    }
}

int64_t sync_step(struct sync *sync, int64_t now_ms) {
    const struct sync_options *options = &sync->options;
    char path[API_PATH_SIZE];
    follow_api(sync);
    if (api_state(options->api, options->kind) != API_SERVED) {
        return INT64_MAX;
    }
    api_list_path(options->api, options->kind, options->namespace, path);
    return watch_run_step(&sync->run, path, now_ms);
}

bool sync_is_done(const struct sync *sync) {
    return watch_is_synced(&sync->run.watch) || is_absent(sync);
}

bool sync_is_refused(const struct sync *sync) {
    return !sync_is_done(sync) && sync->refused_ms >= 0 &&
           clock_boot_ms() >= sync->refused_ms + SYNC_PATIENCE_MS;
}

void sync_why_not_done(const struct sync *sync, struct buffer *out) {
    const struct sync_options *options = &sync->options;
    if (sync_is_done(sync)) {
        return;
    }
    bool is_known = api_state(options->api, options->kind) == API_SERVED;
    const char *problem = is_known ? sync->run.problem : api_problem(options->api);
    buffer_add_format(out, "%s have not been listed yet, since %s: %s\n", sync->resource,
                      sync->since,
                      problem[0] != '\0' ? problem : "waiting for the API server's answer");
}
