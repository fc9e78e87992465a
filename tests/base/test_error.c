// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

enum { TEXT_MAX = sizeof(((struct error *)NULL)->text) - 1 };

/* `size` bytes of 'x' and a NUL. */
static const char *fill(char *out, size_t size) {
    memset(out, 'x', size);
    out[size] = '\0';
    return out;
}

static void test_error__set_is_false_and_about_no_place(void **state) {
    (void)state;
    struct error error = {.offset = 7};
    assert_false(error_set(&error, ERROR_NOT_FOUND, "no '%s' in %d places", "x", 3));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    assert_true(error.offset == ERROR_NO_OFFSET);
    assert_string_equal(error.text, "no 'x' in 3 places");
}

static void test_error__set_at_names_the_place(void **state) {
    (void)state;
    struct error error;
    assert_false(error_set_at(&error, ERROR_TOO_LARGE, 0, "%d levels", 10241));
    assert_int_equal(error.kind, ERROR_TOO_LARGE);
    assert_int_equal(error.offset, 0);
    assert_string_equal(error.text, "10241 levels");
}

static void test_error__set_replaces_what_was_there(void **state) {
    (void)state;
    struct error error;
    error_set_at(&error, ERROR_TOO_LARGE, 12, "the first and longer one");
    error_set(&error, ERROR_INVALID, "second");
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_true(error.offset == ERROR_NO_OFFSET);
    assert_string_equal(error.text, "second");
}

static void test_error__text_is_cut_to_its_room(void **state) {
    (void)state;
    static const size_t sizes[] = {TEXT_MAX - 1, TEXT_MAX, TEXT_MAX + 1, 4000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char text[4001];
        struct error error;
        size_t expected = sizes[i] < TEXT_MAX ? sizes[i] : TEXT_MAX;
        error_set(&error, ERROR_INVALID, "%s", fill(text, sizes[i]));
        assert_int_equal(strlen(error.text), expected);
        error_set_at(&error, ERROR_INVALID, 1, "%s", text);
        assert_int_equal(strlen(error.text), expected);
    }
}

static void test_error__wrap_puts_the_context_in_front(void **state) {
    (void)state;
    struct error error;
    error_set_at(&error, ERROR_UNAVAILABLE, 42, "no such file");
    assert_false(error_wrap(&error, "reading '%s'", "a.yaml"));
    assert_false(error_wrap(&error, "--config"));
    assert_string_equal(error.text, "--config: reading 'a.yaml': no such file");
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
    assert_int_equal(error.offset, 42);
}

static void test_error__wrap_cuts_the_context_before_the_text(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t context; /* so many times 'x', and then ":7:1" */
        size_t text;    /* so many times 'y', and then "z" */
        bool is_context_cut;
        bool is_text_cut;
    } rows[] = {
        {"all fits", TEXT_MAX - 4 - 2 - 11, 10, false, false},
        {"one too long", TEXT_MAX - 4 - 2 - 10, 10, true, false},
        {"a path of 4096 bytes", 4096, 10, true, false},
        {"half and half", TEXT_MAX / 2 - 5, TEXT_MAX / 2 - 1, false, false},
        {"a text of half the room", 4096, TEXT_MAX / 2 - 2, true, false},
        {"both too long", 4096, TEXT_MAX - 40, true, true},
        {"a full text", 0, TEXT_MAX - 1, false, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char context[4097];
        char text[TEXT_MAX + 1];
        struct error error;
        fill(text, rows[i].text);
        memset(text, 'y', rows[i].text);
        error_set(&error, ERROR_INVALID, "%sz", text);
        error_wrap(&error, "%s:7:1", fill(context, rows[i].context));
        size_t size = strlen(error.text);
        bool is_cut = strncmp(error.text, "...", 3) == 0;
        bool has_end = error.text[size - 1] == 'z';
        bool is_full = is_cut || !has_end;
        if (is_cut != rows[i].is_context_cut || has_end == rows[i].is_text_cut ||
            strstr(error.text, ":7:1: y") == NULL || (is_full && size != TEXT_MAX)) {
            fail_msg("%s: %s", rows[i].name, error.text);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error__set_is_false_and_about_no_place),
        cmocka_unit_test(test_error__set_at_names_the_place),
        cmocka_unit_test(test_error__set_replaces_what_was_there),
        cmocka_unit_test(test_error__text_is_cut_to_its_room),
        cmocka_unit_test(test_error__wrap_puts_the_context_in_front),
        cmocka_unit_test(test_error__wrap_cuts_the_context_before_the_text),
    };
    return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
