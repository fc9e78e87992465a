// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void test_text__copy_cuts_to_the_capacity_and_says_so(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t capacity;
        const char *expected;
        bool fits;
    } rows[] = {
        {"abc", 5, "abc", true}, {"abc", 4, "abc", true}, {"abc", 3, "ab", false},
        {"abc", 1, "", false},   {"", 1, "", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[] = "......";
        assert_int_equal(text_copy(out, rows[i].capacity, rows[i].text), rows[i].fits);
        assert_string_equal(out, rows[i].expected);
        assert_int_equal(out[rows[i].capacity], '.');
    }
}

#define TEN         "abcdefghij"
#define BYTES_60    TEN TEN TEN TEN TEN TEN
#define LABEL_63    BYTES_60 "k-l"
#define LABEL_64    BYTES_60 "k--l"
#define THREE_TIMES LABEL_63 "." LABEL_63 "." LABEL_63 "."
#define NAME_253    THREE_TIMES BYTES_60 "z"
#define NAME_254    THREE_TIMES BYTES_60 "yz"

static void test_text__names_are_those_of_rfc_1123(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool is_label;
        bool is_subdomain; /* also a name for the DNS, unless a comment says otherwise */
    } rows[] = {
        {"a", true, true},
        {"0", true, true},
        {"a-b", true, true},
        {"a--b", true, true},
        {"1-2", true, true},
        {"kube-system", true, true},
        {"", false, false},
        {"-", false, false},
        {"-a", false, false},
        {"a-", false, false},
        {"A", false, false},
        {"aB", false, false},
        {"a_b", false, false},
        {"a b", false, false},
        {"a\n", false, false},
        {"a/b", false, false},
        {"../a", false, false},
        {"\xc3\xa4", false, false},
        {"a\xff", false, false},
        {"a.b", false, true},
        {"a.b-c.0", false, true},
        {".", false, false},
        {".a", false, false},
        {"a.", false, false},
        {"a..b", false, false},
        {"a.-b", false, false},
        {"a-.b", false, false},
        {"a.B", false, false},
        {LABEL_63, true, true},
        {LABEL_64, false, true}, /* not a name for the DNS */
        {"a." LABEL_63, false, true},
        {"a." LABEL_64, false, true}, /* not a name for the DNS */
        {NAME_253, false, true},
        {NAME_254, false, false},
    };
    assert_int_equal(strlen(LABEL_63), 63);
    assert_int_equal(strlen(NAME_253), 253);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool is_too_long = strstr(rows[i].name, LABEL_64) != NULL;
        if (text_is_dns_label(rows[i].name) != rows[i].is_label ||
            text_is_dns_subdomain(rows[i].name) != rows[i].is_subdomain ||
            text_is_dns_name(rows[i].name) != (rows[i].is_subdomain && !is_too_long)) {
            fail_msg("'%s'", rows[i].name);
        }
    }
}

/* The times come from `date -u -d @N`. */
static const struct {
    int64_t seconds;
    const char *text;
} times[] = {
    {0, "1970-01-01T00:00:00Z"},
    {1, "1970-01-01T00:00:01Z"},
    {59, "1970-01-01T00:00:59Z"},
    {3599, "1970-01-01T00:59:59Z"},
    {86399, "1970-01-01T23:59:59Z"},
    {86400, "1970-01-02T00:00:00Z"},
    {31535999, "1970-12-31T23:59:59Z"},
    {31536000, "1971-01-01T00:00:00Z"},
    {68169599, "1972-02-28T23:59:59Z"},
    {68169600, "1972-02-29T00:00:00Z"},
    {68256000, "1972-03-01T00:00:00Z"},
    {94694399, "1972-12-31T23:59:59Z"},
    {951782400, "2000-02-29T00:00:00Z"},
    {978307199, "2000-12-31T23:59:59Z"},
    {1709164800, "2024-02-29T00:00:00Z"},
    {1735689599, "2024-12-31T23:59:59Z"},
    {1735689600, "2025-01-01T00:00:00Z"},
    {INT64_C(2147483648), "2038-01-19T03:14:08Z"},
    {INT64_C(4107542400), "2100-03-01T00:00:00Z"},
    {INT64_C(4107542399), "2100-02-28T23:59:59Z"},
    {INT64_C(253402300799), "9999-12-31T23:59:59Z"},
};

static void test_text__formats_times_and_reads_them_back(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        char text[TEXT_TIME_SIZE];
        int64_t seconds = -1;
        text_format_time(text, times[i].seconds);
        assert_string_equal(text, times[i].text);
        assert_true(text_parse_time(text, &seconds));
        assert_true(seconds == times[i].seconds);
    }
}

static void test_text__clamps_times_that_have_no_four_digit_year(void **state) {
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {-1, "1970-01-01T00:00:00Z"},
        {INT64_MIN, "1970-01-01T00:00:00Z"},
        {INT64_C(253402300800), "9999-12-31T23:59:59Z"},
        {INT64_MAX, "9999-12-31T23:59:59Z"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[TEXT_TIME_SIZE];
        text_format_time(text, rows[i].seconds);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_text__formats_micro_times_with_six_digits(void **state) {
    (void)state;
    static const struct {
        int64_t wall_us;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {999999, "1970-01-01T00:00:00.999999Z"},
        {1000000, "1970-01-01T00:00:01.000000Z"},
        {INT64_C(1795341600123456), "2026-11-22T10:00:00.123456Z"},
        {INT64_C(1795341600000070), "2026-11-22T10:00:00.000070Z"},
        {INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
        {INT64_C(253402300800000000), "9999-12-31T23:59:59.999999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999999Z"},
        {-1, "1970-01-01T00:00:00.000000Z"},
        {INT64_MIN, "1970-01-01T00:00:00.000000Z"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[TEXT_MICRO_TIME_SIZE];
        text_format_micro_time(text, rows[i].wall_us);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(strlen(text), TEXT_MICRO_TIME_SIZE - 1);
    }
}

/* Counts every day of 400 years as people do. After that the calendar repeats. */
static void test_text__knows_every_day_of_the_calendar(void **state) {
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t n_days = 0;
    for (int year = 1970; year < 2370; year++) {
        bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && is_leap ? 1 : 0);
            for (int day = 1; day <= length; day++, n_days++) {
                char expected[64];
                char text[TEXT_TIME_SIZE];
                int64_t seconds;
                snprintf(expected, sizeof(expected), "%04d-%02d-%02dT23:59:59Z", year, month, day);
                text_format_time(text, n_days * 86400 + 86399);
                assert_string_equal(text, expected);
                expected[10] = '\0';
                assert_true(text_parse_day(expected, &seconds));
                assert_true(seconds == n_days * 86400);
            }
            char past_end[64];
            int64_t seconds;
            snprintf(past_end, sizeof(past_end), "%04d-%02d-%02d", year, month, length + 1);
            assert_false(text_parse_day(past_end, &seconds));
        }
    }
    assert_int_equal(n_days, 146097);
}

static void test_text__reads_times(void **state) {
    (void)state;
    enum { NO = -1 };
    static const struct {
        const char *text;
        int64_t seconds; /* NO: refused */
    } rows[] = {
        {"2026-11-22T10:00:00Z", 1795341600},
        {"2026-11-22T10:00:00.5Z", 1795341600},
        {"2026-11-22T10:00:00.999999999Z", 1795341600},
        {"2026-11-22T10:00:00+00:00", 1795341600},
        {"2026-11-22T10:00:00-00:00", 1795341600},
        {"2026-11-22T12:00:00+02:00", 1795341600},
        {"2026-11-22T04:30:00-05:30", 1795341600},
        {"2026-11-22T10:00:00.25+23:59", 1795341600 - 86340},
        {"1970-01-01T02:00:00+02:00", 0},
        {"2026-11-22T10:00:00", NO},
        {"2026-11-22T10:00:00.Z", NO},
        {"2026-11-22T10:00:00.5", NO},
        {"2026-11-22T10:00:00,5Z", NO},
        {"2026-11-22T10:00Z", NO},
        {"2026-11-22 10:00:00Z", NO},
        {"2026-11-22t10:00:00z", NO},
        {"2026-11-22T10:00:00Zx", NO},
        {"2026-11-22T10:00:00Z ", NO},
        {" 2026-11-22T10:00:00Z", NO},
        {"2026-11-22T24:00:00Z", NO},
        {"2026-11-22T10:60:00Z", NO},
        {"2026-11-22T10:00:60Z", NO},
        {"2026-11-22T10:00:00+24:00", NO},
        {"2026-11-22T10:00:00+02:60", NO},
        {"2026-11-22T10:00:00+0200", NO},
        {"2026-11-22T10:00:00+02", NO},
        {"2026-00-22T10:00:00Z", NO},
        {"2026-13-22T10:00:00Z", NO},
        {"2026-11-00T10:00:00Z", NO},
        {"2026-11-31T10:00:00Z", NO},
        {"2025-02-29T10:00:00Z", NO},
        {"2100-02-29T10:00:00Z", NO},
        {"26-11-22T10:00:00Z", NO},
        {"12026-11-22T10:00:00Z", NO},
        {"-026-11-22T10:00:00Z", NO},
        {"2026-11-22", NO},
        {"", NO},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t seconds = NO;
        if (text_parse_time(rows[i].text, &seconds) != (rows[i].seconds != NO) ||
            seconds != rows[i].seconds) {
            fail_msg("'%s': %" PRId64, rows[i].text, seconds);
        }
    }
}

static void test_text__reads_times_before_1970(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"1969-12-31T23:59:59Z", -1},
        {"1969-12-31T23:00:00-01:00", 0},
        {"1900-03-01T00:00:00Z", INT64_C(-2203891200)},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800)},
        {"0000-03-01T00:00:00Z", INT64_C(-62162035200)},
        {"0000-02-29T00:00:00Z", INT64_C(-62162121600)},
        {"0000-01-01T00:00:00Z", INT64_C(-62167219200)},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t seconds = 12;
        if (!text_parse_time(rows[i].text, &seconds) || seconds != rows[i].seconds) {
            fail_msg("'%s': %" PRId64, rows[i].text, seconds);
        }
    }
}

static void test_text__reads_days(void **state) {
    (void)state;
    enum { NO = -1 };
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"1970-01-01", 0},          {"2027-01-31", 1801353600},
        {"2028-02-29", 1835395200}, {"9999-12-31", INT64_C(253402214400)},
        {"2027-02-29", NO},         {"2027-1-31", NO},
        {"2027-01-3", NO},          {"2027-01-32", NO},
        {"2027-01-31 ", NO},        {"2027-01-31T00:00:00Z", NO},
        {"2027/01/31", NO},         {"20270131", NO},
        {"tomorrow", NO},           {"", NO},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t seconds = NO;
        if (text_parse_day(rows[i].text, &seconds) != (rows[i].seconds != NO) ||
            seconds != rows[i].seconds) {
            fail_msg("'%s': %" PRId64, rows[i].text, seconds);
        }
    }
}

static void test_text__reads_durations_of_at_most_24_hours(void **state) {
    (void)state;
    enum { NO = -1 };
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0", 0},
        {"0s", 0},
        {"0ms", 0},
        {"1ms", 1},
        {"500ms", 500},
        {"10s", 10000},
        {"010s", 10000},
        {"90s", 90000},
        {"1m", 60000},
        {"1m30s", 90000},
        {"1m1ms", 60001},
        {"2h", 7200000},
        {"1h2m3s4ms", 3723004},
        {"24h", 86400000},
        {"23h59m59s1000ms", 86400000},
        {"24h0m", 86400000},
        {"86400s", 86400000},
        {"86400000ms", 86400000},
        {"24h1ms", NO},
        {"25h", NO},
        {"23h59m59s1001ms", NO},
        {"86401s", NO},
        {"86400001ms", NO},
        {"99999999999999999999s", NO},
        {"9223372036854775807h", NO},
        {"", NO},
        {"1", NO},
        {"00", NO},
        {"s", NO},
        {"ms", NO},
        {"-1s", NO},
        {"+1s", NO},
        {"1.5s", NO},
        {"1 s", NO},
        {" 1s", NO},
        {"1s ", NO},
        {"1S", NO},
        {"1d", NO},
        {"1us", NO},
        {"1m30", NO},
        {"1s1m", NO},
        {"1s1s", NO},
        {"1ms1s", NO},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ms = NO;
        if (text_parse_duration_ms(rows[i].text, &ms) != (rows[i].ms != NO) || ms != rows[i].ms) {
            fail_msg("'%s': %" PRId64, rows[i].text, ms);
        }
    }
}

static void test_text__reads_integers_within_bounds(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t low;
        int64_t high;
        bool is_good;
        int64_t value;
    } rows[] = {
        {"0", 0, 0, true, 0},
        {"1", 0, 0, false, 0},
        {"9", 0, 5, false, 0},
        {"5", 0, 5, true, 5},
        {"6", 0, 5, false, 0},
        {"1", 1, 1024, true, 1},
        {"0", 1, 1024, false, 0},
        {"1024", 1, 1024, true, 1024},
        {"1025", 1, 1024, false, 0},
        {"10240", 1, 1024, false, 0},
        {"2147483647", 0, INT32_MAX, true, INT32_MAX},
        {"2147483648", 0, INT32_MAX, false, 0},
        {"9223372036854775807", 0, INT64_MAX, true, INT64_MAX},
        {"9223372036854775808", 0, INT64_MAX, false, 0},
        {"18446744073709551617", 0, INT64_MAX, false, 0},
        {"99999999999999999999999", 0, INT64_MAX, false, 0},
        {"007", 0, 10, true, 7},
        {"", 0, 10, false, 0},
        {"-1", -5, 10, false, 0},
        {"0", -5, -1, false, 0},
        {"1", -5, -1, false, 0},
        {"+1", 0, 10, false, 0},
        {" 1", 0, 10, false, 0},
        {"1 ", 0, 10, false, 0},
        {"1.0", 0, 10, false, 0},
        {"1e0", 0, 10, false, 0},
        {"0x1", 0, 10, false, 0},
        {"\xd9\xa1", 0, 10, false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t value = 0;
        if (text_parse_integer(rows[i].text, rows[i].low, rows[i].high, &value) !=
                rows[i].is_good ||
            value != rows[i].value) {
            fail_msg("'%s' within %" PRId64 " and %" PRId64 ": %" PRId64, rows[i].text, rows[i].low,
                     rows[i].high, value);
        }
    }
}

static void test_text__percent_encoding_keeps_the_unreserved_bytes(void **state) {
    static const struct {
        const char *text;
        const char *kept;
        const char *encoded;
    } rows[] = {
        {"", "", ""},
        {"azAZ09-._~", "", "azAZ09-._~"},
        {"a+b==&c%", "", "a%2Bb%3D%3D%26c%25"},
        {"a/b c", "", "a%2Fb%20c"},
        {"a/b c", "/", "a/b%20c"},
        {"\x01\x7f\xff\n", "", "%01%7F%FF%0A"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[64];
        /* The least room that it may have. */
        text_escape_percent(out, 3 * strlen(rows[i].text) + 1, rows[i].text, rows[i].kept);
        assert_string_equal(out, rows[i].encoded);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text__copy_cuts_to_the_capacity_and_says_so),
        cmocka_unit_test(test_text__percent_encoding_keeps_the_unreserved_bytes),
        cmocka_unit_test(test_text__names_are_those_of_rfc_1123),
        cmocka_unit_test(test_text__formats_times_and_reads_them_back),
        cmocka_unit_test(test_text__clamps_times_that_have_no_four_digit_year),
        cmocka_unit_test(test_text__formats_micro_times_with_six_digits),
        cmocka_unit_test(test_text__knows_every_day_of_the_calendar),
        cmocka_unit_test(test_text__reads_times),
        cmocka_unit_test(test_text__reads_times_before_1970),
        cmocka_unit_test(test_text__reads_days),
        cmocka_unit_test(test_text__reads_durations_of_at_most_24_hours),
        cmocka_unit_test(test_text__reads_integers_within_bounds),
    };
    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
