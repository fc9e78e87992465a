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
#define LABELS "'labels':{'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':'a'}"
#define OWNED(name, uid)                                                                           \
    "'ownerReferences':[{" SERVER ",'name':'" name "','uid':'" uid "','controller':true}]"

/* The cluster: MCPServers, one of them during its deletion, and one from a manifest. */
static struct facts *make_facts(void) {
    struct facts *facts = facts_new();
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1','generation':5},"
               "'spec':{'replicas':2}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'old','uid':'2',"
               "'deletionTimestamp':'2026-11-22T10:00:00Z'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'b','uid':'3'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'sse','uid':'4'},"
               "'spec':{'transport':'sse'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'m','name':'a'}}");
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
        {"formerly owned",
         "'operation':'UPDATE','object':{" POD
         "},'oldObject':{'metadata':{" OWNED("a", "1") "}," POD "}",
         SUBJECT_FOUND},
        {"formerly owned by another uid",
         "'operation':'UPDATE','object':{" POD
         "},'oldObject':{'metadata':{" OWNED("a", "2") "}," POD "}",
         SUBJECT_NONE},
        {"created, with an old object that no creation has",
         "'operation':'CREATE','object':{" POD
         "},'oldObject':{'metadata':{" OWNED("a", "1") "}," POD "}",
         SUBJECT_NONE},
        {"of another uid",
         "'operation':'CREATE','object':{'metadata':{" OWNED("a", "2") "}," POD "}", SUBJECT_NONE},
        {"of no uid", "'operation':'CREATE','object':{'metadata':{" OWNED("a", "") "}," POD "}",
         SUBJECT_NONE},
        {"of another name, in the URL",
         "'name':'b','operation':'CREATE','object':{'metadata':{'name':'a'," OWNED(
             "a", "1") "}," POD "}",
         SUBJECT_NONE},
        {"of an unknown server",
         "'name':'new','operation':'CREATE','object':{'metadata':{'name':'new'," OWNED(
             "new", "9") "}," POD "}",
         SUBJECT_UNRESOLVED},
        {"of a server being deleted",
         "'name':'old','operation':'CREATE','object':{'metadata':{" OWNED("old", "2") "}," POD "}",
         SUBJECT_FOUND},
        {"being deleted",
         "'operation':'UPDATE','oldObject':{'metadata':{'deletionTimestamp':'x'}},"
         "'object':{'metadata':{'deletionTimestamp':'x'," OWNED("a", "1") "}," POD "}",
         SUBJECT_NONE},
        {"being deleted, as the requester says",
         "'operation':'UPDATE','oldObject':{},"
         "'object':{'metadata':{'deletionTimestamp':'x'," OWNED("a", "1") "}," POD "}",
         SUBJECT_FOUND},
        {"with an owner that cannot be read",
         "'operation':'CREATE','object':{'metadata':{'ownerReferences':[{" SERVER
         ",'controller':true,'name':'a','uid':7}]}," POD "}",
         SUBJECT_UNRESOLVED},
        {"of a name that cannot be read",
         "'name':7,'operation':'CREATE','object':{'metadata':{" OWNED("a", "1") "}," POD "}",
         SUBJECT_UNRESOLVED},
        {"nobody's, of a name that cannot be read",
         "'name':7,'operation':'CREATE','object':{" POD "}", SUBJECT_NONE},
        {"in a namespace that cannot be read",
         "'namespace':7,'operation':'CREATE','object':{'metadata':{" OWNED("a", "1") "}," POD "}",
         SUBJECT_UNRESOLVED},
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
        {"labelled under another name", "'name':'z','object':{'metadata':{" LABELS "}," POD "}",
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

#define SELECTS(instance)                                                                          \
    "'selector':{'matchLabels':{'app.kubernetes.io/name':'mcpserver',"                             \
    "'app.kubernetes.io/instance':'" instance "'}},'template':{'spec':{}}"

/* The selector of a Deployment that nobody owns. */
static void test_subject__a_selector_and_a_name_are_enough_for_the_cap(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *members;
        enum subject_state expected;
        enum subject_scope scope;
    } rows[] = {
        {"created", "'operation':'CREATE','object':{'spec':{" SELECTS("a") "}}", SUBJECT_FOUND,
         SCOPE_CAP},
        {"updated",
         "'operation':'UPDATE','object':{" POD "},'oldObject':{'spec':{" SELECTS("a") "}}",
         SUBJECT_FOUND, SCOPE_CAP},
        {"updated, as the requester says",
         "'operation':'UPDATE','object':{'spec':{" SELECTS("a") "}},'oldObject':{" POD "}",
         SUBJECT_NONE, SCOPE_ALL},
        {"updated, without an old object",
         "'operation':'UPDATE','object':{'spec':{" SELECTS("a") "}}", SUBJECT_FOUND, SCOPE_CAP},
        {"of another name", "'name':'b','operation':'CREATE','object':{'spec':{" SELECTS("a") "}}",
         SUBJECT_NONE, SCOPE_ALL},
        {"of another instance", "'operation':'CREATE','object':{'spec':{" SELECTS("b") "}}",
         SUBJECT_NONE, SCOPE_ALL},
        {"of an unknown server",
         "'name':'new','operation':'CREATE','object':{'spec':{" SELECTS("new") "}}",
         SUBJECT_UNRESOLVED, SCOPE_ALL},
        {"of a server being deleted",
         "'name':'old','operation':'UPDATE','object':{'spec':{" SELECTS("old") "}}", SUBJECT_FOUND,
         SCOPE_HOLD},
        {"owned, too",
         "'operation':'CREATE','object':{'metadata':{" OWNED("a",
                                                             "1") "},'spec':{" SELECTS("a") "}}",
         SUBJECT_FOUND, SCOPE_ALL},
        {"owned by another uid",
         "'operation':'CREATE','object':{'metadata':{" OWNED("a",
                                                             "2") "},'spec':{" SELECTS("a") "}}",
         SUBJECT_FOUND, SCOPE_CAP},
        {"with an owner that cannot be read",
         "'operation':'CREATE','object':{'metadata':{'ownerReferences':7},'spec':{" SELECTS(
             "a") "}}",
         SUBJECT_FOUND, SCOPE_CAP},
        {"of an sse server, with an owner that cannot be read",
         "'name':'sse','operation':'CREATE','object':{'metadata':{'ownerReferences':7},'spec':"
         "{" SELECTS("sse") "}}",
         SUBJECT_UNRESOLVED, SCOPE_ALL},
        {"that cannot be read",
         "'operation':'CREATE','object':{'spec':{'selector':7,'template':{'spec':{}}}}",
         SUBJECT_UNRESOLVED, SCOPE_ALL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char members[2048];
        struct subject subject;
        snprintf(members, sizeof(members), OF_DEPLOYMENT ",%s", rows[i].members);
        find(members, &subject);
        if (subject.state != rows[i].expected || subject.scope != rows[i].scope) {
            fail_msg("%s: %d, scope %d", rows[i].name, (int)subject.state, (int)subject.scope);
        }
    }
}

#define OF_SCALE                                                                                   \
    "'kind':{'group':'autoscaling','kind':'Scale'},'resource':{'group':'apps','resource':"         \
    "'deployments'},'subResource':'scale','operation':'UPDATE','name':'a'"
#define SELECTOR                                                                                   \
    "'oldObject':{'status':{'selector':'app.kubernetes.io/instance=a,"                             \
    "app.kubernetes.io/name=mcpserver'}}"

static void test_subject__a_scale_is_found_by_its_old_selector(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"to 2", SELECTOR ",'object':{'spec':{'replicas':2}}", SUBJECT_FOUND},
        {"to 1", SELECTOR ",'object':{'spec':{'replicas':1}}", SUBJECT_FOUND},
        {"to 0", SELECTOR ",'object':{'spec':{'replicas':0}}", SUBJECT_FOUND},
        {"to nothing", SELECTOR ",'object':{'spec':{}}", SUBJECT_FOUND},
        {"to what is no count", SELECTOR ",'object':{'spec':{'replicas':-1}}", SUBJECT_NONE},
        {"absent means 0", SELECTOR ",'object':{'spec':{}}", SUBJECT_FOUND},
        {"a string", SELECTOR ",'object':{'spec':{'replicas':'2'}}", SUBJECT_NONE},
        {"whatever the requester says of it",
         SELECTOR ",'object':{'metadata':{'name':'b','uid':'d2','namespace':'m'},"
                  "'spec':{'replicas':2},'status':{'selector':'x=y'}}",
         SUBJECT_FOUND},
        {"of another name", "'name':'b'," SELECTOR ",'object':{'spec':{'replicas':2}}",
         SUBJECT_NONE},
        {"of an unknown server",
         "'name':'new','oldObject':{'status':{'selector':'app.kubernetes.io/name=mcpserver,"
         "app.kubernetes.io/instance=new'}},'object':{'spec':{'replicas':2}}",
         SUBJECT_UNRESOLVED},
        {"of a server being deleted",
         "'name':'old','oldObject':{'status':{'selector':'app.kubernetes.io/name=mcpserver,"
         "app.kubernetes.io/instance=old'}},'object':{'spec':{'replicas':2}}",
         SUBJECT_FOUND},
        {"of one term",
         "'object':{'spec':{'replicas':2}},'oldObject':{'status':{'selector':"
         "'app.kubernetes.io/name=mcpserver'}}",
         SUBJECT_NONE},
        {"of a selector that cannot be read",
         "'object':{'spec':{'replicas':2}},'oldObject':{'status':{'selector':7}}",
         SUBJECT_UNRESOLVED},
        {"of a selector that cannot be read, to 1",
         "'object':{'spec':{'replicas':1}},'oldObject':{'status':{'selector':7}}", SUBJECT_NONE},
        {"of a name that cannot be read", "'name':7," SELECTOR ",'object':{'spec':{'replicas':2}}",
         SUBJECT_UNRESOLVED},
        {"without an old object", "'object':{'spec':{'replicas':2}}", SUBJECT_NONE},
    };
    check_rows(OF_SCALE ",'namespace':'n'", rows, COUNT_OF(rows));
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
#define CREATED(members) OF_DEPLOYMENT ",'operation':'CREATE','object':{" members "}"
#define SCALE_OF(name)                                                                             \
    OF_SCALE                                                                                       \
    ",'namespace':'n','name':'" name "','oldObject':{'status':{'selector':'app.kubernetes.io/"     \
    "name=mcpserver,app.kubernetes.io/instance=" name "'}},'object':{'spec':{'replicas':2}}"
#define FORGED(name, uid)                                                                          \
    OF_DEPLOYMENT ",'name':'" name "','operation':'CREATE','object':{'metadata':{" OWNED(          \
        name, uid) "},'spec':{" SELECTS(name) "}}"

/* The result of a look-up: a uid of the MCPServer, or one of these. */
#define NOT_ASKED NULL
#define NOT_THERE ""
#define FAILED    "?"

static struct evidence make_evidence(const char *uid) {
    struct evidence evidence = {.states = {EVIDENCE_NONE}};
    if (uid == NOT_ASKED) {
        return evidence;
    }
    if (strcmp(uid, FAILED) == 0 || strcmp(uid, NOT_THERE) == 0) {
        evidence.states[OBJECT_MCPSERVER] = uid[0] == '\0' ? EVIDENCE_ABSENT : EVIDENCE_FAILED;
        return evidence;
    }
    evidence.states[OBJECT_MCPSERVER] = EVIDENCE_FOUND;
    evidence.servers[OBJECT_MCPSERVER] = (struct fact){.generation = 1, .is_stdio = true};
    snprintf(evidence.servers[OBJECT_MCPSERVER].uid, sizeof(evidence.servers[OBJECT_MCPSERVER].uid),
             "%s", uid);
    return evidence;
}

/* Row 12: the look-up so far, and the result. */
static void test_subject__what_is_missing_is_looked_up(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *members;
        const char *uid;
        enum subject_state expected;
        enum subject_scope scope;
    } rows[] = {
        {"known", OF_DEPLOYMENT ",'operation':'CREATE'," OURS, NOT_ASKED, SUBJECT_FOUND, SCOPE_ALL},
        {"another uid", CREATED("'metadata':{" OWNED("a", "2") "}," POD), NOT_ASKED,
         SUBJECT_UNRESOLVED, SCOPE_ALL},
        {"another uid is confirmed", CREATED("'metadata':{" OWNED("a", "2") "}," POD), "1",
         SUBJECT_NONE, SCOPE_ALL},
        {"the uid is the new one", CREATED("'metadata':{" OWNED("a", "2") "}," POD), "2",
         SUBJECT_FOUND, SCOPE_ALL},
        {"another uid, and no answer", CREATED("'metadata':{" OWNED("a", "2") "}," POD), FAILED,
         SUBJECT_UNRESOLVED, SCOPE_ALL},
        {"another uid, and none is there", CREATED("'metadata':{" OWNED("a", "2") "}," POD),
         NOT_THERE, SUBJECT_NONE, SCOPE_ALL},
        {"no uid at all", CREATED("'metadata':{" OWNED("a", "") "}," POD), NOT_ASKED, SUBJECT_NONE,
         SCOPE_ALL},
        {"it is gone", OF_DEPLOYMENT ",'operation':'CREATE'," OURS, NOT_THERE, SUBJECT_NONE,
         SCOPE_ALL},
        {"a newer generation", CREATED("'metadata':{" OWNED("a", "1") "}," NEWER_NOTE), NOT_ASKED,
         SUBJECT_UNRESOLVED, SCOPE_ALL},
        {"a newer generation, and no answer",
         CREATED("'metadata':{" OWNED("a", "1") "}," NEWER_NOTE), FAILED, SUBJECT_FOUND, SCOPE_CAP},
        {"the answer counts whatever its generation",
         CREATED("'metadata':{" OWNED("a", "1") "}," NEWER_NOTE), "1", SUBJECT_FOUND, SCOPE_ALL},
        {"forged, selected", FORGED("a", "2"), NOT_ASKED, SUBJECT_UNRESOLVED, SCOPE_ALL},
        {"forged, selected, confirmed", FORGED("a", "2"), "1", SUBJECT_FOUND, SCOPE_CAP},
        {"forged, selected, no answer", FORGED("a", "2"), FAILED, SUBJECT_FOUND, SCOPE_CAP},
        {"forged, selected, not stdio, no answer", FORGED("sse", "2"), FAILED, SUBJECT_UNRESOLVED,
         SCOPE_ALL},
        {"forged, selected, none is there", FORGED("a", "2"), NOT_THERE, SUBJECT_NONE, SCOPE_ALL},
        {"selected, unknown", FORGED("new", "2"), NOT_ASKED, SUBJECT_UNRESOLVED, SCOPE_ALL},
        {"selected, unknown, no answer", FORGED("new", "2"), FAILED, SUBJECT_UNRESOLVED, SCOPE_ALL},
        {"selected, unknown, found", FORGED("new", "2"), "3", SUBJECT_FOUND, SCOPE_CAP},
        {"selected, unknown, not there", FORGED("new", "2"), NOT_THERE, SUBJECT_NONE, SCOPE_ALL},
        {"a scale of a known one", SCALE_OF("a"), NOT_ASKED, SUBJECT_FOUND, SCOPE_ALL},
        {"a scale of an unknown one", SCALE_OF("new"), NOT_ASKED, SUBJECT_UNRESOLVED, SCOPE_ALL},
        {"which is not there", SCALE_OF("new"), NOT_THERE, SUBJECT_NONE, SCOPE_ALL},
        {"which is found", SCALE_OF("new"), "9", SUBJECT_FOUND, SCOPE_ALL},
        {"which nobody tells", SCALE_OF("new"), FAILED, SUBJECT_UNRESOLVED, SCOPE_ALL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct evidence evidence = make_evidence(rows[i].uid);
        struct subject subject;
        find_with(rows[i].members, &evidence, &subject);
        if (subject.state != rows[i].expected || subject.scope != rows[i].scope) {
            fail_msg("%s: state %d, scope %d", rows[i].name, (int)subject.state,
                     (int)subject.scope);
        }
        bool needs_lookup = subject.lookup_kind == OBJECT_MCPSERVER;
        assert_true(subject.state == SUBJECT_NONE || needs_lookup == (rows[i].uid == NOT_ASKED));
        bool is_confirmed =
            subject.state == SUBJECT_FOUND && evidence.states[OBJECT_MCPSERVER] == EVIDENCE_FOUND;
        assert_int_equal(subject.is_confirmed, is_confirmed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subject__a_deployment_is_its_controllers),
        cmocka_unit_test(test_subject__a_deployment_of_a_wrong_shape_is_left_to_the_server),
        cmocka_unit_test(test_subject__labels_count_where_there_are_no_uids),
        cmocka_unit_test(test_subject__a_selector_and_a_name_are_enough_for_the_cap),
        cmocka_unit_test(test_subject__a_scale_is_found_by_its_old_selector),
        cmocka_unit_test(test_subject__an_mcpserver_is_its_own),
        cmocka_unit_test(test_subject__an_mcpserver_is_taken_from_the_request),
        cmocka_unit_test(test_subject__the_server_of_a_deployment_comes_from_the_facts),
        cmocka_unit_test(test_subject__what_is_missing_is_looked_up),
    };
    return cmocka_run_group_tests_name("core/subject", tests, NULL, NULL);
}
