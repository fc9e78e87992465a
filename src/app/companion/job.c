// SPDX-License-Identifier: Apache-2.0
#include "job.h"

#include <string.h>

#include "base/http_status.h"
#include "chance.h"
#include "complaint_log.h"
#include "core/cluster/event.h"
#include "edge/clock.h"

enum {
    TIMEOUT_MS = 10000,
    TIMEOUT_MIN_MS = 100, /* with less time left, job_ask() begins nothing */
    ANSWER_MAX = 16 << 20,
};

void refusals_log(struct refusals *refusals, const char *namespace, const char *name,
                  const struct error *problem, int64_t now_ms) {
    struct complaint *sort = &refusals->sorts[problem->kind];
    int64_t times = complaint_raise(sort, "", now_ms);
    if (times > 0) {
        log_event(refusals->log, LOG_WARN, refusals->event, LOG_TEXT("namespace", namespace),
                  LOG_TEXT("name", name), LOG_TEXT("problem", problem->text),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint", "Capstan tries again; see to its right to patch and update the "
                                   "resource, and to what the API server says"));
    }
}

void refusals_settle(struct refusals *refusals) {
    for (size_t sort = 0; sort < COUNT_OF(refusals->sorts); sort++) {
        complaint_settle(&refusals->sorts[sort]);
    }
}

void refusals_step(struct refusals *refusals, int64_t now_ms) {
    for (size_t sort = 0; sort < COUNT_OF(refusals->sorts); sort++) {
        complaint_log_over(&refusals->sorts[sort], refusals->log, refusals->recovered,
                           refusals->resource, now_ms);
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
        job_finish(job, WORK_STOPPED);
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
        ret_object->kind != OBJECT_MCPSERVER || strcmp(ret_object->name, job->server.name) != 0) {
        job_fail_because(job, WORK_STOPPED, ANSWER_FOREIGN);
        return false;
    }
    return true;
}

static void log_failure(const struct job *job, const struct error *problem) {
    metrics_add(job->options->metrics, job->refusals->counter, 1);
    refusals_log(job->refusals, job->server.namespace, job->server.name, problem, clock_boot_ms());
}

/* The others would not fail alike: the cause is the object's. */
static bool is_own(const struct kube_answer *answer) {
    switch (answer->error.kind) {
    case ERROR_NOT_FOUND: /* status 0: a file of the credential is not there */
    case ERROR_CONFLICT:
    case ERROR_TOO_LARGE:
        return answer->status != 0;
    case ERROR_INVALID:
        return answer->status == HTTP_STATUS_BAD_REQUEST ||
               answer->status == HTTP_STATUS_CONTENT_TOO_LARGE ||
               answer->status == HTTP_STATUS_UNPROCESSABLE;
    default:
        return false;
    }
}

/* A 404 is tried again, too: if the object is gone, the watch says so, and the facts lack it by
   then. */
void job_fail(struct job *owned_job, const struct kube_answer *answer) {
    enum work_result result = WORK_STOPPED;
    log_failure(owned_job, &answer->error);
    if (answer->status == HTTP_STATUS_NOT_FOUND) {
        api_doubt(owned_job->options->api, OBJECT_MCPSERVER);
    }
    if (is_own(answer)) {
        result = answer->error.kind == ERROR_INVALID ? WORK_REFUSED : WORK_FAILED;
    }
    finish(owned_job, result, answer->retry_after_ms);
}

void job_fail_because(struct job *owned_job, enum work_result result, const char *problem) {
    struct error error;
    error_set(&error, ERROR_UNAVAILABLE, "%s", problem);
    log_failure(owned_job, &error);
    job_finish(owned_job, result);
}

void job_fail_undone(struct job *owned_job) {
    metrics_add(owned_job->options->metrics, owned_job->refusals->counter, 1);
    job_finish(owned_job, WORK_UNDONE);
}

void job_post(const struct job *job, const char *type, const char *reason, const char *note) {
    const struct companion_options *options = job->options;
    const struct event event = {
        .namespace = job->server.namespace,
        .name = job->server.name,
        .uid = job->server.uid,
        .api_version = api_group_version(options->api, OBJECT_MCPSERVER),
        .kind = kind_rows[OBJECT_MCPSERVER].kind,
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
