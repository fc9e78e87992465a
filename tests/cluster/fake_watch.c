// SPDX-License-Identifier: Apache-2.0

/*
 * WATCH: sends the changes since a version, then all further changes until the time is over.
 */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "edge/clock.h"
#include "fake_inside.h"

enum { BATCH_MAX = 256 << 20, TIMEOUT_S = 1800 };

struct view {
    struct fake_api *api;
    struct fake_connection *connection;
    const struct fake_route *route;
    size_t next; /* the next change to send */
    int64_t until_ms;
    unsigned n_ends;
    unsigned n_cuts;
};

static bool is_ended(const struct view *view) {
    return view->api->n_watch_ends != view->n_ends || clock_boot_ms() >= view->until_ms;
}

static bool is_cut(const struct view *view) {
    return view->api->is_stopping || view->api->is_away || view->connection->is_over ||
           view->api->n_watch_cuts != view->n_cuts;
}

static void take_changes(struct view *view, struct buffer *out) {
    const struct fake_store *store = &view->api->store;
    for (; view->next < store->n_changes; view->next++) {
        const struct fake_change *change = &store->changes[view->next];
        if (change->kind == view->route->kind &&
            (change->key[0] == '\0' || fake_store_is_in(change->key, view->route->namespace))) {
            buffer_add(out, change->bytes, change->size);
        }
    }
}

/* Adds a bookmark before the announced end, if the client asked for bookmarks. */
static void add_bookmark(const struct view *view, struct buffer *out) {
    char wants[8];
    if (fake_query(view->route->query, "allowWatchBookmarks", wants, sizeof(wants)) &&
        strcmp(wants, "true") == 0) {
        buffer_add_format(out,
                          "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
                          "\"resourceVersion\":\"%lld\"}}}\n",
                          (long long)view->api->store.version);
    }
}

/* Returns false at the end of the watch. */
static bool take_batch(struct view *view, struct buffer *out) {
    struct fake_api *api = view->api;
    pthread_mutex_lock(&api->mutex);
    for (;;) {
        bool is_mute = api->is_frozen || api->is_holding;
        if (!is_mute) {
            take_changes(view, out);
        }
        if (out->size > 0 || (!is_mute && is_ended(view)) || is_cut(view)) {
            break;
        }
        fake_wait_for_change(api, is_mute ? INT64_MAX : view->until_ms);
    }
    bool goes_on = !is_ended(view) && !is_cut(view);
    if (is_ended(view)) {
        add_bookmark(view, out);
    }
    pthread_mutex_unlock(&api->mutex);
    return goes_on;
}

static void begin(struct view *view, int64_t version) {
    char timeout[32];
    struct fake_api *api = view->api;
    pthread_mutex_lock(&api->mutex);
    view->n_ends = api->n_watch_ends;
    view->n_cuts = api->n_watch_cuts;
    fake_query(view->route->query, "timeoutSeconds", timeout, sizeof(timeout));
    int64_t seconds = timeout[0] == '\0' ? TIMEOUT_S : strtoll(timeout, NULL, 10);
    view->until_ms = clock_boot_ms() + seconds * 1000;
    while (view->next < api->store.n_changes && api->store.changes[view->next].version <= version) {
        view->next++;
    }
    view->connection->is_watch = true;
    view->connection->kind = view->route->kind;
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->mutex);
}

static void end(const struct view *view) {
    struct fake_api *api = view->api;
    pthread_mutex_lock(&api->mutex);
    view->connection->is_watch = false;
    if (is_cut(view)) {
        view->connection->is_over = true;
    }
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->mutex);
}

static bool is_too_old(struct fake_api *api, int64_t version) {
    pthread_mutex_lock(&api->mutex);
    bool is_old = version < api->store.compacted;
    pthread_mutex_unlock(&api->mutex);
    return is_old;
}

static void follow(struct view *view) {
    bool goes_on = true;
    while (goes_on) {
        AUTO(buffer_fini) struct buffer batch;
        buffer_init(&batch, BATCH_MAX);
        goes_on = take_batch(view, &batch);
        fake_http_send(view->connection, batch.bytes, batch.size);
    }
    end(view);
    if (!view->connection->is_over) {
        fake_http_end(view->connection);
    }
}

void fake_watch(struct fake_api *api, struct fake_connection *connection,
                const struct fake_route *route) {
    static const char expired[] =
        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
        "\"metadata\":{},\"status\":\"Failure\",\"message\":\"too old resource version\","
        "\"reason\":\"Expired\",\"code\":410}}\n";
    char version[64];
    struct view view = {.api = api, .connection = connection, .route = route};
    fake_query(route->query, "resourceVersion", version, sizeof(version));
    fake_http_begin(connection);
    if (is_too_old(api, strtoll(version, NULL, 10))) {
        fake_http_send(connection, expired, sizeof(expired) - 1);
        fake_http_end(connection);
        return;
    }
    begin(&view, strtoll(version, NULL, 10));
    follow(&view);
}
