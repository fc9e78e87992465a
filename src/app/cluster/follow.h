// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_FOLLOW_H
#define APP_CLUSTER_FOLLOW_H

/*
 * Follows one object of the API server by its name: calls back whenever it appears, changes or
 * goes. A client of watch_run, for objects that are no facts. On the loop's thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge/kube.h"
#include "edge/log.h"
#include "edge/metrics.h"

struct follow;

/* `json` is the object, borrowed for the call; NULL: it is not there. */
typedef void follow_changed(void *context, const char *json, size_t size);

/* All borrowed, until follow_free(). */
struct follow_options {
    struct kube *kube;
    const char *collection; /* "/api/v1/namespaces/x/secrets" */
    const char *resource;   /* "secrets", for the log */
    const char *name;
    struct log *log;
    struct metrics *metrics;
    follow_changed *changed;
    void *context;
};

struct follow *follow_new(const struct follow_options *options);

/* kube_free() must have cancelled the request under way. NULL is none. */
void follow_free(struct follow *follow);

/* Reads the object anew. A writer does so first, since a watch may have fallen behind. Not to be
   called from within follow_changed. */
void follow_restart(struct follow *follow);

/* True if the object was read since follow_restart(), or since follow_new(). */
bool follow_is_fresh(const struct follow *follow);

/* Asks what is due. Returns when to step again. */
int64_t follow_step(struct follow *follow, int64_t now_ms);

#endif
