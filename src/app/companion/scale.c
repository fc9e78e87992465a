// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/hash.h"
#include "core/cluster/heal.h"
#include "edge/clock.h"
#include "job.h"

/*
 * Heals one Deployment: sets it to one replica through its scale subresource. Runner of core/heal.
 * The watches of MCPServers and Deployments are not in step. So it GETs the MCPServer first, and
 * scales nothing if that is not stdio any more. Then it GETs the Scale, and writes with its
 * resourceVersion: a count that somebody has lowered meanwhile, perhaps to 0, is never raised.
 */

enum { BODY_MAX = 1024 };

static bool is_due(const struct companion_options *options, const struct fact *server,
                   struct fact *ret_deployment) {
    return facts_find(options->facts, OBJECT_DEPLOYMENT, server->namespace, server->name,
                      ret_deployment) &&
           heal_is_due(options->policy, server, ret_deployment, clock_wall_seconds());
}

bool scale_is_due(const struct companion_options *options, const struct fact *server,
                  uint64_t *ret_fingerprint) {
    struct fact deployment;
    if (!server->is_stdio || !is_due(options, server, &deployment)) {
        return false;
    }
    /* The write is always the same. The Deployment that it goes to may differ. The count that it
       finds is no part of it: an autoscaler undoes a heal with another count each time. */
    *ret_fingerprint = hash_text(HASH_EMPTY, deployment.uid);
    return true;
}

/* Reads the Scale from an answer. False: the job is finished. */
static bool read_scale(struct job *job, const struct kube_answer *answer,
                       struct object *ret_scale) {
    if (!answer->is_good) {
        job_fail(job, answer);
        return false;
    }
    if (!object_decode(answer->body, answer->body_size, ret_scale) ||
        ret_scale->kind != OBJECT_SCALE || strcmp(ret_scale->name, job->server.name) != 0) {
        job_fail_because(job, WORK_STOPPED, ANSWER_FOREIGN);
        return false;
    }
    return true;
}

/* Another webhook may have set another count, in the same request. */
static void on_write(void *context, const struct kube_answer *answer) {
    struct job *job = context;
    const struct companion_options *options = job->options;
    struct object scale;
    if (!read_scale(job, answer, &scale)) {
        return;
    }
    if (!number_is(&scale.replicas, 1)) {
        job_fail_undone(job);
        return;
    }
    metrics_add(options->metrics, METRIC_SCALE_WRITES_OK, 1);
    log_event(options->log, LOG_INFO, "scale.written", LOG_TEXT("namespace", job->server.namespace),
              LOG_TEXT("name", job->server.name), LOG_INTEGER("replicas", 1));
    job_post(job, "Warning", CONDITION_REASON_STDIO_REPLICA_CAPPED,
             "stdio transport requires exactly 1 replica; the deployment had more and was scaled "
             "to 1");
    job_finish(job, WORK_WRITTEN);
}

static void write_scale(const struct object *scale, struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_open(&write, "metadata", '{');
    json_write_member_text(&write, "uid", scale->uid);
    json_write_member_text(&write, "resourceVersion", scale->resource_version);
    json_write_close(&write, '}');
    json_write_member_open(&write, "spec", '{');
    json_write_member_integer(&write, "replicas", 1);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}

static void on_scale(void *context, const struct kube_answer *answer) {
    struct job *job = context;
    struct object scale;
    struct fact deployment;
    if (!read_scale(job, answer, &scale)) {
        return;
    }
    bool is_same =
        is_due(job->options, &job->server, &deployment) && strcmp(scale.uid, deployment.uid) == 0;
    if (!is_same || !number_exceeds(&scale.replicas, 1)) {
        job_finish(job, WORK_NOTHING);
        return;
    }
    AUTO(buffer_fini) struct buffer body;
    buffer_init(&body, BODY_MAX);
    write_scale(&scale, &body);
    job_ask(job, KUBE_MERGE, OBJECT_DEPLOYMENT, "/scale", &body, on_write);
}

static void on_server(void *context, const struct kube_answer *answer) {
    struct job *job = context;
    struct object object;
    if (!job_read_server(job, answer, &object)) {
        return;
    }
    facts_of(&object, &job->server);
    if (scale_is_due(job->options, &job->server, &job->fingerprint)) {
        job_ask(job, KUBE_GET, OBJECT_DEPLOYMENT, "/scale", NULL, on_scale);
    } else {
        job_finish(job, WORK_NOTHING);
    }
}

void scale_start(struct job *job) {
    if (scale_is_due(job->options, &job->server, &job->fingerprint)) {
        job_ask(job, KUBE_GET, OBJECT_MCPSERVER, "", NULL, on_server);
    } else {
        job_finish(job, WORK_NOTHING);
    }
}
