// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
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

/* Reads the next value by its kind. Returns false for a container, which it enters. */
static bool read_or_enter(struct json_reader *reader, bool *ret_is_array) {
    struct json_text text;
    int64_t integer;
    bool boolean;
    enum json_kind kind = json_peek(reader);
    *ret_is_array = kind == JSON_ARRAY;
    switch (kind) {
    case JSON_OBJECT:
        return !json_enter_object(reader);
    case JSON_ARRAY:
        return !json_enter_array(reader);
    case JSON_STRING:
        json_read_text(reader, &text);
        return true;
    case JSON_NUMBER:
        json_read_integer(reader, &integer);
        return true;
    case JSON_BOOL:
        json_read_bool(reader, &boolean);
        return true;
    default:
        json_skip(reader);
        return true;
    }
}

/* Reads a value by entering all objects and lists in it. */
static void walk(struct json_reader *reader) {
    AUTO_FREE bool *is_array = memory_new(JSON_DEPTH_MAX + 1, sizeof(*is_array));
    size_t depth = 0;
    struct json_text key;
    do {
        if (!read_or_enter(reader, &is_array[depth])) {
            depth++;
        }
        while (depth > 0 &&
               !(is_array[depth - 1] ? json_next_item(reader) : json_next_member(reader, &key))) {
            depth--;
        }
    } while (depth > 0);
}

static bool read_by(void (*read)(struct json_reader *), const char *bytes, size_t size,
                    struct error *error) {
    AUTO_FREE char *copy = exact_copy(bytes, size);
    struct json_reader reader;
    json_begin(&reader, copy, size);
    read(&reader);
    return json_finish(&reader, error);
}

/* Skipping and walking must give the same result. */
static bool is_accepted(const char *bytes, size_t size, struct error *ret_error) {
    struct error by_walk = {0};
    bool skipped = read_by(json_skip, bytes, size, ret_error);
    bool walked = read_by(walk, bytes, size, &by_walk);
    assert_int_equal(skipped, walked);
    if (!skipped) {
        assert_int_equal(ret_error->kind, by_walk.kind);
        assert_int_equal(ret_error->offset, by_walk.offset);
        assert_string_equal(ret_error->text, by_walk.text);
    }
    return skipped;
}

static void test_json__accepts_rfc_8259(void **state) {
    static const char *const rows[] = {
        "0",
        "-0",
        " \t\r\n1 \t\r\n",
        "1e5",
        "1E+5",
        "-1.25e-10",
        "1e400",
        "123456789012345678901234567890",
        "true",
        "false",
        "null",
        "\"\"",
        "\"/ \\/ \\\" \\\\ \\b\\f\\n\\r\\t\"",
        "\"\\u0000\\uD834\\udd1e\\uFFFF\"",
        "\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"",
        "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"",
        "[]",
        "{}",
        " [ ] ",
        " { } ",
        "[[],{},[[]],[{}]]",
        "{\"\":{\"\":[]},\"a\":1,\"a\":2}",
        " { \"a\" : [ 1 , 2 ] , \"b\" : { } } ",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error error;
        if (!is_accepted(rows[i], strlen(rows[i]), &error)) {
            fail_msg("%s: %s at %zu", rows[i], error.text, error.offset);
        }
    }
    (void)state;
}

static void test_json__refuses_bad_structure(void **state) {
    static const char early[] = "the input ends too early";
    static const char value[] = "a value is expected";
    static const char key[] = "a key is expected";
    static const char colon[] = "a colon is expected";
    static const char in_object[] = "a comma or '}' is expected";
    static const char in_array[] = "a comma or ']' is expected";
    static const char more[] = "more follows the value";
    static const struct {
        const char *bytes;
        size_t size;
        size_t offset;
        const char *text;
    } rows[] = {
        {SIZED(""), 0, early},
        {SIZED(" \n"), 2, early},
        {SIZED("\0"), 0, value},
        {SIZED("1\0"), 1, more},
        {SIZED("1 2"), 2, more},
        {SIZED("{}}"), 2, more},
        {SIZED("truex"), 4, more},
        {SIZED("\xEF\xBB\xBF{}"), 0, value},
        {SIZED("\v1"), 0, value},
        {SIZED("\xC2\xA0"
               "1"),
         0, value},
        {SIZED("tru"), 0, value},
        {SIZED("True"), 0, value},
        {SIZED("nil"), 0, value},
        {SIZED("'a'"), 0, value},
        {SIZED("NaN"), 0, value},
        {SIZED("/**/1"), 0, value},
        {SIZED("]"), 0, value},
        {SIZED(","), 0, value},
        {SIZED("["), 1, early},
        {SIZED("[1"), 2, early},
        {SIZED("[1,"), 3, early},
        {SIZED("[,1]"), 1, value},
        {SIZED("[1,]"), 3, value},
        {SIZED("[1,,2]"), 3, value},
        {SIZED("[1 2]"), 3, in_array},
        {SIZED("[1:2]"), 2, in_array},
        {SIZED("[1}"), 2, in_array},
        {SIZED("[}"), 1, value},
        {SIZED("[[[1]]"), 6, early},
        {SIZED("[{\"a\":[}]"), 7, value},
        {SIZED("[{\"a\":[0}]"), 8, in_array},
        {SIZED("{"), 1, early},
        {SIZED("{]"), 1, key},
        {SIZED("{1:2}"), 1, key},
        {SIZED("{a:1}"), 1, key},
        {SIZED("{,}"), 1, key},
        {SIZED("{\"a\""), 4, early},
        {SIZED("{\"a\"}"), 4, colon},
        {SIZED("{\"a\" 1}"), 5, colon},
        {SIZED("{\"a\",1}"), 4, colon},
        {SIZED("{\"a\":"), 5, early},
        {SIZED("{\"a\":}"), 5, value},
        {SIZED("{\"a\"::1}"), 5, value},
        {SIZED("{\"a\":1"), 6, early},
        {SIZED("{\"a\":1,"), 7, early},
        {SIZED("{\"a\":1,}"), 7, key},
        {SIZED("{\"a\":1 \"b\":2}"), 7, in_object},
        {SIZED("{\"a\":1]"), 6, in_object},
        {SIZED("{\"a\":{\"b\":[]]}"), 12, in_object},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error error;
        if (is_accepted(rows[i].bytes, rows[i].size, &error)) {
            fail_msg("row %zu, %s: accepted", i, rows[i].bytes);
        }
        if (error.kind != ERROR_INVALID || error.offset != rows[i].offset ||
            strcmp(error.text, rows[i].text) != 0) {
            fail_msg("row %zu, %s: %s at %zu", i, rows[i].bytes, error.text, error.offset);
        }
    }
    (void)state;
}

static const char sample[] =
    "{\"kind\":\"AdmissionReview\",\"n\":[0,-1.5e+10,true,false,null,{},[]],"
    "\"request\":{\"uid\":\"\\u00e9\\nab\\ud83d\\ude00\",\"\xC3\xA9\":\"\xE2\x82\xAC\"} }";

static void test_json__refuses_every_truncation(void **state) {
    struct error error;
    assert_true(is_accepted(SIZED(sample), &error));
    for (size_t size = 0; size < sizeof(sample) - 1; size++) {
        if (is_accepted(sample, size, &error)) {
            fail_msg("the first %zu bytes are accepted", size);
        }
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_in_range(error.offset, 0, size);
    }
    (void)state;
}

/* `open` and `close` many times around a zero. */
static void add_nested(struct buffer *out, const char *open, const char *close, size_t n) {
    for (size_t i = 0; i < n; i++) {
        buffer_add_text(out, open);
    }
    buffer_add_byte(out, '0');
    for (size_t i = 0; i < n; i++) {
        buffer_add_text(out, close);
    }
}

static void test_json__limits_the_depth(void **state) {
    static const struct {
        const char *open, *close;
        size_t n_levels, last_bracket;
    } rows[] = {
        {"[", "]", 1, 0},
        {"{\"a\":", "}", 1, 0},
        {"[0,{\"a\":", "}]", 2, 3},
        {" { \"\" : [ ", "] } ", 2, 8},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer text;
        struct error error;
        size_t n = JSON_DEPTH_MAX / rows[i].n_levels;
        buffer_init(&text, SIZE_MAX);
        add_nested(&text, rows[i].open, rows[i].close, n);
        assert_true(is_accepted(text.bytes, text.size, &error));

        buffer_clear(&text);
        buffer_add_byte(&text, '[');
        add_nested(&text, rows[i].open, rows[i].close, n);
        buffer_add_byte(&text, ']');
        assert_false(is_accepted(text.bytes, text.size, &error));
        assert_int_equal(error.kind, ERROR_TOO_LARGE);
        assert_int_equal(error.offset, 1 + (n - 1) * strlen(rows[i].open) + rows[i].last_bracket);
    }
    (void)state;
}

static void test_json__skips_to_the_limit_from_any_level(void **state) {
    for (size_t n_entered = 1; n_entered <= JSON_DEPTH_MAX; n_entered += 61) {
        for (size_t past = 0; past <= 1; past++) {
            AUTO(buffer_fini) struct buffer text;
            struct json_reader reader;
            struct error error;
            buffer_init(&text, SIZE_MAX);
            add_nested(&text, "[", "]", JSON_DEPTH_MAX + past);
            json_begin(&reader, text.bytes, text.size);
            for (size_t i = 0; i < n_entered; i++) {
                assert_true(json_enter_array(&reader) && json_next_item(&reader));
            }
            json_skip(&reader);
            for (size_t i = 0; i < n_entered; i++) {
                assert_false(json_next_item(&reader));
            }
            assert_int_equal(json_finish(&reader, &error), past == 0);
        }
    }
    (void)state;
}

static void test_json__skips_a_value_of_another_type(void **state) {
    static const struct {
        const char *text;
        enum json_kind kind;
    } rows[] = {
        {"[null,9]", JSON_NULL},          {"[true,9]", JSON_BOOL},    {"[false,9]", JSON_BOOL},
        {"[-1.5,9]", JSON_NUMBER},        {"[\"1\",9]", JSON_STRING}, {"[[1,[2]],9]", JSON_ARRAY},
        {"[{\"a\":{}} ,9]", JSON_OBJECT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int asked = JSON_BOOL; asked <= JSON_ARRAY; asked++) {
            struct json_reader reader;
            struct error error;
            struct json_text text = {0};
            bool boolean = false;
            int64_t integer = 0;
            json_begin(&reader, rows[i].text, strlen(rows[i].text));
            assert_true(json_enter_array(&reader) && json_next_item(&reader));
            assert_int_equal(json_peek(&reader), rows[i].kind);
            if (rows[i].kind == (enum json_kind)asked && asked != JSON_NUMBER) {
                continue;
            }
            switch (asked) {
            case JSON_BOOL:
                assert_false(json_read_bool(&reader, &boolean));
                break;
            case JSON_NUMBER:
                assert_false(json_read_integer(&reader, &integer));
                break;
            case JSON_STRING:
                assert_false(json_read_text(&reader, &text));
                break;
            case JSON_OBJECT:
                assert_false(json_enter_object(&reader));
                break;
            default:
                assert_false(json_enter_array(&reader));
                break;
            }
            assert_null(text.at);
            assert_true(json_next_item(&reader) && json_read_integer(&reader, &integer));
            assert_int_equal(integer, 9);
            assert_false(json_next_item(&reader));
            assert_true(json_finish(&reader, &error));
        }
    }
    (void)state;
}

static void test_json__reads_booleans(void **state) {
    struct json_reader reader;
    struct error error;
    bool value = false;
    json_begin(&reader, "[true,false,truth]", 18);
    assert_true(json_enter_array(&reader) && json_next_item(&reader));
    assert_true(json_read_bool(&reader, &value));
    assert_true(value);
    assert_true(json_next_item(&reader) && json_read_bool(&reader, &value));
    assert_false(value);
    assert_true(json_next_item(&reader));
    assert_false(json_read_bool(&reader, &value));
    assert_false(json_finish(&reader, &error));
    assert_int_equal(error.offset, 12);
    (void)state;
}

/* The text of the first member named `key`. Reads the whole object. */
static bool find_text(const char *json, const char *key, struct json_text *ret_text) {
    struct json_reader reader;
    struct error error;
    struct json_text name;
    bool is_found = false;
    json_begin(&reader, json, strlen(json));
    assert_true(json_enter_object(&reader));
    while (json_next_member(&reader, &name)) {
        if (!is_found && json_text_is(&name, key)) {
            is_found = json_read_text(&reader, ret_text);
        } else {
            json_skip(&reader);
        }
    }
    assert_true(json_finish(&reader, &error));
    return is_found;
}

static void test_json__finds_members_among_nested_ones(void **state) {
    static const char json[] =
        "{\"a\":{\"b\":\"no\",\"c\":[{\"b\":\"no\"},[]]},\"B\":\"no\",\"bb\":\"no\","
        "\"\\u0062\":\"yes\",\"b\":\"second\",\"z\":[[[{}]]]}";
    struct json_text text;
    assert_true(find_text(json, "b", &text));
    assert_true(json_text_is(&text, "yes"));
    assert_int_equal(text.size, 3);
    assert_false(text.is_escaped);
    assert_ptr_equal(text.at, strstr(json, "yes"));
    assert_false(find_text(json, "c", &text));
    assert_false(find_text(json, "a", &text));
    (void)state;
}

static void test_json__hands_out_raw_values(void **state) {
    static const char json[] = " [ \"a\\n\" , {\"b\" : [1 ]} ,1e400, null ] ";
    static const char *const raw[] = {"\"a\\n\"", "{\"b\" : [1 ]}", "1e400", "null"};
    static const size_t offsets[] = {3, 11, 25, 32};
    struct json_reader reader;
    struct error error;
    struct json_text text;
    json_begin(&reader, json, strlen(json));
    assert_int_equal(json_offset(&reader), 1);
    assert_true(json_enter_array(&reader));
    for (size_t i = 0; i < COUNT_OF(raw); i++) {
        assert_true(json_next_item(&reader));
        assert_int_equal(json_offset(&reader), offsets[i]);
        assert_true(json_read_raw(&reader, &text));
        assert_int_equal(text.size, strlen(raw[i]));
        assert_memory_equal(text.at, raw[i], text.size);
    }
    assert_false(json_next_item(&reader));
    assert_true(json_finish(&reader, &error));

    json_begin(&reader, "[1", 2);
    assert_false(json_read_raw(&reader, &text));
    (void)state;
}

static void test_json__says_no_after_a_fault(void **state) {
    struct json_reader reader;
    struct error error;
    struct json_text text = {0};
    int64_t integer = 42;
    bool boolean = false;
    json_begin(&reader, "[1 true,2]", 10);
    assert_true(json_enter_array(&reader) && json_next_item(&reader));
    json_skip(&reader);
    for (int round = 0; round < 2; round++) {
        assert_false(json_next_item(&reader));
        assert_int_equal(json_peek(&reader), JSON_NONE);
        assert_false(json_next_member(&reader, &text));
        assert_false(json_enter_object(&reader));
        assert_false(json_enter_array(&reader));
        assert_false(json_read_text(&reader, &text));
        assert_false(json_read_bool(&reader, &boolean));
        assert_false(json_read_integer(&reader, &integer));
        assert_false(json_read_raw(&reader, &text));
        json_skip(&reader);
        assert_false(json_finish(&reader, &error));
        assert_int_equal(error.offset, 3);
    }
    assert_null(text.at);
    assert_int_equal(integer, 42);
    (void)state;
}

static void test_json__finishes_only_what_was_read(void **state) {
    struct json_reader reader;
    struct error error;
    json_begin(&reader, "1", 1);
    assert_false(json_finish(&reader, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_int_equal(error.offset, 0);

    json_begin(&reader, "[1,2]", 5);
    assert_true(json_enter_array(&reader) && json_next_item(&reader));
    json_skip(&reader);
    assert_false(json_finish(&reader, &error));
    assert_int_equal(error.offset, 2);

    json_begin(&reader, "[1", 2);
    assert_true(json_enter_array(&reader) && json_next_item(&reader));
    json_skip(&reader);
    assert_false(json_finish(&reader, &error));
    assert_int_equal(error.offset, 2);

    json_begin(&reader, " ", 1);
    assert_false(json_finish(&reader, &error));
    assert_int_equal(error.offset, 1);

    json_begin(&reader, NULL, 0);
    assert_int_equal(json_peek(&reader), JSON_NONE);
    json_skip(&reader);
    assert_false(json_finish(&reader, &error));
    assert_int_equal(error.offset, 0);

    json_begin(&reader, " 1 ", 3);
    json_skip(&reader);
    assert_int_equal(json_peek(&reader), JSON_NONE);
    assert_true(json_finish(&reader, &error));
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json__accepts_rfc_8259),
        cmocka_unit_test(test_json__refuses_bad_structure),
        cmocka_unit_test(test_json__refuses_every_truncation),
        cmocka_unit_test(test_json__limits_the_depth),
        cmocka_unit_test(test_json__skips_to_the_limit_from_any_level),
        cmocka_unit_test(test_json__skips_a_value_of_another_type),
        cmocka_unit_test(test_json__reads_booleans),
        cmocka_unit_test(test_json__finds_members_among_nested_ones),
        cmocka_unit_test(test_json__hands_out_raw_values),
        cmocka_unit_test(test_json__says_no_after_a_fault),
        cmocka_unit_test(test_json__finishes_only_what_was_read),
    };
    return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
