// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_EXPIRY_ALARM_H
#define APP_CERTIFICATES_EXPIRY_ALARM_H

/*
 * Logs that a certificate comes to its end, once at each level of core/certificates/expiry.
 */

#include <stdint.h>

#include "core/certificates/expiry.h"
#include "edge/log.h"

/* `what` names the certificate in the log. Times are in seconds since 1970. Call this every now and
   then. */
void expiry_alarm_look(struct expiry *expiry, struct log *log, const char *what, int64_t not_before,
                       int64_t not_after);

#endif
