// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_EPOCH_H
#define BASE_EPOCH_H

/*
 * When may memory be freed that other threads may still be reading? An epoch answers without ever
 * making a reader wait: readers say when they begin and end, one writer unpublishes a thing (so
 * that no new reader can find it) and retires it here, and it is freed once every reader who might
 * have seen it has ended. (Read-copy-update with two counters, as in McKenney's SRCU.)
 *
 * Any number of readers at a time, one writer at a time. Readers cost two atomic additions.
 */

#include <stdatomic.h>
#include <stddef.h>

struct epoch_item {
    void *pointer;
    void (*free)(void *pointer);
};

struct epoch {
    atomic_uint phase; /* which of the two counters new readers use */
    atomic_uint readers[2];
    int drained;              /* how many of the two counters the waiting items have seen empty */
    struct epoch_item *fresh; /* retired since the waiting ones began to wait */
    size_t n_fresh, fresh_capacity;
    struct epoch_item *waiting;
    size_t n_waiting, waiting_capacity;
};

void epoch_init(struct epoch *epoch);

/* Frees all that was retired. There must be no reader and no writer left. */
void epoch_fini(struct epoch *epoch);

/* Around every read of published pointers. What enter returns is given to exit. */
unsigned epoch_enter(struct epoch *epoch);
void epoch_exit(struct epoch *epoch, unsigned ticket);

/* Writer: `owned` is no longer published. It is freed now or in a later call of retire or collect.
 */
void epoch_retire(struct epoch *epoch, void *owned, void (*free)(void *pointer));

/* Writer: frees what can be freed by now. Never waits. */
void epoch_collect(struct epoch *epoch);

#endif
