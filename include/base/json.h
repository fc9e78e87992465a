// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * A validating pull reader for JSON (RFC 8259): one pass over borrowed bytes, no tree, no
 * allocation, no recursion. The caller reads the values that it wants and skips each other value in
 * one call. Every byte is checked either way.
 *
 *     struct json_reader reader;
 *     struct json_text key;
 *     json_begin(&reader, bytes, size);
 *     if (json_enter_object(&reader)) {
 *         while (json_next_member(&reader, &key)) {
 *             if (json_text_is(&key, "replicas")) {
 *                 has_replicas = json_read_integer(&reader, &replicas);
 *             } else {
 *                 json_skip(&reader);
 *             }
 *         }
 *     }
 *     return json_finish(&reader, error);
 *
 * The reader keeps the first fault. From then on every call returns false, so that loops end by
 * themselves and json_finish() is the only check. A value of another type than the call reads is no
 * fault: the reader skips it, and the call returns false.
 *
 * It is stricter than many: UTF-8 must be well formed (RFC 3629: no surrogates, no overlong forms),
 * and so must escapes (no lone surrogates). Keys are case-sensitive. Only white space may follow
 * the value. A byte order mark is a fault. The caller gets duplicate keys as they stand.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attribute.h"
#include "base/error.h"

/* The deepest nesting that is read; one level more is a fault. kube-apiserver admits objects that
   are 10,000 deep, and an AdmissionReview wraps them in a few levels more. */
#define JSON_DEPTH_MAX 10240

enum json_kind {
    JSON_NONE, /* no value: the input has a fault, or no value is due */
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_OBJECT,
    JSON_ARRAY,
};

/* A string as it stands in the input, without its quotes; borrowed from it. */
struct json_text {
    const char *at;
    size_t size;     /* bytes as written */
    bool is_escaped; /* it has a backslash, so that its bytes are not yet the value */
};

/* All members are private. The reader holds no pointer to itself and owns nothing. */
struct json_reader {
    const char *start;
    const char *at;
    const char *end;
    const char *fault; /* what is wrong, a literal; NULL while all is well */
    size_t fault_offset;
    bool is_too_deep;
    bool is_value_due; /* a value must be read, entered or skipped before the next step */
    bool is_fresh;     /* just inside an opening bracket: no comma is due */
    uint32_t depth;
    uint64_t arrays[JSON_DEPTH_MAX / 64]; /* one bit a level: 1 is an array, 0 an object */
};

void json_begin(struct json_reader *reader, const char *bytes, size_t size);

/* The kind of the next value, without reading it. The first byte decides; one that begins no value
   is a fault. JSON_NONE if no value is due. */
enum json_kind json_peek(struct json_reader *reader);

/* The offset of the next value, in bytes from the start of the input. */
size_t json_offset(struct json_reader *reader);

/* Steps into an object or array. Skips a value of another type and returns false. */
bool json_enter_object(struct json_reader *reader);
bool json_enter_array(struct json_reader *reader);

/* Steps to the next member or item. The caller then reads, enters or skips its value before the
   next call. False behind the last one: the reader has left the object or array. */
bool json_next_member(struct json_reader *reader, struct json_text *ret_key);
bool json_next_item(struct json_reader *reader);

/* Reads one value. Skips a value of another type, stores nothing and returns false. */
bool json_read_text(struct json_reader *reader, struct json_text *ret_text);
bool json_read_bool(struct json_reader *reader, bool *ret_value);

/* Any number counts whose value is an integer of 64 bits: 7, -0, 1e3 and 1.0, not 1.5, 1e400 or
   9223372036854775808. The result is exact, since no double comes between. */
bool json_read_integer(struct json_reader *reader, int64_t *ret_value);

/* Passes over one value of any kind, and checks it. */
void json_skip(struct json_reader *reader);

/* Reads one value of any kind as its bytes, borrowed from the input. False on a fault. */
bool json_read_raw(struct json_reader *reader, struct json_text *ret_raw);

/* True if the input was one valid value, was read to its end, and has only white space behind it.
   Errors, with the offset: ERROR_INVALID, or ERROR_TOO_LARGE for nesting. */
bool json_finish(struct json_reader *reader, struct error *error) MUST_CHECK;

/* Compares the decoded value, byte by byte, with a C string. */
bool json_text_decodes_to(const struct json_text *text, const char *expected);

/* The same. Called for every key, hence inline: with a literal it compiles to word compares. */
static inline bool json_text_is(const struct json_text *text, const char *expected) {
    if (text->is_escaped) {
        return json_text_decodes_to(text, expected);
    }
    size_t size = strlen(expected);
    return text->size == size && memcmp(text->at, expected, size) == 0;
}

/* Copies the decoded value and a NUL. If it does not fit into `capacity` bytes (at least 1) or has
   a U+0000 in it, `out` is empty and the result is false. */
bool json_text_copy(const struct json_text *text, char *out, size_t capacity);

#endif
