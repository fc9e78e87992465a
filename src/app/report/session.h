// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REPORT_SESSION_H
#define APP_REPORT_SESSION_H

/*
 * One run of a command that judges objects and reports them: `capstan review` and `capstan audit`.
 * It judges, reports and counts, one object after the other, and knows the exit status in the end.
 *
 *     session_init(&session, &options, "reviewing");
 *     session_read_policy(&session, &error)
 *     session_begin(&session);
 *     session_judge(&session, &object, &error)      any number of times
 *     session_end(&session, &error)
 *     return session_status(&session);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "progress.h"
#include "report.h"
#include "report_options.h"
#include "verdict.h"

struct session {
    const struct report_options *options;
    const char *doing; /* for the progress: "reviewing"; a literal */
    struct policy *policy;
    struct facts *facts;
    struct verdict_context context; /* policy, facts and time are set by the session */
    struct report report;
    struct report_totals totals;
    struct progress progress; /* on between session_begin() and session_end() */
};

/* Borrowed for the call. */
struct session_object {
    const char *path; /* as in struct report_item */
    uint32_t line;
    uint32_t column;
    const struct manifest_item *item;
};

/* Free with session_fini(). */
void session_init(struct session *session, const struct report_options *options, const char *doing);
void session_fini(struct session *session);

/* Reads the policy, and complains of one that is valid but has less effect than it seems to. */
bool session_read_policy(struct session *session, struct error *error) MUST_CHECK;

/* Begins the report. The context of the verdicts is complete by now. */
void session_begin(struct session *session);

/* Judges an object and reports it. An error has the offset of the item. */
bool session_judge(struct session *session, const struct session_object *object,
                   struct error *error) MUST_CHECK;

/* Ends the report. Fails if standard output did not take all of it. */
bool session_end(struct session *session, struct error *error) MUST_CHECK;

/* The objects that were judged, and those that were passed over. */
size_t session_count(const struct session *session);

/* The exit status that the verdicts give: 0 or 1. */
int session_status(const struct session *session);

/* Complains of the error. Returns exit status 2 whatever the error is, since 1 would be a verdict.
 */
int session_give_up(const struct error *error);

#endif
