// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_SCALAR_H
#define EDGE_YAML_YAML_SCALAR_H

/*
 * The meaning of a YAML scalar, and its JSON. The rules are those of go-yaml v2, which
 * sigs.k8s.io/yaml and so kubectl use. They are nearly YAML 1.1, but y, Y, n and N are booleans
 * too, and there are no base 60 numbers. Timestamps stay text.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum yaml_scalar_kind {
    YAML_SCALAR_NULL,
    YAML_SCALAR_BOOL,
    YAML_SCALAR_INTEGER, /* 64 bits, signed or unsigned */
    YAML_SCALAR_FLOAT,   /* any other number; it keeps its digits, not those of a double */
    /* The JSON of these is a string. */
    YAML_SCALAR_SPECIAL, /* infinite or not a number; good only as a key */
    YAML_SCALAR_MERGE,   /* << */
    YAML_SCALAR_TEXT,
};

/* Resolves an unquoted scalar and adds its JSON to `out`. `text` ends with a NUL. */
enum yaml_scalar_kind yaml_scalar_resolve(const char *text, size_t size, struct buffer *out);

void yaml_scalar_add_text(const char *text, size_t size, struct buffer *out);

/* Adds the JSON string of a boolean, an integer or a float used as a key. `json` is its JSON and
   may lie in `out`. */
void yaml_scalar_add_key(enum yaml_scalar_kind kind, const char *json, size_t size,
                         struct buffer *out);

#endif
