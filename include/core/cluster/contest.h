// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_CONTEST_H
#define CORE_CLUSTER_CONTEST_H

/*
 * Recognises the user who sets a count again and again although each time a rule sets it back, or
 * warns that the operator will: an autoscaler asks every 15 s, for ever. Time is an argument.
 *
 * A *series* is the decisions of one rule against one user on one object. The log shows the first
 * CONTEST_SHOWN decisions of a series like any other. With the next one the series is *contested*:
 * one line says so at once, and then one a minute, with the number of decisions since the last. An
 * Event is due at once, too, and then once an hour. CONTEST_QUIET_MS without a decision end a
 * series.
 *
 * Bounds. There are CONTEST_SERIES_MAX series. A further one takes the place of the one that has
 * been quiet longest, which is forgotten without a last line. Anybody who reaches the webhook can
 * make up users and objects, so that at most CONTEST_EVENTS_MAX Events are due in an hour, those of
 * all series together. The others are left out. A namespace has a share of both, so that a crowd in
 * one leaves room for the others.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/admission/review.h"

enum {
    CONTEST_SERIES_MAX = 256,
    CONTEST_SERIES_SHARE = 32, /* of one namespace */
    CONTEST_SHOWN = 2,
    CONTEST_EVENTS_MAX = 64,
    CONTEST_EVENTS_SHARE = 8, /* of one namespace */
    CONTEST_MINUTE_MS = 60 * 1000,
    CONTEST_QUIET_MS = 10 * CONTEST_MINUTE_MS,
    CONTEST_HOUR_MS = 60 * CONTEST_MINUTE_MS,
};

struct contest_series {
    enum rule_id rule;
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE]; /* of the object */
    char user[REVIEW_USER_SIZE]; /* empty if it could not be read */
    int64_t n_all;               /* decisions since the series began */
    /* The implementation's own. */
    uint64_t hash; /* of the four above */
    int64_t noted_ms;
    int64_t n_unsaid; /* decisions since the last line that said "contested" */
    int64_t said_ms;
    int64_t event_ms;
    bool has_event;
};

/* The actions that one decision calls for. */
struct contest_news {
    bool is_contested; /* the log shows this decision at its debug level only */
    int64_t times;     /* not 0: say that the series is contested, with this number of decisions */
    bool is_event_due;
};

struct contest;

struct contest *contest_new(void);

/* NULL is none. */
void contest_free(struct contest *contest);

/* The rule has decided against the count that the user of this review sets. */
void contest_note(struct contest *contest, enum rule_id rule, const struct review *review,
                  int64_t now_ms, struct contest_news *ret_news);

/* Call this every few seconds, until it returns false. Forgets a series that is over, and returns
   it if it was contested. */
bool contest_end(struct contest *contest, int64_t now_ms, struct contest_series *ret_series);

#endif
