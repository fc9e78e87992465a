// SPDX-License-Identifier: Apache-2.0
#include "base/epoch.h"

#include <stdlib.h>

#include "base/memory.h"

void epoch_init(struct epoch *epoch) {
    *epoch = (struct epoch){.drained = 0};
    atomic_init(&epoch->phase, 0);
    atomic_init(&epoch->readers[0], 0);
    atomic_init(&epoch->readers[1], 0);
}

static void empty(struct epoch_list *list) {
    while (list->n > 0) {
        struct epoch_item *item = &list->items[--list->n];
        item->free(item->pointer);
    }
}

void epoch_fini(struct epoch *epoch) {
    empty(&epoch->waiting);
    empty(&epoch->fresh);
    free(epoch->waiting.items);
    free(epoch->fresh.items);
}

unsigned epoch_enter(struct epoch *epoch) {
    unsigned ticket = atomic_load(&epoch->phase);
    atomic_fetch_add(&epoch->readers[ticket], 1);
    return ticket;
}

void epoch_exit(struct epoch *epoch, unsigned ticket) {
    atomic_fetch_sub(&epoch->readers[ticket], 1);
}

/* The fresh items begin to wait. Their list and that of the waiting ones, which is empty, swap. */
static void begin_waiting(struct epoch *epoch) {
    struct epoch_list spare = epoch->waiting;
    epoch->waiting = epoch->fresh;
    epoch->fresh = spare;
    epoch->drained = 0;
}

/*
 * A reader may be held up between loading the phase and counting itself. It can then be in either
 * counter, so the waiting items have to see both empty. Only the counter that new readers do not
 * use is sure to become empty, hence the phase changes in between.
 */
static void advance(struct epoch *epoch) {
    while (epoch->drained < 2) {
        unsigned phase = atomic_load(&epoch->phase);
        if (atomic_load(&epoch->readers[phase ^ 1]) != 0) {
            return;
        }
        atomic_store(&epoch->phase, phase ^ 1);
        epoch->drained++;
    }
}

void epoch_collect(struct epoch *epoch) {
    for (int round = 0; round < 2; round++) {
        if (epoch->waiting.n == 0) {
            if (epoch->fresh.n == 0) {
                return;
            }
            begin_waiting(epoch);
        }
        advance(epoch);
        if (epoch->drained < 2) {
            return;
        }
        empty(&epoch->waiting);
    }
}

void epoch_retire(struct epoch *epoch, void *owned, void (*free_owned)(void *pointer)) {
    struct epoch_list *fresh = &epoch->fresh;
    if (fresh->n == fresh->capacity) {
        fresh->capacity = fresh->capacity == 0 ? 16 : fresh->capacity * 2;
        fresh->items = memory_resize(fresh->items, fresh->capacity, sizeof(*fresh->items));
    }
    fresh->items[fresh->n++] = (struct epoch_item){owned, free_owned};
    epoch_collect(epoch);
}
