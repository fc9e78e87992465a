// SPDX-License-Identifier: Apache-2.0
#include "companion.h"

#include <stdlib.h>

#include "base/memory.h"
#include "chance.h"
#include "complaint_log.h"
#include "core/cluster/deference.h"
#include "core/cluster/throttle.h"
#include "edge/clock.h"

/* Concurrent jobs, by enum work_kind. Heals are urgent and statuses are not, so neither takes a
   lane of the other, nor waits for what fails in it. Together they keep up with hundreds of changes
   a second, and are a small share of what an API server takes from one client. */
static const size_t lanes[] = {[WORK_STATUS] = 12, [WORK_SCALE] = 4};

enum { KINDS = COUNT_OF(lanes) };

/* The work of one kind. */
struct line {
    struct worklist *work;
    struct throttle throttle;
    struct refusals refusals;
    const char *contested; /* the event in the log, ... */
    const char *settled;   /* ... and the one when that is over */
    struct complaint fights;
};

struct companion {
    struct companion_options options;
    struct line lines[KINDS]; /* by enum work_kind */
    struct deference deference;
    size_t n_jobs;
    bool did_lead;
    bool is_closed;
};

struct companion *companion_new(const struct companion_options *options) {
    struct companion *companion = memory_new(1, sizeof(*companion));
    companion->options = *options;
    companion->lines[WORK_STATUS] =
        (struct line){.refusals = {.event = "status.refused",
                                   .recovered = "status.recovered",
                                   .resource = "mcpservers/status",
                                   .counter = METRIC_STATUS_WRITES_ERROR},
                      .contested = "status.contested",
                      .settled = "status.settled"};
    companion->lines[WORK_SCALE] = (struct line){.refusals = {.event = "scale.refused",
                                                              .recovered = "scale.recovered",
                                                              .resource = "deployments/scale",
                                                              .counter = METRIC_SCALE_WRITES_ERROR},
                                                 .contested = "scale.contested",
                                                 .settled = "scale.settled"};
    for (size_t kind = 0; kind < KINDS; kind++) {
        companion->lines[kind].refusals.log = options->log;
        companion->lines[kind].work = worklist_new();
        throttle_init(&companion->lines[kind].throttle, lanes[kind]);
    }
    return companion;
}

void companion_free(struct companion *companion) {
    if (companion != NULL) {
        worklist_free(companion->lines[WORK_STATUS].work);
        worklist_free(companion->lines[WORK_SCALE].work);
        free(companion);
    }
}

static void touch(struct companion *companion, enum work_kind kind, const struct fact *server,
                  uint64_t fingerprint) {
    worklist_touch(companion->lines[kind].work, kind, server->namespace, server->name, fingerprint,
                   clock_boot_ms());
}

/* Most changes leave nothing to do, and stay out of the list. */
static void on_server(void *context, const struct fact *server) {
    struct companion *companion = context;
    uint64_t fingerprint;
    if (status_is_due(&companion->options, server, &fingerprint)) {
        touch(companion, WORK_STATUS, server, fingerprint);
    }
    if (scale_is_due(&companion->options, server, &fingerprint)) {
        touch(companion, WORK_SCALE, server, fingerprint);
    }
}

static void on_listed_server(void *context, const struct fact *server) {
    struct companion *companion = context;
    deference_recall(&companion->deference, server, clock_wall_seconds(), clock_boot_ms());
    on_server(companion, server);
}

void companion_look(void *companion, const struct object *object) {
    struct companion *self = companion;
    struct fact server;
    if (!self->did_lead) {
        return;
    }
    if (object == NULL) {
        facts_each(self->options.facts, OBJECT_MCPSERVER, on_listed_server, self);
    } else if (facts_find(self->options.facts, OBJECT_MCPSERVER, object->namespace, object->name,
                          &server)) {
        if (object->kind == OBJECT_MCPSERVER) {
            deference_see(&self->deference, &server, clock_boot_ms());
        }
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
        worklist_clear(companion->lines[WORK_STATUS].work);
        worklist_clear(companion->lines[WORK_SCALE].work);
    }
}

/* If one policy or one autoscaler undoes the writes of all objects, one line a minute says so. */
static void log_fight(struct companion *companion, struct line *line, const struct job *job,
                      int64_t now_ms) {
    int64_t times = complaint_raise(&line->fights, "", now_ms);
    if (times > 0) {
        log_event(companion->options.log, LOG_WARN, line->contested,
                  LOG_TEXT("namespace", job->server.namespace), LOG_TEXT("name", job->server.name),
                  LOG_TEXT("hint", "another writer undoes what Capstan writes; it waits longer "
                                   "each time; find that writer in metadata.managedFields"),
                  LOG_INTEGER("times", times));
    }
}

/* The operator goes first with the conditions of a new generation. Returns true if the work waits
   for that. */
static bool defers(struct companion *companion, struct work *work, int64_t now_ms) {
    const struct companion_options *options = &companion->options;
    struct fact server;
    if (work->kind != WORK_STATUS || options->policy->conditions_write != CONDITIONS_AUTO ||
        !facts_find(options->facts, OBJECT_MCPSERVER, work->namespace, work->name, &server) ||
        !condition_is_behind(server.conditions, server.generation)) {
        return false;
    }
    int64_t until_ms = deference_until_ms(&companion->deference, work->since_ms, now_ms);
    if (until_ms <= now_ms) {
        return false;
    }
    worklist_hold(companion->lines[WORK_STATUS].work, work, until_ms);
    return true;
}

/* The operator had been waited for, and nothing was left to write. */
static bool was_spared(const struct job *job, const struct work_outcome *outcome) {
    return outcome->result == WORK_NOTHING && job->work->was_held && !job->server.is_deleting &&
           job->server.name[0] != '\0';
}

/* The news that the outcome of a job brings about the next ones. */
static enum throttle_news news_of(enum work_result result) {
    switch (result) {
    case WORK_NOTHING:
        return THROTTLE_UNKNOWN;
    case WORK_STOPPED:
        return THROTTLE_CLOSED;
    default:
        return THROTTLE_OPEN;
    }
}

static void on_finish(struct job *job, const struct work_outcome *outcome) {
    struct companion *companion = job->context;
    enum work_kind kind = job->work->kind;
    struct line *line = &companion->lines[kind];
    int64_t now_ms = clock_boot_ms();
    throttle_end(&line->throttle, job->ticket, now_ms, chance_draw(), news_of(outcome->result),
                 outcome->retry_after_ms);
    if (was_spared(job, outcome)) {
        metrics_add(companion->options.metrics, METRIC_STATUS_DEFERRED, 1);
    }
    if (worklist_done(line->work, TAKE(job->work), now_ms, chance_draw(), outcome)) {
        metrics_add(companion->options.metrics,
                    kind == WORK_STATUS ? METRIC_STATUS_CONFLICTS : METRIC_SCALE_CONFLICTS, 1);
        log_fight(companion, line, job, now_ms);
    } else if (outcome->result == WORK_WRITTEN) {
        complaint_settle(&line->fights);
        refusals_settle(&line->refusals);
    }
    companion->n_jobs--;
    free(job);
}

static void begin(struct companion *companion, struct work *work, int64_t now_ms) {
    static void (*const starters[])(struct job *) = {
        [WORK_STATUS] = status_start, [WORK_SCALE] = scale_start};
    struct job *job = memory_new(1, sizeof(*job));
    job->options = &companion->options;
    job->work = work;
    job->refusals = &companion->lines[work->kind].refusals;
    job->ticket = throttle_begin(&companion->lines[work->kind].throttle, now_ms);
    job->on_finish = on_finish;
    job->context = companion;
    companion->n_jobs++;
    if (facts_find(job->options->facts, OBJECT_MCPSERVER, work->namespace, work->name,
                   &job->server)) {
        starters[work->kind](job);
    } else {
        job_finish(job, WORK_NOTHING);
    }
}

/* Returns when there is more to begin. */
static int64_t step(struct companion *companion, enum work_kind kind, int64_t now_ms) {
    struct line *line = &companion->lines[kind];
    struct work *work;
    while (throttle_next_ms(&line->throttle) <= now_ms &&
           (work = worklist_take(line->work, now_ms)) != NULL) {
        if (!defers(companion, work, now_ms)) {
            begin(companion, work, now_ms);
        }
    }
    return MAX(throttle_next_ms(&line->throttle), worklist_next_ms(line->work));
}

int64_t companion_step(struct companion *companion, int64_t now_ms) {
    follow_election(companion, now_ms);
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct line *line = &companion->lines[kind];
        refusals_step(&line->refusals, now_ms);
        complaint_log_over(&line->fights, companion->options.log, line->settled,
                           line->refusals.resource, now_ms);
    }
    if (!companion->did_lead || companion->is_closed) {
        return INT64_MAX;
    }
    int64_t heal_ms = step(companion, WORK_SCALE, now_ms);
    int64_t status_ms = step(companion, WORK_STATUS, now_ms);
    return MIN(heal_ms, status_ms);
}

void companion_close(struct companion *companion) {
    companion->is_closed = true;
}

bool companion_is_idle(const struct companion *companion) {
    return companion->n_jobs == 0;
}
