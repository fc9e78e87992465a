// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "replica.h"

uint32_t world_draw(struct world *world) {
    world->seed = world->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(world->seed >> 32);
}

int64_t world_draw_below(struct world *world, int64_t bound) {
    return bound > 0 ? world_draw(world) % bound : 0;
}

int64_t world_draw_delay(struct world *world) {
    return world_draw_below(world, world->weather.delay_max_ms + 1);
}

bool world_happens(struct world *world, int thousandths) {
    return world_draw_below(world, 1000) < thousandths;
}

int64_t world_wall_s(const struct world *world) {
    return START_S + world->now_ms / 1000;
}

bool set_has(const struct set *set, int item) {
    for (size_t i = 0; i < set->n; i++) {
        if (set->items[i] == item) {
            return true;
        }
    }
    return false;
}

void set_add(struct set *set, int item) {
    if (item != 0 && !set_has(set, item)) {
        assert_true(set->n < SET_MAX);
        set->items[set->n++] = item;
    }
}

bool set_is_same(const struct set *set, const struct set *other) {
    for (size_t i = 0; i < set->n; i++) {
        if (!set_has(other, set->items[i])) {
            return false;
        }
    }
    return set->n == other->n;
}

const struct content *object_version(const struct object *object, int version) {
    assert_true(version <= object->version && object->version - version < HISTORY);
    return &object->versions[version % HISTORY];
}

const struct content *world_present(const struct world *world, enum kind kind) {
    return object_version(&world->objects[kind], world->objects[kind].version);
}

void world_store(struct world *world, enum kind kind, const struct content *content) {
    struct object *object = &world->objects[kind];
    object->versions[++object->version % HISTORY] = *content;
    for (int i = 1; kind == CONFIGURATION && i <= world->n_cas; i++) {
        if (!content->exists || !set_has(&content->cas, i)) {
            world->trusted_ms[i] = -1;
        } else if (world->trusted_ms[i] < 0) {
            world->trusted_ms[i] = world->now_ms;
        }
    }
}

/* Nobody may leave a CA that the API server trusts for one that it has not trusted for long. */
void world_check_switch(struct world *world, const struct replica *replica, int issuer) {
    bool is_calm = world->now_ms - world->touched_ms > TRUST_MS + GRACE_MS;
    const struct content *configuration = world_present(world, CONFIGURATION);
    if (!is_calm || !configuration->exists || replica->issuer == 0 || issuer == replica->issuer ||
        world->trusted_ms[replica->issuer] < 0) {
        return;
    }
    world->n_switches++;
    int64_t since_ms = world->trusted_ms[issuer];
    if (since_ms < 0 || world->now_ms - since_ms < TRUST_MS) {
        fail_msg("seed %" PRIu64 ": at %" PRId64
                 " ms a replica serves CA %d, trusted since %" PRId64,
                 world->first_seed, world->now_ms, issuer, since_ms);
    }
}

void world_send(struct world *world, const struct call *call) {
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

static bool serve(struct world *world, const struct call *call) {
    struct content content = *world_present(world, call->kind);
    if (world_happens(world, world->weather.failing)) {
        return false;
    }
    if (call->kind == CONFIGURATION) {
        content.cas = call->content.cas;
        if (content.exists) {
            world_store(world, CONFIGURATION, &content);
        }
        return content.exists;
    }
    int version = content.exists ? world->objects[SECRET].version : 0;
    if (call->version != version) {
        return false;
    }
    world_store(world, SECRET, &call->content);
    world->n_writes++;
    return true;
}

static void arrive(struct world *world, struct call *call) {
    call->is_good = serve(world, call);
    call->content = *world_present(world, call->kind);
    call->version = world->objects[call->kind].version;
    call->is_answer = true;
    call->at_ms = world->now_ms + world_draw_delay(world);
    if (world_happens(world, world->weather.unanswered)) {
        call->is_used = false;
        world->n_calls--;
    }
}

static void deliver_answer(struct world *world, struct call *call) {
    call->is_used = false;
    world->n_calls--;
    for (int i = 0; i < REPLICA_COUNT; i++) {
        if (world->replicas[i].born == call->born) {
            replica_answer(world, &world->replicas[i], call);
        }
    }
}

static void deliver(struct world *world) {
    for (int i = 0; i < CALL_COUNT && world->n_calls > 0; i++) {
        struct call *call = &world->calls[i];
        if (call->is_used && world->now_ms >= call->at_ms) {
            (call->is_answer ? deliver_answer : arrive)(world, call);
        }
    }
}

/* Persons */

void world_lose_secret(struct world *world, bool exists) {
    world_store(world, SECRET, &(struct content){.exists = exists});
}

void world_register(struct world *world, bool exists) {
    world_store(world, CONFIGURATION, &(struct content){.exists = exists});
    world->touched_ms = world->now_ms;
}

static void interfere(struct world *world) {
    const struct weather *weather = &world->weather;
    struct content secret = *world_present(world, SECRET);
    bool exists = world_present(world, CONFIGURATION)->exists;
    if (world_happens(world, weather->renewing) && secret.exists) {
        secret.is_asked = true;
        world_store(world, SECRET, &secret);
    }
    if (world_happens(world, weather->losing)) {
        world_lose_secret(world, world_happens(world, 500));
    }
    if (world_happens(world, weather->unregistering)) {
        world_register(world, !exists);
    } else if (world_happens(world, weather->blanking) && exists) {
        world_register(world, true);
    }
}

static void befall(struct world *world, struct replica *replica) {
    replica->is_closing = replica->is_closing || world_happens(world, world->weather.leaving);
    bool has_left = world->weather.leaving > 0 && replica->is_closing && !replica->is_asking;
    if (has_left || world_happens(world, world->weather.dying)) {
        replica_start(world, replica);
    }
}

/* A replica that has had all news, and waits for no answer, knows the object as it is. */
static void check_knowledge(const struct world *world, const struct replica *replica,
                            enum kind kind) {
    const struct sight *sight = &replica->sights[kind];
    int version = world_present(world, kind)->exists ? world->objects[kind].version : 0;
    bool has_all_news = sight->seen == world->objects[kind].version && !replica->is_asking;
    if (has_all_news && sight->version != version) {
        fail_msg("seed %" PRIu64 ": at %" PRId64 " ms a replica takes version %d for the last, %d",
                 world->first_seed, world->now_ms, sight->version, version);
    }
}

/* The API server trusts all that are ready, unless a person has just changed the configuration. */
static void check_trust(const struct world *world) {
    const struct content *configuration = world_present(world, CONFIGURATION);
    if (!configuration->exists || world->now_ms - world->touched_ms < GRACE_MS) {
        return;
    }
    for (int i = 0; i < REPLICA_COUNT; i++) {
        const struct replica *replica = &world->replicas[i];
        if (replica_is_ready(replica) && !set_has(&configuration->cas, replica->issuer)) {
            fail_msg("seed %" PRIu64 ": at %" PRId64 " ms nobody trusts CA %d, which is served",
                     world->first_seed, world->now_ms, replica->issuer);
        }
    }
}

/* True if all replicas serve the leaf of the Secret, and the caBundles have its CAs. */
bool world_is_certified(const struct world *world) {
    const struct content *secret = world_present(world, SECRET);
    const struct content *configuration = world_present(world, CONFIGURATION);
    if (!secret->exists || !configuration->exists ||
        !set_is_same(&secret->cas, &configuration->cas)) {
        return false;
    }
    for (int i = 0; i < REPLICA_COUNT; i++) {
        const struct replica *replica = &world->replicas[i];
        if (!replica_is_ready(replica) || replica->leaf != secret->leaf) {
            return false;
        }
    }
    return set_has(&secret->cas, secret->issuer) && secret->issuer == secret->signer;
}

void world_tick(struct world *world) {
    world->now_ms += TICK_MS;
    deliver(world);
    if (world->now_ms % 1000 == 0) {
        interfere(world);
    }
    for (int i = 0; i < REPLICA_COUNT; i++) {
        struct replica *replica = &world->replicas[i];
        if (world->now_ms % 1000 == 0) {
            befall(world, replica);
        }
        for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
            replica_watch(world, replica, kind);
            check_knowledge(world, replica, kind);
        }
        replica_step(world, replica);
    }
    check_trust(world);
}

void world_start_all(struct world *world) {
    for (int i = 0; i < REPLICA_COUNT; i++) {
        replica_start(world, &world->replicas[i]);
    }
}

void world_init(struct world *world, uint64_t seed, const struct weather *weather) {
    memset(world, 0, sizeof(*world));
    world->seed = world->first_seed = seed;
    world->weather = *weather;
    world_lose_secret(world, false);
    world_register(world, true);
    world_start_all(world);
}

/* Ends all replicas; each finishes the write that is under way. */
void world_end_all(struct world *world) {
    bool are_asking = true;
    while (are_asking) {
        are_asking = false;
        for (int i = 0; i < REPLICA_COUNT; i++) {
            world->replicas[i].is_closing = true;
            are_asking = are_asking || world->replicas[i].is_asking;
        }
        world_tick(world);
    }
}
