// SPDX-License-Identifier: Apache-2.0
#include "rotate_clock.h"

#include "base/text.h"
#include "complaint_log.h"

static void log_dispute(struct rotate_clock *clock, struct log *log,
                        const struct second_opinion_view *view, bool is_date, int64_t now_ms) {
    const char *other = is_date ? "apiServer" : "certificateBegins";
    char ours[TEXT_TIME_SIZE];
    char theirs[TEXT_TIME_SIZE];
    int64_t times = complaint_raise(&clock->complaint, other, now_ms);
    if (times == 0) {
        return;
    }
    text_format_time(ours, view->wall_s);
    text_format_time(theirs, is_date ? view->date_s : view->begins_s);
    log_event(log, LOG_WARN, "clock.disagrees", LOG_TEXT("clock", ours), LOG_TEXT(other, theirs),
              LOG_TEXT("hint", is_date
                                   ? "this replica makes no certificate until its clock and the "
                                     "API server's agree; see to the time service of both nodes"
                                   : "a certificate in the Secret capstan-certs or in a caBundle "
                                     "begins in the future, so this replica makes none; see to "
                                     "the time service of this node; if the certificate is wrong, "
                                     "delete it"),
              LOG_INTEGER("times", times));
}

void rotate_clock_step(struct rotate_clock *clock, struct log *log,
                       const struct second_opinion_view *view, int64_t now_ms) {
    enum second_opinion_verdict verdict = second_opinion_step(&clock->opinion, view, now_ms);
    clock->verdict = verdict;
    if (verdict != SECOND_OPINION_AGREES) {
        log_dispute(clock, log, view, verdict == SECOND_OPINION_DATE, now_ms);
    } else {
        complaint_settle(&clock->complaint);
    }
    complaint_log_over(&clock->complaint, log, "clock.agrees", "clock", now_ms);
}
