// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_ENTRY_H
#define CORE_DOCTOR_ENTRY_H

/*
 * The target of an entry of a webhook configuration.
 */

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "core/doctor/finding.h"

/* True if the API server calls a URL, and no Service. */
bool entry_has_url(const cJSON *entry);

/* True if it calls our Service. Such entries are Capstan's, and `serve` leaves all others alone:
   registration_keep_service() judges in the same way. */
bool entry_calls_us(const cJSON *entry, const struct finding_names *names);

#endif
