// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_LEASE_H
#define CORE_CLUSTER_LEASE_H

/*
 * Leader election by a Lease (coordination.k8s.io/v1). The pure half of the pair lease/elect: it
 * gets the answers of the API server and the time, and says what to ask next. The algorithm is that
 * of client-go's leaderelection: it believes the record of another holder as long as the record
 * keeps changing, and never compares the times in it with a clock of ours.
 *
 * `now_ms` is a clock that goes on while the machine sleeps (CLOCK_BOOTTIME) and never jumps. Wall
 * time is only written into records.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

enum {
    LEASE_DURATION_MS = 15000,       /* a record that did not change for so long is free */
    LEASE_RENEW_DEADLINE_MS = 10000, /* a renewal that is written lets us lead, from its start */
    LEASE_RETRY_MS = 2000,
    /* Long enough that the record of a leader that yields becomes free, and another replica has
       looked: it last wrote the record up to 5 s after lease_yield(); others see that within 4.4 s,
       believe it for 15 s, and look again within 4.4 s. */
    LEASE_YIELD_MS = 30000,
    LEASE_YIELD_EVERY_MS = 600000, /* if no other replica takes it, not again before this */
    LEASE_HOLDER_SIZE = 256,
    LEASE_TIME_SIZE = 40,
    LEASE_VERSION_SIZE = 64,
};

struct lease_record {
    char resource_version[LEASE_VERSION_SIZE]; /* empty: the Lease is to be created */
    char holder[LEASE_HOLDER_SIZE];            /* empty: nobody */
    int64_t duration_seconds;
    int64_t transitions;
    char acquire_time[LEASE_TIME_SIZE]; /* as read; written with six digits and Z */
    char renew_time[LEASE_TIME_SIZE];
    uint64_t fingerprint; /* of a spec that lease_read() refuses; else 0 */
};

/* The holder of a record that lease_read() refuses. It is no identity of ours. */
#define LEASE_HOLDER_UNREADABLE "(unreadable)"

/* A missing member, or null, reads as empty or 0, as Kubernetes reads it. A member of another type,
   or a text that does not fit, makes the whole record ERROR_INVALID: it must not read as free. */
bool lease_read(const char *json, size_t size, struct lease_record *ret_record,
                struct error *error) MUST_CHECK;

/* Reads a Lease that lease_read() refuses for its spec: somebody holds it, for as long as the spec
   keeps changing, and LEASE_DURATION_MS after that. False if it is no Lease, or has no usable
   resourceVersion. */
bool lease_read_unusable(const char *json, size_t size, struct lease_record *ret_record) MUST_CHECK;
void lease_write(const struct lease_record *record, const char *namespace, const char *name,
                 struct buffer *out);

enum lease_verb { LEASE_WAIT, LEASE_GET, LEASE_CREATE, LEASE_REPLACE };

struct lease_order {
    enum lease_verb verb;
    int64_t at_ms;              /* of LEASE_WAIT; INT64_MAX while a request is under way */
    int64_t timeout_ms;         /* of the request: no longer than it can be of use */
    struct lease_record record; /* of LEASE_CREATE and LEASE_REPLACE */
};

struct lease {
    /* The implementation's own. */
    char identity[LEASE_HOLDER_SIZE];
    int phase;
    bool is_asking;
    struct lease_record observed; /* as last seen or written */
    bool is_observed;
    int64_t observed_ms; /* when it was last seen to change */
    int64_t asked_ms;    /* when the request under way began */
    bool was_good;       /* there was a good renewal, ... */
    int64_t renewed_ms;  /* ... and this is when it began */
    bool is_claimed;     /* we tried to write that we hold it, and have not read otherwise since */
    int64_t next_ms;     /* when to ask next */
    char written[LEASE_TIME_SIZE]; /* the renewTime of the write under way */
    bool has_yielded;              /* ever, ... */
    int64_t yielded_ms;            /* ... and when it last did */
    bool is_leaving;
    bool is_gone;
};

/* `identity` is not empty and differs for every start of every process: a host name and a random
   part. */
void lease_init(struct lease *lease, const char *identity);

/* Says what to ask now, or until when to wait. After an order other than LEASE_WAIT, it orders
   nothing before lease_answer(). */
void lease_step(struct lease *lease, int64_t now_ms, int64_t wall_us,
                struct lease_order *ret_order);

/* Takes the answer to the order: the HTTP status (0: there was none), and the record, or NULL if
   none could be read. */
void lease_answer(struct lease *lease, int64_t now_ms, uint32_t random, int status,
                  const struct lease_record *record);

/* True if the record may be the answer to the request under way: a write shows in it, with our name
   and its time. Ask before lease_answer(). A record that somebody else wrote meanwhile is no answer
   to a write. */
bool lease_is_shown(const struct lease *lease, const struct lease_record *record);

/* The holder as last seen; "" if nobody holds it, or if no record was seen. */
const char *lease_holder(const struct lease *lease);

/* This replica is worse than others, so another one should lead: asks nothing for LEASE_YIELD_MS,
   so that the record becomes free, and then takes part again. We lead until our deadline. Not more
   often than every LEASE_YIELD_EVERY_MS. */
void lease_yield(struct lease *lease, int64_t now_ms);

/* True while we lead. Ask before every single write. A write must be over by lease_deadline_ms(),
   which is 0 if we do not lead. At the deadline lease_is_held() turns false without a step. */
bool lease_is_held(const struct lease *lease, int64_t now_ms);
int64_t lease_deadline_ms(const struct lease *lease);

/* Call this when no write is under way any more. From here on we do not lead. The next steps
   release the record, if it is ours, so that another replica takes over at once. A release that
   fails is not tried again. When lease_is_released() is true, nothing is left to do. */
void lease_release(struct lease *lease);
bool lease_is_released(const struct lease *lease);

#endif
