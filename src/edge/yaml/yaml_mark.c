// SPDX-License-Identifier: Apache-2.0
#include "yaml_mark.h"

#include <stdlib.h>

#include "base/memory.h"

void yaml_mark_add(struct yaml_marks *marks, size_t offset, struct yaml_place place) {
    if (marks->n == marks->capacity) {
        marks->capacity = marks->capacity < 16 ? 16 : marks->capacity * 2;
        marks->at = memory_resize(marks->at, marks->capacity, sizeof(*marks->at));
    }
    marks->at[marks->n++] = (struct yaml_mark){
        .offset = (uint32_t)offset,
        .line = place.line,
        .column = place.column,
    };
}

void yaml_mark_give(struct yaml_marks *marks, struct yaml_document *document) {
    document->marks = TAKE(marks->at);
    document->n_marks = marks->n;
}

void yaml_mark_fini(struct yaml_marks *marks) {
    free(marks->at);
    *marks = (struct yaml_marks){0};
}
