// SPDX-License-Identifier: Apache-2.0
#include "events.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "core/cluster/complaint.h"
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
    char path[PATH_SIZE];
    struct buffer body;
    struct letter *next;
};

struct events {
    struct kube *kube;
    struct log *log;
    size_t n_under_way;
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
    if (complaint_raise(&events->complaint, COMPLAINT_ONCE, "", clock_boot_ms()) > 0) {
        log_event(events->log, LOG_WARN, "event.refused", LOG_TEXT("problem", problem));
    }
}

static void send_some(struct events *events);

static void on_answer(void *context, const struct kube_answer *answer) {
    struct events *events = context;
    events->n_under_way--;
    if (answer->is_good) {
        complaint_settle(&events->complaint);
    } else {
        log_refusal(events, answer->error.text);
    }
    send_some(events);
}

static void send_some(struct events *events) {
    while (events->n_under_way < UNDER_WAY_MAX && events->first != NULL) {
        struct letter *letter = take_first(events);
        const struct kube_request request = {
            .verb = KUBE_CREATE,
            .path = letter->path,
            .body = letter->body.bytes,
            .body_size = letter->body.size,
            .timeout_ms = TIMEOUT_MS,
            .answer_max = ANSWER_MAX,
            .done = on_answer,
            .context = events,
        };
        events->n_under_way++;
        kube_begin(events->kube, &request);
        letter_free(letter);
    }
}

void events_post(struct events *events, const struct event *event) {
    if (events->n_waiting >= WAITING_MAX) {
        log_refusal(events, "more of them than the API server takes; some are left out");
        return;
    }
    struct letter *letter = memory_new(1, sizeof(*letter));
    buffer_init(&letter->body, BODY_MAX);
    event_write(event, &letter->body);
    snprintf(letter->path, sizeof(letter->path), "/apis/events.k8s.io/v1/namespaces/%s/events",
             event->namespace);
    *events->last = letter;
    events->last = &letter->next;
    events->n_waiting++;
    send_some(events);
}

bool events_are_sent(const struct events *events) {
    return events->n_under_way == 0 && events->first == NULL;
}
