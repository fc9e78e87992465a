// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/certificates/expiry.h"

#define HOUR ((int64_t)3600)
#define DAY  ((int64_t)86400)
#define YEAR (365 * DAY)

enum { BEGINS = 1000 };

static enum expiry_level level_of(int64_t life, int64_t left) {
    return expiry_level_at(BEGINS, BEGINS + life, BEGINS + life - left);
}

/* The level rises one second after each boundary, and not at it. The last two boundaries of a short
   life are the same. */
static void test_expiry__goes_by_the_part_of_the_life_and_by_days(void **state) {
    static const struct {
        int64_t life;
        int64_t notice, warning, last; /* what is left at the boundary */
    } rows[] = {
        {HOUR, 1200, 360, 360},
        {DAY, 8 * HOUR, 8640, 8640},
        {90 * DAY, 30 * DAY, 9 * DAY, 3 * DAY},
        {YEAR, 30 * DAY, 14 * DAY, 3 * DAY},
        {10 * YEAR, 30 * DAY, 14 * DAY, 3 * DAY},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t life = rows[i].life;
        enum expiry_level above_last =
            rows[i].last < rows[i].warning ? EXPIRY_WARNING : EXPIRY_NOTICE;
        assert_int_equal(level_of(life, life + 1), EXPIRY_FAR);
        assert_int_equal(level_of(life, life), EXPIRY_FAR);
        assert_int_equal(level_of(life, rows[i].notice + 1), EXPIRY_FAR);
        assert_int_equal(level_of(life, rows[i].notice), EXPIRY_FAR);
        assert_int_equal(level_of(life, rows[i].notice - 1), EXPIRY_NOTICE);
        assert_int_equal(level_of(life, rows[i].warning + 1), EXPIRY_NOTICE);
        assert_int_equal(level_of(life, rows[i].warning), EXPIRY_NOTICE);
        assert_true(level_of(life, rows[i].warning - 1) >= EXPIRY_WARNING);
        assert_int_equal(level_of(life, rows[i].last + 1), above_last);
        assert_int_equal(level_of(life, rows[i].last), above_last);
        assert_int_equal(level_of(life, rows[i].last - 1), EXPIRY_LAST);
        assert_int_equal(level_of(life, 1), EXPIRY_LAST);
        assert_int_equal(level_of(life, 0), EXPIRY_OVER);
        assert_int_equal(level_of(life, -1), EXPIRY_OVER);
    }
}

static void test_expiry__of_a_life_that_ends_before_it_begins_knows_the_end_alone(void **state) {
    (void)state;
    assert_int_equal(expiry_level_at(2000, 1000, 999), EXPIRY_FAR);
    assert_int_equal(expiry_level_at(2000, 1000, 1000), EXPIRY_OVER);
}

static void test_expiry__raises_the_alarm_once_a_level(void **state) {
    static const struct {
        int64_t left;
        bool is_raised;
        enum expiry_level level;
    } rows[] = {
        {90 * DAY, false, EXPIRY_FAR},    {30 * DAY - 1, true, EXPIRY_NOTICE},
        {14 * DAY, false, EXPIRY_NOTICE}, {14 * DAY - 1, true, EXPIRY_WARNING},
        {3 * DAY, false, EXPIRY_WARNING}, {3 * DAY - 1, true, EXPIRY_LAST},
        {1, false, EXPIRY_LAST},          {0, true, EXPIRY_OVER},
        {-DAY, false, EXPIRY_OVER},       {60 * DAY, false, EXPIRY_FAR},
        {2 * DAY, true, EXPIRY_LAST},
    };
    struct expiry expiry = {.level = EXPIRY_FAR};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(expiry_step(&expiry, BEGINS, BEGINS + YEAR, BEGINS + YEAR - rows[i].left),
                         rows[i].is_raised);
        assert_int_equal(expiry.level, rows[i].level);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expiry__goes_by_the_part_of_the_life_and_by_days),
        cmocka_unit_test(test_expiry__of_a_life_that_ends_before_it_begins_knows_the_end_alone),
        cmocka_unit_test(test_expiry__raises_the_alarm_once_a_level),
    };
    return cmocka_run_group_tests_name("core/expiry", tests, NULL, NULL);
}
