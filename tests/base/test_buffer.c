// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

static void check(const struct buffer *buffer, const char *expected) {
    assert_int_equal(buffer->size, strlen(expected));
    assert_memory_equal(buffer->bytes, expected, strlen(expected));
}

static void test_buffer__begins_without_bytes(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, 10);
    buffer_add(&buffer, NULL, 0);
    buffer_add_text(&buffer, "");
    buffer_add_format(&buffer, "%s", "");
    buffer_add_base64(&buffer, NULL, 0);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.size, 0);
    assert_false(buffer.is_cut);
}

static void test_buffer__adds_one_behind_the_other(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, 100);
    buffer_add(&buffer, "ab\0cd", 5);
    buffer_add_text(&buffer, "-");
    buffer_add_byte(&buffer, '\xff');
    buffer_add_format(&buffer, "%d %s", 42, "x");
    assert_int_equal(buffer.size, 11);
    assert_memory_equal(buffer.bytes,
                        "ab\0cd-\xff"
                        "42 x",
                        11);
}

static void add_bytes(struct buffer *buffer) {
    buffer_add(buffer, "abcd", 4);
}

static void add_text(struct buffer *buffer) {
    buffer_add_text(buffer, "abcd");
}

static void add_byte(struct buffer *buffer) {
    buffer_add_byte(buffer, 'a');
}

static void add_format(struct buffer *buffer) {
    buffer_add_format(buffer, "%s%d", "abc", 1);
}

static void add_base64(struct buffer *buffer) {
    buffer_add_base64(buffer, "f", 1);
}

static void test_buffer__adds_up_to_the_limit_and_nothing_of_what_would_pass_it(void **state) {
    (void)state;
    static const struct {
        const char *name;
        void (*add)(struct buffer *buffer);
        const char *added;
    } rows[] = {
        {"bytes", add_bytes, "abcd"},   {"text", add_text, "abcd"},     {"byte", add_byte, "a"},
        {"format", add_format, "abc1"}, {"base64", add_base64, "Zg=="},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t too_little = 0; too_little < 2; too_little++) {
            AUTO(buffer_fini) struct buffer buffer;
            size_t size = strlen(rows[i].added);
            buffer_init(&buffer, 3 + size - too_little);
            buffer_add_text(&buffer, "===");
            rows[i].add(&buffer);
            const char *expected = too_little == 1 ? "" : rows[i].added;
            if (buffer.is_cut != (too_little == 1) || buffer.size != 3 + strlen(expected) ||
                memcmp(buffer.bytes + 3, expected, strlen(expected)) != 0) {
                fail_msg("%s, %zu too little", rows[i].name, too_little);
            }
        }
    }
}

static void test_buffer__remembers_that_it_was_cut(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, 4);
    buffer_add_text(&buffer, "12345");
    buffer_add_text(&buffer, "6");
    check(&buffer, "6");
    assert_true(buffer.is_cut);
}

static void test_buffer__with_a_limit_of_zero_takes_nothing(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, 0);
    buffer_add_text(&buffer, "");
    assert_false(buffer.is_cut);
    buffer_add_byte(&buffer, 'x');
    assert_true(buffer.is_cut);
    assert_string_equal(buffer_text(&buffer), "");
}

static void test_buffer__grows_and_keeps_what_it_has(void **state) {
    (void)state;
    enum { TIMES = 100000 };
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, SIZE_MAX);
    for (int i = 0; i < TIMES; i++) {
        buffer_add_byte(&buffer, (char)('a' + i % 26));
    }
    assert_int_equal(buffer.size, TIMES);
    for (int i = 0; i < TIMES; i++) {
        assert_int_equal(buffer.bytes[i], 'a' + i % 26);
    }
}

/* tests/app/test_wiping.c looks at the memory that it leaves. */
static void test_buffer__of_a_secret_grows_alike_and_stays_one(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init_secret(&buffer, 5000);
    for (int i = 0; i < 1000; i++) {
        buffer_add_text(&buffer, "abcde");
    }
    buffer_add_byte(&buffer, 'x');
    assert_int_equal(buffer.size, 5000);
    assert_true(buffer.is_cut);
    for (size_t i = 0; i < buffer.size; i++) {
        assert_int_equal(buffer.bytes[i], "abcde"[i % 5]);
    }
    buffer_fini(&buffer);
    assert_null(buffer.bytes);
    assert_true(buffer.is_secret);
}

static void test_buffer__formats_more_than_it_had_room_for(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    char spaces[1001];
    memset(spaces, ' ', sizeof(spaces) - 1);
    spaces[sizeof(spaces) - 1] = '\0';
    buffer_init(&buffer, 1002);
    buffer_add_byte(&buffer, '[');
    buffer_add_format(&buffer, "%*s]", 1000, "");
    assert_int_equal(buffer.size, 1002);
    assert_memory_equal(buffer.bytes + 1, spaces, 1000);
    assert_int_equal(buffer.bytes[1001], ']');
    assert_false(buffer.is_cut);
}

/* RFC 4648 section 10, and bytes that need the sign bit and the last two digits. */
static void test_buffer__adds_base64(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *expected;
    } rows[] = {
        {"", 0, ""},
        {"f", 1, "Zg=="},
        {"fo", 2, "Zm8="},
        {"foo", 3, "Zm9v"},
        {"foob", 4, "Zm9vYg=="},
        {"fooba", 5, "Zm9vYmE="},
        {"foobar", 6, "Zm9vYmFy"},
        {"\0\0\0", 3, "AAAA"},
        {"\xff\xff\xff", 3, "////"},
        {"\xfb\xef\xbe", 3, "++++"},
        {"\xff", 1, "/w=="},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer buffer;
        buffer_init(&buffer, 100);
        buffer_add_text(&buffer, "<");
        buffer_add_base64(&buffer, rows[i].bytes, rows[i].size);
        assert_string_equal(buffer_text(&buffer) + 1, rows[i].expected);
    }
}

static void test_buffer__reserved_room_is_used_without_moving(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, 10000);
    buffer_add_text(&buffer, "x");
    buffer_reserve(&buffer, 9999);
    const char *bytes = buffer.bytes;
    for (int i = 0; i < 9999; i++) {
        buffer_add_byte(&buffer, 'y');
    }
    assert_ptr_equal(buffer.bytes, bytes);
    assert_int_equal(buffer.size, 10000);
    assert_false(buffer.is_cut);
}

static void test_buffer__does_not_reserve_past_the_limit(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, 10);
    buffer_reserve(&buffer, 11);
    buffer_reserve(&buffer, SIZE_MAX);
    assert_int_equal(buffer.capacity, 0);
    assert_false(buffer.is_cut);
    buffer_reserve(&buffer, 10);
    assert_int_equal(buffer.capacity, 10);
}

static void test_buffer__cleared_keeps_its_memory_and_its_limit(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, 4);
    buffer_add_text(&buffer, "1234");
    buffer_add_text(&buffer, "5");
    const char *bytes = buffer.bytes;
    buffer_clear(&buffer);
    assert_int_equal(buffer.size, 0);
    assert_false(buffer.is_cut);
    buffer_add_text(&buffer, "6789");
    check(&buffer, "6789");
    assert_ptr_equal(buffer.bytes, bytes);
    buffer_add_byte(&buffer, '0');
    assert_true(buffer.is_cut);
}

static void test_buffer__may_be_used_again_after_fini(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, 4);
    buffer_add_text(&buffer, "1234");
    buffer_fini(&buffer);
    assert_null(buffer.bytes);
    buffer_add_text(&buffer, "5678");
    check(&buffer, "5678");
    assert_int_equal(buffer.limit, 4);
}

static void test_buffer__as_text_has_a_nul_that_does_not_count(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer buffer;
    buffer_init(&buffer, 256);
    assert_string_equal(buffer_text(&buffer), "");
    for (int i = 0; i < 256; i++) {
        buffer_add_byte(&buffer, 'x');
    }
    assert_int_equal(strlen(buffer_text(&buffer)), 256);
    assert_int_equal(buffer.size, 256);
    assert_false(buffer.is_cut);
    buffer_clear(&buffer);
    buffer_add_byte(&buffer, 'y');
    assert_string_equal(buffer_text(&buffer), "y");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer__begins_without_bytes),
        cmocka_unit_test(test_buffer__adds_one_behind_the_other),
        cmocka_unit_test(test_buffer__adds_up_to_the_limit_and_nothing_of_what_would_pass_it),
        cmocka_unit_test(test_buffer__remembers_that_it_was_cut),
        cmocka_unit_test(test_buffer__with_a_limit_of_zero_takes_nothing),
        cmocka_unit_test(test_buffer__grows_and_keeps_what_it_has),
        cmocka_unit_test(test_buffer__of_a_secret_grows_alike_and_stays_one),
        cmocka_unit_test(test_buffer__formats_more_than_it_had_room_for),
        cmocka_unit_test(test_buffer__adds_base64),
        cmocka_unit_test(test_buffer__reserved_room_is_used_without_moving),
        cmocka_unit_test(test_buffer__does_not_reserve_past_the_limit),
        cmocka_unit_test(test_buffer__cleared_keeps_its_memory_and_its_limit),
        cmocka_unit_test(test_buffer__may_be_used_again_after_fini),
        cmocka_unit_test(test_buffer__as_text_has_a_nul_that_does_not_count),
    };
    return cmocka_run_group_tests_name("base/buffer", tests, NULL, NULL);
}
