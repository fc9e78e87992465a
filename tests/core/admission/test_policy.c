// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_fixtures.h"

/* Checks that a document is refused, with a text that begins with `expected`. The @ in `marked`
   stands before the place of the error. */
static void refuse(const char *marked, const char *expected) {
    AUTO_FREE char *json = make_json(marked);
    struct policy untouched;
    struct policy *policy = &untouched;
    struct error error;
    char *mark = strchr(json, '@');
    if (mark == NULL) {
        fail_msg("no mark in %s", marked);
        return;
    }
    memmove(mark, mark + 1, strlen(mark));
    if (policy_decode(json, strlen(json), &policy, &error)) {
        fail_msg("%s is accepted", marked);
    }
    assert_ptr_equal(policy, &untouched);
    if (error.kind != ERROR_INVALID || strncmp(error.text, expected, strlen(expected)) != 0 ||
        error.offset != (size_t)(mark - json)) {
        fail_msg("%s: at %zu: %s", marked, error.offset, error.text);
    }
}

static void check_defaults(const struct policy *policy) {
    assert_int_equal(policy->modes[RULE_STDIO_CAP], MODE_ENFORCE);
    assert_int_equal(policy->modes[RULE_REPLICA_PASSTHROUGH], MODE_ENFORCE);
    assert_int_equal(policy->modes[RULE_GRACE_PERIOD], MODE_ENFORCE);
    assert_int_equal(policy->modes[RULE_SESSION_STORAGE], MODE_WARN);
    assert_false(policy->rewrites_spec);
    assert_false(policy->prevents_surge);
    assert_int_equal(policy->grace_seconds, 30);
    assert_false(policy->is_grace_minimum);
    assert_false(policy->fails_unresolved);
    assert_int_equal(policy->conditions_write, CONDITIONS_AUTO);
    assert_int_equal(policy->n_operator_users, 1);
    assert_true(policy_is_operator(policy, OPERATOR));
    assert_int_equal(policy->n_exemptions, 0);
    assert_null(policy_caution(policy));
}

static void test_policy__has_defaults(void **state) {
    (void)state;
    AUTO(free_policy) struct policy *policy = policy_default();
    check_defaults(policy);
    assert_int_equal(DEFAULT_TERMINATION_GRACE_PERIOD_SECONDS, 30);
    policy_free(NULL);
}

static void test_policy__what_is_left_out_or_said_as_in_the_reference_is_the_default(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        ",'stdioCap':{},'replicas':{},'gracePeriod':{},'sessionStorage':{},'exempt':[]",
        ",'stdioCap':{'mode':'enforce','rewriteSpec':false,'preventSurge':false},"
        "'replicas':{'mode':'enforce','operatorUsers':['" OPERATOR "']},'gracePeriod':{"
        "'mode':'enforce','seconds':30,'minimum':false},'sessionStorage':{'mode':'warn'},"
        "'conditions':{'write':'auto'},'onUnresolved':'allow','exempt':[]",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(free_policy) struct policy *policy = decode_good(rows[i]);
        check_defaults(policy);
    }
}

static void test_policy__rules_have_names(void **state) {
    (void)state;
    assert_string_equal(rule_name(RULE_STDIO_CAP), "stdio-cap");
    assert_string_equal(rule_name(RULE_REPLICA_PASSTHROUGH), "replica-passthrough");
    assert_string_equal(rule_name(RULE_GRACE_PERIOD), "grace-period");
    assert_string_equal(rule_name(RULE_SESSION_STORAGE), "session-storage");
}

/* The document of the reference, with values other than the defaults, in another order. */
static const char full[] =
    ",'conditions':{'write':'off'},'exempt':[{'namespace':'sandbox'},{'until':'2027-01-31','rules':"
    "['stdio-cap',"
    "'grace-period'],'name':'legacy','namespace':'prod'}],'onUnresolved':'fail',"
    "'sessionStorage':{'mode':'deny'},'gracePeriod':{'minimum':true,'seconds':60,'mode':'warn'},"
    "'replicas':{'operatorUsers':['system:serviceaccount:a:b','c'],'mode':'off'},"
    "'stdioCap':{'preventSurge':true,'rewriteSpec':true,'mode':'deny'}";

static void test_policy__a_full_document_is_read(void **state) {
    (void)state;
    AUTO(free_policy) struct policy *policy = decode_good(full);
    assert_int_equal(policy->modes[RULE_STDIO_CAP], MODE_DENY);
    assert_true(policy->rewrites_spec);
    assert_true(policy->prevents_surge);
    assert_int_equal(policy->modes[RULE_REPLICA_PASSTHROUGH], MODE_OFF);
    assert_int_equal(policy->n_operator_users, 2);
    assert_true(policy_is_operator(policy, "system:serviceaccount:a:b"));
    assert_true(policy_is_operator(policy, "c"));
    assert_false(policy_is_operator(policy, OPERATOR));
    assert_int_equal(policy->modes[RULE_GRACE_PERIOD], MODE_WARN);
    assert_int_equal(policy->grace_seconds, 60);
    assert_true(policy->is_grace_minimum);
    assert_int_equal(policy->modes[RULE_SESSION_STORAGE], MODE_DENY);
    assert_true(policy->fails_unresolved);
    assert_int_equal(policy->conditions_write, CONDITIONS_OFF);
    assert_int_equal(policy->n_exemptions, 2);
    const struct exemption *sandbox = &policy->exemptions[0];
    assert_string_equal(sandbox->namespace, "sandbox");
    assert_string_equal(sandbox->name, "");
    assert_true(sandbox->rules[RULE_STDIO_CAP] && sandbox->rules[RULE_REPLICA_PASSTHROUGH] &&
                sandbox->rules[RULE_GRACE_PERIOD] && sandbox->rules[RULE_SESSION_STORAGE]);
    assert_true(sandbox->ends == INT64_MAX);
    const struct exemption *legacy = &policy->exemptions[1];
    assert_string_equal(legacy->namespace, "prod");
    assert_string_equal(legacy->name, "legacy");
    assert_true(legacy->rules[RULE_STDIO_CAP] && legacy->rules[RULE_GRACE_PERIOD]);
    assert_false(legacy->rules[RULE_REPLICA_PASSTHROUGH] || legacy->rules[RULE_SESSION_STORAGE]);
    assert_int_equal(legacy->ends, INT64_C(1801440000));
}

static void test_policy__refuses_every_truncation(void **state) {
    (void)state;
    char text[1024];
    snprintf(text, sizeof(text), "{" HEAD "%s}", full);
    AUTO_FREE char *json = make_json(text);
    for (size_t i = 0; i < strlen(json); i++) {
        AUTO_FREE char *part = copy_exactly(json, i);
        struct policy *policy = NULL;
        struct error error;
        if (policy_decode(part, i, &policy, &error)) {
            fail_msg("cut at %zu", i);
        }
        assert_in_range(error.offset, 0, i);
    }
}

static void test_policy__refuses_what_is_no_policy(void **state) {
    (void)state;
    static const struct {
        const char *marked;
        const char *expected;
    } rows[] = {
        {"@{}", "apiVersion: is missing; it must be capstan.dev/v1"},
        {"@{'kind':'PolicyConfig'}", "apiVersion: is missing"},
        {"@{'apiVersion':'capstan.dev/v1'}", "kind: is missing; it must be PolicyConfig"},
        {"{'apiVersion':@'capstan.dev/v2','kind':'PolicyConfig'}",
         "apiVersion: 'capstan.dev/v2' is not known; it must be capstan.dev/v1"},
        {"{'apiVersion':@'capstan.dev/V1','kind':'PolicyConfig'}", "apiVersion: "},
        {"{'kind':@'Policy','apiVersion':'capstan.dev/v1'}",
         "kind: 'Policy' is not known; it must be PolicyConfig"},
        {"@[]", "the document: must be a mapping"},
        {"@null", "apiVersion: is missing"},
        {"@{'apiVersion':null,'kind':'PolicyConfig'}", "apiVersion: is missing"},
        {"@{'apiVersion':'capstan.dev/v1','kind':null}", "kind: is missing"},
        {"@'capstan.dev/v1'", "the document: must be a mapping"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        refuse(rows[i].marked, rows[i].expected);
    }
}

static void test_policy__refuses_unknown_keys(void **state) {
    (void)state;
    static const struct {
        const char *members;
        const char *expected;
    } rows[] = {
        {"@'extra':1", "extra: unknown key; known here: apiVersion, kind, stdioCap, replicas, "},
        {"@'stdiocap':{}", "stdiocap: unknown key"},
        {"'stdioCap':{@'modes':'off'}",
         "stdioCap.modes: unknown key; known here: mode, rewriteSpec, preventSurge"},
        {"'replicas':{'mode':'off', @'users':[]}",
         "replicas.users: unknown key; known here: mode, operatorUsers"},
        {"'gracePeriod':{@'second':1}",
         "gracePeriod.second: unknown key; known here: mode, seconds, minimum"},
        {"'sessionStorage':{@'provider':'redis'}",
         "sessionStorage.provider: unknown key; known here: mode, defaultRedis"},
        {"'exempt':[{'namespace':'a'},{'namespace':'b',@'rule':'x'}]",
         "exempt[1].rule: unknown key; known here: namespace, name, kind, rules, until"},
        {"@'':1", "(an empty key): unknown key"},
        {"'stdioCap':{@'':1}", "stdioCap.(an empty key): unknown key"},
        {"@'a\\u0000b':1", "(a long key): unknown key"},
        {"@'m\\u00f6de':1", "m\xc3\xb6"
                            "de: unknown key"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char marked[512];
        snprintf(marked, sizeof(marked), "{" HEAD ",%s}", rows[i].members);
        refuse(marked, rows[i].expected);
    }
}

/* Each row: a key of the document, the place of its value, and the one value below that it
   accepts. */
static void test_policy__refuses_wrong_types_at_every_key(void **state) {
    (void)state;
    static const struct {
        const char *document;
        const char *path;
        const char *right;
    } keys[] = {
        {"{'apiVersion':@,'kind':'PolicyConfig'}", "apiVersion", NULL},
        {"{'apiVersion':'capstan.dev/v1','kind':@}", "kind", NULL},
        {"{" HEAD ",'stdioCap':@}", "stdioCap", "{}"},
        {"{" HEAD ",'stdioCap':{'mode':@}}", "stdioCap.mode", NULL},
        {"{" HEAD ",'stdioCap':{'rewriteSpec':@}}", "stdioCap.rewriteSpec", "true"},
        {"{" HEAD ",'stdioCap':{'preventSurge': @}}", "stdioCap.preventSurge", "true"},
        {"{" HEAD ",'replicas':@}", "replicas", "{}"},
        {"{" HEAD ",'replicas':{'mode':@}}", "replicas.mode", NULL},
        {"{" HEAD ",'replicas':{'operatorUsers':@}}", "replicas.operatorUsers", "[]"},
        {"{" HEAD ",'replicas':{'operatorUsers':['a',\n@]}}", "replicas.operatorUsers[1]", "'x'"},
        {"{" HEAD ",'gracePeriod':@}", "gracePeriod", "{}"},
        {"{" HEAD ",'gracePeriod':{'mode':@}}", "gracePeriod.mode", NULL},
        {"{" HEAD ",'gracePeriod':{'seconds':@}}", "gracePeriod.seconds", "7"},
        {"{" HEAD ",'gracePeriod':{'minimum':@}}", "gracePeriod.minimum", "true"},
        {"{" HEAD ",'sessionStorage':@}", "sessionStorage", "{}"},
        {"{" HEAD ",'sessionStorage':{'mode':@}}", "sessionStorage.mode", NULL},
        {"{" HEAD ",'sessionStorage':{'defaultRedis':@}}", "sessionStorage.defaultRedis", "true"},
        {"{" HEAD ",'autoscaler':@}", "autoscaler", "{}"},
        {"{" HEAD ",'autoscaler':{'mode':@}}", "autoscaler.mode", NULL},
        {"{" HEAD ",'onUnresolved':@}", "onUnresolved", NULL},
        {"{" HEAD ",'exempt':@}", "exempt", "[]"},
        {"{" HEAD ",'exempt':[@]}", "exempt[0]", NULL},
        {"{" HEAD ",'exempt':[{'namespace':@}]}", "exempt[0].namespace", "'x'"},
        {"{" HEAD ",'exempt':[{'namespace':'a','name':@}]}", "exempt[0].name", "'x'"},
        {"{" HEAD ",'exempt':[{'namespace':'a','kind':@}]}", "exempt[0].kind", NULL},
        {"{" HEAD ",'exempt':[{'namespace':'a','rules':@}]}", "exempt[0].rules", NULL},
        {"{" HEAD ",'exempt':[{'namespace':'a','rules':['stdio-cap', @]}]}", "exempt[0].rules[1]",
         NULL},
        {"{" HEAD ",'exempt':[{'namespace':'a','until':@}]}", "exempt[0].until", NULL},
    };
    static const char *const values[] = {"7",  "1.5", "'x'", "''",        "true",
                                         "[]", "{}",  "-1",  "'a\\u0000'"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        for (size_t k = 0; k < COUNT_OF(values); k++) {
            if (keys[i].right != NULL && strcmp(keys[i].right, values[k]) == 0) {
                continue;
            }
            char marked[512];
            char expected[64];
            const char *at = strchr(keys[i].document, '@');
            snprintf(marked, sizeof(marked), "%.*s@%s%s", (int)(at - keys[i].document),
                     keys[i].document, values[k], at + 1);
            snprintf(expected, sizeof(expected), "%s: ", keys[i].path);
            refuse(marked, expected);
        }
    }
}

/* A key with nothing behind it is absent, wherever it stands. An item of a list is not a key. */
static void test_policy__a_key_with_nothing_behind_it_is_absent(void **state) {
    (void)state;
    AUTO(free_policy)
    struct policy *policy = decode_good(
        ",'stdioCap':null,'replicas':{'mode':null,'operatorUsers':null},"
        "'gracePeriod':{'seconds':null,'minimum':null},'sessionStorage':{'defaultRedis':null},"
        "'autoscaler':null,'conditions':{'write':null},'onUnresolved':null,'exempt':null");
    AUTO(free_policy) struct policy *plain = policy_default();
    assert_memory_equal(policy->modes, plain->modes, sizeof(plain->modes));
    assert_int_equal(policy->grace_seconds, plain->grace_seconds);
    assert_int_equal(policy->n_operator_users, 1);
    assert_string_equal(policy->operator_users[0], plain->operator_users[0]);
    assert_int_equal(policy->n_exemptions, 0);
    AUTO(free_policy)
    struct policy *exempting = decode_good(
        ",'exempt':[{'namespace':'a','name':null,'kind':null,'rules':null,'until':null}]");
    assert_int_equal(policy_mode(exempting, RULE_AUTOSCALER, OBJECT_MCPREMOTEPROXY, "a", "b", 0),
                     MODE_OFF);
    refuse("{" HEAD ",'exempt':[@null]}", "exempt[0]: namespace is missing");
    refuse("{" HEAD ",'exempt':[@{'namespace':null}]}", "exempt[0]: namespace is missing");
    refuse("{" HEAD ",'replicas':{'operatorUsers':[@null]}}", "replicas.operatorUsers[0]: ");
    refuse("{" HEAD ",'exempt':[{'namespace':'a','rules':[@null]}]}", "exempt[0].rules[0]: ");
}

static void test_policy__each_rule_has_its_modes(void **state) {
    (void)state;
    static const struct {
        const char *key;
        enum rule_id rule;
        bool has_enforce;
        bool has_deny;
    } rules[] = {
        {"stdioCap", RULE_STDIO_CAP, true, true},
        {"replicas", RULE_REPLICA_PASSTHROUGH, true, false},
        {"gracePeriod", RULE_GRACE_PERIOD, true, false},
        {"sessionStorage", RULE_SESSION_STORAGE, false, true},
        {"autoscaler", RULE_AUTOSCALER, false, true},
    };
    static const struct {
        const char *value;
        int mode; /* -1: refused for every rule */
    } values[] = {
        {"'off'", MODE_OFF},   {"'warn'", MODE_WARN}, {"'enforce'", MODE_ENFORCE},
        {"'deny'", MODE_DENY}, {"false", MODE_OFF},   {"true", -1},
        {"'Off'", -1},         {"'on'", -1},          {"'dryrun'", -1},
        {"'enforce '", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        for (size_t k = 0; k < COUNT_OF(values); k++) {
            char members[128];
            bool is_known = values[k].mode >= 0 &&
                            (values[k].mode != MODE_ENFORCE || rules[i].has_enforce) &&
                            (values[k].mode != MODE_DENY || rules[i].has_deny);
            snprintf(members, sizeof(members), ",'%s':{'mode':%s%s}", rules[i].key,
                     is_known ? "" : "@", values[k].value);
            if (is_known) {
                AUTO(free_policy) struct policy *policy = decode_good(members);
                assert_int_equal(policy->modes[rules[i].rule], values[k].mode);
            } else {
                char document[256];
                char expected[64];
                snprintf(document, sizeof(document), "{" HEAD "%s}", members);
                snprintf(expected, sizeof(expected), "%s.mode: '", rules[i].key);
                refuse(document, expected);
            }
        }
    }
}

static void test_policy__names_the_modes_that_are_possible(void **state) {
    (void)state;
    refuse("{" HEAD ",'stdioCap':{'mode':@'x'}}",
           "stdioCap.mode: 'x' is no mode here; use off, warn, enforce or deny");
    refuse("{" HEAD ",'replicas':{'mode':@'deny'}}",
           "replicas.mode: 'deny' is no mode here; use off, warn or enforce");
    refuse("{" HEAD ",'gracePeriod':{'mode':@true}}",
           "gracePeriod.mode: 'true' is no mode here; use off, warn or enforce");
    refuse("{" HEAD ",'sessionStorage':{'mode':@'enforce'}}",
           "sessionStorage.mode: 'enforce' is no mode here; use off, warn or deny");
}

static void test_policy__the_first_mistake_is_told(void **state) {
    (void)state;
    refuse("{" HEAD ",'gracePeriod':{'seconds':@-1},'stdioCap':{'mode':'x'},'x':1}",
           "gracePeriod.seconds: ");
    refuse("{" HEAD ",'exempt':[{'namespace':@'A'},{'namespace':'B'},7]}", "exempt[0].namespace: ");
    refuse("{@'x':1}", "x: unknown key");
}

static void test_policy__a_fault_of_the_json_comes_before_mistakes(void **state) {
    (void)state;
    refuse("{" HEAD ",'gracePeriod':{'seconds':-1},'stdioCap':{'mode':@+}}", "a value is expected");
    refuse("{" HEAD "} @{}", "more follows");
    refuse("@", "the input ends too early");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy__has_defaults),
        cmocka_unit_test(test_policy__what_is_left_out_or_said_as_in_the_reference_is_the_default),
        cmocka_unit_test(test_policy__rules_have_names),
        cmocka_unit_test(test_policy__a_full_document_is_read),
        cmocka_unit_test(test_policy__refuses_every_truncation),
        cmocka_unit_test(test_policy__refuses_what_is_no_policy),
        cmocka_unit_test(test_policy__refuses_unknown_keys),
        cmocka_unit_test(test_policy__refuses_wrong_types_at_every_key),
        cmocka_unit_test(test_policy__a_key_with_nothing_behind_it_is_absent),
        cmocka_unit_test(test_policy__each_rule_has_its_modes),
        cmocka_unit_test(test_policy__names_the_modes_that_are_possible),
        cmocka_unit_test(test_policy__the_first_mistake_is_told),
        cmocka_unit_test(test_policy__a_fault_of_the_json_comes_before_mistakes),
    };
    return cmocka_run_group_tests_name("core/policy", tests, NULL, NULL);
}
