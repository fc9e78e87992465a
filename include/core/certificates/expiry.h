// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_EXPIRY_H
#define CORE_CERTIFICATES_EXPIRY_H

/*
 * Raises the alarm about a certificate that comes to its end: with less than a third of its
 * life left, with less than a tenth, and when it is over. A fresh certificate of 24 hours is no
 * cause for alarm. A life of years has a third that is long, so days are an upper bound. Each alarm
 * comes once, and again only after a certificate with more time left.
 */

#include <stdbool.h>
#include <stdint.h>

enum expiry_level {
    EXPIRY_FAR,
    EXPIRY_NOTICE,  /* less than a third is left, and less than EXPIRY_NOTICE_DAYS_MAX */
    EXPIRY_WARNING, /* less than a tenth, and less than EXPIRY_WARNING_DAYS_MAX */
    EXPIRY_LAST,    /* less than a tenth, and less than EXPIRY_LAST_DAYS_MAX */
    EXPIRY_OVER,
};

enum { EXPIRY_NOTICE_DAYS_MAX = 30, EXPIRY_WARNING_DAYS_MAX = 14, EXPIRY_LAST_DAYS_MAX = 3 };

struct expiry {
    enum expiry_level level; /* of the last step; zero to begin with */
};

/* Judges a certificate at a moment. All times are in seconds since 1970. */
enum expiry_level expiry_level_at(int64_t not_before, int64_t not_after, int64_t now);

/* True if the alarm is to be raised now, since the level has risen. */
bool expiry_step(struct expiry *expiry, int64_t not_before, int64_t not_after, int64_t now);

#endif
