// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CLUSTER_LOOKUP_H
#define APP_CLUSTER_LOOKUP_H

/*
 * Live look-ups for the request path: one GET for what the facts do not have, or have too old. Any
 * thread asks; the loop sends, and calls back on its own thread. Askers who are after the same
 * object at the same time share one GET, and that an object is not there is believed for 5 s.
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
    int64_t deadline_ms;       /* boot clock: by when there is an answer at the latest */
};

/* Exactly once for each question. EVIDENCE_NONE: it could not be found out in time. The object only
   with EVIDENCE_FOUND, whatever its uid; borrowed for the call. */
typedef void lookup_done(void *context, enum evidence_state state, const struct object *object);

/* Borrowed until lookup_free(). */
struct lookup *lookup_new(struct api *api, struct log *log, struct metrics *metrics);
void lookup_free(struct lookup *lookup);

/* From any thread. The answer may come before this returns. */
void lookup_ask(struct lookup *lookup, const struct lookup_question *question, lookup_done *done,
                void *context);

/* Sends what was asked. To be called after each kube_wait(). */
void lookup_step(struct lookup *lookup, int64_t now_ms);

/* From here on every question, those under way included, is answered with EVIDENCE_NONE. */
void lookup_close(struct lookup *lookup);

#endif
