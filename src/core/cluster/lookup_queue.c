// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/lookup_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "pace.h"

enum { TURNS = 64 }; /* namespaces with the same hash share their turns */

enum phase { PHASE_IDLE, PHASE_UNDER_WAY, PHASE_ANSWERED };

/* An object that is asked about: its GET, and its answer while that is kept. */
struct topic {
    enum object_kind kind;
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE];
    uint64_t hash;
    size_t turn; /* the index of its namespace's */
    size_t n_askers;
    enum phase phase;
    uint64_t n_begun;   /* GETs */
    unsigned n_patient; /* questions that waited for the watch since the latest GET */
    bool is_overtaken;  /* the answer, or the one under way, serves no late question */
    enum evidence_state state;
    struct fact fact;
    int64_t ends_ms; /* when the answer is no longer kept */
    struct topic *next;
};

/* A question without an answer. */
struct asker {
    struct topic *topic;
    void *context;
    uint64_t n_begun; /* the topic's when the question came */
    int64_t came_ms;
    int64_t deadline_ms;
    int64_t generation;
    char uid[OBJECT_UID_SIZE];
    bool is_hasty; /* enough others wait for the watch */
    struct asker *next;
};

struct lookup_queue {
    struct asker *askers; /* oldest first */
    struct asker **askers_end;
    struct topic *topics; /* newest first */
    struct topic *places[LOOKUP_PLACES];
    size_t n_under_way;
    struct pace pace;
    uint64_t turns[TURNS]; /* when each namespace had its last turn, in turns */
    uint64_t n_turns;
    bool is_closed;
};

struct lookup_queue *lookup_queue_new(void) {
    struct lookup_queue *queue = memory_new(1, sizeof(*queue));
    queue->askers_end = &queue->askers;
    queue->pace = (struct pace){.per_second = LOOKUP_RATE - LOOKUP_BURST, .burst = LOOKUP_BURST};
    return queue;
}

void lookup_queue_free(struct lookup_queue *queue) {
    if (queue == NULL) {
        return;
    }
    while (queue->askers != NULL) {
        struct asker *asker = queue->askers;
        queue->askers = asker->next;
        free(asker);
    }
    while (queue->topics != NULL) {
        struct topic *topic = queue->topics;
        queue->topics = topic->next;
        free(topic);
    }
    free(queue);
}

static uint64_t hash_object(enum object_kind kind, const char *namespace, const char *name) {
    return hash_text(hash_text(hash_text(HASH_EMPTY, kind_rows[kind].plural), namespace), name);
}

static struct topic *find_topic(const struct lookup_queue *queue, enum object_kind kind,
                                const char *namespace, const char *name) {
    uint64_t hash = hash_object(kind, namespace, name);
    struct topic *topic = queue->topics;
    while (topic != NULL &&
           (topic->hash != hash || topic->kind != kind || strcmp(topic->name, name) != 0 ||
            strcmp(topic->namespace, namespace) != 0)) {
        topic = topic->next;
    }
    return topic;
}

static struct topic *add_topic(struct lookup_queue *queue, const struct lookup_question *question) {
    struct topic *topic = memory_new(1, sizeof(*topic));
    topic->kind = question->kind;
    text_copy(topic->namespace, sizeof(topic->namespace), question->namespace);
    text_copy(topic->name, sizeof(topic->name), question->name);
    topic->hash = hash_object(question->kind, question->namespace, question->name);
    topic->turn = hash_fold(hash_text(HASH_EMPTY, question->namespace)) % TURNS;
    topic->next = queue->topics;
    queue->topics = topic;
    return topic;
}

static bool shows_the_hoped(const struct topic *topic, const struct asker *asker) {
    return topic->state == EVIDENCE_FOUND && asker->generation <= topic->fact.generation &&
           (asker->uid[0] == '\0' || strcmp(asker->uid, topic->fact.uid) == 0);
}

void lookup_queue_add(struct lookup_queue *queue, const struct lookup_question *question,
                      void *context, int64_t now_ms) {
    struct topic *topic = find_topic(queue, question->kind, question->namespace, question->name);
    struct asker *asker = memory_new(1, sizeof(*asker));
    if (topic == NULL) {
        topic = add_topic(queue, question);
    }
    topic->n_askers++;
    asker->topic = topic;
    asker->context = context;
    asker->n_begun = topic->n_begun;
    asker->came_ms = now_ms;
    asker->deadline_ms = question->deadline_ms;
    asker->generation = question->generation;
    text_copy(asker->uid, sizeof(asker->uid), question->uid);
    if (topic->phase == PHASE_ANSWERED && !shows_the_hoped(topic, asker)) {
        asker->is_hasty = topic->n_patient >= LOOKUP_PATIENT_MAX;
        topic->n_patient += asker->is_hasty ? 0 : 1;
    }
    *queue->askers_end = asker;
    queue->askers_end = &asker->next;
}

/* The question came when the topic's latest GET had begun. */
static bool is_late(const struct asker *asker) {
    return asker->n_begun == asker->topic->n_begun;
}

/* The answer serves no late question that came at that time. */
static bool is_spent(const struct topic *topic, int64_t came_ms) {
    return topic->phase == PHASE_ANSWERED && (topic->is_overtaken || came_ms >= topic->ends_ms);
}

/* The time at which the question gets the answer that the topic has, or fails. */
static int64_t due_ms(const struct asker *asker) {
    const struct topic *topic = asker->topic;
    if (topic->phase != PHASE_ANSWERED) {
        return asker->deadline_ms;
    }
    if (!is_late(asker) || asker->is_hasty || shows_the_hoped(topic, asker)) {
        return INT64_MIN;
    }
    return MIN(asker->deadline_ms, asker->came_ms + LOOKUP_LAG_MS);
}

static void answer(struct lookup_queue *queue, struct asker **at, struct lookup_action *action) {
    struct asker *asker = *at;
    struct topic *topic = asker->topic;
    bool has_answer = topic->phase == PHASE_ANSWERED && !queue->is_closed;
    *action = (struct lookup_action){
        .kind = LOOKUP_ANSWER,
        .context = asker->context,
        .state = has_answer ? topic->state : EVIDENCE_FAILED,
        .fact = has_answer && topic->state == EVIDENCE_FOUND ? &topic->fact : NULL,
        .is_crowded_out = topic->phase == PHASE_IDLE && !queue->is_closed,
    };
    topic->n_askers--;
    *at = asker->next;
    if (*at == NULL) {
        queue->askers_end = at;
    }
    free(asker);
}

static void begin(struct lookup_queue *queue, struct topic *topic, struct lookup_action *action) {
    size_t place = 0;
    while (queue->places[place] != NULL) {
        place++;
    }
    queue->places[place] = topic;
    queue->n_under_way++;
    queue->turns[topic->turn] = ++queue->n_turns;
    topic->phase = PHASE_UNDER_WAY;
    topic->is_overtaken = false;
    topic->n_patient = 0;
    topic->n_begun++;
    *action = (struct lookup_action){
        .kind = LOOKUP_BEGIN,
        .place = place,
        .object_kind = topic->kind,
        .namespace = topic->namespace,
        .name = topic->name,
    };
}

/* Frees the topics that nobody asks about, except the newest ones whose answers are still good. */
static void purge(struct lookup_queue *queue, int64_t now_ms) {
    size_t n_kept = 0;
    struct topic **at = &queue->topics;
    while (*at != NULL) {
        struct topic *topic = *at;
        bool is_kept =
            topic->phase == PHASE_ANSWERED && !is_spent(topic, now_ms) && n_kept < LOOKUP_KEPT_MAX;
        n_kept += is_kept ? 1 : 0;
        if (is_kept || topic->n_askers > 0 || topic->phase == PHASE_UNDER_WAY) {
            at = &topic->next;
        } else {
            *at = topic->next;
            free(topic);
        }
    }
}

/* True if the question's GET comes before the other's. The other one is older. */
static bool has_turn_before(const struct lookup_queue *queue, const struct asker *asker,
                            const struct asker *other) {
    return other == NULL || queue->turns[asker->topic->turn] < queue->turns[other->topic->turn];
}

void lookup_queue_next(struct lookup_queue *queue, int64_t now_ms,
                       struct lookup_action *ret_action) {
    struct asker *first = NULL;
    int64_t until_ms = INT64_MAX;
    for (struct asker **at = &queue->askers; *at != NULL; at = &(*at)->next) {
        struct asker *asker = *at;
        struct topic *topic = asker->topic;
        /* Questions that are not late are older, and so they have got the answer before. */
        if (is_late(asker) && is_spent(topic, asker->came_ms)) {
            topic->phase = PHASE_IDLE;
        }
        if (queue->is_closed || now_ms >= due_ms(asker)) {
            answer(queue, at, ret_action);
            return;
        }
        until_ms = MIN(until_ms, due_ms(asker));
        if (topic->phase == PHASE_IDLE && now_ms + LOOKUP_LATE_MS <= asker->deadline_ms &&
            has_turn_before(queue, asker, first)) {
            first = asker;
        }
    }
    if (first != NULL && queue->n_under_way < LOOKUP_PLACES) {
        if (pace_take(&queue->pace, now_ms)) {
            begin(queue, first->topic, ret_action);
            return;
        }
        until_ms = MIN(until_ms, pace_next_ms(&queue->pace, now_ms));
    }
    purge(queue, now_ms);
    *ret_action = (struct lookup_action){.kind = LOOKUP_WAIT, .until_ms = until_ms};
}

void lookup_queue_end(struct lookup_queue *queue, size_t place, enum evidence_state state,
                      const struct fact *fact, int64_t now_ms) {
    struct topic *topic = queue->places[place];
    assert(topic != NULL && state != EVIDENCE_NONE);
    queue->places[place] = NULL;
    queue->n_under_way--;
    topic->phase = PHASE_ANSWERED;
    topic->state = state;
    topic->ends_ms = now_ms + LOOKUP_KEPT_MS;
    if (state == EVIDENCE_FOUND) {
        topic->fact = *fact;
    } else if (state == EVIDENCE_FAILED) {
        topic->is_overtaken = true;
    }
}

void lookup_queue_drop(struct lookup_queue *queue, enum object_kind kind, const char *namespace,
                       const char *name) {
    if (name == NULL) {
        for (struct topic *topic = queue->topics; topic != NULL; topic = topic->next) {
            topic->is_overtaken = topic->is_overtaken || topic->kind == kind;
        }
        return;
    }
    struct topic *topic = find_topic(queue, kind, namespace, name);
    if (topic != NULL) {
        topic->is_overtaken = true;
    }
}

void lookup_queue_close(struct lookup_queue *queue) {
    queue->is_closed = true;
}
