// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_CONTEST_LOG_H
#define APP_SERVE_CONTEST_LOG_H

/*
 * The log, the metric and the Event about users who are set back again and again. Runner of
 * core/cluster/contest.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cluster/contest_event.h"
#include "core/admission/decision.h"
#include "core/admission/review.h"
#include "edge/log.h"
#include "edge/metrics.h"

struct contest_log;

/* Both borrowed until contest_log_free(). */
struct contest_log *contest_log_new(struct log *log, struct metrics *metrics);
void contest_log_free(struct contest_log *contest_log);

/* Where Events can be posted. Call it before the first request. */
void contest_log_set_event(struct contest_log *contest_log, struct contest_event *contest_event);

/* From any thread. True if the decision is one of a contested series, so that its own line is for
   the debug level. */
bool contest_log_note(struct contest_log *contest_log, const struct review *review,
                      const struct decision *decision);

/* Says of each series that is over that it is. */
void contest_log_step(struct contest_log *contest_log, int64_t now_ms);

#endif
