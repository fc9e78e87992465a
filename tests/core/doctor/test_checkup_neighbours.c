// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checkup_fixtures.h"

#define LIST(items)                  "{'kind':'List','items':[" items "]}"
#define CONFIGURATION(name, entries) "{'metadata':{'name':'" name "'},'webhooks':[" entries "]}"
#define SERVICE(namespace, name)                                                                   \
    "'clientConfig':{'service':{'namespace':'" namespace "','name':'" name "'}}"
#define OUR_SERVICE   SERVICE("capstan-system", "capstan")
#define THEIR_SERVICE SERVICE("kyverno", "kyverno")
#define ON(group, resource, operations)                                                            \
    "'rules':[{'apiGroups':['" group "'],'apiVersions':['*'],'operations':[" operations            \
    "],'resources':['" resource "'],'scope':'*'}]"
#define ENTRY(name, service, policy, rules)                                                        \
    "{'name':'" name "'," service ",'reinvocationPolicy':'" policy "'," rules "}"

/* Our entries. */
#define ALL "'CREATE','UPDATE'"
#define OURS_AGAIN(policy)                                                                         \
    ENTRY("mcpservers.capstan.dev", OUR_SERVICE, policy,                                           \
          ON("toolhive.stacklok.dev", "mcpservers", ALL))                                          \
    "," ENTRY(                                                                                     \
        "deployments.capstan.dev", OUR_SERVICE, policy,                                            \
        ON("apps", "deployments", ALL)) "," ENTRY("scale.capstan.dev", OUR_SERVICE, policy,        \
                                                  ON("apps", "deployments/scale", "'UPDATE'"))
#define OURS CONFIGURATION("zz-capstan", OURS_AGAIN("IfNeeded"))

/* A neighbour's entry. */
#define THEIRS(policy, group, resource, operations)                                                \
    ENTRY("x.example.com", THEIR_SERVICE, policy, ON(group, resource, operations))
#define THEIR_DEPLOYMENTS(policy) THEIRS(policy, "apps", "deployments", ALL)

#define UNREADABLE(json)                                                                           \
    { json, 0, FINDING_UNKNOWN, "cannot be read" }
#define UNSEEN_LIST                                                                                \
    UNSEEN(FINDING_UNKNOWN), UNREADABLE("{"), UNREADABLE("7"), UNREADABLE("{}"),                   \
        UNREADABLE("{'items':{}}")

static struct patient patient_with(const struct answer *configurations) {
    struct patient patient = unseen_patient();
    patient.answers[QUESTION_CONFIGURATIONS] = *configurations;
    patient.answers[QUESTION_MUTATIONS].status = 404;
    return patient;
}

static void test_checkup_neighbours__find_what_an_older_version_left(void **state) {
#define OLD(name, service)                                                                         \
    CONFIGURATION(name, ENTRY("scale.capstan.dev", service, "Never", "'x':1"))
#define BY_URL "'clientConfig':{'url':'https://capstan.example.com/mutate'}"
    static const struct row rows[] = {
        {LIST(OURS), 0, FINDING_OK, "no other configuration"},
        {LIST(""), 0, FINDING_OK, "no other configuration"},
        {"{'items':null}", 0, FINDING_OK, "no other configuration"},
        {LIST(OLD("capstan", OUR_SERVICE) "," OURS), 0, FINDING_PROBLEM,
         "another configuration leads to the Service too, and nobody keeps the caBundle there: "
         "capstan"},
        {LIST(OURS "," OLD("zzz", OUR_SERVICE)), 0, FINDING_PROBLEM, "there: zzz"},
        {LIST(OLD("a", OUR_SERVICE) "," OURS "," OLD("b", OUR_SERVICE)), 0, FINDING_PROBLEM,
         "other configurations lead to the Service too, and nobody keeps the caBundle there: a, "
         "b"},
        /* Any entry of it. */
        {LIST(OURS "," CONFIGURATION(
             "mixed", THEIR_DEPLOYMENTS("Never") "," ENTRY("x", OUR_SERVICE, "Never", "'x':1"))),
         0, FINDING_PROBLEM, "there: mixed"},
        {LIST(OURS "," OLD("capstan", BY_URL)), 0, FINDING_PROBLEM, "there: capstan"},
        {LIST(OURS "," CONFIGURATION("x", ENTRY("x.example.com", BY_URL, "Never", "'x':1"))), 0,
         FINDING_OK, "no other"},
        {LIST(OURS "," OLD("capstan", SERVICE("capstan-system", "other"))), 0, FINDING_OK,
         "no other"},
        {LIST(OURS "," OLD("capstan", SERVICE("other", "capstan"))), 0, FINDING_OK, "no other"},
        {LIST(OURS "," CONFIGURATION("capstan", "")), 0, FINDING_OK, "no other"},
        {LIST("7,null,{}," OURS), 0, FINDING_OK, "no other"},
        UNSEEN_LIST,
    };
    struct patient patient = unseen_patient();
    (void)state;
    check_rows(checkup_leftover, QUESTION_CONFIGURATIONS, &patient, rows, COUNT_OF(rows));
}

static void test_checkup_neighbours__name_the_command_that_removes_it(void **state) {
    static const struct {
        const char *json;
        const char *remedy; /* its end */
        const char *other;
    } rows[] = {
        {LIST(OLD("capstan", OUR_SERVICE) "," OURS),
         "kubectl delete mutatingwebhookconfiguration OTHER", "capstan"},
        {LIST(OLD("a", OUR_SERVICE) "," OLD("b", OUR_SERVICE) "," OURS),
         "kubectl delete mutatingwebhookconfiguration OTHER", "a b"},
        /* The only one is not to be deleted before there is another. */
        {LIST(OLD("capstan", OUR_SERVICE)),
         "if it is the one in use: --webhook-config-name. Else apply the manifests of this "
         "version, and then: kubectl delete mutatingwebhookconfiguration OTHER",
         "capstan"},
        /* The API server admits no such name. */
        {LIST(OLD("$(reboot)", OUR_SERVICE) "," OURS),
         "kubectl delete mutatingwebhookconfiguration OTHER", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini)
        const struct answer answer = answer_to(QUESTION_CONFIGURATIONS, rows[i].json, 0);
        const struct patient patient = patient_with(&answer);
        struct finding finding = {.check = "x"};
        checkup_leftover(&patient, &finding);
        assert_int_equal(finding.level, FINDING_PROBLEM);
        assert_string_equal(finding.remedy, rows[i].remedy);
        assert_string_equal(finding.other, rows[i].other);
    }
}

/* In the order of names, as the API server lists them. */
#define BEFORE(entries) LIST(CONFIGURATION("zz-a", entries) "," OURS)
#define AFTER(entries)  LIST(OURS "," CONFIGURATION("zz-d", entries))

static void test_checkup_neighbours__judge_who_has_the_last_word(void **state) {
#define UNTIRED(policy) CONFIGURATION("zz-capstan", OURS_AGAIN(policy))
    static const struct row rows[] = {
        {LIST(OURS), 0, FINDING_OK, "it has the last word over all others; 0 of them"},
        {AFTER(THEIR_DEPLOYMENTS("IfNeeded")), 0, FINDING_NOTE,
         "may undo what Capstan does: zz-d (x.example.com)"},
        {AFTER(THEIR_DEPLOYMENTS("Never")), 0, FINDING_OK, "1 of them"},
        {BEFORE(THEIR_DEPLOYMENTS("IfNeeded")), 0, FINDING_OK, "1 of them"},
        {BEFORE(THEIR_DEPLOYMENTS("Never")), 0, FINDING_OK, "1 of them"},
        /* Names are compared byte by byte, and a name comes before a longer one. */
        {LIST(OURS "," CONFIGURATION("zz-capstan-2", THEIR_DEPLOYMENTS("IfNeeded"))), 0,
         FINDING_NOTE, "zz-capstan-2"},
        {LIST(OURS "," CONFIGURATION("zz", THEIR_DEPLOYMENTS("IfNeeded"))), 0, FINDING_OK, "1 of"},
        {LIST(OURS "," CONFIGURATION("zz-9", THEIR_DEPLOYMENTS("IfNeeded"))), 0, FINDING_OK,
         "1 of"},
        /* In one configuration, the order of the entries counts. */
        {LIST(
             CONFIGURATION("zz-capstan", OURS_AGAIN("IfNeeded") "," THEIR_DEPLOYMENTS("IfNeeded"))),
         0, FINDING_NOTE, "zz-capstan (x.example.com)"},
        {LIST(
             CONFIGURATION("zz-capstan", THEIR_DEPLOYMENTS("IfNeeded") "," OURS_AGAIN("IfNeeded"))),
         0, FINDING_OK, "1 of them"},
        /* If ours is not repeated, one that is repeated has the last word wherever it stands. */
        {LIST(CONFIGURATION("a", THEIR_DEPLOYMENTS("IfNeeded")) "," UNTIRED("Never")), 0,
         FINDING_NOTE, "a (x.example.com)"},
        {LIST(CONFIGURATION("a", THEIR_DEPLOYMENTS("Never")) "," UNTIRED("Never")), 0, FINDING_OK,
         "1 of"},
        {LIST(UNTIRED("Never") "," CONFIGURATION("zzz", THEIR_DEPLOYMENTS("Never"))), 0,
         FINDING_NOTE, "zzz (x.example.com)"},
        {LIST(UNTIRED("Never") "," CONFIGURATION("zzz", THEIR_DEPLOYMENTS("IfNeeded"))), 0,
         FINDING_NOTE, "zzz (x.example.com)"},
        /* Without our entries. */
        {LIST(CONFIGURATION("zzz", THEIR_DEPLOYMENTS("IfNeeded"))), 0, FINDING_NOTE, "no entry of"},
        {LIST(CONFIGURATION("zz-capstan", THEIR_DEPLOYMENTS("IfNeeded"))), 0, FINDING_NOTE,
         "no entry of"},
        {LIST(""), 0, FINDING_NOTE, "no entry of"},
        UNSEEN_LIST,
    };
    struct patient patient = unseen_patient();
    (void)state;
    patient.answers[QUESTION_MUTATIONS].status = 404;
    check_rows(checkup_last_word, QUESTION_CONFIGURATIONS, &patient, rows, COUNT_OF(rows));
}

static void test_checkup_neighbours__look_at_the_same_objects_alone(void **state) {
#define SEES(group, resource, operations) AFTER(THEIRS("IfNeeded", group, resource, operations))
    static const struct row rows[] = {
        {SEES("apps", "deployments", "'UPDATE'"), 0, FINDING_NOTE, "zz-d"},
        {SEES("apps", "deployments", "'DELETE'"), 0, FINDING_OK, "0 of"},
        {SEES("apps", "deployments", "'*'"), 0, FINDING_NOTE, "zz-d"},
        {SEES("apps", "deployments/scale", "'UPDATE'"), 0, FINDING_NOTE, "zz-d"},
        {SEES("apps", "deployments/*", "'UPDATE'"), 0, FINDING_NOTE, "zz-d"},
        {SEES("apps", "deployments/status", "'UPDATE'"), 0, FINDING_OK, "0 of"},
        {SEES("*", "*", "'*'"), 0, FINDING_NOTE, "zz-d"},
        {SEES("*", "*/*", "'*'"), 0, FINDING_NOTE, "zz-d"},
        {SEES("", "pods", "'CREATE'"), 0, FINDING_OK, "0 of"},
        {SEES("apps", "statefulsets", ALL), 0, FINDING_OK, "0 of"},
        {SEES("toolhive.stacklok.dev", "mcpservers", "'CREATE'"), 0, FINDING_NOTE, "zz-d"},
        {SEES("toolhive.stacklok.dev", "*", "'CREATE'"), 0, FINDING_NOTE, "zz-d"},
        {SEES("toolhive.stacklok.dev", "mcpservers/status", "'UPDATE'"), 0, FINDING_OK, "0 of"},
        {AFTER(ENTRY("x", THEIR_SERVICE, "IfNeeded", "'rules':[]")), 0, FINDING_OK, "0 of"},
        {AFTER(ENTRY("x", THEIR_SERVICE, "IfNeeded", "'rules':7")), 0, FINDING_OK, "0 of"},
        /* Each entry is named; Capstan under another name is not a neighbour. */
        {AFTER(THEIR_DEPLOYMENTS("IfNeeded") "," ENTRY("y.example.com", THEIR_SERVICE, "IfNeeded",
                                                       ON("apps", "*/scale", "'UPDATE'"))),
         0, FINDING_NOTE, "zz-d (x.example.com), zz-d (y.example.com)"},
        {AFTER(ENTRY("x", OUR_SERVICE, "IfNeeded", ON("apps", "deployments", ALL))), 0, FINDING_OK,
         "0 of"},
        /* Another Capstan is one. */
        {AFTER(ENTRY("deployments.capstan.dev", SERVICE("second", "capstan"), "IfNeeded",
                     ON("apps", "deployments", ALL))),
         0, FINDING_NOTE, "zz-d (deployments.capstan.dev)"},
    };
    struct patient patient = unseen_patient();
    (void)state;
    patient.answers[QUESTION_MUTATIONS].status = 404;
    check_rows(checkup_last_word, QUESTION_CONFIGURATIONS, &patient, rows, COUNT_OF(rows));
}

static void test_checkup_neighbours__judge_policies(void **state) {
#define POLICY(policy, rules)                                                                      \
    LIST("{'metadata':{'name':'p'},'spec':{'reinvocationPolicy':'" policy                          \
         "','matchConstraints':{'resource" rules "}}}")
#define BINDING(name) LIST("{'metadata':{'name':'b'},'spec':{'policyName':'" name "'}}")
#define DEPLOYMENTS                                                                                \
    "Rules':[{'apiGroups':['apps'],'apiVersions':['v1'],'operations':['*'],"                       \
    "'resources':['deployments']}]"
#define PODS                                                                                       \
    "Rules':[{'apiGroups':[''],'apiVersions':['v1'],'operations':['*'],"                           \
    "'resources':['pods']}]"
    static const struct {
        const char *ours;
        const char *policies;
        const char *bindings;
        int policies_status; /* without a list */
        int bindings_status;
        enum finding_level level;
        const char *piece;
    } rows[] = {
        /* Policies come before webhooks, in both rounds: ours has the last word if it is repeated.
         */
        {OURS, POLICY("IfNeeded", DEPLOYMENTS), BINDING("p"), 0, 0, FINDING_OK, "1 of them"},
        {OURS, POLICY("Never", DEPLOYMENTS), BINDING("p"), 0, 0, FINDING_OK, "1 of them"},
        {UNTIRED("Never"), POLICY("IfNeeded", DEPLOYMENTS), BINDING("p"), 0, 0, FINDING_NOTE,
         "what Capstan does: MutatingAdmissionPolicy p"},
        {UNTIRED("Never"), POLICY("Never", DEPLOYMENTS), BINDING("p"), 0, 0, FINDING_OK,
         "1 of them"},
        {UNTIRED("Never"), POLICY("IfNeeded", PODS), BINDING("p"), 0, 0, FINDING_OK, "0 of them"},
        /* Without rules, it is about everything. */
        {UNTIRED("Never"), POLICY("IfNeeded", "Rules':[]"), BINDING("p"), 0, 0, FINDING_NOTE,
         "MutatingAdmissionPolicy p"},
        /* Without a binding, it does nothing. */
        {UNTIRED("Never"), POLICY("IfNeeded", DEPLOYMENTS), BINDING("q"), 0, 0, FINDING_OK,
         "0 of them"},
        {UNTIRED("Never"), POLICY("IfNeeded", DEPLOYMENTS), LIST(""), 0, 0, FINDING_OK,
         "0 of them"},
        {OURS, LIST(""), LIST(""), 0, 0, FINDING_OK, "0 of them"},
        /* No false ok. */
        {OURS, NULL, NULL, 404, 0, FINDING_OK, "0 of them"},
        {OURS, NULL, NULL, 403, 0, FINDING_UNKNOWN,
         "MutatingAdmissionPolicies may not be looked at"},
        {OURS, NULL, NULL, 500, 0, FINDING_UNKNOWN, "500"},
        {OURS, NULL, NULL, 0, 0, FINDING_UNKNOWN, "no answer"},
        {OURS, "{}", LIST(""), 0, 0, FINDING_UNKNOWN, "cannot be read"},
        {OURS, LIST(""), NULL, 0, 403, FINDING_UNKNOWN, "Bindings may not be looked at"},
        {OURS, LIST(""), NULL, 0, 500, FINDING_UNKNOWN, "500"},
        {OURS, LIST(""), "7", 0, 0, FINDING_UNKNOWN, "cannot be read"},
        /* A neighbour is named though. */
        {OURS "," CONFIGURATION("zzz", THEIR_DEPLOYMENTS("IfNeeded")), NULL, NULL, 403, 0,
         FINDING_UNKNOWN, "zzz (x.example.com); MutatingAdmissionPolicies could not be looked at"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char list[4096];
        snprintf(list, sizeof(list), "{'items':[%s]}", rows[i].ours);
        AUTO(answer_fini) const struct answer all = answer_to(QUESTION_CONFIGURATIONS, list, 0);
        AUTO(answer_fini)
        const struct answer policies =
            answer_to(QUESTION_MUTATIONS, rows[i].policies, rows[i].policies_status);
        AUTO(answer_fini)
        const struct answer bindings =
            answer_to(QUESTION_BINDINGS, rows[i].bindings, rows[i].bindings_status);
        struct patient patient = patient_with(&all);
        struct finding finding = {.check = "x"};
        patient.answers[QUESTION_MUTATIONS] = policies;
        patient.answers[QUESTION_BINDINGS] = bindings;
        checkup_last_word(&patient, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

/* A list with ours and `n` neighbours that lead to our Service or not, with names of `size` bytes.
 */
static char *make_crowd(int n, size_t size, bool is_ours) {
    static const char format[] = ",{'metadata':{'name':'zzz-%03d%s'},'webhooks':[" ENTRY(
        "%s.example.com", "'clientConfig':{'service':{'namespace':'%s','name':'capstan'}}",
        "IfNeeded", ON("apps", "deployments", ALL)) "]}";
    char tail[256];
    size_t capacity = 8192 + (size_t)n * 1024;
    char *list = memory_new(capacity, 1);
    size_t used = (size_t)snprintf(list, capacity, "{'items':[" OURS);
    fill(tail, size - 7);
    for (int i = 0; i < n; i++) {
        used += (size_t)snprintf(list + used, capacity - used, format, i, tail, "x",
                                 is_ours ? "capstan-system" : "other");
    }
    snprintf(list + used, capacity - used, "]}");
    return list;
}

static void test_checkup_neighbours__names_are_never_cut(void **state) {
    static const struct {
        int n;
        size_t size;
        const char *end_of_leftover; /* of the message */
        const char *end_of_last_word;
    } rows[] = {
        {3, 253, "x", "(x.example.com)"},
        {4, 253, "x and 1 more", "(x.example.com) and 1 more"},
        {200, 253, "x and 197 more", "(x.example.com) and 197 more"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int is_ours = 0; is_ours <= 1; is_ours++) {
            AUTO_FREE char *list = make_crowd(rows[i].n, rows[i].size, is_ours);
            AUTO(answer_fini)
            const struct answer answer = answer_to(QUESTION_CONFIGURATIONS, list, 0);
            const struct patient patient = patient_with(&answer);
            const char *end = is_ours ? rows[i].end_of_leftover : rows[i].end_of_last_word;
            struct finding finding = {.check = "x"};
            (is_ours ? checkup_leftover : checkup_last_word)(&patient, &finding);
            size_t size = strlen(finding.message);
            assert_true(size > strlen(end) && size < sizeof(finding.message) - 1);
            assert_string_equal(finding.message + size - strlen(end), end);
            assert_int_equal(strlen(finding.other) % (rows[i].size + 1),
                             is_ours ? rows[i].size : 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkup_neighbours__find_what_an_older_version_left),
        cmocka_unit_test(test_checkup_neighbours__name_the_command_that_removes_it),
        cmocka_unit_test(test_checkup_neighbours__judge_who_has_the_last_word),
        cmocka_unit_test(test_checkup_neighbours__look_at_the_same_objects_alone),
        cmocka_unit_test(test_checkup_neighbours__judge_policies),
        cmocka_unit_test(test_checkup_neighbours__names_are_never_cut),
    };
    return cmocka_run_group_tests_name("core/checkup_neighbours", tests, NULL, NULL);
}
