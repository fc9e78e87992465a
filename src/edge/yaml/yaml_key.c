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

void yaml_key_sort(struct yaml_key *keys, size_t n) {
    if (n > 1) {
        qsort(keys, n, sizeof(*keys), compare);
    }
}

bool yaml_key_equals(const struct yaml_key *a, const struct yaml_key *b) {
    return a->size == b->size && memcmp(a->at, b->at, a->size) == 0;
}

const struct yaml_key *yaml_key_find_repeated(const struct yaml_key *keys, size_t n,
                                              size_t n_checked) {
    const struct yaml_key *found = NULL;
    for (size_t i = 1; i < n; i++) {
        if (keys[i].order < n_checked && yaml_key_equals(&keys[i - 1], &keys[i]) &&
            (found == NULL || keys[i].order < found->order)) {
            found = &keys[i];
        }
    }
    return found;
}
