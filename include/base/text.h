// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/*
 * Copies, checks, formats and parses short strings: names, times, durations.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"

/* Copies with a NUL, cut to the capacity (at least 1). Returns false if it was cut. */
bool text_copy(char *out, size_t capacity, const char *text);

/* Percent-encodes a text of any bytes (RFC 3986, section 2.1), except its unreserved ones and those
   in `kept`. The room is three times the text's size and a NUL, at least. */
void text_escape_percent(char *out, size_t capacity, const char *text, const char *kept);

/* RFC 1123 names as Kubernetes checks them. A label has 1 to 63 bytes of [a-z0-9-] and begins and
   ends with [a-z0-9]. A subdomain is 1 to 253 bytes of such words of any length, joined by dots. In
   a name that the DNS can hold, each of them has at most 63 bytes. */
bool text_is_dns_label(const char *text);
bool text_is_dns_subdomain(const char *text);
bool text_is_dns_name(const char *text);

/* "2026-11-22T10:00:00Z" and a NUL. */
#define TEXT_TIME_SIZE 21

/* Seconds since 1970 as RFC 3339, UTC, whole seconds. Years 1970 to 9999; others are clamped. */
void text_format_time(char out[TEXT_TIME_SIZE], int64_t seconds);

/* "2026-11-22T10:00:00.123456Z" and a NUL. Kubernetes calls it a MicroTime and wants exactly six
   digits. */
#define TEXT_MICRO_TIME_SIZE 28

/* Microseconds since 1970, within the same years. */
void text_format_micro_time(char out[TEXT_MICRO_TIME_SIZE], int64_t wall_us);

/* Read "2026-11-22T10:00:00Z", also with a fraction or an offset such as +02:00, and the day
   "2027-01-31", as its first second. The day must be in the calendar. */
bool text_parse_time(const char *text, int64_t *ret_seconds) MUST_CHECK;
bool text_parse_day(const char *text, int64_t *ret_seconds) MUST_CHECK;

/* Reads a duration as Go writes it, in whole units: "10s", "500ms", "1m30s", "2h". No sign, no
   fraction, at most 24 h. The only bare number is "0". */
bool text_parse_duration_ms(const char *text, int64_t *ret_ms) MUST_CHECK;

/* Reads plain decimal digits within [low, high]. */
bool text_parse_integer(const char *text, int64_t low, int64_t high, int64_t *ret_value) MUST_CHECK;

#endif
