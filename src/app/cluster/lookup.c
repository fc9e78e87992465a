// SPDX-License-Identifier: Apache-2.0
#include "lookup.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "base/text.h"
#include "complaint_log.h"
#include "edge/clock.h"

enum { ANSWER_MAX = 16 << 20 };

/* A question, and how to answer it. */
struct asker {
    struct lookup_question question;
    lookup_done *done;
    void *context;
    struct asker *next;
};

/* The GET of a place in the queue. */
struct search {
    struct lookup *lookup;
    enum object_kind kind;
    struct kube_call *call; /* NULL: none is under way */
};

struct lookup {
    struct api *api;
    struct log *log;
    struct metrics *metrics;
    pthread_mutex_t mutex;  /* of the members up to the blank line */
    struct asker *incoming; /* oldest first */
    struct asker **incoming_end;
    bool is_closed;

    /* Of the loop's thread alone. */
    struct lookup_queue *queue;
    struct search searches[LOOKUP_PLACES];
    struct complaint complaint;
};

struct lookup *lookup_new(struct api *api, struct log *log, struct metrics *metrics) {
    struct lookup *lookup = memory_new(1, sizeof(*lookup));
    lookup->api = api;
    lookup->log = log;
    lookup->metrics = metrics;
    pthread_mutex_init(&lookup->mutex, NULL);
    lookup->incoming_end = &lookup->incoming;
    lookup->queue = lookup_queue_new();
    for (size_t i = 0; i < LOOKUP_PLACES; i++) {
        lookup->searches[i].lookup = lookup;
    }
    return lookup;
}

void lookup_free(struct lookup *lookup) {
    if (lookup != NULL) {
        lookup_queue_free(lookup->queue);
        pthread_mutex_destroy(&lookup->mutex);
        free(lookup);
    }
}

static void answer(struct asker *owned_asker, enum evidence_state state, const struct fact *fact) {
    owned_asker->done(owned_asker->context, state, fact);
    free(owned_asker);
}

void lookup_ask(struct lookup *lookup, const struct lookup_question *question, lookup_done *done,
                void *context) {
    struct asker *asker = memory_new(1, sizeof(*asker));
    asker->question = *question;
    asker->done = done;
    asker->context = context;
    pthread_mutex_lock(&lookup->mutex);
    bool is_closed = lookup->is_closed;
    if (!is_closed) {
        *lookup->incoming_end = asker;
        lookup->incoming_end = &asker->next;
    }
    pthread_mutex_unlock(&lookup->mutex);
    if (is_closed) {
        answer(asker, EVIDENCE_FAILED, NULL);
    } else {
        kube_wake(api_kube(lookup->api));
    }
}

static void log_outcome(struct lookup *lookup, const struct kube_answer *got,
                        enum evidence_state state) {
    static const enum metric counters[] = {[EVIDENCE_FAILED] = METRIC_LOOKUPS_FAILED,
                                           [EVIDENCE_FOUND] = METRIC_LOOKUPS_FOUND,
                                           [EVIDENCE_ABSENT] = METRIC_LOOKUPS_ABSENT};
    metrics_add(lookup->metrics, counters[state], 1);
    if (state != EVIDENCE_FAILED) {
        complaint_settle(&lookup->complaint);
        return;
    }
    int64_t times = complaint_raise(&lookup->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(
            lookup->log, LOG_WARN, "lookup.failed",
            LOG_TEXT("problem", got->is_good ? "the answer is not the object that was asked for; "
                                               "see whether a proxy answers in place of the API "
                                               "server"
                                             : got->error.text),
            LOG_INTEGER("times", times),
            LOG_TEXT("hint", "requests about objects that the watch lacks go by onUnresolved; "
                             "see whether the API server answers within 500 ms"));
    }
}

static enum evidence_state judge(const struct kube_answer *got, enum object_kind kind,
                                 struct fact *ret_fact) {
    struct object object;
    if (!got->is_good) {
        return got->error.kind == ERROR_NOT_FOUND ? EVIDENCE_ABSENT : EVIDENCE_FAILED;
    }
    if (!object_decode(got->body, got->body_size, &object) || object.kind != kind ||
        !object_is_identified(&object)) {
        return EVIDENCE_FAILED;
    }
    facts_of(&object, ret_fact);
    return EVIDENCE_FOUND;
}

/* lookup_step(), which follows each kube_wait(), gives the answers. */
static void on_object(void *context, const struct kube_answer *got) {
    struct search *search = context;
    struct lookup *lookup = search->lookup;
    struct fact fact;
    enum evidence_state state = judge(got, search->kind, &fact);
    search->call = NULL;
    log_outcome(lookup, got, state);
    if (got->status == HTTP_STATUS_NOT_FOUND && state != EVIDENCE_ABSENT) {
        api_doubt(lookup->api, search->kind);
    }
    lookup_queue_end(lookup->queue, (size_t)(search - lookup->searches), state,
                     state == EVIDENCE_FOUND ? &fact : NULL, clock_boot_ms());
}

static void begin(struct lookup *lookup, const struct lookup_action *action) {
    struct search *search = &lookup->searches[action->place];
    char path[API_PATH_SIZE];
    search->kind = action->object_kind;
    api_object_path(lookup->api, search->kind, action->namespace, action->name, "", path);
    const struct kube_request request = {
        .verb = KUBE_GET,
        .path = path,
        .timeout_ms = LOOKUP_GET_MS,
        .answer_max = ANSWER_MAX,
        .done = on_object,
        .context = search,
    };
    search->call = kube_begin(api_kube(lookup->api), &request);
}

/* Names go into the path unescaped, so they must be DNS names. */
static bool can_be_asked(const struct lookup *lookup, const struct lookup_question *question) {
    return api_state(lookup->api, question->kind) == API_SERVED &&
           text_is_dns_label(question->namespace) && text_is_dns_subdomain(question->name);
}

static struct asker *take_incoming(struct lookup *lookup) {
    pthread_mutex_lock(&lookup->mutex);
    struct asker *asker = lookup->incoming;
    lookup->incoming = NULL;
    lookup->incoming_end = &lookup->incoming;
    pthread_mutex_unlock(&lookup->mutex);
    return asker;
}

static void add_incoming(struct lookup *lookup, int64_t now_ms) {
    struct asker *asker = take_incoming(lookup);
    while (asker != NULL) {
        struct asker *next = asker->next;
        if (can_be_asked(lookup, &asker->question)) {
            lookup_queue_add(lookup->queue, &asker->question, asker, now_ms);
        } else {
            metrics_add(lookup->metrics, METRIC_LOOKUPS_FAILED, 1);
            answer(asker, EVIDENCE_FAILED, NULL);
        }
        asker = next;
    }
}

/* Acts until the queue says to wait. Returns until when. */
static int64_t act(struct lookup *lookup, int64_t now_ms) {
    struct lookup_action action;
    for (;;) {
        lookup_queue_next(lookup->queue, now_ms, &action);
        if (action.kind == LOOKUP_WAIT) {
            return action.until_ms;
        }
        if (action.kind == LOOKUP_BEGIN) {
            begin(lookup, &action);
        } else {
            metrics_add(lookup->metrics, METRIC_LOOKUPS_FAILED, action.is_crowded_out ? 1 : 0);
            answer(action.context, action.state, action.fact);
        }
    }
}

int64_t lookup_step(struct lookup *lookup, int64_t now_ms) {
    complaint_log_over(&lookup->complaint, lookup->log, "lookup.recovered", TOOLHIVE_GROUP, now_ms);
    add_incoming(lookup, now_ms);
    return act(lookup, now_ms);
}

void lookup_notice(struct lookup *lookup, enum object_kind kind, const struct object *object) {
    lookup_queue_drop(lookup->queue, kind, object == NULL ? NULL : object->namespace,
                      object == NULL ? NULL : object->name);
}

void lookup_close(struct lookup *lookup) {
    pthread_mutex_lock(&lookup->mutex);
    lookup->is_closed = true;
    pthread_mutex_unlock(&lookup->mutex);
    lookup_queue_close(lookup->queue);
    lookup_step(lookup, clock_boot_ms());
    for (size_t i = 0; i < LOOKUP_PLACES; i++) {
        struct search *search = &lookup->searches[i];
        if (search->call != NULL) {
            kube_cancel(api_kube(lookup->api), search->call);
            search->call = NULL;
        }
    }
}
