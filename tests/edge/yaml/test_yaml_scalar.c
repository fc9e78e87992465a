// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "yaml_fixtures.h"

struct row {
    const char *yaml;
    const char *json; /* NULL: a string with the same text */
};

/* Unquoted scalars, as sigs.k8s.io/yaml 1.3 reads them. */
static const struct row scalars[] = {
    /* null */
    {"", "null"},
    {"~", "null"},
    {"null", "null"},
    {"Null", "null"},
    {"NULL", "null"},
    {"nULL", NULL},
    {"nil", NULL},
    {"none", NULL},
    /* booleans */
    {"true", "true"},
    {"True", "true"},
    {"TRUE", "true"},
    {"yes", "true"},
    {"Yes", "true"},
    {"YES", "true"},
    {"on", "true"},
    {"On", "true"},
    {"ON", "true"},
    {"y", "true"},
    {"Y", "true"},
    {"false", "false"},
    {"False", "false"},
    {"FALSE", "false"},
    {"no", "false"},
    {"No", "false"},
    {"NO", "false"},
    {"off", "false"},
    {"Off", "false"},
    {"OFF", "false"},
    {"n", "false"},
    {"N", "false"},
    {"tRUE", NULL},
    {"yEs", NULL},
    {"oN", NULL},
    {"t", NULL},
    {"f", NULL},
    {"yess", NULL},
    {"on x", NULL},
    /* integers */
    {"0", "0"},
    {"-0", "0"},
    {"+0", "0"},
    {"7", "7"},
    {"+7", "7"},
    {"-7", "-7"},
    {"1_000", "1000"},
    {"1__0", "10"},
    {"1_", "1"},
    {"+_1", "1"},
    {"-_1", "-1"},
    {"_1", NULL},
    {"685_230", "685230"},
    {"9007199254740993", "9007199254740993"},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"-9223372036854775809", "-9223372036854775809"},
    {"18446744073709551615", "18446744073709551615"},
    {"18446744073709551616", "18446744073709551616"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"010", "8"},
    {"-010", "-8"},
    {"00", "0"},
    {"0_7", "7"},
    {"08", "8"},
    {"-019", "-19"},
    {"0o17", "15"},
    {"0O17", "15"},
    {"-0o17", "-15"},
    {"0o8", NULL},
    {"0o", NULL},
    {"0b101", "5"},
    {"0B101", "5"},
    {"-0b101", "-5"},
    {"0b2", NULL},
    {"0b", NULL},
    {"0b1111111111111111111111111111111111111111111111111111111111111111", "18446744073709551615"},
    {"0x1F", "31"},
    {"0X1f", "31"},
    {"+0x1F", "31"},
    {"-0x1F", "-31"},
    {"0x_1_F", "31"},
    {"0x", NULL},
    {"0xG", NULL},
    {"0xFFFFFFFFFFFFFFFF", "18446744073709551615"},
    {"+0x7FFFFFFFFFFFFFFF", "9223372036854775807"},
    {"+0x8000000000000000", NULL},
    {"-0x8000000000000000", "-9223372036854775808"},
    {"-0x8000000000000001", NULL},
    {"0x10000000000000000", NULL},
    {"0777777777777777777777777", "777777777777777777777777"},
    {"1a", NULL},
    {"1 2", NULL},
    {"1,000", NULL},
    {"+", NULL},
    {"++1", NULL},
    {"+-1", NULL},
    {"1+1", NULL},
    /* floats */
    {"0.0", "0.0"},
    {"-0.0", "-0.0"},
    {"1.5", "1.5"},
    {"+1.5", "1.5"},
    {"-1.5", "-1.5"},
    {"1.0", "1.0"},
    {"1.10", "1.10"},
    {"01.5", "1.5"},
    {"00.5", "0.5"},
    {"5.", "5"},
    {"-5.", "-5"},
    {".5", "0.5"},
    {"-.5", "-0.5"},
    {"+.5", "0.5"},
    {".5_0", "0.50"},
    {".5__0", NULL},
    {".5_", NULL},
    {"._5", NULL},
    {"-._5", "-0.5"},
    {"685_230.15", "685230.15"},
    {"3.14159265358979323846264338", "3.14159265358979323846264338"},
    {"1e3", "1000"},
    {"1E3", "1000"},
    {"1e+3", "1000"},
    {"-1e3", "-1000"},
    {"1e-3", "0.001"},
    {"1.5e3", "1500"},
    {"1.25e1", "12.5"},
    {"120e-2", "1.2"},
    {"0.001e3", "1"},
    {"685.230_15e+03", "685230.15"},
    {"5.e3", "5000"},
    {".5e1", "5"},
    {"01e1", "10"},
    {"1e-6", "0.000001"},
    {"1e-7", "1e-7"},
    {"12e-8", "1.2e-7"},
    {"1e20", "100000000000000000000"},
    {"1e21", "1e+21"},
    {"-12e21", "-1.2e+22"},
    {"1e308", "1e+308"},
    {"1e309", NULL},
    {"1e400", NULL},
    {"-1e400", NULL},
    {".1e400", NULL},
    {"1e-400", "0"},
    {"0e400", "0"},
    {"1e99999999999999999999", NULL},
    {"1e", NULL},
    {"1e+", NULL},
    {"e3", NULL},
    {".", NULL},
    {"..", NULL},
    {".e3", NULL},
    {"1.2.3", NULL},
    {"1e3e3", NULL},
    {"1.5e1.5", NULL},
    {"0x1p4", NULL},
    {"inf", NULL},
    {"Infinity", NULL},
    {"nan", NULL},
    {"NaN", NULL},
    {".infinity", NULL},
    {".iNf", NULL},
    /* text that other readers take for something else */
    {"2026-11-22", NULL},
    {"2026-11-22T10:00:00Z", NULL},
    {"2026-11-22 10:00:00.5", NULL},
    {"1:30", NULL},
    {"190:20:30.15", NULL},
    {"12:30:45", NULL},
    {"=", NULL},
    {"<<", NULL},
    {"10s", NULL},
    {"100m", NULL},
    {"1Gi", NULL},
    {"1.2.3.4", NULL},
    {"v1", NULL},
    {"-x", NULL},
    {"http://example.com:80/a#b", NULL},
    {"sha256:0123", NULL},
    {"a:b", NULL},
};

static void test_yaml__resolves_plain_scalars_as_kubectl_does(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scalars); i++) {
        char yaml[256];
        char expected[256];
        const char *text = scalars[i].yaml;
        const char *json = scalars[i].json;
        snprintf(yaml, sizeof(yaml), "a: %s\n", text);
        snprintf(expected, sizeof(expected), json != NULL ? "{\"a\":%s}" : "{\"a\":\"%s\"}",
                 json != NULL ? json : text);
        assert_reads(yaml, expected);
    }
}

static void test_yaml__reads_quoted_scalars_as_text(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scalars); i++) {
        char yaml[512];
        char expected[512];
        const char *text = scalars[i].yaml;
        snprintf(yaml, sizeof(yaml), "- '%s'\n- \"%s\"\n- !!str %s\n- ! %s\n", text, text, text,
                 text);
        snprintf(expected, sizeof(expected), "[\"%s\",\"%s\",\"%s\",\"%s\"]", text, text, text,
                 text);
        assert_reads(yaml, expected);
    }
}

static void test_yaml__reads_block_scalars_as_text(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"a: |\n  1\n", "{\"a\":\"1\\n\"}"},
        {"a: |-\n  true\n", "{\"a\":\"true\"}"},
        {"a: >-\n  null\n", "{\"a\":\"null\"}"},
        {"a: >\n  one\n  two\n\n  three\n", "{\"a\":\"one two\\nthree\\n\"}"},
        {"a: |+\n  one\n\n\n", "{\"a\":\"one\\n\\n\\n\"}"},
        {"a: |2\n    one\n   two\n", "{\"a\":\"  one\\n two\\n\"}"},
        {"a: |\n  {{ x }}\n", "{\"a\":\"{{ x }}\\n\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_reads(rows[i].yaml, rows[i].json);
    }
}

static void test_yaml__makes_keys_strings(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"1", "1"},
        {"0x10", "16"},
        {"010", "8"},
        {"-0", "0"},
        {"1_000", "1000"},
        {"true", "true"},
        {"Yes", "true"},
        {"n", "false"},
        {"off", "false"},
        {"1.5", "1.5"},
        {"1.10", "1.1"},
        {"1.0", "1"},
        {"-0.0", "-0"},
        {"1e3", "1000"},
        {"123456.0", "123456"},
        {"1000000.0", "1e+06"},
        {"1e-5", "1e-05"},
        {"0.0001", "0.0001"},
        {"0.1", "0.1"},
        {"16777217.5", "1.6777218e+07"},
        {"3.4e39", ".inf"},
        {"-3.4e39", "-.inf"},
        {"1000000000000000000000000000000000000", "1e+36"},
        {".inf", ".inf"},
        {"+.Inf", ".inf"},
        {"-.INF", "-.inf"},
        {".NaN", ".nan"},
        {"2026-11-22", "2026-11-22"},
        {"1:30", "1:30"},
        {"'1'", "1"},
        {"\"null\"", "null"},
        {"''", ""},
        {"'<<'", "<<"},
        {"!!str 1", "1"},
        {"!!str <<", "<<"},
        {"!!int '0x10'", "16"},
        {"k8s.io/name", "k8s.io/name"},
        {"\"a\\\"b\"", "a\\\"b"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char yaml[256];
        char expected[256];
        snprintf(yaml, sizeof(yaml), "%s: x\n", rows[i].yaml);
        snprintf(expected, sizeof(expected), "{\"%s\":\"x\"}", rows[i].json);
        assert_reads(yaml, expected);
    }
}

static void test_yaml__carries_out_the_tags_of_json_types(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"!!int 7", "7"},
        {"!!int \"0x1F\"", "31"},
        {"!!int 18446744073709551615", "18446744073709551615"},
        {"!!float 1.5", "1.5"},
        {"!!float '1.5'", "1.5"},
        {"!!float 1", "1"},
        {"!!bool yes", "true"},
        {"!!bool \"off\"", "false"},
        {"!!null ''", "null"},
        {"!!null ~", "null"},
        {"!!null", "null"},
        {"!!str", "\"\""},
        {"!!str null", "\"null\""},
        {"!!str |-\n  x", "\"x\""},
        {"!<tag:yaml.org,2002:str> 1", "\"1\""},
        {"!!merge <<", "\"<<\""},
        {"!!map {b: 1}", "{\"b\":1}"},
        {"!!seq [1]", "[1]"},
        {"! {b: 1}", "{\"b\":1}"},
        {"! [1]", "[1]"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char yaml[256];
        char expected[256];
        snprintf(yaml, sizeof(yaml), "a: %s\n", rows[i].yaml);
        snprintf(expected, sizeof(expected), "{\"a\":%s}", rows[i].json);
        assert_reads(yaml, expected);
    }
    assert_reads("%TAG !y! tag:yaml.org,2002:\n---\n!y!str 1\n", "\"1\"");
}

static void test_yaml__refuses_what_json_or_a_tag_cannot_hold(void **state) {
    (void)state;
    static const struct row rows[] = {
        {".inf", "JSON has no number for .inf; quote it if it is text"},
        {"-.Inf", "JSON has no number for -.inf; quote it if it is text"},
        {".NAN", "JSON has no number for .nan; quote it if it is text"},
        {"!!float .inf", "JSON has no number for .inf; quote it if it is text"},
        {"!!int 1.0", "'1.0' is no !!int"},
        {"!!int x", "'x' is no !!int"},
        {"!!int ''", "'' is no !!int"},
        {"!!int \"1\\0\"", "'1?' is no !!int"},
        {"!!float x", "'x' is no !!float"},
        {"!!float true", "'true' is no !!float"},
        {"!!bool 1", "'1' is no !!bool"},
        {"!!bool \"yes \"", "'yes ' is no !!bool"},
        {"!!null 0", "'0' is no !!null"},
        {"!!merge x", "'x' is no !!merge"},
        {"!!binary aGk=", "the tag '!!binary' is not supported"},
        {"!!timestamp 2026-11-22", "the tag '!!timestamp' is not supported"},
        {"!!set {b}", "the tag '!!set' is not supported"},
        {"!!map [b]", "the tag '!!map' is not supported"},
        {"!!seq {b: 1}", "the tag '!!seq' is not supported"},
        {"!!seq b", "the tag '!!seq' is not supported"},
        {"!!str [b]", "the tag '!!str' is not supported"},
        {"!Ref b", "the tag '!Ref' is not supported"},
        {"!<x%1by> b", "the tag 'x?y' is not supported"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char yaml[256];
        char expected[256];
        snprintf(yaml, sizeof(yaml), "b: 1\na: %s\n", rows[i].yaml);
        snprintf(expected, sizeof(expected), "line 2, column 4: %s", rows[i].json);
        assert_reads(yaml, expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml__resolves_plain_scalars_as_kubectl_does),
        cmocka_unit_test(test_yaml__reads_quoted_scalars_as_text),
        cmocka_unit_test(test_yaml__reads_block_scalars_as_text),
        cmocka_unit_test(test_yaml__makes_keys_strings),
        cmocka_unit_test(test_yaml__carries_out_the_tags_of_json_types),
        cmocka_unit_test(test_yaml__refuses_what_json_or_a_tag_cannot_hold),
    };
    return cmocka_run_group_tests_name("edge/yaml_scalar", tests, NULL, NULL);
}
