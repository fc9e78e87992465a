// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_WATCH_RUN_H
#define APP_CLUSTER_WATCH_RUN_H

/*
 * Lists and watches one resource of the API server, and logs when that fails and when it works
 * again. Runner of core/cluster/watch, for its clients sync and follow. On the loop's thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/cluster/complaint.h"
#include "core/cluster/watch.h"
#include "edge/kube.h"
#include "edge/log.h"
#include "edge/metrics.h"

/* All borrowed. The callbacks get `context`; they must not step, restart or break off the run. */
struct watch_run_options {
    struct kube *kube;
    const char *resource; /* "secrets", for the log */
    const char *selector; /* "labelSelector=...", escaped, or "" */
    enum object_kind kind;
    struct log *log;
    struct metrics *metrics;
    void (*on_round)(void *context); /* a list begins; NULL: of no interest */
    feed_visit *on_item;             /* an item of a page; its list may still fail */
    /* The list is complete; `page` is its last page. */
    void (*on_listed)(void *context, const struct kube_answer *page);
    /* The effect is not WATCH_CLOSE. */
    void (*on_event)(void *context, enum watch_effect effect, const struct feed_event *event);
    /* A request, a watch or the page of a list, has ended; NULL: of no interest. */
    void (*on_end)(void *context, const struct kube_answer *answer, bool is_watch);
    void *context;
};

struct watch_run {
    /* The implementation's own. */
    struct watch_run_options options;
    struct watch watch;
    struct kube_call *call; /* the request under way, or NULL */
    bool is_watch;          /* that request is a watch, not a page of a list */
    struct complaint complaint;
    char problem[sizeof(((struct error *)0)->text)]; /* the last; "": none */
};

void watch_run_init(struct watch_run *run, const struct watch_run_options *options);

/* Asks what is due, below the path of the collection ("/api/v1/namespaces/x/secrets"). Returns when
   to step again. */
int64_t watch_run_step(struct watch_run *run, const char *collection, int64_t now_ms);

/* Ends the request under way, if there is one, as failed for this reason. */
void watch_run_break_off(struct watch_run *run, const char *problem);

/* Cancels the request under way, if there is one, and lists anew. */
void watch_run_restart(struct watch_run *run);

#endif
