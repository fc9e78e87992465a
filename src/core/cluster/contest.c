// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/contest.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

/* The Events of a namespace in this hour. */
struct budget {
    char namespace[OBJECT_NAMESPACE_SIZE];
    unsigned n_events;
};

struct contest {
    int64_t hour_ms; /* when the hour of the budgets began */
    unsigned n_events;
    size_t n_budgets;
    struct budget budgets[CONTEST_EVENTS_MAX]; /* each has an Event at least */
    size_t n_series;
    struct contest_series series[CONTEST_SERIES_MAX]; /* in no order */
};

struct contest *contest_new(void) {
    return memory_new(1, sizeof(struct contest));
}

void contest_free(struct contest *contest) {
    free(contest);
}

static uint64_t hash_of(enum rule_id rule, const struct review *review) {
    uint64_t hash = hash_byte(HASH_EMPTY, (unsigned char)rule);
    hash = hash_text(hash, review->namespace);
    hash = hash_text(hash, review->name);
    return hash_text(hash, review->user);
}

static bool is_of(const struct contest_series *series, enum rule_id rule,
                  const struct review *review) {
    return series->rule == rule && strcmp(series->name, review->name) == 0 &&
           strcmp(series->namespace, review->namespace) == 0 &&
           strcmp(series->user, review->user) == 0;
}

static struct contest_series *find(struct contest *contest, enum rule_id rule,
                                   const struct review *review, uint64_t hash) {
    for (size_t i = 0; i < contest->n_series; i++) {
        struct contest_series *series = &contest->series[i];
        if (series->hash == hash && is_of(series, rule, review)) {
            return series;
        }
    }
    return NULL;
}

/* A free place, or that of the series that has been quiet longest: of this namespace, if it has its
   share already, or else of all. */
static struct contest_series *find_place(struct contest *contest, const char *namespace) {
    struct contest_series *own = contest->series;
    struct contest_series *any = contest->series;
    size_t n_own = 0;
    for (size_t i = 0; i < contest->n_series; i++) {
        struct contest_series *series = &contest->series[i];
        bool is_own = strcmp(series->namespace, namespace) == 0;
        any = series->noted_ms < any->noted_ms ? series : any;
        if (is_own && (n_own == 0 || series->noted_ms < own->noted_ms)) {
            own = series;
        }
        n_own += is_own;
    }
    if (n_own >= CONTEST_SERIES_SHARE) {
        return own;
    }
    return contest->n_series < CONTEST_SERIES_MAX ? &contest->series[contest->n_series++] : any;
}

static struct contest_series *begin(struct contest *contest, enum rule_id rule,
                                    const struct review *review, uint64_t hash) {
    struct contest_series *series = find_place(contest, review->namespace);
    *series = (struct contest_series){.rule = rule, .hash = hash};
    text_copy(series->namespace, sizeof(series->namespace), review->namespace);
    text_copy(series->name, sizeof(series->name), review->name);
    text_copy(series->user, sizeof(series->user), review->user);
    return series;
}

static bool is_contested(const struct contest_series *series) {
    return series->n_all > CONTEST_SHOWN;
}

static int64_t take_line(struct contest_series *series, int64_t now_ms) {
    int64_t times = series->n_unsaid;
    bool is_first = times == series->n_all;
    if (!is_first && now_ms < series->said_ms + CONTEST_MINUTE_MS) {
        return 0;
    }
    series->said_ms = now_ms;
    series->n_unsaid = 0;
    return times;
}

/* NULL if the namespace has had its share, or all have had theirs. */
static struct budget *find_budget(struct contest *contest, const char *namespace) {
    for (size_t i = 0; i < contest->n_budgets; i++) {
        struct budget *budget = &contest->budgets[i];
        if (strcmp(budget->namespace, namespace) == 0) {
            return budget->n_events < CONTEST_EVENTS_SHARE ? budget : NULL;
        }
    }
    struct budget *budget = &contest->budgets[contest->n_budgets++];
    *budget = (struct budget){.n_events = 0};
    text_copy(budget->namespace, sizeof(budget->namespace), namespace);
    return budget;
}

/* An Event that finds no room in this hour is tried again with the next decision. */
static bool take_event(struct contest *contest, struct contest_series *series, int64_t now_ms) {
    if (series->has_event && now_ms < series->event_ms + CONTEST_HOUR_MS) {
        return false;
    }
    if (now_ms >= contest->hour_ms + CONTEST_HOUR_MS) {
        contest->hour_ms = now_ms;
        contest->n_events = 0;
        contest->n_budgets = 0;
    }
    struct budget *budget =
        contest->n_events < CONTEST_EVENTS_MAX ? find_budget(contest, series->namespace) : NULL;
    if (budget == NULL) {
        return false;
    }
    contest->n_events++;
    budget->n_events++;
    series->has_event = true;
    series->event_ms = now_ms;
    return true;
}

void contest_note(struct contest *contest, enum rule_id rule, const struct review *review,
                  int64_t now_ms, struct contest_news *ret_news) {
    uint64_t hash = hash_of(rule, review);
    struct contest_series *series = find(contest, rule, review, hash);
    if (series == NULL) {
        series = begin(contest, rule, review, hash);
    }
    series->noted_ms = now_ms;
    series->n_all++;
    series->n_unsaid++;
    *ret_news = (struct contest_news){.is_contested = is_contested(series)};
    if (ret_news->is_contested) {
        ret_news->times = take_line(series, now_ms);
        ret_news->is_event_due = rule == RULE_STDIO_CAP && take_event(contest, series, now_ms);
    }
}

bool contest_end(struct contest *contest, int64_t now_ms, struct contest_series *ret_series) {
    for (size_t i = 0; i < contest->n_series;) {
        struct contest_series *series = &contest->series[i];
        if (now_ms < series->noted_ms + CONTEST_QUIET_MS) {
            i++;
            continue;
        }
        *ret_series = *series;
        *series = contest->series[--contest->n_series];
        if (is_contested(ret_series)) {
            return true;
        }
    }
    return false;
}
