// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_WEBHOOK_RULES_H
#define CORE_DOCTOR_WEBHOOK_RULES_H

/*
 * The rules of webhooks and of admission policies (RuleWithOperations): which requests they see.
 * They are read as the API server reads them. The order of items and keys never matters.
 */

#include <stdbool.h>

#include <cjson/cJSON.h>

/* True if there can be a request that both lists of rules match. The word "*" means everything; as
   a resource it means everything but subresources. With a slash and "*" behind it, a resource means
   itself and all its subresources. An empty list matches nothing. */
bool webhook_rules_overlap(const cJSON *rules, const cJSON *others);

/* True if both lists hold the same rules. A rule with a member that Capstan does not know is like
   no other. */
bool webhook_rules_equal(const cJSON *rules, const cJSON *others);

#endif
