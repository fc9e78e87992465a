// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_PLACE_H
#define EDGE_YAML_YAML_PLACE_H

/*
 * Places in the input, and errors that name them.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "edge/yaml.h"

struct yaml_place {
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in characters */
};

/* Moves a place over the UTF-8 bytes from `from` to `to`. */
void yaml_place_advance(struct yaml_place *place, const char *from, const char *to);

/* The first byte from `at` on that is not white space, or `end`. */
const char *yaml_place_pass_blanks(const char *at, const char *end);

/* Marks the key or value whose JSON is added to the document next. Two marks need different
   offsets, so add at least one byte in between. */
void yaml_place_mark(struct yaml_place place, struct yaml_document *document);

/* Sets an error that begins with "line L, column C: ". Returns false. */
bool yaml_place_fail(struct error *error, enum error_kind kind, struct yaml_place place,
                     const char *format, ...) PRINTF_LIKE(4, 5);

/* Copies foreign bytes for an error text: no control characters, no half characters, "..." at the
   end if cut. Returns `out`. */
#define YAML_PLACE_QUOTE_SIZE 72
const char *yaml_place_quote(char out[YAML_PLACE_QUOTE_SIZE], const char *bytes, size_t size);

/* Does a scalar on this line begin with "{{", as in a template that was not rendered? If so, sets
   the column. */
bool yaml_place_find_template(const char *bytes, size_t size, struct yaml_place *place);

#endif
