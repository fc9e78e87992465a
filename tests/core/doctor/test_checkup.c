// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core_fixtures.h"
#include "core/doctor/checkup.h"

#define DAY INT64_C(86400)

/* 2026-11-23T00:00:00Z */
#define NOW INT64_C(1795392000)

static const struct checkup_names names = {
    .namespace = "capstan-system", .service = "capstan", .configuration = "capstan"};

/* Answers with 200 and make_json(text). Without a text, answers with `status`. Free its json. */
static struct checkup_answer answer_of(const char *text, int status) {
    char *json = make_json(text != NULL ? text : "");
    return (struct checkup_answer){
        .status = text != NULL ? 200 : status, .json = json, .size = strlen(json)};
}

static void answer_fini(const struct checkup_answer *answer) {
    free((char *)answer->json);
}

static void assert_finding(const struct finding *finding, enum finding_level level,
                           const char *piece) {
    if (finding->level != level || strstr(finding->message, piece) == NULL) {
        fail_msg("expected level %d with '%s', but level %d: %s", level, piece, finding->level,
                 finding->message);
    }
    if (level == FINDING_PROBLEM) {
        assert_non_null(finding->remedy);
    }
}

/* A row for a check of one object. */
struct row {
    const char *json; /* NULL: the answer is `status` */
    int status;
    enum finding_level level;
    const char *piece;
};

static void check_rows(void (*check)(const struct checkup_answer *, struct finding *),
                       const struct row *rows, size_t n_rows) {
    for (size_t i = 0; i < n_rows; i++) {
        AUTO(answer_fini)
        const struct checkup_answer answer = answer_of(rows[i].json, rows[i].status);
        struct finding finding = {.check = "x"};
        check(&answer, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

/* Results of a check that could not see its object. None of them sounds like "ok". */
#define UNSEEN(missing_level)                                                                      \
    {NULL, 404, missing_level, ""}, {NULL, 403, FINDING_NOTE, "may not be looked at"}, {           \
        NULL, 500, FINDING_NOTE, "500"                                                             \
    }

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

static void test_checkup__counts_the_days_of_a_certificate(void **state) {
    static const struct {
        int64_t left;
        enum finding_level level;
        const char *piece;
    } rows[] = {
        {365 * DAY, FINDING_OK, "another 365 days"},
        {30 * DAY, FINDING_OK, "another 30 days"},
        {30 * DAY - 1, FINDING_NOTE, "in 29 days"},
        {3 * DAY, FINDING_NOTE, "in 3 days"},
        {3 * DAY - 1, FINDING_PROBLEM, "in less than 3 days"},
        {1, FINDING_PROBLEM, "in less than 3 days"},
        {0, FINDING_PROBLEM, "it expired on 2026-11-23T00:00:00Z"},
        {-DAY, FINDING_PROBLEM, "it expired on 2026-11-22T00:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct finding finding = {.check = "x"};
        checkup_certificate(NOW + rows[i].left, NOW, &finding);
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

/* The entries in the API server's form. */
#define NAMESPACE_SELECTOR                                                                         \
    "{'matchExpressions':[{'key':'kubernetes.io/metadata.name','operator':'NotIn','values':["      \
    "'capstan-system','kube-node-lease','kube-public','kube-system']},"                            \
    "{'key':'capstan.dev/ignore','operator':'DoesNotExist'}]}"
#define COMMON(path, seconds)                                                                      \
    "'clientConfig':{'service':{'namespace':'capstan-system','name':'capstan','path':'" path       \
    "','port':443},'caBundle':'eA=='},'failurePolicy':'Ignore','matchPolicy':'Equivalent',"        \
    "'namespaceSelector':" NAMESPACE_SELECTOR ",'sideEffects':'None',"                             \
    "'timeoutSeconds':" seconds ",'admissionReviewVersions':['v1'],"                               \
    "'reinvocationPolicy':'IfNeeded',"
#define RULES(operations, group, versions, resources)                                              \
    "'rules':[{'operations':[" operations "],'apiGroups':['" group "'],'apiVersions':[" versions   \
    "],'resources':['" resources "'],'scope':'Namespaced'}]}"
#define SERVERS                                                                                    \
    "{'name':'mcpservers.capstan.dev','objectSelector':{}," COMMON("/mutate", "3")                 \
        RULES("'CREATE','UPDATE'", "toolhive.stacklok.dev", "'v1alpha1','v1beta1'", "mcpservers")
#define DEPLOYMENTS_SELECTED(selector, path, seconds)                                              \
    "{'name':'deployments.capstan.dev','objectSelector':" selector "," COMMON(path, seconds)       \
        RULES("'CREATE','UPDATE'", "apps", "'v1'", "deployments")
#define OURS        "{'matchLabels':{'app.kubernetes.io/name':'mcpserver'}}"
#define DEPLOYMENTS DEPLOYMENTS_SELECTED(OURS, "/mutate", "3")
#define SCALE_WITH(more)                                                                           \
    "{'name':'scale.capstan.dev','objectSelector':{}," more COMMON("/mutate", "3")                 \
        RULES("'UPDATE'", "apps", "'v1'", "deployments/scale")
#define SCALE            SCALE_WITH("")
#define ENTRIES(entries) "{'webhooks':[" entries "]}"

static const struct checkup_answer unseen = {.status = 403, .json = ""};

/* The rule for MCPServers, its keys in another order than that of the API server. */
#define REORDERED(operations, more)                                                                \
    "{'name':'mcpservers.capstan.dev','objectSelector':{}," COMMON(                                \
        "/mutate", "3") "'rules':[{'scope':'Namespaced','resources':['mcpservers']," more          \
                        "'apiVersions':['v1alpha1','v1beta1'],"                                    \
                        "'apiGroups':['toolhive.stacklok.dev'],'operations':[" operations "]}]}"

static void check_registration(const struct checkup_answer *answer, struct finding *finding) {
    checkup_registration(answer, &unseen, &names, finding);
}

static void test_checkup__holds_the_registration_against_what_is_expected(void **state) {
    static const struct row rows[] = {
        {ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE), 0, FINDING_OK, "3 entries"},
        {ENTRIES(SCALE "," DEPLOYMENTS "," SERVERS), 0, FINDING_OK, "3 entries"},
        {ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE ",{'name':'a.b.c'}"), 0, FINDING_NOTE,
         "4 entries"},
        {ENTRIES(SERVERS "," DEPLOYMENTS), 0, FINDING_PROBLEM, "no entry scale.capstan.dev"},
        {ENTRIES(""), 0, FINDING_PROBLEM, "no entry mcpservers"},
        {ENTRIES(REORDERED("'CREATE','UPDATE'", "") "," DEPLOYMENTS "," SCALE), 0, FINDING_OK,
         "3 entries"},
        {ENTRIES(REORDERED("'CREATE'", "") "," DEPLOYMENTS "," SCALE), 0, FINDING_PROBLEM,
         "rules of mcpservers"},
        {ENTRIES(REORDERED("'CREATE','UPDATE'", "'x':1,") "," DEPLOYMENTS "," SCALE), 0,
         FINDING_PROBLEM, "rules of mcpservers"},
        {ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE ",{'name':'x'}"), 0, FINDING_NOTE,
         "it has 4 entries, of which this version knows 3"},
        {"{}", 0, FINDING_PROBLEM, "no entry mcpservers"},
        {"{", 0, FINDING_PROBLEM, "no entry mcpservers"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED("{}", "/mutate", "3") "," SCALE), 0,
         FINDING_PROBLEM, "objectSelector of deployments"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED(OURS, "/x", "3") "," SCALE), 0, FINDING_PROBLEM,
         "clientConfig.service.path of deployments"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED(OURS, "/mutate", "2") "," SCALE), 0, FINDING_OK,
         ""},
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED(OURS, "/mutate", "1") "," SCALE), 0,
         FINDING_PROBLEM, "timeoutSeconds of deployments"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED(OURS, "/mutate", "10") "," SCALE), 0, FINDING_OK,
         ""},
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED(OURS, "/mutate", "11") "," SCALE), 0,
         FINDING_PROBLEM, "timeoutSeconds of deployments"},
        UNSEEN(FINDING_PROBLEM),
    };
    (void)state;
    check_rows(check_registration, rows, COUNT_OF(rows));
}

static void test_checkup__takes_no_conditions_but_those_of_the_manifests(void **state) {
#define CONDITION(text) "{'name':'x','expression':'" text "'}"
/* The form of the API server. */
#define OUR_CONDITION                                                                              \
    CONDITION("has(oldObject.status) \\u0026\\u0026 has(oldObject.status.selector) "               \
              "\\u0026\\u0026 oldObject.status.selector.split(\\u0027,\\u0027).exists(term, term " \
              "== \\u0027app.kubernetes.io/name=mcpserver\\u0027)")
#define CONDITIONED(conditions)                                                                    \
    ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE_WITH("'matchConditions':[" conditions "],"))
    static const struct row rows[] = {
        {CONDITIONED(OUR_CONDITION), 0, FINDING_OK, "3 entries"},
        {CONDITIONED(""), 0, FINDING_OK, "3 entries"},
        {CONDITIONED(CONDITION("false")), 0, FINDING_PROBLEM, "matchConditions of scale"},
        {CONDITIONED(OUR_CONDITION "," CONDITION("false")), 0, FINDING_PROBLEM,
         "matchConditions of scale"},
        {CONDITIONED("7"), 0, FINDING_PROBLEM, "matchConditions of scale"},
        {ENTRIES("{'matchConditions':[" OUR_CONDITION
                 "],'name':'mcpservers.capstan.dev','objectSelector':{}," COMMON("/mutate", "3")
                     RULES("'CREATE','UPDATE'", "toolhive.stacklok.dev", "'v1alpha1','v1beta1'",
                           "mcpservers") "," DEPLOYMENTS "," SCALE),
         0, FINDING_PROBLEM, "matchConditions of mcpservers"},
    };
    (void)state;
    check_rows(check_registration, rows, COUNT_OF(rows));
}

static void test_checkup__wants_a_port_that_the_service_has(void **state) {
#define SERVICE(type, ports) "{'spec':{'type':'" type "','ports':[" ports "]}}"
#define ON_PORT(port)                                                                              \
    "{'webhooks':[{'name':'mcpservers.capstan.dev','objectSelector':{},'clientConfig':{'service':" \
    "{'namespace':'capstan-system','name':'capstan','path':'/mutate'" port                         \
    "}},'matchPolicy':'Equivalent','sideEffects':'None','timeoutSeconds':3,"                       \
    "'admissionReviewVersions':['v1'],'reinvocationPolicy':'IfNeeded'," RULES(                     \
        "'CREATE','UPDATE'", "toolhive.stacklok.dev", "'v1alpha1','v1beta1'",                      \
        "mcpservers") "," DEPLOYMENTS "," SCALE "]}"
    static const struct {
        const char *configuration;
        const char *service; /* NULL: it does not exist, which another check reports */
        enum finding_level level;
        const char *piece;
    } rows[] = {
        {ON_PORT(",'port':443"), SERVICE("ClusterIP", "{'port':443}"), FINDING_OK, ""},
        {ON_PORT(""), SERVICE("ClusterIP", "{'port':443}"), FINDING_OK, ""},
        {ON_PORT(""), SERVICE("ClusterIP", "{'port':8080},{'port':443}"), FINDING_OK, ""},
        {ON_PORT(",'port':8443"), SERVICE("ClusterIP", "{'port':443,'targetPort':8443}"),
         FINDING_PROBLEM, "mcpservers.capstan.dev calls port 8443"},
        {ON_PORT(""), SERVICE("ClusterIP", "{'port':8443}"), FINDING_PROBLEM, "calls port 443"},
        {ON_PORT(",'port':443"), SERVICE("ClusterIP", ""), FINDING_PROBLEM, "calls port 443"},
        {ON_PORT(",'port':443"), SERVICE("ClusterIP", "{'port':443.5}"), FINDING_PROBLEM,
         "calls port 443"},
        {ON_PORT(",'port':8443"), SERVICE("ExternalName", "{'port':443}"), FINDING_OK, ""},
        {ON_PORT(",'port':8443"), NULL, FINDING_OK, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini) const struct checkup_answer answer = answer_of(rows[i].configuration, 0);
        AUTO(answer_fini) const struct checkup_answer service = answer_of(rows[i].service, 404);
        struct finding finding = {.check = "x"};
        checkup_registration(&answer, &service, &names, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

static void test_checkup__wants_another_service_where_it_is_named_so(void **state) {
    static const struct checkup_names others[] = {
        {.namespace = "capstan-system", .service = "other", .configuration = "capstan"},
        {.namespace = "other", .service = "capstan", .configuration = "capstan"}};
    static const char *const pieces[] = {"clientConfig.service.name",
                                         "clientConfig.service.namespace"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        AUTO(answer_fini)
        const struct checkup_answer answer =
            answer_of(ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE), 0);
        struct finding finding = {.check = "x"};
        checkup_registration(&answer, &unseen, &others[i], &finding);
        assert_finding(&finding, FINDING_PROBLEM, pieces[i]);
    }
}

#define SELECTED(selector)                                                                         \
    ENTRIES("{'name':'a','rules':[{'resources':['mcpservers']}],'namespaceSelector':" selector "}")

static void test_checkup__wants_to_be_kept_away_from_what_runs_the_cluster(void **state) {
    static const struct row rows[] = {
        {ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE), 0, FINDING_OK, "keeps away"},
        {SELECTED("{}"), 0, FINDING_PROBLEM, "namespace kube-system"},
        {SELECTED("{'matchLabels':{'control-plane':'yes'}}"), 0, FINDING_PROBLEM,
         "namespace kube-system"},
        {SELECTED("{'matchExpressions':[{'key':'control-plane','operator':'DoesNotExist'}]}"), 0,
         FINDING_PROBLEM, "namespace capstan-system"},
        {ENTRIES("{'name':'a','rules':[]}"), 0, FINDING_PROBLEM, "namespace kube-system"},
        {ENTRIES("{'name':'a','rules':[{'resources':['*']}],'namespaceSelector':{'matchLabels':{"
                 "'mcp':'yes'}}}"),
         0, FINDING_PROBLEM, "everything"},
        {ENTRIES("{'name':'a','rules':[{'resources':['*/*']}],'namespaceSelector':{'matchLabels':{"
                 "'mcp':'yes'}}}"),
         0, FINDING_PROBLEM, "everything"},
        UNSEEN(FINDING_PROBLEM),
    };
    AUTO(answer_fini)
    const struct checkup_answer system = answer_of(
        "{'metadata':{'labels':{'control-plane':'yes','kubernetes.io/metadata.name':'kube-system'}}"
        "}",
        0);
    const struct checkup_namespaces namespaces = {&system, &unseen, &unseen};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini)
        const struct checkup_answer answer = answer_of(rows[i].json, rows[i].status);
        struct finding finding = {.check = "x"};
        checkup_scope(&answer, &names, &namespaces, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

static void test_checkup__tells_whom_another_selector_leaves(void **state) {
#define OPTED_IN "{'metadata':{'labels':{'mcp':'yes'}}}"
#define LIST(items)                                                                                \
    "{'items':[{'metadata':{'labels':{'a':'b'}}},{'metadata':{'name':'plain'}}" items "]}"
#define IN_MCP "{'matchLabels':{'mcp':'yes'}}"
    static const struct {
        const char *configuration;
        const char *namespaces; /* NULL: the caller may not list them */
        enum finding_level level;
        const char *piece;
    } rows[] = {
        {ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE), LIST(""), FINDING_OK, "keeps away"},
        {SELECTED(NAMESPACE_SELECTOR), "{'items':[]}", FINDING_OK, "keeps away"},
        {SELECTED("{'matchExpressions':[{'operator':'NotIn','values':['capstan-system',"
                  "'kube-node-lease','kube-public','kube-system'],"
                  "'key':'kubernetes.io/metadata.name'},"
                  "{'operator':'DoesNotExist','key':'capstan.dev/ignore'}]}"),
         LIST(""), FINDING_OK, "keeps away"},
        {SELECTED(IN_MCP), LIST("," OPTED_IN), FINDING_NOTE, "about 1 of 3 namespaces only"},
        {SELECTED(IN_MCP), LIST(""), FINDING_PROBLEM, "never asked: none of 2 namespaces"},
        {SELECTED(IN_MCP), NULL, FINDING_NOTE, "only about namespaces with {\"matchLabels\""},
        /* A problem of a later entry outranks a note about an earlier one. */
        {ENTRIES("{'name':'a','namespaceSelector':" IN_MCP "},{'name':'b'}"), LIST("," OPTED_IN),
         FINDING_PROBLEM, "b is asked about namespace kube-system"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini) const struct checkup_answer answer = answer_of(rows[i].configuration, 0);
        AUTO(answer_fini) const struct checkup_answer all = answer_of(rows[i].namespaces, 403);
        const struct checkup_namespaces namespaces = {&unseen, &unseen, &all};
        struct finding finding = {.check = "x"};
        checkup_scope(&answer, &names, &namespaces, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkup__reads_the_definition),
        cmocka_unit_test(test_checkup__reads_the_operators),
        cmocka_unit_test(test_checkup__reads_the_lease),
        cmocka_unit_test(test_checkup__counts_the_days_of_a_certificate),
        cmocka_unit_test(test_checkup__looks_for_somebody_behind_the_service),
        cmocka_unit_test(test_checkup__wants_two_replicas_where_it_fails_closed),
        cmocka_unit_test(test_checkup__holds_the_registration_against_what_is_expected),
        cmocka_unit_test(test_checkup__takes_no_conditions_but_those_of_the_manifests),
        cmocka_unit_test(test_checkup__wants_a_port_that_the_service_has),
        cmocka_unit_test(test_checkup__wants_another_service_where_it_is_named_so),
        cmocka_unit_test(test_checkup__wants_to_be_kept_away_from_what_runs_the_cluster),
        cmocka_unit_test(test_checkup__tells_whom_another_selector_leaves),
    };
    return cmocka_run_group_tests_name("core/checkup", tests, NULL, NULL);
}
