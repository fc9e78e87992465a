// SPDX-License-Identifier: Apache-2.0
#include "json_scan.h"

#include "base/attribute.h"

/* 64 bits hold every number of this many digits. */
enum { DIGITS_MAX = 19 };

/* A larger exponent decides alone: no input has enough digits to balance it. */
#define EXPONENT_MAX (INT64_MAX / 100)

/* Digits are plain too. */
enum { S = JSON_SCAN_SPACE, P = JSON_SCAN_PLAIN, B = S | P, D = JSON_SCAN_DIGIT | P };

// clang-format off
const unsigned char json_scan_class[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, S, S, 0, 0, S, 0, 0, /* \t \n \r */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    B, P, 0, P, P, P, P, P, P, P, P, P, P, P, P, P, /* not " */
    D, D, D, D, D, D, D, D, D, D, P, P, P, P, P, P,
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P,
    P, P, P, P, P, P, P, P, P, P, P, P, 0, P, P, P, /* not \ */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P,
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P,
};
// clang-format on

/* The character that a backslash and this byte stand for; 0 if they are no escape of two bytes. */
static const char escaped[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

static size_t escape_size(const char *at, const char *end) {
    if (end - at > 1 && escaped[(unsigned char)at[1]] != 0) {
        return 2;
    }
    uint32_t code;
    return json_scan_escape(at, end, &code);
}

/* The next byte that is not plain, starting behind such a byte. They come close together, as in
   \":\" of JSON that is quoted in JSON. So this tests the first three bytes singly: a predicted
   branch costs less than waiting for a computed address. */
static inline const char *next_special(const char *at, const char *end) {
    if (end - at < 3) {
        return json_scan_plain(at, end);
    }
    if (!json_scan_is(at[0], JSON_SCAN_PLAIN)) {
        return at;
    }
    if (!json_scan_is(at[1], JSON_SCAN_PLAIN)) {
        return at + 1;
    }
    if (!json_scan_is(at[2], JSON_SCAN_PLAIN)) {
        return at + 2;
    }
    return json_scan_plain(at + 3, end);
}

const char *json_scan_string(const char *at, const char *end) {
    at = json_scan_plain(at, end);
    while (at < end && *at != '"') {
        size_t size = *at == '\\' ? escape_size(at, end) : json_scan_character(at, end);
        if (size == 0) {
            break;
        }
        at = next_special(at + size, end);
    }
    return at;
}

static bool read_hex(const char *at, const char *end, uint32_t *ret_code) {
    if (end - at < 4) {
        return false;
    }
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        char lower = (char)(at[i] | 0x20);
        if (json_scan_is(at[i], JSON_SCAN_DIGIT)) {
            code = code << 4 | (uint32_t)(at[i] - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            code = code << 4 | (uint32_t)(lower - 'a' + 10);
        } else {
            return false;
        }
    }
    *ret_code = code;
    return true;
}

size_t json_scan_escape(const char *at, const char *end, uint32_t *ret_code) {
    if (end - at < 2) {
        return 0;
    }
    if (escaped[(unsigned char)at[1]] != 0) {
        *ret_code = (uint32_t)escaped[(unsigned char)at[1]];
        return 2;
    }
    uint32_t high;
    uint32_t low;
    if (at[1] != 'u' || !read_hex(at + 2, end, &high)) {
        return 0;
    }
    if (high < 0xD800 || high > 0xDFFF) {
        *ret_code = high;
        return 6;
    }
    if (high > 0xDBFF || end - at < 12 || at[6] != '\\' || at[7] != 'u' ||
        !read_hex(at + 8, end, &low) || low < 0xDC00 || low > 0xDFFF) {
        return 0;
    }
    *ret_code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return 12;
}

size_t json_scan_character(const char *at, const char *end) {
    const unsigned char *byte = (const unsigned char *)at;
    unsigned lead = byte[0];
    if (lead < 0x80) {
        return lead < ' ' ? 0 : 1;
    }
    size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead < 0xC2 || lead > 0xF4 || (size_t)(end - at) < size) {
        return 0;
    }
    /* RFC 3629 section 4: the range of the second byte excludes overlong forms, surrogates and
       codes above U+10FFFF. */
    unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte[1] < low || byte[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if ((byte[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return size;
}

const char *json_scan_string_fault(const char *at, const char *end) {
    uint32_t code;
    if (at == end) {
        return "the input ends inside a string";
    }
    if ((unsigned char)*at < ' ') {
        return "control character in a string";
    }
    if (*at != '\\') {
        return "invalid UTF-8 in a string";
    }
    if (end - at > 1 && at[1] == 'u' && read_hex(at + 2, end, &code)) {
        return "lone surrogate in a string";
    }
    return "invalid escape in a string";
}

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && json_scan_is(*at, JSON_SCAN_DIGIT)) {
        at++;
    }
    return at;
}

const char *json_scan_number(const char *at, const char *end) {
    const char *digits = at < end && *at == '-' ? at + 1 : at;
    at = skip_digits(digits, end);
    if (at == digits || (*digits == '0' && at - digits > 1)) {
        return NULL;
    }
    if (at < end && *at == '.') {
        digits = at + 1;
        at = skip_digits(digits, end);
        if (at == digits) {
            return NULL;
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        digits = at < end && (*at == '+' || *at == '-') ? at + 1 : at;
        at = skip_digits(digits, end);
        if (at == digits) {
            return NULL;
        }
    }
    return at;
}

const char *json_scan_word(const char *at, const char *end) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        size_t size = strlen(words[i]);
        if ((size_t)(end - at) >= size && memcmp(at, words[i], size) == 0) {
            return at + size;
        }
    }
    return NULL;
}

/* The number is magnitude * 10^scale. The scale includes the zeros at its end, so that the number
   is an integer exactly if the scale is not negative. */
struct decimal {
    uint64_t magnitude; /* invalid if there are more than DIGITS_MAX digits */
    int64_t digits;     /* of the magnitude; 0 if the number is 0 */
    int64_t scale;
};

static int64_t read_exponent(const char *at, const char *end) {
    bool is_negative = *at == '-';
    int64_t exponent = 0;
    for (; at < end; at++) {
        if (json_scan_is(*at, JSON_SCAN_DIGIT) && exponent < EXPONENT_MAX) {
            exponent = exponent * 10 + (*at - '0');
        }
    }
    return is_negative ? -exponent : exponent;
}

static struct decimal read_decimal(const char *at, const char *end) {
    struct decimal decimal = {0};
    int64_t zeros = 0;
    bool is_fraction = false;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            is_fraction = true;
            continue;
        }
        decimal.scale -= is_fraction;
        if (*at == '0') {
            zeros += decimal.digits > 0;
            continue;
        }
        decimal.digits += zeros + 1;
        for (; zeros >= 0 && decimal.digits <= DIGITS_MAX; zeros--) {
            decimal.magnitude *= 10;
        }
        decimal.magnitude += (uint64_t)(*at - '0');
        zeros = 0;
    }
    decimal.scale += zeros;
    if (at < end) {
        decimal.scale += read_exponent(at + 1, end);
    }
    return decimal;
}

bool json_scan_integer(const char *at, const char *end, int64_t *ret_value) {
    bool is_negative = *at == '-';
    struct decimal decimal = read_decimal(is_negative ? at + 1 : at, end);
    if (decimal.digits > 0 && (decimal.scale < 0 || decimal.digits + decimal.scale > DIGITS_MAX)) {
        return false;
    }
    uint64_t magnitude = decimal.magnitude;
    for (int64_t i = 0; decimal.digits > 0 && i < decimal.scale; i++) {
        magnitude *= 10;
    }
    if (magnitude > (uint64_t)INT64_MAX + (is_negative ? 1 : 0)) {
        return false;
    }
    *ret_value = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}
