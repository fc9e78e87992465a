// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REVIEW_GATHER_H
#define APP_REVIEW_REVIEW_GATHER_H

/*
 * `capstan review` goes through its input twice. The first time it gathers the facts, and finds
 * input that it cannot review before it prints anything.
 */

#include "core/facts/facts.h"
#include "review_options.h"

/* The earlier states of objects, from --old, by kind, namespace and name. */
struct review_old {
    struct object **objects;
    size_t n_objects;
};

void review_old_fini(struct review_old *old);

/* Copies the object. Sort before the first search. */
void review_old_add(struct review_old *old, const struct object *object);
void review_old_sort(struct review_old *old);

/* NULL if there is none. */
const struct object *review_old_find(const struct review_old *old, const struct object *object);

/* Fills `facts` with the objects of the family and the Deployments of the cluster, of --facts and
   under review. If an object is in several of them, the last of these three counts. Fills and sorts
   `old` from
   --old. Errors name file, line and column. */
bool review_gather(const struct review_options *options, const struct buffer *standard_input,
                   struct facts *facts, struct review_old *old, struct error *error) MUST_CHECK;

#endif
