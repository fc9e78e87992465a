// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_LOOKUP_H
#define APP_CLUSTER_LOOKUP_H

/*
 * Live look-ups for the request path: one GET for an object that the facts do not have, or have too
 * old. Any thread asks. The loop sends, and calls back on its own thread. Concurrent questions for
 * the same object share one GET. An absence is believed for 5 s.
 */

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "core/admission/subject.h"

struct lookup;

struct lookup_question {
    enum object_kind kind; /* an MCPServer or a Deployment */
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE];
    char uid[OBJECT_UID_SIZE]; /* the one that is meant */
    int64_t deadline_ms;       /* boot clock: the answer comes no later */
};

/* Called exactly once for each question. EVIDENCE_NONE: there was no answer in time. `object` is
   set with EVIDENCE_FOUND only, whatever its uid, and borrowed for the call. */
typedef void lookup_done(void *context, enum evidence_state state, const struct object *object);

/* Borrowed until lookup_free(). */
struct lookup *lookup_new(struct api *api, struct log *log, struct metrics *metrics);
void lookup_free(struct lookup *lookup);

/* From any thread. `done` may be called before this returns. */
void lookup_ask(struct lookup *lookup, const struct lookup_question *question, lookup_done *done,
                void *context);

/* Sends the questions that have come in. To be called after each kube_wait(). */
void lookup_step(struct lookup *lookup, int64_t now_ms);

/* Answers every question with EVIDENCE_NONE from here on, also those under way. */
void lookup_close(struct lookup *lookup);

#endif
