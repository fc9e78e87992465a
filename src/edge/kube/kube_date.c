// SPDX-License-Identifier: Apache-2.0
#include "kube_date.h"

#include <stdio.h>
#include <string.h>

#include "base/attribute.h"
#include "base/text.h"

enum { FUTURE_YEARS_MAX = 50, LEAP_SECOND = 60, ISO_SIZE = 64 };

struct date {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
};

/* Passes over one of the names. Returns its number from 1, or 0. */
static int pass_name(const char **text, const char *const *names, int n_names) {
    for (int i = 0; i < n_names; i++) {
        size_t size = strlen(names[i]);
        if (strncmp(*text, names[i], size) == 0) {
            *text += size;
            return i + 1;
        }
    }
    return 0;
}

static int pass_month(const char **text) {
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return pass_name(text, names, COUNT_OF(names));
}

static bool pass_weekday(const char **text, bool is_long) {
    static const char *const shorts[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const longs[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
    return pass_name(text, is_long ? longs : shorts, COUNT_OF(shorts)) > 0;
}

/* Reads exactly so many digits. */
static bool pass_digits(const char **text, int n_digits, int *ret_value) {
    *ret_value = 0;
    for (int i = 0; i < n_digits; i++) {
        if (**text < '0' || **text > '9') {
            return false;
        }
        *ret_value = *ret_value * 10 + (*(*text)++ - '0');
    }
    return true;
}

/* Asctime pads the day with a space. */
static bool pass_padded_day(const char **text, int *ret_value) {
    if (**text != ' ') {
        return pass_digits(text, 2, ret_value);
    }
    (*text)++;
    return pass_digits(text, 1, ret_value);
}

static bool pass_time(const char **text, struct date *date) {
    return pass_digits(text, 2, &date->hour) && *(*text)++ == ':' &&
           pass_digits(text, 2, &date->minute) && *(*text)++ == ':' &&
           pass_digits(text, 2, &date->second);
}

/* A place of a format: a letter with % before it, as strftime() has them, or the byte itself. */
static bool pass_place(const char **text, char place, struct date *date) {
    switch (place) {
    case 'a':
    case 'A':
        return pass_weekday(text, place == 'A');
    case 'b':
        return (date->month = pass_month(text)) > 0;
    case 'd':
        return pass_digits(text, 2, &date->day);
    case 'e':
        return pass_padded_day(text, &date->day);
    case 'y':
        return pass_digits(text, 2, &date->year);
    case 'Y':
        return pass_digits(text, 4, &date->year);
    default:
        return pass_time(text, date);
    }
}

static bool is_as(const char *text, const char *format, struct date *date) {
    for (; *format != '\0'; format++) {
        bool is_place = *format == '%';
        format += is_place;
        if (!(is_place ? pass_place(&text, *format, date) : *text == *format)) {
            return false;
        }
        text += !is_place;
    }
    return *text == '\0';
}

/* False if the day is not in the calendar. A leap second counts as the one after it. */
static bool seconds_of(const struct date *date, int64_t *ret_seconds) {
    char text[ISO_SIZE];
    bool is_leap = date->second == LEAP_SECOND;
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", date->year, date->month,
             date->day, date->hour, date->minute, date->second - is_leap);
    bool is_read = text_parse_time(text, ret_seconds);
    *ret_seconds = is_read ? *ret_seconds + is_leap : 0;
    return is_read;
}

static int year_of(int64_t now_s) {
    char text[TEXT_TIME_SIZE];
    const char *at = text;
    int year = 0;
    text_format_time(text, now_s);
    (void)pass_digits(&at, 4, &year);
    return year;
}

/* The year with these last two digits that is the latest within the next 50. */
static int full_year(int two_digits, int64_t now_s) {
    int latest = year_of(now_s) + FUTURE_YEARS_MAX;
    return latest - (latest - two_digits) % 100;
}

bool kube_date_read(const char *text, int64_t now_s, int64_t *ret_seconds) {
    struct date date = {.year = 0};
    if (is_as(text, "%A, %d-%b-%y %T GMT", &date)) {
        date.year = full_year(date.year, now_s);
    } else if (!is_as(text, "%a, %d %b %Y %T GMT", &date) &&
               !is_as(text, "%a %b %e %T %Y", &date)) {
        return false;
    }
    return seconds_of(&date, ret_seconds);
}
