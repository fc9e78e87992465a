// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CLUSTER_LOOKUP_QUEUE_H
#define CORE_CLUSTER_LOOKUP_QUEUE_H

/*
 * Decides which live look-up is sent when, and which answer a question gets. Time is an argument.
 *
 * Sharing. There is at most one GET for an object at a time. Its answer serves every question about
 * the object, whatever uid it names: the questions that came before it, those that came while it
 * was under way, and those of the next 5 s. So a crowd of reviews with made-up uids costs one GET.
 *
 * Objects of different kinds are different objects, also under one name.
 *
 * An answer may be older than the object that a question is about: the object may be deleted and
 * made again meanwhile. So a question that came after its GET had begun is a *late* one.
 *   - If the answer shows what a late question hopes for, it gets the answer at once.
 *   - Otherwise it gets the answer LOOKUP_LAG_MS later. If the watch tells something about the
 *     object in that time, the answer is dropped, and a new GET begins.
 *   - LOOKUP_PATIENT_MAX questions wait like this for one kept answer. More of them are a crowd,
 * and get it at once.
 *   - A failure is no answer to a late question. It gets a GET of its own.
 * The limit: if an object was asked about in the last 5 s, was made again since, and the watch lags
 * by more than LOOKUP_LAG_MS (or there is a crowd), then its Deployment is taken for another's by
 * its owner. The selector of an MCPServer's Deployment still holds it at one replica if the answer
 * shows an MCPServer of that name, and not if it shows that there was none.
 *
 * Bounds. LOOKUP_PLACES GETs are under way, and LOOKUP_RATE begin in a second, at most. Further
 * questions wait, each until its own deadline. Namespaces take turns, so that a crowd of one leaves
 * room for another; within a namespace the oldest question comes first. Each question that waits is
 * a request with a connection, and the number of connections bounds them. LOOKUP_KEPT_MAX answers
 * are kept, and then the oldest goes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/admission/subject.h"
#include "core/facts/facts.h"

enum {
    LOOKUP_PLACES = 64,
    LOOKUP_BURST = 100,
    LOOKUP_RATE = 500,   /* the burst included */
    LOOKUP_GET_MS = 500, /* for one GET */
    LOOKUP_LATE_MS = 20, /* with less time left, beginning a GET is pointless */
    LOOKUP_LAG_MS = 250,
    LOOKUP_PATIENT_MAX = 4,
    LOOKUP_KEPT_MS = 5000,
    LOOKUP_KEPT_MAX = 256,
};

/* Asks for the object of the family of this kind, namespace and name. */
struct lookup_question {
    enum object_kind kind;
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE];
    int64_t deadline_ms; /* the answer comes no later */
    /* The question hopes for these two. They decide only whether an older answer is given at once.
     */
    char uid[OBJECT_UID_SIZE]; /* empty: any */
    int64_t generation;        /* or a later one */
};

enum lookup_action_kind {
    LOOKUP_WAIT,   /* until `until_ms`, or until something happens */
    LOOKUP_BEGIN,  /* a GET: call lookup_queue_end() with its `place` when it has ended */
    LOOKUP_ANSWER, /* the question of this `context` */
};

struct lookup_action {
    enum lookup_action_kind kind;
    int64_t until_ms;
    size_t place; /* less than LOOKUP_PLACES */
    enum object_kind object_kind;
    const char *namespace;
    const char *name;
    void *context;
    enum evidence_state state; /* not EVIDENCE_NONE */
    const struct fact *fact;   /* with EVIDENCE_FOUND only */
    bool is_crowded_out;       /* it failed since no GET could begin in time */
};

struct lookup_queue;

struct lookup_queue *lookup_queue_new(void);

/* Forgets the questions without an answer. */
void lookup_queue_free(struct lookup_queue *queue);

void lookup_queue_add(struct lookup_queue *queue, const struct lookup_question *question,
                      void *context, int64_t now_ms);

/* Tells what to do next. Call it until it says LOOKUP_WAIT, after each of the other calls. Pointers
   are valid until the next call. */
void lookup_queue_next(struct lookup_queue *queue, int64_t now_ms,
                       struct lookup_action *ret_action);

/* The GET of this place has ended. `fact` is NULL except with EVIDENCE_FOUND. */
void lookup_queue_end(struct lookup_queue *queue, size_t place, enum evidence_state state,
                      const struct fact *fact, int64_t now_ms);

/* The watch has told something about the object; NULL and NULL: perhaps about every object of the
   kind. So older answers about it serve no late question. */
void lookup_queue_drop(struct lookup_queue *queue, enum object_kind kind, const char *namespace,
                       const char *name);

/* From here on every question fails, and no GET begins. */
void lookup_queue_close(struct lookup_queue *queue);

#endif
