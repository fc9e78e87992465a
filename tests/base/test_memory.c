// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"

static void test_memory__wipes_the_bytes_that_are_named(void **state) {
    (void)state;
    char text[] = "secret";
    memory_wipe(text + 1, 4);
    assert_memory_equal(text, "s\0\0\0\0t", sizeof(text));
    memory_wipe(NULL, 0);
    memory_free_secret(NULL);
}

static void test_memory__a_moved_variable_is_empty(void **state) {
    (void)state;
    struct buffer from;
    char *text = memory_copy("text", 4);
    buffer_init(&from, 10);
    buffer_add_text(&from, "bytes");
    AUTO(buffer_fini) struct buffer to = TAKE(from);
    AUTO_FREE char *taken = TAKE(text);
    assert_null(from.bytes);
    assert_int_equal(from.size, 0);
    assert_string_equal(buffer_text(&to), "bytes");
    assert_null(text);
    assert_string_equal(taken, "text");
}

static void test_memory__min_and_max_evaluate_once(void **state) {
    (void)state;
    int a = 1;
    assert_int_equal(MIN(a++, 5), 1);
    assert_int_equal(MAX(a++, -5), 2);
    assert_int_equal(MAX(2, MIN(a, 7)), 3);
}

static void test_memory__grows_by_powers_of_two(void **state) {
    (void)state;
    int *numbers = NULL;
    for (int i = 0; i < 1000; i++) {
        int *before = numbers;
        numbers = memory_grow(numbers, (size_t)i, sizeof(*numbers));
        assert_true(numbers == before || (i & (i - 1)) == 0);
        numbers[i] = i;
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(numbers[i], i);
    }
    free(numbers);
}

static void test_memory__formats_a_text_of_any_length(void **state) {
    (void)state;
    AUTO_FREE char *empty = memory_format("%s", "");
    AUTO_FREE char *text = memory_format("%s-%05000d", "a", 7);
    assert_string_equal(empty, "");
    assert_int_equal(strlen(text), 5002);
    assert_memory_equal(text, "a-00", 4);
    assert_string_equal(text + 5000, "07");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory__wipes_the_bytes_that_are_named),
        cmocka_unit_test(test_memory__a_moved_variable_is_empty),
        cmocka_unit_test(test_memory__grows_by_powers_of_two),
        cmocka_unit_test(test_memory__formats_a_text_of_any_length),
        cmocka_unit_test(test_memory__min_and_max_evaluate_once),
    };
    return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}
