// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

/*
 * Writes JSON straight into a buffer: no tree, no white space. It puts the commas. The caller sees
 * to matching brackets, and to keys in objects only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct json_write {
    struct buffer *out; /* borrowed */
    bool is_comma_due;
};

void json_write_begin(struct json_write *write, struct buffer *out);

void json_write_open(struct json_write *write, char bracket);  /* '{' or '[' */
void json_write_close(struct json_write *write, char bracket); /* '}' or ']' */
void json_write_key(struct json_write *write, const char *key);

/* The result is valid UTF-8 and valid JSON, whatever the bytes are: control characters are escaped,
   and each byte that is not part of well-formed UTF-8 becomes U+FFFD. */
void json_write_text(struct json_write *write, const char *text);
void json_write_text_sized(struct json_write *write, const char *bytes, size_t size);

void json_write_integer(struct json_write *write, int64_t value);
void json_write_bool(struct json_write *write, bool value);

/* A value that already is JSON. */
void json_write_raw(struct json_write *write, const char *json);

/* A key and its value in one call; of an object or array, what opens it. */
static inline void json_write_member_open(struct json_write *write, const char *key, char bracket) {
    json_write_key(write, key);
    json_write_open(write, bracket);
}
void json_write_member_text(struct json_write *write, const char *key, const char *text);
void json_write_member_bool(struct json_write *write, const char *key, bool value);
void json_write_member_integer(struct json_write *write, const char *key, int64_t value);

#endif
