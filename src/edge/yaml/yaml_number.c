// SPDX-License-Identifier: Apache-2.0
#include "yaml_number.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static int digit_value(char byte) {
    if (is_digit(byte)) {
        return byte - '0';
    }
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

/* Returns the base that the prefix gives, and moves *at behind the prefix. */
static int read_base(const char **at) {
    static const char letters[] = "box";
    static const int bases[] = {2, 8, 16};
    const char *text = *at;
    if (text[0] != '0' || text[1] == '\0') {
        return 10;
    }
    const char *letter = strchr(letters, text[1] | 0x20);
    *at += letter != NULL ? 2 : 1;
    return letter != NULL ? bases[letter - letters] : 8;
}

static bool read_magnitude(const char *at, int base, uint64_t *ret_value) {
    uint64_t value = 0;
    if (*at == '\0') {
        return false;
    }
    for (; *at != '\0'; at++) {
        int digit = digit_value(*at);
        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

static bool add_integer(const char *text, struct buffer *out) {
    bool is_negative = *text == '-';
    bool is_signed = is_negative || *text == '+';
    text += is_signed;
    /* Go tries a signed integer first, and then an unsigned one, which may have no sign, not even
       '+'. */
    uint64_t max = is_signed ? (uint64_t)INT64_MAX + is_negative : UINT64_MAX;
    int base = read_base(&text);
    uint64_t value;
    if (!read_magnitude(text, base, &value) || value > max) {
        return false;
    }
    buffer_add_format(out, "%s%" PRIu64, is_negative && value > 0 ? "-" : "", value);
    return true;
}

/* The parts of a decimal number. They point into its text. */
struct decimal {
    bool is_negative;
    const char *whole;
    size_t n_whole;
    const char *fraction;
    size_t n_fraction;
    const char *exponent; /* NULL if there is none */
};

static size_t count_digits(const char *at) {
    return strspn(at, "0123456789");
}

static bool split_decimal(const char *at, struct decimal *ret_decimal) {
    struct decimal decimal = {.is_negative = *at == '-'};
    at += *at == '-' || *at == '+';
    decimal.whole = at;
    decimal.n_whole = count_digits(at);
    at += decimal.n_whole;
    if (*at == '.') {
        at++;
        decimal.n_fraction = count_digits(at);
    }
    decimal.fraction = at;
    at += decimal.n_fraction;
    if (decimal.n_whole + decimal.n_fraction == 0) {
        return false;
    }
    if (*at == 'e' || *at == 'E') {
        decimal.exponent = ++at;
        at += *at == '-' || *at == '+';
        if (!is_digit(*at)) {
            return false;
        }
        at += count_digits(at);
    }
    *ret_decimal = decimal;
    return *at == '\0';
}

static void add_zeros(struct buffer *out, long n) {
    for (; n > 0; n--) {
        buffer_add_byte(out, '0');
    }
}

/* Writes 0.digits times ten to the power of `point`. The first and the last digit are not 0. */
static void add_scaled(const char *digits, size_t n, long point, struct buffer *out) {
    const long point_min = -5; /* 1e-6 is 0.1 times 1e-5 */
    const long point_max = 21;
    if (point < point_min || point > point_max) {
        buffer_add(out, digits, 1);
        if (n > 1) {
            buffer_add_byte(out, '.');
            buffer_add(out, digits + 1, n - 1);
        }
        buffer_add_format(out, "e%+ld", point - 1);
    } else if (point <= 0) {
        buffer_add_text(out, "0.");
        add_zeros(out, -point);
        buffer_add(out, digits, n);
    } else if ((size_t)point >= n) {
        buffer_add(out, digits, n);
        add_zeros(out, point - (long)n);
    } else {
        buffer_add(out, digits, (size_t)point);
        buffer_add_byte(out, '.');
        buffer_add(out, digits + point, n - (size_t)point);
    }
}

static void add_with_exponent(const struct decimal *decimal, struct buffer *out) {
    AUTO_FREE char *digits = memory_new(decimal->n_whole + decimal->n_fraction, 1);
    memcpy(digits, decimal->whole, decimal->n_whole);
    memcpy(digits + decimal->n_whole, decimal->fraction, decimal->n_fraction);
    size_t n = decimal->n_whole + decimal->n_fraction;
    long point = (long)decimal->n_whole + strtol(decimal->exponent, NULL, 10);
    const char *first = digits;
    while (n > 0 && *first == '0') {
        first++;
        n--;
        point--;
    }
    while (n > 0 && first[n - 1] == '0') {
        n--;
    }
    add_scaled(first, n, point, out);
}

static void add_without_exponent(const struct decimal *decimal, struct buffer *out) {
    const char *whole = decimal->whole;
    size_t n = decimal->n_whole;
    while (n > 1 && *whole == '0') {
        whole++;
        n--;
    }
    buffer_add(out, n > 0 ? whole : "0", n > 0 ? n : 1);
    if (decimal->n_fraction > 0) {
        buffer_add_byte(out, '.');
        buffer_add(out, decimal->fraction, decimal->n_fraction);
    }
}

static bool add_float(const char *text, struct buffer *out) {
    struct decimal decimal;
    if (!split_decimal(text, &decimal)) {
        return false;
    }
    /* The decimal point is always '.', since the program never leaves the C locale. */
    double value = strtod(text, NULL);
    if (isinf(value)) {
        return false;
    }
    if (decimal.is_negative) {
        buffer_add_byte(out, '-');
    }
    if (decimal.exponent == NULL) {
        add_without_exponent(&decimal, out);
    } else if (value == 0) {
        buffer_add_byte(out, '0');
    } else {
        add_with_exponent(&decimal, out);
    }
    return true;
}

/* If the first byte is a point, go-yaml calls Go's strconv.ParseFloat() at once. That wants a digit
   on both sides of an underscore. */
static bool has_stray_underscore(const char *text) {
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '_' && (at == text || !is_digit(at[-1]) || !is_digit(at[1]))) {
            return true;
        }
    }
    return false;
}

static void remove_underscores(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        *to = *from;
        to += *from != '_';
    }
    *to = '\0';
}

enum yaml_scalar_kind yaml_number_read(const char *text, size_t size, struct buffer *out) {
    bool is_pointed = *text == '.';
    bool is_candidate = is_digit(*text) || *text == '+' || *text == '-' || is_pointed;
    if (!is_candidate || strspn(text, "0123456789abcdefABCDEFxXoO_.+-") != size ||
        (is_pointed && has_stray_underscore(text))) {
        return YAML_SCALAR_TEXT;
    }
    AUTO_FREE_SECRET char *plain = memory_copy(text, size); /* a token may look like a number */
    remove_underscores(plain);
    if (!is_pointed && add_integer(plain, out)) {
        return YAML_SCALAR_INTEGER;
    }
    return add_float(plain, out) ? YAML_SCALAR_FLOAT : YAML_SCALAR_TEXT;
}

void yaml_number_add_key(const char *json, struct buffer *out) {
    double value = strtod(json, NULL);
    if (fabs(value) > (double)FLT_MAX) {
        buffer_add_text(out, value < 0 ? "-.inf" : ".inf");
        return;
    }
    float narrow = (float)value;
    char text[32];
    int n = 0;
    do {
        snprintf(text, sizeof(text), "%.*e", n++, (double)narrow);
    } while (n < FLT_DECIMAL_DIG && strtof(text, NULL) != narrow);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent < -4 || exponent >= 6) {
        buffer_add_text(out, text);
    } else {
        buffer_add_format(out, "%.*f", MAX(n - 1 - exponent, 0), (double)narrow);
    }
}
