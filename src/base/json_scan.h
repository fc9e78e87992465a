// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

/*
 * The tokens of JSON, for the reader and the writer: their ends, and whether they are well formed.
 * No function here keeps a state, allocates, or reads at or behind `end`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The classes of a byte in json_scan_class, a bit each. */
enum {
    JSON_SCAN_SPACE = 1, /* white space between tokens */
    JSON_SCAN_PLAIN = 2, /* means itself in a string: ASCII, no quote, backslash or control */
    JSON_SCAN_DIGIT = 4,
};

extern const unsigned char json_scan_class[256];

static inline bool json_scan_is(char byte, unsigned class) {
    return (json_scan_class[(unsigned char)byte] & class) != 0;
}

/* The first byte that is not white space, or `end`. */
static inline const char *json_scan_space(const char *at, const char *end) {
    while (at < end && json_scan_is(*at, JSON_SCAN_SPACE)) {
        at++;
    }
    return at;
}

/* Eight bytes, the first one lowest on every machine. It compiles to one load. */
static inline uint64_t json_scan_load(const char *at) {
    unsigned char byte[8];
    memcpy(byte, at, sizeof(byte));
    return (uint64_t)byte[0] | (uint64_t)byte[1] << 8 | (uint64_t)byte[2] << 16 |
           (uint64_t)byte[3] << 24 | (uint64_t)byte[4] << 32 | (uint64_t)byte[5] << 40 |
           (uint64_t)byte[6] << 48 | (uint64_t)byte[7] << 56;
}

/* Marks the top bit of each byte that is not plain. A borrow can mark a plain byte, but only above
   a byte that is marked rightly: the lowest mark is always right. Flipping bit 1 puts the quote
   next to the control characters, so that one subtraction finds both. At least one of the two
   subtractions keeps the top bit of a byte beyond ASCII. */
static inline uint64_t json_scan_marks(uint64_t bytes) {
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t control_or_quote = (bytes ^ each * 0x02) - each * 0x21;
    uint64_t backslash = (bytes ^ each * '\\') - each;
    return (control_or_quote | backslash) & each * 0x80;
}

/* The first byte that is not plain, or `end`. */
static inline const char *json_scan_plain(const char *at, const char *end) {
    while (end - at >= 8) {
        uint64_t marks = json_scan_marks(json_scan_load(at));
        if (marks != 0) {
            return at + (__builtin_ctzll(marks) >> 3);
        }
        at += 8;
    }
    while (at < end && json_scan_is(*at, JSON_SCAN_PLAIN)) {
        at++;
    }
    return at;
}

/* Goes from anywhere in a string to its closing quote, to the first fault, or to `end`. */
const char *json_scan_string(const char *at, const char *end);

/* The fault where json_scan_string() stopped, if that is no closing quote: a literal. */
const char *json_scan_string_fault(const char *at, const char *end);

/* The size of the character that begins here; 0 if it is a control character or not well-formed
   UTF-8 (RFC 3629). */
size_t json_scan_character(const char *at, const char *end);

/* The size of the escape that begins here, and its code point; 0 if it is malformed. A pair of
   surrogates is one escape. */
size_t json_scan_escape(const char *at, const char *end, uint32_t *ret_code);

/* The end of the number or the word (true, false, null) that begins here; NULL if malformed. */
const char *json_scan_number(const char *at, const char *end);
const char *json_scan_word(const char *at, const char *end);

/* The value of a well-formed number. False if it is no integer or does not fit. */
bool json_scan_integer(const char *at, const char *end, int64_t *ret_value);

#endif
