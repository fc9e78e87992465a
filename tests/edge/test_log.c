// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "edge/clock.h"
#include "edge/log.h"

enum { LINE_LIMIT = 4096, TIME_SIZE = 24 };

struct fixture {
    int reader;
    struct log log;
    char line[8192];
};

/* Neither end of the pipe blocks: a failing test says more than a hanging one. */
static void fixture_init(struct fixture *fixture, enum log_format format) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    *fixture = (struct fixture){.reader = ends[0]};
    fixture->log = (struct log){.descriptor = ends[1], .format = format, .level = LOG_DEBUG};
}

static void fixture_fini(struct fixture *fixture) {
    close(fixture->reader);
    close(fixture->log.descriptor);
}

/* Returns all that was written, or an empty string. */
static const char *read_line(struct fixture *fixture) {
    ssize_t size = read(fixture->reader, fixture->line, sizeof(fixture->line) - 1);
    fixture->line[size > 0 ? size : 0] = '\0';
    return fixture->line;
}

static void test_log__knows_its_formats_and_levels_by_name(void **state) {
    (void)state;
    enum log_format format = LOG_FORMAT_TEXT;
    assert_true(log_parse_format("json", &format));
    assert_int_equal(format, LOG_FORMAT_JSON);
    assert_true(log_parse_format("text", &format));
    assert_int_equal(format, LOG_FORMAT_TEXT);
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    enum log_level level = LOG_DEBUG;
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        assert_true(log_parse_level(levels[i], &level));
        assert_int_equal(level, LOG_DEBUG + i);
    }
    static const char *const wrong[] = {"", "JSON", "json ", "jso", "Info", "warning", "0"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(log_parse_format(wrong[i], &format));
        assert_false(log_parse_level(wrong[i], &level));
    }
    assert_int_equal(format, LOG_FORMAT_TEXT);
    assert_int_equal(level, LOG_ERROR);
}

static void check_time(const char *time) {
    static const char pattern[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    for (size_t i = 0; i < TIME_SIZE; i++) {
        bool is_digit = time[i] >= '0' && time[i] <= '9';
        assert_true(pattern[i] == 'd' ? is_digit : time[i] == pattern[i]);
    }
    char copy[TIME_SIZE + 1];
    int64_t seconds;
    snprintf(copy, sizeof(copy), "%.*s", TIME_SIZE, time);
    assert_true(text_parse_time(copy, &seconds));
    assert_in_range(seconds, clock_wall_seconds() - 60, clock_wall_seconds());
}

static void test_log__writes_a_line_of_json(void **state) {
    (void)state;
    AUTO(fixture_fini) struct fixture fixture;
    fixture_init(&fixture, LOG_FORMAT_JSON);
    log_event(&fixture.log, LOG_INFO, "review.decided", LOG_TEXT("uid", "a-b"),
              LOG_INTEGER("ms", -4), LOG_TEXT("empty", ""));
    const char *line = read_line(&fixture);
    static const char before[] = "{\"time\":\"";
    assert_memory_equal(line, before, strlen(before));
    check_time(line + strlen(before));
    assert_string_equal(line + strlen(before) + TIME_SIZE,
                        "\",\"level\":\"info\",\"event\":\"review.decided\",\"uid\":\"a-b\","
                        "\"ms\":-4,\"empty\":\"\"}\n");
}

static void test_log__writes_a_line_of_text(void **state) {
    (void)state;
    AUTO(fixture_fini) struct fixture fixture;
    fixture_init(&fixture, LOG_FORMAT_TEXT);
    const struct {
        enum log_level level;
        const char *expected;
    } rows[] = {
        {LOG_DEBUG, " DEBUG review.decided uid=a-b ms=-4\n"},
        {LOG_INFO, " INFO  review.decided uid=a-b ms=-4\n"},
        {LOG_WARN, " WARN  review.decided uid=a-b ms=-4\n"},
        {LOG_ERROR, " ERROR review.decided uid=a-b ms=-4\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        log_event(&fixture.log, rows[i].level, "review.decided", LOG_TEXT("uid", "a-b"),
                  LOG_INTEGER("ms", -4));
        const char *line = read_line(&fixture);
        check_time(line);
        assert_string_equal(line + TIME_SIZE, rows[i].expected);
    }
}

static void test_log__needs_no_fields(void **state) {
    (void)state;
    AUTO(fixture_fini) struct fixture fixture;
    fixture_init(&fixture, LOG_FORMAT_JSON);
    log_fields(&fixture.log, LOG_WARN, "e", NULL, 0);
    assert_non_null(strstr(read_line(&fixture), "Z\",\"level\":\"warn\",\"event\":\"e\"}\n"));
    fixture.log.format = LOG_FORMAT_TEXT;
    log_fields(&fixture.log, LOG_WARN, "e", NULL, 0);
    assert_string_equal(read_line(&fixture) + TIME_SIZE, " WARN  e\n");
}

static void test_log__values_are_quoted_where_needed(void **state) {
    (void)state;
    const struct {
        const char *value;
        const char *text;
        const char *json;
    } rows[] = {
        {"plain", "plain", "\"plain\""},
        {"system:serviceaccount:a/b_c-d.e,f", "system:serviceaccount:a/b_c-d.e,f",
         "\"system:serviceaccount:a/b_c-d.e,f\""},
        {"", "\"\"", "\"\""},
        {"two words", "\"two words\"", "\"two words\""},
        {"a=b", "\"a=b\"", "\"a=b\""},
        {"say \"no\"", "\"say \\\"no\\\"\"", "\"say \\\"no\\\"\""},
        {"\"", "\"\\\"\"", "\"\\\"\""},
        {"back\\slash", "\"back\\\\slash\"", "\"back\\\\slash\""},
        {"\x01", "\"\\u0001\"", "\"\\u0001\""},
        {"two\nlines", "\"two\\nlines\"", "\"two\\nlines\""},
        {"\xc3\xa4", "\"\xc3\xa4\"", "\"\xc3\xa4\""},
        {"\xff", "\"\xef\xbf\xbd\"", "\"\xef\xbf\xbd\""},
        {"del\x7f", "\"del?\"", "\"del?\""},
        {"csi\xc2\x9b", "\"csi?\?\"", "\"csi?\?\""},
        {"nbsp\xc2\xa0", "\"nbsp\xc2\xa0\"", "\"nbsp\xc2\xa0\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char expected[128];
        AUTO(fixture_fini) struct fixture fixture;
        fixture_init(&fixture, LOG_FORMAT_TEXT);
        log_event(&fixture.log, LOG_INFO, "e", LOG_TEXT("v", rows[i].value));
        snprintf(expected, sizeof(expected), " INFO  e v=%s\n", rows[i].text);
        assert_string_equal(read_line(&fixture) + TIME_SIZE, expected);
        fixture.log.format = LOG_FORMAT_JSON;
        log_event(&fixture.log, LOG_INFO, "e", LOG_TEXT("v", rows[i].value));
        snprintf(expected, sizeof(expected), ",\"v\":%s}\n", rows[i].json);
        if (strstr(read_line(&fixture), expected) == NULL) {
            fail_msg("row %zu: %s", i, fixture.line);
        }
    }
}

static void test_log__no_byte_breaks_the_line(void **state) {
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8")); /* mbstowcs() then checks UTF-8 */
    for (int byte = 1; byte < 256; byte++) {
        for (int second = 0; second < 256; second += 17) {
            char value[] = {(char)byte, (char)second, 'x', '\0'};
            enum log_format format = second % 2 == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
            AUTO(fixture_fini) struct fixture fixture;
            fixture_init(&fixture, format);
            log_event(&fixture.log, LOG_INFO, "e", LOG_TEXT("v", value));
            const char *line = read_line(&fixture);
            size_t size = strlen(line);
            assert_true(size > TIME_SIZE && line[size - 1] == '\n');
            for (size_t i = 0; i < size - 1; i++) {
                assert_true((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
            }
            assert_true(mbstowcs(NULL, line, 0) != (size_t)-1);
        }
    }
}

static void test_log__drops_events_below_the_level(void **state) {
    (void)state;
    for (enum log_level level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        for (enum log_level event = LOG_DEBUG; event <= LOG_ERROR; event++) {
            AUTO(fixture_fini) struct fixture fixture;
            fixture_init(&fixture, LOG_FORMAT_JSON);
            fixture.log.level = level;
            log_event(&fixture.log, event, "e", LOG_INTEGER("n", 1));
            assert_int_equal(read_line(&fixture)[0] != '\0', event >= level);
        }
    }
}

static void test_log__integers_keep_all_their_digits(void **state) {
    (void)state;
    AUTO(fixture_fini) struct fixture fixture;
    fixture_init(&fixture, LOG_FORMAT_JSON);
    log_event(&fixture.log, LOG_INFO, "e", LOG_INTEGER("least", INT64_MIN),
              LOG_INTEGER("most", INT64_MAX));
    assert_non_null(strstr(read_line(&fixture),
                           ",\"least\":-9223372036854775808,\"most\":9223372036854775807}\n"));
}

/* Logs one value of `n` times `unit`. Returns how many of them the line has. */
static size_t log_units(struct fixture *fixture, const char *unit, size_t n, const char *shown) {
    size_t size = strlen(unit);
    char *value = test_calloc(n * size + 1, 1);
    for (size_t i = 0; i < n; i++) {
        memcpy(value + i * size, unit, size);
    }
    log_event(&fixture->log, LOG_INFO, "e", LOG_TEXT("v", value));
    test_free(value);
    size_t n_shown = 0;
    for (const char *at = strstr(read_line(fixture), shown); at != NULL;
         at = strstr(at + strlen(shown), shown)) {
        n_shown++;
    }
    return n_shown;
}

static void test_log__a_line_is_cut_at_its_limit_and_stays_whole(void **state) {
    (void)state;
    const struct {
        enum log_format format;
        const char *unit;
        const char *shown;
        const char *around; /* the line without its time and value */
        const char *end;
    } rows[] = {
        {LOG_FORMAT_TEXT, "#", "#", " INFO  e v=\n", "#\n"},
        {LOG_FORMAT_TEXT, "\x02", "\\u0002", " INFO  e v=\"\"\n", "\\u0002\"\n"},
        {LOG_FORMAT_JSON, "#", "#",
         "{\"time\":\"\",\"level\":\"info\",\"event\":\"e\",\"v\":\"\"}\n", "#\"}\n"},
        {LOG_FORMAT_JSON, "\"", "\\\"",
         "{\"time\":\"\",\"level\":\"info\",\"event\":\"e\",\"v\":\"\"}\n", "\\\"\"}\n"},
        {LOG_FORMAT_JSON, "\xf0\x9f\x9a\xa2", "\xf0\x9f\x9a\xa2",
         "{\"time\":\"\",\"level\":\"info\",\"event\":\"e\",\"v\":\"\"}\n",
         "\xf0\x9f\x9a\xa2\"}\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(fixture_fini) struct fixture fixture;
        fixture_init(&fixture, rows[i].format);
        size_t room = LINE_LIMIT - TIME_SIZE - strlen(rows[i].around);
        size_t most = room / strlen(rows[i].shown);
        const size_t amounts[] = {most - 1, most, most + 1, most + 2, 5000, 20000};
        for (size_t j = 0; j < COUNT_OF(amounts); j++) {
            size_t n_shown = log_units(&fixture, rows[i].unit, amounts[j], rows[i].shown);
            if (n_shown != (amounts[j] < most ? amounts[j] : most)) {
                fail_msg("row %zu: %zu of %zu", i, n_shown, amounts[j]);
            }
            size_t size = strlen(fixture.line);
            size_t end_size = strlen(rows[i].end);
            assert_true(size <= LINE_LIMIT);
            assert_string_equal(fixture.line + size - end_size, rows[i].end);
        }
    }
}

static void test_log__a_cut_does_not_go_through_a_character(void **state) {
    (void)state;
    static const char ship[] = "\xf0\x9f\x9a\xa2";
    for (size_t shift = 0; shift < 8; shift++) {
        char value[6000] = "";
        memset(value, 'x', shift);
        while (strlen(value) < 5000) {
            strcat(value, ship);
        }
        AUTO(fixture_fini) struct fixture fixture;
        fixture_init(&fixture, LOG_FORMAT_JSON);
        log_event(&fixture.log, LOG_INFO, "e", LOG_TEXT("v", value));
        const char *line = read_line(&fixture);
        size_t size = strlen(line);
        assert_true(size > LINE_LIMIT - 8);
        assert_memory_equal(line + size - strlen("\"}\n") - strlen(ship), ship, strlen(ship));
        assert_null(strstr(line, "\xef\xbf\xbd"));
    }
}

static void test_log__fields_without_room_are_left_out(void **state) {
    (void)state;
    char value[4001] = "";
    memset(value, 'x', sizeof(value) - 1);
    AUTO(fixture_fini) struct fixture fixture;
    fixture_init(&fixture, LOG_FORMAT_JSON);
    log_event(&fixture.log, LOG_INFO, "e", LOG_TEXT("long", value), LOG_TEXT("second", value),
              LOG_INTEGER("n", 7));
    const char *line = read_line(&fixture);
    size_t size = strlen(line);
    assert_true(size <= LINE_LIMIT && size > LINE_LIMIT - 64);
    assert_string_equal(line + size - 3, "\"}\n");
    assert_non_null(strstr(line, "x\"}\n"));
    assert_null(strstr(line, "second"));
    assert_null(strstr(line, "\"n\""));
}

static void test_log__a_full_pipe_loses_the_line_and_nothing_else(void **state) {
    (void)state;
    AUTO(fixture_fini) struct fixture fixture;
    fixture_init(&fixture, LOG_FORMAT_TEXT);
    char bytes[4096] = "";
    memset(bytes, 'x', sizeof(bytes));
    while (write(fixture.log.descriptor, bytes, sizeof(bytes)) > 0) {
    }
    log_event(&fixture.log, LOG_INFO, "lost", LOG_INTEGER("n", 1));
    ssize_t size;
    while ((size = read(fixture.reader, bytes, sizeof(bytes))) > 0) {
        assert_null(memchr(bytes, 'l', (size_t)size));
    }
    log_event(&fixture.log, LOG_INFO, "kept", LOG_INTEGER("n", 2));
    const char *line = read_line(&fixture);
    assert_memory_equal(line + TIME_SIZE, " INFO  kept n=2\n", strlen(" INFO  kept n=2\n"));
    assert_non_null(strstr(line, " WARN  log.lost lines=1 hint="));
}

/* The descriptor blocks, as stderr does. An alarm ends the test if log_fields() blocks. */
static void test_log__an_unread_pipe_blocks_no_caller(void **state) {
    (void)state;
    AUTO(fixture_fini) struct fixture fixture;
    fixture_init(&fixture, LOG_FORMAT_TEXT);
    char bytes[4096] = "";
    while (write(fixture.log.descriptor, bytes, sizeof(bytes)) > 0) {
    }
    assert_int_equal(fcntl(fixture.log.descriptor, F_SETFL, 0), 0);
    alarm(10);
    for (int i = 0; i < 3; i++) {
        log_event(&fixture.log, LOG_INFO, "lost", LOG_INTEGER("n", i));
    }
    while (read(fixture.reader, bytes, sizeof(bytes)) > 0) {
    }
    log_event(&fixture.log, LOG_INFO, "kept", LOG_INTEGER("n", 4));
    alarm(0);
    const char *line = read_line(&fixture);
    assert_non_null(strstr(line, " INFO  kept n=4\n"));
    assert_non_null(strstr(line, " WARN  log.lost lines=3 hint="));
}

static void test_log__a_failed_write_is_no_error(void **state) {
    (void)state;
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    struct log log = {.descriptor = -1, .format = LOG_FORMAT_JSON, .level = LOG_DEBUG};
    log_event(&log, LOG_ERROR, "e", LOG_INTEGER("n", 1));
    log.descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(log.descriptor >= 0);
    log_event(&log, LOG_ERROR, "e", LOG_INTEGER("n", 1));
    close(log.descriptor);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    log.descriptor = ends[1];
    log_event(&log, LOG_ERROR, "e", LOG_INTEGER("n", 1));
    close(ends[1]);
    signal(SIGPIPE, before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log__knows_its_formats_and_levels_by_name),
        cmocka_unit_test(test_log__writes_a_line_of_json),
        cmocka_unit_test(test_log__writes_a_line_of_text),
        cmocka_unit_test(test_log__needs_no_fields),
        cmocka_unit_test(test_log__values_are_quoted_where_needed),
        cmocka_unit_test(test_log__no_byte_breaks_the_line),
        cmocka_unit_test(test_log__drops_events_below_the_level),
        cmocka_unit_test(test_log__integers_keep_all_their_digits),
        cmocka_unit_test(test_log__a_line_is_cut_at_its_limit_and_stays_whole),
        cmocka_unit_test(test_log__a_cut_does_not_go_through_a_character),
        cmocka_unit_test(test_log__fields_without_room_are_left_out),
        cmocka_unit_test(test_log__a_full_pipe_loses_the_line_and_nothing_else),
        cmocka_unit_test(test_log__an_unread_pipe_blocks_no_caller),
        cmocka_unit_test(test_log__a_failed_write_is_no_error),
    };
    return cmocka_run_group_tests_name("edge/log", tests, NULL, NULL);
}
