// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_EXPIRY_ALARM_H
#define APP_CERTIFICATES_EXPIRY_ALARM_H

/*
 * Says in the log that a certificate comes to its end, once at each of the levels of core/expiry.
 */

#include <stdint.h>

#include "core/certificates/expiry.h"
#include "edge/log.h"

struct expiry_alarm {
    struct expiry expiry; /* zero to begin with */
};

/* `what` is the certificate, for the reader; `not_after` in seconds since 1970. To be called every
   now and then. */
void expiry_alarm_look(struct expiry_alarm *alarm, struct log *log, const char *what,
                       int64_t not_after);

#endif
