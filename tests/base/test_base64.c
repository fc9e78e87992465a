// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "base64.h"

static void test_base64__reads_what_kubernetes_writes(void **state) {
    static const struct {
        const char *text;
        const char *bytes;
        size_t size;
    } rows[] = {
        {"", "", 0},
        {"Zg==", "f", 1},
        {"Zm8=", "fo", 2},
        {"Zm9v", "foo", 3},
        {"Zm9\nvYg=\r\n=", "foob", 4},
        {"AAA=", "\0\0", 2},
        {"+/+/", "\xfb\xff\xbf", 3},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[32];
        size_t size;
        strcpy(text, rows[i].text);
        assert_true(base64_decode(text, &size));
        assert_int_equal(size, rows[i].size);
        assert_memory_equal(text, rows[i].bytes, rows[i].size);
        for (size_t k = size; k <= strlen(rows[i].text); k++) {
            assert_int_equal(text[k], '\0');
        }
    }
}

static void test_base64__refuses_what_is_none(void **state) {
    static const char *const rows[] = {
        "Z", "Zg", "Zg=", "Zg===", "=", "Zh==", "Zm9=", "Zg=a", "Z-==", "Zg==Zg==", "Zm 9v"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[32];
        size_t size;
        strcpy(text, rows[i]);
        assert_false(base64_decode(text, &size));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64__reads_what_kubernetes_writes),
        cmocka_unit_test(test_base64__refuses_what_is_none),
    };
    return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}
