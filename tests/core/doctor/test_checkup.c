// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checkup_fixtures.h"

#define DAY INT64_C(86400)

/* 2026-11-23T00:00:00Z */
#define NOW INT64_C(1795392000)

static void test_checkup__reads_the_definition(void **state) {
#define DEFINITION(versions)                                                                       \
    "{'kind':'CustomResourceDefinition','spec':{'versions':[" versions "]}}"
#define SERVED(name, list_type)                                                                    \
    "{'name':'" name "','served':true,'schema':{'openAPIV3Schema':{'properties':{'status':{"       \
    "'properties':{'conditions':{'type':'array'" list_type "}}}}}}}"
#define MAP ",'x-kubernetes-list-map-keys':['type'],'x-kubernetes-list-type':'map'"
    static const struct row rows[] = {
        {DEFINITION(SERVED("v1alpha1", MAP)), 0, FINDING_OK, "v1alpha1"},
        {DEFINITION(SERVED("v1alpha1", MAP) "," SERVED("v1beta1", MAP)), 0, FINDING_OK, "v1beta1"},
        {DEFINITION(SERVED("v1beta1", "")), 0, FINDING_NOTE, "written whole"},
        {DEFINITION(SERVED("v2", MAP)), 0, FINDING_PROBLEM, "neither"},
        {DEFINITION(""), 0, FINDING_PROBLEM, "neither"},
        {"[]", 0, FINDING_PROBLEM, "neither"},
        {"{", 0, FINDING_PROBLEM, "neither"},
        UNSEEN(FINDING_PROBLEM),
    };
    (void)state;
    check_rows(checkup_definition, rows, COUNT_OF(rows));
}

static void test_checkup__reads_the_operators(void **state) {
    static const struct row rows[] = {
        {"{'items':[]}", 0, FINDING_NOTE, "no ToolHive operator"},
        {"{'items':[{'metadata':{'labels':{'app.kubernetes.io/version':'v0.23.1'}}}]}", 0,
         FINDING_NOTE, "ToolHive operator v0.23.1 runs"},
        {"{'items':[{'metadata':{}}]}", 0, FINDING_NOTE, "of unknown version"},
        {"7", 0, FINDING_NOTE, "no ToolHive operator"},
        {NULL, 403, FINDING_NOTE, "may not be looked at"},
    };
    (void)state;
    check_rows(checkup_operator, rows, COUNT_OF(rows));
}

static void check_lease(const struct checkup_answer *answer, struct finding *finding) {
    checkup_lease(answer, NOW, finding);
}

static void test_checkup__reads_the_lease(void **state) {
    static const struct row rows[] = {
        {"{'spec':{'holderIdentity':'a_1','renewTime':'2026-11-22T23:59:00.000000Z'}}", 0,
         FINDING_OK, "a_1 leads"},
        {"{'spec':{'holderIdentity':'a_1','renewTime':'2026-11-22T23:58:59.000000Z'}}", 0,
         FINDING_NOTE, "nobody leads: the Lease was last renewed 2026-11-22T23:58:59"},
        {"{'spec':{'holderIdentity':'','renewTime':'2026-11-23T00:00:00.000000Z'}}", 0,
         FINDING_NOTE, "nobody leads"},
        {"{'spec':{'holderIdentity':'a_1'}}", 0, FINDING_NOTE, "never"},
        {"{'spec':{'holderIdentity':'a_1','renewTime':'soon'}}", 0, FINDING_NOTE, "never"},
        UNSEEN(FINDING_NOTE),
    };
    (void)state;
    check_rows(check_lease, rows, COUNT_OF(rows));
}

static void test_checkup__judges_the_life_that_a_certificate_has_left(void **state) {
    static const struct {
        int64_t life;
        int64_t left;
        enum finding_level level;
        const char *piece;
    } rows[] = {
        {366 * DAY, 365 * DAY, FINDING_OK, "another 365 days"},
        {366 * DAY, 30 * DAY, FINDING_OK, "another 30 days"},
        {366 * DAY, 30 * DAY - 1, FINDING_NOTE, "in 29 days"},
        {366 * DAY, 3 * DAY, FINDING_NOTE, "in 3 days"},
        {366 * DAY, 3 * DAY - 1, FINDING_PROBLEM, "in 2 days: less than a tenth"},
        {366 * DAY, 1, FINDING_PROBLEM, "in 0 hours: less than a tenth"},
        {366 * DAY, 0, FINDING_PROBLEM, "it expired on 2026-11-23T00:00:00Z"},
        {366 * DAY, -DAY, FINDING_PROBLEM, "it expired on 2026-11-22T00:00:00Z"},
        {DAY, DAY, FINDING_OK, "another 24 hours"},
        {DAY, DAY / 3, FINDING_OK, "another 8 hours"},
        {DAY, DAY / 3 - 1, FINDING_NOTE, "in 7 hours"},
        {DAY, DAY / 10, FINDING_NOTE, "in 2 hours"},
        {DAY, DAY / 10 - 1, FINDING_PROBLEM, "in 2 hours: less than a tenth"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct finding finding = {.check = "x"};
        int64_t ends = NOW + rows[i].left;
        checkup_certificate(ends - rows[i].life, ends, NOW, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

static void test_checkup__looks_for_somebody_behind_the_service(void **state) {
#define CLUSTER_IP "{'spec':{'type':'ClusterIP','clusterIP':'10.0.0.1'}}"
    static const struct {
        const char *service;
        const char *endpoints;
        enum finding_level level;
        const char *piece;
    } rows[] = {
        {CLUSTER_IP, "{'subsets':[{'addresses':[{'ip':'10.1.0.1'}]}]}", FINDING_OK, "ready"},
        {CLUSTER_IP, "{'subsets':[{'notReadyAddresses':[{'ip':'10.1.0.1'}]}]}", FINDING_PROBLEM,
         "nobody is behind"},
        {CLUSTER_IP, "{'subsets':[]}", FINDING_PROBLEM, "nobody is behind"},
        {CLUSTER_IP, "{'subsets':[{'addresses':[]}]}", FINDING_PROBLEM, "nobody is behind"},
        {CLUSTER_IP, "{'subsets':[{'addresses':[]},{'addresses':[{}]}]}", FINDING_OK, "ready"},
        {CLUSTER_IP, "{}", FINDING_PROBLEM, "nobody is behind"},
        {CLUSTER_IP, NULL, FINDING_PROBLEM, "endpoints is not there"},
        {"{'spec':{'type':'ClusterIP','clusterIP':'None'}}", "{}", FINDING_PROBLEM, "headless"},
        {"{'spec':{'type':'ExternalName'}}", NULL, FINDING_NOTE, "out of the cluster"},
        {NULL, NULL, FINDING_PROBLEM, "the Service is not there"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini) const struct checkup_answer service = answer_of(rows[i].service, 404);
        AUTO(answer_fini) const struct checkup_answer endpoints = answer_of(rows[i].endpoints, 404);
        struct finding finding = {.check = "x"};
        checkup_service(&service, &endpoints, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

static void test_checkup__wants_two_replicas_where_it_fails_closed(void **state) {
#define POLICY(policy) "{'webhooks':[{'name':'a','failurePolicy':'" policy "','clientConfig':{}}]}"
    static const struct {
        const char *deployment;
        const char *configuration;
        enum finding_level level;
        const char *piece;
    } rows[] = {
        {"{'spec':{'replicas':2},'status':{'readyReplicas':2}}", POLICY("Fail"), FINDING_OK,
         "2 of 2"},
        {"{'spec':{'replicas':2},'status':{'readyReplicas':1}}", POLICY("Fail"), FINDING_NOTE,
         "1 of 2"},
        {"{'spec':{'replicas':2},'status':{}}", POLICY("Ignore"), FINDING_NOTE, "0 of 2"},
        {"{'spec':{'replicas':1},'status':{'readyReplicas':1}}", POLICY("Fail"), FINDING_PROBLEM,
         "each restart"},
        {"{'spec':{'replicas':1},'status':{'readyReplicas':1}}", POLICY("Ignore"), FINDING_NOTE,
         "1 replica"},
        {"{'spec':{},'status':{'readyReplicas':1}}", POLICY("Fail"), FINDING_PROBLEM, "with 1"},
        {"{'spec':{'replicas':0}}", POLICY("Fail"), FINDING_PROBLEM, "with 0"},
        {"{'spec':{'replicas':1}}", NULL, FINDING_NOTE, "1 replica"},
        {NULL, POLICY("Fail"), FINDING_PROBLEM, "the Deployment is not there"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini)
        const struct checkup_answer deployment = answer_of(rows[i].deployment, 404);
        AUTO(answer_fini)
        const struct checkup_answer configuration = answer_of(rows[i].configuration, 404);
        struct finding finding = {.check = "x"};
        checkup_deployment(&deployment, &configuration, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkup__reads_the_definition),
        cmocka_unit_test(test_checkup__reads_the_operators),
        cmocka_unit_test(test_checkup__reads_the_lease),
        cmocka_unit_test(test_checkup__judges_the_life_that_a_certificate_has_left),
        cmocka_unit_test(test_checkup__looks_for_somebody_behind_the_service),
        cmocka_unit_test(test_checkup__wants_two_replicas_where_it_fails_closed),
    };
    return cmocka_run_group_tests_name("core/checkup", tests, NULL, NULL);
}
