// SPDX-License-Identifier: Apache-2.0

/*
 * The tokens (src/base/json_scan.c), tested through the reader.
 */

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

/* Literals with NUL bytes in them. */
#define SIZED(literal) (literal), sizeof(literal) - 1

/* Reads inputs from copies of their exact size, so that a sanitizer sees a read past them. */
static char *exact_copy(const char *bytes, size_t size) {
    char *copy = malloc(size);
    if (copy == NULL) {
        abort();
    }
    return memcpy(copy, bytes, size);
}

static bool is_accepted(const char *bytes, size_t size, struct error *error) {
    AUTO_FREE char *copy = exact_copy(bytes, size);
    struct json_reader reader;
    json_begin(&reader, copy, size);
    json_skip(&reader);
    return json_finish(&reader, error);
}

struct refused {
    const char *bytes;
    size_t size;
    size_t offset;
    const char *text;
};

static void check_refused(const struct refused *rows, size_t n_rows) {
    for (size_t i = 0; i < n_rows; i++) {
        struct error error;
        if (is_accepted(rows[i].bytes, rows[i].size, &error)) {
            fail_msg("row %zu, %s: accepted", i, rows[i].bytes);
        }
        if (error.kind != ERROR_INVALID || error.offset != rows[i].offset ||
            strcmp(error.text, rows[i].text) != 0) {
            fail_msg("row %zu, %s: %s at %zu", i, rows[i].bytes, error.text, error.offset);
        }
    }
}

static void test_json_scan__refuses_bad_numbers(void **state) {
    static const char number[] = "malformed number";
    static const struct refused rows[] = {
        {SIZED("-"), 0, number},
        {SIZED("--1"), 0, number},
        {SIZED("-a"), 0, number},
        {SIZED("01"), 0, number},
        {SIZED("-01"), 0, number},
        {SIZED("00"), 0, number},
        {SIZED("[1,1.]"), 3, number},
        {SIZED("1.e5"), 0, number},
        {SIZED("1e"), 0, number},
        {SIZED("1e+"), 0, number},
        {SIZED("1e-x"), 0, number},
        {SIZED("1.5.5"), 3, "more follows the value"},
        {SIZED("0x10"), 1, "more follows the value"},
        {SIZED("1e5e5"), 3, "more follows the value"},
        {SIZED("+1"), 0, "a value is expected"},
        {SIZED(".5"), 0, "a value is expected"},
        {SIZED("Infinity"), 0, "a value is expected"},
    };
    check_refused(rows, COUNT_OF(rows));
    (void)state;
}

static void test_json_scan__refuses_bad_strings(void **state) {
    static const char ends[] = "the input ends inside a string";
    static const char control[] = "control character in a string";
    static const char escape[] = "invalid escape in a string";
    static const char surrogate[] = "lone surrogate in a string";
    static const char utf8[] = "invalid UTF-8 in a string";
    static const struct refused rows[] = {
        {SIZED("\""), 1, ends},
        {SIZED("\"abcdefghijk"), 12, ends},
        {SIZED("{\"a"), 3, ends},
        {SIZED("\"\\n"), 3, ends},
        {SIZED("\"\\nx"), 4, ends},
        {SIZED("\"\\nxy"), 5, ends},
        {SIZED("\"\\nxyz"), 6, ends},
        {SIZED("\"a\nb\""), 2, control},
        {SIZED("\"a\0b\""), 2, control},
        {SIZED("{\"a\x1F\":1}"), 3, control},
        {SIZED("\"\\"), 1, escape},
        {SIZED("\"\\a\""), 1, escape},
        {SIZED("\"\\'\""), 1, escape},
        {SIZED("\"\\\n\""), 1, escape},
        {SIZED("\"\\U0041\""), 1, escape},
        {SIZED("\"\\u004\""), 1, escape},
        {SIZED("\"\\u00g0\""), 1, escape},
        {SIZED("\"\\u+041\""), 1, escape},
        {SIZED("\"\\u0041\\"), 7, escape},
        {SIZED("\"\\ud800\""), 1, surrogate},
        {SIZED("\"\\uDBFFx\""), 1, surrogate},
        {SIZED("\"a\\udc00\""), 2, surrogate},
        {SIZED("\"\\ud800\\ud800\""), 1, surrogate},
        {SIZED("\"\\ud800\\u0041\""), 1, surrogate},
        {SIZED("\"\\ud800\\ue000\""), 1, surrogate},
        {SIZED("\"\\udc00\\udc00\""), 1, surrogate},
        {SIZED("\"\\ud800xudc00\""), 1, surrogate},
        {SIZED("\"\\ud800\\xdc00\""), 1, surrogate},
        {SIZED("\"\\ud800\\ndc00\""), 1, surrogate},
        {SIZED("\"\\ud800\\udc0\""), 1, surrogate},
        {SIZED("\"\\udd1e\\ud834\""), 1, surrogate},
        {SIZED("\"\x80\""), 1, utf8},
        {SIZED("\"\xBF\""), 1, utf8},
        {SIZED("\"\xC0\x80\""), 1, utf8},
        {SIZED("\"\xC1\xBF\""), 1, utf8},
        {SIZED("\"\xC2\""), 1, utf8},
        {SIZED("\"\xC2"), 1, utf8},
        {SIZED("\"\xC3\x28\""), 1, utf8},
        {SIZED("\"\xC3\xC0\""), 1, utf8},
        {SIZED("\"\xE0\x9F\xBF\""), 1, utf8},
        {SIZED("\"\xE2\x82\""), 1, utf8},
        {SIZED("\"\xE2\x28\xA1\""), 1, utf8},
        {SIZED("\"\xE2\x82\x28\""), 1, utf8},
        {SIZED("\"\xE2\x82\xC0\""), 1, utf8},
        {SIZED("\"\xED\xA0\x80\""), 1, utf8},
        {SIZED("\"\xED\xBF\xBF\""), 1, utf8},
        {SIZED("\"\xF0\x8F\xBF\xBF\""), 1, utf8},
        {SIZED("\"\xF0\x9F\x98\""), 1, utf8},
        {SIZED("\"\xF0\x9F\x98"), 1, utf8},
        {SIZED("\"\xF0\x9F\x98\x28\""), 1, utf8},
        {SIZED("\"\xF4\x90\x80\x80\""), 1, utf8},
        {SIZED("\"\xF5\x80\x80\x80\""), 1, utf8},
        {SIZED("\"\xF8\x88\x80\x80\x80\""), 1, utf8},
        {SIZED("\"\xFF\""), 1, utf8},
        {SIZED("[\"ok \xC3\xA9\",\"\xA9\"]"), 10, utf8},
    };
    check_refused(rows, COUNT_OF(rows));
    (void)state;
}

/* Tests every byte in each of the eight places of a word. */
static void test_json_scan__finds_every_bad_byte_in_every_place(void **state) {
    for (size_t place = 1; place < 24; place++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[26];
            memset(text, 'x', sizeof(text));
            text[0] = text[25] = '"';
            text[place] = (char)byte;
            bool is_plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
            struct error error;
            assert_int_equal(is_accepted(text, sizeof(text), &error), is_plain);
            if (!is_plain) {
                assert_int_equal(error.offset, byte == '"' ? place + 1 : place);
            }
        }
    }
    (void)state;
}

/* Encodes the code in `size` bytes by the rules of UTF-8, even if another size would be right. */
static size_t encode(uint32_t code, size_t size, char *out) {
    static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size; i > 1; i--) {
        out[i - 1] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(lead[size] | code);
    return size;
}

static bool is_utf8_accepted(uint32_t code, size_t size) {
    char text[6] = "\"";
    text[1 + encode(code, size, text + 1)] = '"';
    struct json_reader reader;
    struct error error;
    json_begin(&reader, text, size + 2);
    json_skip(&reader);
    return json_finish(&reader, &error);
}

/* Tests all forms of two, three and four bytes. Only the shortest form is well formed, and no form
   of a surrogate is. */
static void test_json_scan__accepts_exactly_well_formed_utf8(void **state) {
    for (uint32_t code = 0; code < 0x200000; code++) {
        bool is_good = (code < 0xD800 || code > 0xDFFF) && code < 0x110000;
        size_t shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        for (size_t size = shortest > 1 ? shortest : 2; size <= 4; size++) {
            if (is_utf8_accepted(code, size) != (is_good && size == shortest)) {
                fail_msg("U+%04X in %zu bytes", (unsigned)code, size);
            }
        }
    }
    (void)state;
}

static void test_json_scan__decodes_every_escape(void **state) {
    for (uint32_t code = 1; code < 0x110000; code++) {
        char text[16];
        char expected[5] = {0};
        char decoded[5];
        bool is_pair = code >= 0x10000;
        if (is_pair) {
            sprintf(text, "\"\\u%04x\\u%04X\"", (unsigned)(0xD800 + ((code - 0x10000) >> 10)),
                    (unsigned)(0xDC00 + (code & 0x3FF)));
        } else {
            sprintf(text, "\"\\u%04x\"", (unsigned)code);
        }
        if (code < 0x80) {
            expected[0] = (char)code;
        } else {
            encode(code, code < 0x800 ? 2 : is_pair ? 4 : 3, expected);
        }
        struct json_reader reader;
        struct json_text value;
        json_begin(&reader, text, strlen(text));
        bool is_read = json_read_text(&reader, &value);
        assert_int_equal(is_read, code < 0xD800 || code > 0xDFFF);
        if (is_read) {
            assert_true(value.is_escaped);
            assert_true(json_text_copy(&value, decoded, sizeof(decoded)));
            assert_string_equal(decoded, expected);
            assert_true(json_text_is(&value, expected));
        }
    }
    (void)state;
}

static void test_json_scan__reads_integers_exactly(void **state) {
    static const struct {
        const char *text;
        bool is_integer;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"7", true, 7},
        {"-7", true, -7},
        {"2147483648", true, 2147483648},
        {"9007199254740993", true, 9007199254740993},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775807", true, -INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775808.000", true, INT64_MIN},
        {"922337203685477580.7e1", true, INT64_MAX},
        {"0.9223372036854775807e19", true, INT64_MAX},
        {"9223372036854775807000000e-6", true, INT64_MAX},
        {"1e3", true, 1000},
        {"1E+3", true, 1000},
        {"1.0", true, 1},
        {"1.50e1", true, 15},
        {"1000e-3", true, 1},
        {"-120.00e-1", true, -12},
        {"1e18", true, INT64_C(1000000000000000000)},
        {"0.001e3", true, 1},
        {"0e400", true, 0},
        {"0e-400", true, 0},
        {"0.000e5", true, 0},
        {"-0.0e-99999999999999999999999999", true, 0},
        {"0e99999999999999999999999999", true, 0},
        {"1e00000000000000000000000000000000003", true, 1000},
        {"1000e-00000000000000000000000000000000003", true, 1},
        {"1.5", false, 0},
        {"1e-1", false, 0},
        {"1001e-3", false, 0},
        {"0.1", false, 0},
        {"1e-400", false, 0},
        {"1e400", false, 0},
        {"1e19", false, 0},
        {"-1e19", false, 0},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"9223372036854775807.5", false, 0},
        {"9999999999999999999", false, 0},
        {"18446744073709551616", false, 0},
        {"18446744073709551617", false, 0},
        {"100000000000000000001", false, 0},
        {"1.00000000000000000000000001", false, 0},
        {"1e9223372036854775808", false, 0},
        {"1e-9223372036854775808", false, 0},
        {"1e18446744073709551616", false, 0},
        {"1e99999999999999999999999999999999999999", false, 0},
        {"1e-99999999999999999999999999999999999999", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_reader reader;
        struct error error;
        int64_t value = 42;
        size_t size = strlen(rows[i].text);
        AUTO_FREE char *copy = exact_copy(rows[i].text, size);
        json_begin(&reader, copy, size);
        bool is_integer = json_read_integer(&reader, &value);
        bool is_valid = json_finish(&reader, &error);
        if (!is_valid || is_integer != rows[i].is_integer ||
            value != (is_integer ? rows[i].value : 42)) {
            fail_msg("%s: %d, %lld", rows[i].text, is_integer, (long long)value);
        }
    }
    (void)state;
}

/* A million digits and an exponent that cancels them. The result is exact, in one pass. */
static void test_json_scan__reads_long_integers(void **state) {
    enum { N_ZEROS = 1000000 };
    AUTO_FREE char *text = memory_new(N_ZEROS + 64, 1);
    text[0] = '7';
    memset(text + 1, '0', N_ZEROS);
    sprintf(text + 1 + N_ZEROS, "e-%d", N_ZEROS - 2);
    struct json_reader reader;
    int64_t value = 0;
    json_begin(&reader, text, strlen(text));
    assert_true(json_read_integer(&reader, &value));
    assert_int_equal(value, 700);

    memcpy(text, "0.", 2);
    sprintf(text + 1 + N_ZEROS, "7e%d", N_ZEROS + 2);
    json_begin(&reader, text, strlen(text));
    assert_true(json_read_integer(&reader, &value));
    assert_int_equal(value, 700);
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_scan__refuses_bad_numbers),
        cmocka_unit_test(test_json_scan__refuses_bad_strings),
        cmocka_unit_test(test_json_scan__finds_every_bad_byte_in_every_place),
        cmocka_unit_test(test_json_scan__accepts_exactly_well_formed_utf8),
        cmocka_unit_test(test_json_scan__decodes_every_escape),
        cmocka_unit_test(test_json_scan__reads_integers_exactly),
        cmocka_unit_test(test_json_scan__reads_long_integers),
    };
    return cmocka_run_group_tests_name("base/json_scan", tests, NULL, NULL);
}
