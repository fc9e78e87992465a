// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "yaml_fixtures.h"

static void add_times(struct buffer *buffer, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++) {
        buffer_add_text(buffer, text);
    }
}

/* Reads one document and gives the size of its JSON, or the error. */
static bool read_one(struct buffer *yaml, size_t *ret_size, struct error *error) {
    AUTO(yaml_auto_close) struct yaml_stream *stream = yaml_open(yaml->bytes, yaml->size);
    AUTO(yaml_document_fini) struct yaml_document document = {0};
    bool more;
    if (!yaml_next(stream, &document, &more, error)) {
        return false;
    }
    assert_true(more);
    assert_sound(&document);
    *ret_size = document.json.size;
    return true;
}

static void assert_read(struct buffer *yaml, size_t expected_size) {
    struct error error;
    size_t size;
    if (!read_one(yaml, &size, &error)) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(size, expected_size);
}

static void assert_refused(struct buffer *yaml, const char *expected) {
    struct error error;
    size_t size;
    assert_false(read_one(yaml, &size, &error));
    assert_string_equal(error.text, expected);
    assert_int_equal(error.kind, ERROR_TOO_LARGE);
    assert_true(error.offset == ERROR_NO_OFFSET);
}

static void test_yaml__reads_nesting_up_to_its_limit(void **state) {
    (void)state;
    static const struct {
        const char *open;
        const char *inner;
        const char *close;
        size_t json_size; /* of one level */
        const char *error;
    } rows[] = {
        {"[", "x", "]", 2, "line 1, column 1001: nested more than 1000 levels deep"},
        {"- ", "x", "", 2, "line 1, column 2001: nested more than 1000 levels deep"},
        {"{a: ", "x", "}", 6, "line 1, column 4001: nested more than 1000 levels deep"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t depth = YAML_DEPTH_MAX; depth <= YAML_DEPTH_MAX + 1; depth++) {
            AUTO(buffer_fini) struct buffer yaml;
            buffer_init(&yaml, SIZE_MAX);
            add_times(&yaml, rows[i].open, depth);
            buffer_add_text(&yaml, rows[i].inner);
            add_times(&yaml, rows[i].close, depth);
            if (depth == YAML_DEPTH_MAX) {
                assert_read(&yaml, depth * rows[i].json_size + 3);
            } else {
                assert_refused(&yaml, rows[i].error);
            }
        }
    }
}

/* Makes "- &x [[...]]", 501 levels with the list around it, then *x within `n` levels, or merged
   there. */
static void make_nested_alias(struct buffer *yaml, size_t n, bool is_merged) {
    buffer_add_text(yaml, "- &x ");
    if (is_merged) {
        buffer_add_text(yaml, "{k: ");
    }
    add_times(yaml, "[", is_merged ? 499 : 500);
    add_times(yaml, "]", is_merged ? 499 : 500);
    buffer_add_text(yaml, is_merged ? "}\n- " : "\n- ");
    add_times(yaml, "[", n);
    buffer_add_text(yaml, is_merged ? "{<<: *x}" : "*x");
    add_times(yaml, "]", n);
}

static void test_yaml__limits_the_nesting_that_aliases_make(void **state) {
    (void)state;
    for (int is_merged = 0; is_merged <= 1; is_merged++) {
        AUTO(buffer_fini) struct buffer yaml;
        buffer_init(&yaml, SIZE_MAX);
        make_nested_alias(&yaml, 499, is_merged);
        assert_read(&yaml, is_merged ? 3 + 2 * (998 + 6) + 998 : 3 + 2 * 1000 + 998);
        buffer_clear(&yaml);
        make_nested_alias(&yaml, 500, is_merged);
        assert_refused(&yaml, is_merged ? "line 2, column 503: aliases make it nest more than 1000 "
                                          "levels deep"
                                        : "line 2, column 502: aliases make it nest more than 1000 "
                                          "levels deep");
    }
}

/* Makes JSON of `size` bytes: a list of one text, and a text that fills the rest. */
static void make_large(struct buffer *yaml, size_t size) {
    const size_t n_text = 1000000;
    const size_t n_aliases = 60;
    buffer_add_text(yaml, "- &x ");
    add_times(yaml, "0123456789", n_text / 10 - 1);
    buffer_add_text(yaml, "012345678z\n");
    add_times(yaml, "- *x\n", n_aliases);
    buffer_add_text(yaml, "- a");
    add_times(yaml, "b", size - (2 + (n_aliases + 1) * (n_text + 2) + n_aliases + 1 + 3));
    buffer_add_byte(yaml, '\n');
}

static void test_yaml__writes_json_up_to_its_limit(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer yaml;
    buffer_init(&yaml, SIZE_MAX);
    make_large(&yaml, YAML_JSON_MAX);
    assert_read(&yaml, YAML_JSON_MAX);
    buffer_clear(&yaml);
    make_large(&yaml, YAML_JSON_MAX + 1);
    assert_refused(&yaml,
                   "line 1, column 1: the document becomes more than 67108864 bytes of JSON");
}

static void test_yaml__limits_one_scalar_too(void **state) {
    (void)state;
    for (size_t size = YAML_JSON_MAX; size <= YAML_JSON_MAX + 1; size++) {
        AUTO(buffer_fini) struct buffer yaml;
        buffer_init(&yaml, SIZE_MAX);
        buffer_add_text(&yaml, "---\n'");
        buffer_reserve(&yaml, size);
        memset(yaml.bytes + yaml.size, 'x', size - 2);
        yaml.size += size - 2;
        buffer_add_byte(&yaml, '\'');
        if (size == YAML_JSON_MAX) {
            assert_read(&yaml, size);
        } else {
            assert_refused(
                &yaml, "line 2, column 1: the document becomes more than 67108864 bytes of JSON");
        }
    }
}

static void test_yaml__survives_a_billion_laughs(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer yaml;
    buffer_init(&yaml, SIZE_MAX);
    buffer_add_text(&yaml, "a0: &a0 lol\n");
    for (int i = 1; i <= 60; i++) {
        buffer_add_format(&yaml, "a%d: &a%d [", i, i);
        for (int n = 0; n < 10; n++) {
            buffer_add_format(&yaml, "*a%d, ", i - 1);
        }
        buffer_add_text(&yaml, "]\n");
    }
    /* Each is ten times as large as the one before. The eighth is too large. */
    assert_refused(&yaml,
                   "line 9, column 5: the document becomes more than 67108864 bytes of JSON");
}

/* Makes a map of 1,000 members that `n` others merge. */
static void make_merges(struct buffer *yaml, int n) {
    buffer_add_text(yaml, "- &x {");
    for (int i = 0; i < 1000; i++) {
        buffer_add_format(yaml, "k%d, ", i);
    }
    buffer_add_text(yaml, "}\n");
    add_times(yaml, "- <<: *x\n", (size_t)n);
}

static void test_yaml__merges_members_up_to_its_limit(void **state) {
    (void)state;
    const size_t json_size = 10 * (2 + 8) + 90 * (3 + 8) + 900 * (4 + 8) + 1;
    AUTO(buffer_fini) struct buffer yaml;
    buffer_init(&yaml, SIZE_MAX);
    make_merges(&yaml, 1000);
    assert_read(&yaml, 1001 * (json_size + 1) + 1);
    buffer_add_text(&yaml, "- <<: {}\n- <<: {a: 1}\n");
    assert_refused(&yaml, "line 1003, column 7: the document merges more than 1000000 members");
}

static void test_yaml__counts_merged_members_by_document(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer yaml;
    buffer_init(&yaml, SIZE_MAX);
    make_merges(&yaml, 600);
    buffer_add_text(&yaml, "---\n");
    make_merges(&yaml, 600);
    AUTO(yaml_auto_close) struct yaml_stream *stream = yaml_open(yaml.bytes, yaml.size);
    for (int i = 0; i < 2; i++) {
        AUTO(yaml_document_fini) struct yaml_document document = {0};
        struct error error;
        bool more;
        assert_true(yaml_next(stream, &document, &more, &error));
        assert_true(more);
    }
}

/* This would take hours if the time grew with the square. */
static void test_yaml__reads_many_keys_and_anchors(void **state) {
    (void)state;
    const int n = 200000;
    AUTO(buffer_fini) struct buffer yaml;
    AUTO(buffer_fini) struct buffer json;
    buffer_init(&yaml, SIZE_MAX);
    buffer_init(&json, SIZE_MAX);
    buffer_add_byte(&json, '{');
    for (int i = 0; i < n; i++) {
        buffer_add_format(&yaml, "k%06d: &a%06d x\n", i, i);
        buffer_add_format(&json, "%s\n\"k%06d\": 7", i > 0 ? "," : "", i);
    }
    buffer_add_byte(&json, '}');
    assert_read(&json, (size_t)n * 12 + 1);
    buffer_add_text(&yaml, "x: *a000000\n");
    assert_read(&yaml, (size_t)n * 14 + 1 + 8);
}

static void test_yaml__leaves_json_to_the_limits_of_json(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer json;
    buffer_init(&json, SIZE_MAX);
    add_times(&json, "{\"a\":", JSON_DEPTH_MAX);
    buffer_add_text(&json, " 1");
    add_times(&json, "}", JSON_DEPTH_MAX);
    assert_read(&json, JSON_DEPTH_MAX * 6 + 1);
    buffer_clear(&json);
    add_times(&json, "{\"a\":\n", JSON_DEPTH_MAX + 1);
    assert_refused(&json, "line 10241, column 1: too many levels of nesting");
}

static void test_yaml__reads_json_larger_than_yaml_may_become(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer json;
    buffer_init(&json, SIZE_MAX);
    buffer_add_text(&json, "[ \"");
    size_t size = YAML_JSON_MAX;
    buffer_reserve(&json, size + 2);
    memset(json.bytes + json.size, 'x', size);
    json.size += size;
    buffer_add_text(&json, "\"]");
    assert_read(&json, size + 4);
}

static void test_yaml__refuses_more_text_than_a_mark_can_address(void **state) {
    (void)state;
    AUTO(yaml_auto_close) struct yaml_stream *stream = yaml_open("a: 1", (size_t)UINT32_MAX + 1);
    struct yaml_document document;
    struct error error;
    bool more;
    assert_false(yaml_next(stream, &document, &more, &error));
    assert_string_equal(error.text, "line 1, column 1: more than 4 GiB of text");
    assert_int_equal(error.kind, ERROR_TOO_LARGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml__reads_nesting_up_to_its_limit),
        cmocka_unit_test(test_yaml__limits_the_nesting_that_aliases_make),
        cmocka_unit_test(test_yaml__writes_json_up_to_its_limit),
        cmocka_unit_test(test_yaml__limits_one_scalar_too),
        cmocka_unit_test(test_yaml__survives_a_billion_laughs),
        cmocka_unit_test(test_yaml__merges_members_up_to_its_limit),
        cmocka_unit_test(test_yaml__counts_merged_members_by_document),
        cmocka_unit_test(test_yaml__reads_many_keys_and_anchors),
        cmocka_unit_test(test_yaml__leaves_json_to_the_limits_of_json),
        cmocka_unit_test(test_yaml__reads_json_larger_than_yaml_may_become),
        cmocka_unit_test(test_yaml__refuses_more_text_than_a_mark_can_address),
    };
    return cmocka_run_group_tests_name("edge/yaml_limits", tests, NULL, NULL);
}
