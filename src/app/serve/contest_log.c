// SPDX-License-Identifier: Apache-2.0
#include "contest_log.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "core/cluster/contest.h"
#include "edge/clock.h"

struct contest_log {
    struct log *log;
    struct metrics *metrics;
    struct contest_event *contest_event; /* NULL: there is no API server */
    pthread_mutex_t mutex;               /* of `contest` */
    struct contest *contest;
};

struct contest_log *contest_log_new(struct log *log, struct metrics *metrics) {
    struct contest_log *contest_log = memory_new(1, sizeof(*contest_log));
    contest_log->log = log;
    contest_log->metrics = metrics;
    contest_log->contest = contest_new();
    pthread_mutex_init(&contest_log->mutex, NULL);
    return contest_log;
}

void contest_log_free(struct contest_log *contest_log) {
    if (contest_log != NULL) {
        contest_free(contest_log->contest);
        pthread_mutex_destroy(&contest_log->mutex);
        free(contest_log);
    }
}

void contest_log_set_event(struct contest_log *contest_log, struct contest_event *contest_event) {
    contest_log->contest_event = contest_event;
}

/* The rule that has set the count of an update back, or has warned that the operator will. These
   steps exclude each other: by the transport, and by the kind. A dry run contests nothing. */
static bool find_rule(const struct review *review, const struct decision *decision,
                      enum rule_id *ret_rule) {
    bool is_about_deployment = review->kind == OBJECT_DEPLOYMENT || review->kind == OBJECT_SCALE;
    bool is_capped = decision->steps[STEP_STDIO_CAP_EXTERNAL].reason == NULL;
    bool is_warned = decision->steps[STEP_REPLICA_PASSTHROUGH_SCALE].note[0] != '\0';
    *ret_rule = is_capped && !is_warned ? RULE_STDIO_CAP : RULE_REPLICA_PASSTHROUGH;
    return review->operation == REVIEW_UPDATE && is_about_deployment && !review->is_dry_run &&
           (decision->patch.has[PATCH_REPLICAS] || is_warned);
}

static const char *hint_of(enum rule_id rule, const struct review *review) {
    if (rule == RULE_STDIO_CAP) {
        return "this user asks for more replicas than stdio transport allows, again and again; "
               "remove the autoscaler or its target, or give the MCPServer another transport";
    }
    if (review->kind == OBJECT_SCALE) {
        return "this user sets another count than spec.replicas, and the operator sets it back, "
               "again and again; leave spec.replicas unset, or remove the autoscaler";
    }
    return "the operator sets a count that spec.replicas leaves open, again and again; see which "
           "version of ToolHive it is, or set spec.replicas";
}

static void log_contest(const struct contest_log *contest_log, enum rule_id rule,
                        const struct review *review, int64_t times) {
    log_event(contest_log->log, LOG_WARN, "review.contested", LOG_TEXT("rule", rule_name(rule)),
              LOG_TEXT("kind", review->kind_text), LOG_TEXT("namespace", review->namespace),
              LOG_TEXT("name", review->name), LOG_TEXT("user", review->user),
              LOG_INTEGER("times", times), LOG_TEXT("hint", hint_of(rule, review)));
}

bool contest_log_note(struct contest_log *contest_log, const struct review *review,
                      const struct decision *decision) {
    enum rule_id rule;
    struct contest_news news;
    if (!find_rule(review, decision, &rule)) {
        return false;
    }
    pthread_mutex_lock(&contest_log->mutex);
    contest_note(contest_log->contest, rule, review, clock_boot_ms(), &news);
    pthread_mutex_unlock(&contest_log->mutex);
    if (news.is_contested) {
        metrics_count_contested(contest_log->metrics, rule);
    }
    if (news.times > 0) {
        log_contest(contest_log, rule, review, news.times);
    }
    if (news.is_event_due && contest_log->contest_event != NULL) {
        contest_event_tell(contest_log->contest_event, review->namespace, review->name,
                           review->user);
    }
    return news.is_contested;
}

static bool take_ended(struct contest_log *contest_log, int64_t now_ms,
                       struct contest_series *ret_series) {
    pthread_mutex_lock(&contest_log->mutex);
    bool has_ended = contest_end(contest_log->contest, now_ms, ret_series);
    pthread_mutex_unlock(&contest_log->mutex);
    return has_ended;
}

void contest_log_step(struct contest_log *contest_log, int64_t now_ms) {
    struct contest_series series;
    while (take_ended(contest_log, now_ms, &series)) {
        log_event(contest_log->log, LOG_INFO, "review.settled",
                  LOG_TEXT("rule", rule_name(series.rule)), LOG_TEXT("namespace", series.namespace),
                  LOG_TEXT("name", series.name), LOG_TEXT("user", series.user),
                  LOG_INTEGER("times", series.n_all));
    }
}
