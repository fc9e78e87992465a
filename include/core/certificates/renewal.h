// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_RENEWAL_H
#define CORE_CERTIFICATES_RENEWAL_H

/*
 * Decides when to make, trust, use and forget Capstan's own certificates. The pure half of the pair
 * renewal/rotate: it sees what the Secret and the webhook configuration hold and what time it is,
 * and says what to do next. It depends on little else, so that a replica that takes over goes on
 * where the other one stopped.
 *
 * A new CA comes in four phases, so that no replica ever serves a certificate that an API server
 * does not trust yet:
 *
 *   prepare   a new CA joins the others in the Secret; its key replaces theirs
 *   trust     every caBundle gets all of them; then trust_delay_ms, for all API servers to notice
 *   switch    the new CA signs a new leaf
 *   retire    retire_delay_s later the others go, from the Secret and then from the caBundles
 *
 * The phases of one CA end before the next CA is made.
 *
 * Renewing the leaf under the trusted CA is a switch alone. On an empty Secret, when no CA is
 * trusted yet, prepare and switch are one.
 *
 * A CA that is not valid now signs nothing: another one is prepared first.
 *
 * `now_ms` is CLOCK_BOOTTIME. `wall_s`, by which certificates are dated, may jump. After a jump of
 * more than 5 minutes against CLOCK_BOOTTIME, it makes only what is missing, for 10 minutes or
 * until the clock jumps back. While another clock contradicts it (second_opinion), it makes nothing
 * at all. It still writes back what it has served, and corrects caBundles.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/backoff.h"

enum {
    RENEWAL_CAS_MAX = 8, /* in the Secret at a time */
    RENEWAL_CHECK_MS = 3600000,
    RENEWAL_JUMP_S = 300,
    RENEWAL_JUMP_PATIENCE_MS = 600000,
    RENEWAL_COOL_DOWN_MS = 1000, /* between two writes of the Secret */
    RENEWAL_WINDOW_MS = 600000,
    RENEWAL_WRITES_MAX = 60, /* of the Secret in a window */
    /* Between two writes of the caBundles. It doubles with each fight: a write that undoes one of
       somebody else. So nobody trusts Capstan for a minute at most, however long the fight is. */
    RENEWAL_PAUSE_MIN_MS = 1000,
    RENEWAL_PAUSE_MAX_MS = 60000,
    /* Without a fight for this long, the pause is the shortest again. It is far longer than the
       longest pause, or a fight would end by waiting. */
    RENEWAL_QUIET_MS = 300000,
};

#define RENEWAL_DAY           ((int64_t)86400)
#define RENEWAL_CA_LIFETIME   (5 * 365 * RENEWAL_DAY)
#define RENEWAL_CA_BEFORE     (365 * RENEWAL_DAY) /* renewed with a fifth of its life left */
#define RENEWAL_LEAF_LIFETIME (90 * RENEWAL_DAY)
#define RENEWAL_LEAF_BEFORE   (32 * RENEWAL_DAY) /* before the first alarm, at 30 days */
/* Certificates are dated back by this, so that a client whose clock is behind accepts them. */
#define RENEWAL_BACKDATE_S ((int64_t)3600)

enum renewal_secret {
    RENEWAL_SECRET_UNKNOWN,
    RENEWAL_SECRET_ABSENT,
    RENEWAL_SECRET_UNUSABLE, /* empty, or no CA with its key can be read from it */
    RENEWAL_SECRET_USABLE,   /* the members below count */
};

enum renewal_webhook { RENEWAL_WEBHOOK_UNKNOWN, RENEWAL_WEBHOOK_ABSENT, RENEWAL_WEBHOOK_PRESENT };

/* The request of an admin, by the annotation capstan.dev/rotate of the Secret. */
enum renewal_request { RENEWAL_ASKS_NOTHING, RENEWAL_ASKS_LEAF, RENEWAL_ASKS_CA };

struct renewal_ca {
    int64_t not_before; /* seconds since 1970 */
    int64_t not_after;
    bool is_trusted; /* it is in the caBundle of every entry of the webhook configuration */
};

struct renewal_view {
    bool leads;             /* may write */
    bool is_clock_disputed; /* second_opinion says so */
    enum renewal_secret secret;
    bool has_memory; /* a former content is known, was good, and can be written back */
    struct renewal_ca cas[RENEWAL_CAS_MAX]; /* in the order of ca.crt */
    size_t n_cas;
    size_t signer; /* the index of the CA that ca.key belongs to */
    bool has_leaf; /* tls.crt and tls.key can be read and belong together */
    int64_t leaf_not_before;
    int64_t leaf_not_after;
    bool leaf_has_names; /* all that it must have */
    bool has_issuer;     /* one of the CAs has signed it ... */
    size_t leaf_issuer;  /* ... and this is its index */
    enum renewal_request asked;
    enum renewal_webhook webhook;
    bool is_bundle_current; /* each entry's caBundle is as it should be */
    bool trusts_others;     /* some caBundle has a CA that is valid and not in the Secret */
};

enum renewal_verb {
    RENEWAL_WAIT,
    RENEWAL_WRITE, /* write the Secret, as the members say */
    RENEWAL_TRUST, /* write ca.crt into each caBundle that differs from it */
};

enum renewal_phase {
    RENEWAL_BOOTSTRAP, /* prepare and switch at once */
    RENEWAL_RESTORE,   /* write back what is in memory */
    RENEWAL_PREPARE,
    RENEWAL_SWITCH,
    RENEWAL_RETIRE,
};

struct renewal_order {
    enum renewal_verb verb;
    int64_t at_ms; /* of RENEWAL_WAIT: step again no later; INT64_MAX: when there is news */
    /* Of RENEWAL_WRITE. */
    enum renewal_phase phase;
    bool makes_ca;               /* and its key replaces ca.key */
    bool makes_leaf;             /* signed by the signer, which is the new CA if one is made */
    bool keeps[RENEWAL_CAS_MAX]; /* which of the CAs stay in ca.crt */
    bool takes_over_others;      /* the CAs that only the caBundles have join ca.crt, so that they
                                    stay trusted */
};

struct renewal {
    int64_t trust_delay_ms;
    int64_t retire_delay_s;
    /* The implementation's own. */
    bool is_asking;
    bool is_trusting;         /* the order under way is RENEWAL_TRUST */
    bool is_overtaken;        /* its object has come by a watch since then */
    bool is_expected;         /* our write of the Secret changes the caBundles next */
    int64_t trusted_since_ms; /* since when all entries trust the signer; -1: not all do */
    int64_t signer_not_after; /* of that signer */
    bool has_clocks;
    int64_t offset_s;        /* wall time less boot time, as believed */
    int64_t jumped_offset_s; /* as measured since a jump that is not believed yet ... */
    int64_t jumped_ms;       /* ... and the time of that jump; -1: there was none */
    int64_t not_before_ms;   /* no order before this */
    struct backoff backoff;
    int64_t trusted_ms;                    /* of the last RENEWAL_TRUST; -1: never */
    int64_t pause_ms;                      /* from then to the next one */
    int64_t writes_ms[RENEWAL_WRITES_MAX]; /* RENEWAL_WRITE, in a circle */
    size_t n_writes;                       /* ever */
};

void renewal_init(struct renewal *renewal, int64_t trust_delay_ms, int64_t retire_delay_s);

/* Brings up to date since when the signer is trusted. renewal_step() does so, too; call this before
   renewal_is_trusted_long() between two steps. */
void renewal_note(struct renewal *renewal, const struct renewal_view *view, int64_t now_ms);

/* True if all entries have trusted the signer for trust_delay_ms. Then a replica may give up a
   trusted leaf for one of the signer. */
bool renewal_is_trusted_long(const struct renewal *renewal, int64_t now_ms);

/* Says what to do now. After an order other than RENEWAL_WAIT, it orders nothing before
   renewal_answer(). */
void renewal_step(struct renewal *renewal, const struct renewal_view *view, int64_t now_ms,
                  int64_t wall_s, struct renewal_order *ret_order);

/* True if a leader with an undisputed clock, which shows `wall_s`, would make a certificate now. */
bool renewal_is_held_up(const struct renewal *renewal, const struct renewal_view *view,
                        int64_t now_ms, int64_t wall_s);

/* Notes that the watch has brought the object that RENEWAL_WRITE or RENEWAL_TRUST writes. */
void renewal_news(struct renewal *renewal, enum renewal_verb verb);

/* True if the object that the order writes has come by the watch since the order. Then the object
   in the answer may be the older one, and the watch does not bring the newer one again. It brings
   all that the answer has, so the answer may be ignored. Ask before renewal_answer(). */
bool renewal_is_overtaken(const struct renewal *renewal);

/* Takes the outcome of the order. After a failure it waits 0.1 s, then twice that, up to 30 s, with
   jitter by `random`. A conflict is a failure: the faster write has to be read first. */
void renewal_answer(struct renewal *renewal, int64_t now_ms, uint32_t random, bool is_good);

/* True if others have changed the caBundles at least twice of late, so that the pause grows. */
bool renewal_is_contested(const struct renewal *renewal, int64_t now_ms);

#endif
