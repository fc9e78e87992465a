// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "base/epoch.h"

enum { THINGS = 64, READERS = 3, SWAPS = 40000 };

/* Things on the stack. The test counts how often each is "freed". */
static void count_free(void *pointer) {
    int *n_freed = pointer;
    (*n_freed)++;
}

static int sum(const int *counts, size_t n_counts) {
    int total = 0;
    for (size_t i = 0; i < n_counts; i++) {
        total += counts[i];
    }
    return total;
}

static void test_epoch__frees_at_once_what_nobody_reads(void **state) {
    (void)state;
    struct epoch epoch;
    int n_freed = 0;
    epoch_init(&epoch);
    epoch_retire(&epoch, &n_freed, count_free);
    assert_int_equal(n_freed, 1);
    epoch_fini(&epoch);
    assert_int_equal(n_freed, 1);
}

static void test_epoch__frees_nothing_while_a_reader_is_in(void **state) {
    (void)state;
    struct epoch epoch;
    int n_freed[THINGS] = {0};
    epoch_init(&epoch);
    unsigned ticket = epoch_enter(&epoch);
    for (int i = 0; i < THINGS; i++) {
        epoch_retire(&epoch, &n_freed[i], count_free);
        epoch_collect(&epoch);
    }
    assert_int_equal(sum(n_freed, THINGS), 0);
    epoch_exit(&epoch, ticket);
    epoch_fini(&epoch);
    assert_int_equal(sum(n_freed, THINGS), THINGS);
}

static void test_epoch__frees_afterwards_without_a_further_reader(void **state) {
    (void)state;
    struct epoch epoch;
    int n_freed[THINGS] = {0};
    epoch_init(&epoch);
    unsigned ticket = epoch_enter(&epoch);
    for (int i = 0; i < THINGS; i++) {
        epoch_retire(&epoch, &n_freed[i], count_free);
    }
    epoch_exit(&epoch, ticket);
    epoch_collect(&epoch);
    for (int i = 0; i < THINGS; i++) {
        assert_int_equal(n_freed[i], 1);
    }
    epoch_fini(&epoch);
    assert_int_equal(sum(n_freed, THINGS), THINGS);
}

/* New readers always come before the old ones go. Retired things must still be freed, but never
   while a reader from that time is still in. */
static void test_epoch__readers_that_overlap_do_not_hold_things_for_ever(void **state) {
    (void)state;
    struct epoch epoch;
    int n_freed[THINGS] = {0};
    epoch_init(&epoch);
    unsigned ticket = epoch_enter(&epoch);
    for (int i = 0; i < THINGS; i++) {
        epoch_retire(&epoch, &n_freed[i], count_free);
        assert_int_equal(n_freed[i], 0);
        unsigned next_ticket = epoch_enter(&epoch);
        epoch_exit(&epoch, ticket);
        epoch_collect(&epoch);
        ticket = next_ticket;
    }
    assert_in_range(sum(n_freed, THINGS), THINGS - 6, THINGS - 1);
    epoch_exit(&epoch, ticket);
    epoch_fini(&epoch);
}

static void test_epoch__a_reader_that_stays_holds_what_came_after_it_too(void **state) {
    (void)state;
    struct epoch epoch;
    int before = 0;
    int after = 0;
    epoch_init(&epoch);
    unsigned first = epoch_enter(&epoch);
    epoch_retire(&epoch, &before, count_free);
    unsigned second = epoch_enter(&epoch);
    epoch_retire(&epoch, &after, count_free);
    epoch_exit(&epoch, first);
    epoch_collect(&epoch);
    epoch_collect(&epoch);
    assert_int_equal(after, 0);
    epoch_exit(&epoch, second);
    epoch_collect(&epoch);
    assert_int_equal(before, 1);
    assert_int_equal(after, 1);
    epoch_fini(&epoch);
}

/* A reader may be delayed between the look at the phase and its count, while the phase turns. It is
   then in either counter, and epoch must wait for both. */
static void test_epoch__waits_for_a_reader_in_either_counter(void **state) {
    (void)state;
    for (unsigned ticket = 0; ticket < 2; ticket++) {
        for (unsigned phase = 0; phase < 2; phase++) {
            struct epoch epoch;
            int n_freed = 0;
            epoch_init(&epoch);
            atomic_store(&epoch.phase, phase);
            atomic_fetch_add(&epoch.readers[ticket], 1);
            epoch_retire(&epoch, &n_freed, count_free);
            epoch_collect(&epoch);
            epoch_collect(&epoch);
            assert_int_equal(n_freed, 0);
            epoch_exit(&epoch, ticket);
            epoch_collect(&epoch);
            assert_int_equal(n_freed, 1);
            epoch_fini(&epoch);
        }
    }
}

static void test_epoch__a_new_reader_does_not_hold_what_was_retired_before_it(void **state) {
    (void)state;
    struct epoch epoch;
    int before = 0;
    int after = 0;
    epoch_init(&epoch);
    unsigned first = epoch_enter(&epoch);
    epoch_retire(&epoch, &before, count_free);
    epoch_exit(&epoch, first);
    unsigned second = epoch_enter(&epoch);
    epoch_retire(&epoch, &after, count_free);
    assert_int_equal(before, 1);
    assert_int_equal(after, 0);
    epoch_exit(&epoch, second);
    epoch_collect(&epoch);
    assert_int_equal(after, 1);
    epoch_fini(&epoch);
}

enum { MAGIC = 0x5afe };

struct thing {
    int magic;
    int64_t number;
    atomic_int *n_freed;
};

struct stress {
    struct epoch epoch;
    _Atomic(struct thing *) published;
    atomic_bool is_over;
    atomic_int n_faults; /* cmocka's assertions belong to the main thread */
    atomic_int n_freed;
    pthread_barrier_t start;
};

static void free_thing(void *pointer) {
    struct thing *thing = pointer;
    atomic_fetch_add(thing->n_freed, 1);
    thing->magic = 0;
    thing->number = -1;
    free(thing);
}

static struct thing *new_thing(struct stress *stress, int64_t number) {
    struct thing *thing = malloc(sizeof(*thing));
    *thing = (struct thing){.magic = MAGIC, .number = number, .n_freed = &stress->n_freed};
    return thing;
}

static void *read_on(void *context) {
    struct stress *stress = context;
    int64_t last = 0;
    pthread_barrier_wait(&stress->start);
    do {
        unsigned ticket = epoch_enter(&stress->epoch);
        const struct thing *thing = atomic_load(&stress->published);
        int64_t number = thing->number;
        for (int i = 0; i < 8; i++) {
            if (thing->magic != MAGIC || thing->number != number || number < last) {
                atomic_fetch_add(&stress->n_faults, 1);
            }
        }
        last = number;
        epoch_exit(&stress->epoch, ticket);
    } while (!atomic_load(&stress->is_over));
    return NULL;
}

static void test_epoch__readers_never_see_freed_memory(void **state) {
    (void)state;
    struct stress stress = {.is_over = false};
    pthread_t readers[READERS];
    epoch_init(&stress.epoch);
    atomic_store(&stress.published, new_thing(&stress, 0));
    pthread_barrier_init(&stress.start, NULL, READERS + 1);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &stress), 0);
    }
    pthread_barrier_wait(&stress.start);
    for (int i = 1; i <= SWAPS; i++) {
        struct thing *old = atomic_exchange(&stress.published, new_thing(&stress, i));
        epoch_retire(&stress.epoch, old, free_thing);
    }
    atomic_store(&stress.is_over, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    epoch_collect(&stress.epoch);
    assert_int_equal(atomic_load(&stress.n_freed), SWAPS);
    epoch_fini(&stress.epoch);
    free(atomic_load(&stress.published));
    pthread_barrier_destroy(&stress.start);
    assert_int_equal(atomic_load(&stress.n_faults), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epoch__frees_at_once_what_nobody_reads),
        cmocka_unit_test(test_epoch__frees_nothing_while_a_reader_is_in),
        cmocka_unit_test(test_epoch__frees_afterwards_without_a_further_reader),
        cmocka_unit_test(test_epoch__readers_that_overlap_do_not_hold_things_for_ever),
        cmocka_unit_test(test_epoch__a_reader_that_stays_holds_what_came_after_it_too),
        cmocka_unit_test(test_epoch__waits_for_a_reader_in_either_counter),
        cmocka_unit_test(test_epoch__a_new_reader_does_not_hold_what_was_retired_before_it),
        cmocka_unit_test(test_epoch__readers_never_see_freed_memory),
    };
    return cmocka_run_group_tests_name("base/epoch", tests, NULL, NULL);
}
