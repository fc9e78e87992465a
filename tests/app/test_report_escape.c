// SPDX-License-Identifier: Apache-2.0
#include "report_escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BAD "\xEF\xBF\xBD"

struct row {
    const char *text;
    const char *expected;
};

static void assert_rows(void (*escape)(struct buffer *, const char *), const struct row *rows,
                        size_t n) {
    for (size_t i = 0; i < n; i++) {
        AUTO(buffer_fini) struct buffer out;
        buffer_init(&out, SIZE_MAX);
        buffer_add_text(&out, "before ");
        escape(&out, rows[i].text);
        const char *actual = buffer_text(&out) + strlen("before ");
        if (strcmp(actual, rows[i].expected) != 0) {
            fail_msg("row %zu: expected '%s', but '%s'", i, rows[i].expected, actual);
        }
    }
}

static void test_report_escape__leaves_a_line_without_control_characters(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", ""},
        {"plain <&>\"'%,:\\", "plain <&>\"'%,:\\"},
        {"a\tb", "a\tb"},
        {"a\nb\r\x01\x1b[0m\x1f\x7f", "a?b???[0m??"},
        {"\xc2\x80\xc2\x9f\xc2\xa0", "??\xc2\xa0"},
        {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae\xe2\x80\xaf",
         "\xe2\x80\xa7???\xe2\x80\xaf"},
        {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\xe2\x81\xa5??\xe2\x81\xaa"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    };
    assert_rows(report_escape_line, rows, COUNT_OF(rows));
}

static void test_report_escape__replaces_each_byte_that_is_not_utf8(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"\x80", BAD},
        {"\xff\xfe", BAD BAD},
        {"a\xc3", "a" BAD},
        {"\xc3(", BAD "("},
        {"\xe2\x82", BAD BAD},
        {"\xf0\x9f\x98", BAD BAD BAD},
        {"\xc0\xaf", BAD BAD},
        {"\xc1\xbf\xc2\xa1", BAD BAD "\xc2\xa1"},
        {"\xe0\x9f\xbf", BAD BAD BAD},
        {"\xe0\xa0\x80", "\xe0\xa0\x80"},
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},
        {"\xed\xa0\x80", BAD BAD BAD},
        {"\xed\xbf\xbf", BAD BAD BAD},
        {"\xee\x80\x80", "\xee\x80\x80"},
        {"\xf0\x8f\xbf\xbf", BAD BAD BAD BAD},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD},
        {"\xf5\x80\x80\x80", BAD BAD BAD BAD},
        {BAD, BAD},
    };
    assert_rows(report_escape_line, rows, COUNT_OF(rows));
}

static void test_report_escape__follows_githubs_rules(void **state) {
    (void)state;
    static const struct row data[] = {
        {"100%\r\n::error::x, y: z", "100%25%0D%0A::error::x, y: z"},
        {"%0A", "%250A"},
        {"\x1b\xff", "?" BAD},
    };
    static const struct row properties[] = {
        {"100%\r\n::error::x, y", "100%25%0D%0A%3A%3Aerror%3A%3Ax%2C y"},
        {"a.yaml", "a.yaml"},
    };
    assert_rows(report_escape_github_data, data, COUNT_OF(data));
    assert_rows(report_escape_github_property, properties, COUNT_OF(properties));
}

static void test_report_escape__is_legal_xml(void **state) {
    (void)state;
    static const struct row attributes[] = {
        {"<a b=\"c\" d='e'>&amp;", "&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;amp;"},
        {"]]>", "]]&gt;"},
        {"\t\n\r", "&#9;&#10;&#13;"},
        {"\x01\x0b\x7f", "???"},
        {"\xef\xbf\xbe\xef\xbf\xbf", BAD BAD},
    };
    static const struct row texts[] = {
        {"a\nb\r\n<", "a\nb&#13;\n&lt;"},
        {"]]>", "]]&gt;"},
        {"\x1b", "?"},
    };
    assert_rows(report_escape_xml_attribute, attributes, COUNT_OF(attributes));
    assert_rows(report_escape_xml_text, texts, COUNT_OF(texts));
}

static void test_report_escape__makes_uris_of_paths(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"deploy/a-b_c.~1.yaml", "deploy/a-b_c.~1.yaml"},
        {"/srv/a b.yaml", "file:///srv/a%20b.yaml"},
        {"c:d/%20?#[]", "c%3Ad/%2520%3F%23%5B%5D"},
        {"\xc3\xa4\xff\n", "%C3%A4%FF%0A"},
        {"<stdin>", "%3Cstdin%3E"},
        {"", ""},
    };
    assert_rows(report_escape_uri, rows, COUNT_OF(rows));
}

static void test_report_escape__takes_what_says_nothing_off_paths(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"./a.yaml", "a.yaml"},     {".//.///a.yaml", "a.yaml"}, {"a/./b.yaml", "a/./b.yaml"},
        {"../a.yaml", "../a.yaml"}, {".a.yaml", ".a.yaml"},      {"/a.yaml", "/a.yaml"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(report_escape_plain_path(rows[i].text), rows[i].expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_escape__leaves_a_line_without_control_characters),
        cmocka_unit_test(test_report_escape__replaces_each_byte_that_is_not_utf8),
        cmocka_unit_test(test_report_escape__follows_githubs_rules),
        cmocka_unit_test(test_report_escape__is_legal_xml),
        cmocka_unit_test(test_report_escape__makes_uris_of_paths),
        cmocka_unit_test(test_report_escape__takes_what_says_nothing_off_paths),
    };
    return cmocka_run_group_tests_name("app/report_escape", tests, NULL, NULL);
}
