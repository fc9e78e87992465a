// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_TEXT_H
#define EDGE_YAML_YAML_TEXT_H

/*
 * Writes strings in YAML so that they are read back as themselves. A text is valid UTF-8 and ends
 * with a NUL.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/json.h"

enum yaml_text_style {
    YAML_TEXT_PLAIN,
    YAML_TEXT_LITERAL, /* a block of lines; never used for a key */
    YAML_TEXT_QUOTED,
};

enum yaml_text_style yaml_text_style(const char *text, size_t size);

void yaml_text_add_quoted(const char *text, size_t size, struct buffer *out);

void yaml_text_add_spaces(size_t n, struct buffer *out);

/* Adds a literal block: the header and the lines, indented by `indent`, with their line breaks. The
   block is the value of a node that is indented by `indent - 2`. */
void yaml_text_add_literal(const char *text, size_t size, size_t indent, struct buffer *out);

/* Decodes a string from the JSON reader and adds it. U+0000 becomes one NUL byte. */
void yaml_text_decode(const struct json_text *text, struct buffer *out);

#endif
