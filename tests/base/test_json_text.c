// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

static struct json_text read_text(const char *json) {
    struct json_reader reader;
    struct error error;
    struct json_text text = {0};
    json_begin(&reader, json, strlen(json));
    assert_true(json_read_text(&reader, &text));
    assert_true(json_finish(&reader, &error));
    return text;
}

static void test_json_text__compares_the_decoded_value(void **state) {
    static const struct {
        const char *json, *expected;
        bool is_equal;
    } rows[] = {
        {"\"\"", "", true},
        {"\"\"", "a", false},
        {"\"a\"", "", false},
        {"\"replicas\"", "replicas", true},
        {"\"replicas\"", "Replicas", false},
        {"\"replicas\"", "replica", false},
        {"\"replicas\"", "replicass", false},
        {"\"repl\\u0069cas\"", "replicas", true},
        {"\"\\u0072\\u0065\\u0070licas\"", "replicas", true},
        {"\"repl\\u0049cas\"", "replicas", false},
        {"\"replica\\u0073\"", "replica", false},
        {"\"replica\\u0073\"", "replicass", false},
        {"\"a\\/b\"", "a/b", true},
        {"\"\\\"\\\\\\b\\f\\n\\r\\t\"", "\"\\\b\f\n\r\t", true},
        {"\"\\u00E9\"", "\xC3\xA9", true},
        {"\"\xC3\xA9\"", "\xC3\xA9", true},
        {"\"\\u00E9\"", "\xC3", false},
        {"\"\\uD83D\\uDE00\"", "\xF0\x9F\x98\x80", true},
        {"\"\\u0000\"", "", false},
        {"\"a\\u0000b\"", "a", false},
        {"\"a\\u0000b\"", "ab", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_text text = read_text(rows[i].json);
        if (json_text_is(&text, rows[i].expected) != rows[i].is_equal) {
            fail_msg("%s is %s: not %d", rows[i].json, rows[i].expected, rows[i].is_equal);
        }
    }
    (void)state;
}

/* Copies into the exact capacity, and into one byte less. */
static void test_json_text__copies_what_fits(void **state) {
    static const struct {
        const char *json, *expected;
    } rows[] = {
        {"\"\"", ""},
        {"\"a\"", "a"},
        {"\"replicas\"", "replicas"},
        {"\"repl\\u0069cas\"", "replicas"},
        {"\"a\\nb\"", "a\nb"},
        {"\"x\\u20AC\"", "x\xE2\x82\xAC"},
        {"\"x\\ud83d\\ude00\"", "x\xF0\x9F\x98\x80"},
        {"\"x\xF0\x9F\x98\x80\"", "x\xF0\x9F\x98\x80"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_text text = read_text(rows[i].json);
        size_t needed = strlen(rows[i].expected) + 1;
        for (size_t capacity = 1; capacity <= needed + 1; capacity++) {
            AUTO_FREE char *out = malloc(capacity);
            assert_non_null(out);
            assert_int_equal(json_text_copy(&text, out, capacity), capacity >= needed);
            assert_string_equal(out, capacity >= needed ? rows[i].expected : "");
        }
    }
    (void)state;
}

static void test_json_text__copies_no_nul(void **state) {
    static const char *const rows[] = {"\"\\u0000\"", "\"a\\u0000b\"", "\"ab\\u0000\""};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_text text = read_text(rows[i]);
        char out[16] = "before";
        assert_false(json_text_copy(&text, out, sizeof(out)));
        assert_string_equal(out, "");
    }
    (void)state;
}

/* json_read_raw() hands out a string as it is written, quotes and backslashes included. */
static void test_json_text__takes_raw_text_as_it_stands(void **state) {
    struct json_reader reader;
    struct json_text raw;
    char out[16];
    json_begin(&reader, "\"a\\nb\"", 6);
    assert_true(json_read_raw(&reader, &raw));
    assert_true(json_text_is(&raw, "\"a\\nb\""));
    assert_true(json_text_copy(&raw, out, sizeof(out)));
    assert_string_equal(out, "\"a\\nb\"");
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_text__compares_the_decoded_value),
        cmocka_unit_test(test_json_text__copies_what_fits),
        cmocka_unit_test(test_json_text__copies_no_nul),
        cmocka_unit_test(test_json_text__takes_raw_text_as_it_stands),
    };
    return cmocka_run_group_tests_name("base/json_text", tests, NULL, NULL);
}
