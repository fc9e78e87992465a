// SPDX-License-Identifier: Apache-2.0
#include "expiry_alarm.h"

#include "base/attribute.h"
#include "base/text.h"
#include "edge/clock.h"

#define DAY ((int64_t)86400)

/* A renewal is usual with a third of the life left, so the first alarm is no warning. */
static const struct {
    enum log_level level;
    const char *hint;
} alarms[] = {
    [EXPIRY_NOTICE] = {LOG_INFO, "less than a third of its life is left; renew it soon"},
    [EXPIRY_WARNING] = {LOG_WARN, "it should have been renewed by now; see to what renews it"},
    [EXPIRY_LAST] = {LOG_WARN, "it ends soon; renew it now, and see to what renews it"},
    [EXPIRY_OVER] = {LOG_ERROR, "the API server refuses it; renew it now"},
};

void expiry_alarm_look(struct expiry *expiry, struct log *log, const char *what, int64_t not_before,
                       int64_t not_after) {
    int64_t now = clock_wall_seconds();
    char date[TEXT_TIME_SIZE];
    if (!expiry_step(expiry, not_before, not_after, now)) {
        return;
    }
    text_format_time(date, not_after);
    log_event(log, alarms[expiry->level].level, "certificate.expiring",
              LOG_TEXT("certificate", what), LOG_TEXT("notAfter", date),
              LOG_INTEGER("daysLeft", MAX(not_after - now, (int64_t)0) / DAY),
              LOG_TEXT("hint", alarms[expiry->level].hint));
}
