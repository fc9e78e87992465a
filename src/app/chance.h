// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CHANCE_H
#define APP_CHANCE_H

#include <stdint.h>

/* 32 random bits, from the kernel. */
uint32_t chance_draw(void);

#endif
