// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_EXPIRY_H
#define CORE_CERTIFICATES_EXPIRY_H

/*
 * When to raise the alarm about a certificate that comes to its end: with less than 30, 14 and 3
 * days left, and when it is over. Each alarm comes once, and again only after a certificate with
 * more time left.
 */

#include <stdbool.h>
#include <stdint.h>

enum expiry_level { EXPIRY_FAR, EXPIRY_30_DAYS, EXPIRY_14_DAYS, EXPIRY_3_DAYS, EXPIRY_OVER };

struct expiry {
    enum expiry_level level; /* of the last step; zero to begin with */
};

/* True if the alarm is to be raised now, since the level has risen. Both times are in seconds since
   1970. */
bool expiry_step(struct expiry *expiry, int64_t now, int64_t not_after);

#endif
