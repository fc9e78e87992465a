// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/core_fixtures.h"
#include "doctor/selector.h"
#include "doctor/tree.h"

#define LABELS "{'a':'1','empty':'','kubernetes.io/metadata.name':'kube-system'}"

#define EXPRESSION(key, operation, values)                                                         \
    "{'matchExpressions':[{'key':'" key "','operator':'" operation "','values':" values "}]}"

static bool matches(const char *selector, const char *labels) {
    AUTO_FREE char *selector_json = make_json(selector);
    AUTO_FREE char *labels_json = make_json(labels);
    AUTO(tree_fini) cJSON *selector_tree = cJSON_Parse(selector_json);
    AUTO(tree_fini) cJSON *labels_tree = cJSON_Parse(labels_json);
    return selector_matches(selector_tree, labels_tree);
}

static void test_selector__holds_all_of_it_against_the_labels(void **state) {
    static const struct {
        const char *selector;
        bool matches;
    } rows[] = {
        {"{}", true},
        {"null", true},
        {"{'matchLabels':{}}", true},
        {"{'matchExpressions':[]}", true},
        {"{'matchLabels':{'a':'1'}}", true},
        {"{'matchLabels':{'a':'2'}}", false},
        {"{'matchLabels':{'b':'1'}}", false},
        {"{'matchLabels':{'empty':''}}", true},
        {"{'matchLabels':{'absent':''}}", false},
        {"{'matchLabels':{'a':'1','b':'1'}}", false},
        {"{'matchLabels':{'b':'1','a':'1'}}", false},
        {EXPRESSION("a", "In", "['0','1']"), true},
        {EXPRESSION("a", "In", "['0']"), false},
        {EXPRESSION("b", "In", "['']"), false},
        {EXPRESSION("a", "NotIn", "['0']"), true},
        {EXPRESSION("a", "NotIn", "['1','0']"), false},
        {EXPRESSION("b", "NotIn", "['0']"), true},
        {EXPRESSION("kubernetes.io/metadata.name", "NotIn", "['x','kube-system']"), false},
        {EXPRESSION("a", "Exists", "null"), true},
        {EXPRESSION("b", "Exists", "null"), false},
        {EXPRESSION("a", "DoesNotExist", "null"), false},
        {EXPRESSION("b", "DoesNotExist", "null"), true},
        /* All terms must hold, in any order. */
        {"{'matchLabels':{'a':'2'},'matchExpressions':[{'key':'a','operator':'Exists'}]}", false},
        {"{'matchExpressions':[{'key':'b','operator':'Exists'},{'key':'a','operator':'Exists'}],"
         "'matchLabels':{'a':'1'}}",
         false},
        {"{'matchExpressions':[{'key':'a','operator':'Exists'}],'matchLabels':{'a':'1'}}", true},
        /* No API server admits these. */
        {EXPRESSION("a", "Near", "['0']"), true},
        {"{'matchExpressions':[7],'matchLabels':7}", true},
        {"{'matchExpressions':{}}", true},
        {"[]", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (matches(rows[i].selector, LABELS) != rows[i].matches) {
            fail_msg("%s: expected %d", rows[i].selector, rows[i].matches);
        }
    }
}

static void test_selector__takes_an_object_without_labels(void **state) {
    (void)state;
    assert_true(matches("{}", "{}"));
    assert_true(matches("{}", "null"));
    assert_false(matches("{'matchLabels':{'a':'1'}}", "null"));
    assert_true(matches(EXPRESSION("a", "NotIn", "['1']"), "null"));
    assert_false(matches(EXPRESSION("a", "In", "['1']"), "{'a':1}"));
}

/* Selector values that no label can have must not be cut to the length of a label. */
static void test_selector__takes_63_characters_and_not_one_more(void **state) {
    char value[65];
    char labels[128];
    char selector[128];
    (void)state;
    for (size_t size = 63; size <= 64; size++) {
        snprintf(labels, sizeof(labels), "{'a':'%s'}", fill(value, size));
        snprintf(selector, sizeof(selector), "{'matchLabels':{'a':'%s'}}", value);
        assert_int_equal(matches(selector, labels), size == 63);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selector__holds_all_of_it_against_the_labels),
        cmocka_unit_test(test_selector__takes_an_object_without_labels),
        cmocka_unit_test(test_selector__takes_63_characters_and_not_one_more),
    };
    return cmocka_run_group_tests_name("core/selector", tests, NULL, NULL);
}
