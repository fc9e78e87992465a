// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_ANCHOR_H
#define EDGE_YAML_YAML_ANCHOR_H

/*
 * What the anchors of a document name. The last one of a name counts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct yaml_anchors {
    void *root; /* of a balanced tree; NULL while there is none */
};

bool yaml_anchor_set(struct yaml_anchors *anchors, const char *name, uint32_t node,
                     struct error *error) MUST_CHECK;

/* The node, or 0 if there is no such anchor. */
uint32_t yaml_anchor_find(const struct yaml_anchors *anchors, const char *name);

void yaml_anchor_clear(struct yaml_anchors *anchors);

#endif
