// SPDX-License-Identifier: Apache-2.0
#include "job.h"

#include "base/http_status.h"
#include "chance.h"
#include "core/cluster/event.h"
#include "edge/clock.h"

enum {
    TIMEOUT_MS = 10000,
    TIMEOUT_MIN_MS = 100, /* with less time left, job_ask() begins nothing */
    ANSWER_MAX = 16 << 20,
    DENIED_RETRY_MS = 60000,
};

void job_ask(struct job *job, enum kube_verb verb, const char *path, const struct buffer *body,
             kube_done *done) {
    const struct companion_options *options = job->options;
    int64_t now_ms = clock_boot_ms();
    int64_t left_ms = elect_deadline_ms(options->elect) - now_ms;
    if (!elect_leads(options->elect, now_ms) || left_ms < TIMEOUT_MIN_MS) {
        /* The companion forgets it if the lease is lost, and tries it again if it is not. */
        job_finish(job, WORK_FAILED);
        return;
    }
    const struct kube_request request = {
        .verb = verb,
        .path = path,
        .body = body == NULL ? NULL : body->bytes,
        .body_size = body == NULL ? 0 : body->size,
        .timeout_ms = MIN(left_ms, TIMEOUT_MS),
        .answer_max = ANSWER_MAX,
        .done = done,
        .context = job,
    };
    kube_begin(api_kube(options->api), &request);
}

void job_finish(struct job *owned_job, enum work_result result) {
    const struct work_outcome outcome = {
        .result = result,
        .fingerprint = owned_job->fingerprint,
        .retry_after_ms = -1,
    };
    owned_job->on_finish(owned_job, &outcome);
}

void job_log_failure(const struct job *job, enum metric counter, const struct kube_answer *answer) {
    metrics_add(job->options->metrics, counter, 1);
    refusals_log(job->refusals, job->server.namespace, job->server.name, &answer->error,
                 clock_boot_ms());
}

void job_fail(struct job *owned_job, const struct kube_answer *answer) {
    struct work_outcome outcome = {
        .result = WORK_FAILED,
        .fingerprint = owned_job->fingerprint,
        .retry_after_ms = answer->retry_after_ms,
    };
    if (answer->status == HTTP_STATUS_NOT_FOUND) {
        api_doubt(owned_job->options->api);
    }
    switch (answer->error.kind) {
    case ERROR_NOT_FOUND: /* somebody has deleted it meanwhile */
        outcome.result = WORK_NOTHING;
        break;
    case ERROR_INVALID:
        outcome.result = WORK_REFUSED;
        break;
    case ERROR_DENIED:
        outcome.retry_after_ms = DENIED_RETRY_MS;
        break;
    default:
        break;
    }
    owned_job->on_finish(owned_job, &outcome);
}

void job_post(const struct job *job, const char *type, const char *reason, const char *note) {
    const struct companion_options *options = job->options;
    const struct event event = {
        .namespace = job->server.namespace,
        .name = job->server.name,
        .uid = job->server.uid,
        .api_version = api_group_version(options->api),
        .kind = MCPSERVER_KIND,
        .type = type,
        .reason = reason,
        .action = "HoldReplicas",
        .note = note,
        .instance = elect_identity(options->elect),
        .wall_us = clock_wall_us(),
        .random = chance_draw(),
    };
    events_post(options->events, &event);
}
