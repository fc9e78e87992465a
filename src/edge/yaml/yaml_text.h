// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_TEXT_H
#define EDGE_YAML_YAML_TEXT_H

/*
 * How a string is written in YAML so that it is read back as itself. A text is any valid UTF-8,
 * with a NUL behind it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/json.h"

enum yaml_text_style {
    YAML_TEXT_PLAIN,
    YAML_TEXT_LITERAL, /* a block of lines; no key can be one */
    YAML_TEXT_QUOTED,
};

enum yaml_text_style yaml_text_style(const char *text, size_t size);

/* Adds the text in double quotes, on one line. */
void yaml_text_add_quoted(const char *text, size_t size, struct buffer *out);

/* Adds the header of a literal block and its lines, this many spaces deep, line breaks included.
   The block may be the value of what stands two spaces less deep. */
void yaml_text_add_literal(const char *text, size_t size, size_t indent, struct buffer *out);

/* Adds what a string from the JSON reader means; U+0000 is one byte, too. */
void yaml_text_decode(const struct json_text *text, struct buffer *out);

#endif
