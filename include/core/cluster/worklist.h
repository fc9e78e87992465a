// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_WORKLIST_H
#define CORE_CLUSTER_WORKLIST_H

/*
 * Decides which object to write when. The list has one entry for each kind of work and object,
 * however often the work is asked for, and hands out entries by due time. It also keeps the pace.
 * An object is written at most once in 2 s. If another writer undoes a write, the wait grows from 5
 * s to 5 minutes, and goes back after 10 minutes of quiet. A failed write is tried again with
 * back-off. How many objects are written at once is core/throttle's.
 *
 * One thread. Time and chance are arguments. An entry lives while its work is due or under way, or
 * while the pace needs it; so the list is empty where nothing goes on.
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
    int64_t since_ms; /* when it was asked for, at the latest after the last time it was done */
    bool was_held;    /* by worklist_hold() */
};

struct worklist *worklist_new(void);

/* Frees the work under way, too. */
void worklist_free(struct worklist *list);

/* There is something to do: now, or as soon as the pace allows. An entry under way becomes due
   again once it is done. `fingerprint` stands for the content to be written. For 10 minutes after
   WORK_REFUSED, the same content does not become due again. */
void worklist_touch(struct worklist *list, enum work_kind kind, const char *namespace,
                    const char *name, uint64_t fingerprint, int64_t now_ms);

/* The next work that is due, earliest first, or NULL. It is under way until worklist_done(). */
struct work *worklist_take(struct worklist *list, int64_t now_ms);

/* Takes the work back as it is, to hand it out again at `until_ms`. */
void worklist_hold(struct worklist *list, struct work *owned_work, int64_t until_ms);

/* The time to call worklist_take() again, also to free entries that only the pace needed.
   INT64_MAX: not before worklist_touch(). */
int64_t worklist_next_ms(const struct worklist *list);

enum work_result {
    WORK_NOTHING, /* there was nothing to do after all */
    WORK_WRITTEN, /* see fingerprint */
    WORK_FAILED,  /* for a cause of the object's; try again: with back-off from 1 s to 5 min, or
                     after retry_after_ms if that is longer, but no later than in 1 h */
    WORK_STOPPED, /* for a cause that all objects share. core/throttle has the wait of all; this
                     object is behind the others meanwhile: from 1 s to 30 s */
    WORK_UNDONE,  /* written, and undone by another writer in the same request; try again ever
                     more slowly */
    WORK_OUTRUN,  /* the object changed faster than it could be written; try again after 2 s */
    WORK_REFUSED, /* do not try the same again: see fingerprint */
};

struct work_outcome {
    enum work_result result;
    uint64_t fingerprint;   /* of the content. If WORK_WRITTEN has the same twice in a row, in less
                               than 10 minutes, another writer has undone the first write */
    int64_t retry_after_ms; /* of WORK_FAILED; -1: none */
};

/* Returns true if another writer has undone this write, or the last one of the same. */
bool worklist_done(struct worklist *list, struct work *owned_work, int64_t now_ms, uint32_t random,
                   const struct work_outcome *outcome);

/* Forgets all work that is not under way. Work under way is not tried again if it fails, unless it
   was touched since. The pace takes its writes into account as ever. */
void worklist_clear(struct worklist *list);

size_t worklist_count(const struct worklist *list);

#endif
