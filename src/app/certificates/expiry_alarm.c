// SPDX-License-Identifier: Apache-2.0
#include "expiry_alarm.h"

#include "base/text.h"
#include "edge/clock.h"

#define DAY ((int64_t)86400)

void expiry_alarm_look(struct expiry *expiry, struct log *log, const char *what,
                       int64_t not_after) {
    int64_t now = clock_wall_seconds();
    char date[TEXT_TIME_SIZE];
    if (!expiry_step(expiry, now, not_after)) {
        return;
    }
    bool is_over = expiry->level == EXPIRY_OVER;
    text_format_time(date, not_after);
    log_event(
        log, is_over ? LOG_ERROR : LOG_WARN, "certificate.expiring", LOG_TEXT("certificate", what),
        LOG_TEXT("notAfter", date), LOG_INTEGER("daysLeft", is_over ? 0 : (not_after - now) / DAY),
        LOG_TEXT("hint", is_over ? "the API server refuses it; renew it now"
                                 : "it should have been renewed by now; see to what renews it"));
}
