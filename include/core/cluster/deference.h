// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_DEFERENCE_H
#define CORE_CLUSTER_DEFERENCE_H

/*
 * Lets an operator that writes the same conditions go first. It answers an edit with a chain of
 * writes of the status, each with the resourceVersion of the one before. A write of Capstan's in
 * between costs it a conflict, an error in its log, and a reconcile.
 *
 * The managedFields of an MCPServer tell whether another writer has a part in its status, since
 * when, and whether it has ever written a condition of ours there. Such a writer counts as the
 * operator for 10 minutes after its last write. Meanwhile a write about a new generation waits
 * until the operator has been idle for 2 s, and no longer than 30 s. By then the operator has
 * mostly written, so that nothing is left to do. If it writes a status and was not seen to write
 * our conditions (an old operator does not), the wait is 2 s, whatever else it does.
 *
 * It is idle while the watch shows no change of an MCPServer but in its spec. Changes of labels and
 * annotations look the same, whoever made them. They make a write wait longer for nothing, but no
 * longer than 30 s, and only where an operator writes statuses, too.
 *
 * Pure: times are arguments.
 */

#include <stdint.h>

#include "core/facts/facts.h"

#define DEFERENCE_IDLE_MS   2000
#define DEFERENCE_LIMIT_MS  30000
#define DEFERENCE_MEMORY_MS (10 * 60 * 1000)

struct deference {      /* zero to begin with */
    int64_t active_ms;  /* the last write of an operator, by the boot clock; 0: none was seen */
    int64_t writing_ms; /* the last one of an operator that writes our conditions */
};

/* The watch shows a change of this MCPServer. */
void deference_see(struct deference *deference, const struct fact *server, int64_t now_ms);

/* A list shows this MCPServer. `now` is seconds since 1970, by which the API server's times are
   judged: if the clocks differ, an operator counts for longer or shorter, until it writes again. */
void deference_recall(struct deference *deference, const struct fact *server, int64_t now,
                      int64_t now_ms);

/* The time from which a write that was due since `since_ms` may begin. */
int64_t deference_until_ms(const struct deference *deference, int64_t since_ms, int64_t now_ms);

#endif
