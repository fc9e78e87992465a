// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_EDIT_H
#define BASE_JSON_EDIT_H

/*
 * Changes one member of a JSON document and nothing else. It builds no tree. All other bytes stay
 * as they are: white space, the order of keys, escapes, and numbers such as 1e400.
 *
 * A path names a member by the keys of the objects that lead to it: {"spec", "replicas"}. The keys
 * of the document are compared decoded. If an object has a key twice, the last one counts, as in
 * Go. base/json reads the document, so that the same strictness applies.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

/* Copies the document to `out` with the member at the path set to `value`, which must be JSON. This
   is the operation `add` of RFC 6902 on members of objects. A member that is there keeps its place,
   a new one comes last. Parents that are missing or null become objects; a parent of another type
   is ERROR_INVALID. A path of no keys names the document. On failure `out` stays as it was. */
bool json_edit_add(const char *json, size_t size, const char *const *keys, size_t n_keys,
                   const char *value, struct buffer *out, struct error *error) MUST_CHECK;

/* json_edit_add() in place. On failure the document stays as it was. */
bool json_edit_set(struct buffer *json, const char *const *keys, size_t n_keys, const char *value,
                   struct error *error) MUST_CHECK;

/* The bytes of the value at the path, borrowed from the document. null is a value. False if there
   is none, or if the document is malformed. */
bool json_edit_find(const char *json, size_t size, const char *const *keys, size_t n_keys,
                    struct json_text *ret_raw);

/* The string at the path. False also if the value is no string. */
bool json_edit_find_text(const char *json, size_t size, const char *const *keys, size_t n_keys,
                         struct json_text *ret_text);

#endif
