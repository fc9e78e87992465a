// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/core_fixtures.h"

/* Puts the value in place of the @ in the JSON, and reads the result. */
static void read_with(const char *json, const char *value, struct object *ret_object) {
    char text[2048];
    const char *at = strchr(json, '@');
    assert_non_null(at);
    int size = snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - json), json, value, at + 1);
    assert_in_range(size, 1, sizeof(text) - 1);
    read_object(text, ret_object);
}

static const struct {
    const char *value;
    enum presence state;
    int64_t number;
} number_rows[] = {
    {"0", PRESENCE_SET, 0},
    {"1", PRESENCE_SET, 1},
    {"2147483647", PRESENCE_SET, INT32_MAX},
    {"2147483648", PRESENCE_SET, INT64_C(2147483648)},
    {"9007199254740993", PRESENCE_SET, INT64_C(9007199254740993)},
    {"9223372036854775807", PRESENCE_SET, INT64_MAX},
    {"1e3", PRESENCE_SET, 1000},
    {"1E+2", PRESENCE_SET, 100},
    {"1.0", PRESENCE_SET, 1},
    {"20e-1", PRESENCE_SET, 2},
    {"-0", PRESENCE_SET, 0},
    {"null", PRESENCE_ABSENT, 0},
    {"9223372036854775808", PRESENCE_UNUSABLE, 0},
    {"9999999999999999999999", PRESENCE_UNUSABLE, 0},
    {"1e400", PRESENCE_UNUSABLE, 0},
    {"1.5", PRESENCE_UNUSABLE, 0},
    {"-1", PRESENCE_SET, -1},
    {"-2147483648", PRESENCE_SET, INT32_MIN},
    {"-9223372036854775808", PRESENCE_SET, INT64_MIN},
    {"-9223372036854775809", PRESENCE_UNUSABLE, 0},
    {"'2'", PRESENCE_UNUSABLE, 0},
    {"'25%'", PRESENCE_UNUSABLE, 0},
    {"''", PRESENCE_UNUSABLE, 0},
    {"true", PRESENCE_UNUSABLE, 0},
    {"false", PRESENCE_UNUSABLE, 0},
    {"[]", PRESENCE_UNUSABLE, 0},
    {"[2]", PRESENCE_UNUSABLE, 0},
    {"{}", PRESENCE_UNUSABLE, 0},
    {"{'replicas':2}", PRESENCE_UNUSABLE, 0},
};

static void test_object__numbers_are_integers_within_their_range(void **state) {
    (void)state;
    static const struct {
        const char *json;
        size_t offset;
        int64_t low;
        int64_t high;
    } fields[] = {
        {"{'spec':{'replicas':@}}", offsetof(struct object, replicas), 0, INT32_MAX},
        {"{'spec':{'strategy':{'rollingUpdate':{'maxSurge':@}}}}",
         offsetof(struct object, max_surge), 0, INT32_MAX},
        {"{'spec':{'strategy':{'rollingUpdate':{'maxUnavailable':@}}}}",
         offsetof(struct object, max_unavailable), 0, INT32_MAX},
        {"{'spec':{'template':{'spec':{'terminationGracePeriodSeconds':@}}}}",
         offsetof(struct object, grace_period), INT64_MIN, INT64_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(number_rows); i++) {
        for (size_t k = 0; k < COUNT_OF(fields); k++) {
            struct object object;
            read_with(fields[k].json, number_rows[i].value, &object);
            const struct number *number =
                (const struct number *)(const void *)((const char *)&object + fields[k].offset);
            bool is_past =
                number_rows[i].number < fields[k].low || number_rows[i].number > fields[k].high;
            enum presence expected = is_past ? PRESENCE_UNUSABLE : number_rows[i].state;
            if (number->state != expected ||
                (expected == PRESENCE_SET && number->value != number_rows[i].number)) {
                fail_msg("%s in %s", number_rows[i].value, fields[k].json);
            }
        }
    }
}

static void test_object__numbers_are_compared_by_what_they_are(void **state) {
    (void)state;
    const struct number absent = {.state = PRESENCE_ABSENT, .value = 5};
    const struct number wrong = {.state = PRESENCE_UNUSABLE, .value = 5};
    const struct number other_absent = {.state = PRESENCE_ABSENT, .value = 6};
    const struct number five = {.state = PRESENCE_SET, .value = 5};
    const struct number six = {.state = PRESENCE_SET, .value = 6};
    assert_true(number_is(&five, 5));
    assert_false(number_is(&five, 6));
    assert_false(number_is(&absent, 5));
    assert_false(number_is(&wrong, 5));
    assert_true(number_exceeds(&five, 4));
    assert_false(number_exceeds(&five, 5));
    assert_false(number_exceeds(&absent, 4));
    assert_false(number_exceeds(&wrong, 4));
    assert_true(number_equals(&five, &five));
    assert_false(number_equals(&five, &six));
    assert_false(number_equals(&five, &absent));
    assert_false(number_equals(&wrong, &absent));
    assert_true(number_equals(&absent, &other_absent));
}

static void test_object__transport_is_stdio_only_if_absent_or_said(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum presence presence;
        const char *transport;
        bool is_stdio;
    } rows[] = {
        {"{}", PRESENCE_ABSENT, "stdio", true},
        {"{'spec':{}}", PRESENCE_ABSENT, "stdio", true},
        {"{'spec':null}", PRESENCE_ABSENT, "stdio", true},
        {"{'spec':{'transport':null}}", PRESENCE_ABSENT, "stdio", true},
        {"{'spec':{'transport':'sse','transport':null}}", PRESENCE_ABSENT, "stdio", true},
        {"{'spec':{'transport':'stdio'}}", PRESENCE_SET, "stdio", true},
        {"{'spec':{'transport':''}}", PRESENCE_SET, "", false},
        {"{'spec':{'transport':'STDIO'}}", PRESENCE_SET, "STDIO", false},
        {"{'spec':{'transport':'stdio '}}", PRESENCE_SET, "stdio ", false},
        {"{'spec':{'transport':'sse'}}", PRESENCE_SET, "sse", false},
        {"{'spec':{'transport':7}}", PRESENCE_UNUSABLE, "", false},
        {"{'spec':{'transport':'sse','transport':7}}", PRESENCE_UNUSABLE, "", false},
        {"{'spec':{'transport':['stdio']}}", PRESENCE_UNUSABLE, "", false},
        {"{'spec':{'transport':'stdio\\u0000'}}", PRESENCE_UNUSABLE, "", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_object(rows[i].json, &object);
        object.kind = OBJECT_VIRTUALMCPSERVER;
        assert_false(object_is_stdio(&object)); /* whatever it says */
        object.kind = OBJECT_MCPSERVER;
        if (object.transport_presence != rows[i].presence ||
            strcmp(object_transport(&object), rows[i].transport) != 0 ||
            object_is_stdio(&object) != rows[i].is_stdio) {
            fail_msg("%s", rows[i].json);
        }
    }
}

static void test_object__provider_is_redis_only_if_said(void **state) {
    (void)state;
    static const struct {
        const char *storage;
        enum presence presence;
        bool is_redis;
    } rows[] = {
        {"null", PRESENCE_ABSENT, false},
        {"{}", PRESENCE_ABSENT, false},
        {"{'address':'redis:6379'}", PRESENCE_ABSENT, false},
        {"{'provider':null}", PRESENCE_ABSENT, false},
        {"{'provider':'redis'}", PRESENCE_SET, true},
        {"{'keyPrefix':'a','provider':'redis','db':1}", PRESENCE_SET, true},
        {"{'provider':'Redis'}", PRESENCE_SET, false},
        {"{'provider':'memory'}", PRESENCE_SET, false},
        {"{'provider':''}", PRESENCE_SET, false},
        {"{'Provider':'redis'}", PRESENCE_ABSENT, false},
        {"{'provider':1}", PRESENCE_UNUSABLE, false},
        {"'redis'", PRESENCE_UNUSABLE, false},
        {"[{'provider':'redis'}]", PRESENCE_UNUSABLE, false},
        {"true", PRESENCE_UNUSABLE, false},
        /* Of two members the last one counts, as in Kubernetes. */
        {"{'provider':'memory'},'sessionStorage':{'provider':'redis'}", PRESENCE_SET, true},
        {"{'provider':'redis'},'sessionStorage':null", PRESENCE_ABSENT, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with("{'spec':{'sessionStorage':@}}", rows[i].storage, &object);
        if (object.provider_presence != rows[i].presence ||
            object_is_redis(&object) != rows[i].is_redis) {
            fail_msg("%s", rows[i].storage);
        }
    }
}

static void test_object__is_deleting_if_there_is_a_deletion_timestamp(void **state) {
    (void)state;
    static const struct {
        const char *metadata;
        bool is_deleting;
    } rows[] = {
        {"{}", false},
        {"{'deletionTimestamp':null}", false},
        {"{'deletionTimestamp':'2026-11-22T10:00:00Z'}", true},
        {"{'deletionTimestamp':7}", true},
        {"{'deletionGracePeriodSeconds':0}", false},
        {"{'annotations':{'deletionTimestamp':'2026-11-22T10:00:00Z'}}", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with("{'metadata':@}", rows[i].metadata, &object);
        if (object.is_deleting != rows[i].is_deleting) {
            fail_msg("%s", rows[i].metadata);
        }
    }
}

static void test_object__its_generation_is_an_integer_or_zero(void **state) {
    (void)state;
    static const struct {
        const char *value;
        int64_t expected;
    } rows[] = {
        {"1", 1},    {"9223372036854775807", INT64_MAX}, {"null", 0}, {"'7'", 0},
        {"1.5", 0},  {"9223372036854775808", 0},         {"[]", 0},   {"{}", 0},
        {"2e1", 20}, {"7,'generation':null", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with("{'metadata':{'generation':@}}", rows[i].value, &object);
        if (object.generation != rows[i].expected) {
            fail_msg("%s: %" PRId64, rows[i].value, object.generation);
        }
    }
}

static void test_object__is_labelled_by_the_whole_value(void **state) {
    (void)state;
    static const struct {
        const char *labels;
        bool is_labelled;
    } rows[] = {
        {"{'app.kubernetes.io/name':'mcpserver'}", true},
        {"{'app.kubernetes.io\\/name':'mcp\\u0073erver'}", true},
        {"{'app.kubernetes.io/name':'mcpserver2'}", false},
        {"{'app.kubernetes.io/name':'MCPServer'}", false},
        {"{'app.kubernetes.io/name':''}", false},
        {"{'app.kubernetes.io/name':true}", false},
        {"{'app.kubernetes.io/name':null}", false},
        {"{'app':'mcpserver'}", false},
        {"['app.kubernetes.io/name']", false},
        {"null", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with("{'metadata':{'labels':@}}", rows[i].labels, &object);
        if ((object.labelled != OBJECT_OTHER) != rows[i].is_labelled) {
            fail_msg("%s", rows[i].labels);
        }
    }
}

static void test_object__the_generation_note_is_decimal_digits(void **state) {
    (void)state;
    static const struct {
        const char *value;
        enum presence presence;
        int64_t generation;
    } rows[] = {
        {"'0'", PRESENCE_SET, 0},
        {"'12'", PRESENCE_SET, 12},
        {"'9223372036854775807'", PRESENCE_SET, INT64_MAX},
        {"null", PRESENCE_ABSENT, 0},
        {"'9223372036854775808'", PRESENCE_UNUSABLE, 0},
        {"'100000000000000000000000000'", PRESENCE_UNUSABLE, 0},
        {"12", PRESENCE_UNUSABLE, 0},
        {"''", PRESENCE_UNUSABLE, 0},
        {"'-1'", PRESENCE_UNUSABLE, 0},
        {"'1.0'", PRESENCE_UNUSABLE, 0},
        {"'12 '", PRESENCE_UNUSABLE, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with("{'spec':{'template':{'metadata':{'annotations':{"
                  "'toolhive.stacklok.dev/mcpserver-generation':@}}}}}",
                  rows[i].value, &object);
        if (object.generation_note != rows[i].presence ||
            (rows[i].presence == PRESENCE_SET && object.noted_generation != rows[i].generation)) {
            fail_msg("%s", rows[i].value);
        }
    }
}

static void test_object__tells_absent_objects_from_wrong_ones(void **state) {
    (void)state;
    static const struct {
        const char *json;
        size_t offset;
    } fields[] = {
        {"{'spec':{'template':{'spec':@}}}", offsetof(struct object, pod_spec)},
        {"{'spec':{'strategy':@}}", offsetof(struct object, strategy)},
        {"{'spec':{'strategy':{'rollingUpdate':@}}}", offsetof(struct object, rolling_update)},
    };
    static const struct {
        const char *value;
        enum presence expected;
    } rows[] = {
        {"{}", PRESENCE_SET},        {"{'x':[{}]}", PRESENCE_SET}, {"null", PRESENCE_ABSENT},
        {"[]", PRESENCE_UNUSABLE},   {"'x'", PRESENCE_UNUSABLE},   {"7", PRESENCE_UNUSABLE},
        {"true", PRESENCE_UNUSABLE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t k = 0; k < COUNT_OF(fields); k++) {
            struct object object;
            read_with(fields[k].json, rows[i].value, &object);
            enum presence presence;
            memcpy(&presence, (const char *)&object + fields[k].offset, sizeof(presence));
            if (presence != rows[i].expected) {
                fail_msg("%s in %s", rows[i].value, fields[k].json);
            }
        }
    }
}

static void test_object__of_strategy_recreate_is_told(void **state) {
    (void)state;
    struct object object;
    read_object("{'spec':{'strategy':{'type':'Recreate'}}}", &object);
    assert_true(object_is_recreate(&object));
    read_object("{'spec':{'strategy':{'type':'recreate'}}}", &object);
    assert_false(object_is_recreate(&object));
    read_object("{'spec':{'strategy':{}}}", &object);
    assert_false(object_is_recreate(&object));
}

#define CONTROLLER(members)                                                                        \
    "{\"metadata\":{\"name\":\"x\",\"ownerReferences\":[{\"controller\":true," members "}]}}"
#define SELECTING(word, instance)                                                                  \
    "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"selector\":{\"matchLabels\":{"                     \
    "\"app.kubernetes.io/name\":\"" word "\",\"app.kubernetes.io/instance\":\"" instance "\"}}}}"
#define OF_TOOLHIVE "\"apiVersion\":\"toolhive.stacklok.dev/v1\","

static void test_object_values__a_deployment_names_the_family_by_owner_or_selector(void **state) {
    static const struct {
        const char *json;
        bool names_family;
        bool is_unusable;
    } rows[] = {
        {"{}", false, false},
        {CONTROLLER(OF_TOOLHIVE "\"kind\":\"MCPServer\",\"name\":\"a\",\"uid\":\"u\""), true,
         false},
        {CONTROLLER(OF_TOOLHIVE "\"kind\":\"VirtualMCPServer\",\"name\":\"a\",\"uid\":\"u\""), true,
         false},
        {CONTROLLER(OF_TOOLHIVE "\"kind\":\"MCPGroup\",\"name\":\"a\",\"uid\":\"u\""), false,
         false},
        {CONTROLLER("\"apiVersion\":\"a/v1\",\"kind\":\"MCPServer\",\"name\":\"a\",\"uid\":\"u\""),
         false, false},
        {CONTROLLER(OF_TOOLHIVE "\"kind\":\"MCPServer\",\"name\":7,\"uid\":\"u\""), true, true},
        {CONTROLLER(OF_TOOLHIVE "\"kind\":7,\"name\":\"a\",\"uid\":\"u\""), false, true},
        {SELECTING("mcpserver", "x"), true, false},
        {SELECTING("mcpserver", "y"), false, false},
        {SELECTING("mcpremoteproxy", "x"), false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        assert_true(object_decode(rows[i].json, strlen(rows[i].json), &object));
        if (object_names_family(&object) != rows[i].names_family ||
            object.owner.is_unusable != rows[i].is_unusable) {
            fail_msg("%s", rows[i].json);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_object__numbers_are_integers_within_their_range),
        cmocka_unit_test(test_object__numbers_are_compared_by_what_they_are),
        cmocka_unit_test(test_object__transport_is_stdio_only_if_absent_or_said),
        cmocka_unit_test(test_object__provider_is_redis_only_if_said),
        cmocka_unit_test(test_object__is_deleting_if_there_is_a_deletion_timestamp),
        cmocka_unit_test(test_object__its_generation_is_an_integer_or_zero),
        cmocka_unit_test(test_object__is_labelled_by_the_whole_value),
        cmocka_unit_test(test_object__the_generation_note_is_decimal_digits),
        cmocka_unit_test(test_object__tells_absent_objects_from_wrong_ones),
        cmocka_unit_test(test_object__of_strategy_recreate_is_told),
        cmocka_unit_test(test_object_values__a_deployment_names_the_family_by_owner_or_selector),
    };
    return cmocka_run_group_tests_name("core/object_values", tests, NULL, NULL);
}
