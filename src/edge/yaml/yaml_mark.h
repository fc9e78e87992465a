// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_MARK_H
#define EDGE_YAML_YAML_MARK_H

/*
 * Collects the marks of a document while its JSON is written.
 */

#include "edge/yaml.h"
#include "yaml_place.h"

struct yaml_marks {
    struct yaml_mark *at;
    size_t n, capacity;
};

/* Marks what begins at byte `offset` of the JSON, which must be more than the one before. */
void yaml_mark_add(struct yaml_marks *marks, size_t offset, struct yaml_place place);

/* Gives the marks to a document. */
void yaml_mark_give(struct yaml_marks *marks, struct yaml_document *document);

void yaml_mark_fini(struct yaml_marks *marks);

#endif
