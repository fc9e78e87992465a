// SPDX-License-Identifier: Apache-2.0
#include "admit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/epoch.h"
#include "base/http_status.h"
#include "base/memory.h"
#include "base/text.h"
#include "cluster/lookup.h"
#include "complaint_log.h"
#include "contest_log.h"
#include "core/admission/decide.h"
#include "edge/clock.h"

enum {
    /* The time of a request for a look-up, with the wait for its turn: a share of the time for
       which the API server says it waits, up to the maximum. */
    LOOKUP_SHARE_PERCENT = 70,
    LOOKUP_MAX_MS = 2000,
    LOOKUP_DEFAULT_MS = 500, /* if it does not say so */
};

struct admit {
    struct facts *facts;
    struct log *log;
    struct metrics *metrics;
    struct contest_log *contest_log;
    struct lookup *lookup;         /* NULL: there is no API server to ask */
    const char *const *namespaces; /* that are watched */
    size_t n_namespaces;           /* 0: all are */
    int64_t (*wall_seconds)(void);
    struct epoch epoch; /* of the policy */
    _Atomic(struct policy *) policy;
    pthread_mutex_t mutex; /* of the next three, which only what goes wrong touches */
    struct complaint malformed;
    struct complaint unexpected;
    struct complaint unwatched;
};

struct admit *admit_new(struct facts *facts, struct log *log, struct metrics *metrics,
                        int64_t (*wall_seconds)(void)) {
    struct admit *admit = memory_new(1, sizeof(*admit));
    admit->facts = facts;
    admit->log = log;
    admit->metrics = metrics;
    admit->contest_log = contest_log_new(log, metrics);
    admit->wall_seconds = wall_seconds;
    epoch_init(&admit->epoch);
    atomic_init(&admit->policy, policy_default());
    pthread_mutex_init(&admit->mutex, NULL);
    return admit;
}

static void free_policy(void *policy) {
    policy_free(policy);
}

void admit_free(struct admit *admit) {
    if (admit == NULL) {
        return;
    }
    epoch_fini(&admit->epoch);
    policy_free(atomic_load(&admit->policy));
    contest_log_free(admit->contest_log);
    pthread_mutex_destroy(&admit->mutex);
    free(admit);
}

void admit_set_policy(struct admit *admit, struct policy *owned_policy) {
    struct policy *old = atomic_exchange(&admit->policy, owned_policy);
    epoch_retire(&admit->epoch, old, free_policy);
}

const struct policy *admit_policy(const struct admit *admit) {
    return atomic_load(&admit->policy);
}

void admit_set_namespaces(struct admit *admit, const char *const *names, size_t n_names) {
    admit->namespaces = names;
    admit->n_namespaces = n_names;
}

void admit_set_lookup(struct admit *admit, struct lookup *lookup) {
    admit->lookup = lookup;
}

void admit_set_contest_event(struct admit *admit, struct contest_event *contest_event) {
    contest_log_set_event(admit->contest_log, contest_event);
}

static void count_decision(const struct admit *admit, const struct decision *decision) {
    static const enum metric_action actions[ACTION_COUNT] = {
        [ACTION_PATCH] = METRIC_PATCH, [ACTION_WARN] = METRIC_WARN, [ACTION_DENY] = METRIC_DENY};
    for (size_t rule = 0; rule < RULE_COUNT; rule++) {
        enum action action = decision->actions[rule];
        if (action != ACTION_NONE) {
            metrics_count_decision(admit->metrics, rule, actions[action]);
        }
    }
    if (decision->is_unresolved) {
        metrics_add(admit->metrics, METRIC_UNRESOLVED, 1);
    }
}

static const char *verdict_of(const struct decision *decision) {
    if (decision->is_denied) {
        return "denied";
    }
    if (decision->fails) {
        return "failed";
    }
    if (decision->is_unresolved) {
        return "unresolved";
    }
    if (!patch_is_empty(&decision->patch)) {
        return "patched";
    }
    return decision->n_warnings > 0 ? "warned" : "allowed";
}

/* The strongest thing that the decision says, for the log; empty if it says nothing. A note is
   written to `note`. */
static const char *reason_of(const struct decision *decision, char note[DECISION_NOTE_SIZE]) {
    if (decision->is_denied) {
        return decision->message;
    }
    if (decision->n_warnings > 0) {
        return decision->warnings[0];
    }
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (decision->actions[rule] != ACTION_NONE) {
            decide_note(decision, (enum rule_id)rule, note);
            return note;
        }
    }
    return "";
}

static enum log_level level_of(const struct decision *decision, const char *reason,
                               bool is_contested) {
    if (decision->is_unresolved) {
        return LOG_WARN;
    }
    return reason[0] != '\0' && !is_contested ? LOG_INFO : LOG_DEBUG;
}

static void log_decision(const struct admit *admit, const struct review *review,
                         const struct decision *decision) {
    char note[DECISION_NOTE_SIZE];
    const char *reason = reason_of(decision, note);
    bool is_contested = contest_log_note(admit->contest_log, review, decision);
    log_event(admit->log, level_of(decision, reason, is_contested), "review.decided",
              LOG_TEXT("verdict", verdict_of(decision)), LOG_TEXT("kind", review->kind_text),
              LOG_TEXT("namespace", review->namespace), LOG_TEXT("name", review->name),
              LOG_TEXT("user", review->user), LOG_TEXT("reason", reason),
              LOG_TEXT("uid", review->uid));
}

static int64_t raise_complaint(struct admit *admit, struct complaint *complaint) {
    pthread_mutex_lock(&admit->mutex);
    int64_t times = complaint_raise(complaint, "", clock_boot_ms());
    pthread_mutex_unlock(&admit->mutex);
    return times;
}

/* The webhook configuration sends a kind that no rule is about. One line a minute is enough: it may
   send every object of a cluster. */
static void log_unexpected(struct admit *admit, const struct review *review) {
    int64_t times = raise_complaint(admit, &admit->unexpected);
    if (times > 0) {
        log_event(admit->log, LOG_WARN, "review.unexpected", LOG_TEXT("kind", review->kind_text),
                  LOG_TEXT("namespace", review->namespace), LOG_TEXT("name", review->name),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint", "narrow the rules of the webhook configuration"));
    }
}

/* The webhook configuration is wider than --watch-namespace. */
static void log_unwatched(struct admit *admit, const struct review *review) {
    int64_t times = raise_complaint(admit, &admit->unwatched);
    if (times > 0) {
        log_event(
            admit->log, LOG_WARN, "review.unwatched", LOG_TEXT("namespace", review->namespace),
            LOG_TEXT("name", review->name), LOG_INTEGER("times", times),
            LOG_TEXT("hint", "it was admitted untouched, since no --watch-namespace names its "
                             "namespace; add one, or narrow the namespaceSelector of the "
                             "webhook configuration"));
    }
}

static void log_malformed(struct admit *admit, const struct error *error) {
    int64_t times = raise_complaint(admit, &admit->malformed);
    if (times > 0) {
        log_event(admit->log, LOG_WARN, "review.malformed", LOG_TEXT("problem", error->text),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint", "somebody who is no API server asks, or the webhook "
                                   "configuration names another version than admission v1; see who "
                                   "reaches the webhook port"));
    }
}

/* The complaints are over when a minute has passed without them. */
void admit_step(struct admit *admit, int64_t now_ms) {
    pthread_mutex_lock(&admit->mutex);
    complaint_settle(&admit->malformed);
    complaint_settle(&admit->unexpected);
    complaint_settle(&admit->unwatched);
    complaint_log_over(&admit->malformed, admit->log, "review.recovered", "malformed", now_ms);
    complaint_log_over(&admit->unexpected, admit->log, "review.recovered", "unexpected", now_ms);
    complaint_log_over(&admit->unwatched, admit->log, "review.recovered", "unwatched", now_ms);
    pthread_mutex_unlock(&admit->mutex);
    contest_log_step(admit->contest_log, now_ms);
}

static void refuse(struct admit *admit, const struct error *error, struct http_response *response) {
    response->status = HTTP_STATUS_BAD_REQUEST;
    buffer_add_format(&response->body, "malformed AdmissionReview: %s", error->text);
    if (error->offset != ERROR_NO_OFFSET) {
        buffer_add_format(&response->body, " (byte %zu)", error->offset);
    }
    buffer_add_byte(&response->body, '\n');
    metrics_add(admit->metrics, METRIC_REQUESTS_400, 1);
    log_malformed(admit, error);
}

static void answer(struct admit *admit, const struct review *review,
                   const struct decision *decision, struct http_response *response) {
    if (decision->fails) {
        response->status = HTTP_STATUS_INTERNAL_ERROR;
        buffer_add_text(&response->body,
                        "the owner of this object could not be looked up (onUnresolved: fail)\n");
        metrics_add(admit->metrics, METRIC_REQUESTS_500, 1);
        return;
    }
    response->content_type = "application/json";
    review_encode(review->uid, decision, &response->body);
    metrics_add(admit->metrics, METRIC_REQUESTS_200, 1);
}

/* A request that is being answered. It lives on the stack, or on the heap during a look-up. */
struct asked {
    struct admit *admit;
    int64_t began_us;
    int64_t deadline_ms; /* of look-ups */
    struct http_connection *connection;
    struct review review;
    enum object_kind lookup_kind; /* of the look-up under way */
    struct evidence evidence;
};

static void judge(const struct asked *asked, struct subject *ret_subject,
                  struct decision *ret_decision) {
    struct admit *admit = asked->admit;
    subject_find(admit->facts, &asked->review, admit->lookup == NULL ? NULL : &asked->evidence,
                 ret_subject);
    unsigned ticket = epoch_enter(&admit->epoch);
    decide(atomic_load(&admit->policy), &asked->review, ret_subject, admit->wall_seconds(),
           ret_decision);
    epoch_exit(&admit->epoch, ticket);
}

static void finish(const struct asked *asked, const struct decision *decision,
                   struct http_response *response) {
    struct admit *admit = asked->admit;
    answer(admit, &asked->review, decision, response);
    metrics_observe_us(admit->metrics, METRIC_ADMISSION_DURATION,
                       clock_boot_us() - asked->began_us);
    count_decision(admit, decision);
    log_decision(admit, &asked->review, decision);
    if (asked->review.kind == OBJECT_OTHER) {
        log_unexpected(admit, &asked->review);
    }
}

/* The generation from which on an older answer settles the question. */
static int64_t hoped_generation(const struct review *review, const struct subject *subject) {
    if (subject->state == SUBJECT_FOUND) {
        return INT64_MAX; /* the facts know it, and the rule wants to know better */
    }
    return review->object.generation_note == PRESENCE_SET ? review->object.noted_generation : 0;
}

static int64_t deadline_of(int64_t began_us, const struct http_request *request) {
    int64_t share_ms = request->timeout_ms * LOOKUP_SHARE_PERCENT / 100;
    int64_t time_ms = request->timeout_ms > 0 ? MIN(share_ms, LOOKUP_MAX_MS) : LOOKUP_DEFAULT_MS;
    return began_us / 1000 + time_ms;
}

static void on_answer(void *context, enum evidence_state state, const struct fact *server);

static bool needs_look_up(const struct asked *asked, const struct subject *subject,
                          const struct decision *decision) {
    return decision->is_unresolved && asked->admit->lookup != NULL &&
           subject->lookup_kind != OBJECT_OTHER;
}

static void look_up(struct asked *kept, const struct subject *subject) {
    const struct review *review = &kept->review;
    const struct owner *owner = &review->object.owner;
    struct lookup_question question = {.kind = subject->lookup_kind,
                                       .generation = hoped_generation(review, subject),
                                       .deadline_ms = kept->deadline_ms};
    text_copy(question.namespace, sizeof(question.namespace), review->namespace);
    text_copy(question.name, sizeof(question.name), review->name);
    if (owner->kind == question.kind) {
        text_copy(question.uid, sizeof(question.uid), owner->uid);
    }
    kept->lookup_kind = question.kind;
    lookup_ask(kept->admit->lookup, &question, on_answer, kept);
}

/* Runs on the loop's thread. An answer about one kind may lead to a question about another. */
static void on_answer(void *context, enum evidence_state state, const struct fact *server) {
    struct asked *asked = context;
    struct evidence *evidence = &asked->evidence;
    struct subject subject;
    struct decision decision;
    struct http_response response;
    evidence->states[asked->lookup_kind] = state;
    if (server != NULL) {
        evidence->servers[asked->lookup_kind] = *server;
    }
    judge(asked, &subject, &decision);
    if (needs_look_up(asked, &subject, &decision)) {
        look_up(asked, &subject);
        return;
    }
    http_response_init(&response);
    finish(asked, &decision, &response);
    http_answer(asked->connection, &response);
    free(asked);
}

static void defer(const struct asked *asked, const struct subject *subject,
                  const struct http_request *request) {
    struct asked *kept = memory_new(1, sizeof(*kept));
    *kept = *asked;
    kept->connection = request->connection;
    kept->deadline_ms = deadline_of(asked->began_us, request);
    http_defer(request);
    look_up(kept, subject);
}

static bool is_watched(const struct admit *admit, const struct review *review) {
    for (size_t i = 0; i < admit->n_namespaces; i++) {
        if (strcmp(admit->namespaces[i], review->namespace) == 0) {
            return true;
        }
    }
    return admit->n_namespaces == 0;
}

/* Nothing is known of that namespace, and nobody may be asked. */
static void leave_alone(const struct asked *asked, struct http_response *response) {
    const struct decision untouched = {.is_denied = false};
    finish(asked, &untouched, response);
    if (asked->review.kind != OBJECT_OTHER) {
        log_unwatched(asked->admit, &asked->review);
    }
}

void admit_request(struct admit *admit, const struct http_request *request,
                   struct http_response *response) {
    struct asked asked; /* not zeroed: a review is 20 KB, and review_decode() fills it */
    struct subject subject;
    struct decision decision;
    struct error error;
    asked.admit = admit;
    asked.began_us = clock_boot_us();
    memset(asked.evidence.states, 0, sizeof(asked.evidence.states)); /* EVIDENCE_NONE */
    if (!review_decode(request->body, request->body_size, &asked.review, &error)) {
        refuse(admit, &error, response);
        return;
    }
    if (!is_watched(admit, &asked.review)) {
        leave_alone(&asked, response);
        return;
    }
    judge(&asked, &subject, &decision);
    if (needs_look_up(&asked, &subject, &decision)) {
        defer(&asked, &subject, request);
    } else {
        finish(&asked, &decision, response);
    }
}
