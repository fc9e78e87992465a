// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * A validating pull reader for JSON (RFC 8259): one pass over borrowed bytes, no tree, no
 * allocation, no recursion. The caller asks for what it wants and skips the rest, each skipped
 * value in one call; every byte is checked either way.
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
 * The first fault is kept and ends everything: from there on every call returns false, so loops
 * end by themselves and the one check is json_finish(). A value of another type than the one asked
 * for is no fault: it is skipped and the call returns false.
 *
 * Stricter than many: UTF-8 must be well formed (RFC 3629: no surrogates, no overlong forms),
 * escapes too (a lone surrogate is refused), keys are case-sensitive, nothing but white space may
 * follow the value, no byte order mark. Duplicate keys are handed out as they stand.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attribute.h"
#include "base/error.h"

/* The nesting that is read; a value nested one deeper is refused. An object that kube-apiserver
   admits may be 10,000 deep, and an AdmissionReview wraps it in a few levels more. */
#define JSON_DEPTH_MAX 10240

enum json_kind {
    JSON_NONE, /* there is no value: the input has a fault, or none is due */
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
    bool is_escaped; /* there is a backslash in it: at[0..size) is not yet the value */
};

/* Everything in here is the reader's own. It holds no pointer to itself and owns nothing. */
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

/* What stands next, without reading it. Judged by its first byte only; one that begins no value is
   a fault. JSON_NONE also where no value is due. */
enum json_kind json_peek(struct json_reader *reader);

/* Where the next value begins, in bytes from the start of the input. */
size_t json_offset(struct json_reader *reader);

/* Steps into an object or array. False, and the value is skipped, if it is none. */
bool json_enter_object(struct json_reader *reader);
bool json_enter_array(struct json_reader *reader);

/* Steps to the next member or item: its value is then the next value, and must be read, entered or
   skipped before the next call. False behind the last one, when the object or array is left. */
bool json_next_member(struct json_reader *reader, struct json_text *ret_key);
bool json_next_item(struct json_reader *reader);

/* Reads one value. False, nothing stored and the value skipped, if it is of another type. */
bool json_read_text(struct json_reader *reader, struct json_text *ret_text);
bool json_read_bool(struct json_reader *reader, bool *ret_value);

/* An integer is any number whose value is one and fits 64 bits: 7, -0, 1e3 and 1.0, not 1.5,
   1e400 or 9223372036854775808. Exact: no double comes between. */
bool json_read_integer(struct json_reader *reader, int64_t *ret_value);

/* Reads one value of any kind and forgets it. */
void json_skip(struct json_reader *reader);

/* Reads one value of any kind and hands out its bytes, borrowed from the input. False on a fault.
 */
bool json_read_raw(struct json_reader *reader, struct json_text *ret_raw);

/* True if the input was one valid value, wholly read, with nothing but white space behind it.
   Else the error says what is wrong, with the offset: ERROR_INVALID, or ERROR_TOO_LARGE for
   nesting. */
bool json_finish(struct json_reader *reader, struct error *error) MUST_CHECK;

/* Compares the decoded value, byte by byte, with a C string. */
bool json_text_decodes_to(const struct json_text *text, const char *expected);

/* The same. It is asked of every key, so it stands here, where it comes down to a comparison of
   words if the expected text is a literal. */
static inline bool json_text_is(const struct json_text *text, const char *expected) {
    if (text->is_escaped) {
        return json_text_decodes_to(text, expected);
    }
    size_t size = strlen(expected);
    return text->size == size && memcmp(text->at, expected, size) == 0;
}

/* Copies the decoded value and a NUL. False, and `out` is empty, if it does not fit into
   `capacity` bytes (at least 1) or has a U+0000 in it. */
bool json_text_copy(const struct json_text *text, char *out, size_t capacity);

#endif
