// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_WORKLIST_H
#define CORE_CLUSTER_WORKLIST_H

/*
 * What is to be written for which object, and when: a set with one entry for each kind of work and
 * object, however often it is asked for, handed out by due time. It also keeps the pace: an object
 * is written at most once in 2 s; if another writer undoes what was written, the wait grows from 5
 * s to 5 minutes, and is forgotten after 10 minutes of quiet; a failed write is tried again with
 * back-off.
 *
 * One thread. Time and chance are arguments. An entry lives while something is due, under way, or
 * remembered for the pace; so the list is empty where nothing goes on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/facts/object.h"

enum work_kind { WORK_STATUS, WORK_SCALE };

struct worklist;

/* Borrowed; valid until worklist_done(). */
struct work {
    enum work_kind kind;
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE];
};

struct worklist *worklist_new(void);

/* Frees what is under way, too. */
void worklist_free(struct worklist *list);

/* There is something to do: now, or as soon as the pace lets. An entry under way becomes due again
   once it is done. `fingerprint` is of what would be written: for 10 minutes, what was refused is
   not due again before it is something else. */
void worklist_touch(struct worklist *list, enum work_kind kind, const char *namespace,
                    const char *name, uint64_t fingerprint, int64_t now_ms);

/* The next that is due, earliest first, or NULL. It is under way until worklist_done(). */
struct work *worklist_take(struct worklist *list, int64_t now_ms);

/* When to call worklist_take() (or, with nothing due, at the latest to let go of what is only
   remembered) again; INT64_MAX: not before a touch. */
int64_t worklist_next_ms(const struct worklist *list);

enum work_result {
    WORK_NOTHING, /* there was nothing to do after all */
    WORK_WRITTEN, /* see fingerprint */
    WORK_FAILED,  /* to be tried again: with back-off from 1 s to 5 min, or after retry_after_ms if
                     that is longer, but no later than in 1 h */
    WORK_REFUSED, /* there is no point in trying the same again: see fingerprint */
};

struct work_outcome {
    enum work_result result;
    uint64_t fingerprint;   /* of WORK_WRITTEN: what was written. The same twice in a row, in less
                               than 10 minutes, means that the first was undone */
    int64_t retry_after_ms; /* of WORK_FAILED; -1: not said */
};

/* Returns true if it was written and the last write of the same had been undone by somebody. */
bool worklist_done(struct worklist *list, struct work *owned_work, int64_t now_ms, uint32_t random,
                   const struct work_outcome *outcome);

/* Forgets everything but what is under way; and that is forgotten once it is done, unless it was
   touched since. What it writes is remembered for the pace as ever. */
void worklist_clear(struct worklist *list);

size_t worklist_count(const struct worklist *list);

#endif
