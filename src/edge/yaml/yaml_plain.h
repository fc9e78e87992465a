// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_PLAIN_H
#define EDGE_YAML_YAML_PLAIN_H

/*
 * Which strings may stand in YAML without quotes.
 */

#include <stdbool.h>
#include <stddef.h>

/* Is the text read back as itself, as a value or a key in block style? Its characters are not
   looked at: it must be printable and have no line break. A NUL stands behind it. */
bool yaml_plain_is_safe(const char *text, size_t size);

#endif
