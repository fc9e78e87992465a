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

/* True if `rules` match each request that `wanted` matches, however the rules are cut. False if a
   rule of `wanted` has a member that Capstan does not know; such a rule of `rules` matches nothing.
 */
bool webhook_rules_cover(const cJSON *rules, const cJSON *wanted);

#endif
