// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_LEASE_H
#define CORE_CLUSTER_LEASE_H

/*
 * Leader election by a Lease (coordination.k8s.io/v1), the pure half of the pair lease/elect: it is
 * told what the API server answered and what time it is, and says what to ask next. The algorithm
 * is that of client-go's leaderelection: a record that somebody else holds is believed for as long
 * as it keeps changing; the times in it are never compared with a clock of ours.
 *
 * `now_ms` is a clock that goes on while the machine sleeps (CLOCK_BOOTTIME) and never jumps; wall
 * time is only written down.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

enum {
    LEASE_DURATION_MS = 15000,       /* after which a record that does not change is anybody's */
    LEASE_RENEW_DEADLINE_MS = 10000, /* for which a good renewal lets us lead, from its start */
    LEASE_RETRY_MS = 2000,
    LEASE_HOLDER_SIZE = 256,
    LEASE_TIME_SIZE = 40,
    LEASE_VERSION_SIZE = 64,
};

struct lease_record {
    char resource_version[LEASE_VERSION_SIZE]; /* empty for one that is to be created */
    char holder[LEASE_HOLDER_SIZE];            /* empty: nobody */
    int64_t duration_seconds;
    int64_t transitions;
    char acquire_time[LEASE_TIME_SIZE]; /* as it stands there; written with six digits and Z */
    char renew_time[LEASE_TIME_SIZE];
};

/* A missing member, or null, reads as empty or 0, as Kubernetes reads it. One of another type, or a
   text that does not fit, makes the whole record ERROR_INVALID: it must not read as a free one. */
bool lease_read(const char *json, size_t size, struct lease_record *ret_record,
                struct error *error) MUST_CHECK;
void lease_write(const struct lease_record *record, const char *namespace, const char *name,
                 struct buffer *out);

enum lease_verb { LEASE_WAIT, LEASE_GET, LEASE_CREATE, LEASE_REPLACE };

struct lease_order {
    enum lease_verb verb;
    int64_t at_ms;              /* of LEASE_WAIT; INT64_MAX while a request is under way */
    int64_t timeout_ms;         /* of the request: never past what makes it pointless */
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
    bool is_claimed;     /* we asked to hold it, and have not seen since that we do not */
    int64_t next_ms;     /* when to ask next */
    bool is_leaving;
    bool is_gone;
};

/* `identity` must differ for every start of every process: host name and a random part. Not empty.
 */
void lease_init(struct lease *lease, const char *identity);

/* What to ask now, or until when to wait. An order other than LEASE_WAIT is under way from here on,
   and nothing else is ordered before lease_answer(). */
void lease_step(struct lease *lease, int64_t now_ms, int64_t wall_us,
                struct lease_order *ret_order);

/* What came of the order: the HTTP status (0: none), and the record if one came and could be read,
   else NULL. */
void lease_answer(struct lease *lease, int64_t now_ms, uint32_t random, int status,
                  const struct lease_record *record);

/* Whether we lead, and until when at the latest; to be asked before every single write. A write
   must be over by lease_deadline_ms(), which is 0 if we do not lead. It says so of itself once the
   time is over: nothing needs to be called for that. */
bool lease_is_held(const struct lease *lease, int64_t now_ms);
int64_t lease_deadline_ms(const struct lease *lease);

/* To be called once nobody writes any more: from here on it is not held, and the steps release the
   record, if it is ours, so that another takes over at once. True from lease_is_released() on there
   is nothing left to do. A release that fails is not tried again. */
void lease_release(struct lease *lease);
bool lease_is_released(const struct lease *lease);

#endif
