// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_WIRE_H
#define ORACLE_WIRE_H

/*
 * Writes a review as text in one of many ways that mean the same: the order of the keys, white
 * space, and escapes in keys and texts. Style 0 is plain.
 */

#include <cjson/cJSON.h>
#include <stdint.h>

/* Free with free(). */
char *wire_write(const cJSON *review, uint64_t style);

#endif
