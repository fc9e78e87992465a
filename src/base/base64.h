// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

/*
 * Reads base64 (RFC 4648 section 4: padded, no stray bits at the end), which Kubernetes uses in
 * Secrets, webhook configurations and kubeconfigs. buffer_add_base64() writes it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"

/* The digit of each value from 0 to 63. */
extern const char base64_digits[];

/* Decodes in place and passes over line ends. `text` is NUL-terminated before and after; the
   decoded bytes may include NULs. Zeroes the digits behind them, since they may be of a secret.
   Returns false, with `text` spoiled, if it is no base64. */
bool base64_decode(char *text, size_t *ret_size) MUST_CHECK;

#endif
