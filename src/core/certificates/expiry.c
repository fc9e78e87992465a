// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/expiry.h"

#include <stddef.h>

#include "base/attribute.h"

#define DAY ((int64_t)86400)

/* The most urgent one first. */
static const struct {
    enum expiry_level level;
    int64_t divisor; /* of the life */
    int64_t days_max;
} alarms[] = {
    {EXPIRY_LAST, 10, EXPIRY_LAST_DAYS_MAX},
    {EXPIRY_WARNING, 10, EXPIRY_WARNING_DAYS_MAX},
    {EXPIRY_NOTICE, 3, EXPIRY_NOTICE_DAYS_MAX},
};

enum expiry_level expiry_level_at(int64_t not_before, int64_t not_after, int64_t now) {
    int64_t life = not_after - not_before;
    int64_t left = not_after - now;
    if (left <= 0) {
        return EXPIRY_OVER;
    }
    for (size_t i = 0; i < COUNT_OF(alarms); i++) {
        if (left < life / alarms[i].divisor && left < alarms[i].days_max * DAY) {
            return alarms[i].level;
        }
    }
    return EXPIRY_FAR;
}

bool expiry_step(struct expiry *expiry, int64_t not_before, int64_t not_after, int64_t now) {
    enum expiry_level level = expiry_level_at(not_before, not_after, now);
    bool has_risen = level > expiry->level;
    expiry->level = level;
    return has_risen;
}
