// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/core_fixtures.h"

static void test_object__its_kind_is_read_from_any_version_and_in_any_order(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum object_kind expected;
    } rows[] = {
        {"{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer'}", OBJECT_MCPSERVER},
        {"{'kind':'MCPServer','apiVersion':'toolhive.stacklok.dev/v1alpha1'}", OBJECT_MCPSERVER},
        {"{'kind':'MCPServer','apiVersion':'toolhive.stacklok.dev/'}", OBJECT_MCPSERVER},
        {"{'kind':'MCPServer','apiVersion':'toolhive.stacklok.dev'}", OBJECT_OTHER},
        {"{'kind':'Deployment','apiVersion':'apps/v1'}", OBJECT_DEPLOYMENT},
        {"{'kind':'Deployment','apiVersion':'v1'}", OBJECT_OTHER},
        {"{'kind':'Deployment','apiVersion':'/apps'}", OBJECT_OTHER},
        {"{'kind':'Deployment','apiVersion':null}", OBJECT_OTHER},
        {"{'kind':'Deployment'}", OBJECT_OTHER},
        {"{'kind':'Scale','apiVersion':'autoscaling/v1'}", OBJECT_SCALE},
        {"{'apiVersion':'apps/v1'}", OBJECT_OTHER},
        {"{'apiVersion':'apps/v1','kind':null}", OBJECT_OTHER},
        {"{'apiVersion':'apps/v1','kind':7}", OBJECT_OTHER},
        {"{'apiVersion':'apps/v1','kind':''}", OBJECT_OTHER},
        {"{'apiVersion':'apps/v1','Kind':'Deployment'}", OBJECT_OTHER},
        {"{}", OBJECT_OTHER},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_object(rows[i].json, &object);
        if (object.kind != rows[i].expected) {
            fail_msg("%s", rows[i].json);
        }
    }
}

static void test_object__a_group_that_is_no_name_is_none(void **state) {
    (void)state;
    for (size_t size = 252; size < 330; size++) {
        char group[400];
        char json[512];
        struct object object;
        snprintf(json, sizeof(json), "{'kind':'Deployment','apiVersion':'%s/v1'}",
                 fill(group, size));
        read_object(json, &object);
        assert_int_equal(object.kind, OBJECT_OTHER);
    }
}

static void check_server(const struct object *server) {
    assert_int_equal(server->kind, OBJECT_MCPSERVER);
    assert_string_equal(server->name, "github");
    assert_string_equal(server->namespace, "tools");
    assert_string_equal(server->uid, "524d4eee");
    assert_int_equal(server->generation, 7);
    assert_false(server->is_deleting);
    assert_int_equal(server->labelled, OBJECT_OTHER);
    assert_false(server->owner.is_controlled);
    assert_true(number_is(&server->replicas, 3));
    assert_int_equal(server->transport_presence, PRESENCE_SET);
    assert_string_equal(server->transport, "streamable-http");
    assert_false(object_is_stdio(server));
    assert_int_equal(server->provider_presence, PRESENCE_SET);
    assert_string_equal(server->provider, "redis");
    assert_true(object_is_redis(server));
    assert_int_equal(server->conditions[CONDITION_TYPE_STDIO].state, CONDITION_STDIO_NOT_ACTIVE);
    assert_int_equal(server->conditions[CONDITION_TYPE_SESSION_STORAGE].state, CONDITION_ABSENT);
}

static void test_object__an_mcpserver_is_read_in_any_order(void **state) {
    (void)state;
    struct object server;
    read_object("{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer',"
                "'metadata':{'name':'github','namespace':'tools','uid':'524d4eee','generation':7,"
                "'managedFields':[{'f:spec':{'f:replicas':{}}}]},"
                "'spec':{'image':'x','transport':'streamable-http','replicas':3,"
                "'podTemplateSpec':{'spec':{'terminationGracePeriodSeconds':90}},"
                "'sessionStorage':{'address':'redis:6379','provider':'redis'}},"
                "'status':{'phase':'Running','conditions':[{'type':'Ready','status':'True'},"
                "{'type':'StdioReplicaCapped','status':'False','reason':'StdioReplicaCapNotActive',"
                "'message':'stdio replica cap is not active'}]}}",
                &server);
    check_server(&server);
    assert_int_equal(server.grace_period.state, PRESENCE_ABSENT);
    assert_int_equal(server.pod_spec, PRESENCE_ABSENT);
    read_object("{'status':{'conditions':[{'message':'stdio replica cap is not active',"
                "'reason':'StdioReplicaCapNotActive','status':'False',"
                "'type':'StdioReplicaCapped'}]},"
                "'spec':{'sessionStorage':{'provider':'redis'},'replicas':3,"
                "'transport':'streamable-http'},'metadata':{'generation':7,'uid':'524d4eee',"
                "'namespace':'tools','name':'github'},'kind':'MCPServer',"
                "'apiVersion':'toolhive.stacklok.dev/v1beta1'}",
                &server);
    check_server(&server);
}

static void check_deployment(const struct object *deployment) {
    assert_int_equal(deployment->kind, OBJECT_DEPLOYMENT);
    assert_string_equal(deployment->name, "github");
    assert_true(deployment->is_deleting);
    assert_int_equal(deployment->labelled, OBJECT_MCPSERVER);
    assert_string_equal(deployment->instance, "github");
    assert_true(deployment->owner.is_controlled);
    assert_int_equal(deployment->owner.kind, OBJECT_MCPSERVER);
    assert_string_equal(deployment->owner.name, "github");
    assert_string_equal(deployment->owner.uid, "524d4eee");
    assert_true(number_is(&deployment->replicas, 2));
    assert_int_equal(deployment->pod_spec, PRESENCE_SET);
    assert_true(number_is(&deployment->grace_period, 45));
    assert_int_equal(deployment->generation_note, PRESENCE_SET);
    assert_int_equal(deployment->noted_generation, 12);
    assert_int_equal(deployment->strategy, PRESENCE_SET);
    assert_string_equal(deployment->strategy_type, "RollingUpdate");
    assert_false(object_is_recreate(deployment));
    assert_int_equal(deployment->rolling_update, PRESENCE_SET);
    assert_true(number_is(&deployment->max_surge, 1));
    assert_int_equal(deployment->max_unavailable.state, PRESENCE_UNUSABLE);
}

static void test_object__a_deployment_is_read_in_any_order(void **state) {
    (void)state;
    struct object deployment;
    read_object(
        "{'kind':'Deployment','apiVersion':'apps/v1','metadata':{'name':'github',"
        "'deletionTimestamp':'2026-11-22T10:00:00Z','labels':{'app':'mcpserver',"
        "'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':'github'},"
        "'ownerReferences':[{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer',"
        "'name':'github','uid':'524d4eee','controller':true,'blockOwnerDeletion':true}]},"
        "'spec':{'replicas':2,'selector':{'matchLabels':{'app':'mcpserver'}},'template':{"
        "'metadata':{'labels':{},'annotations':{'x':'1',"
        "'toolhive.stacklok.dev/mcpserver-generation':'12'}},'spec':{'containers':[],"
        "'terminationGracePeriodSeconds':45}},'strategy':{'type':'RollingUpdate',"
        "'rollingUpdate':{'maxSurge':1,'maxUnavailable':'25%'}}},'status':{'replicas':9}}",
        &deployment);
    check_deployment(&deployment);
    read_object(
        "{'status':{'replicas':9},'spec':{'strategy':{'rollingUpdate':{'maxUnavailable':'25%',"
        "'maxSurge':1},'type':'RollingUpdate'},'template':{'spec':{"
        "'terminationGracePeriodSeconds':45},'metadata':{'annotations':{"
        "'toolhive.stacklok.dev/mcpserver-generation':'12'}}},'replicas':2},'metadata':{"
        "'ownerReferences':[{'controller':true,'uid':'524d4eee','name':'github',"
        "'kind':'MCPServer','apiVersion':'toolhive.stacklok.dev/v1beta1'}],'labels':{"
        "'app.kubernetes.io/instance':'github','app.kubernetes.io/name':'mcpserver'},"
        "'deletionTimestamp':'2026-11-22T10:00:00Z','name':'github'},'apiVersion':'apps/v1',"
        "'kind':'Deployment'}",
        &deployment);
    check_deployment(&deployment);
}

static void test_object__a_scale_is_read(void **state) {
    (void)state;
    struct object scale;
    read_object("{'kind':'Scale','apiVersion':'autoscaling/v1','metadata':{'name':'weather',"
                "'namespace':'default','uid':'6b91f26b'},'spec':{},'status':{'replicas':4,"
                "'selector':'app=mcpserver,app.kubernetes.io/name=mcpserver'}}",
                &scale);
    assert_int_equal(scale.kind, OBJECT_SCALE);
    assert_string_equal(scale.uid, "6b91f26b");
    assert_int_equal(scale.replicas.state, PRESENCE_ABSENT);
    assert_int_equal(scale.scaled.kind, OBJECT_MCPSERVER);
    assert_string_equal(scale.scaled.instance, "");
}

#define CONDITION "'f:conditions':{'k:{\\'type\\':\\'StdioReplicaCapped\\'}':{'.':{}}}"
#define FIELDS(manager, time, fields)                                                              \
    "{'manager':'" manager "','operation':'Update','time':'" time "','fieldsV1':{" fields "}}"

static void test_object__its_managers_tell_who_else_writes_the_status(void **state) {
    (void)state;
    static const struct {
        const char *managers;
        int64_t others_wrote;
        bool others_condition;
    } rows[] = {
        {"[]", 0, false},
        {"null", 0, false},
        {"[7,null,{}]", 0, false},
        {"[" FIELDS("capstan", "1970-01-01T00:00:09Z", "'f:status':{" CONDITION "}") "]", 0, false},
        {"[" FIELDS("thv", "1970-01-01T00:00:09Z", "'f:spec':{}") "]", 0, false},
        {"[" FIELDS("thv", "1970-01-01T00:00:09Z", "'f:status':{'f:phase':{}}") "]", 9, false},
        {"[" FIELDS("thv", "1970-01-01T00:00:09Z", "'f:status':{'f:conditions':{}}") "]", 9, false},
        {"[" FIELDS("thv", "1970-01-01T00:00:09Z", "'f:status':{" CONDITION "}") "]", 9, true},
        {"[" FIELDS("thv", "soon", "'f:status':{" CONDITION "}") "]", 0, false},
        {"[" FIELDS("a", "1970-01-01T00:00:09Z", "'f:status':{" CONDITION "}") "," FIELDS(
             "b", "1970-01-01T00:00:07Z",
             "'f:status':{}") "," FIELDS("capstan", "1970-01-01T00:00:11Z", "'f:status':{}") "]",
         9, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char json[1024];
        struct object object;
        snprintf(json, sizeof(json), "{'metadata':{'managedFields':%s}}", rows[i].managers);
        read_object(json, &object);
        if (object.others_wrote != rows[i].others_wrote ||
            object.others_condition != rows[i].others_condition) {
            fail_msg("%s: %" PRId64 " %d", json, object.others_wrote, object.others_condition);
        }
    }
}

/* A request skips the managedFields: they are half of it. */
static void test_object__a_request_reads_no_managed_fields(void **state) {
    static const char json[] =
        "{\"metadata\":{\"managedFields\":[{\"manager\":\"thv-operator\",\"time\":"
        "\"2026-11-30T10:00:00Z\",\"fieldsV1\":{\"f:status\":{}}}]}}";
    struct object object;
    struct json_reader reader;
    (void)state;
    json_begin(&reader, json, sizeof(json) - 1);
    assert_true(object_read_watched(&reader, &object));
    assert_true(object.others_wrote > 0);
    json_begin(&reader, json, sizeof(json) - 1);
    assert_true(object_read(&reader, &object));
    assert_int_equal(object.others_wrote, 0);
    assert_true(object_decode(json, sizeof(json) - 1, &object));
    assert_int_equal(object.others_wrote, 0);
}

static void test_object__keys_are_compared_decoded_and_with_case(void **state) {
    (void)state;
    struct object object;
    read_object("{'sp\\u0065c':{'replic\\u0061s':3,'tr\\u0061nsport':'ss\\u0065'}}", &object);
    assert_true(number_is(&object.replicas, 3));
    assert_string_equal(object.transport, "sse");
    read_object("{'Spec':{'replicas':3},'spec':{'Replicas':4,'REPLICAS':5}}", &object);
    assert_int_equal(object.replicas.state, PRESENCE_ABSENT);
}

static void test_object__only_the_field_at_its_own_place_counts(void **state) {
    (void)state;
    struct object object;
    read_object("{'replicas':1,'name':'a','metadata':{'replicas':2,'labels':{'name':'b'}},"
                "'spec':{'template':{'replicas':3,'spec':{'replicas':4,'containers':["
                "{'terminationGracePeriodSeconds':5}]}},'terminationGracePeriodSeconds':6,"
                "'rollingUpdate':{'maxSurge':7},'provider':'redis'},'status':{'transport':'sse'}}",
                &object);
    assert_int_equal(object.replicas.state, PRESENCE_ABSENT);
    assert_int_equal(object.grace_period.state, PRESENCE_ABSENT);
    assert_int_equal(object.max_surge.state, PRESENCE_ABSENT);
    assert_string_equal(object.name, "");
    assert_string_equal(object.provider, "");
    assert_int_equal(object.transport_presence, PRESENCE_ABSENT);
}

static void test_object__what_is_no_object_reads_as_an_empty_one(void **state) {
    (void)state;
    static const char *const rows[] = {"null", "[]", "[{'spec':{}}]", "'x'", "7", "true"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i]);
        struct json_reader reader;
        struct object object = {.name = "old", .generation = 7, .replicas = {PRESENCE_SET, 3}};
        struct error error;
        json_begin(&reader, json, strlen(json));
        assert_false(object_decode(json, strlen(json), &object));
        assert_false(object_read(&reader, &object));
        assert_true(json_finish(&reader, &error));
        assert_string_equal(object.name, "");
        assert_int_equal(object.generation, 0);
        assert_int_equal(object.replicas.state, PRESENCE_ABSENT);
    }
}

static void test_object__a_fault_of_the_json_stays_in_the_reader(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "{",
        "{'spec':{'replicas':",
        "{'spec':{'replicas':01}}",
        "{'spec':{'replicas':1}",
        "{'metadata':{'name':'\\ud800'}}",
        "{'metadata':{'ownerReferences':[{'controller':tru}]}}",
        "{'status':{'conditions':[{'type':'StdioReplicaCapped'},]}}",
        "{'metadata':{'name':'\xff'}}",
        "{}{}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i]);
        struct json_reader reader;
        struct object object;
        struct error error;
        json_begin(&reader, json, strlen(json));
        (void)object_read(&reader, &object);
        if (json_finish(&reader, &error) || object_decode(json, strlen(json), &object)) {
            fail_msg("%s", rows[i]);
        }
    }
}

/* Each row is JSON around a text, and the member that gets the text. */
#define MEMBER(member) offsetof(struct object, member), sizeof(((struct object *)NULL)->member)
static const struct {
    const char *before;
    const char *behind;
    size_t offset;
    size_t capacity;
} texts[] = {
    {"{'metadata':{'name':", "}}", MEMBER(name)},
    {"{'metadata':{'namespace':", "}}", MEMBER(namespace)},
    {"{'metadata':{'uid':", "}}", MEMBER(uid)},
    {"{'metadata':{'labels':{'app.kubernetes.io/instance':", "}}}", MEMBER(instance)},
    {"{'metadata':{'ownerReferences':[{'controller':true,'name':", "}]}}", MEMBER(owner.name)},
    {"{'metadata':{'ownerReferences':[{'controller':true,'uid':", "}]}}", MEMBER(owner.uid)},
    {"{'spec':{'transport':", "}}", MEMBER(transport)},
    {"{'spec':{'sessionStorage':{'provider':", "}}}", MEMBER(provider)},
    {"{'spec':{'strategy':{'type':", "}}}", MEMBER(strategy_type)},
    {"{'spec':{'selector':{'matchLabels':{'app.kubernetes.io/instance':", "}}}}",
     MEMBER(selection.instance)},
};

static const char *read_row(size_t i, const char *value, struct object *ret_object) {
    char json[2048];
    int size = snprintf(json, sizeof(json), "%s%s%s", texts[i].before, value, texts[i].behind);
    assert_in_range(size, 1, sizeof(json) - 1);
    read_object(json, ret_object);
    return (const char *)ret_object + texts[i].offset;
}

static void test_object__texts_are_as_long_as_their_room_and_one_more_is_none(void **state) {
    (void)state;
    static const size_t expected[] = {254, 64, 129, 254, 254, 129, 32, 32, 32, 254};
    assert_int_equal(COUNT_OF(expected), COUNT_OF(texts));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char value[1100];
        char quoted[1110];
        struct object object;
        assert_int_equal(texts[i].capacity, expected[i]);
        snprintf(quoted, sizeof(quoted), "'%s'", fill(value, texts[i].capacity - 1));
        assert_string_equal(read_row(i, quoted, &object), value);
        snprintf(quoted, sizeof(quoted), "'%s'", fill(value, texts[i].capacity));
        assert_string_equal(read_row(i, quoted, &object), "");
    }
}

static void test_object__texts_are_decoded(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct object object;
        assert_string_equal(read_row(i, "'\\u00e4\\\"\\/\\ud83d\\ude00b'", &object),
                            "\xc3\xa4\"/\xf0\x9f\x98\x80"
                            "b");
    }
}

static void test_object__texts_of_another_type_are_empty(void **state) {
    (void)state;
    static const char *const values[] = {"7", "true", "{}", "['x']", "'a\\u0000b'", "{'name':'x'}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        for (size_t k = 0; k < COUNT_OF(values); k++) {
            struct object object;
            assert_string_equal(read_row(i, values[k], &object), "");
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_object__a_request_reads_no_managed_fields),
        cmocka_unit_test(test_object__its_kind_is_read_from_any_version_and_in_any_order),
        cmocka_unit_test(test_object__a_group_that_is_no_name_is_none),
        cmocka_unit_test(test_object__an_mcpserver_is_read_in_any_order),
        cmocka_unit_test(test_object__a_deployment_is_read_in_any_order),
        cmocka_unit_test(test_object__a_scale_is_read),
        cmocka_unit_test(test_object__its_managers_tell_who_else_writes_the_status),
        cmocka_unit_test(test_object__keys_are_compared_decoded_and_with_case),
        cmocka_unit_test(test_object__only_the_field_at_its_own_place_counts),
        cmocka_unit_test(test_object__what_is_no_object_reads_as_an_empty_one),
        cmocka_unit_test(test_object__a_fault_of_the_json_stays_in_the_reader),
        cmocka_unit_test(test_object__texts_are_as_long_as_their_room_and_one_more_is_none),
        cmocka_unit_test(test_object__texts_are_decoded),
        cmocka_unit_test(test_object__texts_of_another_type_are_empty),
    };
    return cmocka_run_group_tests_name("core/object", tests, NULL, NULL);
}
