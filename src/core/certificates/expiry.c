// SPDX-License-Identifier: Apache-2.0
#include "core/certificates/expiry.h"

#define DAY ((int64_t)86400)

static enum expiry_level level_of(int64_t left) {
    if (left <= 0) {
        return EXPIRY_OVER;
    }
    if (left < 3 * DAY) {
        return EXPIRY_3_DAYS;
    }
    if (left < 14 * DAY) {
        return EXPIRY_14_DAYS;
    }
    return left < 30 * DAY ? EXPIRY_30_DAYS : EXPIRY_FAR;
}

bool expiry_step(struct expiry *expiry, int64_t now, int64_t not_after) {
    enum expiry_level level = level_of(not_after - now);
    bool has_risen = level > expiry->level;
    expiry->level = level;
    return has_risen;
}
