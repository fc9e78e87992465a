// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    LABEL_MAX = 63,
    SUBDOMAIN_MAX = 253,
    SECONDS_A_DAY = 86400,
    MICROSECONDS_A_SECOND = 1000000,
};

/* 9999-12-31T23:59:59Z */
#define TIME_MAX INT64_C(253402300799)

bool text_copy(char *out, size_t capacity, const char *text) {
    size_t size = strlen(text);
    bool fits = size < capacity;
    size = MIN(size, capacity - 1);
    memcpy(out, text, size);
    out[size] = '\0';
    return fits;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_alphanumeric(char byte) {
    return (byte >= 'a' && byte <= 'z') || is_digit(byte);
}

static bool is_unreserved(char byte) {
    return is_alphanumeric(byte) || (byte >= 'A' && byte <= 'Z') || strchr("-._~", byte) != NULL;
}

void text_escape_percent(char *out, size_t capacity, const char *text, const char *kept) {
    static const char digits[] = "0123456789ABCDEF";
    assert(capacity / 3 >= strlen(text) && capacity > 3 * strlen(text));
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (is_unreserved(*text) || strchr(kept, *text) != NULL) {
            *out++ = *text;
        } else {
            *out++ = '%';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 0xF];
        }
    }
    *out = '\0';
}

/* The size of the label at the beginning of `text`, however long it is; 0 if there is none. */
static size_t label_size(const char *text) {
    size_t size = 0;
    while (is_alphanumeric(text[size]) || text[size] == '-') {
        size++;
    }
    bool is_label = size > 0 && is_alphanumeric(text[0]) && is_alphanumeric(text[size - 1]);
    return is_label ? size : 0;
}

bool text_is_dns_label(const char *text) {
    size_t size = label_size(text);
    return size > 0 && size <= LABEL_MAX && text[size] == '\0';
}

/* Labels joined by dots, each of at most `label_max` bytes. */
static bool is_dotted(const char *text, size_t label_max) {
    if (strlen(text) > SUBDOMAIN_MAX) {
        return false;
    }
    for (;;) {
        size_t size = label_size(text);
        if (size == 0 || size > label_max) {
            return false;
        }
        if (text[size] == '\0') {
            return true;
        }
        if (text[size] != '.') {
            return false;
        }
        text += size + 1;
    }
}

bool text_is_dns_subdomain(const char *text) {
    return is_dotted(text, SUBDOMAIN_MAX);
}

bool text_is_dns_name(const char *text) {
    return is_dotted(text, LABEL_MAX);
}

/*
 * Days since 1970-01-01 in the proleptic Gregorian calendar. Years begin in March here, so that the
 * leap day is the last of its year. The divisions need a positive year, hence the 400 more years:
 * the calendar repeats after 146097 days.
 */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day) {
    int64_t shifted_year = (month > 2 ? year : year - 1) + 400;
    int64_t shifted_month = (month + 9) % 12;
    int64_t day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    return 365 * shifted_year + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 +
           day_of_year - 719468 - 146097;
}

static int days_in_month(int64_t year, int64_t month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

void text_format_time(char out[TEXT_TIME_SIZE], int64_t seconds) {
    seconds = MIN(MAX(seconds, 0), TIME_MAX);
    int64_t days = seconds / SECONDS_A_DAY;
    unsigned rest = (unsigned)(seconds % SECONDS_A_DAY);
    int64_t year = 1970 + days / 366;
    while (days_from_date(year + 1, 1, 1) <= days) {
        year++;
    }
    unsigned day = (unsigned)(days - days_from_date(year, 1, 1));
    unsigned month = 1;
    while (day >= (unsigned)days_in_month(year, month)) {
        day -= (unsigned)days_in_month(year, month);
        month++;
    }
    snprintf(out, TEXT_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000,
             month % 100, (day + 1) % 100, rest / 3600 % 100, rest / 60 % 60, rest % 60);
}

void text_format_micro_time(char out[TEXT_MICRO_TIME_SIZE], int64_t wall_us) {
    int64_t last_us = TIME_MAX * MICROSECONDS_A_SECOND + MICROSECONDS_A_SECOND - 1;
    wall_us = MIN(MAX(wall_us, 0), last_us);
    unsigned fraction = (unsigned)(wall_us % MICROSECONDS_A_SECOND);
    text_format_time(out, wall_us / MICROSECONDS_A_SECOND);
    snprintf(out + TEXT_TIME_SIZE - 2, TEXT_MICRO_TIME_SIZE - TEXT_TIME_SIZE + 2, ".%06uZ",
             fraction % MICROSECONDS_A_SECOND);
}

/* Reads exactly `n` digits. */
static bool read_number(const char **text, int n, int64_t *ret_value) {
    int64_t value = 0;
    for (int i = 0; i < n; i++) {
        if (!is_digit((*text)[i])) {
            return false;
        }
        value = value * 10 + ((*text)[i] - '0');
    }
    *text += n;
    *ret_value = value;
    return true;
}

static bool pass_byte(const char **text, char byte) {
    if (**text != byte) {
        return false;
    }
    (*text)++;
    return true;
}

static bool read_day(const char **text, int64_t *ret_seconds) {
    int64_t year;
    int64_t month;
    int64_t day;
    bool is_read = read_number(text, 4, &year) && pass_byte(text, '-') &&
                   read_number(text, 2, &month) && pass_byte(text, '-') &&
                   read_number(text, 2, &day);
    if (!is_read || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *ret_seconds = days_from_date(year, month, day) * SECONDS_A_DAY;
    return true;
}

/* Reads "10:30" as seconds. */
static bool read_minutes(const char **text, int64_t *ret_seconds) {
    int64_t hours;
    int64_t minutes;
    if (!read_number(text, 2, &hours) || !pass_byte(text, ':') || !read_number(text, 2, &minutes) ||
        hours > 23 || minutes > 59) {
        return false;
    }
    *ret_seconds = hours * 3600 + minutes * 60;
    return true;
}

static bool read_zone(const char **text, int64_t *ret_seconds_east) {
    int64_t east;
    if (pass_byte(text, 'Z')) {
        *ret_seconds_east = 0;
        return true;
    }
    int sign = **text == '-' ? -1 : 1;
    if ((!pass_byte(text, '+') && !pass_byte(text, '-')) || !read_minutes(text, &east)) {
        return false;
    }
    *ret_seconds_east = sign * east;
    return true;
}

/* Passes over a fraction of a second, if there is one. False if it has no digits. */
static bool pass_fraction(const char **text) {
    if (!pass_byte(text, '.')) {
        return true;
    }
    size_t size = strspn(*text, "0123456789");
    *text += size;
    return size > 0;
}

bool text_parse_time(const char *text, int64_t *ret_seconds) {
    int64_t start;
    int64_t minutes;
    int64_t seconds;
    int64_t east;
    if (!read_day(&text, &start) || !pass_byte(&text, 'T') || !read_minutes(&text, &minutes) ||
        !pass_byte(&text, ':') || !read_number(&text, 2, &seconds) || seconds > 59 ||
        !pass_fraction(&text) || !read_zone(&text, &east) || *text != '\0') {
        return false;
    }
    *ret_seconds = start + minutes + seconds - east;
    return true;
}

bool text_parse_day(const char *text, int64_t *ret_seconds) {
    int64_t start;
    if (!read_day(&text, &start) || *text != '\0') {
        return false;
    }
    *ret_seconds = start;
    return true;
}

/* Reads digits into a value of at most `high`. */
static bool read_integer(const char **text, int64_t high, int64_t *ret_value) {
    int64_t value = 0;
    if (!is_digit(**text)) {
        return false;
    }
    for (; is_digit(**text); (*text)++) {
        int digit = **text - '0';
        if (value > high / 10 || value * 10 > high - digit) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

/* The milliseconds of the unit that comes next; 0 if there is none. "ms" goes before "m". */
static int64_t read_unit(const char **text) {
    if (strncmp(*text, "ms", 2) == 0) {
        *text += 2;
        return 1;
    }
    static const struct {
        char name;
        int64_t ms;
    } units[] = {{'h', 3600000}, {'m', 60000}, {'s', 1000}};
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (pass_byte(text, units[i].name)) {
            return units[i].ms;
        }
    }
    return 0;
}

bool text_parse_duration_ms(const char *text, int64_t *ret_ms) {
    const int64_t ms_max = INT64_C(24) * 3600 * 1000;
    int64_t total = 0;
    int64_t last_unit = INT64_MAX;
    if (strcmp(text, "0") == 0) {
        *ret_ms = 0;
        return true;
    }
    do {
        int64_t count;
        if (!read_integer(&text, ms_max, &count)) {
            return false;
        }
        int64_t unit = read_unit(&text);
        if (unit == 0 || unit >= last_unit || count > (ms_max - total) / unit) {
            return false;
        }
        total += count * unit;
        last_unit = unit;
    } while (*text != '\0');
    *ret_ms = total;
    return true;
}

bool text_parse_integer(const char *text, int64_t low, int64_t high, int64_t *ret_value) {
    int64_t value;
    if (!read_integer(&text, high, &value) || *text != '\0' || value < low) {
        return false;
    }
    *ret_value = value;
    return true;
}
