// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_ADMIT_H
#define APP_SERVE_ADMIT_H

/*
 * The request path: the bytes of an AdmissionReview in, the bytes of its answer out. It reads the
 * facts and the policy without waiting for their writer. Its only side effects are counts, a line
 * in the log, and an Event about a contested count. If the facts lack an owner and there is an API
 * server to ask, it asks, while the thread serves other requests. One GET takes at most 500 ms.
 * With its wait for a turn, a request takes at most 70 % of the time that it names (`?timeout=3s`),
 * and never more than 2 s; 500 ms if it names none.
 */

#include "core/admission/policy.h"
#include "core/facts/facts.h"
#include "edge/http.h"
#include "edge/log.h"
#include "edge/metrics.h"

struct admit;
struct contest_event;
struct lookup;

/* All borrowed, until admit_free(). The policy is policy_default(). Exemptions end by the time that
   `wall_seconds` tells. */
struct admit *admit_new(struct facts *facts, struct log *log, struct metrics *metrics,
                        int64_t (*wall_seconds)(void));

/* No request may be under way. */
void admit_free(struct admit *admit);

/* Decides by this policy from the next request on. One thread at a time. */
void admit_set_policy(struct admit *admit, struct policy *owned_policy);

/* The policy, borrowed by the thread that sets it, until it sets another. */
const struct policy *admit_policy(const struct admit *admit);

/* Admits the objects of all other namespaces untouched, without a look-up. Borrowed; without any
   name all are watched. Call it before the first request. */
void admit_set_namespaces(struct admit *admit, const char *const *names, size_t n_names);

/* Posts Events about contested counts there; borrowed. Call it before the first request. */
void admit_set_contest_event(struct admit *admit, struct contest_event *contest_event);

/* Looks up there the objects that the facts lack; borrowed. Call it before the first request. */
void admit_set_lookup(struct admit *admit, struct lookup *lookup);

/* Says in the log what is over. Call this every few seconds, on the loop's thread. */
void admit_step(struct admit *admit, int64_t now_ms);

/*
 * Answers one request, with one of three outcomes. A decision is 200 with a verdict. A malformed
 * review is 400. A request that cannot be decided, if the policy wants that to fail, is 500: then
 * the failurePolicy of the webhook configuration applies.
 */
void admit_request(struct admit *admit, const struct http_request *request,
                   struct http_response *response);

#endif
