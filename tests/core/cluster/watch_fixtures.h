// SPDX-License-Identifier: Apache-2.0
#ifndef WATCH_FIXTURES_H
#define WATCH_FIXTURES_H

/*
 * Shared by the tests of core/cluster/watch: expected orders, and answers. Include this after
 * cmocka.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attribute.h"
#include "base/text.h"
#include "core/cluster/watch.h"
#include "core/core_fixtures.h"

/* Statuses beside those of HTTP: 200 but cut off, and 200 but unreadable. */
enum { CUT = -200, GARBLED = -201 };

/* No ERROR event. */
enum { NONE = -1 };

static inline void expect_wait(struct watch *watch, int64_t now_ms, int64_t at_ms) {
    struct watch_order order;
    watch_step(watch, now_ms, 0, &order);
    if (order.verb != WATCH_WAIT || order.at_ms != at_ms) {
        fail_msg("at %" PRId64 ": %d until %" PRId64 ", query '%s'", now_ms, order.verb,
                 order.at_ms, order.query);
    }
}

/* Returns true if the order begins a round. */
static inline bool expect_list(struct watch *watch, int64_t now_ms, const char *query) {
    struct watch_order order;
    watch_step(watch, now_ms, 0, &order);
    if (order.verb != WATCH_LIST || strcmp(order.query, query) != 0) {
        fail_msg("at %" PRId64 ": %d, query '%s', not '%s'", now_ms, order.verb, order.query,
                 query);
    }
    assert_int_equal(order.timeout_ms, 60000);
    return order.is_first_page;
}

static inline void expect_follow(struct watch *watch, int64_t now_ms, uint32_t random,
                                 int64_t seconds, const char *version) {
    struct watch_order order;
    char query[512];
    snprintf(query, sizeof(query),
             "watch=1&allowWatchBookmarks=true&timeoutSeconds=%" PRId64 "&resourceVersion=%s",
             seconds, version);
    watch_step(watch, now_ms, random, &order);
    if (order.verb != WATCH_FOLLOW || strcmp(order.query, query) != 0) {
        fail_msg("at %" PRId64 ": %d, query '%s', not '%s'", now_ms, order.verb, order.query,
                 query);
    }
    assert_int_equal(order.timeout_ms, seconds * 1000 + 30000);
}

/* The outcome of a request that ended without Retry-After; a status of 200 means that it ended
   well. */
static inline struct watch_outcome outcome_of(int status) {
    return (struct watch_outcome){.is_good = status == 200,
                                  .is_garbled = status == GARBLED,
                                  .status = status < 0 ? 200 : status,
                                  .retry_after_ms = -1};
}

static inline void end(struct watch *watch, int64_t now_ms, int status) {
    struct watch_outcome outcome = outcome_of(status);
    watch_end(watch, now_ms, 0, &outcome);
}

/* Answers a list with a page. Returns true if the round is complete. */
static inline bool give_page(struct watch *watch, int64_t now_ms, const char *version,
                             const char *token) {
    struct feed_page page;
    text_copy(page.resource_version, sizeof(page.resource_version), version);
    text_copy(page.continue_token, sizeof(page.continue_token), token);
    bool is_complete = watch_page(watch, &page);
    end(watch, now_ms, 200);
    return is_complete;
}

/* The same for a list whose order is still to come. */
static inline bool give_page_at(struct watch *watch, int64_t now_ms, const char *version,
                                const char *token) {
    struct watch_order order;
    watch_step(watch, now_ms, 0, &order);
    assert_int_equal(order.verb, WATCH_LIST);
    return give_page(watch, now_ms, version, token);
}

static inline enum watch_effect tell(struct watch *watch, enum feed_event_type type,
                                     const char *version, int64_t code) {
    struct feed_event event = {.type = type, .code = code};
    text_copy(event.resource_version, sizeof(event.resource_version), version);
    return watch_event(watch, &event);
}

/* A watch with a complete first list, at resourceVersion 7. `random` draws the time of the next
   list. */
static inline void sync_at(struct watch *watch, int64_t now_ms, uint32_t random) {
    struct feed_page page = {.resource_version = "7"};
    struct watch_order order;
    watch_init(watch, "");
    watch_step(watch, now_ms, 0, &order);
    assert_true(watch_page(watch, &page));
    watch_end(watch, now_ms, random, &(struct watch_outcome){.is_good = true, .status = 200});
}

#endif
