// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_VALIDITY_H
#define APP_CERTIFICATES_VALIDITY_H

/*
 * The dates of a certificate, and how a person is told about them. Both ends belong to its life.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* True if it is valid at this time. If not, appends a line. `what` names the certificate. */
bool validity_explain(const char *what, int64_t not_before, int64_t not_after, int64_t wall_s,
                      struct buffer *out);

#endif
