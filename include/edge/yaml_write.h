// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_WRITE_H
#define EDGE_YAML_WRITE_H

/*
 * JSON to YAML as `kubectl get -o yaml` prints it: block style, two spaces for each level, a list
 * no deeper than its key, the order of keys kept. What was written is read back by edge/yaml, and
 * so by kubectl, as the same JSON.
 *
 * Strings are plain where no reader of YAML 1.1 or 1.2 takes them for anything else, literal blocks
 * where they have several lines that show what they are, and else in double quotes. Numbers keep
 * their text.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

/* Adds one document, without `---` before it, with a line break behind it. The JSON is checked as
   base/json does. Nesting past YAML_DEPTH_MAX (edge/yaml.h) and more than `out` may hold are
   ERROR_TOO_LARGE; a number that no double can hold, such as 1e400, is ERROR_INVALID, since YAML
   has only the text "1e400" for it. Equal keys of one object are all written, though no reader
   takes them. On failure nothing is added. */
bool yaml_write(const char *json, size_t size, struct buffer *out, struct error *error) MUST_CHECK;

#endif
