// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/admission/subject.h"
#include "core/core_fixtures.h"

static void put(struct facts *facts, const char *text) {
    struct object object;
    read_object(text, &object);
    facts_put(facts, &object);
}

#define SERVER "'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer'"
#define DEPLOY "'apiVersion':'apps/v1','kind':'Deployment'"
#define LABELS "'labels':{'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':'a'}"
#define OWNED(name, uid)                                                                           \
    "'ownerReferences':[{" SERVER ",'name':'" name "','uid':'" uid "','controller':true}]"

/* The cluster: an MCPServer and its Deployment, one during its deletion, and one from a manifest
   with its Deployment. */
static struct facts *make_facts(void) {
    struct facts *facts = facts_new();
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1','generation':5},"
               "'spec':{'replicas':2}}");
    put(facts,
        "{" DEPLOY ",'metadata':{'namespace':'n','name':'a','uid':'d1'," OWNED("a", "1") "}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'old','uid':'2',"
               "'deletionTimestamp':'2026-11-22T10:00:00Z'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'b','uid':'3'}}");
    put(facts,
        "{" DEPLOY ",'metadata':{'namespace':'n','name':'b','uid':'d2'," OWNED("b", "0") "}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'c','uid':'4'}}");
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'c','uid':'d3',"
               "'deletionTimestamp':'2026-11-22T10:00:00Z'," OWNED("c", "4") "}}");
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'x','uid':'d4'," LABELS "}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'m','name':'a'}}");
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'m','name':'a'," LABELS "}}");
    return facts;
}

/* Finds the subject of a review with these members in its request. */
static void find_with(const char *members, const struct evidence *evidence,
                      struct subject *ret_subject) {
    struct facts *facts = make_facts();
    char text[4096];
    struct review review;
    struct error error;
    int size = snprintf(text, sizeof(text),
                        "{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1',"
                        "'request':{'uid':'u',%s}}",
                        members);
    assert_in_range(size, 1, sizeof(text) - 1);
    AUTO_FREE char *json = make_json(text);
    if (!review_decode(json, strlen(json), &review, &error)) {
        fail_msg("%s: %s", members, error.text);
    }
    memset(ret_subject, 0xff, sizeof(*ret_subject));
    subject_find(facts, &review, evidence, ret_subject);
    facts_free(facts);
}

/* The same without an API server to ask. */
static void find(const char *members, struct subject *ret_subject) {
    find_with(members, NULL, ret_subject);
}

struct row {
    const char *name;
    const char *members;
    enum subject_state expected;
};

static void check_rows(const char *before, const struct row *rows, size_t n_rows) {
    for (size_t i = 0; i < n_rows; i++) {
        char members[2048];
        struct subject subject;
        snprintf(members, sizeof(members), "%s,%s", before, rows[i].members);
        find(members, &subject);
        if (subject.state != rows[i].expected) {
            fail_msg("%s: %d", rows[i].name, (int)subject.state);
        }
    }
}

#define OF_DEPLOYMENT "'kind':{'group':'apps','kind':'Deployment'},'namespace':'n','name':'a'"
#define POD           "'spec':{'template':{'spec':{}}}"
#define OURS          "'object':{'metadata':{" OWNED("a", "1") "}," POD "}"

static void test_subject__a_deployment_is_its_controllers(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"created", "'operation':'CREATE'," OURS, SUBJECT_FOUND},
        {"updated", "'operation':'UPDATE'," OURS, SUBJECT_FOUND},
        {"deleted", "'operation':'DELETE'," OURS, SUBJECT_NONE},
        {"connected", "'operation':'CONNECT'," OURS, SUBJECT_NONE},
        {"without an operation", OURS, SUBJECT_NONE},
        {"without an object", "'operation':'UPDATE','object':null", SUBJECT_NONE},
        {"only formerly owned",
         "'operation':'UPDATE','object':{" POD
         "},'oldObject':{'metadata':{" OWNED("a", "1") "}," POD "}",
         SUBJECT_NONE},
        {"of another uid",
         "'operation':'CREATE','object':{'metadata':{" OWNED("a", "2") "}," POD "}", SUBJECT_NONE},
        {"of no uid", "'operation':'CREATE','object':{'metadata':{" OWNED("a", "") "}," POD "}",
         SUBJECT_NONE},
        {"of another name",
         "'operation':'CREATE','object':{'metadata':{'name':'b'," OWNED("a", "1") "}," POD "}",
         SUBJECT_NONE},
        {"of an unknown server",
         "'operation':'CREATE','object':{'metadata':{'name':'new'," OWNED("new", "9") "}," POD "}",
         SUBJECT_UNRESOLVED},
        {"of a server being deleted",
         "'operation':'CREATE','object':{'metadata':{'name':'old'," OWNED("old", "2") "}," POD "}",
         SUBJECT_NONE},
        {"being deleted",
         "'operation':'UPDATE','object':{'metadata':{'deletionTimestamp':'x'," OWNED(
             "a", "1") "}," POD "}",
         SUBJECT_NONE},
        {"only labelled", "'operation':'CREATE','object':{'metadata':{" LABELS "}," POD "}",
         SUBJECT_NONE},
        {"owned and mislabelled",
         "'operation':'CREATE','object':{'metadata':{'labels':{'app.kubernetes.io/"
         "instance':'b'}," OWNED("a", "1") "}," POD "}",
         SUBJECT_FOUND},
        {"status", "'operation':'UPDATE','subResource':'status'," OURS, SUBJECT_NONE},
    };
    check_rows(OF_DEPLOYMENT, rows, COUNT_OF(rows));
}

static void test_subject__a_deployment_of_a_wrong_shape_is_left_to_the_server(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"sound",
         "'spec':{'replicas':2,'strategy':{'rollingUpdate':{'maxSurge':'25%'}},"
         "'template':{'spec':{'terminationGracePeriodSeconds':1}}}",
         SUBJECT_FOUND},
        {"no pod spec", "'spec':{'template':{}}", SUBJECT_NONE},
        {"pod spec null", "'spec':{'template':{'spec':null}}", SUBJECT_NONE},
        {"pod spec a list", "'spec':{'template':{'spec':[]}}", SUBJECT_NONE},
        {"replicas a string", "'spec':{'replicas':'2','template':{'spec':{}}}", SUBJECT_NONE},
        {"replicas negative", "'spec':{'replicas':-1,'template':{'spec':{}}}", SUBJECT_NONE},
        {"seconds a string", "'spec':{'template':{'spec':{'terminationGracePeriodSeconds':'1'}}}",
         SUBJECT_NONE},
        {"strategy a string", "'spec':{'strategy':'x','template':{'spec':{}}}", SUBJECT_NONE},
        {"rolling update a string",
         "'spec':{'strategy':{'rollingUpdate':'x'},'template':{'spec':{}}}", SUBJECT_NONE},
        {"an older note",
         "'spec':{'template':{'metadata':{'annotations':{"
         "'toolhive.stacklok.dev/mcpserver-generation':'5'}},'spec':{}}}",
         SUBJECT_FOUND},
        {"a newer note",
         "'spec':{'template':{'metadata':{'annotations':{"
         "'toolhive.stacklok.dev/mcpserver-generation':'6'}},'spec':{}}}",
         SUBJECT_UNRESOLVED},
        {"a note that is none",
         "'spec':{'template':{'metadata':{'annotations':{"
         "'toolhive.stacklok.dev/mcpserver-generation':'x'}},'spec':{}}}",
         SUBJECT_FOUND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char members[1024];
        snprintf(members, sizeof(members),
                 "'operation':'UPDATE','object':{'metadata':{" OWNED("a", "1") "},%s}",
                 rows[i].members);
        const struct row row = {rows[i].name, members, rows[i].expected};
        check_rows(OF_DEPLOYMENT, &row, 1);
    }
}

static void test_subject__labels_count_where_there_are_no_uids(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"labelled", "'object':{'metadata':{" LABELS "}," POD "}", SUBJECT_FOUND},
        {"labelled under another name", "'object':{'metadata':{'name':'z'," LABELS "}," POD "}",
         SUBJECT_FOUND},
        {"without the name label",
         "'object':{'metadata':{'labels':{'app.kubernetes.io/instance':'a'}}," POD "}",
         SUBJECT_NONE},
        {"without the instance label",
         "'object':{'metadata':{'labels':{'app.kubernetes.io/name':'mcpserver'}}," POD "}",
         SUBJECT_NONE},
        {"of an unknown instance",
         "'object':{'metadata':{'labels':{'app.kubernetes.io/name':'mcpserver',"
         "'app.kubernetes.io/instance':'b'}}," POD "}",
         SUBJECT_NONE},
        {"owned, whatever the uid", "'object':{'metadata':{" OWNED("a", "7") "}," POD "}",
         SUBJECT_FOUND},
        {"labelled but controlled by another",
         "'object':{'metadata':{'ownerReferences':[{'apiVersion':'v1','kind':'Node','name':'a',"
         "'controller':true}]," LABELS "}," POD "}",
         SUBJECT_NONE},
    };
    check_rows("'kind':{'group':'apps','kind':'Deployment'},'namespace':'m','name':'a',"
               "'operation':'CREATE'",
               rows, COUNT_OF(rows));
}

#define OF_SCALE                                                                                   \
    "'kind':{'group':'autoscaling','kind':'Scale'},'resource':{'group':'apps','resource':"         \
    "'deployments'},'subResource':'scale','operation':'UPDATE','name':'a'"
#define SELECTOR                                                                                   \
    "'oldObject':{'status':{'selector':'app.kubernetes.io/instance=a,"                             \
    "app.kubernetes.io/name=mcpserver'}}"

static void test_subject__a_scale_is_found_by_its_uid(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"to 2", SELECTOR ",'object':{'metadata':{'uid':'d1'},'spec':{'replicas':2}}",
         SUBJECT_FOUND},
        {"to 1", SELECTOR ",'object':{'metadata':{'uid':'d1'},'spec':{'replicas':1}}",
         SUBJECT_NONE},
        {"to 0", SELECTOR ",'object':{'metadata':{'uid':'d1'},'spec':{'replicas':0}}",
         SUBJECT_NONE},
        {"absent means 0", SELECTOR ",'object':{'metadata':{'uid':'d1'},'spec':{}}", SUBJECT_NONE},
        {"a string", SELECTOR ",'object':{'metadata':{'uid':'d1'},'spec':{'replicas':'2'}}",
         SUBJECT_NONE},
        {"a former server's",
         SELECTOR ",'object':{'metadata':{'name':'b','uid':'d2'},'spec':{'replicas':2}}",
         SUBJECT_NONE},
        {"of a Deployment being deleted",
         SELECTOR ",'object':{'metadata':{'name':'c','uid':'d3'},'spec':{'replicas':2}}",
         SUBJECT_NONE},
        {"of a Deployment with forged labels",
         SELECTOR ",'object':{'metadata':{'name':'x','uid':'d4'},'spec':{'replicas':2}}",
         SUBJECT_NONE},
        {"of an unknown uid", SELECTOR ",'object':{'metadata':{'uid':'d9'},'spec':{'replicas':2}}",
         SUBJECT_UNRESOLVED},
        {"of no uid", SELECTOR ",'object':{'spec':{'replicas':2}}", SUBJECT_UNRESOLVED},
        {"of the old object's uid",
         "'object':{'spec':{'replicas':2}},'oldObject':{'metadata':{'uid':'d1'},'status':{"
         "'selector':'app.kubernetes.io/name=mcpserver'}}",
         SUBJECT_FOUND},
        {"of another selector",
         "'object':{'metadata':{'uid':'d1'},'spec':{'replicas':2}},'oldObject':{'status':{"
         "'selector':'app.kubernetes.io/name=mcpserver2'}}",
         SUBJECT_NONE},
        {"without an old object", "'object':{'metadata':{'uid':'d1'},'spec':{'replicas':2}}",
         SUBJECT_NONE},
    };
    check_rows(OF_SCALE ",'namespace':'n'", rows, COUNT_OF(rows));
}

static void test_subject__a_manifests_scale_is_found_by_name_and_instance(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"both terms", SELECTOR ",'object':{'spec':{'replicas':2}}", SUBJECT_FOUND},
        {"the name term alone",
         "'object':{'spec':{'replicas':2}},'oldObject':{'status':{'selector':"
         "'app.kubernetes.io/name=mcpserver'}}",
         SUBJECT_UNRESOLVED},
        {"another instance",
         "'object':{'spec':{'replicas':2}},'oldObject':{'status':{'selector':"
         "'app.kubernetes.io/name=mcpserver,app.kubernetes.io/instance=ab'}}",
         SUBJECT_UNRESOLVED},
    };
    check_rows(OF_SCALE ",'namespace':'m'", rows, COUNT_OF(rows));
}

#define OF_SERVER "'kind':{'group':'toolhive.stacklok.dev','kind':'MCPServer'},'namespace':'n'"

static void test_subject__an_mcpserver_is_its_own(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"new", "'object':{'metadata':{'name':'new'}}", SUBJECT_FOUND},
        {"being deleted", "'object':{'metadata':{'name':'a','deletionTimestamp':'x'}}",
         SUBJECT_NONE},
        {"replicas a string", "'object':{'spec':{'replicas':'2'}}", SUBJECT_NONE},
        {"replicas null", "'object':{'spec':{'replicas':null}}", SUBJECT_FOUND},
        {"replicas past 32 bits", "'object':{'spec':{'replicas':2147483648}}", SUBJECT_NONE},
        {"transport a number", "'object':{'spec':{'transport':1}}", SUBJECT_NONE},
        {"provider a number", "'object':{'spec':{'sessionStorage':{'provider':1}}}", SUBJECT_NONE},
        {"no object", "'object':null", SUBJECT_NONE},
    };
    check_rows(OF_SERVER ",'operation':'UPDATE'", rows, COUNT_OF(rows));
}

static void test_subject__an_mcpserver_is_taken_from_the_request(void **state) {
    (void)state;
    struct subject subject;
    find(OF_SERVER ",'operation':'UPDATE','object':{'metadata':{'name':'a'},'spec':{'replicas':7,"
                   "'transport':'sse','sessionStorage':{'provider':'redis'}}}",
         &subject);
    assert_int_equal(subject.state, SUBJECT_FOUND);
    assert_true(subject.is_confirmed);
    assert_string_equal(subject.server.namespace, "n");
    assert_string_equal(subject.server.name, "a");
    assert_false(subject.server.is_stdio);
    assert_true(subject.server.is_redis);
    assert_true(number_is(&subject.server.replicas, 7));
    find(OF_SERVER ",'operation':'CREATE','object':{'metadata':{'name':'new'}}", &subject);
    assert_string_equal(subject.server.name, "new");
    assert_true(subject.server.is_stdio);
    assert_false(subject.server.is_redis);
    assert_int_equal(subject.server.replicas.state, PRESENCE_ABSENT);
}

static void test_subject__the_server_of_a_deployment_comes_from_the_facts(void **state) {
    (void)state;
    struct subject subject;
    find(OF_DEPLOYMENT ",'operation':'CREATE'," OURS, &subject);
    assert_false(subject.is_confirmed);
    assert_string_equal(subject.server.uid, "1");
    assert_true(number_is(&subject.server.replicas, 2));
    assert_true(subject.server.is_stdio);
}

#define NEWER_NOTE                                                                                 \
    "'spec':{'template':{'metadata':{'annotations':{"                                              \
    "'toolhive.stacklok.dev/mcpserver-generation':'6'}},'spec':{}}}"
#define SCALE_OF(name, uid)                                                                        \
    OF_SCALE ",'namespace':'n'," SELECTOR ",'object':{'metadata':{'name':'" name "','uid':'" uid   \
             "'},'spec':{'replicas':2}}"

/* The answer of a look-up: its uid, or "" if it does not exist, or NULL if nobody asked. */
static struct evidence make_evidence(const char *server_uid) {
    struct evidence evidence = {.state = EVIDENCE_NONE};
    if (server_uid != NULL) {
        bool is_there = server_uid[0] != '\0';
        evidence.state = is_there ? EVIDENCE_FOUND : EVIDENCE_ABSENT;
        evidence.server = (struct fact){.generation = 1};
        snprintf(evidence.server.uid, sizeof(evidence.server.uid), "%s", server_uid);
    }
    return evidence;
}

/* Row 12. Each row has the look-up before, the result, and whether a look-up could tell more. */
static void test_subject__what_is_missing_is_looked_up(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *members;
        const char *server_uid; /* NULL: not yet looked up; "": does not exist */
        enum subject_state expected;
        bool could_look_up;
    } rows[] = {
        {"known", OF_DEPLOYMENT ",'operation':'CREATE'," OURS, NULL, SUBJECT_FOUND, true},
        {"known, of another uid",
         OF_DEPLOYMENT ",'operation':'CREATE','object':{'metadata':{" OWNED("a", "2") "}," POD "}",
         NULL, SUBJECT_UNRESOLVED, true},
        {"another uid is confirmed",
         OF_DEPLOYMENT ",'operation':'CREATE','object':{'metadata':{" OWNED("a", "2") "}," POD "}",
         "1", SUBJECT_NONE, false},
        {"the uid is the new one",
         OF_DEPLOYMENT ",'operation':'CREATE','object':{'metadata':{" OWNED("a", "2") "}," POD "}",
         "2", SUBJECT_FOUND, false},
        {"no uid at all",
         OF_DEPLOYMENT ",'operation':'CREATE','object':{'metadata':{" OWNED("a", "") "}," POD "}",
         NULL, SUBJECT_NONE, false},
        {"it is gone", OF_DEPLOYMENT ",'operation':'CREATE'," OURS, "", SUBJECT_NONE, false},
        {"a newer generation",
         OF_DEPLOYMENT
         ",'operation':'UPDATE','object':{'metadata':{" OWNED("a", "1") "}," NEWER_NOTE "}",
         NULL, SUBJECT_UNRESOLVED, true},
        {"the answer counts whatever its generation",
         OF_DEPLOYMENT
         ",'operation':'UPDATE','object':{'metadata':{" OWNED("a", "1") "}," NEWER_NOTE "}",
         "1", SUBJECT_FOUND, false},
        {"a scale of a known one", SCALE_OF("a", "d1"), NULL, SUBJECT_FOUND, true},
        {"a scale of one of another uid", SCALE_OF("a", "d7"), NULL, SUBJECT_UNRESOLVED, false},
        {"a scale of an unknown one", SCALE_OF("new", "d9"), NULL, SUBJECT_UNRESOLVED, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct evidence evidence = make_evidence(rows[i].server_uid);
        struct subject subject;
        find_with(rows[i].members, &evidence, &subject);
        if (subject.state != rows[i].expected || subject.could_look_up != rows[i].could_look_up) {
            fail_msg("%s: state %d, could look up %d", rows[i].name, (int)subject.state,
                     (int)subject.could_look_up);
        }
        bool is_confirmed = subject.state == SUBJECT_FOUND && rows[i].server_uid != NULL;
        assert_int_equal(subject.is_confirmed, is_confirmed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subject__a_deployment_is_its_controllers),
        cmocka_unit_test(test_subject__a_deployment_of_a_wrong_shape_is_left_to_the_server),
        cmocka_unit_test(test_subject__labels_count_where_there_are_no_uids),
        cmocka_unit_test(test_subject__a_scale_is_found_by_its_uid),
        cmocka_unit_test(test_subject__a_manifests_scale_is_found_by_name_and_instance),
        cmocka_unit_test(test_subject__an_mcpserver_is_its_own),
        cmocka_unit_test(test_subject__an_mcpserver_is_taken_from_the_request),
        cmocka_unit_test(test_subject__the_server_of_a_deployment_comes_from_the_facts),
        cmocka_unit_test(test_subject__what_is_missing_is_looked_up),
    };
    return cmocka_run_group_tests_name("core/subject", tests, NULL, NULL);
}
