// SPDX-License-Identifier: Apache-2.0
#include "chance.h"

#include <sys/random.h>

#include "edge/clock.h"

uint32_t chance_draw(void) {
    uint32_t value;
    if (getrandom(&value, sizeof(value), GRND_NONBLOCK) == (ssize_t)sizeof(value)) {
        return value;
    }
    /* Before the kernel has gathered enough: jitter is all that this is for. */
    return (uint32_t)clock_boot_us() * UINT32_C(2654435761);
}
