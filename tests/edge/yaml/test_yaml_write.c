// SPDX-License-Identifier: Apache-2.0
#include "edge/yaml_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "json_same.h"
#include "yaml_fixtures.h"

/* Writes a copy of the exact size, so that a sanitizer sees any read past its end. */
static bool write_copy(const char *json, size_t size, struct buffer *out, struct error *error) {
    AUTO_FREE char *copy = memory_new(size, 1);
    memcpy(copy, json, size);
    return yaml_write(copy, size, out, error);
}

static void assert_written(const char *json, size_t size, struct buffer *out) {
    struct error error;
    if (!write_copy(json, size, out, &error)) {
        fail_msg("not written: %s: %.*s", error.text, (int)size, json);
    }
}

/* The law: the output is one document and reads as the same JSON. */
static void assert_reads_back(const char *json, size_t size) {
    AUTO(buffer_fini) struct buffer yaml;
    buffer_init(&yaml, SIZE_MAX);
    assert_written(json, size, &yaml);
    AUTO(yaml_auto_close) struct yaml_stream *stream = yaml_open(yaml.bytes, yaml.size);
    AUTO(yaml_document_fini) struct yaml_document document = {0};
    AUTO(yaml_document_fini) struct yaml_document none = {0};
    struct error error;
    bool more = false;
    if (!yaml_next(stream, &document, &more, &error) || !more) {
        fail_msg("not read back: %s: %.*s\n%s", error.text, (int)size, json, buffer_text(&yaml));
    }
    assert_sound(&document);
    if (!json_same(json, size, document.json.bytes, document.json.size)) {
        fail_msg("written: %.*s\nas:\n%s\nread: %.*s", (int)size, json, buffer_text(&yaml),
                 (int)document.json.size, document.json.bytes);
    }
    assert_true(yaml_next(stream, &none, &more, &error) && !more);
    assert_int_equal(yaml.bytes[yaml.size - 1], '\n');
}

struct row {
    const char *json; /* with apostrophes instead of quotation marks */
    const char *yaml;
};

static void assert_rows(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        AUTO(buffer_fini) struct buffer yaml;
        AUTO_FREE char *json = memory_copy(rows[i].json, strlen(rows[i].json));
        for (char *at = json; *at != '\0'; at++) {
            *at = *at == '\'' ? '"' : *at;
        }
        buffer_init(&yaml, SIZE_MAX);
        assert_written(json, strlen(json), &yaml);
        if (strcmp(buffer_text(&yaml), rows[i].yaml) != 0) {
            fail_msg("of %s\nexpected:\n%sbut:\n%s", json, rows[i].yaml, buffer_text(&yaml));
        }
        assert_reads_back(json, strlen(json));
    }
}

static void test_yaml_write__looks_like_output_of_kubectl(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{'z':1,'a':{'y':true,'b':null}}", "z: 1\na:\n  \"y\": true\n  b: null\n"},
        {"{'args':['a','-b','--c=d'],'x':1}", "args:\n- a\n- -b\n- --c=d\nx: 1\n"},
        {"{'a':{'b':['c']}}", "a:\n  b:\n  - c\n"},
        {"{'a':[{'b':1,'c':[2,{'d':3,'e':4}]},{'f':5}]}",
         "a:\n- b: 1\n  c:\n  - 2\n  - d: 3\n    e: 4\n- f: 5\n"},
        {"{'a':{},'b':[],'c':[{},[]]}", "a: {}\nb: []\nc:\n- {}\n- []\n"},
        {"[1,[2,[3,4],5],[[6]]]", "- 1\n- - 2\n  - - 3\n    - 4\n  - 5\n- - - 6\n"},
        {"[{'a':{'b':1}},[{'c':2,'d':[3]}]]", "- a:\n    b: 1\n- - c: 2\n    d:\n    - 3\n"},
        {" [ ] ", "[]\n"},
        {"{ }", "{}\n"},
        {"'x'", "x\n"},
        {"7", "7\n"},
        {"null", "null\n"},
        {"false", "false\n"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml_write__writes_blocks_of_lines(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{'a':'x\\ny\\n','b':1}", "a: |\n  x\n  y\nb: 1\n"},
        {"{'a':'x\\ny'}", "a: |-\n  x\n  y\n"},
        {"{'a':'x\\n\\n','b':1}", "a: |+\n  x\n\nb: 1\n"},
        {"{'a':'x\\n\\ny\\n'}", "a: |\n  x\n\n  y\n"},
        {"{'a':'\\nx\\n'}", "a: |\n\n  x\n"},
        {"{'a':' x\\n  y\\n'}", "a: |2\n   x\n    y\n"},
        {"{'a':'\\n\\n x'}", "a: |2-\n\n\n   x\n"},
        {"{'a':'\\tx\\ny\\n\\n'}", "a: |2+\n  \tx\n  y\n\n"},
        {"{'a':'x\\n  y\\n\\tz\\n'}", "a: |\n  x\n    y\n  \tz\n"},
        {"{'a':['x\\ny',['\\tz\\n']]}", "a:\n- |-\n  x\n  y\n- - |2\n    \tz\n"},
        {"[{'a':{'b':' x\\n'}}]", "- a:\n    b: |2\n       x\n"},
        {"'x\\n# y\\n---\\n...\\n%z\\n'", "|\n  x\n  # y\n  ---\n  ...\n  %z\n"},
        {"' x\\n'", "|2\n   x\n"},
        {"[' x\\n']", "- |2\n   x\n"},
        {"{'a':'\303\251\\n\360\237\231\202'}", "a: |-\n  \303\251\n  \360\237\231\202\n"},
        /* Invisible characters, and those that some take for a line break, are escaped. */
        {"{'a':'x \\ny'}", "a: \"x \\ny\"\n"},
        {"{'a':'x\\ny\\t'}", "a: \"x\\ny\\t\"\n"},
        {"{'a':'x\\ny\\t\\n'}", "a: \"x\\ny\\t\\n\"\n"},
        {"{'a':' \\nx'}", "a: \" \\nx\"\n"},
        {"{'a':'\\n'}", "a: \"\\n\"\n"},
        {"{'a':'\\n\\n'}", "a: \"\\n\\n\"\n"},
        {"{'a':'x\\r\\ny'}", "a: \"x\\r\\ny\"\n"},
        {"{'a':'x\\u0085\\ny'}", "a: \"x\\u0085\\ny\"\n"},
        {"{'a':'x\\u2028\\ny'}", "a: \"x\\u2028\\ny\"\n"},
        {"{'x\\ny\\n':1}", "\"x\\ny\\n\": 1\n"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_yaml_write__escapes_invisible_characters(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"'\\u0000\\u0001\\u001b\\u007f\\u009f'", "\"\\u0000\\u0001\\u001b\\u007f\\u009f\"\n"},
        {"'\\b\\f\\n\\r\\t\\/\\\\\\u0022'", "\"\\b\\f\\n\\r\\t/\\\\\\\"\"\n"},
        {"'\\ufeff\\u2029\\ufffe\\uffff'", "\"\\ufeff\\u2029\\ufffe\\uffff\"\n"},
        {"'\\ud83f\\udffe'", "\"\\U0001fffe\"\n"},
        {"'\\ud83d\\ude42\\u00e9\\u00a0x'", "\360\237\231\202\303\251\302\240x\n"},
        {"'\\ud7ff\\ue000\\ufffd'", "\355\237\277\356\200\200\357\277\275\n"},
        {"'\\uDBFF\\uDFFD'", "\364\217\277\275\n"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

/* Texts, one per line. */
static const char plain[] =
    "a\na b\na:b\na#b\n-a\n--a\n-1a\n?a\n:a\n:8080\na,b\na[0]\na'b\na\"b\na&b\n10.0.0.1\n"
    "1.2.3\nv1\ntoolhive.stacklok.dev/v1beta1\n100m\n1Gi\n25%\nnginx:1.25\na@sha256:01ab\n"
    "http://x/y?z=1&a=b#c\nyess\nnulll\nNuLL\ntRUE\n<\n_1\n1_a\n0x\n0xg\n8080:80\n1:60\n"
    "1:2:99\n2001-01\n2001-01-01a\n20010-01-01\n12345678a\n1e\n1e5x\ne5\n\303\251\na\\b\n"
    "a  b\n$(X)\n==\n<<<\n.\n.a\n+\n+a\n(a)\n/\n;\n^\n~a\n";

static const char quoted[] =
    "\n \n a\na \n\ta\na\tb\na\t\n~\nnull\nNull\nNULL\ntrue\nTrue\nyes\nYes\nno\non\nOn\n"
    "off\nOFF\ny\nY\nn\nN\n<<\n=\n0\n1\n-1\n+1\n010\n0o17\n0x1F\n0b11\n1_000\n1.5\n.5\n5.\n"
    "1e3\n1E3\n1e400\n-1e-400\n1.5e+3\n123456789012345678901234567890\n.inf\n-.INF\n.NaN\n"
    "2001-01-01\n2001-1-1\n2001-01-01T00:00:00Z\n2001-01-01 00:00:00\n12:30\n1:59:59\n"
    "1:2:3.5\n-1:30\n-\n- a\n--- a\n---\n---a\n...\n....\n?\n? a\n:\n: a\na: b\na:\na #b\n"
    "#a\n&a\n*a\n!a\n!!str\n|\n>\n>a\n'a'\n'\n\"a\"\n%a\n@a\n`a\n[a\n]\n{a\n}\n,a\n{{ .x }}\n";

/* As a document, in a map, in a list, and as a key. */
static void assert_reads_back_anywhere(const char *text, size_t size) {
    AUTO(buffer_fini) struct buffer json;
    AUTO(buffer_fini) struct buffer string;
    struct json_write write;
    buffer_init(&json, SIZE_MAX);
    buffer_init(&string, SIZE_MAX);
    json_write_begin(&write, &string);
    json_write_text_sized(&write, text, size);
    const char *x = buffer_text(&string);
    assert_reads_back(x, string.size);
    buffer_add_format(&json,
                      "{\"a\":%s,\"b\":[%s,[%s,%s],{\"c\":%s,\"d\":%s}],\"e\":{\"f\":%s},"
                      "\"g\":{%s:%s},\"h\":{%s:{%s:[%s]}},\"i\":[{%s:{}},{%s:[{%s:%s}]}]}",
                      x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x);
    assert_reads_back(json.bytes, json.size);
}

static void assert_style(const char *text, size_t size, bool is_quoted) {
    AUTO(buffer_fini) struct buffer json;
    AUTO(buffer_fini) struct buffer yaml;
    struct json_write write;
    buffer_init(&json, SIZE_MAX);
    buffer_init(&yaml, SIZE_MAX);
    json_write_begin(&write, &json);
    json_write_text_sized(&write, text, size);
    assert_written(json.bytes, json.size, &yaml);
    const char *written = buffer_text(&yaml);
    bool is_as_it_is = yaml.size == size + 1 && memcmp(written, text, size) == 0;
    if (is_quoted ? written[0] != '"' : !is_as_it_is) {
        fail_msg("\"%.*s\" became %s", (int)size, text, written);
    }
}

static void assert_styles(const char *texts, bool is_quoted) {
    while (*texts != '\0') {
        size_t size = strcspn(texts, "\n");
        assert_style(texts, size, is_quoted);
        assert_reads_back_anywhere(texts, size);
        texts += size + 1;
    }
}

static void test_yaml_write__quotes_only_if_needed(void **state) {
    (void)state;
    assert_styles(plain, false);
    assert_styles(quoted, true);
}

static void test_yaml_write__is_read_back_whatever_the_bytes(void **state) {
    (void)state;
    for (int first = 0; first < 0x80; first++) {
        char text[3] = {(char)first};
        assert_reads_back_anywhere(text, 1);
        AUTO(buffer_fini) struct buffer json;
        struct json_write write;
        buffer_init(&json, SIZE_MAX);
        json_write_begin(&write, &json);
        json_write_open(&write, '{');
        for (int second = 0; second < 0x80; second++) {
            text[1] = (char)second;
            json_write_text_sized(&write, text, 2);
            buffer_add_byte(&json, ':');
            write.is_comma_due = false;
            json_write_text_sized(&write, text, 2);
        }
        json_write_close(&write, '}');
        assert_reads_back(json.bytes, json.size);
        for (int second = 0; second < 0x80; second++) {
            text[1] = (char)second;
            json.size = 0;
            json_write_begin(&write, &json);
            json_write_text_sized(&write, text, 2);
            assert_reads_back(json.bytes, json.size);
        }
    }
}

static void test_yaml_write__is_read_back_whatever_the_character(void **state) {
    (void)state;
    static const char *const texts[] = {
        "\302\205",         /* U+0085 */
        "\302\240",         /* U+00A0 */
        "\342\200\250",     /* U+2028 */
        "\342\200\251",     /* U+2029 */
        "\357\273\277",     /* U+FEFF */
        "\357\277\276",     /* U+FFFE */
        "\360\237\231\202", /* U+1F642 */
        "\364\217\277\277", /* U+10FFFF */
        "\303\251",         /* U+00E9 */
        "a\0b",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        size_t size = i + 1 < COUNT_OF(texts) ? strlen(texts[i]) : 3;
        assert_reads_back_anywhere(texts[i], size);
        static const char *const around[] = {"%s\n", "\n%s",    "a%s",  "%sa",
                                             " %s ", "a\n%s\n", "%s: ", "# %s"};
        for (size_t k = 0; k < COUNT_OF(around); k++) {
            AUTO(buffer_fini) struct buffer made;
            buffer_init(&made, SIZE_MAX);
            const char *hole = strchr(around[k], '%');
            buffer_add(&made, around[k], (size_t)(hole - around[k]));
            buffer_add(&made, texts[i], size);
            buffer_add_text(&made, hole + 2);
            assert_reads_back_anywhere(buffer_text(&made), made.size);
        }
    }
}

static void test_yaml_write__keeps_the_text_of_numbers(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"[0,-0,7,-7]", "- 0\n- -0\n- 7\n- -7\n"},
        {"[18446744073709551615,18446744073709551616,-9223372036854775809]",
         "- 18446744073709551615\n- 18446744073709551616\n- -9223372036854775809\n"},
        {"[123456789012345678901234567890]", "- 123456789012345678901234567890\n"},
        {"[0.5,1.50,-0.0,0.1234567890123456789]",
         "- 0.5\n- 1.50\n- -0.0\n- 0.1234567890123456789\n"},
        {"[1e3,1E+3,1.5e-7,0e0,1e300,1e-400]",
         "- 1e3\n- 1E+3\n- 1.5e-7\n- 0e0\n- 1e300\n- 1e-400\n"},
        {"{'1':2,'1.5':3,'true':4}", "\"1\": 2\n\"1.5\": 3\n\"true\": 4\n"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void assert_refused(const char *json, size_t size, struct error *error) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, SIZE_MAX);
    buffer_add_text(&out, "before\n");
    assert_false(write_copy(json, size, &out, error));
    assert_string_equal(buffer_text(&out), "before\n");
}

static void test_yaml_write__refuses_numbers_that_yaml_cannot_express(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *expected;
        size_t offset;
    } rows[] = {
        {"1e400", "the number 1e400 is too large for YAML", 0},
        {"{\"a\":[1, -1e400 ]}", "the number -1e400 is too large for YAML", 9},
        {"[1e1000000000000000000000000000000000000000000000000000000]",
         "the number 1e10000000000000000000000000000000000000 is too large for YAML", 1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct error error;
        assert_refused(rows[i].json, strlen(rows[i].json), &error);
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_string_equal(error.text, rows[i].expected);
        assert_int_equal(error.offset, rows[i].offset);
    }
}

static void test_yaml_write__refuses_malformed_json(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",           "{",    "[1,",  "{\"a\":}",        "{\"a\":1}x", "{} {}",
        "[1 2]",      "[01]", "x",    "\"\\ud800\"",     "[\"\xff\"]", "{\"a\" 1}",
        "{\"a\":1,}", "nul",  "[\"a", "{\"a\":{\"b\":[}"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_reader reader;
        struct error by_reader;
        struct error error;
        json_begin(&reader, rows[i], strlen(rows[i]));
        json_skip(&reader);
        assert_false(json_finish(&reader, &by_reader));
        assert_refused(rows[i], strlen(rows[i]), &error);
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_string_equal(error.text, by_reader.text);
        assert_int_equal(error.offset, by_reader.offset);
    }
}

static void test_yaml_write__writes_nesting_up_to_its_limit(void **state) {
    (void)state;
    static const struct {
        const char *open;
        const char *close;
    } rows[] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"a\":", "}]"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t more = 0; more <= 1; more++) {
            AUTO(buffer_fini) struct buffer json;
            buffer_init(&json, SIZE_MAX);
            size_t n = YAML_DEPTH_MAX / strlen(rows[i].close);
            buffer_add_text(&json, more > 0 ? "[" : "");
            for (size_t k = 0; k < n; k++) {
                buffer_add_text(&json, rows[i].open);
            }
            buffer_add_text(&json, "\"x\\ny\"");
            for (size_t k = 0; k < n; k++) {
                buffer_add_text(&json, rows[i].close);
            }
            buffer_add_text(&json, more > 0 ? "]" : "");
            if (more == 0) {
                assert_reads_back(json.bytes, json.size);
                continue;
            }
            struct error error;
            assert_refused(json.bytes, json.size, &error);
            assert_int_equal(error.kind, ERROR_TOO_LARGE);
            assert_string_equal(error.text, "nested more than 1000 levels deep");
        }
    }
}

static void test_yaml_write__refuses_more_than_the_buffer_holds(void **state) {
    (void)state;
    static const char json[] = "{\"a\":[1,2]}";
    static const char yaml[] = "a:\n- 1\n- 2\n";
    AUTO(buffer_fini) struct buffer enough;
    AUTO(buffer_fini) struct buffer less;
    struct error error;
    buffer_init(&enough, sizeof(yaml) - 1);
    buffer_init(&less, sizeof(yaml) - 2);
    assert_true(yaml_write(json, sizeof(json) - 1, &enough, &error));
    assert_string_equal(buffer_text(&enough), yaml);
    assert_false(yaml_write(json, sizeof(json) - 1, &less, &error));
    assert_int_equal(error.kind, ERROR_TOO_LARGE);
    assert_int_equal(less.size, 0);
}

static void test_yaml_write__marks_keys_that_are_too_long_for_a_line(void **state) {
    (void)state;
    static const size_t sizes[] = {999, 1000, 1001, 1023, 1024, 1025, 5000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        AUTO_FREE char *key = memory_new(sizes[i] + 1, 1);
        memset(key, 'k', sizes[i]);
        assert_reads_back_anywhere(key, sizes[i]);
        AUTO(buffer_fini) struct buffer json;
        AUTO(buffer_fini) struct buffer yaml;
        buffer_init(&json, SIZE_MAX);
        buffer_init(&yaml, SIZE_MAX);
        buffer_add_format(&json, "{\"%s\":1}", key);
        assert_written(json.bytes, json.size, &yaml);
        assert_int_equal(yaml.bytes[0], sizes[i] <= 1000 ? 'k' : '?');
        /* Escapes make the line longer. */
        memset(key, '\177', sizes[i]);
        assert_reads_back_anywhere(key, sizes[i]);
    }
}

static uint32_t draw(uint32_t *seed, uint32_t n) {
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

/* Draws text with YAML syntax. */
static void draw_text(uint32_t *seed, struct buffer *out) {
    static const char bytes[] = "ab \n\t:#-?012.ex_+[]{},&*!|>'\"\\%@`~=\r\001\177";
    static const char *const words[] = {
        "  ",         "\n\n",  ": ",       " #",           "- ",           "---",
        "...",        "? ",    "true",     "no",           "null",         "<<",
        "2001-01-01", "12:30", "\302\205", "\342\200\250", "\357\273\277", "\360\237\231\202",
        "\303\251"};
    out->size = 0;
    for (uint32_t n = draw(seed, 8); n > 0; n--) {
        if (draw(seed, 2) == 0) {
            buffer_add_byte(out, bytes[draw(seed, sizeof(bytes) - 1)]);
        } else {
            buffer_add_text(out, words[draw(seed, COUNT_OF(words))]);
        }
    }
}

static void draw_value(uint32_t *seed, struct json_write *write, struct buffer *text, int depth) {
    static const char *const numbers[] = {
        "0", "-0", "1", "-12", "1.5", "1e3", "1E-7", "-2.50", "99999999999999999999"};
    uint32_t kind = draw(seed, depth > 0 ? 9 : 5);
    switch (kind) {
    case 0:
        json_write_raw(write, numbers[draw(seed, COUNT_OF(numbers))]);
        break;
    case 1:
        json_write_raw(write, draw(seed, 2) == 0 ? "null" : "true");
        break;
    case 2:
    case 3:
    case 4:
        draw_text(seed, text);
        json_write_text_sized(write, text->bytes, text->size);
        break;
    case 5:
    case 6:
        json_write_open(write, '[');
        for (uint32_t n = draw(seed, 4); n > 0; n--) {
            draw_value(seed, write, text, depth - 1);
        }
        json_write_close(write, ']');
        break;
    default:
        json_write_open(write, '{');
        for (uint32_t n = draw(seed, 4); n > 0; n--) {
            /* The number makes the key differ from its neighbours'. */
            draw_text(seed, text);
            buffer_add_format(text, draw(seed, 2) == 0 ? "%u" : "k%uk", (unsigned)n);
            json_write_key(write, buffer_text(text));
            draw_value(seed, write, text, depth - 1);
        }
        json_write_close(write, '}');
        break;
    }
}

/* Compares with cJSON, whose numbers are doubles, as a second opinion. */
static void assert_same_tree(const char *json, size_t size) {
    AUTO(buffer_fini) struct buffer yaml;
    buffer_init(&yaml, SIZE_MAX);
    assert_written(json, size, &yaml);
    AUTO(yaml_auto_close) struct yaml_stream *stream = yaml_open(yaml.bytes, yaml.size);
    AUTO(yaml_document_fini) struct yaml_document document = {0};
    struct error error;
    bool more;
    assert_true(yaml_next(stream, &document, &more, &error));
    cJSON *before = cJSON_ParseWithLength(json, size);
    cJSON *after = cJSON_ParseWithLength(document.json.bytes, document.json.size);
    assert_true(cJSON_Compare(before, after, true));
    cJSON_Delete(before);
    cJSON_Delete(after);
}

static void test_yaml_write__is_read_back_whatever_the_value(void **state) {
    (void)state;
    uint32_t seed = 11;
    AUTO(buffer_fini) struct buffer json;
    AUTO(buffer_fini) struct buffer text;
    buffer_init(&json, SIZE_MAX);
    buffer_init(&text, SIZE_MAX);
    size_t n_bytes = 0;
    for (int run = 0; run < 10000; run++) {
        struct json_write write;
        json.size = 0;
        json_write_begin(&write, &json);
        if (draw(&seed, 4) > 0) {
            json_write_open(&write, '[');
            draw_value(&seed, &write, &text, 5);
            draw_value(&seed, &write, &text, 5);
            draw_value(&seed, &write, &text, 5);
            json_write_close(&write, ']');
        } else {
            draw_value(&seed, &write, &text, 5);
        }
        assert_reads_back(json.bytes, json.size);
        assert_same_tree(json.bytes, json.size);
        n_bytes += json.size;
    }
    assert_true(n_bytes > 500000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_write__looks_like_output_of_kubectl),
        cmocka_unit_test(test_yaml_write__writes_blocks_of_lines),
        cmocka_unit_test(test_yaml_write__escapes_invisible_characters),
        cmocka_unit_test(test_yaml_write__quotes_only_if_needed),
        cmocka_unit_test(test_yaml_write__is_read_back_whatever_the_bytes),
        cmocka_unit_test(test_yaml_write__is_read_back_whatever_the_character),
        cmocka_unit_test(test_yaml_write__keeps_the_text_of_numbers),
        cmocka_unit_test(test_yaml_write__refuses_numbers_that_yaml_cannot_express),
        cmocka_unit_test(test_yaml_write__refuses_malformed_json),
        cmocka_unit_test(test_yaml_write__writes_nesting_up_to_its_limit),
        cmocka_unit_test(test_yaml_write__refuses_more_than_the_buffer_holds),
        cmocka_unit_test(test_yaml_write__marks_keys_that_are_too_long_for_a_line),
        cmocka_unit_test(test_yaml_write__is_read_back_whatever_the_value),
    };
    return cmocka_run_group_tests_name("edge/yaml_write", tests, NULL, NULL);
}
