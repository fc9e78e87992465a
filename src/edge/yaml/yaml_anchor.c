// SPDX-License-Identifier: Apache-2.0
#include "yaml_anchor.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct anchor {
    char *name;
    uint32_t node;
};

static int compare(const void *a, const void *b) {
    const struct anchor *left = a;
    const struct anchor *right = b;
    return strcmp(left->name, right->name);
}

static void anchor_free(void *owned) {
    struct anchor *anchor = owned;
    if (anchor != NULL) {
        free(anchor->name);
        free(anchor);
    }
}

static void anchor_auto_free(struct anchor **anchor) {
    anchor_free(*anchor);
}

bool yaml_anchor_set(struct yaml_anchors *anchors, const char *name, uint32_t node,
                     struct error *error) {
    AUTO(anchor_auto_free) struct anchor *anchor = memory_new(1, sizeof(*anchor));
    anchor->name = memory_copy(name, strlen(name));
    struct anchor **slot = tsearch(anchor, &anchors->root, compare);
    if (slot == NULL) {
        return error_set(error, ERROR_INTERNAL, "out of memory for an anchor");
    }
    (*slot)->node = node;
    if (*slot == anchor) {
        (void)TAKE(anchor);
    }
    return true;
}

uint32_t yaml_anchor_find(const struct yaml_anchors *anchors, const char *name) {
    AUTO_FREE char *copy = memory_copy(name, strlen(name));
    const struct anchor wanted = {.name = copy};
    struct anchor **slot = tfind(&wanted, &anchors->root, compare);
    return slot != NULL ? (*slot)->node : 0;
}

void yaml_anchor_clear(struct yaml_anchors *anchors) {
    tdestroy(anchors->root, anchor_free);
    anchors->root = NULL;
}
