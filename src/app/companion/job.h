// SPDX-License-Identifier: Apache-2.0
#ifndef APP_COMPANION_JOB_H
#define APP_COMPANION_JOB_H

/*
 * One piece of the companion's work while it is under way. The companion starts a writer, status or
 * scale. The writer sends its requests one after the other, and calls job_finish() exactly once,
 * perhaps before it returns.
 */

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "cluster/api.h"
#include "cluster/elect.h"
#include "cluster/events.h"
#include "core/admission/policy.h"
#include "core/cluster/complaint.h"
#include "core/cluster/worklist.h"
#include "core/facts/facts.h"

/* The failed writes of one writer. If a right is missing or the API server is away, the writes of
   all objects fail alike. So the log has each sort of failure once a minute, with one of the
   objects and the number of failures since the last line. */
struct refusals {
    const char *event;     /* "status.refused"; borrowed, as the next two */
    const char *recovered; /* the event when that is over */
    const char *resource;
    struct log *log;
    enum metric counter;
    struct complaint sorts[ERROR_INTERNAL + 1];
};

/* A write went well. */
void refusals_settle(struct refusals *refusals);

/* Says what is over. Call this every few seconds. */
void refusals_step(struct refusals *refusals, int64_t now_ms);

void refusals_log(struct refusals *refusals, const char *namespace, const char *name,
                  const struct error *problem, int64_t now_ms);

/* All borrowed. */
struct companion_options {
    struct api *api;
    struct elect *elect;
    struct facts *facts;
    const struct policy *policy; /* until companion_set_policy() */
    struct events *events;
    struct log *log;
    struct metrics *metrics;
};

struct job {
    const struct companion_options *options;
    struct work *work;
    struct refusals *refusals;
    struct fact server; /* from the facts, or from the last GET */
    struct fact read;   /* of status: from the facts, when the job began */
    struct condition wanted[CONDITION_TYPE_COUNT]; /* of status */
    uint64_t fingerprint;
    unsigned n_tries;
    unsigned ticket; /* the companion's */
    void (*on_finish)(struct job *owned_job, const struct work_outcome *outcome);
    void *context; /* of on_finish */
};

/* The writers. job->server is the MCPServer as the facts have it. */
void status_start(struct job *job);
void scale_start(struct job *job);

/* True if a writer has anything to write, judged by the facts; and the fingerprint of that. */
bool status_is_due(const struct companion_options *options, const struct fact *server,
                   uint64_t *ret_fingerprint);
bool scale_is_due(const struct companion_options *options, const struct fact *server,
                  uint64_t *ret_fingerprint);

/* Sends a request about the MCPServer or its Deployment, if this process leads for long enough.
   Else finishes the job. The suffix of the path is one such as "/scale". `body` is NULL for none.
 */
void job_ask(struct job *job, enum kube_verb verb, enum object_kind kind, const char *suffix,
             const struct buffer *body, kube_done *done);

/* Reads the MCPServer from an answer. False: the job is finished. */
bool job_read_server(struct job *job, const struct kube_answer *answer, struct object *ret_object);

void job_finish(struct job *owned_job, enum work_result result);

/* Logs an answer that is not good, counts it, and finishes the job: tried again, or refused, if the
   cause is the object's (400, 404, 409, 413, 422), and else stopped, since others would fail alike.
 */
void job_fail(struct job *owned_job, const struct kube_answer *answer);

/* The same for a reason that no error of an answer gives. */
void job_fail_because(struct job *owned_job, enum work_result result, const char *problem);

/* The answer to a write shows that another writer undid it in the same request. Counts that as a
   failure; the companion says it. */
void job_fail_undone(struct job *owned_job);

/* Posts an Event about the MCPServer, and does not wait until it has arrived. */
void job_post(const struct job *job, const char *type, const char *reason, const char *note);

#endif
