// SPDX-License-Identifier: Apache-2.0
#include "companion.h"

#include <stdlib.h>

#include "base/memory.h"
#include "chance.h"
#include "edge/clock.h"

/* Concurrent jobs. They keep up with hundreds of changes a second, and are a small share of what an
   API server takes from one client. */
enum { JOBS_MAX = 16 };

struct companion {
    struct companion_options options;
    struct worklist *work;
    struct refusals refusals[2]; /* by enum work_kind */
    size_t n_jobs;
    bool did_lead;
    bool is_closed;
};

struct companion *companion_new(const struct companion_options *options) {
    struct companion *companion = memory_new(1, sizeof(*companion));
    companion->options = *options;
    companion->refusals[WORK_STATUS] = (struct refusals){.event = "status.refused",
                                                         .log = options->log,
                                                         .counter = METRIC_STATUS_WRITES_ERROR,
                                                         .spares_deleted = true};
    companion->refusals[WORK_SCALE] = (struct refusals){
        .event = "scale.refused", .log = options->log, .counter = METRIC_SCALE_WRITES_ERROR};
    companion->work = worklist_new();
    return companion;
}

void companion_free(struct companion *companion) {
    if (companion != NULL) {
        worklist_free(companion->work);
        free(companion);
    }
}

/* Most changes leave nothing to do, and stay out of the list. */
static void on_server(void *context, const struct fact *server) {
    struct companion *companion = context;
    int64_t now_ms = clock_boot_ms();
    uint64_t fingerprint;
    if (status_is_due(server, clock_wall_seconds(), &fingerprint)) {
        worklist_touch(companion->work, WORK_STATUS, server->namespace, server->name, fingerprint,
                       now_ms);
    }
    if (scale_is_due(&companion->options, server, &fingerprint)) {
        worklist_touch(companion->work, WORK_SCALE, server->namespace, server->name, fingerprint,
                       now_ms);
    }
}

void companion_look(void *companion, const struct object *object) {
    struct companion *self = companion;
    struct fact server;
    if (!self->did_lead) {
        return;
    }
    if (object == NULL) {
        facts_each_server(self->options.facts, on_server, self);
    } else if (facts_find_server(self->options.facts, object->namespace, object->name, &server)) {
        on_server(self, &server); /* a Deployment has the name of its MCPServer */
    }
}

void companion_set_policy(struct companion *companion, const struct policy *policy) {
    companion->options.policy = policy;
    companion_look(companion, NULL);
}

/* A new leader has to look at all MCPServers. A former leader forgets what it had to do. */
static void follow_election(struct companion *companion, int64_t now_ms) {
    bool leads = elect_leads(companion->options.elect, now_ms);
    if (leads == companion->did_lead) {
        return;
    }
    companion->did_lead = leads;
    if (leads) {
        companion_look(companion, NULL);
    } else {
        worklist_clear(companion->work);
    }
}

static void on_finish(struct job *job, const struct work_outcome *outcome) {
    struct companion *companion = job->context;
    bool is_status = job->work->kind == WORK_STATUS;
    bool was_undone =
        worklist_done(companion->work, TAKE(job->work), clock_boot_ms(), chance_draw(), outcome);
    if (was_undone && is_status) {
        metrics_add(companion->options.metrics, METRIC_STATUS_CONFLICTS, 1);
        log_event(companion->options.log, LOG_WARN, "status.contested",
                  LOG_TEXT("namespace", job->server.namespace), LOG_TEXT("name", job->server.name),
                  LOG_TEXT("hint", "another writer undoes what Capstan writes; it waits longer "
                                   "each time"));
    }
    companion->n_jobs--;
    free(job);
}

static void begin(struct companion *companion, struct work *work) {
    static void (*const starters[])(struct job *) = {
        [WORK_STATUS] = status_start, [WORK_SCALE] = scale_start};
    struct job *job = memory_new(1, sizeof(*job));
    job->options = &companion->options;
    job->work = work;
    job->refusals = &companion->refusals[work->kind];
    job->on_finish = on_finish;
    job->context = companion;
    companion->n_jobs++;
    if (facts_find_server(job->options->facts, work->namespace, work->name, &job->server)) {
        starters[work->kind](job);
    } else {
        job_finish(job, WORK_NOTHING);
    }
}

int64_t companion_step(struct companion *companion, int64_t now_ms) {
    struct work *work;
    follow_election(companion, now_ms);
    if (!companion->did_lead || companion->is_closed) {
        return INT64_MAX;
    }
    while (companion->n_jobs < JOBS_MAX &&
           (work = worklist_take(companion->work, now_ms)) != NULL) {
        begin(companion, work);
    }
    return companion->n_jobs < JOBS_MAX ? worklist_next_ms(companion->work) : INT64_MAX;
}

void companion_close(struct companion *companion) {
    companion->is_closed = true;
}

bool companion_is_idle(const struct companion *companion) {
    return companion->n_jobs == 0;
}
