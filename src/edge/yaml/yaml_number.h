// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_NUMBER_H
#define EDGE_YAML_YAML_NUMBER_H

/*
 * The numbers of go-yaml v2 as JSON. Integers are those of Go's strconv with base 0 (0b, 0o, 0x, a
 * leading 0 for octal, underscores anywhere), of 64 bits; decimal ones beyond that are floats.
 */

#include <stddef.h>

#include "base/buffer.h"

enum yaml_number_kind {
    YAML_NUMBER_NONE, /* the text is no number */
    YAML_NUMBER_INTEGER,
    YAML_NUMBER_FLOAT,
};

/* Adds the number that an unquoted scalar is; nothing if it is none. `text` has a NUL behind it. A
   float keeps its digits; if it has an exponent, it is written without one from 1e-6 to below 1e21,
   as Go writes it. What a double cannot hold is text for go-yaml, and so no number. */
enum yaml_number_kind yaml_number_read(const char *text, size_t size, struct buffer *out);

/* Adds a float as sigs.k8s.io/yaml spells it when it is a key: as few digits as tell it from other
   numbers of 32 bits. */
void yaml_number_add_key(const char *json, struct buffer *out);

#endif
