// SPDX-License-Identifier: Apache-2.0
#ifndef WORLD_H
#define WORLD_H

/*
 * Five replicas, one Secret and one webhook configuration in simulated time. All replicas may
 * write. Each sees the two objects late, by a list and then a watch, and its own writes by their
 * answers. Only the test knows how the objects are. A certificate is a number here. The replicas do
 * with it what rotate, rotate_view, rotate_make and served do with real ones.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/certificates/renewal.h"

#define START_S (20000 * RENEWAL_DAY)

enum {
    REPLICA_COUNT = 5,
    CALL_COUNT = 64,
    HISTORY = 512, /* versions of an object; no watch may be further behind */
    SET_MAX = 32,
    CA_COUNT = 4096,
    TICK_MS = 20,
    TRUST_MS = 60000,
    RETIRE_S = 120,
    TIMEOUT_MS = 5000,
    LOOK_AGAIN_MS = 1000,
    GRACE_MS = 15000, /* to put right what a person did to the webhook configuration */
};

enum kind { SECRET, CONFIGURATION, KIND_COUNT };

/* Faults beside the replicas' own work, in thousandths of the requests or of the seconds. */
struct weather {
    int64_t delay_max_ms; /* of a request, of its answer, and of what a watch brings */
    int lost;             /* requests that never arrive */
    int unanswered;       /* requests that are done, but whose answer is lost */
    int failing;          /* with 500 */
    int dying;            /* replicas that are killed and replaced */
    int leaving;          /* replicas that finish the write under way, and are replaced */
    int renewing;         /* a person asks for a new CA */
    int losing;           /* a person deletes or empties the Secret */
    int unregistering;    /* a person deletes the configuration, or makes it again */
    int blanking;         /* a person removes the caBundle */
};

struct set {
    int items[SET_MAX];
    size_t n;
};

/* An object at one time. The caBundles of the configuration are one set. */
struct content {
    bool exists;
    struct set cas;
    int signer; /* 0: no key, so the Secret is not usable */
    int leaf;   /* 0: none */
    int issuer;
    int64_t signed_s;
    bool is_asked; /* for a CA */
};

struct object {
    struct content versions[HISTORY]; /* in a circle */
    int version;                      /* of the present one */
};

/* A request on its way: first to the server, then back. */
struct call {
    bool is_used;
    bool is_answer;
    int64_t at_ms;
    int born; /* the replica that asked */
    int sequence;
    enum kind kind;
    struct content content;
    int version; /* of the Secret that was read; 0: create one */
    bool is_good;
};

/* The object as a replica knows it. */
struct sight {
    struct content content;
    int version;   /* of the content; 0: there is no object */
    int seen;      /* the last version that the list or the watch has brought; 0: not listed yet */
    int until;     /* the watch brings all versions up to this one ... */
    int64_t at_ms; /* ... at this time; -1: it has nothing to bring */
};

struct replica {
    int born;
    bool is_closing;
    struct renewal renewal;
    struct renewal_view view;
    struct sight sights[KIND_COUNT];
    struct content memory;
    int leaf; /* that it serves; 0: none */
    int issuer;
    int former;
    int64_t former_until_ms;
    int64_t look_ms;
    int64_t step_ms;
    bool is_asking;
    int sequence;
    int64_t give_up_ms;
};

struct world {
    uint64_t first_seed;
    uint64_t seed;
    struct weather weather;
    int64_t now_ms;
    struct object objects[KIND_COUNT];
    int64_t made_s[CA_COUNT];
    int n_cas;
    int n_leaves;
    int n_born;
    struct replica replicas[REPLICA_COUNT];
    struct call calls[CALL_COUNT];
    int n_calls;
    int64_t touched_ms;           /* when a person last changed the configuration */
    int64_t trusted_ms[CA_COUNT]; /* since when the caBundles have the CA; -1: they do not */
    int n_writes;                 /* of the Secret, by replicas */
    int n_switches;               /* of a replica, from a trusted CA to another */
};

bool set_has(const struct set *set, int item);
void set_add(struct set *set, int item);
bool set_is_same(const struct set *set, const struct set *other);

/* Fails if the history no longer has it. */
const struct content *object_version(const struct object *object, int version);

/* Without the Secret, and with a configuration that has no caBundle. All replicas start. */
void world_init(struct world *world, uint64_t seed, const struct weather *weather);
void world_start_all(struct world *world);
void world_tick(struct world *world);

/* Ends all replicas; each finishes the write that is under way. */
void world_end_all(struct world *world);

/* A person deletes the Secret, or empties it if it `exists`. */
void world_lose_secret(struct world *world, bool exists);

/* A person deletes the configuration, or makes it without caBundle if it `exists`. */
void world_register(struct world *world, bool exists);

/* True if all replicas serve the leaf of the Secret, and the caBundles have its CAs. */
bool world_is_certified(const struct world *world);

const struct content *world_present(const struct world *world, enum kind kind);
void world_store(struct world *world, enum kind kind, const struct content *content);
void world_send(struct world *world, const struct call *call);
int64_t world_wall_s(const struct world *world);

/* Fails if the replica leaves a CA that the API server trusts for one that it has not trusted for
   long. */
void world_check_switch(struct world *world, const struct replica *replica, int issuer);

uint32_t world_draw(struct world *world);
int64_t world_draw_below(struct world *world, int64_t bound);
int64_t world_draw_delay(struct world *world);
bool world_happens(struct world *world, int thousandths);

#endif
