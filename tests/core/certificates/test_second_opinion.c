// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/certificates/second_opinion.h"

#define DAY     INT64_C(86400)
#define START_S (20000 * DAY)

enum { LIMIT_S = SECOND_OPINION_TOLERANCE_S, PATIENCE_MS = SECOND_OPINION_PATIENCE_MS };

static void test_second_opinion__judges_the_clock(void **state) {
    static const struct {
        const char *name;
        bool has_date;
        int64_t date_s;   /* later than our clock by this */
        int64_t begins_s; /* likewise */
        enum second_opinion_verdict verdict;
    } rows[] = {
        {"no opinion", false, 0, -START_S, SECOND_OPINION_AGREES},
        {"the same", true, 0, -DAY, SECOND_OPINION_AGREES},
        {"behind by 1 s", true, 1, -DAY, SECOND_OPINION_AGREES},
        {"ahead by 1 s", true, -1, -DAY, SECOND_OPINION_AGREES},
        {"behind, at the limit", true, LIMIT_S, -DAY, SECOND_OPINION_AGREES},
        {"ahead, at the limit", true, -LIMIT_S, -DAY, SECOND_OPINION_AGREES},
        {"behind, past the limit", true, LIMIT_S + 1, -DAY, SECOND_OPINION_DATE},
        {"ahead, past the limit", true, -LIMIT_S - 1, -DAY, SECOND_OPINION_DATE},
        {"behind by 400 days", true, 400 * DAY, -DAY, SECOND_OPINION_DATE},
        {"ahead by 400 days", true, -400 * DAY, -DAY, SECOND_OPINION_DATE},
        {"ahead by all the time since 1970", true, -START_S, -DAY, SECOND_OPINION_DATE},
        {"a certificate begins now", false, 0, 0, SECOND_OPINION_AGREES},
        {"a certificate, at the limit", false, 0, LIMIT_S, SECOND_OPINION_AGREES},
        {"a certificate, past the limit", false, 0, LIMIT_S + 1, SECOND_OPINION_CERTIFICATE},
        {"a certificate in 400 days", false, 0, 400 * DAY, SECOND_OPINION_CERTIFICATE},
        {"a certificate against two clocks", true, 0, 400 * DAY, SECOND_OPINION_CERTIFICATE},
        {"both", true, 400 * DAY, 400 * DAY, SECOND_OPINION_DATE},
        {"both, apart", true, -400 * DAY, 400 * DAY, SECOND_OPINION_DATE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct second_opinion opinion = {.is_waiting = false};
        const struct second_opinion_view view = {
            .wall_s = START_S,
            .has_date = rows[i].has_date,
            .date_s = START_S + rows[i].date_s,
            .begins_s = START_S + rows[i].begins_s,
        };
        enum second_opinion_verdict verdict = second_opinion_step(&opinion, &view, 1000);
        if (verdict != rows[i].verdict) {
            fail_msg("%s: %d", rows[i].name, verdict);
        }
    }
}

static const struct second_opinion_view outvoted = {
    .wall_s = START_S, .has_date = true, .date_s = START_S, .begins_s = START_S + DAY};

static void test_second_opinion__two_clocks_outvote_a_certificate_in_the_end(void **state) {
    struct second_opinion opinion = {.is_waiting = false};
    (void)state;
    assert_int_equal(second_opinion_step(&opinion, &outvoted, 1000), SECOND_OPINION_CERTIFICATE);
    assert_int_equal(second_opinion_step(&opinion, &outvoted, 1000 + PATIENCE_MS - 1),
                     SECOND_OPINION_CERTIFICATE);
    assert_int_equal(second_opinion_step(&opinion, &outvoted, 1000 + PATIENCE_MS),
                     SECOND_OPINION_AGREES);
}

/* Each of these in between means that the two clocks have not agreed for so long. */
static void test_second_opinion__the_wait_begins_anew(void **state) {
    struct second_opinion_view between[3] = {outvoted, outvoted, outvoted};
    (void)state;
    between[0].date_s += LIMIT_S + 1;
    between[1].begins_s = START_S;
    between[2].has_date = false;
    for (size_t i = 0; i < COUNT_OF(between); i++) {
        struct second_opinion opinion = {.is_waiting = false};
        (void)second_opinion_step(&opinion, &outvoted, 0);
        (void)second_opinion_step(&opinion, &between[i], 1000);
        assert_int_equal(second_opinion_step(&opinion, &outvoted, 2000),
                         SECOND_OPINION_CERTIFICATE);
        assert_int_equal(second_opinion_step(&opinion, &outvoted, 2000 + PATIENCE_MS - 1),
                         SECOND_OPINION_CERTIFICATE);
        assert_int_equal(second_opinion_step(&opinion, &outvoted, 2000 + PATIENCE_MS),
                         SECOND_OPINION_AGREES);
    }
}

/* Nobody can tell who is wrong. */
static void test_second_opinion__a_certificate_counts_for_ever_where_no_answer_has_a_date(
    void **state) {
    struct second_opinion opinion = {.is_waiting = false};
    struct second_opinion_view view = outvoted;
    (void)state;
    view.has_date = false;
    assert_int_equal(second_opinion_step(&opinion, &view, 0), SECOND_OPINION_CERTIFICATE);
    assert_int_equal(second_opinion_step(&opinion, &view, 100 * PATIENCE_MS),
                     SECOND_OPINION_CERTIFICATE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_opinion__judges_the_clock),
        cmocka_unit_test(test_second_opinion__two_clocks_outvote_a_certificate_in_the_end),
        cmocka_unit_test(test_second_opinion__the_wait_begins_anew),
        cmocka_unit_test(
            test_second_opinion__a_certificate_counts_for_ever_where_no_answer_has_a_date),
    };
    return cmocka_run_group_tests_name("core/second_opinion", tests, NULL, NULL);
}
