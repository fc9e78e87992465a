// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_CLOCK_H
#define EDGE_CLOCK_H

#include <stdint.h>

/*
 * The two clocks. Core never reads them: app passes the time in.
 */

/* Since 1970, UTC. May jump. */
int64_t clock_wall_seconds(void);
int64_t clock_wall_us(void);

/* Since a fixed moment. Never jumps, and runs while the machine sleeps (CLOCK_BOOTTIME). */
int64_t clock_boot_ms(void);
int64_t clock_boot_us(void);

#endif
