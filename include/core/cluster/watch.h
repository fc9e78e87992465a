// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_WATCH_H
#define CORE_CLUSTER_WATCH_H

/*
 * Keeping up with one resource of the API server: list by pages, then watch from the list's
 * resourceVersion, and list again when that is too old. The pure half of the pair watch/sync: it is
 * told what came and what time it is, and says what to ask next.
 *
 *     watch_step(&watch, now, random, &order);          what is to be asked, or when to step again
 *     ... the answer to order.query comes ...
 *     watch_page() or watch_event()                     for what is in it, any number of times
 *     watch_end()                                       exactly once, when the request is over
 *
 * The algorithm and its numbers are those of client-go's reflector (k8s.io/client-go/tools/cache):
 * pages of 500; watches of 5 to 10 minutes; back-off from 0.8 s to 30 s; a new list every 10
 * minutes (give or take 20 %), by which lost events and a resourceVersion from the future heal.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/backoff.h"
#include "core/cluster/feed.h"

enum { WATCH_QUERY_SIZE = 8192 };

enum watch_verb {
    WATCH_WAIT,   /* nothing before order.at_ms */
    WATCH_LIST,   /* GET a page */
    WATCH_FOLLOW, /* GET with watch=1 */
};

struct watch_order {
    enum watch_verb verb;
    int64_t at_ms;      /* of WATCH_WAIT; INT64_MAX while a request is under way */
    int64_t timeout_ms; /* of the request */
    bool is_first_page; /* of WATCH_LIST: a new round begins, what an unfinished one had is void */
    char query[WATCH_QUERY_SIZE]; /* "limit=500&...", escaped; may be empty */
};

/* How a request ended. */
struct watch_outcome {
    bool is_good;           /* 2xx, and to its end */
    bool is_too_large;      /* a page was larger than is taken; fewer objects are asked for then */
    bool is_garbled;        /* a page or line came that could not be read */
    int status;             /* 0: no answer */
    int64_t retry_after_ms; /* -1: none was given */
};

struct watch {
    /* The implementation's own. */
    const char *selector;
    bool is_synced;
    bool is_following;   /* else it lists */
    bool is_asking;      /* a request is under way */
    int64_t began_ms;    /* the request under way */
    bool has_page;       /* the request under way brought a page */
    bool has_progressed; /* the request under way brought a resourceVersion that is another */
    bool is_refused;     /* an event said that the request under way has failed ... */
    int64_t refused_code;
    bool wants_whole; /* list without limit */
    int page_size;
    char resource_version[FEED_VERSION_SIZE];
    char continue_token[FEED_CONTINUE_SIZE];
    struct backoff list_backoff;   /* since the last complete list */
    struct backoff follow_backoff; /* since the last watch that did well */
    int64_t not_before_ms;
    int64_t give_up_ms; /* when to list if watching still fails; INT64_MAX: it does not fail */
    int64_t expired_until_ms; /* a 410 before this is one that repeats */
    int64_t resync_ms;
    unsigned n_server_errors; /* events that told of one, in a row */
};

/* `selector` is a literal such as "labelSelector=a%3Db", or "". At most 1,023 bytes. */
void watch_init(struct watch *watch, const char *selector);

void watch_step(struct watch *watch, int64_t now_ms, uint32_t random,
                struct watch_order *ret_order);

/* A page came whole. Returns true if it was the last, and the round is complete: what it did not
   list is gone. To be followed by watch_end(). */
bool watch_page(struct watch *watch, const struct feed_page *page);

/* What to do about an event. After WATCH_CLOSE the caller cancels the request and calls
   watch_end() with is_good false and status 200. */
enum watch_effect { WATCH_IGNORE, WATCH_PUT, WATCH_REMOVE, WATCH_CLOSE };
enum watch_effect watch_event(struct watch *watch, const struct feed_event *event);

/* A line or page that could not be read is told as is_garbled (the caller cancels the request), and
   leads to a new list. A watch that was only cut off is not garbled, and is taken up again where it
   was. */
void watch_end(struct watch *watch, int64_t now_ms, uint32_t random,
               const struct watch_outcome *outcome);

/* True from the end of the first complete list on, for ever. */
bool watch_is_synced(const struct watch *watch);

/* Forgets where it was, and lists anew, since the API server may serve the resource under another
   version now. The caller has cancelled the request under way, without watch_end(). is_synced
   stays.
 */
void watch_restart(struct watch *watch);

#endif
