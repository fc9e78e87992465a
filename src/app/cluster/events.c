// SPDX-License-Identifier: Apache-2.0
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/http_status.h"
#include "base/memory.h"
#include "chance.h"
#include "complaint_log.h"
#include "core/cluster/throttle.h"
#include "core/facts/object.h"
#include "edge/clock.h"

enum {
    UNDER_WAY_MAX = 4,
    WAITING_MAX = 1024,
    TIMEOUT_MS = 5000,
    ANSWER_MAX = 1 << 20,
    BODY_MAX = 8192,
    PATH_SIZE = 256,
};

struct letter {
    bool is_once; /* it may be there already */
    char path[PATH_SIZE];
    struct buffer body;
    struct letter *next;
};

/* A request that is under way. */
struct sending {
    struct events *events; /* NULL: a free place */
    bool is_once;
    unsigned ticket;
};

struct events {
    struct kube *kube;
    struct log *log;
    struct throttle throttle;
    struct sending sendings[UNDER_WAY_MAX];
    struct letter *first; /* the queue */
    struct letter **last;
    size_t n_waiting;
    struct complaint complaint;
};

struct events *events_new(struct kube *kube, struct log *log) {
    struct events *events = memory_new(1, sizeof(*events));
    events->kube = kube;
    events->log = log;
    events->last = &events->first;
    throttle_init(&events->throttle, UNDER_WAY_MAX);
    return events;
}

static void letter_free(struct letter *letter) {
    buffer_fini(&letter->body);
    free(letter);
}

static struct letter *take_first(struct events *events) {
    struct letter *letter = events->first;
    events->first = letter->next;
    if (events->first == NULL) {
        events->last = &events->first;
    }
    events->n_waiting--;
    return letter;
}

void events_free(struct events *events) {
    if (events == NULL) {
        return;
    }
    while (events->first != NULL) {
        letter_free(take_first(events));
    }
    free(events);
}

static void log_refusal(struct events *events, const char *problem) {
    int64_t times = complaint_raise(&events->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(events->log, LOG_WARN, "event.refused", LOG_TEXT("problem", problem),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint",
                           "Capstan works on, and this news is in its log alone; see to its "
                           "right to create events of events.k8s.io"));
    }
}

/* The news about the next Events. An Event that is invalid, or whose namespace is gone, stops no
   others. */
static enum throttle_news news_of(const struct kube_answer *answer) {
    bool is_own =
        answer->status == HTTP_STATUS_BAD_REQUEST || answer->status == HTTP_STATUS_NOT_FOUND ||
        answer->status == HTTP_STATUS_CONFLICT || answer->status == HTTP_STATUS_CONTENT_TOO_LARGE ||
        answer->status == HTTP_STATUS_UNPROCESSABLE;
    return is_own || answer_shows(answer, "Event", NULL) ? THROTTLE_OPEN : THROTTLE_CLOSED;
}

static void send_some(struct events *events, int64_t now_ms);

static void on_answer(void *context, const struct kube_answer *answer) {
    struct sending *sending = context;
    struct events *events = sending->events;
    int64_t now_ms = clock_boot_ms();
    sending->events = NULL;
    throttle_end(&events->throttle, sending->ticket, now_ms, chance_draw(), news_of(answer),
                 answer->retry_after_ms);
    bool is_there = sending->is_once && answer->status == HTTP_STATUS_CONFLICT;
    if (is_there || answer_shows(answer, "Event", NULL)) {
        complaint_settle(&events->complaint);
    } else {
        log_refusal(events, answer->is_good ? "the answer has status 2xx and is no Event; see "
                                              "whether a proxy answers in place of the API server"
                                            : answer->error.text);
    }
    send_some(events, now_ms);
}

/* The throttle has as many lanes as there are places. */
static struct sending *find_place(struct events *events) {
    struct sending *sending = events->sendings;
    while (sending->events != NULL) {
        sending++;
    }
    return sending;
}

static void send_some(struct events *events, int64_t now_ms) {
    while (events->first != NULL && throttle_next_ms(&events->throttle) <= now_ms) {
        struct letter *letter = take_first(events);
        struct sending *sending = find_place(events);
        const struct kube_request request = {
            .verb = KUBE_CREATE,
            .path = letter->path,
            .body = letter->body.bytes,
            .body_size = letter->body.size,
            .timeout_ms = TIMEOUT_MS,
            .answer_max = ANSWER_MAX,
            .done = on_answer,
            .context = sending,
        };
        sending->events = events;
        sending->is_once = letter->is_once;
        sending->ticket = throttle_begin(&events->throttle, now_ms);
        kube_begin(events->kube, &request);
        letter_free(letter);
    }
}

int64_t events_step(struct events *events, int64_t now_ms) {
    complaint_log_over(&events->complaint, events->log, "event.recovered", "events", now_ms);
    send_some(events, now_ms);
    return events->first != NULL ? throttle_next_ms(&events->throttle) : INT64_MAX;
}

void events_post(struct events *events, const struct event *event) {
    if (events->n_waiting >= WAITING_MAX) {
        log_refusal(events, "more of them than the API server takes; some are left out");
        return;
    }
    struct letter *letter = memory_new(1, sizeof(*letter));
    buffer_init(&letter->body, BODY_MAX);
    letter->is_once = event->once != 0;
    event_write(event, &letter->body);
    snprintf(letter->path, sizeof(letter->path), "/apis/events.k8s.io/v1/namespaces/%s/events",
             event->namespace);
    *events->last = letter;
    events->last = &letter->next;
    events->n_waiting++;
    send_some(events, clock_boot_ms());
}

bool events_are_sent(const struct events *events) {
    return throttle_is_idle(&events->throttle) && events->first == NULL;
}
