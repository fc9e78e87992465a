// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_SCALAR_H
#define EDGE_YAML_YAML_SCALAR_H

/*
 * What a YAML scalar means, and its JSON: the rules of go-yaml v2, which sigs.k8s.io/yaml and so
 * kubectl read with. They are nearly those of YAML 1.1; y, Y, n and N are booleans too, and there
 * are no base 60 numbers. A timestamp stays the text that it is.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum yaml_scalar_kind {
    YAML_SCALAR_NULL,
    YAML_SCALAR_BOOL,
    YAML_SCALAR_INTEGER, /* of 64 bits, signed or not */
    YAML_SCALAR_FLOAT,   /* any other number; its digits are kept, not what a double makes of it */
    YAML_SCALAR_SPECIAL, /* infinite, or no number; its JSON is a string, for use as a key */
    YAML_SCALAR_MERGE,   /* << */
    YAML_SCALAR_TEXT,
};

/* What an unquoted scalar is; adds its JSON to `out`. `text` has a NUL behind it. */
enum yaml_scalar_kind yaml_scalar_resolve(const char *text, size_t size, struct buffer *out);

/* Adds the JSON string of any text. */
void yaml_scalar_add_text(const char *text, size_t size, struct buffer *out);

/* Adds the JSON string that a scalar becomes as a key, from its kind (not NULL) and its JSON, which
   may lie in `out`. */
void yaml_scalar_add_key(enum yaml_scalar_kind kind, const char *json, size_t size,
                         struct buffer *out);

#endif
