// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/certificates/expiry.h"

#define DAY ((int64_t)86400)

static void test_expiry__raises_the_alarm_once_a_level(void **state) {
    static const struct {
        int64_t left;
        bool is_raised;
        enum expiry_level level;
    } rows[] = {
        {90 * DAY, false, EXPIRY_FAR},
        {30 * DAY, false, EXPIRY_FAR},
        {30 * DAY - 1, true, EXPIRY_30_DAYS},
        {14 * DAY, false, EXPIRY_30_DAYS},
        {14 * DAY - 1, true, EXPIRY_14_DAYS},
        {3 * DAY, false, EXPIRY_14_DAYS},
        {3 * DAY - 1, true, EXPIRY_3_DAYS},
        {1, false, EXPIRY_3_DAYS},
        {0, true, EXPIRY_OVER},
        {-DAY, false, EXPIRY_OVER},
        {60 * DAY, false, EXPIRY_FAR},
        {2 * DAY, true, EXPIRY_3_DAYS},
    };
    struct expiry expiry = {.level = EXPIRY_FAR};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(expiry_step(&expiry, 1000, 1000 + rows[i].left), rows[i].is_raised);
        assert_int_equal(expiry.level, rows[i].level);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expiry__raises_the_alarm_once_a_level),
    };
    return cmocka_run_group_tests_name("core/expiry", tests, NULL, NULL);
}
