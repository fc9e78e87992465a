// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_SYNC_H
#define APP_CLUSTER_SYNC_H

/*
 * Keeps the facts about one kind, of the family or Deployments, as the API server has them, in one
 * namespace or in all. A client of watch_run.
 */

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "base/buffer.h"
#include "core/facts/facts.h"

/* The facts have changed: `object` did, or, if it is NULL, perhaps many objects of the kind. */
typedef void sync_changed(void *context, enum object_kind kind, const struct object *object);

enum { SYNC_PATIENCE_MS = 20000 };

struct sync_options {
    struct api *api;
    enum object_kind kind;
    const char *namespace; /* borrowed; NULL: all */
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

/* True from the first complete list on, for ever. Also true while the API server is known not to
   have the kind, since then there are no objects. */
bool sync_is_done(const struct sync *sync);

/* True if it is not done, and the API server has refused the list (403) for SYNC_PATIENCE_MS: the
   rights in that namespace are gone, perhaps with the namespace. */
bool sync_is_refused(const struct sync *sync);

/* Appends one line that says why it is not done, since when, and the last problem; nothing if it is
   done. */
void sync_why_not_done(const struct sync *sync, struct buffer *out);

#endif
