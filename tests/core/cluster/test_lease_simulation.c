// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/cluster/lease.h"

/*
 * Several processes and one API server in simulated time. Each process has its own clock, with
 * another offset and rate, and knows only the answers of the API server. Only the test knows the
 * true time.
 */

enum {
    PROCESS_COUNT = 4,
    CALL_COUNT = 64,
    TICK_MS = 10,
    RATE_ONE = 1000, /* a clock's rate in thousandths */
    RATE_SPREAD = 50,
};

/* The faults, each in thousandths of the requests; pauses in thousandths of the seconds. */
struct weather {
    int64_t delay_max_ms; /* of a request, and of its answer */
    int lost;             /* requests that never arrive */
    int unanswered;       /* requests that are done, but whose answer is lost */
    int failing;          /* with 500 */
    int garbled;          /* with 200 and an unreadable body */
    int touched;          /* then somebody else writes to the record, such as an annotation */
    int pausing;          /* processes that stop for up to 60 s */
    int dying;            /* processes that are replaced without a release */
    int leaving;          /* processes that release, and are then replaced */
};

/* A request on its way: first to the server, then back. */
struct call {
    bool is_used;
    bool is_answer;
    int64_t at_ms; /* true time */
    int process;
    int sequence;
    enum lease_verb verb;
    struct lease_record record;
    int status;
    bool has_record;
};

struct process {
    struct lease lease;
    int64_t offset_ms;
    int64_t rate; /* of its clock */
    bool is_asking;
    int sequence;
    int64_t give_up_ms; /* by its own clock, like the next */
    int64_t step_ms;    /* no step before this time, by its last order */
    int64_t wake_ms;    /* true time; the process stands still until then */
};

struct world {
    uint64_t seed;
    struct weather weather;
    int64_t now_ms;
    bool has_record;
    struct lease_record record;
    int version;
    struct process processes[PROCESS_COUNT];
    struct call calls[CALL_COUNT];
    int n_calls;
    int n_born;
    int leader; /* -1: none */
    int64_t n_led_ms;
    int n_terms;
    int n_releases;
};

static uint32_t draw(struct world *world) {
    world->seed = world->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(world->seed >> 32);
}

static int64_t draw_below(struct world *world, int64_t bound) {
    return bound > 0 ? draw(world) % bound : 0;
}

static bool happens(struct world *world, int thousandths) {
    return draw_below(world, 1000) < thousandths;
}

static int64_t clock_of(const struct world *world, const struct process *process) {
    return process->offset_ms + world->now_ms * process->rate / RATE_ONE;
}

static bool is_held(const struct world *world, int i) {
    return lease_is_held(&world->processes[i].lease, clock_of(world, &world->processes[i]));
}

/* Starts a process on a machine of its own. */
static void start(struct world *world, int i) {
    struct process *process = &world->processes[i];
    char identity[32];
    snprintf(identity, sizeof(identity), "process-%d_%d", i, world->n_born++);
    int sequence = process->sequence + 1;
    *process = (struct process){.sequence = sequence};
    process->offset_ms = draw_below(world, 1000000000);
    process->rate = RATE_ONE - RATE_SPREAD + draw_below(world, 2 * RATE_SPREAD + 1);
    lease_init(&process->lease, identity);
}

static void init(struct world *world, uint64_t seed, const struct weather *weather) {
    *world = (struct world){.seed = seed, .weather = *weather, .leader = -1};
    for (int i = 0; i < PROCESS_COUNT; i++) {
        start(world, i);
    }
}

static void send(struct world *world, const struct call *call) {
    for (int i = 0; i < CALL_COUNT; i++) {
        if (!world->calls[i].is_used) {
            world->calls[i] = *call;
            world->calls[i].is_used = true;
            world->n_calls++;
            return;
        }
    }
    fail_msg("more than %d requests are on their way", CALL_COUNT);
}

static void drop(struct world *world, struct call *call) {
    call->is_used = false;
    world->n_calls--;
}

static void store(struct world *world, const struct lease_record *record) {
    world->record = *record;
    world->has_record = true;
    snprintf(world->record.resource_version, sizeof(world->record.resource_version), "%d",
             ++world->version);
}

/* Acts on a request as a Kubernetes API server does. */
static int serve(struct world *world, const struct call *call) {
    if (happens(world, world->weather.failing)) {
        return 500;
    }
    if (call->verb == LEASE_CREATE) {
        if (world->has_record) {
            return 409;
        }
        store(world, &call->record);
        return 201;
    }
    if (!world->has_record) {
        return 404;
    }
    if (call->verb == LEASE_REPLACE) {
        if (strcmp(call->record.resource_version, world->record.resource_version) != 0) {
            return 409;
        }
        store(world, &call->record);
    }
    return 200;
}

static void arrive(struct world *world, struct call *call) {
    call->status = serve(world, call);
    call->has_record =
        call->status / 100 == 2 && !happens(world, world->weather.garbled) && world->has_record;
    call->record = world->record;
    call->is_answer = true;
    call->at_ms = world->now_ms + draw_below(world, world->weather.delay_max_ms + 1);
    if (happens(world, world->weather.unanswered)) {
        drop(world, call);
    }
    if (world->has_record && happens(world, world->weather.touched)) {
        struct lease_record record = world->record;
        store(world, &record);
    }
}

static void answer(struct world *world, struct call *call) {
    struct process *process = &world->processes[call->process];
    if (world->now_ms < process->wake_ms) {
        return; /* the answer lies in the socket until then */
    }
    drop(world, call);
    if (process->is_asking && process->sequence == call->sequence) {
        process->is_asking = false;
        process->step_ms = 0;
        lease_answer(&process->lease, clock_of(world, process), draw(world), call->status,
                     call->has_record ? &call->record : NULL);
    }
}

static void deliver(struct world *world) {
    for (int i = 0; i < CALL_COUNT && world->n_calls > 0; i++) {
        struct call *call = &world->calls[i];
        if (call->is_used && call->at_ms <= world->now_ms) {
            if (call->is_answer) {
                answer(world, call);
            } else {
                arrive(world, call);
            }
        }
    }
}

static void step(struct world *world, int i) {
    struct process *process = &world->processes[i];
    int64_t now_ms = clock_of(world, process);
    struct lease_order order;
    if (process->is_asking && now_ms >= process->give_up_ms) {
        process->is_asking = false;
        process->step_ms = 0;
        lease_answer(&process->lease, now_ms, draw(world), 0, NULL);
    }
    if (now_ms < process->step_ms) {
        return;
    }
    lease_step(&process->lease, now_ms, (int64_t)draw(world) * 1000000, &order);
    if (order.verb == LEASE_WAIT) {
        process->step_ms = order.at_ms;
        return;
    }
    assert_false(process->is_asking);
    assert_in_range(order.timeout_ms, 1, 5000);
    process->is_asking = true;
    process->give_up_ms = now_ms + order.timeout_ms;
    process->step_ms = INT64_MAX;
    process->sequence++;
    if (!happens(world, world->weather.lost)) {
        struct call call = {.process = i, .sequence = process->sequence, .verb = order.verb};
        call.record = order.record;
        call.at_ms = world->now_ms + draw_below(world, world->weather.delay_max_ms + 1);
        send(world, &call);
    }
}

static void release(struct process *process) {
    lease_release(&process->lease);
    process->step_ms = 0;
}

/* Draws the faults of a process in one second. */
static void befall(struct world *world, int i) {
    struct process *process = &world->processes[i];
    if (happens(world, world->weather.pausing)) {
        process->wake_ms = world->now_ms + draw_below(world, 60000);
    }
    bool has_left = world->weather.leaving > 0 && lease_is_released(&process->lease);
    if (happens(world, world->weather.dying) || has_left) {
        world->n_releases += has_left;
        start(world, i);
    }
    if (happens(world, world->weather.leaving)) {
        release(process);
    }
}

/* At no true time may two processes believe that they lead, not even one that stands still. */
static void check(struct world *world) {
    int leader = -1;
    for (int i = 0; i < PROCESS_COUNT; i++) {
        if (is_held(world, i)) {
            if (leader >= 0) {
                fail_msg("at %" PRId64 " ms both %s and %s lead", world->now_ms,
                         world->processes[leader].lease.identity,
                         world->processes[i].lease.identity);
            }
            leader = i;
        }
    }
    world->n_led_ms += leader >= 0 ? TICK_MS : 0;
    world->n_terms += leader >= 0 && leader != world->leader;
    world->leader = leader;
}

static void tick(struct world *world) {
    world->now_ms += TICK_MS;
    deliver(world);
    for (int i = 0; i < PROCESS_COUNT; i++) {
        if (world->now_ms % 1000 == 0) {
            befall(world, i);
        }
        if (world->now_ms >= world->processes[i].wake_ms) {
            step(world, i);
        }
    }
    check(world);
}

static void run(struct world *world, int64_t ms) {
    for (int64_t end_ms = world->now_ms + ms; world->now_ms < end_ms;) {
        tick(world);
    }
}

/* Runs until a process leads. Returns the duration. */
static int64_t run_until_led(struct world *world) {
    int64_t start_ms = world->now_ms;
    do {
        tick(world);
        if (world->now_ms - start_ms > 60000) {
            fail_msg("nobody leads after a minute");
        }
    } while (world->leader < 0);
    return world->now_ms - start_ms;
}

/* `led_min` is the least time with a leader, in thousandths, so that silence does not pass. */
static const struct {
    const char *name;
    struct weather weather;
    int led_min;
    int terms_min;
} rows[] = {
    {"calm", {.delay_max_ms = 20}, 995, 1},
    {"slow", {.delay_max_ms = 2400}, 900, 1},
    {"slower than the limits", {.delay_max_ms = 6000}, 50, 20},
    {"lossy", {.delay_max_ms = 200, .lost = 150, .unanswered = 150}, 600, 50},
    {"lossy and slow", {.delay_max_ms = 2400, .lost = 200, .unanswered = 200}, 200, 20},
    {"failing", {.delay_max_ms = 100, .failing = 300, .garbled = 100}, 700, 1},
    {"touched", {.delay_max_ms = 500, .touched = 300}, 900, 1},
    {"pausing", {.delay_max_ms = 100, .pausing = 20}, 300, 50},
    {"dying", {.delay_max_ms = 100, .dying = 10}, 600, 50},
    {"leaving", {.delay_max_ms = 100, .leaving = 10}, 800, 50},
    {"all at once",
     {.delay_max_ms = 1500,
      .lost = 50,
      .unanswered = 50,
      .failing = 50,
      .garbled = 50,
      .touched = 50,
      .pausing = 10,
      .dying = 3,
      .leaving = 3},
     100,
     50},
};

static void test_lease__never_do_two_lead(void **state) {
    (void)state;
    enum { SECONDS = 10000, SEEDS = 2 };
    static struct world world;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            init(&world, seed, &rows[i].weather);
            run(&world, SECONDS * INT64_C(1000));
            if (world.n_led_ms / SECONDS < rows[i].led_min || world.n_terms < rows[i].terms_min ||
                (rows[i].weather.leaving > 0) != (world.n_releases > 0)) {
                fail_msg("%s, %" PRIu64 ": led %" PRId64 " of 1000, %d terms, %d releases",
                         rows[i].name, seed, world.n_led_ms / SECONDS, world.n_terms,
                         world.n_releases);
            }
        }
    }
}

/* The longest takeover takes (15 + 4.4) / 0.95 s and a few requests: the duration and the wait, by
   a clock that is 5 % slow. */
static void test_lease__another_takes_over_when_the_holder_dies(void **state) {
    (void)state;
    enum { ROUNDS = 200, LIMIT_MS = 21500 };
    static const struct weather weather = {.delay_max_ms = 50};
    static struct world world;
    int64_t slowest_ms = 0;
    init(&world, 7, &weather);
    assert_in_range(run_until_led(&world), 0, 1000);
    for (int i = 0; i < ROUNDS; i++) {
        run(&world, 1000 + draw_below(&world, 20000));
        assert_true(world.leader >= 0);
        start(&world, world.leader);
        world.leader = -1;
        int64_t took_ms = run_until_led(&world);
        slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
    }
    assert_in_range(slowest_ms, 13000, LIMIT_MS);
}

static void test_lease__another_takes_over_soon_when_the_holder_releases(void **state) {
    (void)state;
    enum { ROUNDS = 200, LIMIT_MS = 5500 };
    static const struct weather weather = {.delay_max_ms = 50};
    static struct world world;
    init(&world, 8, &weather);
    run_until_led(&world);
    for (int i = 0; i < ROUNDS; i++) {
        run(&world, 1000 + draw_below(&world, 20000));
        int leader = world.leader;
        assert_true(leader >= 0);
        release(&world.processes[leader]);
        assert_false(is_held(&world, leader));
        run(&world, 700);
        assert_true(lease_is_released(&world.processes[leader].lease));
        if (world.leader < 0) {
            assert_in_range(run_until_led(&world), 0, LIMIT_MS - 700);
        }
        start(&world, leader);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lease__never_do_two_lead),
        cmocka_unit_test(test_lease__another_takes_over_when_the_holder_dies),
        cmocka_unit_test(test_lease__another_takes_over_soon_when_the_holder_releases),
    };
    return cmocka_run_group_tests_name("core/lease simulation", tests, NULL, NULL);
}
