// SPDX-License-Identifier: Apache-2.0
#ifndef APP_COMPANION_JOB_H
#define APP_COMPANION_JOB_H

/*
 * One piece of the companion's work while it is under way: what the companion, which hands the work
 * out, and the two writers, status and scale, have in common. A writer is started, asks the API
 * server one thing after the other, and calls job_finish() exactly once, perhaps at once.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cluster/api.h"
#include "cluster/elect.h"
#include "cluster/events.h"
#include "core/admission/policy.h"
#include "core/cluster/worklist.h"
#include "core/facts/facts.h"
#include "refusals.h"

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
    struct server_fact server; /* as it is known, or was got */
    struct server_fact read;   /* of status: as it was known when the job began */
    struct condition wanted[CONDITION_TYPE_COUNT]; /* of status */
    uint64_t fingerprint;
    unsigned n_tries;
    void (*finish)(struct job *owned_job, const struct work_outcome *outcome);
    void *context; /* of finish */
};

/* Starts the writers. */
void status_start(struct job *job);
void scale_start(struct job *job);

/* Whether there is anything for them to write, as far as the facts know; and its fingerprint. */
bool status_is_due(const struct server_fact *server, int64_t now, uint64_t *ret_fingerprint);
bool scale_is_due(const struct companion_options *options, const struct server_fact *server,
                  uint64_t *ret_fingerprint);

/* Sends a request of the job, if there is still time to: false if this process does not lead any
   more, when the job is finished. The body is NULL for none. */
bool job_ask(struct job *job, enum kube_verb verb, const char *path, const struct buffer *body,
             kube_done *done);

void job_finish(struct job *owned_job, enum work_result result);

/* Says that an answer is not good. */
void job_complain(const struct job *job, const struct kube_answer *answer);

/* Finishes as the answer, which is not good, calls for: gone, refused, or to be tried again. */
void job_fail(struct job *owned_job, const struct kube_answer *answer);

/* An Event about the MCPServer; whether it arrives is not awaited. */
void job_tell(const struct job *job, const char *type, const char *reason, const char *note);

#endif
