// SPDX-License-Identifier: Apache-2.0
#include "replica.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"

void replica_start(struct world *world, struct replica *replica) {
    *replica = (struct replica){.born = ++world->n_born, .look_ms = INT64_MAX};
    replica->view.leads = true;
    renewal_init(&replica->renewal, TRUST_MS, RETIRE_S);
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        replica->sights[kind].at_ms = -1;
    }
}

static void view_secret(const struct world *world, struct replica *replica) {
    const struct content *secret = &replica->sights[SECRET].content;
    struct renewal_view *view = &replica->view;
    view->secret = !secret->exists       ? RENEWAL_SECRET_ABSENT
                   : secret->signer == 0 ? RENEWAL_SECRET_UNUSABLE
                                         : RENEWAL_SECRET_USABLE;
    view->n_cas = view->secret == RENEWAL_SECRET_USABLE ? secret->cas.n : 0;
    view->asked = secret->is_asked ? RENEWAL_ASKS_CA : RENEWAL_ASKS_NOTHING;
    view->has_leaf = view->leaf_has_names = secret->leaf != 0;
    view->leaf_not_before = secret->signed_s - RENEWAL_BACKDATE_S;
    view->leaf_not_after = secret->signed_s + RENEWAL_LEAF_LIFETIME;
    view->has_issuer = false;
    for (size_t i = 0; i < view->n_cas; i++) {
        int ca = secret->cas.items[i];
        view->cas[i].not_before = world->made_s[ca] - RENEWAL_BACKDATE_S;
        view->cas[i].not_after = world->made_s[ca] + RENEWAL_CA_LIFETIME;
        if (ca == secret->signer) {
            view->signer = i;
        }
        if (ca == secret->issuer) {
            view->has_issuer = true;
            view->leaf_issuer = i;
        }
    }
}

/* The CAs of the Secret that can be read. */
static struct set readable_cas(const struct replica *replica) {
    bool is_usable = replica->view.secret == RENEWAL_SECRET_USABLE;
    return is_usable ? replica->sights[SECRET].content.cas : (struct set){.n = 0};
}

static void view_trust(struct replica *replica) {
    const struct set *bundle = &replica->sights[CONFIGURATION].content.cas;
    const struct set cas = readable_cas(replica);
    replica->view.trusts_others = false;
    for (size_t i = 0; i < cas.n; i++) {
        replica->view.cas[i].is_trusted = set_has(bundle, cas.items[i]);
    }
    for (size_t i = 0; i < bundle->n; i++) {
        replica->view.trusts_others =
            replica->view.trusts_others || !set_has(&cas, bundle->items[i]);
    }
}

static bool may_take_up(const struct world *world, const struct replica *replica) {
    const struct renewal_view *view = &replica->view;
    const struct content *secret = &replica->sights[SECRET].content;
    if (replica->leaf == 0) {
        return true;
    }
    if (view->webhook != RENEWAL_WEBHOOK_PRESENT) {
        return view->webhook == RENEWAL_WEBHOOK_ABSENT;
    }
    if (!set_has(&replica->sights[CONFIGURATION].content.cas, replica->issuer)) {
        return true;
    }
    bool is_new = view->leaf_issuer == view->signer && secret->issuer != replica->issuer;
    return view->has_issuer && view->cas[view->leaf_issuer].is_trusted &&
           (!is_new || renewal_is_trusted_long(&replica->renewal, world->now_ms));
}

static void take_up(struct world *world, struct replica *replica) {
    const struct content *secret = &replica->sights[SECRET].content;
    if (replica->view.secret != RENEWAL_SECRET_USABLE || secret->leaf == 0 ||
        secret->leaf == replica->leaf || !may_take_up(world, replica)) {
        return;
    }
    world_check_switch(world, replica, secret->issuer);
    if (secret->issuer != replica->issuer) {
        replica->former = replica->issuer;
        replica->former_until_ms = world->now_ms + TRUST_MS;
    }
    replica->leaf = secret->leaf;
    replica->issuer = secret->issuer;
}

static struct set wanted_bundle(const struct world *world, const struct replica *replica) {
    struct set wanted = readable_cas(replica);
    set_add(&wanted, replica->issuer);
    set_add(&wanted, world->now_ms < replica->former_until_ms ? replica->former : 0);
    return wanted;
}

static void look(struct world *world, struct replica *replica) {
    struct renewal_view *view = &replica->view;
    const struct content *secret = &replica->sights[SECRET].content;
    view_trust(replica);
    renewal_note(&replica->renewal, view, world->now_ms);
    take_up(world, replica);
    bool is_usable = view->secret == RENEWAL_SECRET_USABLE && secret->leaf != 0;
    bool is_up_to_date = secret->leaf == replica->leaf;
    if (is_usable && is_up_to_date) {
        replica->memory = *secret;
        view->has_memory = true;
    }
    struct set wanted = wanted_bundle(world, replica);
    view->is_bundle_current = set_is_same(&wanted, &replica->sights[CONFIGURATION].content.cas);
    bool remembers = world->now_ms < replica->former_until_ms;
    replica->look_ms = remembers ? replica->former_until_ms : INT64_MAX;
    if (is_usable && !is_up_to_date) {
        replica->look_ms = MIN(replica->look_ms, world->now_ms + LOOK_AGAIN_MS);
    }
    replica->step_ms = 0;
}

static void take_in(struct world *world, struct replica *replica, enum kind kind,
                    const struct content *content, int version) {
    struct sight *sight = &replica->sights[kind];
    sight->content = content->exists ? *content : (struct content){.exists = false};
    sight->version = content->exists ? version : 0;
    if (kind == SECRET) {
        view_secret(world, replica);
    } else {
        replica->view.webhook = content->exists ? RENEWAL_WEBHOOK_PRESENT : RENEWAL_WEBHOOK_ABSENT;
    }
    look(world, replica);
}

/* The list brings the present version, and the watch each one that follows. */
void replica_watch(struct world *world, struct replica *replica, enum kind kind) {
    const struct object *object = &world->objects[kind];
    struct sight *sight = &replica->sights[kind];
    if (sight->at_ms < 0 && sight->seen < object->version) {
        sight->at_ms = world->now_ms + world_draw_delay(world);
        sight->until = object->version;
    }
    if (sight->at_ms < 0 || world->now_ms < sight->at_ms) {
        return;
    }
    if (sight->seen == 0) {
        sight->seen = sight->until - 1;
    }
    while (sight->seen < sight->until) {
        sight->seen++;
        renewal_news(&replica->renewal, kind == SECRET ? RENEWAL_WRITE : RENEWAL_TRUST);
        take_in(world, replica, kind, object_version(object, sight->seen), sight->seen);
    }
    sight->at_ms = -1;
}

static void take_over(const struct replica *replica, size_t room, struct content *made) {
    const struct set *bundle = &replica->sights[CONFIGURATION].content.cas;
    for (size_t i = 0; i < bundle->n && made->cas.n < room; i++) {
        set_add(&made->cas, bundle->items[i]);
    }
}

static struct content make(struct world *world, const struct replica *replica,
                           const struct renewal_order *order) {
    const struct content *secret = &replica->sights[SECRET].content;
    struct content made = *secret;
    if (order->phase == RENEWAL_RESTORE) {
        made = replica->memory;
        made.is_asked = secret->is_asked;
        return made;
    }
    made.exists = true;
    made.cas.n = 0;
    for (size_t i = 0; i < replica->view.n_cas; i++) {
        set_add(&made.cas, order->keeps[i] ? secret->cas.items[i] : 0);
    }
    if (order->takes_over_others) {
        take_over(replica, RENEWAL_CAS_MAX - 1, &made);
    }
    if (order->makes_ca) {
        made.signer = ++world->n_cas;
        assert_in_range(made.signer, 1, CA_COUNT - 1);
        world->made_s[made.signer] = world_wall_s(world);
        world->trusted_ms[made.signer] = -1;
        set_add(&made.cas, made.signer);
        made.is_asked = false;
    }
    if (order->makes_leaf) {
        made.leaf = ++world->n_leaves;
        made.issuer = made.signer;
        made.signed_s = world_wall_s(world);
    }
    return made;
}

static void ask(struct world *world, struct replica *replica, const struct renewal_order *order) {
    struct call call = {
        .kind = order->verb == RENEWAL_WRITE ? SECRET : CONFIGURATION,
        .born = replica->born,
        .sequence = ++replica->sequence,
        .version = replica->sights[SECRET].version,
        .at_ms = world->now_ms + world_draw_delay(world),
    };
    if (call.kind == SECRET) {
        call.content = make(world, replica, order);
    } else {
        call.content.cas = wanted_bundle(world, replica);
    }
    replica->is_asking = true;
    replica->give_up_ms = world->now_ms + TIMEOUT_MS;
    if (!world_happens(world, world->weather.lost)) {
        world_send(world, &call);
    }
}

void replica_step(struct world *world, struct replica *replica) {
    struct renewal_order order;
    if (replica->is_asking && world->now_ms >= replica->give_up_ms) {
        replica->is_asking = false;
        replica->step_ms = 0;
        renewal_answer(&replica->renewal, world->now_ms, world_draw(world), false);
    }
    if (replica->is_asking || replica->is_closing) {
        return;
    }
    if (world->now_ms >= replica->look_ms) {
        look(world, replica);
    }
    if (world->now_ms < replica->step_ms) {
        return;
    }
    renewal_step(&replica->renewal, &replica->view, world->now_ms, world_wall_s(world), &order);
    if (order.verb == RENEWAL_WAIT) {
        replica->step_ms = order.at_ms;
    } else {
        ask(world, replica, &order);
    }
}

void replica_answer(struct world *world, struct replica *replica, const struct call *call) {
    if (!replica->is_asking || replica->sequence != call->sequence) {
        return;
    }
    replica->is_asking = false;
    replica->step_ms = 0;
    bool is_latest = call->is_good && !renewal_is_overtaken(&replica->renewal);
    renewal_answer(&replica->renewal, world->now_ms, world_draw(world), call->is_good);
    if (is_latest) {
        take_in(world, replica, call->kind, &call->content, call->version);
    }
}

/* As the Service sees it. */
bool replica_is_ready(const struct replica *replica) {
    return replica->leaf != 0 && !replica->is_closing &&
           (replica->view.webhook == RENEWAL_WEBHOOK_ABSENT ||
            set_has(&replica->sights[CONFIGURATION].content.cas, replica->issuer));
}
