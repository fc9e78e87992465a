// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_KEY_H
#define EDGE_YAML_YAML_KEY_H

/*
 * Finds equal keys of one object in O(n log n), whatever the keys are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "yaml_place.h"

/* A key as the JSON has it, without its quotes. */
struct yaml_key {
    const char *at; /* borrowed */
    uint32_t size;
    uint32_t order; /* its index among the keys of the object */
    struct yaml_place place;
};

bool yaml_key_equals(const struct yaml_key *a, const struct yaml_key *b);

/* Sorts the keys so that equal ones are neighbours, in their order. If keys with an order below
   `n_checked` repeat another key, refuses the first of these (ERROR_INVALID). */
bool yaml_key_check(struct yaml_key *keys, size_t n, size_t n_checked,
                    struct error *error) MUST_CHECK;

#endif
