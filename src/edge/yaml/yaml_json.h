// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_YAML_JSON_H
#define EDGE_YAML_YAML_JSON_H

/*
 * Reads input that is JSON, one value after another. Makes the same documents as from YAML, at the
 * speed of base/json.
 */

#include "edge/yaml.h"
#include "yaml_place.h"

struct yaml_json {
    const char *at; /* the rest of the input; borrowed */
    const char *end;
    struct yaml_place place; /* of `at` */
};

/* Is all of the input JSON? If not, sets *ret_place to the fault. */
bool yaml_json_check(const char *bytes, size_t size, struct yaml_place *ret_place,
                     struct error *error) MUST_CHECK;

/* `bytes` must have passed yaml_json_check(). They are borrowed. */
void yaml_json_begin(struct yaml_json *json, const char *bytes, size_t size);

/* Same contract as yaml_next(). */
bool yaml_json_next(struct yaml_json *json, struct yaml_document *ret_document, bool *ret_more,
                    struct error *error) MUST_CHECK;

#endif
