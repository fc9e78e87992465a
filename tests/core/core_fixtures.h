// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FIXTURES_H
#define CORE_FIXTURES_H

/*
 * Shared by the tests of core. Include this after cmocka.h. The tests write JSON with apostrophes,
 * {'a':1}, and each becomes a quotation mark.
 */

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "core/facts/object.h"

/* Makes the JSON from `text`. Free it with free(). */
static inline char *make_json(const char *text) {
    char *json = memory_copy(text, strlen(text));
    for (char *at = json; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    return json;
}

/* A copy of its exact size, so that a sanitizer sees a read past it. */
static inline char *copy_exactly(const char *bytes, size_t size) {
    char *copy = memory_new(size, 1);
    memcpy(copy, bytes, size);
    return copy;
}

/* Reads an object from JSON, which must be valid. */
static inline void read_object(const char *text, struct object *ret_object) {
    AUTO_FREE char *json = make_json(text);
    struct json_reader reader;
    struct error error;
    json_begin(&reader, json, strlen(json));
    bool is_object = object_read_watched(&reader, ret_object);
    if (!json_finish(&reader, &error) || !is_object) {
        fail_msg("no object: %s", text);
    }
}

/* `size` bytes of 'x' and a NUL. */
static inline const char *fill(char *out, size_t size) {
    memset(out, 'x', size);
    out[size] = '\0';
    return out;
}

#endif
