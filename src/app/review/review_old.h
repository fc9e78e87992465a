// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REVIEW_OLD_H
#define APP_REVIEW_REVIEW_OLD_H

/*
 * The earlier states of objects, from --old, by kind, namespace and name.
 */

#include <stddef.h>

#include "core/facts/object.h"

struct review_old {
    struct object **objects;
    size_t n_objects;
};

void review_old_fini(struct review_old *old);

/* Copies the object. */
void review_old_add(struct review_old *old, const struct object *object);

/* Call it when all objects are added, and before the first search. */
void review_old_sort(struct review_old *old);

/* NULL if there is none. */
const struct object *review_old_find(const struct review_old *old, const struct object *object);

#endif
