// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/watch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/text.h"

enum {
    PAGE_SIZE_DIVISOR = 8, /* after a page that was too large */
    PAGE_SIZE_GROWTH = 2,  /* after a list that came whole */
    LIST_TIMEOUT_MS = 60000,
    FOLLOW_SECONDS = 300, /* a watch lasts once to twice this long */
    FOLLOW_GRACE_MS = 30000,
    FOLLOW_SHORT_MS = 1000, /* a watch that ends sooner, with nothing new, did not do well; with
                               something new, the next one begins no sooner than this after it */
    SHORT_MAX = 3,          /* so many short ones in a row are a fault, and no restart */
    RESYNC_MS = 480000,     /* 10 minutes, less 20 % ... */
    RESYNC_SPREAD_MS = 240000,
    BACKOFF_BASE_MS = 800,
    BACKOFF_CAP_MS = 30000,
    BACKOFF_FORGET_MS = 120000, /* a watch that lasted this long resets it, however it ended */
    RETRY_AFTER_MIN_MS = 1000,
    RETRY_AFTER_MAX_MS = 300000, /* a faulty Retry-After must not stop us for days */
    FAILING_MAX_MS = 300000,
    EXPIRED_AGAIN_MS = 60000,
    SERVER_ERRORS_MAX = 3,
    SELECTOR_MAX = 1023,
};

/* The rest of a query, with "&" and "=", is far below 256 bytes. */
_Static_assert(3 * (FEED_CONTINUE_SIZE - 1) + SELECTOR_MAX + 256 < WATCH_QUERY_SIZE,
               "no continue token is too long for a query");
_Static_assert(3 * (FEED_VERSION_SIZE - 1) + SELECTOR_MAX + 256 < WATCH_QUERY_SIZE,
               "no resourceVersion is too long for a query");

/* A number from [0, count), evenly spread if `random` is. */
static int64_t pick(uint32_t random, uint32_t count) {
    return (int64_t)((uint64_t)random * count >> 32);
}

static void add(char query[WATCH_QUERY_SIZE], const char *text) {
    size_t size = strlen(query);
    assert(size + strlen(text) < WATCH_QUERY_SIZE);
    memcpy(query + size, text, strlen(text) + 1);
}

/* Adds a text of the server, of any bytes. */
static void add_escaped(char query[WATCH_QUERY_SIZE], const char *text) {
    size_t size = strlen(query);
    text_escape_percent(query + size, WATCH_QUERY_SIZE - size, text, "");
}

static void add_selector(char query[WATCH_QUERY_SIZE], const char *selector) {
    if (selector[0] != '\0') {
        add(query, query[0] == '\0' ? "" : "&");
        add(query, selector);
    }
}

int watch_smaller_page(int page_size) {
    return MAX(page_size / PAGE_SIZE_DIVISOR, 1);
}

void watch_init(struct watch *watch, const char *selector) {
    assert(strlen(selector) <= SELECTOR_MAX);
    *watch = (struct watch){.selector = selector, .page_size = WATCH_PAGE_SIZE};
    watch_restart(watch);
}

static void begin_round(struct watch *watch) {
    watch->is_following = false;
    watch->continue_token[0] = '\0';
    watch->wants_whole = false;
}

void watch_restart(struct watch *watch) {
    watch->is_asking = false;
    begin_round(watch);
    watch->resource_version[0] = '\0';
    watch->list_backoff = (struct backoff){.base_ms = BACKOFF_BASE_MS, .cap_ms = BACKOFF_CAP_MS};
    watch->follow_backoff = watch->list_backoff;
    watch->not_before_ms = INT64_MIN;
    watch->expired_until_ms = INT64_MIN;
    watch->n_short = 0;
}

static void order_list(const struct watch *watch, struct watch_order *order) {
    char limit[24] = "";
    order->verb = WATCH_LIST;
    order->timeout_ms = LIST_TIMEOUT_MS;
    order->is_first_page = watch->continue_token[0] == '\0';
    if (!watch->wants_whole) {
        snprintf(limit, sizeof(limit), "limit=%d", watch->page_size);
        add(order->query, limit);
    }
    if (!order->is_first_page) {
        add(order->query, watch->wants_whole ? "continue=" : "&continue=");
        add_escaped(order->query, watch->continue_token);
    }
    add_selector(order->query, watch->selector);
}

static void order_follow(const struct watch *watch, int64_t now_ms, uint32_t random,
                         struct watch_order *order) {
    int64_t seconds = FOLLOW_SECONDS + pick(random, FOLLOW_SECONDS);
    int64_t left = (watch->resync_ms - now_ms) / 1000;
    seconds = MAX(MIN(seconds, left), 1);
    order->verb = WATCH_FOLLOW;
    order->timeout_ms = seconds * 1000 + FOLLOW_GRACE_MS;
    snprintf(order->query, sizeof(order->query),
             "watch=1&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=", (int)seconds);
    add_escaped(order->query, watch->resource_version);
    add_selector(order->query, watch->selector);
}

void watch_step(struct watch *watch, int64_t now_ms, uint32_t random,
                struct watch_order *ret_order) {
    *ret_order = (struct watch_order){.verb = WATCH_WAIT, .at_ms = INT64_MAX};
    if (watch->is_asking) {
        return;
    }
    if (now_ms < watch->not_before_ms) {
        ret_order->at_ms = watch->not_before_ms;
        return;
    }
    if (watch->is_following && now_ms >= watch->resync_ms) {
        begin_round(watch);
    }
    if (watch->is_following) {
        order_follow(watch, now_ms, random, ret_order);
    } else {
        order_list(watch, ret_order);
    }
    watch->is_asking = true;
    watch->began_ms = now_ms;
    watch->has_page = false;
    watch->has_progressed = false;
    watch->is_refused = false;
}

bool watch_page(struct watch *watch, const struct feed_page *page) {
    assert(watch->is_asking && !watch->is_following);
    watch->has_page = true;
    memcpy(watch->continue_token, page->continue_token, sizeof(watch->continue_token));
    if (page->continue_token[0] != '\0') {
        return false;
    }
    memcpy(watch->resource_version, page->resource_version, sizeof(watch->resource_version));
    begin_round(watch);
    backoff_reset(&watch->list_backoff);
    watch->is_synced = true;
    watch->is_following = true;
    watch->page_size = MIN(watch->page_size * PAGE_SIZE_GROWTH, WATCH_PAGE_SIZE);
    watch->give_up_ms = INT64_MAX;
    watch->n_server_errors = 0;
    return true;
}

/* The next watch begins after this event. The same version again is no progress: a server may begin
   every watch with it and then end the watch, and must not be asked again without a pause. */
static void follow(struct watch *watch, const struct feed_event *event) {
    if (event->resource_version[0] == '\0' ||
        strcmp(event->resource_version, watch->resource_version) == 0) {
        return;
    }
    memcpy(watch->resource_version, event->resource_version, sizeof(watch->resource_version));
    watch->has_progressed = true;
    watch->give_up_ms = INT64_MAX;
    watch->n_server_errors = 0;
}

enum watch_effect watch_event(struct watch *watch, const struct feed_event *event) {
    assert(watch->is_asking && watch->is_following);
    if (event->type == FEED_ERROR) {
        watch->is_refused = true;
        watch->refused_code = event->code;
        return WATCH_CLOSE;
    }
    if (event->type == FEED_UNKNOWN) {
        return WATCH_IGNORE;
    }
    follow(watch, event);
    if (event->type == FEED_UPSERT) {
        return WATCH_PUT;
    }
    return event->type == FEED_DELETED ? WATCH_REMOVE : WATCH_IGNORE;
}

/* The back-off, or what the server asks for if that is longer. */
static int64_t delay(struct backoff *backoff, uint32_t random,
                     const struct watch_outcome *outcome) {
    int64_t delay_ms = backoff_next(backoff, random);
    int64_t told_ms = outcome->retry_after_ms;
    if (told_ms < 0 || (outcome->status != HTTP_STATUS_TOO_MANY_REQUESTS &&
                        !http_status_is_server_error(outcome->status))) {
        return delay_ms;
    }
    told_ms = MIN(MAX(told_ms, RETRY_AFTER_MIN_MS), RETRY_AFTER_MAX_MS);
    return MAX(told_ms, delay_ms);
}

static void end_list(struct watch *watch, int64_t now_ms, uint32_t random,
                     const struct watch_outcome *outcome) {
    if (watch->has_page) {
        if (watch->is_following) {
            watch->resync_ms = now_ms + RESYNC_MS + pick(random, RESYNC_SPREAD_MS);
        }
        return;
    }
    bool is_expired = outcome->status == HTTP_STATUS_GONE;
    if (is_expired && watch->continue_token[0] != '\0' && !watch->wants_whole) {
        begin_round(watch);
        watch->wants_whole = true;
        return;
    }
    /* A whole list says nothing about the size of pages. */
    if (outcome->is_too_large && !watch->wants_whole && watch->page_size > 1) {
        begin_round(watch);
        watch->page_size = watch_smaller_page(watch->page_size);
        return;
    }
    watch->not_before_ms = now_ms + delay(&watch->list_backoff, random, outcome);
    if (outcome->status != HTTP_STATUS_TOO_MANY_REQUESTS) {
        begin_round(watch);
    }
}

/* Watching may fail for a while before it lists anew: for a server that is being replaced, another
   watch is a smaller load than a list. */
static bool is_borne(struct watch *watch, int64_t now_ms) {
    if (watch->give_up_ms == INT64_MAX) {
        watch->give_up_ms = now_ms + FAILING_MAX_MS;
    }
    return now_ms < watch->give_up_ms;
}

/* After a watch that did not do well: does the next one begin where it ended? */
static bool goes_on(struct watch *watch, int64_t now_ms, const struct watch_outcome *outcome) {
    if (outcome->is_garbled) {
        return false;
    }
    if (watch->is_refused && http_status_is_server_error(watch->refused_code)) {
        watch->n_server_errors++;
        return watch->n_server_errors < SERVER_ERRORS_MAX && is_borne(watch, now_ms);
    }
    if (watch->is_refused) {
        return watch->refused_code == HTTP_STATUS_TOO_MANY_REQUESTS;
    }
    if (outcome->status == HTTP_STATUS_TOO_MANY_REQUESTS) {
        return true;
    }
    /* No answer, a short or broken one, or a server error. */
    bool is_passing = outcome->status == 0 || http_status_is_success(outcome->status) ||
                      http_status_is_server_error(outcome->status);
    return is_passing && is_borne(watch, now_ms);
}

static bool did_well(const struct watch *watch, int64_t now_ms,
                     const struct watch_outcome *outcome) {
    bool is_answer = http_status_is_success(outcome->status);
    bool is_long = is_answer && now_ms - watch->began_ms >= FOLLOW_SHORT_MS;
    return !watch->is_refused && !outcome->is_garbled && (watch->has_progressed || is_long);
}

static void end_follow(struct watch *watch, int64_t now_ms, uint32_t random,
                       const struct watch_outcome *outcome) {
    bool is_short = outcome->is_good && now_ms - watch->began_ms < FOLLOW_SHORT_MS;
    watch->n_short = is_short ? watch->n_short + 1 : 0;
    if (did_well(watch, now_ms, outcome)) {
        backoff_reset(&watch->follow_backoff);
        watch->give_up_ms = INT64_MAX;
        watch->n_server_errors = 0;
        if (outcome->is_good) {
            watch->not_before_ms = watch->began_ms + FOLLOW_SHORT_MS;
            return;
        }
    }
    if (now_ms - watch->began_ms >= BACKOFF_FORGET_MS) {
        backoff_reset(&watch->follow_backoff);
    }
    int64_t code = watch->is_refused ? watch->refused_code : outcome->status;
    bool is_expired = code == HTTP_STATUS_GONE;
    if (!is_expired || now_ms < watch->expired_until_ms) {
        watch->not_before_ms = now_ms + delay(&watch->follow_backoff, random, outcome);
    }
    if (is_expired) {
        watch->expired_until_ms = now_ms + EXPIRED_AGAIN_MS;
    }
    if (!goes_on(watch, now_ms, outcome)) {
        begin_round(watch);
    }
}

void watch_end(struct watch *watch, int64_t now_ms, uint32_t random,
               const struct watch_outcome *outcome) {
    assert(watch->is_asking);
    watch->is_asking = false;
    if (watch->has_page || !watch->is_following) {
        end_list(watch, now_ms, random, outcome);
    } else {
        end_follow(watch, now_ms, random, outcome);
    }
}

bool watch_is_hasty(const struct watch *watch) {
    return watch->n_short >= SHORT_MAX;
}

bool watch_is_synced(const struct watch *watch) {
    return watch->is_synced;
}
