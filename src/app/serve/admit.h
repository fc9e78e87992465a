// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_ADMIT_H
#define APP_SERVE_ADMIT_H

/*
 * The request path: the bytes of an AdmissionReview in, the bytes of its answer out. It reads the
 * facts and the policy without waiting for whoever changes them, and has no side effect but a count
 * and a line in the log. What the facts do not have is looked up, if there is an API server to ask:
 * for at most 500 ms, during which the thread serves others.
 */

#include "core/admission/policy.h"
#include "core/facts/facts.h"
#include "edge/http.h"
#include "edge/log.h"
#include "edge/metrics.h"

struct admit;
struct lookup;

/* All borrowed, until admit_free(). The policy is that of policy_default(). `wall_seconds` tells
   the time, by which exemptions end. */
struct admit *admit_new(struct facts *facts, struct log *log, struct metrics *metrics,
                        int64_t (*wall_seconds)(void));

/* There must be no request under way. */
void admit_free(struct admit *admit);

/* From the next request on, this policy decides. One thread at a time. */
void admit_set_policy(struct admit *admit, struct policy *owned_policy);

/* The policy, for the thread that sets it, until it does. */
const struct policy *admit_policy(const struct admit *admit);

/* Where to ask about what the facts do not have; borrowed. Before the first request. */
void admit_set_lookup(struct admit *admit, struct lookup *lookup);

/*
 * Answers one request. Three outcomes are kept apart: decided is 200 with a verdict; asked wrongly
 * is 400; not to be decided, and the policy wants that to fail, is 500, so that the failurePolicy
 * of the webhook configuration rules.
 */
void admit_request(struct admit *admit, const struct http_request *request,
                   struct http_response *response);

#endif
