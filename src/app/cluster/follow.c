// SPDX-License-Identifier: Apache-2.0
#include "follow.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_edit.h"
#include "base/memory.h"
#include "watch_run.h"

enum { SELECTOR_SIZE = 320 };

struct follow {
    struct follow_options options;
    char selector[SELECTOR_SIZE];
    struct watch_run run;
    bool is_fresh;
};

/* on_listed() takes the one item as text. */
static void on_item(void *context, const struct object *object) {
    (void)context;
    (void)object;
}

/* The selector leaves one item at most. */
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

static void on_listed(void *context, const struct kube_answer *page) {
    struct follow *follow = context;
    const struct follow_options *options = &follow->options;
    struct json_text item;
    bool is_there = find_item(page->body, page->body_size, &item);
    follow->is_fresh = true;
    options->changed(options->context, is_there ? item.at : NULL, is_there ? item.size : 0);
}

static void on_event(void *context, enum watch_effect effect, const struct feed_event *event) {
    const struct follow *follow = context;
    const struct follow_options *options = &follow->options;
    if (effect == WATCH_PUT) {
        options->changed(options->context, event->raw.at, event->raw.size);
    } else if (effect == WATCH_REMOVE) {
        options->changed(options->context, NULL, 0);
    }
}

struct follow *follow_new(const struct follow_options *options) {
    struct follow *follow = memory_new(1, sizeof(*follow));
    const struct watch_run_options run_options = {
        .kube = options->kube,
        .resource = options->resource,
        .selector = follow->selector,
        .kind = OBJECT_OTHER,
        .log = options->log,
        .metrics = options->metrics,
        .on_item = on_item,
        .on_listed = on_listed,
        .on_event = on_event,
        .context = follow,
    };
    follow->options = *options;
    snprintf(follow->selector, sizeof(follow->selector), "fieldSelector=metadata.name%%3D%s",
             options->name);
    watch_run_init(&follow->run, &run_options);
    return follow;
}

void follow_free(struct follow *follow) {
    free(follow);
}

void follow_restart(struct follow *follow) {
    watch_run_restart(&follow->run);
    follow->is_fresh = false;
}

bool follow_is_fresh(const struct follow *follow) {
    return follow->is_fresh;
}

int64_t follow_step(struct follow *follow, int64_t now_ms) {
    return watch_run_step(&follow->run, follow->options.collection, now_ms);
}
