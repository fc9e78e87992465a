// SPDX-License-Identifier: Apache-2.0
#include "watch_run.h"

#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "base/text.h"
#include "chance.h"
#include "complaint_log.h"
#include "edge/clock.h"

enum {
    /* One line of a watch is one object. The API server stores up to 1.5 MB, escaped six times
       that. When a page is larger, fewer objects are asked for. */
    ANSWER_MAX = 32 << 20,
};

void watch_run_init(struct watch_run *run, const struct watch_run_options *options) {
    *run = (struct watch_run){.options = *options};
    watch_init(&run->watch, options->selector);
}

/* `problem` is NULL if the request went well. */
static void log_health(struct watch_run *run, const char *problem) {
    const struct watch_run_options *options = &run->options;
    if (problem == NULL) {
        complaint_settle(&run->complaint);
        return;
    }
    metrics_add(options->metrics, METRIC_WATCH_ERRORS, 1);
    (void)text_copy(run->problem, sizeof(run->problem), problem);
    int64_t times = complaint_raise(&run->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(options->log, LOG_WARN, "watch.failed", LOG_TEXT("resource", options->resource),
                  LOG_TEXT("problem", problem), LOG_INTEGER("times", times),
                  LOG_TEXT("hint",
                           "what Capstan knows of them may be old; see to its right to list "
                           "and watch them, and whether the API server answers"));
    }
}

static void end_request(struct watch_run *run, const struct kube_answer *answer, bool is_garbled) {
    const struct watch_run_options *options = &run->options;
    bool is_good = answer->is_good && !is_garbled;
    const struct watch_outcome outcome = {
        .is_good = is_good,
        .is_garbled = is_garbled,
        .is_too_large = answer->error.kind == ERROR_TOO_LARGE && !answer->is_good,
        .status = answer->status,
        .retry_after_ms = answer->retry_after_ms,
    };
    const char *problem = is_garbled ? "an answer could not be read" : answer->error.text;
    run->call = NULL;
    if (options->on_end != NULL) {
        options->on_end(options->context, answer, run->is_watch);
    }
    watch_end(&run->watch, clock_boot_ms(), chance_draw(), &outcome);
    if (is_good && run->is_watch && watch_is_hasty(&run->watch)) {
        log_health(run, "each watch ends at once; see whether a proxy between Capstan and the API "
                        "server ends long answers");
    } else {
        log_health(run, is_good ? NULL : problem);
    }
}

/* kube does not call back about a request that was cancelled. */
static void break_off(struct watch_run *run, const char *problem, bool is_garbled) {
    struct kube_answer answer = {.status = HTTP_STATUS_OK, .retry_after_ms = -1};
    error_set(&answer.error, ERROR_UNAVAILABLE, "watch: %s", problem);
    kube_cancel(run->options.kube, run->call);
    end_request(run, &answer, is_garbled);
}

static void on_page(void *context, const struct kube_answer *answer) {
    struct watch_run *run = context;
    const struct watch_run_options *options = &run->options;
    struct feed_page page;
    struct error error;
    bool is_read =
        answer->is_good && feed_read_page(answer->body, answer->body_size, options->kind,
                                          options->on_item, options->context, &page, &error);
    if (is_read && watch_page(&run->watch, &page)) {
        options->on_listed(options->context, answer);
    }
    end_request(run, answer, answer->is_good && !is_read);
}

static void on_line(void *context, const char *line, size_t size) {
    struct watch_run *run = context;
    struct feed_event event;
    struct error error;
    if (!feed_read_event(line, size, run->options.kind, &event, &error)) {
        break_off(run, error.text, true);
        return;
    }
    enum watch_effect effect = watch_event(&run->watch, &event);
    if (effect == WATCH_CLOSE) {
        break_off(run, event.message, false);
    } else {
        run->options.on_event(run->options.context, effect, &event);
    }
}

static void on_watch_end(void *context, const struct kube_answer *answer) {
    end_request(context, answer, false);
}

static void ask(struct watch_run *run, const char *collection, const struct watch_order *order) {
    const struct watch_run_options *options = &run->options;
    size_t size = strlen(collection) + strlen(order->query) + 2;
    AUTO_FREE char *path = memory_new(1, size);
    snprintf(path, size, "%s%s%s", collection, order->query[0] != '\0' ? "?" : "", order->query);
    run->is_watch = order->verb == WATCH_FOLLOW;
    if (order->is_first_page && options->on_round != NULL) {
        options->on_round(options->context);
    }
    const struct kube_request request = {
        .verb = run->is_watch ? KUBE_WATCH : KUBE_GET,
        .path = path,
        .timeout_ms = order->timeout_ms,
        .answer_max = ANSWER_MAX,
        .line = run->is_watch ? on_line : NULL,
        .done = run->is_watch ? on_watch_end : on_page,
        .context = run,
    };
    run->call = kube_begin(options->kube, &request);
}

int64_t watch_run_step(struct watch_run *run, const char *collection, int64_t now_ms) {
    struct watch_order order;
    complaint_log_over(&run->complaint, run->options.log, "watch.recovered", run->options.resource,
                       now_ms);
    watch_step(&run->watch, now_ms, chance_draw(), &order);
    if (order.verb == WATCH_WAIT) {
        return order.at_ms;
    }
    ask(run, collection, &order);
    return INT64_MAX;
}

void watch_run_break_off(struct watch_run *run, const char *problem) {
    if (run->call != NULL) {
        break_off(run, problem, false);
    }
}

void watch_run_restart(struct watch_run *run) {
    if (run->call != NULL) {
        kube_cancel(run->options.kube, TAKE(run->call));
    }
    watch_restart(&run->watch);
}
