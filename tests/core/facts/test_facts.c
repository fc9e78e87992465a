// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/core_fixtures.h"
#include "core/facts/facts.h"

/* For AUTO. */
static void free_facts(struct facts **facts) {
    facts_free(*facts);
}

static bool put(struct facts *facts, const char *json) {
    struct object object;
    read_object(json, &object);
    return facts_put(facts, &object);
}

struct rounds {
    uint64_t servers;
    uint64_t deployments;
};

static struct rounds begin_round(struct facts *facts) {
    return (struct rounds){facts_begin_round(facts, OBJECT_MCPSERVER),
                           facts_begin_round(facts, OBJECT_DEPLOYMENT)};
}

static void end_round(struct facts *facts, struct rounds rounds) {
    facts_end_round(facts, OBJECT_MCPSERVER, NULL, rounds.servers);
    facts_end_round(facts, OBJECT_DEPLOYMENT, NULL, rounds.deployments);
}

#define SERVER "'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer'"
#define DEPLOY "'apiVersion':'apps/v1','kind':'Deployment'"

static void test_facts__begin_empty(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct rounds rounds;
    struct fact server = {.name = "untouched"};
    struct fact deployment = {.name = "untouched"};
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), 0);
    assert_int_equal(facts_count(facts, OBJECT_DEPLOYMENT), 0);
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "a", "b", &server));
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "", "", &server));
    assert_false(facts_find(facts, OBJECT_DEPLOYMENT, "a", "b", &deployment));
    assert_false(facts_find(facts, OBJECT_DEPLOYMENT, "", "", &deployment));
    assert_string_equal(server.name, "untouched");
    assert_string_equal(deployment.name, "untouched");
    rounds = begin_round(facts);
    end_round(facts, rounds);
    facts_free(NULL);
}

static void test_facts__keep_all_that_is_known_of_a_server(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct fact server = {.name = ""};
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1','generation':5,"
               "'deletionTimestamp':'2026-11-22T10:00:00Z'},'spec':{'replicas':4,"
               "'transport':'sse','sessionStorage':{'provider':'redis'}},'status':{'conditions':["
               "{'type':'SessionStorageWarning','status':'False','observedGeneration':5,"
               "'reason':'SessionStorageConfigured','lastTransitionTime':'1970-01-01T00:00:09Z',"
               "'message':'Redis session storage is configured'}]}}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_string_equal(server.namespace, "n");
    assert_string_equal(server.name, "a");
    assert_string_equal(server.uid, "1");
    assert_int_equal(server.generation, 5);
    assert_true(server.is_deleting);
    assert_false(server.is_stdio);
    assert_true(server.is_redis);
    assert_true(number_is(&server.replicas, 4));
    assert_int_equal(server.conditions[CONDITION_TYPE_STDIO].state, CONDITION_ABSENT);
    const struct condition *storage = &server.conditions[CONDITION_TYPE_SESSION_STORAGE];
    assert_int_equal(storage->state, CONDITION_STORAGE_CONFIGURED);
    assert_false(storage->is_true);
    assert_int_equal(storage->observed_generation, 5);
    assert_int_equal(storage->last_transition, 9);
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'b'}}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "b", &server));
    assert_string_equal(server.uid, "");
    assert_int_equal(server.generation, 0);
    assert_false(server.is_deleting);
    assert_true(server.is_stdio);
    assert_false(server.is_redis);
    assert_int_equal(server.replicas.state, PRESENCE_ABSENT);
    assert_int_equal(storage->state, CONDITION_ABSENT);
}

static void test_facts__keep_all_that_is_known_of_a_deployment(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct fact deployment = {.name = ""};
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'a','uid':'d1','deletionTimestamp':"
               "'2026-11-22T10:00:00Z','ownerReferences':[{'controller':true,"
               "'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer','name':'o',"
               "'uid':'o1'}]},'spec':{'replicas':2,'selector':{'matchLabels':{"
               "'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':'a'}}}}");
    assert_true(facts_find(facts, OBJECT_DEPLOYMENT, "n", "a", &deployment));
    assert_string_equal(deployment.namespace, "n");
    assert_string_equal(deployment.name, "a");
    assert_string_equal(deployment.uid, "d1");
    assert_true(deployment.is_deleting);
    assert_true(deployment.is_selecting);
    assert_true(deployment.owner.is_controlled);
    assert_int_equal(deployment.owner.kind, OBJECT_MCPSERVER);
    assert_string_equal(deployment.owner.name, "o");
    assert_string_equal(deployment.owner.uid, "o1");
    assert_true(number_is(&deployment.replicas, 2));
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'b','uid':'d2'}}");
    assert_true(facts_find(facts, OBJECT_DEPLOYMENT, "n", "b", &deployment));
    assert_false(deployment.is_deleting);
    assert_false(deployment.is_selecting);
    assert_false(deployment.owner.is_controlled);
    assert_int_equal(deployment.owner.kind, OBJECT_OTHER);
    assert_string_equal(deployment.owner.uid, "");
    assert_int_equal(deployment.replicas.state, PRESENCE_ABSENT);
}

static void test_facts__are_found_by_the_whole_key(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct fact server;
    put(facts, "{" SERVER ",'metadata':{'namespace':'a','name':'bc','uid':'1'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'ab','name':'c','uid':'2'}}");
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), 2);
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "a", "bc", &server));
    assert_string_equal(server.uid, "1");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "ab", "c", &server));
    assert_string_equal(server.uid, "2");
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "a", "b", &server));
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "bc", "a", &server));
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "A", "bc", &server));
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "", "abc", &server));
}

static void test_facts__hold_names_of_every_length(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct object object = {.kind = OBJECT_DEPLOYMENT, .owner = {.is_controlled = true}};
    struct fact found;
    fill(object.namespace, sizeof(object.namespace) - 1);
    fill(object.name, sizeof(object.name) - 1);
    fill(object.uid, sizeof(object.uid) - 1);
    fill(object.owner.name, sizeof(object.owner.name) - 1);
    fill(object.owner.uid, sizeof(object.owner.uid) - 1);
    facts_put(facts, &object);
    assert_true(facts_find(facts, OBJECT_DEPLOYMENT, object.namespace, object.name, &found));
    assert_string_equal(found.namespace, object.namespace);
    assert_string_equal(found.name, object.name);
    assert_string_equal(found.uid, object.uid);
    assert_string_equal(found.owner.name, object.owner.name);
    assert_string_equal(found.owner.uid, object.owner.uid);
}

static void test_facts__pass_over_other_kinds(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    assert_false(put(facts, "{'apiVersion':'autoscaling/v1','kind':'Scale',"
                            "'metadata':{'namespace':'n','name':'a','uid':'1'}}"));
    assert_false(put(facts, "{'apiVersion':'v1','kind':'Pod',"
                            "'metadata':{'namespace':'n','name':'a','uid':'1'}}"));
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), 0);
    assert_int_equal(facts_count(facts, OBJECT_DEPLOYMENT), 0);
}

static void test_facts__a_put_replaces(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct fact server;
    struct fact deployment;
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'longer than before'},"
               "'spec':{'replicas':2}}");
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'a','uid':'1'}}");
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'a','uid':'2'}}");
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), 1);
    assert_int_equal(facts_count(facts, OBJECT_DEPLOYMENT), 1);
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_string_equal(server.uid, "longer than before");
    assert_true(number_is(&server.replicas, 2));
    assert_true(facts_find(facts, OBJECT_DEPLOYMENT, "n", "a", &deployment));
    assert_string_equal(deployment.uid, "2");
}

static void test_facts__a_put_tells_whether_the_round_had_its_like(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct rounds rounds;
    static const char server[] = "{" SERVER ",'metadata':{'namespace':'n','name':'a'}}";
    static const char deployment[] = "{" DEPLOY ",'metadata':{'namespace':'n','name':'a'}}";
    assert_false(put(facts, server));
    assert_false(put(facts, deployment));
    assert_true(put(facts, server));
    assert_true(put(facts, deployment));
    for (int round = 0; round < 3; round++) {
        rounds = begin_round(facts);
        assert_false(put(facts, server));
        assert_false(put(facts, deployment));
        assert_true(put(facts, server));
        assert_true(put(facts, deployment));
        end_round(facts, rounds);
    }
}

static void test_facts__the_end_of_a_round_removes_what_was_not_put(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct rounds rounds;
    struct fact server;
    struct fact deployment;
    rounds = begin_round(facts);
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'b'}}");
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'a','uid':'1'}}");
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'b'}}");
    end_round(facts, rounds);
    rounds = begin_round(facts);
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'b'}}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_true(facts_find(facts, OBJECT_DEPLOYMENT, "n", "a", &deployment));
    end_round(facts, rounds);
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "b", &server));
    assert_false(facts_find(facts, OBJECT_DEPLOYMENT, "n", "a", &deployment));
    assert_false(facts_find(facts, OBJECT_DEPLOYMENT, "n", "b", &deployment));
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), 1);
    assert_int_equal(facts_count(facts, OBJECT_DEPLOYMENT), 0);
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a'}}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), 2);
}

static void test_facts__what_cannot_be_identified_is_not_kept(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct object object = {.kind = OBJECT_MCPSERVER, .namespace = "n", .name = "a"};
    struct fact server;
    object.uid_presence = PRESENCE_UNUSABLE;
    assert_false(facts_put(facts, &object));
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    object.uid_presence = PRESENCE_ABSENT;
    assert_false(facts_put(facts, &object));
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
}

static void test_facts__the_rounds_of_the_two_kinds_are_apart(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct fact server;
    struct fact deployment;
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a'}}");
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'a'}}");
    facts_end_round(facts, OBJECT_DEPLOYMENT, NULL, facts_begin_round(facts, OBJECT_DEPLOYMENT));
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_false(facts_find(facts, OBJECT_DEPLOYMENT, "n", "a", &deployment));
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'a'}}");
    facts_end_round(facts, OBJECT_MCPSERVER, NULL, facts_begin_round(facts, OBJECT_MCPSERVER));
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_true(facts_find(facts, OBJECT_DEPLOYMENT, "n", "a", &deployment));
}

/* Two namespaces are listed at the same time, as two watches do. */
static void test_facts__the_rounds_of_namespaces_may_overlap(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct fact server;
    put(facts, "{" SERVER ",'metadata':{'namespace':'m','name':'old'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'old'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'o','name':'old'}}");
    uint64_t of_m = facts_begin_round(facts, OBJECT_MCPSERVER);
    put(facts, "{" SERVER ",'metadata':{'namespace':'m','name':'early'}}");
    uint64_t of_n = facts_begin_round(facts, OBJECT_MCPSERVER);
    put(facts, "{" SERVER ",'metadata':{'namespace':'m','name':'late'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'new'}}");
    assert_int_equal(facts_end_round(facts, OBJECT_MCPSERVER, "n", of_n), 1);
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "m", "old", &server));
    assert_int_equal(facts_end_round(facts, OBJECT_MCPSERVER, "m", of_m), 2);
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "m", "old", &server));
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "m", "early", &server));
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "m", "late", &server));
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "n", "old", &server));
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "new", &server));
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "o", "old", &server));
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), 4);
}

static void remove_object(struct facts *facts, const char *json) {
    struct object object;
    read_object(json, &object);
    facts_remove(facts, &object);
}

static void test_facts__one_object_is_removed(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct fact server;
    struct fact deployment;
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1'}}");
    put(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'a','uid':'1'}}");
    remove_object(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'2'}}");
    remove_object(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'b','uid':'1'}}");
    remove_object(facts,
                  "{'apiVersion':'v1','kind':'Pod','metadata':{'namespace':'n','name':'a'}}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    remove_object(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1'}}");
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_true(facts_find(facts, OBJECT_DEPLOYMENT, "n", "a", &deployment));
    remove_object(facts, "{" DEPLOY ",'metadata':{'namespace':'n','name':'a','uid':'1'}}");
    assert_false(facts_find(facts, OBJECT_DEPLOYMENT, "n", "a", &deployment));
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER) + facts_count(facts, OBJECT_DEPLOYMENT),
                     0);
}

#define CONDITIONS                                                                                 \
    "'status':{'conditions':[{'type':'StdioReplicaCapped','status':'False','observedGeneration':"  \
    "5,"                                                                                           \
    "'reason':'StdioReplicaCapNotActive','lastTransitionTime':'1970-01-01T00:00:09Z',"             \
    "'message':'stdio replica cap is not active'}]}"

static enum condition_state stdio_state(struct facts *facts, int64_t *ret_transition) {
    struct fact server;
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    *ret_transition = server.conditions[CONDITION_TYPE_STDIO].last_transition;
    return server.conditions[CONDITION_TYPE_STDIO].state;
}

static void test_facts__remember_conditions_that_were_taken_away(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    int64_t transition;
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1'}," CONDITIONS "}");
    assert_int_equal(stdio_state(facts, &transition), CONDITION_STDIO_NOT_ACTIVE);
    for (int i = 0; i < 2; i++) {
        put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1'}}");
        assert_int_equal(stdio_state(facts, &transition), CONDITION_ERASED);
        assert_int_equal(transition, 9);
    }
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'2'}}");
    assert_int_equal(stdio_state(facts, &transition), CONDITION_ABSENT);
    assert_int_equal(transition, 0);
}

static void test_facts__written_conditions_count_unless_something_came_meanwhile(void **state) {
    (void)state;
    static const struct condition written[CONDITION_TYPE_COUNT] = {
        {.state = CONDITION_STDIO_NOT_ACTIVE, .observed_generation = 5, .last_transition = 8}};
    AUTO(free_facts) struct facts *facts = facts_new();
    struct fact read;
    int64_t transition;
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1','generation':5},"
               "'spec':{'replicas':2,'transport':'sse','sessionStorage':{'provider':'redis'}}}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &read));
    facts_confirm_conditions(facts, &read, written, "9");
    assert_int_equal(stdio_state(facts, &transition), CONDITION_STDIO_NOT_ACTIVE);
    assert_int_equal(transition, 8);
    struct fact now;
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &now));
    assert_string_equal(now.uid, "1");
    assert_string_equal(now.resource_version, "9");
    assert_int_equal(now.generation, 5);
    assert_true(number_is(&now.replicas, 2));
    assert_false(now.is_stdio);
    assert_true(now.is_redis);
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'2'}}");
    facts_confirm_conditions(facts, &now, written, "9");
    assert_int_equal(stdio_state(facts, &transition), CONDITION_ABSENT);
    facts_confirm_conditions(facts, &(struct fact){.namespace = "n", .name = "b"}, written, "9");
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), 1);
}

/* The writer has read a newer object than the facts have. With the resourceVersion of that one, the
   next write of the old spec would be taken. */
static void test_facts__a_write_about_another_generation_is_not_taken_over(void **state) {
    (void)state;
    static const struct condition written[CONDITION_TYPE_COUNT] = {
        {.state = CONDITION_STDIO_NOT_ACTIVE, .observed_generation = 6}};
    AUTO(free_facts) struct facts *facts = facts_new();
    struct fact server;
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1','generation':5,"
               "'resourceVersion':'7'}}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    facts_confirm_conditions(facts, &server, written, "9");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_string_equal(server.resource_version, "7");
    assert_int_equal(server.conditions[CONDITION_TYPE_STDIO].state, CONDITION_ABSENT);
}

#define VERSION(version, generation)                                                               \
    "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'1','resourceVersion':'" version     \
    "','generation':" generation
#define BY_OPERATOR(time)                                                                          \
    ",'managedFields':[{'manager':'operator','time':'" time "','fieldsV1':{'f:status':{}}}]"
#define FIRST  "2027-01-01T00:00:01Z"
#define SECOND "2027-01-01T00:00:02Z"

static void test_facts__a_change_of_another_writer_is_told_from_ours(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *now; /* after VERSION("7", "5") of the first time, without conditions */
        bool is_touched;
    } rows[] = {
        {"the same", VERSION("7", "5") BY_OPERATOR(FIRST) "}}", false},
        {"a status of the operator's", VERSION("8", "5") BY_OPERATOR(SECOND) "}}", true},
        {"another in the same second", VERSION("8", "5") BY_OPERATOR(FIRST) "}}", true},
        {"its conditions", VERSION("8", "5") BY_OPERATOR(SECOND) "}," CONDITIONS "}", true},
        {"our conditions", VERSION("8", "5") BY_OPERATOR(FIRST) "}," CONDITIONS "}", false},
        {"an edit of the spec", VERSION("8", "6") BY_OPERATOR(FIRST) "}}", false},
        {"another object",
         "{" SERVER ",'metadata':{'namespace':'n','name':'a','uid':'2','resourceVersion':'8',"
         "'generation':5" BY_OPERATOR(SECOND) "}}",
         false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(free_facts) struct facts *facts = facts_new();
        struct fact server;
        put(facts, VERSION("7", "5") BY_OPERATOR(FIRST) "}}");
        put(facts, rows[i].now);
        assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
        if (server.is_touched != rows[i].is_touched) {
            fail_msg("%s", rows[i].name);
        }
    }
}

/* The answer to a write may come before its event. */
static void test_facts__a_confirmed_write_is_ours_when_its_event_comes(void **state) {
    (void)state;
    struct fact server;
    AUTO(free_facts) struct facts *facts = facts_new();
    put(facts, VERSION("7", "0") "}}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    static const struct condition written[CONDITION_TYPE_COUNT] = {
        {.state = CONDITION_STDIO_NOT_ACTIVE, .last_transition = 9}};
    facts_confirm_conditions(facts, &server, written, "8");
    put(facts, VERSION("8", "0") "}," CONDITIONS "}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_false(server.is_touched);
    put(facts, VERSION("9", "0") "}," CONDITIONS "}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "a", &server));
    assert_true(server.is_touched);
}

/* A write may be confirmed in the middle of a list that no longer has the object. */
static void test_facts__a_confirmed_write_keeps_nothing_that_is_gone(void **state) {
    (void)state;
    static const struct condition written[CONDITION_TYPE_COUNT] = {
        {.state = CONDITION_STDIO_NOT_ACTIVE}};
    AUTO(free_facts) struct facts *facts = facts_new();
    struct rounds rounds;
    struct fact read;
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'gone','uid':'1'}}");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'there','uid':'2'}}");
    rounds = begin_round(facts);
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "gone", &read));
    facts_confirm_conditions(facts, &read, written, "9");
    put(facts, "{" SERVER ",'metadata':{'namespace':'n','name':'there','uid':'2'}}");
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "there", &read));
    facts_confirm_conditions(facts, &read, written, "9");
    end_round(facts, rounds);
    assert_false(facts_find(facts, OBJECT_MCPSERVER, "n", "gone", &read));
    assert_true(facts_find(facts, OBJECT_MCPSERVER, "n", "there", &read));
    assert_int_equal(read.conditions[CONDITION_TYPE_STDIO].state, CONDITION_STDIO_NOT_ACTIVE);
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), 1);
}

enum { MANY = 10000 };

static struct object make_object(enum object_kind kind, int number, int64_t version) {
    struct object object = {.kind = kind,
                            .generation = version,
                            .replicas = {PRESENCE_SET, version},
                            .owner = {.is_controlled = true}};
    snprintf(object.namespace, sizeof(object.namespace), "n%d", number % 7);
    snprintf(object.name, sizeof(object.name), "object-%d", number);
    if (kind == OBJECT_MCPSERVER) {
        snprintf(object.uid, sizeof(object.uid), "%" PRId64, version);
    } else {
        snprintf(object.uid, sizeof(object.uid), "uid-%d", number);
        snprintf(object.owner.uid, sizeof(object.owner.uid), "%" PRId64, version);
    }
    return object;
}

static bool put_number(struct facts *facts, int number, int64_t version) {
    struct object server = make_object(OBJECT_MCPSERVER, number, version);
    struct object deployment = make_object(OBJECT_DEPLOYMENT, number, version);
    bool had_server = facts_put(facts, &server);
    return facts_put(facts, &deployment) || had_server;
}

/* The version of the object with this number: 0 if it is unknown, -1 if the result is another
   object. */
static int64_t find_server(struct facts *facts, int number) {
    const struct object key = make_object(OBJECT_MCPSERVER, number, 0);
    struct fact server;
    if (!facts_find(facts, OBJECT_MCPSERVER, key.namespace, key.name, &server)) {
        return 0;
    }
    bool is_whole = strcmp(server.namespace, key.namespace) == 0 &&
                    strcmp(server.name, key.name) == 0 &&
                    strtoll(server.uid, NULL, 10) == server.generation &&
                    number_is(&server.replicas, server.generation);
    return is_whole ? server.generation : -1;
}

static int64_t find_deployment(struct facts *facts, int number) {
    const struct object key = make_object(OBJECT_DEPLOYMENT, number, 0);
    struct fact deployment;
    if (!facts_find(facts, OBJECT_DEPLOYMENT, key.namespace, key.name, &deployment)) {
        return 0;
    }
    bool is_whole = strcmp(deployment.uid, key.uid) == 0 &&
                    strcmp(deployment.namespace, key.namespace) == 0 &&
                    strcmp(deployment.name, key.name) == 0 &&
                    number_is(&deployment.replicas, strtoll(deployment.owner.uid, NULL, 10));
    return is_whole ? deployment.replicas.value : -1;
}

static void test_facts__hold_ten_thousand_of_each(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct rounds rounds;
    rounds = begin_round(facts);
    for (int i = 0; i < MANY; i++) {
        assert_false(put_number(facts, i, 1));
        assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), i + 1);
    }
    end_round(facts, rounds);
    assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), MANY);
    assert_int_equal(facts_count(facts, OBJECT_DEPLOYMENT), MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(find_server(facts, i), 1);
        assert_int_equal(find_deployment(facts, i), 1);
    }
    assert_int_equal(find_server(facts, MANY), 0);
    assert_int_equal(find_deployment(facts, MANY), 0);
}

/* A window moves over the numbers. Every round leaves tombstones. They must not end a probe early
   or fill the index. */
static void test_facts__stay_sound_while_most_of_them_come_and_go(void **state) {
    (void)state;
    enum { WINDOW = 100, STEP = 37, ROUNDS = 300 };
    AUTO(free_facts) struct facts *facts = facts_new();
    struct rounds rounds;
    for (int round = 1; round <= ROUNDS; round++) {
        int first = round * STEP;
        rounds = begin_round(facts);
        for (int i = first; i < first + WINDOW; i++) {
            assert_false(put_number(facts, i, round));
        }
        end_round(facts, rounds);
        assert_int_equal(facts_count(facts, OBJECT_MCPSERVER), WINDOW);
        assert_int_equal(facts_count(facts, OBJECT_DEPLOYMENT), WINDOW);
        for (int i = first - WINDOW; i < first + 2 * WINDOW; i++) {
            int64_t expected = i >= first && i < first + WINDOW ? round : 0;
            assert_int_equal(find_server(facts, i), expected);
            assert_int_equal(find_deployment(facts, i), expected);
        }
    }
}

static void count_visit(void *context, const struct fact *server) {
    int *visits = context;
    long number = strtol(server->name + strlen("object-"), NULL, 10);
    assert_in_range(number, 0, 999);
    visits[number]++;
}

static void test_facts__each_server_is_visited_once(void **state) {
    (void)state;
    AUTO(free_facts) struct facts *facts = facts_new();
    struct rounds rounds;
    static int visits[1000];
    for (int round = 0; round < 2; round++) {
        rounds = begin_round(facts);
        for (int i = round * 400; i < 1000; i++) {
            put_number(facts, i, 1);
        }
        end_round(facts, rounds);
    }
    memset(visits, 0, sizeof(visits));
    facts_each(facts, OBJECT_MCPSERVER, count_visit, visits);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(visits[i], i < 400 ? 0 : 1);
    }
}

/* A reader that never ended would keep all replaced records. (The sanitizers' allocators return 0
   here.) */
static void test_facts__what_was_replaced_takes_no_memory(void **state) {
    (void)state;
    enum { SIZE = 100, TIMES = 200, SLACK = 65536 };
    AUTO(free_facts) struct facts *facts = facts_new();
    struct rounds rounds;
    size_t before = 0;
    for (int round = 1; round <= TIMES; round++) {
        rounds = begin_round(facts);
        for (int i = 0; i < SIZE; i++) {
            put_number(facts, i, round);
            assert_int_equal(find_server(facts, i), round);
            assert_int_equal(find_deployment(facts, i), round);
        }
        end_round(facts, rounds);
        before = round == 1 ? mallinfo2().uordblks : before;
    }
    assert_in_range(mallinfo2().uordblks, 0, before + SLACK);
}

/* Every round puts the numbers below STABLE. Higher ones come and go, and more each round. */
enum { READERS = 3, STABLE = 50, ROUNDS = 60, GROWTH = 10 };

struct stress {
    struct facts *facts;
    atomic_bool is_over;
    atomic_int n_faults; /* cmocka's assertions belong to the main thread */
    pthread_barrier_t start;
};

static void *read_on(void *context) {
    struct stress *stress = context;
    int64_t newest[STABLE] = {0};
    pthread_barrier_wait(&stress->start);
    do {
        for (int i = 0; i < STABLE + ROUNDS * GROWTH; i += 3) {
            int64_t version = find_server(stress->facts, i);
            int64_t other = find_deployment(stress->facts, i);
            bool is_good = version >= 0 && other >= 0;
            if (i < STABLE) {
                is_good = is_good && version > 0 && other > 0 && version >= newest[i];
                newest[i] = version;
            }
            if (!is_good) {
                atomic_fetch_add(&stress->n_faults, 1);
            }
        }
        if (facts_count(stress->facts, OBJECT_MCPSERVER) < STABLE) {
            atomic_fetch_add(&stress->n_faults, 1);
        }
    } while (!atomic_load(&stress->is_over));
    return NULL;
}

static void write_round(struct facts *facts, int round) {
    struct rounds rounds;
    rounds = begin_round(facts);
    for (int i = 0; i < STABLE; i++) {
        put_number(facts, i, round);
    }
    for (int i = STABLE; i < STABLE + round * GROWTH; i++) {
        if ((i + round) % 3 != 0) {
            put_number(facts, i, round);
        }
    }
    end_round(facts, rounds);
}

static void test_facts__readers_see_whole_records_while_rounds_go_on(void **state) {
    (void)state;
    struct stress stress = {.facts = facts_new()};
    pthread_t readers[READERS];
    write_round(stress.facts, 1);
    pthread_barrier_init(&stress.start, NULL, READERS + 1);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &stress), 0);
    }
    pthread_barrier_wait(&stress.start);
    for (int round = 2; round <= ROUNDS; round++) {
        write_round(stress.facts, round);
    }
    atomic_store(&stress.is_over, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    pthread_barrier_destroy(&stress.start);
    assert_int_equal(atomic_load(&stress.n_faults), 0);
    assert_int_equal(find_server(stress.facts, 0), ROUNDS);
    facts_free(stress.facts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts__begin_empty),
        cmocka_unit_test(test_facts__keep_all_that_is_known_of_a_server),
        cmocka_unit_test(test_facts__keep_all_that_is_known_of_a_deployment),
        cmocka_unit_test(test_facts__are_found_by_the_whole_key),
        cmocka_unit_test(test_facts__hold_names_of_every_length),
        cmocka_unit_test(test_facts__pass_over_other_kinds),
        cmocka_unit_test(test_facts__a_put_replaces),
        cmocka_unit_test(test_facts__a_put_tells_whether_the_round_had_its_like),
        cmocka_unit_test(test_facts__the_end_of_a_round_removes_what_was_not_put),
        cmocka_unit_test(test_facts__what_cannot_be_identified_is_not_kept),
        cmocka_unit_test(test_facts__the_rounds_of_the_two_kinds_are_apart),
        cmocka_unit_test(test_facts__the_rounds_of_namespaces_may_overlap),
        cmocka_unit_test(test_facts__one_object_is_removed),
        cmocka_unit_test(test_facts__remember_conditions_that_were_taken_away),
        cmocka_unit_test(test_facts__written_conditions_count_unless_something_came_meanwhile),
        cmocka_unit_test(test_facts__a_write_about_another_generation_is_not_taken_over),
        cmocka_unit_test(test_facts__a_change_of_another_writer_is_told_from_ours),
        cmocka_unit_test(test_facts__a_confirmed_write_is_ours_when_its_event_comes),
        cmocka_unit_test(test_facts__a_confirmed_write_keeps_nothing_that_is_gone),
        cmocka_unit_test(test_facts__hold_ten_thousand_of_each),
        cmocka_unit_test(test_facts__stay_sound_while_most_of_them_come_and_go),
        cmocka_unit_test(test_facts__each_server_is_visited_once),
        cmocka_unit_test(test_facts__what_was_replaced_takes_no_memory),
        cmocka_unit_test(test_facts__readers_see_whole_records_while_rounds_go_on),
    };
    return cmocka_run_group_tests_name("core/facts", tests, NULL, NULL);
}
