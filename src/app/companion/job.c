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

void refusals_log(struct refusals *refusals, const char *namespace, const char *name,
                  const struct error *problem, int64_t now_ms) {
    struct complaint *sort = &refusals->sorts[problem->kind];
    int64_t times = complaint_raise(sort, COMPLAINT_MINUTELY, "", now_ms);
    if (times > 0) {
        log_event(refusals->log, LOG_WARN, refusals->event, LOG_TEXT("namespace", namespace),
                  LOG_TEXT("name", name), LOG_TEXT("problem", problem->text),
                  LOG_INTEGER("times", times));
    }
}

void job_ask(struct job *job, enum kube_verb verb, enum object_kind kind, const char *suffix,
             const struct buffer *body, kube_done *done) {
    const struct companion_options *options = job->options;
    char path[API_PATH_SIZE];
    int64_t now_ms = clock_boot_ms();
    int64_t left_ms = elect_deadline_ms(options->elect) - now_ms;
    if (!elect_leads(options->elect, now_ms) || left_ms < TIMEOUT_MIN_MS) {
        /* The companion forgets it if the lease is lost, and tries it again if it is not. */
        job_finish(job, WORK_FAILED);
        return;
    }
    api_object_path(options->api, kind, job->server.namespace, job->server.name, suffix, path);
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

static void finish(struct job *owned_job, enum work_result result, int64_t retry_after_ms) {
    const struct work_outcome outcome = {
        .result = result,
        .fingerprint = owned_job->fingerprint,
        .retry_after_ms = retry_after_ms,
    };
    owned_job->on_finish(owned_job, &outcome);
}

void job_finish(struct job *owned_job, enum work_result result) {
    finish(owned_job, result, -1);
}

bool job_read_server(struct job *job, const struct kube_answer *answer, struct object *ret_object) {
    if (!answer->is_good) {
        job_fail(job, answer);
        return false;
    }
    if (!object_decode(answer->body, answer->body_size, ret_object) ||
        ret_object->kind != OBJECT_MCPSERVER) {
        job_finish(job, WORK_FAILED);
        return false;
    }
    return true;
}

static void log_failure(const struct job *job, const struct kube_answer *answer) {
    struct refusals *refusals = job->refusals;
    if (answer->status != HTTP_STATUS_NOT_FOUND || !refusals->spares_deleted) {
        metrics_add(job->options->metrics, refusals->counter, 1);
        refusals_log(refusals, job->server.namespace, job->server.name, &answer->error,
                     clock_boot_ms());
    }
}

void job_fail(struct job *owned_job, const struct kube_answer *answer) {
    bool is_denied = answer->error.kind == ERROR_DENIED;
    enum work_result result = WORK_FAILED;
    log_failure(owned_job, answer);
    if (answer->status == HTTP_STATUS_NOT_FOUND) {
        api_doubt(owned_job->options->api);
    }
    if (answer->error.kind == ERROR_NOT_FOUND) {
        result = WORK_NOTHING; /* somebody has deleted it meanwhile */
    } else if (answer->error.kind == ERROR_INVALID) {
        result = WORK_REFUSED;
    }
    finish(owned_job, result, is_denied ? DENIED_RETRY_MS : answer->retry_after_ms);
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
