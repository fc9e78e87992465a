// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core_fixtures.h"
#include "core/doctor/checkup.h"
#include "doctor/tree.h"

static cJSON *tree_of(const char *text) {
    AUTO_FREE char *json = make_json(text);
    AUTO_FREE char *exact = copy_exactly(json, strlen(json));
    const struct answer answer = {.status = 200, .json = exact, .size = strlen(json)};
    return tree_read(&answer);
}

static bool is_readable(const char *text) {
    AUTO(tree_fini) cJSON *tree = tree_of(text);
    return tree != NULL;
}

static void test_tree__accepts_sound_json_only(void **state) {
    static const char *const unsound[] = {"",     "{",      "{}x", "{} {}", "{'a':'\xff'}",
                                          "[1,]", "{'a' 1}"};
    (void)state;
    assert_true(is_readable(" {'a':[1,null,'b']} "));
    for (size_t i = 0; i < COUNT_OF(unsound); i++) {
        if (is_readable(unsound[i])) {
            fail_msg("accepted: %s", unsound[i]);
        }
    }
}

static void test_tree__reads_answers_200_only(void **state) {
    static const int statuses[] = {0, 201, 403, 404};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        const struct answer answer = {.status = statuses[i], .json = "{}", .size = 2};
        AUTO(tree_fini) cJSON *tree = tree_read(&answer);
        assert_null(tree);
    }
}

static bool is_nesting_readable(size_t depth) {
    AUTO_FREE char *json = memory_new(2 * depth + 1, 1);
    memset(json, '[', depth);
    memset(json + depth, ']', depth);
    return is_readable(json);
}

static void test_tree__refuses_deep_nesting(void **state) {
    (void)state;
    assert_true(is_nesting_readable(500));
    assert_false(is_nesting_readable(CJSON_NESTING_LIMIT + 1));
    assert_false(is_nesting_readable(10000));
}

static void test_tree__refuses_large_answers(void **state) {
    AUTO_FREE char *json = memory_new(QUESTION_ANSWER_MAX + 2, 1);
    (void)state;
    memset(json, ' ', QUESTION_ANSWER_MAX + 1);
    json[0] = '7';
    for (size_t more = 0; more <= 1; more++) {
        const struct answer answer = {
            .status = 200, .json = json, .size = QUESTION_ANSWER_MAX + more};
        AUTO(tree_fini) cJSON *tree = tree_read(&answer);
        assert_int_equal(tree != NULL, more == 0);
    }
}

static void test_tree__follows_paths(void **state) {
    AUTO(tree_fini)
    cJSON *tree =
        tree_of("{'spec':{'type':'A','Type':'B','port':7,'none':null,'list':[1],'o':{}}}");
    static const struct {
        const char *path;
        const char *text;
    } rows[] = {
        {"spec.type", "A"},  {"spec.Type", "B"}, {"spec.TYPE", ""},   {"Spec.type", ""},
        {"spec.port", ""},   {"spec", ""},       {"spec.type.x", ""}, {"absent.x", ""},
        {"spec.list.0", ""}, {"spec.none", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(tree_text(tree, rows[i].path), rows[i].text);
        assert_string_equal(tree_text(NULL, rows[i].path), "");
    }
    assert_true(cJSON_IsNull(tree_at(tree, "spec.none")));
    assert_null(tree_at(tree, "spec.absent"));
    assert_int_equal(cJSON_GetArraySize(tree_list(tree, "spec.list")), 1);
    assert_null(tree_list(tree, "spec.o"));
    assert_null(tree_list(NULL, "spec.list"));
}

static void test_tree__reads_exact_integers_only(void **state) {
    static const struct {
        const char *json;
        int64_t value; /* -1: not read */
    } rows[] = {
        {"{'a':443}", 443},
        {"{'a':443.0}", 443},
        {"{'a':0}", 0},
        {"{'a':9007199254740992}", INT64_C(9007199254740992)},
        {"{'a':9007199254740994}", -1},
        {"{'a':443.5}", -1},
        {"{'a':1e400}", -1},
        {"{'a':-1e400}", -1},
        {"{'a':'443'}", -1},
        {"{'a':true}", -1},
        {"{'a':null}", -1},
        {"{}", -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(tree_fini) cJSON *tree = tree_of(rows[i].json);
        assert_int_equal(tree_integer(tree, "a", -1), rows[i].value);
    }
}

static void test_tree__compares_member_by_member(void **state) {
    static const struct {
        const char *json;
        bool is_same;
    } rows[] = {
        {"{'x':{'a':['1','2'],'b':{}}}", true},
        {"{'x':{'b':{},'a':['1','2']}}", true},
        {"{'x': {'a': ['1', '\\u0032'], 'b': {}}}", true},
        {"{'x':{'a':['2','1'],'b':{}}}", false},
        {"{'x':{'a':['1','2'],'b':{},'c':null}}", false},
        {"{'x':{'a':['1','2']}}", false},
        {"{'x':{'A':['1','2'],'b':{}}}", false},
        {"{'x':{'a':['1','2'],'b':null}}", false},
        {"{'x':null}", false},
        {"{}", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(tree_fini) cJSON *tree = tree_of(rows[i].json);
        if (tree_is(tree, "x", "{\"a\":[\"1\",\"2\"],\"b\":{}}") != rows[i].is_same) {
            fail_msg("%s: expected %d", rows[i].json, rows[i].is_same);
        }
    }
}

/* cJSON frees by this. No block may still hold the key. */
static void free_wiped(void *block) {
    static const char key[] = "LS0tLS1CRUdJTi";
    if (block != NULL) {
        assert_null(memmem(block, malloc_usable_size(block), key, sizeof(key) - 1));
    }
    free(block);
}

static void test_tree__leaves_no_key_behind(void **state) {
    cJSON_Hooks hooks = {.malloc_fn = malloc, .free_fn = free_wiped};
    (void)state;
    cJSON_InitHooks(&hooks);
    cJSON *tree = tree_of("{'data':{'tls.key':'LS0tLS1CRUdJTi','list':[['LS0tLS1CRUdJTi']]}}");
    assert_non_null(tree);
    tree_wipe(&tree);
    cJSON_InitHooks(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree__accepts_sound_json_only),
        cmocka_unit_test(test_tree__reads_answers_200_only),
        cmocka_unit_test(test_tree__refuses_deep_nesting),
        cmocka_unit_test(test_tree__refuses_large_answers),
        cmocka_unit_test(test_tree__follows_paths),
        cmocka_unit_test(test_tree__reads_exact_integers_only),
        cmocka_unit_test(test_tree__compares_member_by_member),
        cmocka_unit_test(test_tree__leaves_no_key_behind),
    };
    return cmocka_run_group_tests_name("core/tree", tests, NULL, NULL);
}
