// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_TAG_H
#define EDGE_YAML_YAML_TAG_H

/*
 * Applies a tag such as !!str to a node. The tags of JSON's types are supported. Any other is
 * refused, since kubectl would drop it silently.
 */

#include "yaml_place.h"
#include "yaml_scalar.h"

struct yaml_tag {
    const char *name; /* in full, tag:yaml.org,2002:...; NULL if the node has no tag */
    bool is_plain;    /* not quoted and not a block */
    struct yaml_place place;
};

/* Adds the JSON of a scalar to `out`. `text` ends with a NUL. */
bool yaml_tag_read_scalar(const struct yaml_tag *tag, const char *text, size_t size,
                          struct buffer *out, enum yaml_scalar_kind *ret_kind,
                          struct error *error) MUST_CHECK;

/* Refuses any tag but `expected`, which is "map" or "seq". */
bool yaml_tag_check(const struct yaml_tag *tag, const char *expected,
                    struct error *error) MUST_CHECK;

#endif
