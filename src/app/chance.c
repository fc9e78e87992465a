// SPDX-License-Identifier: Apache-2.0
#include "chance.h"

#include <sys/random.h>
#include <unistd.h>

#include "edge/clock.h"

uint32_t chance_draw(void) {
    uint32_t value;
    if (getrandom(&value, sizeof(value), 0) == (ssize_t)sizeof(value)) {
        return value;
    }
    /* Only where a sandbox refuses the call. What has to be unique, the identity in the Lease and
       the names of Events, has a host's name or a time and an object's name besides. */
    return ((uint32_t)clock_boot_us() ^ (uint32_t)getpid() << 16) * UINT32_C(2654435761);
}
