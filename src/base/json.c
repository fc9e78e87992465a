// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <assert.h>
#include <string.h>

#include "json_scan.h"

static bool fail(struct json_reader *reader, const char *at, const char *fault) {
    reader->fault = fault;
    reader->fault_offset = (size_t)(at - reader->start);
    return false;
}

static bool fail_expected(struct json_reader *reader, const char *at, const char *fault) {
    return fail(reader, at, at == reader->end ? "the input ends too early" : fault);
}

static bool fail_separator(struct json_reader *reader, const char *at, char close) {
    return fail_expected(
        reader, at, close == '}' ? "a comma or '}' is expected" : "a comma or ']' is expected");
}

static bool fail_depth(struct json_reader *reader, const char *at) {
    reader->is_too_deep = true;
    return fail(reader, at, "too many levels of nesting");
}

/* Marks level `depth` as an array or an object. The outermost level is 0. */
static inline void mark_level(uint64_t *arrays, uint32_t depth, bool is_array) {
    uint64_t *bits = &arrays[depth / 64];
    *bits = (*bits & ~(UINT64_C(1) << depth % 64)) | (uint64_t)is_array << depth % 64;
}

/* The bracket that closes level `depth`. */
static inline char closing(const uint64_t *arrays, uint32_t depth) {
    return (arrays[depth / 64] >> depth % 64 & 1) != 0 ? ']' : '}';
}

static inline bool is_number(char byte) {
    return byte == '-' || json_scan_is(byte, JSON_SCAN_DIGIT);
}

/* The kind of the value that begins with this byte. */
static inline enum json_kind kind_of(char byte) {
    switch (byte) {
    case '"':
        return JSON_STRING;
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case 'n':
        return JSON_NULL;
    case 't':
    case 'f':
        return JSON_BOOL;
    default:
        return is_number(byte) ? JSON_NUMBER : JSON_NONE;
    }
}

/* Is this byte the next one, white space apart? Looks before it skips, since compact JSON has no
   white space. */
static inline bool is_next(const char **at, const char *end, char byte) {
    if (*at < end && **at == byte) {
        return true;
    }
    *at = json_scan_space(*at, end);
    return *at < end && **at == byte;
}

/* Each pass function returns the end of the token at `at`, or NULL after a fault. */

/* The rest of a string that has more in it than plain bytes; to its closing quote. */
static const char *pass_rest(struct json_reader *reader, const char *at) {
    const char *stop = json_scan_string(at, reader->end);
    if (stop == reader->end || *stop != '"') {
        fail(reader, stop, json_scan_string_fault(stop, reader->end));
        return NULL;
    }
    return stop;
}

/* A string, from its opening quote on. */
static inline const char *pass_string(struct json_reader *reader, const char *at) {
    const char *stop = json_scan_plain(at + 1, reader->end);
    if (stop == reader->end || *stop != '"') {
        stop = pass_rest(reader, stop);
    }
    return stop == NULL ? NULL : stop + 1;
}

/* The same, and hands it out. */
static inline const char *pass_text(struct json_reader *reader, const char *at,
                                    struct json_text *ret_text) {
    const char *start = at + 1;
    const char *stop = json_scan_plain(start, reader->end);
    ret_text->is_escaped = false;
    if (stop == reader->end || *stop != '"') {
        stop = pass_rest(reader, stop);
        if (stop == NULL) {
            return NULL;
        }
        ret_text->is_escaped = memchr(start, '\\', (size_t)(stop - start)) != NULL;
    }
    ret_text->at = start;
    ret_text->size = (size_t)(stop - start);
    return stop + 1;
}

/* Goes to the key that is due. */
static inline bool find_key(struct json_reader *reader, const char **at) {
    return is_next(at, reader->end, '"') || fail_expected(reader, *at, "a key is expected");
}

/* The colon behind a key, which ends at `at`. */
static inline const char *pass_colon(struct json_reader *reader, const char *at) {
    if (at != NULL && !is_next(&at, reader->end, ':')) {
        fail_expected(reader, at, "a colon is expected");
        return NULL;
    }
    return at == NULL ? NULL : at + 1;
}

/* A number or a word. The caller has ruled out all else. */
static const char *pass_scalar(struct json_reader *reader, const char *at) {
    const char *const end = reader->end;
    bool is_digits = at < end && is_number(*at);
    const char *stop = is_digits ? json_scan_number(at, end) : json_scan_word(at, end);
    if (stop == NULL && is_digits) {
        fail(reader, at, "malformed number");
    } else if (stop == NULL) {
        fail_expected(reader, at, "a value is expected");
    }
    return stop;
}

/* Most of the input goes through here. One loop, instead of the calls below, keeps its state in
   registers. */
static bool skip_value(struct json_reader *reader) {
    const char *const end = reader->end;
    const char *at = reader->at;
    const uint32_t floor = reader->depth;
    uint32_t depth = floor;
    char close = '\0';
    for (;;) {
        if (close == '}') {
            if (!find_key(reader, &at)) {
                return false;
            }
            at = pass_colon(reader, pass_string(reader, at));
            if (at == NULL) {
                return false;
            }
        }
        if (is_next(&at, end, '"')) {
            at = pass_string(reader, at);
        } else if (at == end || (*at != '{' && *at != '[')) {
            at = pass_scalar(reader, at);
        } else if (depth == JSON_DEPTH_MAX) {
            return fail_depth(reader, at);
        } else {
            close = *at == '{' ? '}' : ']';
            mark_level(reader->arrays, depth, close == ']');
            depth++;
            at++;
            if (!is_next(&at, end, close)) {
                continue;
            }
        }
        if (at == NULL) {
            return false;
        }
        while (depth > floor && !is_next(&at, end, ',')) {
            if (at == end || *at != close) {
                return fail_separator(reader, at, close);
            }
            at++;
            depth--;
            close = depth > floor ? closing(reader->arrays, depth - 1) : '\0';
        }
        if (depth == floor) {
            reader->at = at;
            return true;
        }
        at++;
    }
}

void json_begin(struct json_reader *reader, const char *bytes, size_t size) {
    const char *start = bytes != NULL ? bytes : "";
    *reader = (struct json_reader){
        .start = start,
        .at = start,
        .end = start + size,
        .is_value_due = true,
    };
}

/* Moves to the end that a pass function returned. */
static bool move(struct json_reader *reader, const char *stop) {
    if (stop == NULL) {
        return false;
    }
    reader->at = stop;
    return true;
}

/* Goes to the first byte of the value that is due. */
static bool begin_value(struct json_reader *reader) {
    if (reader->fault != NULL) {
        return false;
    }
    assert(reader->is_value_due);
    reader->at = json_scan_space(reader->at, reader->end);
    return true;
}

/* The same, but skips a value of another kind. */
static inline bool begin_kind(struct json_reader *reader, enum json_kind kind) {
    if (!begin_value(reader)) {
        return false;
    }
    if (reader->at == reader->end || kind_of(*reader->at) != kind) {
        json_skip(reader);
        return false;
    }
    reader->is_value_due = false;
    return true;
}

enum json_kind json_peek(struct json_reader *reader) {
    if (reader->fault != NULL || !reader->is_value_due) {
        return JSON_NONE;
    }
    reader->at = json_scan_space(reader->at, reader->end);
    enum json_kind kind = reader->at < reader->end ? kind_of(*reader->at) : JSON_NONE;
    if (kind == JSON_NONE) {
        fail_expected(reader, reader->at, "a value is expected");
    }
    return kind;
}

size_t json_offset(struct json_reader *reader) {
    reader->at = json_scan_space(reader->at, reader->end);
    return (size_t)(reader->at - reader->start);
}

static bool enter(struct json_reader *reader, enum json_kind kind) {
    if (!begin_kind(reader, kind)) {
        return false;
    }
    if (reader->depth == JSON_DEPTH_MAX) {
        return fail_depth(reader, reader->at);
    }
    mark_level(reader->arrays, reader->depth, kind == JSON_ARRAY);
    reader->depth++;
    reader->at++;
    reader->is_fresh = true;
    return true;
}

bool json_enter_object(struct json_reader *reader) {
    return enter(reader, JSON_OBJECT);
}

bool json_enter_array(struct json_reader *reader) {
    return enter(reader, JSON_ARRAY);
}

/* Passes over the comma, or leaves the container. */
static bool next(struct json_reader *reader, char close) {
    if (reader->fault != NULL) {
        return false;
    }
    assert(!reader->is_value_due && reader->depth > 0);
    if (is_next(&reader->at, reader->end, close)) {
        reader->at++;
        reader->depth--;
        reader->is_fresh = false;
        return false;
    }
    if (!reader->is_fresh) {
        if (reader->at == reader->end || *reader->at != ',') {
            return fail_separator(reader, reader->at, close);
        }
        reader->at++;
    }
    reader->is_fresh = false;
    reader->is_value_due = true;
    return true;
}

bool json_next_member(struct json_reader *reader, struct json_text *ret_key) {
    if (!next(reader, '}')) {
        return false;
    }
    const char *at = reader->at;
    return find_key(reader, &at) &&
           move(reader, pass_colon(reader, pass_text(reader, at, ret_key)));
}

bool json_next_item(struct json_reader *reader) {
    return next(reader, ']');
}

bool json_read_text(struct json_reader *reader, struct json_text *ret_text) {
    return begin_kind(reader, JSON_STRING) && move(reader, pass_text(reader, reader->at, ret_text));
}

bool json_read_bool(struct json_reader *reader, bool *ret_value) {
    if (!begin_kind(reader, JSON_BOOL)) {
        return false;
    }
    bool value = *reader->at == 't';
    if (!move(reader, pass_scalar(reader, reader->at))) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool json_read_integer(struct json_reader *reader, int64_t *ret_value) {
    if (!begin_kind(reader, JSON_NUMBER)) {
        return false;
    }
    const char *start = reader->at;
    return move(reader, pass_scalar(reader, start)) &&
           json_scan_integer(start, reader->at, ret_value);
}

void json_skip(struct json_reader *reader) {
    if (begin_value(reader)) {
        reader->is_value_due = false;
        skip_value(reader);
    }
}

bool json_read_raw(struct json_reader *reader, struct json_text *ret_raw) {
    if (!begin_value(reader)) {
        return false;
    }
    const char *start = reader->at;
    json_skip(reader);
    if (reader->fault != NULL) {
        return false;
    }
    *ret_raw = (struct json_text){.at = start, .size = (size_t)(reader->at - start)};
    return true;
}

bool json_finish(struct json_reader *reader, struct error *error) {
    if (reader->fault == NULL) {
        reader->at = json_scan_space(reader->at, reader->end);
        if (reader->is_value_due || reader->depth > 0) {
            fail_expected(reader, reader->at, "the value was not read to its end");
        } else if (reader->at < reader->end) {
            fail(reader, reader->at, "more follows the value");
        }
    }
    if (reader->fault == NULL) {
        return true;
    }
    return error_set_at(error, reader->is_too_deep ? ERROR_TOO_LARGE : ERROR_INVALID,
                        reader->fault_offset, "%s", reader->fault);
}
