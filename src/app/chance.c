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
    /* Only a sandbox refuses the call. The identity in the Lease and the names of Events have to be
       unique; they contain a host name, or a time and an object's name, as well. */
    return ((uint32_t)clock_boot_us() ^ (uint32_t)getpid() << 16) * UINT32_C(2654435761);
}
