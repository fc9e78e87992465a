// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_LOOKUP_H
#define APP_CLUSTER_LOOKUP_H

/*
 * Live look-ups for the request path: one GET for an object of the family that the facts do not
 * have, or have too old. Any thread asks. The loop sends, and calls back on its own thread. Runner
 * of core/cluster/lookup_queue, which has the rules: who shares a GET, how long an answer is kept,
 * and how many GETs there are.
 */

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "core/admission/subject.h"
#include "core/cluster/lookup_queue.h"

struct lookup;

/* Called exactly once for each question. EVIDENCE_FAILED: there was no answer in time. `fact` is
   set with EVIDENCE_FOUND only, whatever its uid, and borrowed for the call. */
typedef void lookup_done(void *context, enum evidence_state state, const struct fact *fact);

/* Borrowed until lookup_free(). */
struct lookup *lookup_new(struct api *api, struct log *log, struct metrics *metrics);
void lookup_free(struct lookup *lookup);

/* From any thread. `done` may be called before this returns. */
void lookup_ask(struct lookup *lookup, const struct lookup_question *question, lookup_done *done,
                void *context);

/* Does what is due. To be called after each kube_wait(), too. Returns when to step again. */
int64_t lookup_step(struct lookup *lookup, int64_t now_ms);

/* The watch of this kind has told something about this object, or, if it is NULL, perhaps about
   many. So older answers about it do not count. */
void lookup_notice(struct lookup *lookup, enum object_kind kind, const struct object *object);

/* Answers every question with EVIDENCE_FAILED from here on, also those that wait. */
void lookup_close(struct lookup *lookup);

#endif
