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
    const char *yaml;
    const char *expected; /* the documents, one per line, and the error */
};

static void assert_rows(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        assert_reads(rows[i].yaml, rows[i].expected);
    }
}

static void test_yaml__writes_compact_json_in_the_order_of_the_text(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"z: 1\na: 2\nm: 3\n", "{\"z\":1,\"a\":2,\"m\":3}"},
        {"a:\n  b:\n  - c: 1\n    d: x\n  -\n  - [1, {e: f}, []]\n  g: {}\n",
         "{\"a\":{\"b\":[{\"c\":1,\"d\":\"x\"},null,[1,{\"e\":\"f\"},[]]],\"g\":{}}}"},
        {"- - 1\n  - 2\n- 3\n", "[[1,2],3]"},
        {"? a\n: b\n? c\n", "{\"a\":\"b\",\"c\":null}"},
        {"{a: 1, b: , c}", "{\"a\":1,\"b\":null,\"c\":null}"},
        {"[a: 1, b]", "[{\"a\":1},\"b\"]"},
        {"just text", "\"just text\""},
        {"7", "7"},
        {"\"\\u00e9\\x41\\0\\t\\e\\U0001F642\"", "\"\303\251A\\u0000\\t\\u001b\360\237\231\202\""},
        {"a: 'it''s'\nb: one\n two\n", "{\"a\":\"it's\",\"b\":\"one two\"}"},
        {"a: b # comment\n# comment\nc: d#e\n", "{\"a\":\"b\",\"c\":\"d#e\"}"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__reads_streams_of_documents(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", ""},
        {" \n\r\n  ", ""},
        {"\357\273\277", ""},
        {"# only a comment\n", "null"},
        {"---\n", "null"},
        {"---\n# only a comment\n", "null"},
        {"---\n---\n", "null\nnull"},
        {"# first\n---\na: 1\n", "{\"a\":1}"},
        {"a: 1\n---\nb: 2\n", "{\"a\":1}\n{\"b\":2}"},
        {"---\na: 1\n...\n---\nb: 2\n...\n", "{\"a\":1}\n{\"b\":2}"},
        {"a: 1\n---\n# nothing\n---\nb: 2\n---\n", "{\"a\":1}\nnull\n{\"b\":2}\nnull"},
        {"a: 1\n...\n# behind\n", "{\"a\":1}"},
        {"%YAML 1.1\n---\na: 1\n", "{\"a\":1}"},
        {"--- text\n--- {a: 1}\n", "\"text\"\n{\"a\":1}"},
        {"a: &x 1\n---\nb: *x\n", "{\"a\":1}\nline 3, column 4: there is no anchor 'x'"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__may_be_asked_again_at_its_end(void **state) {
    (void)state;
    static const char *const texts[] = {"a: 1", "{\"a\":1}", "# x", ""};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO(yaml_auto_close) struct yaml_stream *stream = yaml_open(texts[i], strlen(texts[i]));
        struct error error;
        bool more = true;
        if (texts[i][0] != '\0') {
            AUTO(yaml_document_fini) struct yaml_document document = {0};
            assert_true(yaml_next(stream, &document, &more, &error));
            assert_true(more);
        }
        for (int again = 0; again < 3; again++) {
            struct yaml_document document = {.n_marks = 77};
            assert_true(yaml_next(stream, &document, &more, &error));
            assert_false(more);
            assert_int_equal(document.n_marks, 77);
        }
    }
    yaml_close(NULL);
    AUTO(yaml_auto_close) struct yaml_stream *unread = yaml_open(NULL, 0);
    assert_non_null(unread);
}

static void test_yaml__reads_files_from_windows(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"a: 1\r\nb:\r\n- x\r\n---\r\nc: |\r\n  one\r\n  two\r\n",
         "{\"a\":1,\"b\":[\"x\"]}\n{\"c\":\"one\\ntwo\\n\"}"},
        {"\357\273\277a: 1\r\n", "{\"a\":1}"},
        {"\357\273\277{\"a\": 1}\r\n", "{\"a\":1}"},
        {"\357\273\277a: *b", "line 1, column 4: there is no anchor 'b'"},
        {"a: 1\r\nb: *c\r\n", "line 2, column 4: there is no anchor 'c'"},
    };
    assert_rows(rows, COUNT_OF(rows));
    assert_reads_sized("\377\376a\0:\0 \0\351\0", 10, "{\"a\":\"\303\251\"}");
    assert_reads_sized("\376\377\0a\0:\0 \330\75\336\102", 12, "{\"a\":\"\360\237\231\202\"}");
}

static void test_yaml__refuses_malformed_text_with_its_place(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"a: \377", "line 1, column 4: malformed text: invalid leading UTF-8 octet"},
        {"a: \303\251\nbc: \303\251\303(",
         "line 2, column 7: malformed text: invalid trailing UTF-8 octet"},
        {"a: \355\240\200", "line 1, column 4: malformed text: invalid Unicode character"},
        {"a: \300\200", "line 1, column 4: malformed text: invalid length of a UTF-8 sequence"},
        {"a: \342\202", "line 1, column 4: malformed text: incomplete UTF-8 octet sequence"},
        {"a: 1\nb: \001", "line 2, column 4: malformed text: control characters are not allowed"},
    };
    assert_rows(rows, COUNT_OF(rows));
    assert_reads_sized("a: \0", 4,
                       "line 1, column 4: malformed text: control characters are not allowed");
    assert_reads_sized("\377\376\0\330a\0", 6,
                       "line 1, column 1: malformed text: expected low surrogate area");
}

static void test_yaml__writes_aliases_out(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"a: &x 1\nb: *x\n", "{\"a\":1,\"b\":1}"},
        {"a: &x {b: [1]}\nc: [*x, *x]\n", "{\"a\":{\"b\":[1]},\"c\":[{\"b\":[1]},{\"b\":[1]}]}"},
        {"a: &x 1\nb: &y [*x]\nc: &x 2\nd: [*x, *y]\n",
         "{\"a\":1,\"b\":[1],\"c\":2,\"d\":[2,[1]]}"},
        {"a: &x yes\n*x : 1\n", "{\"a\":true,\"true\":1}"},
        {"&k 7: a\nb: *k\n", "{\"7\":\"a\",\"b\":7}"},
        {"a: &x k\n*x : 1\n", "{\"a\":\"k\",\"k\":1}"},
        {"a: &x\nb: *x\n", "{\"a\":null,\"b\":null}"},
        {"&x [&x 1, *x]", "[1,1]"},
        {"a: &x [*x]\n", "line 1, column 8: anchor 'x' contains itself"},
        {"a: &x\n  b: {c: *x}\n", "line 2, column 10: anchor 'x' contains itself"},
        {"a: *nope\n", "line 1, column 4: there is no anchor 'nope'"},
        {"&x .inf: a\nb: *x\n",
         "line 2, column 4: JSON has no number for .inf; quote it if it is text"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__merges_maps(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"<<: {a: 1, b: 2}\nc: 3\n", "{\"a\":1,\"b\":2,\"c\":3}"},
        {"a: 0\n<<: {a: 1, b: 2}\nc: 3\n", "{\"a\":0,\"b\":2,\"c\":3}"},
        {"<<: {a: 1, b: 2}\na: 0\n", "{\"b\":2,\"a\":0}"},
        {"<<: [{a: 1, b: 1}, {b: 2, c: 2}, {c: 3}]\n", "{\"a\":1,\"b\":1,\"c\":2}"},
        {"- &x {a: 1, b: {c: 2}}\n- <<: *x\n  d: 4\n- {<<: [*x, {e: 5}]}\n",
         "[{\"a\":1,\"b\":{\"c\":2}},{\"a\":1,\"b\":{\"c\":2},\"d\":4},"
         "{\"a\":1,\"b\":{\"c\":2},\"e\":5}]"},
        {"- &x {<<: {a: 1}, b: 2}\n- {<<: *x}\n", "[{\"a\":1,\"b\":2},{\"a\":1,\"b\":2}]"},
        {"- &x {a: &y {b: 1}}\n- {<<: {<<: *x, c: *y}}\n",
         "[{\"a\":{\"b\":1}},{\"a\":{\"b\":1},\"c\":{\"b\":1}}]"},
        {"<<: {}\na: 1\n", "{\"a\":1}"},
        {"<<: []\n", "{}"},
        {"!!merge <<: {a: 1}\n", "{\"a\":1}"},
        {"'<<': {a: 1}\n", "{\"<<\":{\"a\":1}}"},
        {"\"<<\": 1\n<<: {a: 1}\n", "{\"<<\":1,\"a\":1}"},
        {"a: &x <<\n*x : 1\n", "{\"a\":\"<<\",\"<<\":1}"},
        {"1: a\n<<: {'1': b, '2': c}\n", "{\"1\":\"a\",\"2\":\"c\"}"},
        {"<<: 1\n", "line 1, column 5: the merge key '<<' takes a map or a list of maps"},
        {"<<:\n", "line 1, column 4: the merge key '<<' takes a map or a list of maps"},
        {"<<: [{a: 1}, b]\n",
         "line 1, column 14: the merge key '<<' takes a map or a list of maps"},
        {"a: &x [{}]\nb: {<<: *x}\n",
         "line 2, column 9: the merge key '<<' takes a map or a list of maps"},
        {"<<: {a: 1}\n<<: {b: 2}\n", "line 2, column 1: duplicate key '<<' (first at line 1)"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__refuses_keys(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"spec:\n  replicas: 1\n  replicas: 2\n",
         "line 3, column 3: duplicate key 'replicas' (first at line 2)"},
        {"a: 1\nb: 2\n\"b\": 3\na: 4\n", "line 3, column 1: duplicate key 'b' (first at line 2)"},
        {"a: 1\nb: 1\na: 2\na: 3\n", "line 3, column 1: duplicate key 'a' (first at line 1)"},
        {"1: a\n'1': b\n", "line 2, column 1: duplicate key '1' (first at line 1)"},
        {"yes: a\nTrue: b\n", "line 2, column 1: duplicate key 'true' (first at line 1)"},
        {"{a: 1, a: 2}", "line 1, column 8: duplicate key 'a' (first at line 1)"},
        {"a: {b: 1}\nc: {b: 1}\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}"},
        {"\"a\\n\\u001b\": 1\n\"a\\n\\e\": 2\n",
         "line 2, column 1: duplicate key 'a\\n\\u001b' (first at line 1)"},
        {"~: 1\n", "line 1, column 1: null cannot be a key; quote it"},
        {"a: 1\n? \n: 2\n", "line 2, column 2: null cannot be a key; quote it"},
        {"? [a]\n: 1\n", "line 1, column 3: a map or a list cannot be a key"},
        {"a: 1\n? {b: c}\n: 1\n", "line 2, column 3: a map or a list cannot be a key"},
        {"a: &x [1]\n*x : 1\n", "line 2, column 1: a map or a list cannot be a key"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__shortens_foreign_text_in_errors(void **state) {
    (void)state;
    char yaml[700] = "";
    char expected[300] = "line 2, column 1: duplicate key '";
    for (int line = 0; line < 2; line++) {
        strcat(yaml, "\"");
        for (int i = 0; i < 100; i++) {
            strcat(yaml, "\342\202\254");
        }
        strcat(yaml, "\": x\n");
    }
    for (int i = 0; i < 22; i++) {
        strcat(expected, "\342\202\254");
    }
    strcat(expected, "...' (first at line 1)");
    assert_reads(yaml, expected);
}

static void test_yaml__gives_the_place_of_a_syntax_error(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"a: b: c\n", "line 1, column 5: mapping values are not allowed in this context"},
        {"a: 1\n b: 2\n", "line 2, column 3: mapping values are not allowed in this context"},
        {"a:\n  - b\n c\n", "line 3, column 2: did not find expected key (while parsing a block "
                            "mapping that begins at line 1)"},
        {"a: [1, 2\nb: 3\n", "line 2, column 2: did not find expected ',' or ']' (while parsing a "
                             "flow sequence that begins at line 1)"},
        {"a: 'x\n", "line 2, column 1: found unexpected end of stream (while scanning a quoted "
                    "scalar that begins at line 1)"},
        {"a: 1\n\tb: 2\n", "line 2, column 1: found a tab character that violates indentation "
                           "(while scanning a plain scalar that begins at line 1)"},
        {"a: @b\n", "line 1, column 4: found character that cannot start any token"},
        {"a: \"\\ud83d\\ude42\"\n",
         "line 1, column 7: found invalid Unicode character escape code"},
        {"ok: 1\n---\n}\n", "{\"ok\":1}\nline 3, column 1: did not find expected node content"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__recognizes_a_template(void **state) {
    (void)state;
#define TEMPLATE ": '{{' looks like a template; render it first"
    static const struct row rows[] = {
        {"a:\n  b:\n    c: 1\n    rep: x\n    xy:  {{ .Values.replicas }}\n",
         "line 5, column 10" TEMPLATE},
        {"replicas: {{ .Values.replicas }}\n", "line 1, column 11" TEMPLATE},
        {"a: 1\n{{- if .Values.x }}\nb: 2\n{{- end }}\n", "line 2, column 1" TEMPLATE},
        {"{{ if .Values.x }}\nb: 2\n", "line 1, column 1" TEMPLATE},
        {"- {{ .x }}\n", "line 1, column 3" TEMPLATE},
        {"a: {{ .x }}:{{ .y }}\n", "line 1, column 4" TEMPLATE},
        {"a: [1, {{ .x }}]\n", "line 1, column 8" TEMPLATE},
        {"a: \"b\" {{ .x }}\n", "line 1, column 8: did not find expected key"},
        {"a: \"b: {{ .x }}\": y\n",
         "line 1, column 17: mapping values are not allowed in this context"},
        {"a: {{ .x\nb: 1\n", "line 1, column 4" TEMPLATE},
        {"a: 'x' # - {{ y\n  b\n", "line 2, column 3: did not find expected key (while parsing a "
                                   "block mapping that begins at line 1)"},
        {"a: \"{{ .x }}\"\nb: x{{ .y }}\n# {{ .z }}\n", "{\"a\":\"{{ .x }}\",\"b\":\"x{{ .y }}\"}"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml__marks_keys_and_values(void **state) {
    (void)state;
    static const char yaml[] = "# comment\n"
                               "sp\303\251c:\n"
                               "  replicas: 3\n"
                               "  list:\n"
                               "  - one\n"
                               "  - {k: \"\303\251\", z: }\n"
                               "  base: &b {m: 1}\n"
                               "  use: *b\n"
                               "  merged: {<<: *b}\n";
    static const struct {
        const char *json; /* the JSON before the looked up place */
        uint32_t line, column;
    } rows[] = {
        {"", 2, 1},
        {"{", 2, 1},
        {"{\"sp\303\251", 2, 1},
        {"{\"sp\303\251c\":", 3, 3},
        {"{\"sp\303\251c\":{", 3, 3},
        {"{\"sp\303\251c\":{\"replicas\":", 3, 13},
        {"{\"sp\303\251c\":{\"replicas\":3,", 4, 3},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":", 5, 3},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[", 5, 5},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[\"one\",", 6, 5},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[\"one\",{", 6, 6},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[\"one\",{\"k\":", 6, 9},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[\"one\",{\"k\":\"\303\251\",", 6, 14},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[\"one\",{\"k\":\"\303\251\",\"z\":", 6, 17},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[\"one\",{\"k\":\"\303\251\",\"z\":null}],"
         "\"base\":{\"m\":1},",
         8, 3},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[\"one\",{\"k\":\"\303\251\",\"z\":null}],"
         "\"base\":{\"m\":1},\"use\":",
         8, 8},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[\"one\",{\"k\":\"\303\251\",\"z\":null}],"
         "\"base\":{\"m\":1},\"use\":{",
         7, 13},
        {"{\"sp\303\251c\":{\"replicas\":3,\"list\":[\"one\",{\"k\":\"\303\251\",\"z\":null}],"
         "\"base\":{\"m\":1},\"use\":{\"m\":1},\"merged\":{\"m\":",
         7, 16},
    };
    AUTO(yaml_auto_close) struct yaml_stream *stream = yaml_open(yaml, sizeof(yaml) - 1);
    AUTO(yaml_document_fini) struct yaml_document document = {0};
    struct error error;
    bool more;
    assert_true(yaml_next(stream, &document, &more, &error));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t offset = strlen(rows[i].json);
        assert_memory_equal(document.json.bytes, rows[i].json, offset);
        const struct yaml_mark *mark = yaml_find(&document, offset);
        assert_int_equal(mark->line, rows[i].line);
        assert_int_equal(mark->column, rows[i].column);
    }
    assert_int_equal(yaml_find(&document, SIZE_MAX)->line, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml__writes_compact_json_in_the_order_of_the_text),
        cmocka_unit_test(test_yaml__reads_streams_of_documents),
        cmocka_unit_test(test_yaml__may_be_asked_again_at_its_end),
        cmocka_unit_test(test_yaml__reads_files_from_windows),
        cmocka_unit_test(test_yaml__refuses_malformed_text_with_its_place),
        cmocka_unit_test(test_yaml__writes_aliases_out),
        cmocka_unit_test(test_yaml__merges_maps),
        cmocka_unit_test(test_yaml__refuses_keys),
        cmocka_unit_test(test_yaml__shortens_foreign_text_in_errors),
        cmocka_unit_test(test_yaml__gives_the_place_of_a_syntax_error),
        cmocka_unit_test(test_yaml__recognizes_a_template),
        cmocka_unit_test(test_yaml__marks_keys_and_values),
    };
    return cmocka_run_group_tests_name("edge/yaml", tests, NULL, NULL);
}
