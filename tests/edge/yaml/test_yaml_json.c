// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "yaml_fixtures.h"

struct row {
    const char *text;
    const char *expected; /* the documents, one per line, and the error */
};

static void assert_rows(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        assert_reads(rows[i].text, rows[i].expected);
    }
}

static void test_yaml__reads_json_as_json(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{}", "{}"},
        {"[]", "[]"},
        {" {\n \"b\" : [ 1 , -2.50e+3 , \"x y\" ] ,\t\"a\" : { } , \"c\":[ ] }\r\n",
         "{\"b\":[1,-2.50e+3,\"x y\"],\"a\":{},\"c\":[]}"},
        {"[true, false, null, \"yes\", 1e400, 123456789012345678901234567890]",
         "[true,false,null,\"yes\",1e400,123456789012345678901234567890]"},
        {"{\"a\": \"\\ud83d\\ude42\\u0000\\/\"}", "{\"a\":\"\\ud83d\\ude42\\u0000\\/\"}"},
        {"{\"<<\": {\"a\": 1}}", "{\"<<\":{\"a\":1}}"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__reads_one_json_value_after_another(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{\"a\":1}{\"b\":2}", "{\"a\":1}\n{\"b\":2}"},
        {"{\"a\":1}\n\n[2]\n \"x\" null 3 4\n", "{\"a\":1}\n[2]\n\"x\"\nnull\n3\n4"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__refuses_duplicate_keys_in_json(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{\"a\": 1,\n \"b\": 2,\n \"a\": 3}",
         "line 3, column 2: duplicate key 'a' (first at line 1)"},
        {"[{\"a\": 1}, {\"a\": {\"b\": 1, \"c\": [{\"b\": 2}], \"b\": 3}}]",
         "line 1, column 44: duplicate key 'b' (first at line 1)"},
        {"{\"a\": {\"a\": {\"a\": 1}}, \"b\": {\"a\": 1}}",
         "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"},
        {"{\"a\": 1}\n{\"a\": 1}\n{\"a\": 1, \"a\": 2}",
         "{\"a\":1}\n{\"a\":1}\nline 3, column 10: duplicate key 'a' (first at line 3)"},
        {"{\"a\": 1, \"\\u0061\": 2}", "line 1, column 10: duplicate key 'a' (first at line 1)"},
        {"{\"replic\\u0061s\": 1,\n\"replicas\": 2}",
         "line 2, column 1: duplicate key 'replicas' (first at line 1)"},
        {"{\"\\u0061\": {\"\\u0062\": 1, \"c\": {\"\\u0062\": 1}, \"\\u0064\": 1}, \"d\": 1, "
         "\"\\/\": "
         "1,\n\"/\": 1}",
         "line 2, column 1: duplicate key '/' (first at line 1)"},
        {"{\"\": 1, \"a\": 2, \"\": 3}", "line 1, column 17: duplicate key '' (first at line 1)"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__reads_flow_collections_that_are_no_json_as_yaml(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{a: 1, \"b\": yes}", "{\"a\":1,\"b\":true}"},
        {"{\"a\": 1, b: [on, 'x'],}", "{\"a\":1,\"b\":[true,\"x\"]}"},
        {"{\"a\": 1} # comment\n", "{\"a\":1}"},
        {"{\"a\": 1}\n---\n{\"b\": 2}\n", "{\"a\":1}\n{\"b\":2}"},
        {"[a, b]: c", "line 1, column 1: a map or a list cannot be a key"},
        {"{\"a\": &x 1, \"b\": *x}", "{\"a\":1,\"b\":1}"},
        {"{\"a\": 010}", "{\"a\":8}"},
        {"{\"a\": 1, a: 2}", "line 1, column 10: duplicate key 'a' (first at line 1)"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__reports_the_fault_of_the_intended_reader(void **state) {
    (void)state;
    static const struct row rows[] = {
        /* JSON */
        {"{\n  \"a\": 1\n  \"b\": 2\n}\n", "line 3, column 3: a comma or '}' is expected"},
        {"{ \"\303\251\": 1 \"b\": 2}", "line 1, column 10: a comma or '}' is expected"},
        {"[\"a\", \"b\"", "line 1, column 10: the input ends too early"},
        {"{\"a\": [1, 2}", "line 1, column 12: a comma or ']' is expected"},
        {"{\"a\": 1}\n{\"b\": 2\n", "{\"a\":1}\nline 3, column 1: the input ends too early"},
        {"{\"a\": \"\\ud83d\"", "line 1, column 8: lone surrogate in a string"},
        {"{\"a\": 1} x", "{\"a\":1}\nline 1, column 10: a value is expected"},
        /* YAML */
        {"{\"a\": 1, # comment\n \"b\": [}",
         "line 2, column 8: did not find expected node content"},
        {"{a: 1",
         "line 2, column 1: did not find expected ',' or '}' (while parsing a flow mapping "
         "that begins at line 1)"},
        {"[1]\n[2]\n[3", "[1]\nline 2, column 1: did not find expected <document start>"},
        {"[a, b}", "line 1, column 6: did not find expected ',' or ']'"},
        {"{\"a\": 1}\n---\n{\"b\": 2\n",
         "{\"a\":1}\nline 4, column 1: did not find expected ',' or '}' (while parsing a flow "
         "mapping that begins at line 3)"},
        {"{\"a\": 1, b: 2}\n---\n[1\n",
         "{\"a\":1,\"b\":2}\nline 4, column 1: did not find expected ',' or ']' (while parsing a "
         "flow sequence that begins at line 3)"},
        {"{\"a\": 1} # comment\n}\n",
         "{\"a\":1}\nline 2, column 1: did not find expected <document start>"},
        {"{\"a\": {{ .x }}}", "line 1, column 7: '{{' looks like a template; render it first"},
        {"{{ .x }}", "line 1, column 1: '{{' looks like a template; render it first"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__marks_json_too(void **state) {
    (void)state;
    static const char text[] = "{\n  \"\303\251\": [ 1,\r\n\t{\"b\": \"x\"}]\n}  {\n\"c\":\n2}";
    static const struct {
        size_t document;
        const char *json; /* the JSON before the looked up place */
        uint32_t line, column;
    } rows[] = {
        {0, "", 1, 1},
        {0, "{", 2, 3},
        {0, "{\"\303\251\":", 2, 8},
        {0, "{\"\303\251\":[", 2, 10},
        {0, "{\"\303\251\":[1,", 3, 2},
        {0, "{\"\303\251\":[1,{", 3, 3},
        {0, "{\"\303\251\":[1,{\"b\":", 3, 8},
        {1, "", 4, 4},
        {1, "{", 5, 1},
        {1, "{\"c\":", 6, 1},
    };
    AUTO(yaml_auto_close) struct yaml_stream *stream = yaml_open(text, sizeof(text) - 1);
    for (size_t document = 0; document < 2; document++) {
        AUTO(yaml_document_fini) struct yaml_document read = {0};
        struct error error;
        bool more;
        assert_true(yaml_next(stream, &read, &more, &error));
        assert_sound(&read);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            if (rows[i].document == document) {
                size_t offset = strlen(rows[i].json);
                assert_memory_equal(read.json.bytes, rows[i].json, offset);
                const struct yaml_mark *mark = yaml_find(&read, offset);
                assert_int_equal(mark->offset, offset);
                assert_int_equal(mark->line, rows[i].line);
                assert_int_equal(mark->column, rows[i].column);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml__reads_json_as_json),
        cmocka_unit_test(test_yaml__reads_one_json_value_after_another),
        cmocka_unit_test(test_yaml__refuses_duplicate_keys_in_json),
        cmocka_unit_test(test_yaml__reads_flow_collections_that_are_no_json_as_yaml),
        cmocka_unit_test(test_yaml__reports_the_fault_of_the_intended_reader),
        cmocka_unit_test(test_yaml__marks_json_too),
    };
    return cmocka_run_group_tests_name("edge/yaml_json", tests, NULL, NULL);
}
