// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "checkup_fixtures.h"

static struct answer answer_of(const char *json) {
    return (struct answer){.status = 200, .json = json, .size = strlen(json)};
}

static void test_checkup_rights__reads_a_review_of_rights(void **state) {
    static const struct {
        const char *json;
        enum checkup_grant grant;
    } rows[] = {
        {"{'status':{'allowed':true}}", CHECKUP_GRANTED},
        {"{'status':{'allowed':false}}", CHECKUP_REFUSED},
        {"{'status':{'allowed':'true'}}", CHECKUP_UNASKED},
        {"{'status':{}}", CHECKUP_UNASKED},
        {"{'spec':{'allowed':true}}", CHECKUP_UNASKED},
        {"{", CHECKUP_UNASKED},
        {"", CHECKUP_UNASKED},
    };
    const struct answer refusal = {.status = 403, .json = "{\"status\":{\"allowed\":true}}"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        const struct answer review = answer_of(json);
        assert_int_equal(checkup_read_grant(&review), rows[i].grant);
    }
    assert_int_equal(checkup_read_grant(&refusal), CHECKUP_UNASKED);
}

static void test_checkup_rights__knows_who_asks(void **state) {
    static const struct {
        const char *json;
        bool is_user;
    } rows[] = {
        {"{'status':{'userInfo':{'username':'a:b'}}}", true},
        {"{'status':{'userInfo':{'username':'a:bc'}}}", false},
        {"{'status':{'userInfo':{}}}", false},
        {"{", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        const struct answer review = answer_of(json);
        assert_int_equal(checkup_is_user(&review, "a:b"), rows[i].is_user);
    }
}

/* A Deployment with these arguments and this ServiceAccount. */
#define DEPLOYMENT(arguments, account)                                                             \
    "{'spec':{'template':{'spec':{" account "'containers':[{'args':[" arguments "]}]}}}}"

static void test_checkup_rights__are_those_of_the_service_account(void **state) {
    static const struct {
        const char *json; /* NULL: the Deployment may not be looked at */
        const char *account;
    } rows[] = {
        {DEPLOYMENT("", "'serviceAccountName':'other',"),
         "system:serviceaccount:capstan-system:other"},
        {DEPLOYMENT("", ""), "system:serviceaccount:capstan-system:default"},
        {NULL, "system:serviceaccount:capstan-system:capstan"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini)
        const struct answer answer = answer_to(QUESTION_DEPLOYMENT, rows[i].json, 403);
        AUTO(buffer_fini) struct buffer account;
        struct patient patient = unseen_patient();
        buffer_init(&account, 1024);
        patient.answers[QUESTION_DEPLOYMENT] = answer;
        checkup_add_account(&patient, &account);
        assert_string_equal(buffer_text(&account), rows[i].account);
    }
}

static size_t count(const struct checkup_ask *asks, size_t n_asks, const char *resource,
                    const char *namespace) {
    size_t n = 0;
    for (size_t i = 0; i < n_asks; i++) {
        n += strcmp(checkup_resource_of(asks[i].right), resource) == 0 &&
             strcmp(asks[i].namespace, namespace) == 0;
    }
    return n;
}

static void test_checkup_rights__are_those_that_the_flags_need(void **state) {
    static const struct {
        const char *arguments;
        size_t n_secrets;
        size_t n_servers;    /* in all namespaces */
        size_t n_servers_in; /* in the namespace "a" */
    } rows[] = {
        {"'serve'", 4, 5, 0},
        {"'--webhook-cert-path=/x'", 0, 5, 0},
        {"'--webhook-cert-path','/x'", 0, 5, 0},
        {"'--watch-namespace=b','--watch-namespace','a'", 4, 0, 5},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *text = memory_format(DEPLOYMENT("%s", ""), rows[i].arguments);
        AUTO(answer_fini) const struct answer answer = answer_to(QUESTION_DEPLOYMENT, text, 0);
        struct checkup_ask asks[CHECKUP_ASKS_MAX];
        struct patient patient = unseen_patient();
        patient.answers[QUESTION_DEPLOYMENT] = answer;
        size_t n_asks = checkup_list_asks(&patient, asks);
        assert_int_equal(count(asks, n_asks, "secrets", "capstan-system"), rows[i].n_secrets);
        assert_int_equal(count(asks, n_asks, "mcpservers", ""), rows[i].n_servers);
        assert_int_equal(count(asks, n_asks, "mcpservers", "a"), rows[i].n_servers_in);
        assert_int_equal(count(asks, n_asks, "leases", "capstan-system"), 3);
        assert_int_equal(count(asks, n_asks, "customresourcedefinitions", ""), 1);
    }
}

/* Namespaces that were not asked about are not well. */
static void test_checkup_rights__are_asked_about_in_64_namespaces_and_not_one_more(void **state) {
    (void)state;
    for (int n = 64; n <= 65; n++) {
        AUTO(buffer_fini) struct buffer arguments;
        struct checkup_ask asks[CHECKUP_ASKS_MAX];
        struct patient patient = unseen_patient();
        struct finding finding = {.check = "x"};
        buffer_init(&arguments, 4096);
        for (int i = 1; i <= n; i++) {
            buffer_add_format(&arguments, "%s'--watch-namespace=n%d'", i > 1 ? "," : "", i);
        }
        AUTO_FREE char *text = memory_format(DEPLOYMENT("%s", ""), buffer_text(&arguments));
        AUTO(answer_fini) const struct answer answer = answer_to(QUESTION_DEPLOYMENT, text, 0);
        patient.answers[QUESTION_DEPLOYMENT] = answer;
        for (size_t i = 0; i < CHECKUP_ASKS_MAX; i++) {
            patient.grants[i] = CHECKUP_GRANTED;
        }
        size_t n_asks = checkup_list_asks(&patient, asks);
        assert_int_equal(count(asks, n_asks, "mcpservers", "n64"), 5);
        assert_int_equal(count(asks, n_asks, "mcpservers", "n65"), 0);
        checkup_grants(&patient, &finding);
        assert_finding(&finding, n == 64 ? FINDING_OK : FINDING_UNKNOWN,
                       n == 64 ? "has all the rights" : "doctor asked about no more");
    }
}

static void test_checkup_rights__says_what_is_missing(void **state) {
    struct patient patient = unseen_patient();
    struct finding finding = {.check = "x"};
    (void)state;
    for (size_t i = 0; i < CHECKUP_ASKS_MAX; i++) {
        patient.grants[i] = CHECKUP_GRANTED;
    }
    checkup_grants(&patient, &finding);
    assert_finding(&finding, FINDING_OK, "capstan-system:capstan has all the rights");
    /* A missing right weighs more than one that could not be asked about. */
    patient.grants[13] = CHECKUP_UNASKED;
    patient.grants_status = 403;
    checkup_grants(&patient, &finding);
    assert_finding(&finding, FINDING_UNKNOWN, "the right to create subjectaccessreviews");
    patient.grants_status = 0;
    checkup_grants(&patient, &finding);
    assert_finding(&finding, FINDING_UNKNOWN, "no answer");
    patient.grants_status = 200;
    checkup_grants(&patient, &finding);
    assert_finding(&finding, FINDING_UNKNOWN, "cannot be read");
    patient.grants_status = 500;
    checkup_grants(&patient, &finding);
    assert_finding(&finding, FINDING_UNKNOWN, "500");
    patient.grants[12] = CHECKUP_REFUSED;
    checkup_grants(&patient, &finding);
    assert_finding(&finding, FINDING_PROBLEM, "capstan may not: patch mcpservers/status");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkup_rights__reads_a_review_of_rights),
        cmocka_unit_test(test_checkup_rights__knows_who_asks),
        cmocka_unit_test(test_checkup_rights__are_those_of_the_service_account),
        cmocka_unit_test(test_checkup_rights__are_those_that_the_flags_need),
        cmocka_unit_test(test_checkup_rights__are_asked_about_in_64_namespaces_and_not_one_more),
        cmocka_unit_test(test_checkup_rights__says_what_is_missing),
    };
    return cmocka_run_group_tests_name("core/checkup_rights", tests, NULL, NULL);
}
