// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_WATCH_H
#define CORE_CLUSTER_WATCH_H

/*
 * Keeps up with one resource of the API server: lists it by pages, then watches it from the list's
 * resourceVersion, and lists it again when that is too old. The pure half of the pair
 * watch/watch_run: it gets the answers and the time, and says what to ask next.
 *
 *     watch_step(&watch, now, random, &order);          says what to ask, or when to step again
 *     ... the answer to order.query comes ...
 *     watch_page() or watch_event()                     for its contents, any number of times
 *     watch_end()                                       exactly once, when the request is over
 *
 * The algorithm and its numbers are those of client-go's reflector (k8s.io/client-go/tools/cache):
 * pages of 500; watches of 5 to 10 minutes; back-off from 0.8 s to 30 s; a new list every 10
 * minutes (give or take 20 %), which heals lost events and a resourceVersion from the future.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/backoff.h"
#include "core/cluster/feed.h"

enum { WATCH_QUERY_SIZE = 8192, WATCH_PAGE_SIZE = 500 /* objects in a page, at first */ };

enum watch_verb {
    WATCH_WAIT,   /* ask nothing before order.at_ms */
    WATCH_LIST,   /* GET a page */
    WATCH_FOLLOW, /* GET with watch=1 */
};

struct watch_order {
    enum watch_verb verb;
    int64_t at_ms;      /* of WATCH_WAIT; INT64_MAX while a request is under way */
    int64_t timeout_ms; /* of the request */
    bool is_first_page; /* of WATCH_LIST: a new round begins, and an unfinished one is void */
    char query[WATCH_QUERY_SIZE]; /* "limit=500&...", escaped; may be empty */
};

/* The end of a request. */
struct watch_outcome {
    bool is_good;           /* 2xx, and to its end */
    bool is_too_large;      /* the page was over the limit: the next ones get fewer objects */
    bool is_garbled;        /* a page or a line could not be read */
    int status;             /* 0: no answer */
    int64_t retry_after_ms; /* -1: none was given */
};

struct watch {
    /* The implementation's own. */
    const char *selector;
    bool is_synced;
    bool is_following;    /* else it lists */
    bool is_asking;       /* a request is under way */
    int64_t began_ms;     /* the request under way */
    bool has_page;        /* the request under way brought a page */
    bool has_progressed;  /* the request under way brought another resourceVersion */
    bool is_refused;      /* a FEED_ERROR ended the request under way ... */
    int64_t refused_code; /* ... with this code */
    bool wants_whole;     /* list without limit */
    int page_size;
    char resource_version[FEED_VERSION_SIZE];
    char continue_token[FEED_CONTINUE_SIZE];
    struct backoff list_backoff;   /* since the last complete list */
    struct backoff follow_backoff; /* since the last watch that did well */
    int64_t not_before_ms;
    int64_t give_up_ms; /* when to list if watching still fails; INT64_MAX: it does not fail */
    int64_t expired_until_ms; /* before this, a 410 is a repeated one */
    int64_t resync_ms;
    unsigned n_short;         /* watches in a row that ended well within a second */
    unsigned n_server_errors; /* FEED_ERROR with one, in a row */
};

/* `selector` is a literal such as "labelSelector=a%3Db", or "". At most 1,023 bytes. */
void watch_init(struct watch *watch, const char *selector);

void watch_step(struct watch *watch, int64_t now_ms, uint32_t random,
                struct watch_order *ret_order);

/* A page came whole. Returns true if it was the last and the round is complete: objects that were
   not listed are gone. watch_end() must follow. */
bool watch_page(struct watch *watch, const struct feed_page *page);

/* Says what to do about an event. After WATCH_CLOSE the caller cancels the request and calls
   watch_end() with is_good false and status 200. */
enum watch_effect { WATCH_IGNORE, WATCH_PUT, WATCH_REMOVE, WATCH_CLOSE };
enum watch_effect watch_event(struct watch *watch, const struct feed_event *event);

/* After a line or a page that could not be read, the caller cancels the request and sets
   is_garbled: the next request is a new list. A watch that was only cut off is not garbled: the
   next one begins where it ended. */
void watch_end(struct watch *watch, int64_t now_ms, uint32_t random,
               const struct watch_outcome *outcome);

/* After watch_end(): watches end at once, again and again, though each ends well. Between two that
   begin, a second passes at least. */
bool watch_is_hasty(const struct watch *watch);

/* True from the end of the first complete list on, for ever. */
bool watch_is_synced(const struct watch *watch);

/* Forgets the resourceVersion, and lists anew: the API server may serve another version of the
   resource now. If a request was under way, the caller has cancelled it, without watch_end().
   watch_is_synced() stays. */
void watch_restart(struct watch *watch);

/* The size to ask for after a page of this size was too large; at least 1. The list begins again,
   since a continue token holds for queries with one limit only. */
int watch_smaller_page(int page_size);

#endif
