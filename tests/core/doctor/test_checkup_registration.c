// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checkup_fixtures.h"
#include "core/certificates/registration.h"
#include "doctor/entry.h"

/* A configuration of four entries is longer than the shortest text that C promises. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

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
        RULES("'CREATE','UPDATE'", "toolhive.stacklok.dev", "'*'",                                 \
              "mcpservers','mcpremoteproxies','virtualmcpservers")

/* The expressions of the manifests, in the form of the API server: it escapes some characters. */
#define CONDITION(text) "{'name':'x','expression':'" text "'}"
#define OF_DEPLOYMENTS                                                                             \
    CONDITION("[object, oldObject].exists(it, it != null \\u0026\\u0026 (has(it.spec) "            \
              "\\u0026\\u0026 has(it.spec.selector) \\u0026\\u0026 it.spec.selector != null "      \
              "\\u0026\\u0026 has(it.spec.selector.matchLabels) \\u0026\\u0026 "                   \
              "\\u0027app.kubernetes.io/name\\u0027 in it.spec.selector.matchLabels "              \
              "\\u0026\\u0026 "                                                                    \
              "it.spec.selector.matchLabels[\\u0027app.kubernetes.io/name\\u0027] in "             \
              "[\\u0027mcpserver\\u0027, \\u0027mcpremoteproxy\\u0027, "                           \
              "\\u0027virtualmcpserver\\u0027] || has(it.metadata) \\u0026\\u0026 "                \
              "has(it.metadata.ownerReferences) \\u0026\\u0026 "                                   \
              "(it.metadata.ownerReferences.size() \\u003e 100 || "                                \
              "it.metadata.ownerReferences.exists(owner, has(owner.apiVersion) "                   \
              "\\u0026\\u0026 "                                                                    \
              "owner.apiVersion.startsWith(\\u0027toolhive.stacklok.dev/\\u0027)))))")
#define OF_SCALE                                                                                   \
    CONDITION("oldObject != null \\u0026\\u0026 has(oldObject.status) \\u0026\\u0026 "             \
              "has(oldObject.status.selector) \\u0026\\u0026 "                                     \
              "(oldObject.status.selector.size() \\u003e 10000 || "                                \
              "oldObject.status.selector.split(\\u0027,\\u0027).exists(term, term in "             \
              "[\\u0027app.kubernetes.io/name=mcpserver\\u0027, "                                  \
              "\\u0027app.kubernetes.io/name=mcpremoteproxy\\u0027, "                              \
              "\\u0027app.kubernetes.io/name=virtualmcpserver\\u0027]))")

#define DEPLOYMENTS_WITH(selector, conditions, path, seconds)                                      \
    "{'name':'deployments.capstan.dev','objectSelector':" selector                                 \
    ",'matchConditions':[" conditions "]," COMMON(path, seconds)                                   \
        RULES("'CREATE','UPDATE'", "apps", "'v1'", "deployments")
#define DEPLOYMENTS_SELECTED(selector) DEPLOYMENTS_WITH(selector, OF_DEPLOYMENTS, "/mutate", "3")
#define DEPLOYMENTS                    DEPLOYMENTS_SELECTED("{}")
#define SCALE_WITH(conditions)                                                                     \
    "{'name':'scale.capstan.dev','objectSelector':{},'matchConditions':[" conditions               \
    "]," COMMON("/mutate", "3")                                                                    \
        RULES("'UPDATE'", "apps", "'v1'", "deployments/scale") "," AUTOSCALERS
#define OF_AUTOSCALERS                                                                             \
    CONDITION(                                                                                     \
        "object != null \\u0026\\u0026 has(object.spec) \\u0026\\u0026 type(object.spec) == "      \
        "map \\u0026\\u0026 has(object.spec.scaleTargetRef) \\u0026\\u0026 "                       \
        "type(object.spec.scaleTargetRef) == map \\u0026\\u0026 "                                  \
        "(!has(object.spec.scaleTargetRef.kind) || object.spec.scaleTargetRef.kind in "            \
        "[\\u0027\\u0027, \\u0027Deployment\\u0027])")
#define AUTOSCALER_RULE(group, resource)                                                           \
    "{'operations':['CREATE','UPDATE'],'apiGroups':['" group "'],'apiVersions':['*'],'resources':" \
    "['" resource "'],'scope':'Namespaced'}"
#define AUTOSCALERS                                                                                \
    "{'name':'autoscalers.capstan.dev','matchConditions':[" OF_AUTOSCALERS                         \
    "]," COMMON("/mutate", "3") "'rules':[" AUTOSCALER_RULE(                                       \
        "autoscaling", "horizontalpodautoscalers") "," AUTOSCALER_RULE("keda.sh",                  \
                                                                       "scaledobjects") "]}"
#define SCALE            SCALE_WITH(OF_SCALE)
#define ENTRIES(entries) "{'webhooks':[" entries "]}"

/* An entry for Deployments with these rules. */
#define RULED(rules)                                                                               \
    ENTRIES(SERVERS ",{'name':'deployments.capstan.dev','objectSelector':{},'matchConditions':"    \
                    "[" OF_DEPLOYMENTS "]," COMMON("/mutate", "3") "'rules':[" rules "]}," SCALE)
#define RULE(operations, more)                                                                     \
    "{'scope':'Namespaced','resources':['deployments'],'apiVersions':['v1']," more                 \
    "'apiGroups':['apps'],'operations':[" operations "]}"

static void test_checkup_registration__holds_the_registration_against_what_is_expected(
    void **state) {
    static const struct row rows[] = {
        {ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE), 0, FINDING_OK, "4 entries"},
        {ENTRIES(SCALE "," DEPLOYMENTS "," SERVERS), 0, FINDING_OK, "4 entries"},
        {ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE ",{'name':'a.b.c'}"), 0, FINDING_OK,
         "1 of others are left alone"},
        {ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE ",{'name':'a','clientConfig':{'service':{"
                         "'namespace':'other','name':'capstan'}}}"),
         0, FINDING_OK, "1 of others"},
        {ENTRIES(SERVERS "," DEPLOYMENTS), 0, FINDING_PROBLEM, "no entry scale.capstan.dev"},
        {ENTRIES(""), 0, FINDING_PROBLEM, "no entry mcpservers"},
        {RULED(RULE("'CREATE','UPDATE'", "")), 0, FINDING_OK, "4 entries"},
        {RULED(RULE("'UPDATE','CREATE'", "")), 0, FINDING_OK, "4 entries"},
        {RULED(RULE("'CREATE'", "")), 0, FINDING_PROBLEM, "rules of deployments"},
        {RULED(RULE("'CREATE','UPDATE','DELETE'", "")), 0, FINDING_NOTE, "broader"},
        {RULED(RULE("'*'", "")), 0, FINDING_NOTE, "broader"},
        {RULED(RULE("'UPDATE'", "") "," RULE("'CREATE'", "")), 0, FINDING_OK, "4 entries"},
        {RULED(RULE("'UPDATE'", "") "," RULE("'DELETE'", "")), 0, FINDING_PROBLEM,
         "rules of deployments"},
        {RULED(RULE("'CREATE','UPDATE'", "'x':1,")), 0, FINDING_PROBLEM, "rules of deployments"},
        {RULED(RULE("'CREATE','UPDATE'", "") "," RULE("'DELETE'", "")), 0, FINDING_NOTE, "broader"},
        {RULED(""), 0, FINDING_PROBLEM, "rules of deployments"},
        {ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE ",{'name':'x','clientConfig':{'service':{"
                         "'namespace':'capstan-system','name':'capstan'}}}"),
         0, FINDING_NOTE, "1 entries for Capstan's Service that this version does not know"},
        {"{}", 0, FINDING_PROBLEM, "no entry mcpservers"},
        {"{", 0, FINDING_UNKNOWN, "cannot be read"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_WITH("{}", OF_DEPLOYMENTS, "/x", "3") "," SCALE), 0,
         FINDING_PROBLEM, "clientConfig.service.path of deployments"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_WITH("{}", OF_DEPLOYMENTS, "/mutate", "2") "," SCALE), 0,
         FINDING_OK, ""},
        {ENTRIES(SERVERS "," DEPLOYMENTS_WITH("{}", OF_DEPLOYMENTS, "/mutate", "1") "," SCALE), 0,
         FINDING_PROBLEM, "timeoutSeconds of deployments"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_WITH("{}", OF_DEPLOYMENTS, "/mutate", "10") "," SCALE), 0,
         FINDING_OK, ""},
        {ENTRIES(SERVERS "," DEPLOYMENTS_WITH("{}", OF_DEPLOYMENTS, "/mutate", "11") "," SCALE), 0,
         FINDING_PROBLEM, "timeoutSeconds of deployments"},
        UNSEEN(FINDING_PROBLEM),
    };
    struct patient patient = unseen_patient();
    (void)state;
    check_rows(checkup_registration, QUESTION_CONFIGURATION, &patient, rows, COUNT_OF(rows));
}

static void test_checkup_registration__takes_no_selector_of_labels(void **state) {
    static const struct row rows[] = {
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED("{}") "," SCALE), 0, FINDING_OK, "4 entries"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED("null") "," SCALE), 0, FINDING_OK, "4 entries"},
        {ENTRIES(SERVERS
                 "," DEPLOYMENTS_SELECTED("{'matchLabels':{},'matchExpressions':[]}") "," SCALE),
         0, FINDING_OK, "4 entries"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED(
             "{'matchLabels':{'app.kubernetes.io/name':'mcpserver'}}") "," SCALE),
         0, FINDING_PROBLEM, "objectSelector of deployments"},
        {ENTRIES(SERVERS "," DEPLOYMENTS_SELECTED(
             "{'matchExpressions':[{'key':'a','operator':'Exists'}]}") "," SCALE),
         0, FINDING_PROBLEM, "anybody can take a label off"},
    };
    struct patient patient = unseen_patient();
    (void)state;
    check_rows(checkup_registration, QUESTION_CONFIGURATION, &patient, rows, COUNT_OF(rows));
}

static void test_checkup_registration__takes_no_conditions_but_those_of_the_manifests(
    void **state) {
#define ON_SCALE(conditions) ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE_WITH(conditions))
#define ON_DEPLOYMENTS(conditions)                                                                 \
    ENTRIES(SERVERS "," DEPLOYMENTS_WITH("{}", conditions, "/mutate", "3") "," SCALE)
    static const struct row rows[] = {
        {ON_SCALE(OF_SCALE), 0, FINDING_OK, "4 entries"},
        {ON_SCALE(""), 0, FINDING_NOTE, "scale.capstan.dev has no matchConditions"},
        {ON_SCALE(OF_DEPLOYMENTS), 0, FINDING_PROBLEM, "matchConditions of scale"},
        {ON_SCALE(CONDITION("false")), 0, FINDING_PROBLEM, "matchConditions of scale"},
        {ON_SCALE(OF_SCALE "," CONDITION("false")), 0, FINDING_PROBLEM, "matchConditions of scale"},
        {ON_SCALE("7"), 0, FINDING_PROBLEM, "matchConditions of scale"},
        {ON_DEPLOYMENTS(OF_DEPLOYMENTS), 0, FINDING_OK, "4 entries"},
        {ON_DEPLOYMENTS(""), 0, FINDING_NOTE, "deployments.capstan.dev has no matchConditions"},
        {ON_DEPLOYMENTS(OF_SCALE), 0, FINDING_PROBLEM, "matchConditions of deployments"},
        {ON_DEPLOYMENTS(OF_DEPLOYMENTS "," OF_DEPLOYMENTS), 0, FINDING_PROBLEM,
         "matchConditions of deployments"},
        {ENTRIES("{'matchConditions':[" OF_SCALE
                 "],'name':'mcpservers.capstan.dev','objectSelector':{}," COMMON("/mutate", "3")
                     RULES("'CREATE','UPDATE'", "toolhive.stacklok.dev", "'*'",
                           "mcpservers','mcpremoteproxies','virtualmcpservers") "," DEPLOYMENTS
                                                                                "," SCALE),
         0, FINDING_PROBLEM, "matchConditions of mcpservers"},
        /* A problem of a later entry outranks a note about an earlier one. */
        {ENTRIES(SERVERS
                 "," DEPLOYMENTS_WITH("{}", "", "/mutate", "3") "," SCALE_WITH(CONDITION("false"))),
         0, FINDING_PROBLEM, "matchConditions of scale"},
    };
    struct patient patient = unseen_patient();
    (void)state;
    check_rows(checkup_registration, QUESTION_CONFIGURATION, &patient, rows, COUNT_OF(rows));
}

static void test_checkup_registration__wants_a_port_that_the_service_has(void **state) {
#define SERVICE(type, ports) "{'spec':{'type':'" type "','ports':[" ports "]}}"
#define ON_PORT(port)                                                                              \
    "{'webhooks':[{'name':'mcpservers.capstan.dev','objectSelector':{},'clientConfig':{'service':" \
    "{'namespace':'capstan-system','name':'capstan','path':'/mutate'" port                         \
    "}},'matchPolicy':'Equivalent','sideEffects':'None','timeoutSeconds':3,"                       \
    "'admissionReviewVersions':['v1'],'reinvocationPolicy':'IfNeeded'," RULES(                     \
        "'CREATE','UPDATE'", "toolhive.stacklok.dev", "'*'",                                       \
        "mcpservers','mcpremoteproxies','virtualmcpservers") "," DEPLOYMENTS "," SCALE "]}"
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
        AUTO(answer_fini)
        const struct answer answer = answer_to(QUESTION_CONFIGURATION, rows[i].configuration, 0);
        AUTO(answer_fini)
        const struct answer service = answer_to(QUESTION_SERVICE, rows[i].service, 404);
        struct patient patient = unseen_patient();
        struct finding finding = {.check = "x"};
        patient.answers[QUESTION_CONFIGURATION] = answer;
        patient.answers[QUESTION_SERVICE] = service;
        checkup_registration(&patient, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

static void test_checkup_registration__wants_another_service_where_it_is_named_so(void **state) {
    static const struct finding_names others[] = {
        {.namespace = "capstan-system", .service = "other", .configuration = "zz-capstan"},
        {.namespace = "other", .service = "capstan", .configuration = "zz-capstan"}};
    static const char *const pieces[] = {"clientConfig.service.name",
                                         "clientConfig.service.namespace"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        AUTO(answer_fini)
        const struct answer answer =
            answer_to(QUESTION_CONFIGURATION, ENTRIES(SERVERS "," DEPLOYMENTS "," SCALE), 0);
        struct patient patient = unseen_patient();
        struct finding finding = {.check = "x"};
        patient.names = others[i];
        patient.answers[QUESTION_CONFIGURATION] = answer;
        checkup_registration(&patient, &finding);
        assert_finding(&finding, FINDING_PROBLEM, pieces[i]);
    }
}

#define SELECTED(selector)                                                                         \
    ENTRIES("{'name':'a','rules':[{'resources':['mcpservers']}],'namespaceSelector':" selector "}")

static void test_checkup_registration__wants_to_be_kept_away_from_what_runs_the_cluster(
    void **state) {
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
        {ENTRIES("{'name':'a','rules':[{'apiGroups':['*'],'resources':['x']}],"
                 "'namespaceSelector':{'matchLabels':{'mcp':'yes'}}}"),
         0, FINDING_PROBLEM, "everything"},
        {ENTRIES("{'name':'a','rules':[{'resources':['*/*']}],'namespaceSelector':{'matchLabels':{"
                 "'mcp':'yes'}}}"),
         0, FINDING_PROBLEM, "everything"},
        UNSEEN(FINDING_NOTE),
    };
    AUTO(answer_fini)
    const struct answer all = answer_to(
        QUESTION_NAMESPACES,
        "{'items':[{'metadata':{'name':'kube-system','labels':{'control-plane':'yes',"
        "'kubernetes.io/metadata.name':'kube-system'}}},{'metadata':{'name':'x','labels':{"
        "'mcp':'yes'}}}]}",
        0);
    struct patient patient = unseen_patient();
    (void)state;
    patient.answers[QUESTION_NAMESPACES] = all;
    check_rows(checkup_scope, QUESTION_CONFIGURATION, &patient, rows, COUNT_OF(rows));
}

static void test_checkup_registration__tells_whom_another_selector_leaves(void **state) {
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
        {SELECTED(IN_MCP), NULL, FINDING_UNKNOWN, "list of Namespaces may not be looked at"},
        {ENTRIES("{'name':'b'}"), NULL, FINDING_PROBLEM, "namespace kube-system"},
        /* A problem of a later entry outranks a note about an earlier one. */
        {ENTRIES("{'name':'a','namespaceSelector':" IN_MCP "},{'name':'b'}"), LIST("," OPTED_IN),
         FINDING_PROBLEM, "b is asked about namespace kube-system"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini)
        const struct answer answer = answer_to(QUESTION_CONFIGURATION, rows[i].configuration, 0);
        AUTO(answer_fini)
        const struct answer all = answer_to(QUESTION_NAMESPACES, rows[i].namespaces, 403);
        struct patient patient = unseen_patient();
        struct finding finding = {.check = "x"};
        patient.answers[QUESTION_CONFIGURATION] = answer;
        patient.answers[QUESTION_NAMESPACES] = all;
        checkup_scope(&patient, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

/* `serve` and doctor have one judgement of whose an entry is. */
static void test_checkup_registration__takes_the_entries_that_serve_takes(void **state) {
#define TO(config) "{'name':'a','clientConfig':" config "}"
    static const struct {
        const char *entry;
        bool is_ours;
    } rows[] = {
        {TO("{'service':{'namespace':'capstan-system','name':'capstan'}}"), true},
        {TO("{'service':{'name':'capstan','namespace':'capstan-system','port':1}}"), true},
        {TO("{'url':null,'service':{'namespace':'capstan-system','name':'capstan'}}"), true},
        {TO("{'service':{'namespace':'capstan-system','name':'other'}}"), false},
        {TO("{'service':{'namespace':'other','name':'capstan'}}"), false},
        {TO("{'service':{'namespace':'capstan-system'}}"), false},
        {TO("{'service':{'namespace':'capstan-system','name':7}}"), false},
        {TO("{'service':null}"), false},
        {TO("{'url':'https://capstan.capstan-system.svc/mutate'}"), false},
        {TO("{}"), false},
        {TO("7"), false},
        {"{}", false},
        {"{'name':'deployments.capstan.dev'}", false},
    };
    const struct patient patient = unseen_patient();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *text = memory_format("{'webhooks':[%s]}", rows[i].entry);
        AUTO(answer_fini) const struct answer answer = answer_to(QUESTION_CONFIGURATION, text, 0);
        AUTO(registration_fini) struct registration registration;
        AUTO(tree_fini) cJSON *tree = tree_read(&answer);
        struct error error;
        assert_true(registration_read(answer.json, answer.size, &registration, &error));
        (void)registration_keep_service(&registration, patient.names.namespace,
                                        patient.names.service);
        bool is_ours =
            entry_calls_us(cJSON_GetArrayItem(tree_list(tree, "webhooks"), 0), &patient.names);
        if (registration.n_entries != rows[i].is_ours || is_ours != rows[i].is_ours) {
            fail_msg("%s: serve %zu, doctor %d, expected %d", rows[i].entry, registration.n_entries,
                     is_ours, rows[i].is_ours);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_checkup_registration__holds_the_registration_against_what_is_expected),
        cmocka_unit_test(test_checkup_registration__takes_no_selector_of_labels),
        cmocka_unit_test(test_checkup_registration__takes_no_conditions_but_those_of_the_manifests),
        cmocka_unit_test(test_checkup_registration__wants_a_port_that_the_service_has),
        cmocka_unit_test(test_checkup_registration__wants_another_service_where_it_is_named_so),
        cmocka_unit_test(
            test_checkup_registration__wants_to_be_kept_away_from_what_runs_the_cluster),
        cmocka_unit_test(test_checkup_registration__takes_the_entries_that_serve_takes),
        cmocka_unit_test(test_checkup_registration__tells_whom_another_selector_leaves),
    };
    return cmocka_run_group_tests_name("core/checkup_registration", tests, NULL, NULL);
}
