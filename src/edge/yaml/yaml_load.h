// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_LOAD_H
#define EDGE_YAML_YAML_LOAD_H

/*
 * Reads YAML with libyaml and makes documents. No libyaml type leaves this module.
 */

#include "edge/yaml.h"
#include "yaml_place.h"

struct yaml_load;

/* `bytes` are borrowed. */
struct yaml_load *yaml_load_open(const char *bytes, size_t size);
void yaml_load_close(struct yaml_load *load);

/* Same contract as yaml_next(). */
bool yaml_load_next(struct yaml_load *load, struct yaml_document *ret_document, bool *ret_more,
                    struct error *error) MUST_CHECK;

/* Did yaml_load_next() fail because of the syntax, rather than of the content? */
bool yaml_load_is_malformed(const struct yaml_load *load);

/* The end of the last document. */
struct yaml_place yaml_load_end(const struct yaml_load *load);

#endif
