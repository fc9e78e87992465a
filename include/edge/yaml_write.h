// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_WRITE_H
#define EDGE_YAML_WRITE_H

/*
 * Writes JSON as YAML, as `kubectl get -o yaml` does: block style, two spaces per level, lists as
 * deep as their key, keys in their order. edge/yaml, and so kubectl, reads it back as the same
 * JSON.
 *
 * A string is plain if no reader of YAML 1.1 or 1.2 takes it for anything else. It is a literal
 * block if it has several lines that a block shows as they are. Otherwise it has double quotes.
 * Numbers keep their text.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

/* Adds one document to `out`: no `---` before it, a line break after it. base/json checks the JSON.
   ERROR_TOO_LARGE for nesting past YAML_DEPTH_MAX (edge/yaml.h) or more than `out` may hold.
   ERROR_INVALID for a number that no double can hold, such as 1e400: YAML would read it as text.
   All equal keys of an object are written, though no reader accepts them. On failure `out` is
   unchanged. */
bool yaml_write(const char *json, size_t size, struct buffer *out, struct error *error) MUST_CHECK;

#endif
