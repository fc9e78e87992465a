// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_H
#define EDGE_YAML_H

/*
 * YAML to JSON text, read as `kubectl` reads it (sigs.k8s.io/yaml, which is go-yaml v2): YAML 1.1
 * scalars, so that `yes`, `on`, `y` and `True` are true, `~` is null, `010` is 8, `0x1F` is 31,
 * `1_000` is 1000, `1e3` is 1000; dates and base 60 numbers are text; quoted scalars are always
 * strings; keys become strings, as `1` and `true` do. Numbers keep all their digits.
 *
 * Stricter than kubectl: a duplicate key is refused, the merge key (`<<`) included, and so is a
 * tag other than !!str, !!int, !!float, !!bool, !!null, !!map, !!seq and !!merge. What is merged
 * never hides a member of the map itself, wherever the merge key stands. As for kubectl, null, a
 * map or a list cannot be a key, and `.inf` and `.nan`, which JSON cannot say, no value.
 *
 * What is wrong with the input is told as "line L, column C: ...", ERROR_INVALID or, past a limit,
 * ERROR_TOO_LARGE; the error has no offset.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

/* Limits: nesting of one document, and the JSON that one document may become. Aliases are written
   out, so the second is also the bound on what anchors can blow up to. */
#define YAML_DEPTH_MAX 1000
#define YAML_JSON_MAX  (64u << 20)

/* Where a JSON value, or the key before it, came from. */
struct yaml_mark {
    uint32_t offset; /* first byte of the key or value in the JSON */
    uint32_t line;   /* from 1; what an alias or a merge key brings is where it was written */
    uint32_t column; /* from 1, in characters */
};

struct yaml_document {
    struct buffer json;      /* one JSON value, without white space; key order is kept */
    struct yaml_mark *marks; /* ascending offsets; one for each key and each value */
    size_t n_marks;
};

void yaml_document_fini(struct yaml_document *document);

/* The mark of the key or value that begins at, or else last before, a byte of the JSON. Never NULL
   for a document that was read. */
const struct yaml_mark *yaml_find(const struct yaml_document *document, size_t offset);

/* Reads a stream of documents. */
struct yaml_stream;

/* `bytes` are borrowed until the stream is closed. */
struct yaml_stream *yaml_open(const char *bytes, size_t size);

/* Not named yaml_free: libyaml calls a function of that name, and would find this one. */
void yaml_close(struct yaml_stream *stream);

/* The next document. *ret_more is false, and the document untouched, behind the last one. A
   document that holds nothing (only comments) is the JSON `null`; input that is empty or blank has
   none. After an error the stream can only be closed.

   Input that is one JSON value after another, as kubectl writes with `-o json`, is read as JSON:
   strict, and without the bounds above but those of base/json. There too a duplicate key is
   refused, however it is written: "\u0061" is "a". */
bool yaml_next(struct yaml_stream *stream, struct yaml_document *ret_document, bool *ret_more,
               struct error *error) MUST_CHECK;

#endif
