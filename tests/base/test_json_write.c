// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "base/json.h"
#include "base/memory.h"

#define SIZED(literal) (literal), sizeof(literal) - 1

static void test_json_write__puts_the_commas(void **state) {
    AUTO(buffer_fini) struct buffer out;
    struct json_write write;
    buffer_init(&out, 1024);
    json_write_begin(&write, &out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "a", "b");
    json_write_member_integer(&write, "n", 7);
    json_write_key(&write, "empty");
    json_write_open(&write, '[');
    json_write_close(&write, ']');
    json_write_key(&write, "list");
    json_write_open(&write, '[');
    json_write_bool(&write, true);
    json_write_bool(&write, false);
    json_write_raw(&write, "null");
    json_write_open(&write, '{');
    json_write_close(&write, '}');
    json_write_text(&write, "");
    json_write_open(&write, '[');
    json_write_integer(&write, 1);
    json_write_integer(&write, 2);
    json_write_close(&write, ']');
    json_write_close(&write, ']');
    json_write_key(&write, "key \"\n");
    json_write_raw(&write, "{\"x\":1}");
    json_write_close(&write, '}');
    assert_string_equal(
        buffer_text(&out),
        "{\"a\":\"b\",\"n\":7,\"empty\":[],\"list\":[true,false,null,{},\"\",[1,2]],"
        "\"key \\\"\\n\":{\"x\":1}}");
    (void)state;
}

static void test_json_write__writes_integers_whole(void **state) {
    static const struct {
        int64_t value;
        const char *expected;
    } rows[] = {
        {0, "0"},
        {-1, "-1"},
        {9007199254740993, "9007199254740993"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        struct json_write write;
        buffer_init(&out, 64);
        json_write_begin(&write, &out);
        json_write_integer(&write, rows[i].value);
        assert_string_equal(buffer_text(&out), rows[i].expected);
    }
    (void)state;
}

static void test_json_write__escapes_and_repairs_text(void **state) {
#define FFFD "\xEF\xBF\xBD"
    static const struct {
        const char *bytes;
        size_t size;
        const char *expected;
    } rows[] = {
        {SIZED(""), "\"\""},
        {SIZED("plain / text \x7F"), "\"plain / text \x7F\""},
        {SIZED("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {SIZED("\0a\x01\x0B\x1F"), "\"\\u0000a\\u0001\\u000b\\u001f\""},
        {SIZED("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {SIZED("\x80"), "\"" FFFD "\""},
        {SIZED("a\xFFz"), "\"a" FFFD "z\""},
        {SIZED("\xC3"), "\"" FFFD "\""},
        {SIZED("\xC3\""), "\"" FFFD "\\\"\""},
        {SIZED("\xC0\x80"), "\"" FFFD FFFD "\""},
        {SIZED("\xED\xA0\x80"), "\"" FFFD FFFD FFFD "\""},
        {SIZED("\xF0\x9F\x98"), "\"" FFFD FFFD FFFD "\""},
        {SIZED("\xF4\x90\x80\x80!"), "\"" FFFD FFFD FFFD FFFD "!\""},
        {SIZED("\xE2\x82\xC3\xA9"), "\"" FFFD FFFD "\xC3\xA9\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        AUTO_FREE char *copy = malloc(rows[i].size);
        struct json_write write;
        if (rows[i].size > 0) {
            assert_non_null(copy);
            memcpy(copy, rows[i].bytes, rows[i].size);
        }
        buffer_init(&out, 1024);
        json_write_begin(&write, &out);
        json_write_text_sized(&write, copy, rows[i].size);
        if (strcmp(buffer_text(&out), rows[i].expected) != 0) {
            fail_msg("row %zu: %s", i, buffer_text(&out));
        }
    }
#undef FFFD
    (void)state;
}

/* Its own small generator gives each run the same bytes. */
static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

/* Favours bytes that begin something: a lead byte, a quote, an escape. */
static void fill(char *bytes, size_t size, uint32_t *seed) {
    static const char often[] = "\"\\\n\x80\xBF\xC3\xA9\xE2\x82\xAC\xED\xA0\xF0\x9F\x98\xF4\x8F";
    for (size_t i = 0; i < size; i++) {
        uint32_t random = next_random(seed);
        bytes[i] = (char)(random >> 4);
        if (random % 3 > 0) {
            bytes[i] = often[random / 3 % (sizeof(often) - 1)];
        }
    }
}

static void test_json_write__is_accepted_by_the_reader_whatever_the_bytes(void **state) {
    uint32_t seed = 1;
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, 4096);
    for (size_t round = 0; round < 20000; round++) {
        char bytes[40];
        size_t size = round % (sizeof(bytes) + 1);
        fill(bytes, size, &seed);
        buffer_clear(&out);
        struct json_write write;
        json_write_begin(&write, &out);
        json_write_text_sized(&write, bytes, size);

        struct json_reader reader;
        struct json_text text;
        struct error error;
        json_begin(&reader, out.bytes, out.size);
        assert_true(json_read_text(&reader, &text));
        assert_true(json_finish(&reader, &error));
    }
    (void)state;
}

/* A string that the reader accepts is written back unchanged. */
static void test_json_write__keeps_valid_text(void **state) {
    static const char *const rows[] = {
        "replicas", "a \"b\" \\ /", "\n\t\x01", "\xC3\xA9", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        struct json_write write;
        struct json_reader reader;
        struct json_text text;
        buffer_init(&out, 1024);
        json_write_begin(&write, &out);
        json_write_text(&write, rows[i]);
        json_begin(&reader, out.bytes, out.size);
        assert_true(json_read_text(&reader, &text));
        assert_true(json_text_is(&text, rows[i]));
    }
    (void)state;
}

static void test_json_write__stops_at_the_limit_of_the_buffer(void **state) {
    for (size_t limit = 7; limit <= 8; limit++) {
        AUTO(buffer_fini) struct buffer out;
        struct json_write write;
        buffer_init(&out, limit);
        json_write_begin(&write, &out);
        json_write_open(&write, '[');
        json_write_text(&write, "\n");
        json_write_integer(&write, 1);
        json_write_close(&write, ']');
        assert_int_equal(out.is_cut, limit < 8);
        assert_in_range(out.size, 0, limit);
    }
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_write__puts_the_commas),
        cmocka_unit_test(test_json_write__writes_integers_whole),
        cmocka_unit_test(test_json_write__escapes_and_repairs_text),
        cmocka_unit_test(test_json_write__is_accepted_by_the_reader_whatever_the_bytes),
        cmocka_unit_test(test_json_write__keeps_valid_text),
        cmocka_unit_test(test_json_write__stops_at_the_limit_of_the_buffer),
    };
    return cmocka_run_group_tests_name("base/json_write", tests, NULL, NULL);
}
