// SPDX-License-Identifier: Apache-2.0
#include "edge/clock.h"

#include <time.h>

static int64_t microseconds(clockid_t clock) {
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_seconds(void) {
    return microseconds(CLOCK_REALTIME) / 1000000;
}

int64_t clock_wall_us(void) {
    return microseconds(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void) {
    return microseconds(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_boot_us(void) {
    return microseconds(CLOCK_BOOTTIME);
}
