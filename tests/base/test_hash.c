// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "base/hash.h"

/* Values that the authors of FNV published. */
static void test_hash__is_fnv_1a(void **state) {
    static const struct {
        const char *text;
        uint64_t hash;
    } rows[] = {
        {"", UINT64_C(0xCBF29CE484222325)},
        {"a", UINT64_C(0xAF63DC4C8601EC8C)},
        {"foobar", UINT64_C(0x85944171F73967E8)},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(hash_bytes(HASH_EMPTY, rows[i].text, strlen(rows[i].text)), rows[i].hash);
        assert_int_equal(hash_text(HASH_EMPTY, rows[i].text), hash_byte(rows[i].hash, 0xFF));
    }
}

static void test_hash__tells_texts_apart_by_their_ends(void **state) {
    (void)state;
    assert_int_not_equal(hash_text(hash_text(HASH_EMPTY, "ab"), "c"),
                         hash_text(hash_text(HASH_EMPTY, "a"), "bc"));
}

static void test_hash__folds_the_high_bits_into_the_low_ones(void **state) {
    (void)state;
    assert_int_equal(hash_fold(UINT64_C(0x0000000500000003)), UINT64_C(0x0000000500000006));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash__is_fnv_1a),
        cmocka_unit_test(test_hash__tells_texts_apart_by_their_ends),
        cmocka_unit_test(test_hash__folds_the_high_bits_into_the_low_ones),
    };
    return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
