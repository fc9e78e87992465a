// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_PLACE_H
#define EDGE_YAML_YAML_PLACE_H

/*
 * Where in the input something stands, and how an error says so.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct yaml_place {
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in characters */
};

/* Moves a place over the bytes of UTF-8 from `from` to `to`. */
void yaml_place_advance(struct yaml_place *place, const char *from, const char *to);

/* Sets an error that begins with "line L, column C: " and returns false. */
bool yaml_place_fail(struct error *error, enum error_kind kind, struct yaml_place place,
                     const char *format, ...) PRINTF_LIKE(4, 5);

/* What fits of foreign bytes for an error text: without control characters, never half a
   character, "..." where it was cut. Returns `out`. */
#define YAML_PLACE_QUOTE_SIZE 72
const char *yaml_place_quote(char out[YAML_PLACE_QUOTE_SIZE], const char *bytes, size_t size);

/* Does a scalar on this line begin with "{{", as in a template that was not rendered? Sets the
   column if so. */
bool yaml_place_find_template(const char *bytes, size_t size, struct yaml_place *place);

#endif
