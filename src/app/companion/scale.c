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

static bool is_due(const struct companion_options *options, const struct server_fact *server,
                   struct deployment_fact *ret_deployment) {
    return facts_find_deployment(options->facts, server->namespace, server->name, NULL,
                                 ret_deployment) &&
           heal_is_due(options->policy, server, ret_deployment, clock_wall_seconds());
}

bool scale_is_due(const struct companion_options *options, const struct server_fact *server,
                  uint64_t *ret_fingerprint) {
    struct deployment_fact deployment;
    if (!server->is_stdio || !is_due(options, server, &deployment)) {
        return false;
    }
    /* The write is always the same. The Deployment that it goes to may differ. */
    *ret_fingerprint = hash_bytes(hash_text(HASH_EMPTY, deployment.uid), &deployment.replicas.value,
                                  sizeof(deployment.replicas.value));
    return true;
}

static void fail(struct job *job, const struct kube_answer *answer) {
    job_log_failure(job, METRIC_SCALE_WRITES_ERROR, answer);
    job_fail(job, answer);
}

static void on_write(void *context, const struct kube_answer *answer) {
    struct job *job = context;
    const struct companion_options *options = job->options;
    if (!answer->is_good) {
        fail(job, answer);
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
    json_write_key(&write, "metadata");
    json_write_open(&write, '{');
    json_write_member_text(&write, "uid", scale->uid);
    json_write_member_text(&write, "resourceVersion", scale->resource_version);
    json_write_close(&write, '}');
    json_write_key(&write, "spec");
    json_write_open(&write, '{');
    json_write_member_integer(&write, "replicas", 1);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}

static void ask_scale(struct job *job, enum kube_verb verb, const struct buffer *body,
                      kube_done *done) {
    char path[API_PATH_SIZE];
    api_object_path(job->options->api, OBJECT_DEPLOYMENT, job->server.namespace, job->server.name,
                    "/scale", path);
    job_ask(job, verb, path, body, done);
}

static void on_scale(void *context, const struct kube_answer *answer) {
    struct job *job = context;
    struct object scale;
    struct deployment_fact deployment;
    if (!answer->is_good) {
        fail(job, answer);
        return;
    }
    if (!object_decode(answer->body, answer->body_size, &scale)) {
        job_finish(job, WORK_FAILED);
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
    ask_scale(job, KUBE_MERGE, &body, on_write);
}

static void on_server(void *context, const struct kube_answer *answer) {
    struct job *job = context;
    struct object object;
    if (!answer->is_good) {
        fail(job, answer);
        return;
    }
    if (!object_decode(answer->body, answer->body_size, &object) ||
        object.kind != OBJECT_MCPSERVER) {
        job_finish(job, WORK_FAILED);
        return;
    }
    facts_of_server(&object, &job->server);
    if (scale_is_due(job->options, &job->server, &job->fingerprint)) {
        ask_scale(job, KUBE_GET, NULL, on_scale);
    } else {
        job_finish(job, WORK_NOTHING);
    }
}

void scale_start(struct job *job) {
    const struct companion_options *options = job->options;
    char path[API_PATH_SIZE];
    if (!facts_find_server(options->facts, job->work->namespace, job->work->name, &job->server) ||
        !scale_is_due(options, &job->server, &job->fingerprint)) {
        job_finish(job, WORK_NOTHING);
        return;
    }
    api_object_path(options->api, OBJECT_MCPSERVER, job->server.namespace, job->server.name, "",
                    path);
    job_ask(job, KUBE_GET, path, NULL, on_server);
}
