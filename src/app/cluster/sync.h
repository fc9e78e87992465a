// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_SYNC_H
#define APP_CLUSTER_SYNC_H

/*
 * Keeps the facts about one resource up to date with the API server: list, watch, and list again.
 * Runner of core/watch.
 */

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "core/facts/facts.h"

/* Which Deployments are of interest. Labels never decide whose one is; they only narrow. */
#define SYNC_DEPLOYMENTS_SELECTOR "labelSelector=app.kubernetes.io%2Fname%3D" MCPSERVER_LABEL

/* Told after the facts have changed: the object that did, or NULL where many may have. */
typedef void sync_changed(void *context, const struct object *object);

struct sync_options {
    struct api *api;
    enum object_kind kind;
    const char *selector; /* "labelSelector=...", escaped, or "" */
    struct facts *facts;
    struct log *log;
    struct metrics *metrics;
    sync_changed *changed;
    void *context;
};

struct sync;

struct sync *sync_new(const struct sync_options *options);
void sync_free(struct sync *sync);

/* Asks what is due. Returns when to step again. */
int64_t sync_step(struct sync *sync, int64_t now_ms);

/* True once there was a whole list, for ever; or while the resource is known not to exist, since
   then there are none of it. */
bool sync_is_done(const struct sync *sync);

#endif
