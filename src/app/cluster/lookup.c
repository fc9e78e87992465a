// SPDX-License-Identifier: Apache-2.0
#include "lookup.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "base/text.h"
#include "core/cluster/complaint.h"
#include "edge/clock.h"

enum {
    ABSENT_MS = 5000,   /* how long an absence is believed */
    ABSENT_MAX = 256,   /* absences that are remembered */
    UNDER_WAY_MAX = 64, /* concurrent GETs; further questions get EVIDENCE_NONE */
    LATE_MS = 20,       /* with less time left, asking again is pointless */
    ANSWER_MAX = 16 << 20,
};

/* A question, and how to answer it. */
struct asker {
    struct lookup_question question;
    lookup_done *done;
    void *context;
    struct asker *next;
};

/* One GET, and the questions that wait for it. */
struct search {
    struct lookup *lookup;
    struct kube_call *call;
    struct asker *askers;
    struct search *next;
};

/* The object did not exist, or had another uid. */
struct absence {
    struct lookup_question question;
    int64_t ends_ms;
};

struct lookup {
    struct api *api;
    struct log *log;
    struct metrics *metrics;
    pthread_mutex_t mutex;  /* of the members up to the blank line */
    struct asker *incoming; /* last first */
    bool is_closed;

    /* Of the loop's thread alone. */
    struct search *searches;
    size_t n_searches;
    struct absence absences[ABSENT_MAX];
    size_t next_absence;
    struct complaint complaint;
};

struct lookup *lookup_new(struct api *api, struct log *log, struct metrics *metrics) {
    struct lookup *lookup = memory_new(1, sizeof(*lookup));
    lookup->api = api;
    lookup->log = log;
    lookup->metrics = metrics;
    pthread_mutex_init(&lookup->mutex, NULL);
    return lookup;
}

void lookup_free(struct lookup *lookup) {
    if (lookup != NULL) {
        pthread_mutex_destroy(&lookup->mutex);
        free(lookup);
    }
}

/* Compares the uid too: a GET that was sent before an object existed tells nothing about it. */
static bool is_same(const struct lookup_question *one, const struct lookup_question *other) {
    return one->kind == other->kind && strcmp(one->uid, other->uid) == 0 &&
           strcmp(one->name, other->name) == 0 && strcmp(one->namespace, other->namespace) == 0;
}

static void answer(struct asker *owned_asker, enum evidence_state state,
                   const struct object *object) {
    owned_asker->done(owned_asker->context, state, object);
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
        asker->next = lookup->incoming;
        lookup->incoming = asker;
    }
    pthread_mutex_unlock(&lookup->mutex);
    if (is_closed) {
        answer(asker, EVIDENCE_NONE, NULL);
    } else {
        kube_wake(api_kube(lookup->api));
    }
}

static bool is_known_absent(const struct lookup *lookup, const struct lookup_question *question,
                            int64_t now_ms) {
    for (size_t i = 0; i < ABSENT_MAX; i++) {
        const struct absence *absence = &lookup->absences[i];
        if (now_ms < absence->ends_ms && is_same(&absence->question, question)) {
            return true;
        }
    }
    return false;
}

static void remember_absence(struct lookup *lookup, const struct lookup_question *question) {
    struct absence *absence = &lookup->absences[lookup->next_absence];
    lookup->next_absence = (lookup->next_absence + 1) % ABSENT_MAX;
    absence->question = *question;
    absence->ends_ms = clock_boot_ms() + ABSENT_MS;
}

static void log_outcome(struct lookup *lookup, const struct kube_answer *got,
                        enum evidence_state state) {
    static const enum metric counters[] = {[EVIDENCE_NONE] = METRIC_LOOKUPS_FAILED,
                                           [EVIDENCE_FOUND] = METRIC_LOOKUPS_FOUND,
                                           [EVIDENCE_ABSENT] = METRIC_LOOKUPS_ABSENT};
    metrics_add(lookup->metrics, counters[state], 1);
    if (state != EVIDENCE_NONE) {
        complaint_settle(&lookup->complaint);
    } else if (complaint_raise(&lookup->complaint, COMPLAINT_ONCE, "", clock_boot_ms()) > 0) {
        log_event(
            lookup->log, LOG_WARN, "lookup.failed",
            LOG_TEXT("problem", got->is_good ? "the object could not be read" : got->error.text));
    }
}

static enum evidence_state judge(const struct kube_answer *got, enum object_kind kind,
                                 struct object *ret_object) {
    if (!got->is_good) {
        return got->error.kind == ERROR_NOT_FOUND ? EVIDENCE_ABSENT : EVIDENCE_NONE;
    }
    bool is_read = object_decode(got->body, got->body_size, ret_object);
    return is_read && ret_object->kind == kind ? EVIDENCE_FOUND : EVIDENCE_NONE;
}

static void forget(struct search *search) {
    struct lookup *lookup = search->lookup;
    struct search **at = &lookup->searches;
    while (*at != search) {
        at = &(*at)->next;
    }
    *at = search->next;
    lookup->n_searches--;
}

static void handle(struct lookup *lookup, struct asker *asker, int64_t now_ms);

static void on_object(void *context, const struct kube_answer *got) {
    struct search *search = context;
    struct lookup *lookup = search->lookup;
    struct object object;
    enum evidence_state state = judge(got, search->askers->question.kind, &object);
    bool is_late = !got->is_good && got->error.kind == ERROR_TIMEOUT;
    forget(search);
    log_outcome(lookup, got, state);
    if (got->status == HTTP_STATUS_NOT_FOUND && state != EVIDENCE_ABSENT) {
        api_doubt(lookup->api);
    }
    while (search->askers != NULL) {
        struct asker *asker = search->askers;
        search->askers = asker->next;
        if (is_late && asker->question.deadline_ms > clock_boot_ms() + LATE_MS) {
            handle(lookup, asker, clock_boot_ms()); /* the GET that it shared had less time */
            continue;
        }
        if (state == EVIDENCE_ABSENT) {
            remember_absence(lookup, &asker->question);
        }
        answer(asker, state, state == EVIDENCE_FOUND ? &object : NULL);
    }
    free(search);
}

static void begin(struct lookup *lookup, struct asker *asker, int64_t now_ms) {
    const struct lookup_question *question = &asker->question;
    struct search *search = memory_new(1, sizeof(*search));
    char path[API_PATH_SIZE];
    api_object_path(lookup->api, question->kind, question->namespace, question->name, "", path);
    const struct kube_request request = {
        .verb = KUBE_GET,
        .path = path,
        .timeout_ms = question->deadline_ms - now_ms,
        .answer_max = ANSWER_MAX,
        .done = on_object,
        .context = search,
    };
    search->lookup = lookup;
    search->askers = asker;
    asker->next = NULL;
    search->next = lookup->searches;
    lookup->searches = search;
    lookup->n_searches++;
    search->call = kube_begin(api_kube(lookup->api), &request);
}

/* Names go into the path unescaped, so they must be DNS names. */
static bool can_be_asked(const struct lookup *lookup, const struct lookup_question *question) {
    return text_is_dns_label(question->namespace) && text_is_dns_subdomain(question->name) &&
           (question->kind == OBJECT_DEPLOYMENT || api_state(lookup->api) == API_SERVED);
}

static void handle(struct lookup *lookup, struct asker *asker, int64_t now_ms) {
    struct search *search = lookup->searches;
    while (search != NULL && !is_same(&search->askers->question, &asker->question)) {
        search = search->next;
    }
    if (search != NULL) {
        asker->next = search->askers->next;
        search->askers->next = asker;
    } else if (is_known_absent(lookup, &asker->question, now_ms)) {
        answer(asker, EVIDENCE_ABSENT, NULL);
    } else if (now_ms >= asker->question.deadline_ms || lookup->n_searches >= UNDER_WAY_MAX ||
               !can_be_asked(lookup, &asker->question)) {
        metrics_add(lookup->metrics, METRIC_LOOKUPS_FAILED, 1);
        api_doubt(lookup->api);
        answer(asker, EVIDENCE_NONE, NULL);
    } else {
        begin(lookup, asker, now_ms);
    }
}

static struct asker *take_incoming(struct lookup *lookup) {
    pthread_mutex_lock(&lookup->mutex);
    struct asker *asker = lookup->incoming;
    lookup->incoming = NULL;
    pthread_mutex_unlock(&lookup->mutex);
    return asker;
}

void lookup_step(struct lookup *lookup, int64_t now_ms) {
    struct asker *asker = take_incoming(lookup);
    while (asker != NULL) {
        struct asker *next = asker->next;
        handle(lookup, asker, now_ms);
        asker = next;
    }
}

static void answer_all(struct asker *asker) {
    while (asker != NULL) {
        struct asker *next = asker->next;
        answer(asker, EVIDENCE_NONE, NULL);
        asker = next;
    }
}

void lookup_close(struct lookup *lookup) {
    pthread_mutex_lock(&lookup->mutex);
    lookup->is_closed = true;
    pthread_mutex_unlock(&lookup->mutex);
    answer_all(take_incoming(lookup));
    while (lookup->searches != NULL) {
        struct search *search = lookup->searches;
        forget(search);
        kube_cancel(api_kube(lookup->api), search->call);
        answer_all(search->askers);
        free(search);
    }
}
