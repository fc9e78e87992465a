// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "policy_fixtures.h"

#define NOW INT64_C(1795341600)
#define FAR INT64_C(253402300799)

/* The first second of 2027-01-31 */
#define LAST_DAY INT64_C(1801353600)

static void check_refused(const char *members, const char *expected) {
    struct error error;
    AUTO(free_policy) struct policy *policy = decode(members, &error);
    if (policy != NULL || strncmp(error.text, expected, strlen(expected)) != 0) {
        fail_msg("%s: %s", members, policy != NULL ? "is accepted" : error.text);
    }
}

static void test_policy__seconds_are_a_count_of_32_bits(void **state) {
    (void)state;
    static const struct {
        const char *value;
        int64_t seconds; /* -1: refused */
    } rows[] = {
        {"0", 0},
        {"1", 1},
        {"30", 30},
        {"3e1", 30},
        {"30.0", 30},
        {"2147483647", INT32_MAX},
        {"2147483648", -1},
        {"-1", -1},
        {"30.5", -1},
        {"1e400", -1},
        {"99999999999999999999", -1},
        {"'30'", -1},
        {"'30s'", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char members[128];
        snprintf(members, sizeof(members), ",'gracePeriod':{'seconds':%s}", rows[i].value);
        if (rows[i].seconds >= 0) {
            AUTO(free_policy) struct policy *policy = decode_good(members);
            assert_int_equal(policy->grace_seconds, rows[i].seconds);
        } else {
            check_refused(members, "gracePeriod.seconds: must be an integer from 0 to 2147483647");
        }
    }
}

static void test_policy__warns_of_seconds_that_have_no_effect(void **state) {
    (void)state;
    static const struct {
        const char *members;
        bool is_caution;
    } rows[] = {
        {"'seconds':30", false},
        {"'seconds':29", false},
        {"'seconds':0", false},
        {"'seconds':31", true},
        {"'seconds':31,'minimum':false", true},
        {"'seconds':31,'minimum':true", false},
        {"'seconds':31,'mode':'warn'", true},
        {"'seconds':31,'mode':'off'", false},
        {"'minimum':true", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char members[128];
        snprintf(members, sizeof(members), ",'gracePeriod':{%s}", rows[i].members);
        AUTO(free_policy) struct policy *policy = decode_good(members);
        if ((policy_caution(policy) != NULL) != rows[i].is_caution) {
            fail_msg("%s", members);
        }
    }
}

static void test_policy__on_unresolved_is_allow_or_fail(void **state) {
    (void)state;
    AUTO(free_policy) struct policy *allow = decode_good(",'onUnresolved':'allow'");
    AUTO(free_policy) struct policy *strict = decode_good(",'onUnresolved':'fail'");
    assert_false(allow->fails_unresolved);
    assert_true(strict->fails_unresolved);
    check_refused(",'onUnresolved':'deny'", "onUnresolved: 'deny' is not known; use allow or fail");
    check_refused(",'onUnresolved':'Fail'", "onUnresolved: 'Fail' is not known");
}

/* YAML's on and off come as true and false, and so do yes and no. */
static void test_policy__conditions_are_written_on_auto_or_off(void **state) {
    (void)state;
    static const struct {
        const char *value;
        enum conditions_write write;
    } rows[] = {
        {"{}", CONDITIONS_AUTO},
        {"{'write':'auto'}", CONDITIONS_AUTO},
        {"{'write':'on'}", CONDITIONS_ON},
        {"{'write':true}", CONDITIONS_ON},
        {"{'write':'off'}", CONDITIONS_OFF},
        {"{'write':false}", CONDITIONS_OFF},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char members[128];
        snprintf(members, sizeof(members), ",'conditions':%s", rows[i].value);
        AUTO(free_policy) struct policy *policy = decode_good(members);
        assert_int_equal(policy->conditions_write, rows[i].write);
    }
    check_refused(",'conditions':{'write':'On'}",
                  "conditions.write: 'On' is not known; use on, auto or off");
    check_refused(",'conditions':{'write':'true'}", "conditions.write: 'true' is not known");
    check_refused(",'conditions':{'write':1}", "conditions.write: must be a string");
    check_refused(",'conditions':{'mode':'auto'}", "conditions.mode: unknown key");
    check_refused(",'conditions':'auto'", "conditions: must be");
}

static void test_policy__operator_users_are_compared_whole(void **state) {
    (void)state;
    char members[4096] = ",'replicas':{'operatorUsers':['a','b:c','\\u00e4'";
    char user[513];
    size_t used = strlen(members);
    snprintf(members + used, sizeof(members) - used, ",'%s']}", fill(user, 511));
    AUTO(free_policy) struct policy *policy = decode_good(members);
    assert_true(policy_is_operator(policy, "a"));
    assert_true(policy_is_operator(policy, "b:c"));
    assert_true(policy_is_operator(policy, "\xc3\xa4"));
    assert_true(policy_is_operator(policy, user));
    assert_false(policy_is_operator(policy, fill(user, 510)));
    assert_false(policy_is_operator(policy, ""));
    assert_false(policy_is_operator(policy, "A"));
    assert_false(policy_is_operator(policy, "b"));
    assert_false(policy_is_operator(policy, "b:c:d"));
    snprintf(members, sizeof(members), ",'replicas':{'operatorUsers':['%s']}", fill(user, 512));
    check_refused(members, "replicas.operatorUsers[0]: is too long");
}

static void test_policy__an_empty_list_names_no_operator(void **state) {
    (void)state;
    AUTO(free_policy) struct policy *policy = decode_good(",'replicas':{'operatorUsers':[]}");
    assert_int_equal(policy->n_operator_users, 0);
    assert_false(policy_is_operator(policy, ""));
    assert_false(
        policy_is_operator(policy, "system:serviceaccount:toolhive-system:toolhive-operator"));
}

static void test_policy__the_last_of_two_equal_keys_counts(void **state) {
    (void)state;
    AUTO(free_policy)
    struct policy *policy =
        decode_good(",'replicas':{'operatorUsers':['a','b'],'operatorUsers':['c']},"
                    "'gracePeriod':{'seconds':1},'gracePeriod':{'seconds':2}");
    assert_false(policy_is_operator(policy, "a"));
    assert_true(policy_is_operator(policy, "c"));
    assert_int_equal(policy->n_operator_users, 1);
    assert_int_equal(policy->grace_seconds, 2);
}

static void test_policy__names_in_exemptions_are_names_of_kubernetes(void **state) {
    (void)state;
    char text[600];
    char name[256];
    for (size_t too_long = 0; too_long < 2; too_long++) {
        snprintf(text, sizeof(text), ",'exempt':[{'namespace':'%s'}]", fill(name, 63 + too_long));
        if (too_long == 0) {
            AUTO(free_policy) struct policy *policy = decode_good(text);
            assert_string_equal(policy->exemptions[0].namespace, name);
        } else {
            check_refused(text, "exempt[0].namespace: 'xxxx");
        }
    }
    fill(name, 253);
    name[63] = name[127] = name[191] = '.';
    snprintf(text, sizeof(text), ",'exempt':[{'namespace':'n','name':'%s'}]", name);
    AUTO(free_policy) struct policy *policy = decode_good(text);
    assert_string_equal(policy->exemptions[0].name, name);
    snprintf(text, sizeof(text), ",'exempt':[{'namespace':'n','name':'%sx'}]", name);
    check_refused(text, "exempt[0].name: is too long");
    check_refused(",'exempt':[{'namespace':'a.b'}]",
                  "exempt[0].namespace: 'a.b' is not the name of a namespace");
    check_refused(",'exempt':[{'namespace':'*'}]", "exempt[0].namespace: '*'");
    check_refused(",'exempt':[{'namespace':'n','name':'a_b'}]",
                  "exempt[0].name: 'a_b' is not the name of an object");
    check_refused(",'exempt':[{'namespace':'n','name':'*'}]", "exempt[0].name: '*'");
}

static void test_policy__an_exemption_needs_a_namespace_and_known_rules(void **state) {
    (void)state;
    struct error error;
    assert_null(decode(",'exempt':[{},{'namespace':'n'}]", &error));
    assert_string_equal(error.text, "exempt[0]: namespace is missing");
    assert_int_equal(error.offset, strlen("{" HEAD ",'exempt':["));
    assert_null(decode(",'exempt':[{'name':'a'}]", &error));
    assert_int_equal(error.offset, strlen("{" HEAD ",'exempt':["));
    check_refused(",'exempt':[{'namespace':'n'},{'name':'a'}]", "exempt[1]: namespace is missing");
    check_refused(",'exempt':[{'namespace':'n','rules':[]}]",
                  "exempt[0].rules: must name a rule, or be left out to mean all");
    check_refused(",'exempt':[{'namespace':'n','rules':['stdioCap']}]",
                  "exempt[0].rules[0]: 'stdioCap' is no rule; there are stdio-cap, "
                  "replica-passthrough, ");
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        char text[128];
        snprintf(text, sizeof(text), ",'exempt':[{'namespace':'n','rules':['%s']}]",
                 rule_name((enum rule_id)rule));
        AUTO(free_policy) struct policy *policy = decode_good(text);
        for (int other = 0; other < RULE_COUNT; other++) {
            assert_int_equal(policy->exemptions[0].rules[other], other == rule);
        }
    }
}

static void test_policy__until_is_a_day_of_the_calendar(void **state) {
    (void)state;
    static const struct {
        const char *day;
        int64_t ends; /* -1: refused */
    } rows[] = {
        {"2027-01-31", LAST_DAY + 86400},
        {"2028-02-29", INT64_C(1835481600)},
        {"9999-12-31", FAR + 1},
        {"1970-01-01", 86400},
        {"2027-02-29", -1},
        {"2027-13-01", -1},
        {"2027-1-31", -1},
        {"31.01.2027", -1},
        {"2027-01-31T00:00:00Z", -1},
        {"never", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[128];
        char expected[128];
        snprintf(text, sizeof(text), ",'exempt':[{'namespace':'n','until':'%s'}]", rows[i].day);
        if (rows[i].ends >= 0) {
            AUTO(free_policy) struct policy *policy = decode_good(text);
            assert_int_equal(policy->exemptions[0].ends, rows[i].ends);
        } else {
            snprintf(expected, sizeof(expected),
                     "exempt[0].until: '%s' is not a day such as 2027-01-31", rows[i].day);
            check_refused(text, expected);
        }
    }
}

static void test_policy__an_exemption_holds_to_the_last_second_of_its_day(void **state) {
    (void)state;
    AUTO(free_policy)
    struct policy *policy =
        decode_good(",'exempt':[{'namespace':'prod','name':'legacy','until':'2027-01-31'}]");
    static const struct {
        int64_t now;
        enum mode expected;
    } rows[] = {
        {0, MODE_OFF},
        {NOW, MODE_OFF},
        {LAST_DAY, MODE_OFF},
        {LAST_DAY + 86399, MODE_OFF},
        {LAST_DAY + 86400, MODE_ENFORCE},
        {FAR, MODE_ENFORCE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(
            policy_mode(policy, RULE_STDIO_CAP, OBJECT_MCPSERVER, "prod", "legacy", rows[i].now),
            rows[i].expected);
    }
}

static void test_policy__an_exemption_is_for_its_namespace_name_and_rules(void **state) {
    (void)state;
    AUTO(free_policy)
    struct policy *policy = decode_good(
        ",'stdioCap':{'mode':'deny'},'exempt':[{'namespace':'sandbox'},"
        "{'namespace':'prod','name':'legacy','rules':['stdio-cap','session-storage']}]");
    static const struct {
        const char *namespace;
        const char *name;
        enum mode modes[RULE_COUNT];
    } rows[] = {
        {"sandbox", "a", {MODE_OFF, MODE_OFF, MODE_OFF, MODE_OFF, MODE_OFF}},
        {"sandbox", "", {MODE_OFF, MODE_OFF, MODE_OFF, MODE_OFF, MODE_OFF}},
        {"prod", "legacy", {MODE_OFF, MODE_ENFORCE, MODE_ENFORCE, MODE_OFF, MODE_WARN}},
        {"prod", "legacy2", {MODE_DENY, MODE_ENFORCE, MODE_ENFORCE, MODE_WARN, MODE_WARN}},
        {"prod", "", {MODE_DENY, MODE_ENFORCE, MODE_ENFORCE, MODE_WARN, MODE_WARN}},
        {"other", "legacy", {MODE_DENY, MODE_ENFORCE, MODE_ENFORCE, MODE_WARN, MODE_WARN}},
        {"sandbox2", "a", {MODE_DENY, MODE_ENFORCE, MODE_ENFORCE, MODE_WARN, MODE_WARN}},
        {"", "", {MODE_DENY, MODE_ENFORCE, MODE_ENFORCE, MODE_WARN, MODE_WARN}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int rule = 0; rule < RULE_COUNT; rule++) {
            enum mode mode = policy_mode(policy, (enum rule_id)rule, OBJECT_MCPSERVER,
                                         rows[i].namespace, rows[i].name, NOW);
            if (mode != rows[i].modes[rule]) {
                fail_msg("%s of %s/%s", rule_name((enum rule_id)rule), rows[i].namespace,
                         rows[i].name);
            }
        }
    }
}

static void test_policy__an_exemption_may_be_for_one_kind(void **state) {
    (void)state;
    AUTO(free_policy)
    struct policy *policy = decode_good(",'exempt':[{'namespace':'n','kind':'MCPRemoteProxy'},"
                                        "{'namespace':'m','name':'a','kind':'MCPServer'}]");
    static const struct {
        enum object_kind kind;
        const char *namespace, *name;
        bool is_exempt;
    } rows[] = {
        {OBJECT_MCPREMOTEPROXY, "n", "a", true},  {OBJECT_MCPREMOTEPROXY, "n", "b", true},
        {OBJECT_MCPSERVER, "n", "a", false},      {OBJECT_VIRTUALMCPSERVER, "n", "a", false},
        {OBJECT_MCPREMOTEPROXY, "m", "a", false}, {OBJECT_MCPSERVER, "m", "a", true},
        {OBJECT_MCPSERVER, "m", "b", false},      {OBJECT_OTHER, "n", "a", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum mode mode = policy_mode(policy, RULE_GRACE_PERIOD, rows[i].kind, rows[i].namespace,
                                     rows[i].name, NOW);
        assert_int_equal(mode == MODE_OFF, rows[i].is_exempt);
    }
    check_refused(",'exempt':[{'namespace':'n','kind':'Deployment'}]",
                  "exempt[0].kind: 'Deployment' is no kind that can be exempt; there are "
                  "MCPServer, MCPRemoteProxy, VirtualMCPServer");
    check_refused(",'exempt':[{'namespace':'n','kind':'mcpserver'}]", "exempt[0].kind: ");
}

static void test_policy__one_exemption_that_ended_does_not_end_another(void **state) {
    (void)state;
    AUTO(free_policy)
    struct policy *policy = decode_good(",'exempt':[{'namespace':'n','until':'2020-01-01'},"
                                        "{'namespace':'n','name':'a','until':'2027-01-31'}]");
    assert_int_equal(policy_mode(policy, RULE_GRACE_PERIOD, OBJECT_MCPSERVER, "n", "a", NOW),
                     MODE_OFF);
    assert_int_equal(policy_mode(policy, RULE_GRACE_PERIOD, OBJECT_MCPSERVER, "n", "b", NOW),
                     MODE_ENFORCE);
}

static void test_policy__holds_many_exemptions(void **state) {
    (void)state;
    enum { MANY = 1000 };
    AUTO(buffer_fini) struct buffer text;
    buffer_init(&text, 64 * MANY);
    buffer_add_text(&text, "{" HEAD ",'exempt':[");
    for (int i = 0; i < MANY; i++) {
        buffer_add_format(&text, "%s{'namespace':'n%d'}", i == 0 ? "" : ",", i);
    }
    buffer_add_text(&text, "]}");
    AUTO_FREE char *json = make_json(buffer_text(&text));
    AUTO(free_policy) struct policy *policy = NULL;
    struct error error;
    assert_true(policy_decode(json, strlen(json), &policy, &error));
    assert_int_equal(policy->n_exemptions, MANY);
    assert_int_equal(policy_mode(policy, RULE_STDIO_CAP, OBJECT_MCPSERVER, "n999", "a", NOW),
                     MODE_OFF);
    assert_int_equal(policy_mode(policy, RULE_STDIO_CAP, OBJECT_MCPSERVER, "n1000", "a", NOW),
                     MODE_ENFORCE);
}

static void test_policy__long_keys_and_values_are_refused_in_one_line(void **state) {
    (void)state;
    static const struct {
        const char *before;
        size_t size;
        const char *behind;
        const char *expected;
    } rows[] = {
        {",'stdioCap':{'mode':'", 63, "'}", "stdioCap.mode: 'xxx"},
        {",'stdioCap':{'mode':'", 64, "'}", "stdioCap.mode: is too long"},
        {",'stdioCap':{'mode':'", 3000, "'}", "stdioCap.mode: is too long"},
        {",'stdioCap':{'", 63, "':1}", "stdioCap.xxx"},
        {",'stdioCap':{'", 64, "':1}", "stdioCap.(a long key): unknown key"},
        {",'", 3000, "':1", "(a long key): unknown key"},
        {",'onUnresolved':'", 3000, "'", "onUnresolved: is too long"},
        {",'exempt':[{'namespace':'", 300, "'}]", "exempt[0].namespace: is too long"},
        {",'exempt':[{'namespace':'n','name':'", 254, "'}]", "exempt[0].name: is too long"},
        {",'exempt':[{'namespace':'n','rules':['", 3000, "']}]", "exempt[0].rules[0]: is too"},
        {",'exempt':[{'namespace':'n','until':'", 3000, "'}]", "exempt[0].until: is too long"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char value[3001];
        char text[3200];
        snprintf(text, sizeof(text), "%s%s%s", rows[i].before, fill(value, rows[i].size),
                 rows[i].behind);
        check_refused(text, rows[i].expected);
    }
}

static void test_policy__errors_have_no_control_characters(void **state) {
    (void)state;
    check_refused(",'a\\nb\\u007f':1", "a?b?: unknown key");
    check_refused(",'stdioCap':{'mode':'\\u001b[31mred\\n'}",
                  "stdioCap.mode: '?[31mred?' is no mode here");
    check_refused(",'exempt':[{'namespace':'a\\nb'}]", "exempt[0].namespace: 'a?b' is not");
}

/* Each row of core/admission/rule_table.h is a key, a default and a name. */
static void test_policy__each_rule_has_its_key_and_its_default(void **state) {
    (void)state;
    struct error keys;
    struct error names;
    AUTO(free_policy) struct policy *policy = decode_good("");
    assert_null(decode(",'no':1", &keys));
    assert_null(decode(",'exempt':[{'namespace':'n','rules':['no']}]", &names));
    for (int i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = &rule_rows[i];
        char members[128];
        snprintf(members, sizeof(members), ",'%s':{'mode':'off'}", rule->key);
        AUTO(free_policy) struct policy *other = decode_good(members);
        assert_int_equal(policy->modes[i], rule->default_mode);
        assert_true(rule_has_mode((enum rule_id)i, rule->default_mode));
        assert_int_equal(other->modes[i], MODE_OFF);
        assert_non_null(strstr(keys.text, rule->key));
        assert_non_null(strstr(names.text, rule_name((enum rule_id)i)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy__seconds_are_a_count_of_32_bits),
        cmocka_unit_test(test_policy__warns_of_seconds_that_have_no_effect),
        cmocka_unit_test(test_policy__on_unresolved_is_allow_or_fail),
        cmocka_unit_test(test_policy__conditions_are_written_on_auto_or_off),
        cmocka_unit_test(test_policy__operator_users_are_compared_whole),
        cmocka_unit_test(test_policy__an_empty_list_names_no_operator),
        cmocka_unit_test(test_policy__the_last_of_two_equal_keys_counts),
        cmocka_unit_test(test_policy__names_in_exemptions_are_names_of_kubernetes),
        cmocka_unit_test(test_policy__an_exemption_needs_a_namespace_and_known_rules),
        cmocka_unit_test(test_policy__until_is_a_day_of_the_calendar),
        cmocka_unit_test(test_policy__an_exemption_holds_to_the_last_second_of_its_day),
        cmocka_unit_test(test_policy__an_exemption_is_for_its_namespace_name_and_rules),
        cmocka_unit_test(test_policy__an_exemption_may_be_for_one_kind),
        cmocka_unit_test(test_policy__one_exemption_that_ended_does_not_end_another),
        cmocka_unit_test(test_policy__holds_many_exemptions),
        cmocka_unit_test(test_policy__long_keys_and_values_are_refused_in_one_line),
        cmocka_unit_test(test_policy__errors_have_no_control_characters),
        cmocka_unit_test(test_policy__each_rule_has_its_key_and_its_default),
    };
    return cmocka_run_group_tests_name("core/policy_values", tests, NULL, NULL);
}
