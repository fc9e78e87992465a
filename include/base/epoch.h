// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_EPOCH_H
#define BASE_EPOCH_H

/*
 * When may memory be freed that other threads may still be reading? An epoch answers without making
 * a reader wait. Readers say when they begin and end. One writer unpublishes a thing, so that no
 * new reader can find it, and retires it here. The epoch frees it when every reader that might have
 * seen it has ended. (This is read-copy-update with two counters, as in McKenney's SRCU.)
 *
 * Any number of readers at a time, one writer at a time. A read costs two atomic additions.
 */

#include <stdatomic.h>
#include <stddef.h>

struct epoch_item {
    void *pointer;
    void (*free)(void *pointer);
};

struct epoch_list {
    struct epoch_item *items;
    size_t n;
    size_t capacity;
};

struct epoch {
    atomic_uint phase; /* which of the two counters new readers use */
    atomic_uint readers[2];
    int drained;             /* how many of the two counters the waiting items have seen empty */
    struct epoch_list fresh; /* retired since the waiting ones began to wait */
    struct epoch_list waiting;
};

void epoch_init(struct epoch *epoch);

/* Frees all retired items. There must be no reader and no writer left. */
void epoch_fini(struct epoch *epoch);

/* Call them around every read of published pointers, and give the ticket to epoch_exit(). */
unsigned epoch_enter(struct epoch *epoch);
void epoch_exit(struct epoch *epoch, unsigned ticket);

/* Writer: `owned` is no longer published. This call or a later one of epoch_retire() and
   epoch_collect() frees it. */
void epoch_retire(struct epoch *epoch, void *owned, void (*free)(void *pointer));

/* Writer: frees all items that no reader can see any more. Never waits. */
void epoch_collect(struct epoch *epoch);

#endif
