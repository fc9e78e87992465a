// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_YAML_H
#define EDGE_YAML_H

/*
 * Reads YAML and gives JSON text, as `kubectl` does (sigs.k8s.io/yaml, which is go-yaml v2).
 * Scalars are those of YAML 1.1: `yes`, `on`, `y` and `True` are true, `~` is null, `010` is 8,
 * `0x1F` is 31, `1_000` and `1e3` are 1000. Dates and base 60 numbers are text. Quoted scalars are
 * always strings. Keys become strings, even `1` and `true`. Numbers keep all their digits.
 *
 * It is stricter than kubectl: it refuses duplicate keys, the merge key (`<<`) included, and all
 * tags but !!str, !!int, !!float, !!bool, !!null, !!map, !!seq and !!merge. A merged member never
 * hides a member of the map itself, wherever the merge key stands. As with kubectl, null, a map or
 * a list cannot be a key, and `.inf` and `.nan` cannot be values, since JSON has no such numbers.
 *
 * Errors are ERROR_INVALID or, past a limit, ERROR_TOO_LARGE. The text begins with "line L, column
 * C: "; the error has no offset.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"

/* The nesting of one document, and the size of its JSON in bytes. Aliases are written out, so the
   second limit also bounds what anchors can expand to. */
#define YAML_DEPTH_MAX 1000
#define YAML_JSON_MAX  (64u << 20)

/* The place of a JSON key or value in the input. */
struct yaml_mark {
    uint32_t offset; /* of its first byte in the JSON */
    uint32_t line;   /* from 1; what an alias or a merge key brings keeps its original place */
    uint32_t column; /* from 1, in characters */
};

struct yaml_document {
    struct buffer json;      /* one JSON value without white space; keys keep their order */
    struct yaml_mark *marks; /* one per key and value, by ascending offset */
    size_t n_marks;
};

void yaml_document_fini(struct yaml_document *document);

/* The mark of the key or value that begins at a byte of the JSON, or else the last one before it.
   Never NULL for a document from yaml_next(). */
const struct yaml_mark *yaml_find(const struct yaml_document *document, size_t offset);

/* A stream of documents. */
struct yaml_stream;

/* `bytes` are borrowed until yaml_close(). */
struct yaml_stream *yaml_open(const char *bytes, size_t size);

/* The name yaml_free is taken: libyaml calls its own function of that name and would find ours. */
void yaml_close(struct yaml_stream *stream);

/* Reads the next document. After the last one, *ret_more is false and the document is untouched. A
   document of comments alone is the JSON `null`; empty or blank input has no documents. After an
   error, only close the stream. Free the document with yaml_document_fini().

   Input that is one JSON value after another, as kubectl writes with `-o json`, is read as JSON:
   strictly, and with the limits of base/json instead of those above. Duplicate keys are refused
   there too, in any spelling: "\u0061" is "a". */
bool yaml_next(struct yaml_stream *stream, struct yaml_document *ret_document, bool *ret_more,
               struct error *error) MUST_CHECK;

#endif
