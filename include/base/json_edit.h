// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_EDIT_H
#define BASE_JSON_EDIT_H

/*
 * Changes one member of a JSON document and nothing else: no tree is built, and all other bytes
 * stay as they are, the white space, the order of keys, escapes, and numbers such as 1e400.
 *
 * A member is named by a path, the keys of the objects that lead to it: {"spec", "replicas"}. The
 * keys of the document are compared decoded. Where an object has a key twice the last one counts,
 * as in Go. The document is read with base/json, and is as strictly judged.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

/* Copies the document to `out` with the member at the path set to `value`, which must be JSON: the
   operation `add` of RFC 6902 on members of objects. A member that is there keeps its place, a new
   one comes last. Parents that are missing or null are made; one that is anything else but an
   object is ERROR_INVALID. A path of no keys names the document. On failure nothing is added. */
bool json_edit_add(const char *json, size_t size, const char *const *keys, size_t n_keys,
                   const char *value, struct buffer *out, struct error *error) MUST_CHECK;

/* The bytes of the value at the path, borrowed from the document. False if there is none, or if the
   document is malformed; a value that is null is one. */
bool json_edit_find(const char *json, size_t size, const char *const *keys, size_t n_keys,
                    struct json_text *ret_raw);

/* Is there a value at the path, other than null? */
bool json_edit_has(const char *json, size_t size, const char *const *keys, size_t n_keys);

#endif
