// SPDX-License-Identifier: Apache-2.0
#include "complaint_log.h"

void complaint_log_over(struct complaint *complaint, struct log *log, const char *event,
                        const char *what, int64_t now_ms) {
    int64_t times = complaint_step(complaint, now_ms);
    if (times > 0) {
        log_event(log, LOG_INFO, event, LOG_TEXT("resource", what), LOG_INTEGER("times", times));
    }
}
