// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/certificates/renewal.h"

#define DAY      RENEWAL_DAY
#define START_S  (20000 * DAY)
#define TRUST_MS 60000
#define RETIRE_S DAY
#define FAR_S    (START_S + RENEWAL_CA_LIFETIME)

/* A settled state: one trusted CA, and a leaf of it. */
static struct renewal_view settled(void) {
    return (struct renewal_view){
        .leads = true,
        .secret = RENEWAL_SECRET_USABLE,
        .has_memory = true,
        .cas = {{START_S - DAY, FAR_S, true}},
        .n_cas = 1,
        .has_leaf = true,
        .leaf_not_before = START_S - DAY,
        .leaf_not_after = START_S - DAY + RENEWAL_LEAF_LIFETIME,
        .leaf_has_names = true,
        .has_issuer = true,
        .webhook = RENEWAL_WEBHOOK_PRESENT,
        .is_bundle_current = true,
    };
}

static struct renewal_order step(const struct renewal_view *view) {
    struct renewal renewal;
    struct renewal_order order;
    renewal_init(&renewal, TRUST_MS, RETIRE_S);
    renewal_step(&renewal, view, 1000, START_S, &order);
    return order;
}

static void test_renewal__waits_an_hour_where_all_is_well(void **state) {
    struct renewal_view view = settled();
    (void)state;
    struct renewal_order order = step(&view);
    assert_int_equal(order.verb, RENEWAL_WAIT);
    assert_int_equal(order.at_ms, 1000 + RENEWAL_CHECK_MS);
}

static void no_leader(struct renewal_view *view) {
    view->leads = false;
    view->secret = RENEWAL_SECRET_ABSENT;
}

static void unknown_secret(struct renewal_view *view) {
    view->secret = RENEWAL_SECRET_UNKNOWN;
}

static void lost(struct renewal_view *view) {
    view->secret = RENEWAL_SECRET_ABSENT;
}

static void lost_and_forgotten(struct renewal_view *view) {
    view->secret = RENEWAL_SECRET_UNUSABLE;
    view->has_memory = false;
}

static void lost_while_others_are_trusted(struct renewal_view *view) {
    lost_and_forgotten(view);
    view->trusts_others = true;
}

static void lost_and_nobody_knows_who_is_trusted(struct renewal_view *view) {
    lost_and_forgotten(view);
    view->webhook = RENEWAL_WEBHOOK_UNKNOWN;
}

static void asked_for_a_ca(struct renewal_view *view) {
    view->asked = RENEWAL_ASKS_CA;
}

static void asked_for_a_leaf(struct renewal_view *view) {
    view->asked = RENEWAL_ASKS_LEAF;
}

static void old_ca(struct renewal_view *view) {
    view->cas[0].not_after = START_S + RENEWAL_CA_BEFORE;
}

static void almost_old_ca(struct renewal_view *view) {
    view->cas[0].not_after = START_S + RENEWAL_CA_BEFORE + 1;
}

static void old_leaf(struct renewal_view *view) {
    view->leaf_not_after = START_S + RENEWAL_LEAF_BEFORE;
}

static void almost_old_leaf(struct renewal_view *view) {
    view->leaf_not_after = START_S + RENEWAL_LEAF_BEFORE + 1;
}

static void other_names(struct renewal_view *view) {
    view->leaf_has_names = false;
}

static void no_leaf(struct renewal_view *view) {
    view->has_leaf = false;
    view->has_issuer = false;
}

static void blank_bundle(struct renewal_view *view) {
    view->is_bundle_current = false;
    view->cas[0].is_trusted = false;
}

static void no_webhook(struct renewal_view *view) {
    view->webhook = RENEWAL_WEBHOOK_ABSENT;
    view->is_bundle_current = false;
}

/* The second CA has its key in the Secret, and has signed nothing yet. */
static void add_signer(struct renewal_view *view) {
    view->cas[1] = (struct renewal_ca){START_S, FAR_S + 1, false};
    view->n_cas = 2;
    view->signer = 1;
}

static void prepared(struct renewal_view *view) {
    add_signer(view);
    view->is_bundle_current = false;
}

static void prepared_and_trusted_just_now(struct renewal_view *view) {
    add_signer(view);
    view->cas[1].is_trusted = true;
}

static void prepared_without_a_webhook(struct renewal_view *view) {
    add_signer(view);
    no_webhook(view);
}

static void asked_for_a_ca_in_the_middle(struct renewal_view *view) {
    prepared(view);
    view->asked = RENEWAL_ASKS_CA;
}

static void asked_for_a_ca_and_nobody_knows_who_is_trusted(struct renewal_view *view) {
    asked_for_a_ca(view);
    view->webhook = RENEWAL_WEBHOOK_UNKNOWN;
}

/* A leader whose clock was years behind leaves this state. */
static void prepared_in_the_past(struct renewal_view *view) {
    prepared(view);
    view->cas[1].not_after = START_S;
}

static void prepared_in_the_future(struct renewal_view *view) {
    prepared(view);
    view->cas[1].not_before = START_S + 1;
}

static void prepared_just_in_time(struct renewal_view *view) {
    prepared(view);
    view->cas[1] = (struct renewal_ca){START_S, START_S + 1, false};
}

/* A backup may restore such a state. */
static void old_ca_and_no_leaf(struct renewal_view *view) {
    no_leaf(view);
    view->cas[0].not_after = START_S;
}

static void switched(struct renewal_view *view) {
    prepared_and_trusted_just_now(view);
    view->leaf_issuer = 1;
    view->leaf_not_before = START_S - RENEWAL_BACKDATE_S - RETIRE_S + 1;
}

static void switched_a_day_ago(struct renewal_view *view) {
    switched(view);
    view->leaf_not_before -= 1;
}

static void test_renewal__does_what_is_due(void **state) {
    static const struct {
        const char *name;
        void (*change)(struct renewal_view *view);
        enum renewal_verb verb;
        enum renewal_phase phase;
        bool makes_ca;
        bool makes_leaf;
    } rows[] = {
        {"no leader", no_leader, RENEWAL_WAIT, 0, false, false},
        {"unknown", unknown_secret, RENEWAL_WAIT, 0, false, false},
        {"lost", lost, RENEWAL_WRITE, RENEWAL_RESTORE, false, false},
        {"forgotten", lost_and_forgotten, RENEWAL_WRITE, RENEWAL_BOOTSTRAP, true, true},
        {"others", lost_while_others_are_trusted, RENEWAL_WRITE, RENEWAL_PREPARE, true, false},
        {"who?", lost_and_nobody_knows_who_is_trusted, RENEWAL_WAIT, 0, false, false},
        {"ca", asked_for_a_ca, RENEWAL_WRITE, RENEWAL_PREPARE, true, false},
        {"leaf", asked_for_a_leaf, RENEWAL_WRITE, RENEWAL_SWITCH, false, true},
        {"old ca", old_ca, RENEWAL_WRITE, RENEWAL_PREPARE, true, false},
        {"almost old ca", almost_old_ca, RENEWAL_WAIT, 0, false, false},
        {"old leaf", old_leaf, RENEWAL_WRITE, RENEWAL_SWITCH, false, true},
        {"almost old leaf", almost_old_leaf, RENEWAL_WAIT, 0, false, false},
        {"names", other_names, RENEWAL_WRITE, RENEWAL_SWITCH, false, true},
        {"no leaf", no_leaf, RENEWAL_WRITE, RENEWAL_SWITCH, false, true},
        {"blank", blank_bundle, RENEWAL_TRUST, 0, false, false},
        {"no webhook", no_webhook, RENEWAL_WAIT, 0, false, false},
        {"prepared", prepared, RENEWAL_TRUST, 0, false, false},
        {"just trusted", prepared_and_trusted_just_now, RENEWAL_WAIT, 0, false, false},
        {"alone", prepared_without_a_webhook, RENEWAL_WRITE, RENEWAL_SWITCH, false, true},
        {"later", asked_for_a_ca_in_the_middle, RENEWAL_TRUST, 0, false, false},
        {"blind", asked_for_a_ca_and_nobody_knows_who_is_trusted, RENEWAL_WAIT, 0, false, false},
        {"past", prepared_in_the_past, RENEWAL_WRITE, RENEWAL_PREPARE, true, false},
        {"future", prepared_in_the_future, RENEWAL_WRITE, RENEWAL_PREPARE, true, false},
        {"in time", prepared_just_in_time, RENEWAL_TRUST, 0, false, false},
        {"backup", old_ca_and_no_leaf, RENEWAL_WRITE, RENEWAL_PREPARE, true, false},
        {"switched", switched, RENEWAL_WAIT, 0, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct renewal_view view = settled();
        rows[i].change(&view);
        struct renewal_order order = step(&view);
        bool is_right = order.verb == rows[i].verb && order.makes_ca == rows[i].makes_ca &&
                        order.makes_leaf == rows[i].makes_leaf &&
                        (order.verb != RENEWAL_WRITE || order.phase == rows[i].phase);
        if (!is_right) {
            fail_msg("%s: verb %d, phase %d", rows[i].name, order.verb, order.phase);
        }
    }
}

static void test_renewal__switches_when_the_new_ca_was_trusted_long_enough(void **state) {
    struct renewal_view view = settled();
    struct renewal renewal;
    struct renewal_order order;
    (void)state;
    prepared_and_trusted_just_now(&view);
    renewal_init(&renewal, TRUST_MS, RETIRE_S);
    renewal_step(&renewal, &view, 5000, START_S, &order);
    assert_int_equal(order.verb, RENEWAL_WAIT);
    assert_int_equal(order.at_ms, 5000 + TRUST_MS);
    /* Somebody blanks the caBundle, so the wait begins anew. */
    view.cas[1].is_trusted = false;
    renewal_step(&renewal, &view, 30000, START_S + 25, &order);
    view.cas[1].is_trusted = true;
    renewal_step(&renewal, &view, 40000, START_S + 35, &order);
    renewal_step(&renewal, &view, 40000 + TRUST_MS - 1, START_S + 95, &order);
    assert_int_equal(order.verb, RENEWAL_WAIT);
    renewal_step(&renewal, &view, 40000 + TRUST_MS, START_S + 95, &order);
    assert_int_equal(order.verb, RENEWAL_WRITE);
    assert_int_equal(order.phase, RENEWAL_SWITCH);
}

static void test_renewal__drops_the_oldest_when_there_is_no_room(void **state) {
    struct renewal_view view = settled();
    (void)state;
    for (size_t i = 0; i < RENEWAL_CAS_MAX; i++) {
        view.cas[i] = (struct renewal_ca){START_S - DAY, FAR_S, true};
    }
    view.n_cas = RENEWAL_CAS_MAX;
    view.signer = RENEWAL_CAS_MAX - 1;
    view.leaf_issuer = view.signer;
    view.asked = RENEWAL_ASKS_CA;
    struct renewal_order order = step(&view);
    assert_int_equal(order.phase, RENEWAL_PREPARE);
    assert_false(order.keeps[0]);
    for (size_t i = 1; i < RENEWAL_CAS_MAX; i++) {
        assert_true(order.keeps[i]);
    }
}

static void test_renewal__believes_a_clock_that_jumps_only_when_it_stays(void **state) {
    static const int64_t jumps[] = {365 * DAY, -365 * DAY};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(jumps); i++) {
        struct renewal_view view = settled();
        struct renewal renewal;
        struct renewal_order order;
        renewal_init(&renewal, TRUST_MS, RETIRE_S);
        renewal_step(&renewal, &view, 0, START_S, &order);
        renewal_step(&renewal, &view, 1000, START_S + jumps[i], &order);
        assert_int_equal(order.verb, RENEWAL_WAIT);
        assert_int_equal(order.at_ms, 1000 + RENEWAL_JUMP_PATIENCE_MS);
        renewal_step(&renewal, &view, 2000, START_S + 2, &order);
        assert_int_equal(order.at_ms, 2000 + RENEWAL_CHECK_MS);
        renewal_step(&renewal, &view, 3000, START_S + jumps[i] + 3, &order);
        int64_t late_ms = 3000 + RENEWAL_JUMP_PATIENCE_MS;
        renewal_step(&renewal, &view, late_ms - 1, START_S + jumps[i] + 602, &order);
        assert_int_equal(order.verb, RENEWAL_WAIT);
        renewal_step(&renewal, &view, late_ms, START_S + jumps[i] + 603, &order);
        assert_int_equal(order.verb, RENEWAL_WRITE);
    }
}

static void test_renewal__retires_when_all_have_trusted_the_new_ca_for_long(void **state) {
    struct renewal_view view = settled();
    struct renewal renewal;
    struct renewal_order order;
    (void)state;
    renewal_init(&renewal, TRUST_MS, RETIRE_S);
    /* Somebody else made this CA. It is old, but it is trusted only since now. */
    switched_a_day_ago(&view);
    renewal_step(&renewal, &view, 5000, START_S, &order);
    assert_int_equal(order.verb, RENEWAL_WAIT);
    assert_int_equal(order.at_ms, 5000 + TRUST_MS);
    renewal_step(&renewal, &view, 5000 + TRUST_MS, START_S + 60, &order);
    assert_int_equal(order.verb, RENEWAL_WRITE);
    assert_int_equal(order.phase, RENEWAL_RETIRE);
    assert_false(order.keeps[0]);
    assert_true(order.keeps[1]);
}

/* While Capstan does not believe its clock, it makes only missing things. */
static void test_renewal__makes_nothing_by_a_clock_that_has_just_jumped(void **state) {
    static const struct {
        const char *name;
        void (*change)(struct renewal_view *view);
        enum renewal_verb verb;
    } rows[] = {
        {"names", other_names, RENEWAL_WAIT},
        {"leaf", asked_for_a_leaf, RENEWAL_WAIT},
        {"ca", asked_for_a_ca, RENEWAL_WAIT},
        {"alone", prepared_without_a_webhook, RENEWAL_WAIT},
        {"past", prepared_in_the_past, RENEWAL_TRUST},
        {"no leaf", no_leaf, RENEWAL_WRITE},
        {"lost", lost, RENEWAL_WRITE},
        {"forgotten", lost_and_forgotten, RENEWAL_WRITE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct renewal_view view = settled();
        struct renewal renewal;
        struct renewal_order order;
        renewal_init(&renewal, TRUST_MS, RETIRE_S);
        renewal_step(&renewal, &view, 0, START_S, &order);
        rows[i].change(&view);
        renewal_step(&renewal, &view, 1000, START_S + DAY, &order);
        if (order.verb != rows[i].verb) {
            fail_msg("%s: verb %d, phase %d", rows[i].name, order.verb, order.phase);
        }
    }
}

/* Another clock contradicts ours, also at the start. */
static void test_renewal__makes_nothing_by_a_clock_that_is_disputed(void **state) {
    static const struct {
        const char *name;
        void (*change)(struct renewal_view *view);
        enum renewal_verb verb;
    } rows[] = {
        {"names", other_names, RENEWAL_WAIT},
        {"leaf", asked_for_a_leaf, RENEWAL_WAIT},
        {"ca", asked_for_a_ca, RENEWAL_WAIT},
        {"old ca", old_ca, RENEWAL_WAIT},
        {"old leaf", old_leaf, RENEWAL_WAIT},
        {"alone", prepared_without_a_webhook, RENEWAL_WAIT},
        {"past", prepared_in_the_past, RENEWAL_TRUST},
        {"future", prepared_in_the_future, RENEWAL_TRUST},
        {"backup", old_ca_and_no_leaf, RENEWAL_WAIT},
        {"no leaf", no_leaf, RENEWAL_WAIT},
        {"forgotten", lost_and_forgotten, RENEWAL_WAIT},
        {"others", lost_while_others_are_trusted, RENEWAL_WAIT},
        {"switched", switched_a_day_ago, RENEWAL_WAIT},
        {"lost", lost, RENEWAL_WRITE}, /* what was served is written back */
        {"blank", blank_bundle, RENEWAL_TRUST},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct renewal_view view = settled();
        rows[i].change(&view);
        view.is_clock_disputed = true;
        struct renewal_order order = step(&view);
        if (order.verb != rows[i].verb || order.makes_ca || order.makes_leaf) {
            fail_msg("%s: verb %d, phase %d", rows[i].name, order.verb, order.phase);
        }
        struct renewal renewal;
        bool is_held_up = order.verb == RENEWAL_WAIT && rows[i].change != switched_a_day_ago;
        renewal_init(&renewal, TRUST_MS, RETIRE_S);
        if (renewal_is_held_up(&renewal, &view, 1000, START_S) !=
            (is_held_up || rows[i].change == prepared_in_the_past ||
             rows[i].change == prepared_in_the_future)) {
            fail_msg("%s: it is %sheld up", rows[i].name, is_held_up ? "not " : "");
        }
        /* A clock may be put right soon. */
        assert_true(order.verb != RENEWAL_WAIT || order.at_ms <= 1000 + 10000);
    }
}

static void test_renewal__waits_anew_where_the_clock_jumps_again(void **state) {
    struct renewal_view view = settled();
    struct renewal renewal;
    struct renewal_order order;
    (void)state;
    renewal_init(&renewal, TRUST_MS, RETIRE_S);
    renewal_step(&renewal, &view, 0, START_S, &order);
    renewal_step(&renewal, &view, 1000, START_S + 365 * DAY, &order);
    renewal_step(&renewal, &view, 500000, START_S - 365 * DAY, &order);
    assert_int_equal(order.verb, RENEWAL_WAIT);
    assert_int_equal(order.at_ms, 500000 + RENEWAL_JUMP_PATIENCE_MS);
}

/* Steps that write the caBundles, while somebody blanks these at once. */
struct fight {
    struct renewal renewal;
    struct renewal_view view;
    int n_writes;
    int n_contested; /* the number of times that it became contested */
};

static void fight_on(struct fight *fight, int64_t from_ms, int64_t to_ms, bool is_good) {
    for (int64_t now_ms = from_ms; now_ms < to_ms; now_ms += 100) {
        struct renewal_order order;
        bool was_contested = renewal_is_contested(&fight->renewal, now_ms);
        renewal_step(&fight->renewal, &fight->view, now_ms, START_S + now_ms / 1000, &order);
        if (order.verb == RENEWAL_TRUST) {
            renewal_answer(&fight->renewal, now_ms, 0, is_good);
            fight->n_writes += is_good;
            fight->n_contested += !was_contested && renewal_is_contested(&fight->renewal, now_ms);
        }
    }
}

static void test_renewal__each_fight_doubles_the_pause_up_to_a_minute(void **state) {
    static const int writes_ms[] = {0,     1000,  3000,   7000,   15000,
                                    31000, 63000, 123000, 183000, 243000};
    struct fight fight = {.view = settled()};
    (void)state;
    blank_bundle(&fight.view);
    renewal_init(&fight.renewal, TRUST_MS, RETIRE_S);
    for (int i = 0; i < (int)COUNT_OF(writes_ms); i++) {
        fight_on(&fight, i == 0 ? 0 : writes_ms[i - 1] + 100, writes_ms[i], true);
        assert_int_equal(fight.n_writes, i);
        fight_on(&fight, writes_ms[i], writes_ms[i] + 100, true);
        assert_int_equal(fight.n_writes, i + 1);
        /* The first write is no fight, and the second may be a person's. */
        assert_int_equal(renewal_is_contested(&fight.renewal, writes_ms[i]), i >= 2);
    }
    assert_int_equal(fight.n_contested, 1);
}

/* Somebody blanks the caBundles once a minute. They are back at once. */
static void test_renewal__a_slow_fight_costs_no_trust(void **state) {
    struct fight fight = {.view = settled()};
    (void)state;
    renewal_init(&fight.renewal, TRUST_MS, RETIRE_S);
    for (int64_t now_ms = 0; now_ms < 20 * 60000; now_ms += 60000) {
        int n_writes = fight.n_writes;
        blank_bundle(&fight.view);
        fight_on(&fight, now_ms, now_ms + 100, true);
        assert_int_equal(fight.n_writes, n_writes + 1);
        fight.view = settled();
        fight_on(&fight, now_ms + 100, now_ms + 60000, true);
    }
}

static void test_renewal__a_quiet_while_makes_the_pause_short_again(void **state) {
    static const struct {
        int64_t quiet_ms;
        int64_t pause_ms;
    } rows[] = {{RENEWAL_QUIET_MS - 100, RENEWAL_PAUSE_MAX_MS},
                {RENEWAL_QUIET_MS, RENEWAL_PAUSE_MIN_MS}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fight fight = {.view = settled()};
        int64_t now_ms = 123000 + rows[i].quiet_ms; /* the pause is a minute since 63 s */
        blank_bundle(&fight.view);
        renewal_init(&fight.renewal, TRUST_MS, RETIRE_S);
        fight_on(&fight, 0, 123100, true);
        int n_writes = fight.n_writes;
        fight_on(&fight, now_ms, now_ms + rows[i].pause_ms, true);
        assert_int_equal(fight.n_writes, n_writes + 1);
        fight_on(&fight, now_ms + rows[i].pause_ms, now_ms + rows[i].pause_ms + 100, true);
        assert_int_equal(fight.n_writes, n_writes + 2);
    }
}

/* An API server that is away for a minute undoes no write. */
static void test_renewal__does_not_count_what_failed_as_fights(void **state) {
    struct fight fight = {.view = settled()};
    (void)state;
    blank_bundle(&fight.view);
    renewal_init(&fight.renewal, TRUST_MS, RETIRE_S);
    fight_on(&fight, 0, 60000, false);
    assert_int_equal(fight.renewal.pause_ms, RENEWAL_PAUSE_MIN_MS);
    /* The next try comes within 15 seconds. */
    for (int64_t now_ms = 60000; fight.n_writes == 0; now_ms += 100) {
        assert_true(now_ms < 75000);
        fight_on(&fight, now_ms, now_ms + 100, true);
    }
    assert_int_equal(fight.renewal.pause_ms, RENEWAL_PAUSE_MIN_MS);
}

/* The watch does not bring again what an old answer would hide. */
static void test_renewal__knows_which_answer_a_watch_has_overtaken(void **state) {
    static const struct {
        void (*change)(struct renewal_view *view);
        enum renewal_verb verb; /* of the order */
        enum renewal_verb news;
        bool is_overtaken;
    } rows[] = {
        {lost, RENEWAL_WRITE, RENEWAL_WRITE, true},
        {lost, RENEWAL_WRITE, RENEWAL_TRUST, false},
        {blank_bundle, RENEWAL_TRUST, RENEWAL_TRUST, true},
        {blank_bundle, RENEWAL_TRUST, RENEWAL_WRITE, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct renewal_view view = settled();
        struct renewal renewal;
        struct renewal_order order;
        rows[i].change(&view);
        renewal_init(&renewal, TRUST_MS, RETIRE_S);
        renewal_news(&renewal, rows[i].news);
        renewal_step(&renewal, &view, 0, START_S, &order);
        assert_int_equal(order.verb, rows[i].verb);
        assert_false(renewal_is_overtaken(&renewal));
        renewal_news(&renewal, rows[i].news);
        assert_int_equal(renewal_is_overtaken(&renewal), rows[i].is_overtaken);
        renewal_answer(&renewal, 0, 0, true);
        renewal_step(&renewal, &view, RENEWAL_COOL_DOWN_MS, START_S + 1, &order);
        assert_int_equal(order.verb, rows[i].verb);
        assert_false(renewal_is_overtaken(&renewal));
    }
}

/* Endless requests for a leaf get sixty leaves in ten minutes. */
static void test_renewal__writes_the_secret_at_a_pace(void **state) {
    struct renewal_view view = settled();
    struct renewal renewal;
    int64_t last_ms = -RENEWAL_COOL_DOWN_MS;
    int n_writes = 0;
    (void)state;
    asked_for_a_leaf(&view);
    renewal_init(&renewal, TRUST_MS, RETIRE_S);
    for (int64_t now_ms = 0; now_ms < 2 * RENEWAL_WINDOW_MS; now_ms += 100) {
        struct renewal_order order;
        renewal_step(&renewal, &view, now_ms, START_S + now_ms / 1000, &order);
        if (order.verb == RENEWAL_WAIT) {
            assert_true(order.at_ms > now_ms);
            continue;
        }
        assert_true(now_ms >= last_ms + RENEWAL_COOL_DOWN_MS);
        last_ms = now_ms;
        n_writes++;
        renewal_answer(&renewal, now_ms, 0, true);
        assert_true(now_ms >= RENEWAL_WINDOW_MS || n_writes <= RENEWAL_WRITES_MAX);
    }
    assert_int_equal(n_writes, 2 * RENEWAL_WRITES_MAX);
}

static void test_renewal__comes_back_later_and_later_where_it_fails(void **state) {
    struct renewal_view view = settled();
    struct renewal renewal;
    struct renewal_order order;
    int64_t now_ms = 0;
    (void)state;
    lost(&view);
    renewal_init(&renewal, TRUST_MS, RETIRE_S);
    for (int64_t delay_ms = 100; delay_ms < 20000; delay_ms *= 2) {
        renewal_step(&renewal, &view, now_ms, START_S, &order);
        assert_int_equal(order.verb, RENEWAL_WRITE);
        renewal_step(&renewal, &view, now_ms, START_S, &order);
        assert_int_equal(order.verb, RENEWAL_WAIT); /* one at a time */
        renewal_answer(&renewal, now_ms, 0, false);
        renewal_step(&renewal, &view, now_ms, START_S, &order);
        assert_int_equal(order.at_ms, now_ms + (delay_ms < 15000 ? delay_ms : 15000));
        now_ms = order.at_ms;
    }
}

/* Twelve years of a cluster, in which each order is carried out exactly. */
struct world {
    struct renewal_view view;
    int64_t leaf_signer_made; /* CAs are identified by the time of their creation */
    int64_t made[RENEWAL_CAS_MAX];
    int64_t trusted[RENEWAL_CAS_MAX];
    size_t n_trusted;
    int n_leaves;
    int n_cas;
};

static bool trusts(const struct world *world, int64_t made) {
    for (size_t i = 0; i < world->n_trusted; i++) {
        if (world->trusted[i] == made) {
            return true;
        }
    }
    return false;
}

static void show(struct world *world) {
    struct renewal_view *view = &world->view;
    view->is_bundle_current = world->n_trusted == view->n_cas;
    view->has_issuer = false;
    for (size_t i = 0; i < view->n_cas; i++) {
        view->cas[i] = (struct renewal_ca){world->made[i] - RENEWAL_BACKDATE_S,
                                           world->made[i] + RENEWAL_CA_LIFETIME,
                                           trusts(world, world->made[i])};
        view->is_bundle_current = view->is_bundle_current && view->cas[i].is_trusted;
        if (world->made[i] == world->leaf_signer_made) {
            view->has_issuer = true;
            view->leaf_issuer = i;
        }
    }
    view->signer = view->n_cas - 1;
}

static void carry_out(struct world *world, const struct renewal_order *order, int64_t wall_s) {
    struct renewal_view *view = &world->view;
    size_t n_kept = 0;
    if (order->verb == RENEWAL_TRUST) {
        memcpy(world->trusted, world->made, sizeof(world->trusted));
        world->n_trusted = view->n_cas;
        return;
    }
    for (size_t i = 0; i < view->n_cas; i++) {
        if (order->keeps[i]) {
            world->made[n_kept++] = world->made[i];
        }
    }
    view->n_cas = n_kept;
    if (order->makes_ca) {
        assert_true(view->n_cas < RENEWAL_CAS_MAX);
        world->made[view->n_cas++] = wall_s;
        world->n_cas++;
    }
    view->secret = RENEWAL_SECRET_USABLE;
    if (order->makes_leaf) {
        view->has_leaf = view->leaf_has_names = true;
        view->leaf_not_before = wall_s - RENEWAL_BACKDATE_S;
        view->leaf_not_after = wall_s + RENEWAL_LEAF_LIFETIME;
        world->leaf_signer_made = world->made[view->n_cas - 1];
        world->n_leaves++;
    }
}

static void test_renewal__keeps_the_leaf_trusted_for_twelve_years(void **state) {
    struct world world = {.view = {.leads = true,
                                   .secret = RENEWAL_SECRET_UNUSABLE,
                                   .webhook = RENEWAL_WEBHOOK_PRESENT}};
    struct renewal renewal;
    int64_t now_ms = 0;
    int n_writes_of_last_day = 0;
    (void)state;
    renewal_init(&renewal, TRUST_MS, RETIRE_S);
    for (int64_t n = 0; now_ms < 12 * 365 * DAY * 1000; n++) {
        struct renewal_order order;
        int64_t wall_s = START_S + now_ms / 1000;
        if (n % 1000 == 999) {
            renewal_init(&renewal, TRUST_MS, RETIRE_S); /* another leader */
        }
        show(&world);
        renewal_step(&renewal, &world.view, now_ms, wall_s, &order);
        if (order.verb == RENEWAL_WAIT) {
            assert_true(order.at_ms > now_ms);
            now_ms = order.at_ms;
            n_writes_of_last_day = 0;
            continue;
        }
        assert_true(++n_writes_of_last_day < 5);
        carry_out(&world, &order, wall_s);
        renewal_answer(&renewal, now_ms, 0, true);
        show(&world);
        if (world.n_trusted > 0) {
            assert_true(trusts(&world, world.leaf_signer_made));
        }
        assert_true(world.view.leaf_not_after > wall_s + 30 * DAY);
    }
    assert_int_equal(world.n_cas, 3);
    assert_in_range(world.n_leaves, 12 * 365 / 58, 12 * 365 / 58 + 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renewal__waits_an_hour_where_all_is_well),
        cmocka_unit_test(test_renewal__does_what_is_due),
        cmocka_unit_test(test_renewal__switches_when_the_new_ca_was_trusted_long_enough),
        cmocka_unit_test(test_renewal__drops_the_oldest_when_there_is_no_room),
        cmocka_unit_test(test_renewal__believes_a_clock_that_jumps_only_when_it_stays),
        cmocka_unit_test(test_renewal__each_fight_doubles_the_pause_up_to_a_minute),
        cmocka_unit_test(test_renewal__a_slow_fight_costs_no_trust),
        cmocka_unit_test(test_renewal__a_quiet_while_makes_the_pause_short_again),
        cmocka_unit_test(test_renewal__makes_nothing_by_a_clock_that_is_disputed),
        cmocka_unit_test(test_renewal__does_not_count_what_failed_as_fights),
        cmocka_unit_test(test_renewal__retires_when_all_have_trusted_the_new_ca_for_long),
        cmocka_unit_test(test_renewal__makes_nothing_by_a_clock_that_has_just_jumped),
        cmocka_unit_test(test_renewal__waits_anew_where_the_clock_jumps_again),
        cmocka_unit_test(test_renewal__knows_which_answer_a_watch_has_overtaken),
        cmocka_unit_test(test_renewal__writes_the_secret_at_a_pace),
        cmocka_unit_test(test_renewal__comes_back_later_and_later_where_it_fails),
        cmocka_unit_test(test_renewal__keeps_the_leaf_trusted_for_twelve_years),
    };
    return cmocka_run_group_tests_name("core/renewal", tests, NULL, NULL);
}
