// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_COMPLAINT_H
#define CORE_CLUSTER_COMPLAINT_H

/*
 * Limits how often the log says that something fails: at once when it begins, then once a minute
 * while it lasts, and once when it is over. It is over when it went well again and a minute has
 * passed without a failure. So failures and successes in turn are one failure, not many.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    COMPLAINT_MINUTE_MS = 60000,
    COMPLAINT_NEWS_MAX = 4, /* lines about another kind within a minute, beside the one */
};

struct complaint { /* zero to begin with */
    /* The implementation's own. */
    bool is_open;    /* something failed, and is not over */
    bool is_good;    /* it went well since the last failure */
    uint64_t kind;   /* of the failure that was last said */
    int64_t said_ms; /* when the minute of that began */
    int64_t failed_ms;
    int64_t n_unsaid; /* failures since the last line */
    int64_t n_all;    /* failures since it began */
    unsigned n_news;  /* lines about another kind, in this minute */
};

/* Something has failed. Two failures are the same if their `kind` is, a text that may be empty.
   Another kind is said at once, a few times a minute at most. If the log is to say it now, returns
   how many failures there were since it last did, including this one; else 0. */
int64_t complaint_raise(struct complaint *complaint, const char *kind, int64_t now_ms);

/* It went well. */
void complaint_settle(struct complaint *complaint);

/* Call this every few seconds. Returns, once, how many failures there were in all, if it is over
   now; else 0. From then on the next failure is said at once. */
int64_t complaint_step(struct complaint *complaint, int64_t now_ms);

#endif
