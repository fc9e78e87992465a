// SPDX-License-Identifier: Apache-2.0
#include "yaml_key.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
    const struct yaml_key *left = a;
    const struct yaml_key *right = b;
    if (left->size != right->size) {
        return left->size < right->size ? -1 : 1;
    }
    int difference = memcmp(left->at, right->at, left->size);
    if (difference != 0) {
        return difference;
    }
    return left->order < right->order ? -1 : 1;
}

bool yaml_key_equals(const struct yaml_key *a, const struct yaml_key *b) {
    return a->size == b->size && memcmp(a->at, b->at, a->size) == 0;
}

bool yaml_key_check(struct yaml_key *keys, size_t n, size_t n_checked, struct error *error) {
    const struct yaml_key *found = NULL;
    if (n > 1) {
        qsort(keys, n, sizeof(*keys), compare);
    }
    for (size_t i = 1; i < n; i++) {
        if (keys[i].order < n_checked && yaml_key_equals(&keys[i - 1], &keys[i]) &&
            (found == NULL || keys[i].order < found->order)) {
            found = &keys[i];
        }
    }
    char quote[YAML_PLACE_QUOTE_SIZE];
    return found == NULL ||
           yaml_place_fail(error, ERROR_INVALID, found->place,
                           "duplicate key '%s' (first at line %u)",
                           yaml_place_quote(quote, found->at, found->size), found[-1].place.line);
}
