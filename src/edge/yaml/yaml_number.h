// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_NUMBER_H
#define EDGE_YAML_YAML_NUMBER_H

/*
 * The numbers of go-yaml v2 as JSON. Integers have 64 bits and are read as Go's strconv does with
 * base 0 (0b, 0o, 0x, a leading 0 for octal, underscores anywhere). Larger decimal integers are
 * floats.
 */

#include <stddef.h>

#include "base/buffer.h"
#include "yaml_scalar.h"

/* Reads an unquoted scalar and adds its number to `out`. Returns YAML_SCALAR_TEXT, and adds
   nothing, if it is not a number. `text` ends with a NUL. A float keeps its digits. If it has an
   exponent and lies from 1e-6 to below 1e21, it is written without one, as Go does. If a double
   cannot hold it, it is text, as for go-yaml. */
enum yaml_scalar_kind yaml_number_read(const char *text, size_t size, struct buffer *out);

/* Adds a float as sigs.k8s.io/yaml spells it in a key: with the fewest digits that tell it from
   other 32-bit floats. */
void yaml_number_add_key(const char *json, struct buffer *out);

#endif
