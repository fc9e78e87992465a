// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "report/report.h"
#include "report/report_table.h"
#include "report/rule_text.h"

/* Counts an object with a finding of each of these rules of rule_texts. */
static void count(struct report_table *table, const char *namespace, const size_t *rules,
                  size_t n_rules) {
    struct report_finding findings[REPORT_FINDINGS_MAX];
    const struct report_item item = {
        .namespace = namespace, .findings = findings, .n_findings = n_rules};
    for (size_t i = 0; i < n_rules; i++) {
        findings[i] = (struct report_finding){.rule = rule_texts[rules[i]].id};
    }
    report_table_count(table, &item);
}

static void assert_table(const struct report_table *table, const char *text, const char *json) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    report_table_add(table, &out);
    assert_string_equal(buffer_text(&out), text);
    buffer_clear(&out);
    report_table_write(table, &out);
    assert_string_equal(buffer_text(&out), json);
}

static void test_report_table__counts_by_namespace_and_rule(void **state) {
    AUTO(report_table_fini) struct report_table table = {.n_rows = 0};
    (void)state;
    count(&table, "dev", NULL, 0);
    count(&table, "prod", (const size_t[]){0, RULE_COUNT}, 2);
    count(&table, "prod", (const size_t[]){0}, 1);
    assert_string_equal(rule_texts[0].id, "stdio-cap");
    assert_string_equal(rule_texts[RULE_COUNT].id, "unresolved");
    assert_table(&table,
                 "namespace                objects  stdio-cap  unresolved\n"
                 "dev                            1          0           0\n"
                 "prod                           2          2           1\n\n",
                 "[{\"namespace\":\"dev\",\"objects\":1,\"findings\":{}},{\"namespace\":\"prod\","
                 "\"objects\":2,\"findings\":{\"stdio-cap\":2,\"unresolved\":1}}]");
}

static void test_report_table__has_no_lines_without_findings(void **state) {
    AUTO(report_table_fini) struct report_table table = {.n_rows = 0};
    (void)state;
    assert_table(&table, "", "[]");
    count(&table, "dev", NULL, 0);
    assert_table(&table, "", "[{\"namespace\":\"dev\",\"objects\":1,\"findings\":{}}]");
}

/* A name of 24 bytes and more moves its own line alone. */
static void test_report_table__a_long_name_is_whole_and_a_hostile_one_escaped(void **state) {
    static const struct {
        const char *namespace;
        const char *line;
    } rows[] = {
        {"a23456789b23456789c2345", "a23456789b23456789c2345        1          1\n\n"},
        {"a23456789b23456789c23456", "a23456789b23456789c23456        1          1\n\n"},
        {"a23456789b23456789c234567", "a23456789b23456789c234567        1          1\n\n"},
        {"a\x1b[31m", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(report_table_fini) struct report_table table = {.n_rows = 0};
        AUTO(buffer_fini) struct buffer out;
        buffer_init(&out, SIZE_MAX);
        count(&table, rows[i].namespace, (const size_t[]){0}, 1);
        report_table_add(&table, &out);
        assert_null(strchr(buffer_text(&out), '\x1b'));
        if (rows[i].line != NULL) {
            assert_string_equal(strchr(buffer_text(&out), '\n') + 1, rows[i].line);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_table__counts_by_namespace_and_rule),
        cmocka_unit_test(test_report_table__has_no_lines_without_findings),
        cmocka_unit_test(test_report_table__a_long_name_is_whole_and_a_hostile_one_escaped),
    };
    return cmocka_run_group_tests_name("app/report_table", tests, NULL, NULL);
}
