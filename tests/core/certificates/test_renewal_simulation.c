// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "world.h"

/* Five start at once. `late_ms` is when the configuration comes, and `again_ms` when it is deleted
   and made again; -1: it is not. */
static void race(struct world *world, const char *name, int64_t late_ms, int64_t again_ms) {
    int64_t began_ms = world->now_ms;
    int64_t certified_ms = -1;
    int n_writes = world->n_writes;
    world_lose_secret(world, world_happens(world, 500));
    world_register(world, late_ms < 0);
    world_start_all(world);
    while (certified_ms < 0 || world->now_ms < certified_ms + 5000) {
        int64_t age_ms = world->now_ms - began_ms;
        if (age_ms == late_ms || age_ms == again_ms + TICK_MS) {
            world_register(world, true);
        } else if (age_ms == again_ms) {
            world_register(world, false);
        }
        world_tick(world);
        if (certified_ms < 0 && world_is_certified(world) && age_ms > MAX(late_ms, again_ms)) {
            certified_ms = world->now_ms;
        }
        if (world_present(world, SECRET)->cas.n > 1 || age_ms > 50000) {
            fail_msg("%s, seed %" PRIu64 ": after %" PRId64 " ms there are %zu CAs", name,
                     world->first_seed, age_ms, world_present(world, SECRET)->cas.n);
        }
    }
    assert_true(world_is_certified(world));
    assert_int_equal(world->n_writes - n_writes, 1);
    world_end_all(world);
}

static void test_renewal__five_that_start_at_once_make_one_ca(void **state) {
    enum { ROUNDS = 200 };
    static const struct {
        const char *name;
        struct weather weather;
    } rows[] = {
        {"calm", {.delay_max_ms = 30}},
        {"slow", {.delay_max_ms = 1500}},
        {"failing", {.delay_max_ms = 200, .failing = 200}},
        {"unanswered", {.delay_max_ms = 200, .unanswered = 200}},
    };
    static struct world world;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_init(&world, i + 1, &rows[i].weather);
        world_end_all(&world);
        for (int round = 0; round < ROUNDS; round++) {
            bool is_late = round % 3 == 1;
            bool is_again = round % 3 == 2;
            race(&world, rows[i].name, is_late ? world_draw_below(&world, 300) * TICK_MS : -1,
                 is_again ? world_draw_below(&world, 300) * TICK_MS : -1);
        }
    }
}

static void test_renewal__the_api_server_trusts_all_that_are_ready(void **state) {
    enum { HOURS = 3, CALM_MS = 1800000 };
    static const struct weather calm = {.delay_max_ms = 100};
    static const struct {
        const char *name;
        struct weather weather;
        int switches_min;
    } rows[] = {
        {"renewing", {.delay_max_ms = 100, .renewing = 2}, 50},
        {"lossy", {.delay_max_ms = 100, .renewing = 2, .lost = 100, .unanswered = 100}, 25},
        {"dying", {.delay_max_ms = 100, .renewing = 2, .dying = 5}, 30},
        {"leaving", {.delay_max_ms = 100, .renewing = 2, .leaving = 5}, 40},
        {"losing", {.delay_max_ms = 100, .renewing = 2, .dying = 5, .losing = 5}, 50},
        {"blanking", {.delay_max_ms = 100, .renewing = 2, .blanking = 2}, 30},
        {"all at once",
         {.delay_max_ms = 1500,
          .lost = 50,
          .unanswered = 50,
          .failing = 50,
          .dying = 2,
          .leaving = 2,
          .renewing = 2,
          .losing = 2,
          .unregistering = 4,
          .blanking = 1},
         10},
    };
    static struct world world;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world_init(&world, i + 1, &rows[i].weather);
        while (world.now_ms < HOURS * INT64_C(3600000)) {
            world_tick(&world);
        }
        world.weather = calm;
        if (!world_present(&world, CONFIGURATION)->exists) {
            world_register(&world, true);
        }
        for (int64_t end_ms = world.now_ms + CALM_MS; world.now_ms < end_ms;) {
            world_tick(&world);
        }
        if (!world_is_certified(&world) || world_present(&world, SECRET)->cas.n != 1 ||
            world.n_switches < rows[i].switches_min) {
            fail_msg("%s: %zu CAs in the end, %d switches", rows[i].name,
                     world_present(&world, SECRET)->cas.n, world.n_switches);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renewal__five_that_start_at_once_make_one_ca),
        cmocka_unit_test(test_renewal__the_api_server_trusts_all_that_are_ready),
    };
    return cmocka_run_group_tests_name("core/renewal simulation", tests, NULL, NULL);
}
