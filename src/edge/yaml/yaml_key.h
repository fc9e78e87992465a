// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_KEY_H
#define EDGE_YAML_YAML_KEY_H

/*
 * Finds equal keys of one object in n log n, whatever the keys are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key as it stands in the JSON, without its quotes. */
struct yaml_key {
    const char *at; /* borrowed */
    uint32_t size;
    uint32_t order; /* its place among the keys of the object */
};

/* Sorts so that equal keys are neighbours, in their order. */
void yaml_key_sort(struct yaml_key *keys, size_t n);

bool yaml_key_equals(const struct yaml_key *a, const struct yaml_key *b);

/* Of sorted keys, the first in order that repeats another one and is one of the first `n_checked`;
   NULL if none does. The one before it in the array is its equal. */
const struct yaml_key *yaml_key_find_repeated(const struct yaml_key *keys, size_t n,
                                              size_t n_checked);

#endif
