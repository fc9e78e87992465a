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

static void free_items(struct epoch_item *items, size_t n_items) {
    for (size_t i = 0; i < n_items; i++) {
        items[i].free(items[i].pointer);
    }
}

void epoch_fini(struct epoch *epoch) {
    free_items(epoch->waiting, epoch->n_waiting);
    free_items(epoch->fresh, epoch->n_fresh);
    free(epoch->waiting);
    free(epoch->fresh);
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
    struct epoch_item *spare = epoch->waiting;
    size_t spare_capacity = epoch->waiting_capacity;
    epoch->waiting = epoch->fresh;
    epoch->n_waiting = epoch->n_fresh;
    epoch->waiting_capacity = epoch->fresh_capacity;
    epoch->fresh = spare;
    epoch->n_fresh = 0;
    epoch->fresh_capacity = spare_capacity;
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
        if (epoch->n_waiting == 0) {
            if (epoch->n_fresh == 0) {
                return;
            }
            begin_waiting(epoch);
        }
        advance(epoch);
        if (epoch->drained < 2) {
            return;
        }
        free_items(epoch->waiting, epoch->n_waiting);
        epoch->n_waiting = 0;
    }
}

void epoch_retire(struct epoch *epoch, void *owned, void (*free_owned)(void *pointer)) {
    if (epoch->n_fresh == epoch->fresh_capacity) {
        epoch->fresh_capacity = epoch->fresh_capacity == 0 ? 16 : epoch->fresh_capacity * 2;
        epoch->fresh =
            memory_resize(epoch->fresh, epoch->fresh_capacity, sizeof(struct epoch_item));
    }
    epoch->fresh[epoch->n_fresh++] = (struct epoch_item){owned, free_owned};
    epoch_collect(epoch);
}
