// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/hash.h"
#include "base/http_status.h"
#include "core/facts/status_body.h"
#include "edge/clock.h"
#include "job.h"

/*
 * Writes the two conditions of one MCPServer. Runner of core/condition. If the CRD's conditions are
 * a map, server-side apply writes ours and leaves those of others alone. Else it GETs and PUTs the
 * whole status.
 *
 * Either write has the resourceVersion of the object by which it was judged. So the API server
 * refuses it if the facts lag behind, as they may after this process has taken the lead, and an
 * older observedGeneration never takes the place of a newer one. On such a conflict it GETs the
 * object, and judges again.
 */

#define STATUS "/status?fieldManager=" FIELD_MANAGER

enum { BODY_MAX = 16 << 20, TRIES_MAX = 5 };

/* Of the object and of what would be written to it, without lastTransitionTime. */
static uint64_t make_fingerprint(const struct fact *server,
                                 const struct condition wanted[CONDITION_TYPE_COUNT]) {
    uint64_t hash = hash_text(HASH_EMPTY, server->uid);
    hash = hash_bytes(hash, &server->generation, sizeof(server->generation));
    for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
        hash = hash_bytes(hash, &wanted[type].state, sizeof(wanted[type].state));
    }
    return hash;
}

static bool plan(const struct fact *server, int64_t now,
                 struct condition ret_wanted[CONDITION_TYPE_COUNT], uint64_t *ret_fingerprint) {
    struct condition_subject subject = facts_condition_subject(server);
    bool differs = condition_step(&subject, server->conditions, now, ret_wanted);
    *ret_fingerprint = make_fingerprint(server, ret_wanted);
    return differs && !server->is_deleting;
}

/* By the API server's clock, if it is known: our own may be wrong. */
static int64_t now_s(const struct companion_options *options) {
    return kube_wall_s(api_kube(options->api), clock_boot_ms());
}

bool status_is_due(const struct companion_options *options, const struct fact *server,
                   uint64_t *ret_fingerprint) {
    struct condition wanted[CONDITION_TYPE_COUNT];
    return options->policy->conditions_write != CONDITIONS_OFF &&
           plan(server, now_s(options), wanted, ret_fingerprint);
}

/* A condition that turns true gets one Event. */
static void post_events(const struct job *job) {
    for (int type = 0; type < CONDITION_TYPE_COUNT; type++) {
        const struct condition *was = &job->server.conditions[type];
        const struct condition *is = &job->wanted[type];
        bool was_true = was->state != CONDITION_ABSENT && was->is_true;
        if (is->is_true && !was_true) {
            job_post(job, "Warning", condition_reason(is), condition_message(is));
        }
    }
}

static void succeed(struct job *job, const struct object *written) {
    const struct companion_options *options = job->options;
    metrics_add(options->metrics, METRIC_STATUS_WRITES_OK, 1);
    log_event(
        options->log, LOG_INFO, "status.written", LOG_TEXT("namespace", job->server.namespace),
        LOG_TEXT("name", job->server.name),
        LOG_INTEGER("stdioReplicaCapped", job->wanted[CONDITION_TYPE_STDIO].is_true),
        LOG_INTEGER("sessionStorageWarning", job->wanted[CONDITION_TYPE_SESSION_STORAGE].is_true));
    facts_confirm_conditions(options->facts, &job->read, job->wanted, written->resource_version);
    post_events(job);
    job_finish(job, WORK_WRITTEN);
}

static void on_object(void *context, const struct kube_answer *answer);

static void get(struct job *job) {
    job_ask(job, KUBE_GET, OBJECT_MCPSERVER, "", NULL, on_object);
}

/* The MCPServer has been deleted, and the facts do not know it yet. That is no failure to say. */
static bool is_gone(const struct kube_answer *answer) {
    return !answer->is_good && answer->status != 0 && answer->error.kind == ERROR_NOT_FOUND;
}

/* After a 404 to a write: is the MCPServer gone, or only its status? */
static void on_missing(void *context, const struct kube_answer *answer) {
    struct job *job = context;
    struct object object;
    if (is_gone(answer)) {
        job_finish(job, WORK_FAILED);
    } else if (!job_read_server(job, answer, &object)) {
        return;
    } else if (strcmp(object.uid, job->server.uid) != 0) {
        job_finish(job, WORK_FAILED); /* it was recreated */
    } else {
        job_fail_because(job, WORK_STOPPED,
                         "404 to a write of the status of an MCPServer that is there; see whether "
                         "the CRD of mcpservers has the status subresource");
    }
}

static void on_good_write(struct job *job, const struct kube_answer *answer) {
    struct object object;
    if (!job_read_server(job, answer, &object)) {
        return;
    }
    if (condition_is_written(job->wanted, object.conditions)) {
        succeed(job, &object);
    } else {
        job_fail_undone(job);
    }
}

static void on_write(void *context, const struct kube_answer *answer) {
    struct job *job = context;
    if (answer->is_good) {
        on_good_write(job, answer);
    } else if (answer->status == HTTP_STATUS_CONFLICT && ++job->n_tries < TRIES_MAX) {
        get(job);
    } else if (answer->status == HTTP_STATUS_CONFLICT) {
        job_fail_because(job, WORK_OUTRUN, answer->error.text);
    } else if (is_gone(answer)) {
        api_doubt(job->options->api, OBJECT_MCPSERVER);
        job_ask(job, KUBE_GET, OBJECT_MCPSERVER, "", NULL, on_missing);
    } else {
        job_fail(job, answer);
    }
}

static void apply(struct job *job) {
    AUTO(buffer_fini) struct buffer body;
    buffer_init(&body, BODY_MAX);
    status_body_apply(api_group_version(job->options->api, OBJECT_MCPSERVER), job->server.namespace,
                      job->server.name, NULL, job->server.resource_version, job->wanted, &body);
    job_ask(job, KUBE_APPLY, OBJECT_MCPSERVER, STATUS "&force=true", &body, on_write);
}

static void replace(struct job *job, const struct kube_answer *answer) {
    struct error error;
    AUTO(buffer_fini) struct buffer body;
    buffer_init(&body, BODY_MAX);
    if (!status_body_replace(answer->body, answer->body_size, job->wanted, &body, &error)) {
        job_finish(job, WORK_FAILED);
        return;
    }
    job_ask(job, KUBE_REPLACE, OBJECT_MCPSERVER, STATUS, &body, on_write);
}

/* The answer of the GET is newer than the watch, so it counts. */
static void on_object(void *context, const struct kube_answer *answer) {
    struct job *job = context;
    struct object object;
    if (is_gone(answer)) {
        job_finish(job, WORK_FAILED);
        return;
    }
    if (!job_read_server(job, answer, &object)) {
        return;
    }
    if (strcmp(object.uid, job->server.uid) == 0) {
        condition_remember(job->server.conditions, object.conditions);
    }
    facts_of(&object, &job->server);
    if (!plan(&job->server, now_s(job->options), job->wanted, &job->fingerprint)) {
        job_finish(job, WORK_NOTHING);
    } else if (api_has_condition_map(job->options->api)) {
        apply(job);
    } else {
        replace(job, answer);
    }
}

void status_start(struct job *job) {
    job->read = job->server;
    bool is_off = job->options->policy->conditions_write == CONDITIONS_OFF;
    if (is_off || !plan(&job->server, now_s(job->options), job->wanted, &job->fingerprint)) {
        job_finish(job, WORK_NOTHING);
    } else if (api_has_condition_map(job->options->api)) {
        apply(job);
    } else {
        get(job);
    }
}
