// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core_fixtures.h"
#include "doctor/webhook_rules.h"

#define RULE(groups, versions, operations, resources, scope)                                       \
    "{'apiGroups':[" groups "],'apiVersions':[" versions "],'operations':[" operations             \
    "],'resources':[" resources "]" scope "}"
#define ON(resources)                                                                              \
    RULE("'apps'", "'v1'", "'CREATE','UPDATE'", resources, ",'scope':'Namespaced'")
#define IN(group, version)    RULE(group, version, "'CREATE'", "'deployments'", "")
#define AT(operations, scope) RULE("'apps'", "'v1'", operations, "'deployments'", scope)

static cJSON *tree_of(const char *text) {
    AUTO_FREE char *json = make_json(text);
    return cJSON_Parse(json);
}

typedef bool rules_function(const cJSON *rules, const cJSON *others);

/* Asks about both orders, which must not matter. */
static void check(rules_function *ask, const char *one, const char *other, bool expected) {
    cJSON *rules = tree_of(one);
    cJSON *others = tree_of(other);
    if (ask(rules, others) != expected || ask(others, rules) != expected) {
        fail_msg("expected %d: %s and %s", expected, one, other);
    }
    cJSON_Delete(rules);
    cJSON_Delete(others);
}

static void test_webhook_rules__overlap_as_the_api_server_matches(void **state) {
    static const struct {
        const char *one;
        const char *other;
        bool overlap;
    } rows[] = {
        {ON("'deployments'"), ON("'deployments'"), true},
        {ON("'deployments'"), ON("'pods','deployments'"), true},
        {ON("'deployments'"), ON("'pods'"), false},
        {ON("'deployments'"), ON("'*'"), true},
        {ON("'deployments'"), ON("'*/*'"), true},
        {ON("'deployments'"), ON("'*/scale'"), false},
        {ON("'deployments'"), ON("'deployments/scale'"), false},
        /* The API server's matcher takes the resource itself too. */
        {ON("'deployments'"), ON("'deployments/*'"), true},
        {ON("'deployments/scale'"), ON("'deployments/scale'"), true},
        {ON("'deployments/scale'"), ON("'deployments'"), false},
        {ON("'deployments/scale'"), ON("'deployments/status'"), false},
        {ON("'deployments/scale'"), ON("'deployments/*'"), true},
        {ON("'deployments/scale'"), ON("'*/scale'"), true},
        {ON("'deployments/scale'"), ON("'*/*'"), true},
        {ON("'deployments/scale'"), ON("'*'"), false},
        {ON("'deployments/scale'"), ON("'statefulsets/*'"), false},
        {ON("'deployment'"), ON("'deployments'"), false},
        {ON("'deployments'"), ON(""), false},
        {ON("'deployments'"), ON("7,null,{},'deployments'"), true},
        {IN("'apps'", "'v1'"), IN("'apps'", "'v1','v1beta1'"), true},
        {IN("'apps'", "'v1'"), IN("'apps'", "'v1beta1'"), false},
        {IN("'apps'", "'v1'"), IN("'apps'", "'*'"), true},
        {IN("'apps'", "'*'"), IN("'apps'", "'*'"), true},
        {IN("'apps'", "'v1'"), IN("''", "'v1'"), false},
        {IN("'apps'", "'v1'"), IN("'batch','apps'", "'v1'"), true},
        {IN("'apps'", "'v1'"), IN("'*'", "'v1'"), true},
        {IN("'apps'", "'v1'"), IN("'app'", "'v1'"), false},
        {AT("'UPDATE'", ""), AT("'CREATE'", ""), false},
        {AT("'UPDATE'", ""), AT("'*'", ""), true},
        {AT("'UPDATE'", ""), AT("'CREATE','UPDATE'", ""), true},
        {AT("'UPDATE'", ",'scope':'Namespaced'"), AT("'UPDATE'", ",'scope':'*'"), true},
        {AT("'UPDATE'", ",'scope':'Namespaced'"), AT("'UPDATE'", ""), true},
        {AT("'UPDATE'", ",'scope':'Namespaced'"), AT("'UPDATE'", ",'scope':'Cluster'"), false},
        {ON("'pods'") "," ON("'deployments'"), ON("'jobs'") "," ON("'deployments'"), true},
        /* One rule has to match as a whole. */
        {IN("'apps'", "'v1'"), IN("'apps'", "'v2'") "," IN("'batch'", "'v1'"), false},
        {"", ON("'deployments'"), false},
        {"7,null", ON("'deployments'"), false},
        {"{}", ON("'deployments'"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char one[1024];
        char other[1024];
        snprintf(one, sizeof(one), "[%s]", rows[i].one);
        snprintf(other, sizeof(other), "[%s]", rows[i].other);
        check(webhook_rules_overlap, one, other, rows[i].overlap);
    }
    check(webhook_rules_overlap, "7", "[" ON("'deployments'") "]", false);
}

static void test_webhook_rules__cover_what_they_match(void **state) {
    enum { NEITHER, FORTH, BACK, BOTH };
    static const struct {
        const char *one;
        const char *other;
        int covers; /* FORTH: the one covers the other */
    } rows[] = {
        {ON("'a','b'"), ON("'b','a'"), BOTH},
        {ON("'a','b'"), ON("'a','b','a'"), BOTH},
        {ON("'a','b'"), ON("'a'"), FORTH},
        {ON("'a'"), ON("'b'"), NEITHER},
        {ON("'a'"), ON("'*'"), BACK},
        {ON("'a/x'"), ON("'*'"), NEITHER},
        {ON("'a/x'"), ON("'*/*'"), BACK},
        {ON("'a/x'"), ON("'a/*'"), BACK},
        {ON("'a'"), ON("'a/*'"), BACK},
        {ON("'a/x'"), ON("'*/x'"), BACK},
        {ON("'*'"), ON("'*/*'"), BACK},
        {ON("'*'"), ON("'*'"), BOTH},
        {ON("'a'") "," ON("'b'"), ON("'b'") "," ON("'a'"), BOTH},
        {ON("'a'") "," ON("'b'"), ON("'a'"), FORTH},
        {ON("'a'") "," ON("'b'"), ON("'a','b'"), BOTH},
        {IN("'a'", "'v1'"), IN("'a'", "'v2'"), NEITHER},
        {IN("'a'", "'v1','v2'"), IN("'a'", "'v2'"), FORTH},
        {IN("'a'", "'v1'"), IN("'a'", "'*'"), BACK},
        {IN("'a'", "'v1'"), IN("'b'", "'v1'"), NEITHER},
        {IN("'a'", "'v1'"), IN("'*'", "'v1'"), BACK},
        /* One rule has to match as a whole. */
        {IN("'a','b'", "'v1','v2'"), IN("'a'", "'v1'") "," IN("'b'", "'v2'"), FORTH},
        {AT("'CREATE'", ""), AT("'UPDATE'", ""), NEITHER},
        {AT("'CREATE'", ""), AT("'*'", ""), BACK},
        {AT("'CREATE'", ""), AT("'CREATE'", ",'scope':'*'"), BOTH},
        {AT("'CREATE'", ""), AT("'CREATE'", ",'scope':'Cluster'"), FORTH},
        {AT("'CREATE'", ",'scope':'Namespaced'"), AT("'CREATE'", ",'scope':'Cluster'"), NEITHER},
        {AT("'CREATE'", ",'x':1"), AT("'CREATE'", ",'x':1"), NEITHER},
        {AT("'CREATE'", ",'x':1"), AT("'CREATE'", ""), NEITHER},
        {ON("7"), ON("7"), NEITHER},
        {"7", "7", NEITHER},
        {"", "", BOTH},
        {"", ON("'a'"), BACK},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char one[1024];
        char other[1024];
        snprintf(one, sizeof(one), "[%s]", rows[i].one);
        snprintf(other, sizeof(other), "[%s]", rows[i].other);
        cJSON *rules = tree_of(one);
        cJSON *others = tree_of(other);
        int covers = (webhook_rules_cover(rules, others) ? FORTH : NEITHER) |
                     (webhook_rules_cover(others, rules) ? BACK : NEITHER);
        if (covers != rows[i].covers) {
            fail_msg("%s and %s: %d, expected %d", one, other, covers, rows[i].covers);
        }
        cJSON_Delete(rules);
        cJSON_Delete(others);
    }
    assert_true(webhook_rules_cover(NULL, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhook_rules__overlap_as_the_api_server_matches),
        cmocka_unit_test(test_webhook_rules__cover_what_they_match),
    };
    return cmocka_run_group_tests_name("core/webhook_rules", tests, NULL, NULL);
}
