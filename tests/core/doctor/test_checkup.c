// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checkup_fixtures.h"

#define DAY INT64_C(86400)

/* 2026-11-23T00:00:00Z */
#define NOW INT64_C(1795392000)

#define RESOURCES(name) "{'resources':[{'name':'" name "'}]}"
#define FAMILY          RESOURCES("mcpservers'},{'name':'mcpremoteproxies'},{'name':'virtualmcpservers")

static void test_checkup__reads_the_definition(void **state) {
#define DEFINITION(versions)                                                                       \
    "{'kind':'CustomResourceDefinition','spec':{'versions':[" versions "]}}"
#define SERVED(name, list_type)                                                                    \
    "{'name':'" name "','served':true,'schema':{'openAPIV3Schema':{'properties':{'status':{"       \
    "'properties':{'conditions':{'type':'array'" list_type "}}}}}}}"
#define MAP ",'x-kubernetes-list-map-keys':['type'],'x-kubernetes-list-type':'map'"
    static const struct row rows[] = {
        {DEFINITION(SERVED("v1alpha1", MAP)), 0, FINDING_PROBLEM, "in no version"},
        {DEFINITION(SERVED("v1alpha1", MAP) "," SERVED("v1beta1", MAP)), 0, FINDING_OK, "v1beta1"},
        {DEFINITION(SERVED("v1beta1", "")), 0, FINDING_NOTE, "written whole"},
        {DEFINITION(SERVED("v2", MAP)), 0, FINDING_PROBLEM, "in no version"},
        {DEFINITION(""), 0, FINDING_PROBLEM, "in no version"},
        {"[]", 0, FINDING_UNKNOWN, "cannot be read"},
        {"{", 0, FINDING_UNKNOWN, "cannot be read"},
        UNSEEN(FINDING_PROBLEM),
    };
    AUTO(answer_fini)
    const struct answer group =
        answer_to(QUESTION_GROUP, "{'versions':[{'version':'v1beta1'},{'version':'v1alpha1'}]}", 0);
    AUTO(answer_fini) const struct answer list = answer_to(QUESTION_RESOURCES, FAMILY, 0);
    struct patient patient = unseen_patient();
    (void)state;
    patient.answers[QUESTION_GROUP] = group;
    patient.answers[QUESTION_RESOURCES] = list;
    check_rows(checkup_definition, QUESTION_DEFINITION, &patient, rows, COUNT_OF(rows));
}

/* Each kind comes with the first version that has it. */
static void test_checkup__finds_each_kind_in_the_lists_of_resources(void **state) {
    static const struct {
        const char *lists[2]; /* of v1beta1 and v1alpha1; NULL: the answer is `status` */
        int status;
        enum finding_level level;
        const char *piece;
    } rows[] = {
        {{FAMILY, NULL}, 403, FINDING_OK, "as v1beta1; mcpremoteproxies as v1beta1; virtualmcp"},
        {{RESOURCES("mcpservers"), RESOURCES("mcpremoteproxies")},
         0,
         FINDING_OK,
         "MCPServers are served as v1beta1; mcpremoteproxies as v1alpha1; virtualmcpservers are "
         "not installed"},
        {{RESOURCES("mcpremoteproxies"), RESOURCES("mcpservers")},
         0,
         FINDING_OK,
         "MCPServers are served as v1alpha1; mcpremoteproxies as v1beta1"},
        {{NULL, RESOURCES("mcpservers")}, 404, FINDING_OK, "MCPServers are served as v1alpha1"},
        {{RESOURCES("mcpservers"), NULL}, 404, FINDING_OK, "mcpremoteproxies are not installed"},
        {{RESOURCES("mcpservers"), NULL}, 403, FINDING_UNKNOWN, "the right to get /apis/*"},
        {{RESOURCES("mcpservers"), NULL}, 503, FINDING_UNKNOWN, "503"},
        {{RESOURCES("mcpservers"), NULL}, 0, FINDING_UNKNOWN, "no answer"},
        {{RESOURCES("mcpservers"), "{}"}, 0, FINDING_UNKNOWN, "cannot be read"},
        {{RESOURCES("mcpservers"), "{'resources':null}"}, 0, FINDING_OK, "are not installed"},
        {{RESOURCES("mcpserver"), RESOURCES("mcpservers/status")}, 0, FINDING_PROBLEM, "in no ver"},
        {{NULL, NULL}, 404, FINDING_PROBLEM, "MCPServers are served in no version"},
    };
    AUTO(answer_fini)
    const struct answer group =
        answer_to(QUESTION_GROUP, "{'versions':[{'version':'v1alpha1'},{'version':'v1beta1'}]}", 0);
    AUTO(answer_fini)
    const struct answer definition = answer_to(
        QUESTION_DEFINITION, DEFINITION(SERVED("v1alpha1", MAP) "," SERVED("v1beta1", MAP)), 0);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini)
        const struct answer one = answer_to(QUESTION_RESOURCES, rows[i].lists[0], rows[i].status);
        AUTO(answer_fini)
        const struct answer other = answer_to(QUESTION_RESOURCES, rows[i].lists[1], rows[i].status);
        struct patient patient = unseen_patient();
        struct finding finding = {.check = "x"};
        patient.answers[QUESTION_GROUP] = group;
        patient.answers[QUESTION_RESOURCES] = one;
        patient.answers[QUESTION_RESOURCES + 1] = other;
        patient.answers[QUESTION_DEFINITION] = definition;
        checkup_definition(&patient, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

static void test_checkup__reads_the_operators(void **state) {
    static const struct row rows[] = {
        {"{'items':[]}", 0, FINDING_NOTE, "no ToolHive operator"},
        {"{'items':[{'metadata':{'labels':{'app.kubernetes.io/version':'v0.23.1'}}}]}", 0,
         FINDING_NOTE, "ToolHive operator v0.23.1 runs"},
        {"{'items':[{'metadata':{}}]}", 0, FINDING_NOTE, "of unknown version"},
        {"{'items':null}", 0, FINDING_NOTE, "no ToolHive operator"},
        {"7", 0, FINDING_UNKNOWN, "cannot be read"},
        {"{}", 0, FINDING_UNKNOWN, "cannot be read"},
        {"{'items':{}}", 0, FINDING_UNKNOWN, "cannot be read"},
        UNSEEN(FINDING_UNKNOWN),
    };
    struct patient patient = unseen_patient();
    (void)state;
    check_rows(checkup_operator, QUESTION_OPERATORS, &patient, rows, COUNT_OF(rows));
}

static void test_checkup__reads_the_lease(void **state) {
#define LEASE(holder, duration, time)                                                              \
    "{'spec':{'holderIdentity':" holder ",'leaseDurationSeconds':" duration ",'renewTime':" time   \
    "}}"
#define AT(time) "'2026-11-2" time ".000000Z'"
    static const struct row rows[] = {
        {LEASE("'a_1'", "15", AT("2T23:59:00")), 0, FINDING_OK, "a_1 leads"},
        {LEASE("'a_1'", "15", AT("2T23:58:59")), 0, FINDING_PROBLEM,
         "nobody leads, so nobody writes: the Lease was last renewed 2026-11-22T23:58:59"},
        /* Another holder may take more time. */
        {LEASE("'a_1'", "60", AT("2T23:58:15")), 0, FINDING_OK, "a_1 leads"},
        {LEASE("'a_1'", "60", AT("2T23:58:14")), 0, FINDING_PROBLEM, "nobody leads"},
        {LEASE("'a_1'", "9999999", AT("2T22:59:15")), 0, FINDING_OK, "a_1 leads"},
        {LEASE("'a_1'", "9999999", AT("2T22:59:14")), 0, FINDING_PROBLEM, "nobody leads"},
        /* The clock of this machine may be behind. */
        {LEASE("'a_1'", "15", AT("3T00:10:00")), 0, FINDING_OK, "a_1 leads"},
        /* Somebody released it: another takes it soon. */
        {LEASE("''", "1", AT("2T23:59:00")), 0, FINDING_NOTE, "nobody leads just now"},
        {LEASE("''", "1", AT("2T23:58:59")), 0, FINDING_PROBLEM, "nobody leads"},
        {LEASE("null", "1", AT("3T00:00:00")), 0, FINDING_NOTE, "nobody leads just now"},
        {LEASE("'a_1'", "0", AT("3T00:00:00")), 0, FINDING_NOTE, "nobody leads just now"},
        {LEASE("'a_1'", "15", "null"), 0, FINDING_PROBLEM, "never"},
        {LEASE("'a_1'", "15", "'soon'"), 0, FINDING_PROBLEM, "never"},
        {LEASE("7", "15", "null"), 0, FINDING_PROBLEM, "holderIdentity"},
        UNSEEN(FINDING_NOTE),
    };
    struct patient patient = unseen_patient();
    (void)state;
    patient.now = NOW;
    check_rows(checkup_leader, QUESTION_LEASE, &patient, rows, COUNT_OF(rows));
}

static void test_checkup__looks_for_somebody_behind_the_service(void **state) {
#define CLUSTER_IP(ports)       "{'spec':{'type':'ClusterIP','clusterIP':'10.0.0.1','ports':[" ports "]}}"
#define NAMED                   CLUSTER_IP("{'name':'other','port':80},{'name':'webhook','port':443}")
#define SLICE(endpoints, ports) "{'endpoints':[" endpoints "],'ports':[" ports "]}"
#define READY                   "{'addresses':['10.1.0.1'],'conditions':{'ready':true}}"
#define UNREADY                 "{'addresses':['10.1.0.2'],'conditions':{'ready':false}}"
#define PORT                    "{'name':'webhook','port':9443}"
#define LIST(slices)            "{'items':[" slices "]}"
    static const struct {
        const char *service;
        const char *slices;
        enum finding_level level;
        const char *piece;
    } rows[] = {
        {NAMED, LIST(SLICE(READY, PORT)), FINDING_OK, "1 endpoints that are ready"},
        {NAMED, LIST(SLICE(UNREADY, PORT)), FINDING_PROBLEM, "nobody is behind"},
        {NAMED, LIST(SLICE(UNREADY, PORT) "," SLICE(READY "," READY, PORT)), FINDING_OK, "2 end"},
        {NAMED, LIST(SLICE("{'addresses':['fd00::1']}", PORT)), FINDING_OK, "1 end"},
        {NAMED, LIST(SLICE("{'addresses':['a'],'conditions':{'ready':null}}", PORT)), FINDING_OK,
         "1 end"},
        {NAMED, LIST(SLICE("{'conditions':{'ready':true}}", PORT)), FINDING_PROBLEM, "nobody"},
        {NAMED, LIST(SLICE("", PORT)), FINDING_PROBLEM, "nobody is behind"},
        {NAMED, LIST(""), FINDING_PROBLEM, "nobody is behind"},
        {NAMED, "{'items':null}", FINDING_PROBLEM, "nobody is behind"},
        {NAMED, LIST(SLICE(READY, "")), FINDING_PROBLEM, "has the port 'webhook'"},
        {NAMED, LIST(SLICE(READY, "{'name':'other','port':80}")), FINDING_PROBLEM, "'webhook'"},
        {NAMED, LIST(SLICE(READY, "{'name':'webhook','port':null}")), FINDING_PROBLEM, "'webhook'"},
        /* The only port of a Service needs no name. */
        {CLUSTER_IP("{'port':443}"), LIST(SLICE(READY, "{'name':'','port':9443}")), FINDING_OK, ""},
        {CLUSTER_IP("{'port':443}"), LIST(SLICE(READY, "{'port':9443}")), FINDING_OK, ""},
        {NAMED, "{}", FINDING_UNKNOWN, "cannot be read"},
        {NAMED, NULL, FINDING_UNKNOWN, "404"},
        {"{'spec':{'type':'ClusterIP','clusterIP':'None'}}", "{}", FINDING_PROBLEM, "headless"},
        {"{'spec':{'type':'ExternalName'}}", NULL, FINDING_UNKNOWN, "out of the cluster"},
        {NULL, NULL, FINDING_PROBLEM, "the Service is not there"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini)
        const struct answer service = answer_to(QUESTION_SERVICE, rows[i].service, 404);
        AUTO(answer_fini)
        const struct answer slices = answer_to(QUESTION_SLICES, rows[i].slices, 404);
        struct patient patient = unseen_patient();
        struct finding finding = {.check = "x"};
        patient.answers[QUESTION_SERVICE] = service;
        patient.answers[QUESTION_SLICES] = slices;
        checkup_service(&patient, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

static void test_checkup__wants_two_replicas_where_it_fails_closed(void **state) {
#define POLICY_OF(service, policy)                                                                 \
    "{'webhooks':[{'name':'a','failurePolicy':'" policy                                            \
    "','clientConfig':{'service':{'name':'" service "','namespace':'capstan-system'}}}]}"
#define POLICY(policy) POLICY_OF("capstan", policy)
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
        /* Somebody else's. */
        {"{'spec':{'replicas':1}}", POLICY_OF("other", "Fail"), FINDING_NOTE, "1 replica"},
        {"{'spec':{'replicas':0}}", POLICY("Fail"), FINDING_PROBLEM, "nobody answers"},
        {"{'spec':{'replicas':0}}", POLICY("Ignore"), FINDING_PROBLEM, "nobody answers"},
        {"{'spec':{'replicas':1}}", NULL, FINDING_UNKNOWN, "may not be looked at"},
        {NULL, POLICY("Fail"), FINDING_PROBLEM, "the Deployment is not there"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini)
        const struct answer deployment = answer_to(QUESTION_DEPLOYMENT, rows[i].deployment, 404);
        AUTO(answer_fini)
        const struct answer configuration =
            answer_to(QUESTION_CONFIGURATION, rows[i].configuration, 403);
        struct patient patient = unseen_patient();
        struct finding finding = {.check = "x"};
        patient.answers[QUESTION_DEPLOYMENT] = deployment;
        patient.answers[QUESTION_CONFIGURATION] = configuration;
        checkup_deployment(&patient, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

/* In place of a certificate, the Secret has its begin and its end. */
static bool read_life(const char *chain_pem, int64_t *ret_not_before, int64_t *ret_not_after,
                      struct error *error) {
    return sscanf(chain_pem, "%" SCNd64 " %" SCNd64, ret_not_before, ret_not_after) == 2 ||
           error_set(error, ERROR_INVALID, "no certificate");
}

static void test_checkup__goes_by_the_life_of_a_certificate(void **state) {
    static const struct checkup_tools tools = {.read_life = read_life};
    static const struct {
        int64_t life;
        int64_t left;
        enum finding_level level;
        const char *piece;
    } rows[] = {
        {90 * DAY, 90 * DAY + 1, FINDING_PROBLEM, "begins in the future, on 2026-11-23T00:00:01Z"},
        {90 * DAY, 90 * DAY, FINDING_OK, "another 90 days"},
        {90 * DAY, 30 * DAY, FINDING_OK, "another 30 days"},
        {90 * DAY, 30 * DAY - 1, FINDING_NOTE, "in 29 days"},
        {90 * DAY, 3 * DAY, FINDING_NOTE, "in 3 days"},
        {90 * DAY, 3 * DAY - 1, FINDING_PROBLEM, "in 2 days, and nobody renewed it"},
        {90 * DAY, 1, FINDING_PROBLEM, "in 0 hours"},
        {90 * DAY, 0, FINDING_PROBLEM, "it expired on 2026-11-23T00:00:00Z"},
        {90 * DAY, -DAY, FINDING_PROBLEM, "it expired on 2026-11-22T00:00:00Z"},
        /* A day, as Vault, step-ca and cert-manager may make it. */
        {DAY, DAY, FINDING_OK, "another 24 hours"},
        {DAY, DAY / 3, FINDING_OK, "another 8 hours"},
        {DAY, DAY / 3 - 1, FINDING_NOTE, "in 7 hours"},
        {DAY, DAY / 10, FINDING_NOTE, "in 2 hours"},
        {DAY, DAY / 10 - 1, FINDING_PROBLEM, "nobody renewed it"},
        {365 * DAY, 30 * DAY, FINDING_OK, "another 30 days"},
        {365 * DAY, 30 * DAY - 1, FINDING_NOTE, "in 29 days"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer secret;
        AUTO_FREE char *life = memory_format("%" PRId64 " %" PRId64,
                                             NOW + rows[i].left - rows[i].life, NOW + rows[i].left);
        struct patient patient = unseen_patient();
        struct finding finding = {.check = "x"};
        buffer_init(&secret, 1024);
        buffer_add_text(&secret, "{\"kind\":\"Secret\",\"data\":{\"tls.crt\":\"");
        buffer_add_base64(&secret, life, strlen(life));
        buffer_add_text(&secret, "\"}}");
        patient.now = NOW;
        patient.tools = &tools;
        patient.answers[QUESTION_SECRET] =
            (struct answer){.status = 200, .json = buffer_text(&secret), .size = secret.size};
        checkup_life(&patient, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkup__reads_the_definition),
        cmocka_unit_test(test_checkup__finds_each_kind_in_the_lists_of_resources),
        cmocka_unit_test(test_checkup__reads_the_operators),
        cmocka_unit_test(test_checkup__reads_the_lease),
        cmocka_unit_test(test_checkup__goes_by_the_life_of_a_certificate),
        cmocka_unit_test(test_checkup__looks_for_somebody_behind_the_service),
        cmocka_unit_test(test_checkup__wants_two_replicas_where_it_fails_closed),
    };
    return cmocka_run_group_tests_name("core/checkup", tests, NULL, NULL);
}
