// SPDX-License-Identifier: Apache-2.0
#include "base/json_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/memory.h"

enum { KEYS_MAX = 4 };

static size_t count(const char *const *keys) {
    size_t n = 0;
    while (n < KEYS_MAX && keys[n] != NULL) {
        n++;
    }
    return n;
}

/* Edits a copy of its exact size, so that a sanitizer sees a read past it. */
static bool edit(const char *json, const char *const *keys, const char *value, struct buffer *out,
                 struct error *error) {
    size_t size = strlen(json);
    AUTO_FREE char *copy = memory_new(size, 1);
    memcpy(copy, json, size);
    return json_edit_add(copy, size, keys, count(keys), value, out, error);
}

struct row {
    const char *json;
    const char *keys[KEYS_MAX];
    const char *expected; /* the document, or the error */
};

static void assert_rows(const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        AUTO(buffer_fini) struct buffer out;
        struct error error;
        buffer_init(&out, 4096);
        bool is_done = edit(rows[i].json, rows[i].keys, "7", &out, &error);
        const char *actual = is_done ? buffer_text(&out) : error.text;
        if (strcmp(actual, rows[i].expected) != 0) {
            fail_msg("of:       %s\nexpected: %s\nbut:      %s", rows[i].json, rows[i].expected,
                     actual);
        }
        assert_true(is_done || out.size == 0);
    }
}

static void test_json_edit__replaces_a_member_in_its_place(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{\"a\":1}", {"a"}, "{\"a\":7}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", {"b"}, "{\"a\":1,\"b\":7,\"c\":3}"},
        {"{\"a\":null}", {"a"}, "{\"a\":7}"},
        {"{\"a\":{\"b\":[1,2]},\"c\":3}", {"a"}, "{\"a\":7,\"c\":3}"},
        {"{\"a\":{\"b\":{\"c\":\"x\"}}}", {"a", "b", "c"}, "{\"a\":{\"b\":{\"c\":7}}}"},
        {"{\"\":{\"\":1}}", {"", ""}, "{\"\":{\"\":7}}"},
        {"{\"x\":{\"a\":1},\"a\":2}", {"a"}, "{\"x\":{\"a\":1},\"a\":7}"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_json_edit__adds_a_member_as_the_last(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{}", {"a"}, "{\"a\":7}"},
        {"{\"b\":1}", {"a"}, "{\"b\":1,\"a\":7}"},
        {"{\"a\":{\"b\":1},\"c\":2}", {"a", "d"}, "{\"a\":{\"b\":1,\"d\":7},\"c\":2}"},
        {"{\"a\":{},\"c\":2}", {"a", "d"}, "{\"a\":{\"d\":7},\"c\":2}"},
        {"{}", {"q\"\n"}, "{\"q\\\"\\n\":7}"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_json_edit__makes_parents_that_are_missing_or_null(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{}", {"a", "b", "c"}, "{\"a\":{\"b\":{\"c\":7}}}"},
        {"{\"x\":1}", {"a", "b"}, "{\"x\":1,\"a\":{\"b\":7}}"},
        {"{\"a\":null,\"x\":1}", {"a", "b"}, "{\"a\":{\"b\":7},\"x\":1}"},
        {"{\"a\":{\"b\":null}}", {"a", "b", "c", "d"}, "{\"a\":{\"b\":{\"c\":{\"d\":7}}}}"},
        {"{\"a\":{\"x\":1}}", {"a", "b", "c"}, "{\"a\":{\"x\":1,\"b\":{\"c\":7}}}"},
        {" null ", {"a", "b"}, " {\"a\":{\"b\":7}} "},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_json_edit__names_a_parent_that_is_no_object(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{\"a\":1}", {"a", "b"}, "'a' is not an object"},
        {"{\"a\":{\"b\":\"x\"}}", {"a", "b", "c", "d"}, "'a.b' is not an object"},
        {"{\"a\":[{\"b\":1}]}", {"a", "b"}, "'a' is not an object"},
        {"{\"a\":false}", {"a", "b"}, "'a' is not an object"},
        {"[]", {"a"}, "the document is not an object"},
        {"\"null\"", {"a"}, "the document is not an object"},
    };
    assert_rows(rows, COUNT_OF(rows));

    struct error error;
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, 4096);
    assert_false(edit("{\"a\": {\"b\": 1}}", rows[1].keys, "7", &out, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_int_equal(error.offset, 12);
}

static void test_json_edit__shortens_a_long_path_in_an_error(void **state) {
    (void)state;
    char key[101];
    char json[256];
    struct error error;
    AUTO(buffer_fini) struct buffer out;
    memset(key, 'k', 100);
    key[100] = '\0';
    snprintf(json, sizeof(json), "{\"%s\":{\"%s\":1}}", key, key);
    buffer_init(&out, 4096);
    assert_false(edit(json, (const char *const[KEYS_MAX]){key, key, "x"}, "7", &out, &error));
    assert_non_null(strstr(error.text, "kkkk' is not an object"));
}

static void test_json_edit__keeps_all_other_bytes(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"\t{ \"a\" :\r\n 1 , \"b\":1e400 }\n", {"a"}, "\t{ \"a\" :\r\n 7 , \"b\":1e400 }\n"},
        {"{ \"b\" : 1 \n}\n", {"a"}, "{ \"b\" : 1,\"a\":7 \n}\n"},
        {"{ }", {"a"}, "{ \"a\":7}"},
        {"{\"x\":-0,\"y\":123456789012345678901234567890,\"z\":\"\\u0041\\/\"}",
         {"a"},
         "{\"x\":-0,\"y\":123456789012345678901234567890,\"z\":\"\\u0041\\/\",\"a\":7}"},
        {"{\"o\":{\"d\":1,\"d\":2},\"a\":1}", {"a"}, "{\"o\":{\"d\":1,\"d\":2},\"a\":7}"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_json_edit__compares_keys_decoded(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{\"\\u0061\":1}", {"a"}, "{\"\\u0061\":7}"},
        {"{\"\\u0061\":{\"\\u0062\":1}}", {"a", "b"}, "{\"\\u0061\":{\"\\u0062\":7}}"},
        {"{\"\\\\u0061\":1}", {"a"}, "{\"\\\\u0061\":1,\"a\":7}"},
        {"{\"A\":1}", {"a"}, "{\"A\":1,\"a\":7}"},
        {"{\"a\\u0000\":1}", {"a"}, "{\"a\\u0000\":1,\"a\":7}"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_json_edit__takes_the_last_of_equal_keys(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{\"a\":1,\"a\":2,\"b\":3}", {"a"}, "{\"a\":1,\"a\":7,\"b\":3}"},
        {"{\"a\":1,\"\\u0061\":2}", {"a"}, "{\"a\":1,\"\\u0061\":7}"},
        {"{\"a\":{\"b\":1},\"a\":{}}", {"a", "b"}, "{\"a\":{\"b\":1},\"a\":{\"b\":7}}"},
        {"{\"a\":{\"b\":1},\"a\":null}", {"a", "b"}, "{\"a\":{\"b\":1},\"a\":{\"b\":7}}"},
        {"{\"a\":{},\"a\":1}", {"a", "b"}, "'a' is not an object"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_json_edit__replaces_the_document_where_the_path_is_empty(void **state) {
    (void)state;
    static const struct row rows[] = {
        {" {\"a\":1} ", {NULL}, " 7 "},
        {"null", {NULL}, "7"},
    };
    assert_rows(rows, COUNT_OF(rows));
}

static void test_json_edit__refuses_a_malformed_document(void **state) {
    (void)state;
    static const char *const rows[] = {
        "", "{", "{\"a\":1}}", "{\"a\":01}", "{\"a\":1,\"b\":\"\xff\"}", "{\"b\":[}", "{a:1}"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static const char *const keys[KEYS_MAX] = {"a"};
        AUTO(buffer_fini) struct buffer out;
        struct error error;
        struct error by_reader;
        struct json_reader reader;
        json_begin(&reader, rows[i], strlen(rows[i]));
        json_skip(&reader);
        assert_false(json_finish(&reader, &by_reader));
        buffer_init(&out, 4096);
        assert_false(edit(rows[i], keys, "7", &out, &error));
        assert_int_equal(out.size, 0);
        assert_string_equal(error.text, by_reader.text);
        assert_int_equal(error.offset, by_reader.offset);
    }
}

static void test_json_edit__adds_behind_what_the_buffer_holds(void **state) {
    (void)state;
    static const char *const keys[KEYS_MAX] = {"a"};
    AUTO(buffer_fini) struct buffer out;
    struct error error;
    buffer_init(&out, 9);
    buffer_add_text(&out, "> ");
    assert_true(edit("{}", keys, "7", &out, &error));
    assert_string_equal(buffer_text(&out), "> {\"a\":7}");
    assert_false(out.is_cut);
    buffer_clear(&out);
    assert_true(edit("{}", keys, "7777", &out, &error));
    assert_true(out.is_cut);
}

static void test_json_edit__sets_in_place_or_leaves_the_document(void **state) {
    (void)state;
    static const char *const keys[] = {"a", "b"};
    AUTO(buffer_fini) struct buffer json;
    struct error error;
    buffer_init(&json, 100);
    buffer_add_text(&json, "{\"a\": {\"b\": 1}}");
    assert_true(json_edit_set(&json, keys, 2, "2", &error));
    assert_string_equal(buffer_text(&json), "{\"a\": {\"b\": 2}}");
    assert_true(json_edit_set(&json, keys, 1, "[]", &error));
    assert_string_equal(buffer_text(&json), "{\"a\": []}");
    assert_false(json_edit_set(&json, keys, 2, "3", &error));
    assert_string_equal(error.text, "'a' is not an object");
    assert_string_equal(buffer_text(&json), "{\"a\": []}");
    assert_int_equal(json.limit, 100);
}

static void test_json_edit__finds_texts_only(void **state) {
    (void)state;
    static const char json[] = "{\"a\":\"x\\ny\",\"b\":1,\"c\":null}";
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct json_text text;
        bool is_found = json_edit_find_text(json, strlen(json), &names[i], 1, &text);
        assert_int_equal(is_found, i == 0);
        assert_true(!is_found || json_text_is(&text, "x\ny"));
    }
}

static void test_json_edit__finds_values(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *keys[KEYS_MAX];
        const char *expected; /* NULL if there is none */
    } rows[] = {
        {"{\"a\": {\"b\" : [1, 2] } }", {"a", "b"}, "[1, 2]"},
        {"{\"a\":null}", {"a"}, "null"},
        {"{\"a\":\"null\"}", {"a"}, "\"null\""},
        {"{\"a\":false}", {"a"}, "false"},
        {"{\"a\":1,\"\\u0061\":null}", {"a"}, "null"},
        {"{\"a\":null,\"a\":0}", {"a"}, "0"},
        {"{\"a\":1}", {"b"}, NULL},
        {"{\"a\":1}", {"a", "b"}, NULL},
        {"{\"a\":null}", {"a", "b"}, NULL},
        {"[1]", {"a"}, NULL},
        {" [1] ", {NULL}, "[1]"},
        {" null", {NULL}, "null"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *json = rows[i].json;
        size_t n = count(rows[i].keys);
        struct json_text raw;
        bool is_found = json_edit_find(json, strlen(json), rows[i].keys, n, &raw);
        assert_int_equal(is_found, rows[i].expected != NULL);
        if (is_found) {
            assert_int_equal(raw.size, strlen(rows[i].expected));
            assert_memory_equal(raw.at, rows[i].expected, raw.size);
        }
    }
}

static uint32_t draw(uint32_t *seed, uint32_t n) {
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

static const char *const key_names[] = {"a", "b", "c d", "\"\\\xc3\xa9"};

/* An object with a few members, each once. */
static cJSON *make_tree(uint32_t *seed, int depth) {
    cJSON *object = cJSON_CreateObject();
    size_t first = draw(seed, COUNT_OF(key_names));
    for (size_t i = 0; i < COUNT_OF(key_names); i++) {
        const char *key = key_names[(first + i) % COUNT_OF(key_names)];
        switch (draw(seed, 6)) {
        case 0:
            break;
        case 1:
            cJSON_AddNullToObject(object, key);
            break;
        case 2:
            cJSON_AddNumberToObject(object, key, draw(seed, 100));
            break;
        case 3:
            cJSON_AddItemToObject(object, key, cJSON_Parse("[{\"a\":1},\"}\"]"));
            break;
        default:
            cJSON_AddItemToObject(object, key,
                                  depth > 0 ? make_tree(seed, depth - 1) : cJSON_CreateObject());
            break;
        }
    }
    return object;
}

static void set_member(cJSON *object, const char *key, cJSON *owned_value) {
    if (cJSON_GetObjectItemCaseSensitive(object, key) != NULL) {
        cJSON_ReplaceItemInObjectCaseSensitive(object, key, owned_value);
    } else {
        cJSON_AddItemToObject(object, key, owned_value);
    }
}

/* Does the same in a tree. Returns false if a parent is not an object. */
static bool set_in_tree(cJSON *object, const char *const *keys, size_t n_keys) {
    for (size_t i = 0; i + 1 < n_keys; i++) {
        cJSON *child = cJSON_GetObjectItemCaseSensitive(object, keys[i]);
        if (child == NULL || cJSON_IsNull(child)) {
            child = cJSON_CreateObject();
            set_member(object, keys[i], child);
        }
        if (!cJSON_IsObject(child)) {
            return false;
        }
        object = child;
    }
    set_member(object, keys[n_keys - 1], cJSON_Parse("{\"new\":[1]}"));
    return true;
}

static void test_json_edit__does_what_setting_it_in_a_tree_does(void **state) {
    (void)state;
    uint32_t seed = 4;
    size_t n_set = 0;
    enum { RUNS = 5000 };
    for (int run = 0; run < RUNS; run++) {
        const char *keys[KEYS_MAX] = {NULL};
        size_t n_keys = 1 + draw(&seed, 3);
        for (size_t i = 0; i < n_keys; i++) {
            keys[i] = key_names[draw(&seed, COUNT_OF(key_names))];
        }
        cJSON *tree = make_tree(&seed, 3);
        char *json = draw(&seed, 2) == 0 ? cJSON_Print(tree) : cJSON_PrintUnformatted(tree);
        AUTO(buffer_fini) struct buffer out;
        struct error error;
        buffer_init(&out, SIZE_MAX);
        bool is_set = set_in_tree(tree, keys, n_keys);
        assert_int_equal(edit(json, keys, "{\"new\":[1]}", &out, &error), is_set);
        if (is_set) {
            cJSON *parsed = cJSON_Parse(buffer_text(&out));
            char *expected = cJSON_Print(tree);
            char *actual = cJSON_Print(parsed);
            assert_true(cJSON_Compare(parsed, tree, true));
            assert_string_equal(actual, expected);
            assert_true(json_edit_find(out.bytes, out.size, keys, n_keys, &(struct json_text){0}));
            cJSON_free(actual);
            cJSON_free(expected);
            cJSON_Delete(parsed);
            n_set++;
        }
        cJSON_free(json);
        cJSON_Delete(tree);
    }
    assert_true(n_set > RUNS / 4 && n_set < RUNS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_edit__replaces_a_member_in_its_place),
        cmocka_unit_test(test_json_edit__adds_a_member_as_the_last),
        cmocka_unit_test(test_json_edit__makes_parents_that_are_missing_or_null),
        cmocka_unit_test(test_json_edit__names_a_parent_that_is_no_object),
        cmocka_unit_test(test_json_edit__shortens_a_long_path_in_an_error),
        cmocka_unit_test(test_json_edit__keeps_all_other_bytes),
        cmocka_unit_test(test_json_edit__compares_keys_decoded),
        cmocka_unit_test(test_json_edit__takes_the_last_of_equal_keys),
        cmocka_unit_test(test_json_edit__replaces_the_document_where_the_path_is_empty),
        cmocka_unit_test(test_json_edit__refuses_a_malformed_document),
        cmocka_unit_test(test_json_edit__adds_behind_what_the_buffer_holds),
        cmocka_unit_test(test_json_edit__sets_in_place_or_leaves_the_document),
        cmocka_unit_test(test_json_edit__finds_texts_only),
        cmocka_unit_test(test_json_edit__finds_values),
        cmocka_unit_test(test_json_edit__does_what_setting_it_in_a_tree_does),
    };
    return cmocka_run_group_tests_name("base/json_edit", tests, NULL, NULL);
}
