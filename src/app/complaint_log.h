// SPDX-License-Identifier: Apache-2.0
#ifndef APP_COMPLAINT_LOG_H
#define APP_COMPLAINT_LOG_H

/*
 * The last line about something that has failed: it is over.
 */

#include <stdint.h>

#include "core/cluster/complaint.h"
#include "edge/log.h"

/* Logs the event once it is over, with the number of failures, and with what has failed ("Lease",
   "deployments"). Call this every few seconds. */
void complaint_log_over(struct complaint *complaint, struct log *log, const char *event,
                        const char *what, int64_t now_ms);

#endif
