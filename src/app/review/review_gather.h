// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REVIEW_GATHER_H
#define APP_REVIEW_REVIEW_GATHER_H

/*
 * The first of the two times that `capstan review` goes through its input: what there is to decide
 * by is gathered, and what cannot be reviewed is found before anything is printed.
 */

#include "core/facts/facts.h"
#include "review_old.h"
#include "review_options.h"

/* Into `facts` go the MCPServers and Deployments of the cluster, those of --facts and those under
   review, each before the former; into `old`, which is sorted then, what --old has. Errors name
   file, line and column. */
bool review_gather(const struct review_options *options, const struct buffer *standard_input,
                   struct facts *facts, struct review_old *old, struct error *error) MUST_CHECK;

#endif
