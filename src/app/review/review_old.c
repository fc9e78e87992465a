// SPDX-License-Identifier: Apache-2.0
#include "review_old.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void review_old_fini(struct review_old *old) {
    for (size_t i = 0; i < old->n_objects; i++) {
        free(old->objects[i]);
    }
    free(old->objects);
}

void review_old_add(struct review_old *old, const struct object *object) {
    struct object *copy = memory_new(1, sizeof(*copy));
    *copy = *object;
    old->objects = memory_resize(old->objects, old->n_objects + 1, sizeof(old->objects[0]));
    old->objects[old->n_objects++] = copy;
}

static int compare(const void *one, const void *other) {
    const struct object *a = *(const struct object *const *)one;
    const struct object *b = *(const struct object *const *)other;
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    int order = strcmp(a->namespace, b->namespace);
    return order != 0 ? order : strcmp(a->name, b->name);
}

void review_old_sort(struct review_old *old) {
    if (old->n_objects > 0) {
        qsort(old->objects, old->n_objects, sizeof(old->objects[0]), compare);
    }
}

const struct object *review_old_find(const struct review_old *old, const struct object *object) {
    if (old->n_objects == 0) {
        return NULL;
    }
    struct object **found =
        bsearch(&object, old->objects, old->n_objects, sizeof(old->objects[0]), compare);
    return found == NULL ? NULL : *found;
}
