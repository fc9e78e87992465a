// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CHANCE_H
#define APP_CHANCE_H

#include <stdint.h>

/* 32 random bits from the kernel, for jitter and for unique names. Early in the boot of a machine
   it waits until the kernel has gathered enough. */
uint32_t chance_draw(void);

#endif
