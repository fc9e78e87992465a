// SPDX-License-Identifier: Apache-2.0
#include "follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/json_edit.h"
#include "base/memory.h"
#include "chance.h"
#include "core/cluster/watch.h"
#include "edge/clock.h"
#include "watch_health.h"

enum { ANSWER_MAX = 8 << 20, SELECTOR_SIZE = 320 };

struct follow {
    struct follow_options options;
    char selector[SELECTOR_SIZE];
    struct watch watch;
    struct kube_call *call; /* the request under way, or NULL */
    bool is_fresh;
    struct watch_health health;
    bool is_broken; /* what came could not be read; the request ends as a failure */
};

struct follow *follow_new(const struct follow_options *options) {
    struct follow *follow = memory_new(1, sizeof(*follow));
    follow->options = *options;
    follow->health = (struct watch_health){
        .resource = options->resource, .log = options->log, .metrics = options->metrics};
    snprintf(follow->selector, sizeof(follow->selector), "fieldSelector=metadata.name%%3D%s",
             options->name);
    watch_init(&follow->watch, follow->selector);
    return follow;
}

void follow_free(struct follow *follow) {
    free(follow);
}

void follow_restart(struct follow *follow) {
    if (follow->call != NULL) {
        kube_cancel(follow->options.kube, follow->call);
        follow->call = NULL;
    }
    watch_init(&follow->watch, follow->selector);
    follow->is_fresh = false;
}

bool follow_is_fresh(const struct follow *follow) {
    return follow->is_fresh;
}

static void report(struct follow *follow, const struct kube_answer *answer) {
    const char *problem = follow->is_broken ? "an answer could not be read"
                          : answer->is_good ? NULL
                                            : answer->error.text;
    watch_health_note(&follow->health, problem, clock_boot_ms());
}

static void end_request(struct follow *follow, const struct kube_answer *answer) {
    const struct watch_outcome outcome = {
        .is_good = answer->is_good && !follow->is_broken,
        .is_garbled = follow->is_broken,
        .status = answer->status,
        .retry_after_ms = answer->retry_after_ms,
    };
    follow->call = NULL;
    report(follow, answer);
    watch_end(&follow->watch, clock_boot_ms(), chance_draw(), &outcome);
}

static void pass_over(void *context, const struct object *object) {
    (void)context;
    (void)object;
}

/* The one item that the selector leaves, if it is there. */
static bool find_item(const char *json, size_t size, struct json_text *ret_item) {
    static const char *const path[] = {"items"};
    struct json_text items;
    struct json_reader reader;
    if (!json_edit_find(json, size, path, COUNT_OF(path), &items)) {
        return false;
    }
    json_begin(&reader, items.at, items.size);
    return json_enter_array(&reader) && json_next_item(&reader) && json_read_raw(&reader, ret_item);
}

static void take_page(void *context, const struct kube_answer *answer) {
    struct follow *follow = context;
    const struct follow_options *options = &follow->options;
    struct feed_page page;
    struct error error;
    struct json_text item = {.at = NULL};
    follow->is_broken =
        answer->is_good && !feed_read_page(answer->body, answer->body_size, OBJECT_OTHER, pass_over,
                                           NULL, &page, &error);
    if (answer->is_good && !follow->is_broken && watch_page(&follow->watch, &page)) {
        bool is_there = find_item(answer->body, answer->body_size, &item);
        follow->is_fresh = true;
        options->changed(options->context, is_there ? item.at : NULL, is_there ? item.size : 0);
    }
    end_request(follow, answer);
}

static void break_off(struct follow *follow, const char *problem) {
    struct kube_answer answer = {.status = HTTP_STATUS_OK, .retry_after_ms = -1};
    error_set(&answer.error, ERROR_UNAVAILABLE, "watch: %s", problem);
    kube_cancel(follow->options.kube, follow->call);
    end_request(follow, &answer);
}

static void take_line(void *context, const char *line, size_t size) {
    struct follow *follow = context;
    const struct follow_options *options = &follow->options;
    struct feed_event event;
    struct error error;
    if (!feed_read_event(line, size, OBJECT_OTHER, &event, &error)) {
        follow->is_broken = true;
        break_off(follow, error.text);
        return;
    }
    switch (watch_event(&follow->watch, &event)) {
    case WATCH_IGNORE:
        break;
    case WATCH_PUT:
        options->changed(options->context, event.raw.at, event.raw.size);
        break;
    case WATCH_REMOVE:
        options->changed(options->context, NULL, 0);
        break;
    case WATCH_CLOSE:
        break_off(follow, event.message);
        break;
    }
}

static void take_watch_end(void *context, const struct kube_answer *answer) {
    end_request(context, answer);
}

static void ask(struct follow *follow, const struct watch_order *order) {
    const struct follow_options *options = &follow->options;
    bool is_list = order->verb == WATCH_LIST;
    size_t size = strlen(options->collection) + strlen(order->query) + 2;
    AUTO_FREE char *path = memory_new(1, size);
    snprintf(path, size, "%s?%s", options->collection, order->query);
    const struct kube_request request = {
        .verb = is_list ? KUBE_GET : KUBE_WATCH,
        .path = path,
        .timeout_ms = order->timeout_ms,
        .answer_max = ANSWER_MAX,
        .line = is_list ? NULL : take_line,
        .done = is_list ? take_page : take_watch_end,
        .context = follow,
    };
    follow->is_broken = false;
    follow->call = kube_begin(options->kube, &request);
}

int64_t follow_step(struct follow *follow, int64_t now_ms) {
    struct watch_order order;
    watch_step(&follow->watch, now_ms, chance_draw(), &order);
    if (order.verb == WATCH_WAIT) {
        return order.at_ms;
    }
    ask(follow, &order);
    return INT64_MAX;
}
