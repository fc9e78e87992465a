// SPDX-License-Identifier: Apache-2.0

/*
 * Walks every field that a request may change, and shows that none of them frees the Deployment of
 * a stdio MCPServer or its Scale. Each change is tried alone with a count of 5, in pairs, and in
 * two requests: the first makes the change, and the second one scales.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "core/admission/decide.h"
#include "core/core_fixtures.h"

#define SERVER                                                                                     \
    "{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer','metadata':{'name':"         \
    "'github','namespace':'n','uid':'m-1','generation':1%s},'spec':{'transport':'stdio'}}"
#define DELETING ",'deletionTimestamp':'2026-11-22T10:00:00Z'"

static const char deployment[] =
    "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'github','namespace':'n',"
    "'uid':'d-1','generation':3,'labels':{'app.kubernetes.io/name':'mcpserver',"
    "'app.kubernetes.io/instance':'github','toolhive-name':'github'},'annotations':{'a':'b'},"
    "'ownerReferences':[{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer',"
    "'name':'github','uid':'m-1','controller':true,'blockOwnerDeletion':true}]},"
    "'spec':{'replicas':1,'selector':{'matchLabels':{'app':'mcpserver',"
    "'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':'github'}},"
    "'strategy':{'type':'RollingUpdate'},'template':{'metadata':{'labels':{"
    "'app.kubernetes.io/name':'mcpserver'},'annotations':{"
    "'toolhive.stacklok.dev/mcpserver-generation':'1'}},'spec':{'containers':[],"
    "'terminationGracePeriodSeconds':30}}},'status':{'replicas':1}}";

static const char scale[] =
    "{'apiVersion':'autoscaling/v1','kind':'Scale','metadata':{'name':'github','namespace':'n',"
    "'uid':'d-1'},'spec':{'replicas':1},'status':{'replicas':1,'selector':'app=mcpserver,"
    "app.kubernetes.io/instance=github,app.kubernetes.io/name=mcpserver'}}";

/* A field, and what a requester may write there: JSON, or NULL to take it off. The API server keeps
   an immutable field as it was; it is only in the object that admission sees. */
struct change {
    const char *path;
    const char *value;
    bool is_immutable;
};

#define FOREIGN                                                                                    \
    "{'apiVersion':'apps/v1','kind':'ReplicaSet','name':'x','uid':'x','controller':true}"
#define OF_UID(uid)                                                                                \
    "{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer','name':'github','uid':" uid  \
    ",'controller':true}"

static const struct change changes[] = {
    {"metadata.name", "'other'", true},
    {"metadata.name", NULL, true},
    {"metadata.name", "7", true},
    {"metadata.namespace", "'other'", true},
    {"metadata.namespace", NULL, true},
    {"metadata.uid", "'m-1'", true},
    {"metadata.uid", NULL, true},
    {"metadata.uid", "7", true},
    {"metadata.generation", "99", true},
    {"metadata.generateName", "'github-'", true},
    {"metadata.deletionTimestamp", "'2026-11-22T10:00:00Z'", true},
    {"metadata.deletionGracePeriodSeconds", "0", true},
    {"metadata.finalizers", "['a/b']", false},
    {"metadata.labels", NULL, false},
    {"metadata.labels", "{'app.kubernetes.io/name':'other'}", false},
    {"metadata.labels", "{'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':'x'}",
     false},
    {"metadata.labels", "{'app.kubernetes.io/instance':7}", false},
    {"metadata.annotations", NULL, false},
    {"metadata.annotations", "{'toolhive.stacklok.dev/mcpserver-generation':'99'}", false},
    {"metadata.annotations", "{'capstan.dev/ignore':'true'}", false},
    {"metadata.managedFields", "[]", false},
    {"metadata.ownerReferences", NULL, false},
    {"metadata.ownerReferences", "null", false},
    {"metadata.ownerReferences", "[]", false},
    {"metadata.ownerReferences", "[" FOREIGN "]", false},
    {"metadata.ownerReferences", "[" FOREIGN "," OF_UID("'m-1'") "]", false},
    {"metadata.ownerReferences", "[" OF_UID("'m-2'") "]", false},
    {"metadata.ownerReferences", "[" OF_UID("''") "]", false},
    {"metadata.ownerReferences", "[" OF_UID("7") "]", false},
    {"metadata.ownerReferences", "7", false},
    {"metadata.ownerReferences.0.controller", "false", false},
    {"metadata.ownerReferences.0.controller", NULL, false},
    {"metadata.ownerReferences.0.name", "'other'", false},
    {"metadata.ownerReferences.0.kind", "'MCPGroup'", false},
    {"metadata.ownerReferences.0.apiVersion", "'apps/v1'", false},
    {"metadata.ownerReferences.0.apiVersion", "'toolhive.stacklok.dev/v9'", false},
    {"spec.selector", NULL, true},
    {"spec.selector", "{'matchLabels':{'x':'y'}}", true},
    {"spec.selector.matchLabels", "{'app.kubernetes.io/name':'mcpserver'}", true},
    {"spec.selector.matchLabels",
     "{'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':'other'}", true},
    {"spec.selector.matchExpressions", "[{'key':'x','operator':'Exists'}]", true},
    {"spec.strategy", "{'type':'Recreate'}", false},
    {"spec.paused", "true", false},
    {"spec.minReadySeconds", "600", false},
    {"spec.template.metadata", NULL, false},
    {"spec.template.metadata.labels", "{'x':'y'}", false},
    {"spec.template.metadata.annotations", "{'toolhive.stacklok.dev/mcpserver-generation':'99'}",
     false},
    {"spec.template.metadata.annotations", "{'toolhive.stacklok.dev/mcpserver-generation':'x'}",
     false},
    {"spec.template.metadata.annotations", "{'toolhive.stacklok.dev/mcpserver-generation':7}",
     false},
    {"spec.template.spec.terminationGracePeriodSeconds", "-5", false},
    {"status", NULL, true},
    {"status", "{'selector':'x=y','replicas':0}", true},
    {"status.selector", "'app.kubernetes.io/name=other'", true},
    {"apiVersion", "'apps/v9'", true},
    {"kind", "'Other'", true},
};

static cJSON *parse(const char *text) {
    AUTO_FREE char *json = make_json(text);
    cJSON *tree = cJSON_Parse(json);
    assert_non_null(tree);
    return tree;
}

/* The value at the key or the index; NULL: there is none. */
static cJSON *below(cJSON *at, const char *key) {
    return cJSON_IsArray(at) ? cJSON_GetArrayItem(at, atoi(key))
                             : cJSON_GetObjectItemCaseSensitive(at, key);
}

static void apply(cJSON *object, const struct change *change) {
    char path[128];
    char *rest = NULL;
    cJSON *at = object;
    snprintf(path, sizeof(path), "%s", change->path);
    const char *key = strtok_r(path, ".", &rest);
    for (const char *next = strtok_r(NULL, ".", &rest); next != NULL;
         next = strtok_r(NULL, ".", &rest)) {
        if (below(at, key) == NULL && cJSON_IsObject(at)) {
            cJSON_AddObjectToObject(at, key);
        }
        at = below(at, key);
        key = next;
    }
    if (!cJSON_IsObject(at)) {
        return; /* another change took it off */
    }
    cJSON_DeleteItemFromObjectCaseSensitive(at, key);
    if (change->value != NULL) {
        cJSON_AddItemToObject(at, key, parse(change->value));
    }
}

static void set_replicas(cJSON *object, int replicas) {
    const struct change change = {"spec.replicas", replicas == 5 ? "5" : "1", false};
    apply(object, &change);
}

/* The object that the API server would store: its immutable fields are the old one's. */
static cJSON *stored(const cJSON *old, const struct change *change) {
    cJSON *object = cJSON_Duplicate(old, true);
    if (!change->is_immutable) {
        apply(object, change);
    }
    return object;
}

static char *print_review(const cJSON *object, const cJSON *old, bool is_scale) {
    static const char of_deployment[] =
        "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{'uid':'u',"
        "'kind':{'group':'apps','version':'v1','kind':'Deployment'},'resource':{'group':'apps',"
        "'version':'v1','resource':'deployments'},'name':'github','namespace':'n',"
        "'operation':'UPDATE','userInfo':{'username':'mallory'}}}";
    static const char of_scale[] =
        "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{'uid':'u',"
        "'kind':{'group':'autoscaling','version':'v1','kind':'Scale'},'resource':{'group':'apps',"
        "'version':'v1','resource':'deployments'},'subResource':'scale','name':'github',"
        "'namespace':'n','operation':'UPDATE','userInfo':{'username':'mallory'}}}";
    cJSON *review = parse(is_scale ? of_scale : of_deployment);
    cJSON *request = cJSON_GetObjectItemCaseSensitive(review, "request");
    cJSON_AddItemToObject(request, "object", cJSON_Duplicate(object, true));
    cJSON_AddItemToObject(request, "oldObject", cJSON_Duplicate(old, true));
    char *text = cJSON_PrintUnformatted(review);
    cJSON_Delete(review);
    return text;
}

/* A cluster: the facts have the MCPServer, and a look-up answers with it. */
struct world {
    struct facts *facts;
    struct policy *policy;
    struct fact live;
};

static void world_init(struct world *world, bool is_deleting) {
    char text[512];
    struct object object;
    world->facts = facts_new();
    world->policy = policy_default();
    snprintf(text, sizeof(text), SERVER, is_deleting ? DELETING : "");
    read_object(text, &object);
    facts_put(world->facts, &object);
    facts_of(&object, &world->live);
}

static void world_fini(struct world *world) {
    facts_free(world->facts);
    policy_free(world->policy);
}

/* True if the object would be stored with one replica. */
static bool is_held(const struct world *world, const cJSON *object, const cJSON *old,
                    bool is_scale) {
    struct evidence evidence = {.states = {EVIDENCE_NONE}};
    struct review review;
    struct subject subject;
    struct decision decision;
    struct error error;
    AUTO_FREE char *json = print_review(object, old, is_scale);
    if (!review_decode(json, strlen(json), &review, &error)) {
        fail_msg("%s", error.text);
    }
    subject_find(world->facts, &review, &evidence, &subject);
    decide(world->policy, &review, &subject, 0, &decision);
    if (decision.is_unresolved && subject.lookup_kind != OBJECT_OTHER) {
        evidence.states[OBJECT_MCPSERVER] = EVIDENCE_FOUND;
        evidence.servers[OBJECT_MCPSERVER] = world->live;
        subject_find(world->facts, &review, &evidence, &subject);
        decide(world->policy, &review, &subject, 0, &decision);
    }
    return decision.patch.has[PATCH_REPLICAS] && decision.patch.values[PATCH_REPLICAS] == 1;
}

static void walk(const struct world *world, const char *of, bool is_scale) {
    cJSON *old = parse(of);
    size_t n_held = 0;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        for (size_t j = 0; j < COUNT_OF(changes); j++) {
            cJSON *object = cJSON_Duplicate(old, true);
            apply(object, &changes[i]);
            apply(object, &changes[j]);
            set_replicas(object, 5);
            if (!is_held(world, object, old, is_scale)) {
                fail_msg("%s to %s and %s to %s free it", changes[i].path, changes[i].value,
                         changes[j].path, changes[j].value);
            }
            n_held++;
            cJSON_Delete(object);
        }
    }
    assert_int_equal(n_held, COUNT_OF(changes) * COUNT_OF(changes));
    cJSON_Delete(old);
}

static void test_walk__no_field_of_an_update_frees_a_deployment(void **state) {
    walk(*state, deployment, false);
}

static void test_walk__no_field_of_an_update_frees_a_scale(void **state) {
    walk(*state, scale, true);
}

/* Two changes are stored, one after the other; the third request scales the Deployment. */
static void test_walk__no_earlier_update_frees_a_deployment(void **state) {
    cJSON *first = parse(deployment);
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        cJSON *second = stored(first, &changes[i]);
        for (size_t j = 0; j < COUNT_OF(changes); j++) {
            cJSON *third = stored(second, &changes[j]);
            cJSON *object = cJSON_Duplicate(third, true);
            set_replicas(object, 5);
            if (!is_held(*state, object, third, false)) {
                fail_msg("%s to %s, and then %s to %s, free it", changes[i].path, changes[i].value,
                         changes[j].path, changes[j].value);
            }
            cJSON_Delete(object);
            cJSON_Delete(third);
        }
        cJSON_Delete(second);
    }
    cJSON_Delete(first);
}

static int set_up(void **state) {
    static struct world world;
    world_init(&world, false);
    *state = &world;
    return 0;
}

static int set_up_deletion(void **state) {
    static struct world world;
    world_init(&world, true);
    *state = &world;
    return 0;
}

static int tear_down(void **state) {
    world_fini(*state);
    return 0;
}

#define TWICE(test)                                                                                \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down), {                                    \
#test " (during the deletion of the MCPServer)", test, set_up_deletion, tear_down, NULL    \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        TWICE(test_walk__no_field_of_an_update_frees_a_deployment),
        TWICE(test_walk__no_field_of_an_update_frees_a_scale),
        TWICE(test_walk__no_earlier_update_frees_a_deployment),
    };
    return cmocka_run_group_tests_name("core/walk", tests, NULL, NULL);
}
