// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/cluster/discovery.h"
#include "core/core_fixtures.h"

#define VERSION(name) "{'groupVersion':'toolhive.stacklok.dev/" name "','version':'" name "'}"
#define GROUP(versions)                                                                            \
    "{'kind':'APIGroup','apiVersion':'v1','name':'toolhive.stacklok.dev','versions':[" versions    \
    "],'preferredVersion':" VERSION("v1alpha1") "}"

static void test_discovery__takes_the_best_version_that_is_known(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *version;
    } rows[] = {
        {GROUP(VERSION("v1beta1") "," VERSION("v1alpha1")), "v1beta1"},
        {GROUP(VERSION("v1alpha1") "," VERSION("v1beta1")), "v1beta1"},
        {GROUP(VERSION("v1") "," VERSION("v1beta1") "," VERSION("v2")), "v1beta1"},
        {GROUP(VERSION("v1alpha1")), "v1alpha1"},
        {GROUP(VERSION("v1") "," VERSION("v1alpha1") "," VERSION("v1alpha1")), "v1alpha1"},
        {GROUP("null,7,[],{},{'version':7},{'version':null,'x':{}}," VERSION("v1alpha1")),
         "v1alpha1"},
        {"{'versions':[{'version':'v1b\\u0065ta1'}],'kind':'APIGroup'}", "v1beta1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        char version[DISCOVERY_VERSION_SIZE];
        struct error error;
        if (!discovery_read_group(json, strlen(json), version, &error)) {
            fail_msg("%s: %s", rows[i].json, error.text);
        }
        assert_string_equal(version, rows[i].version);
    }
}

static void test_discovery__says_what_is_wrong_with_a_group(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum error_kind kind;
    } rows[] = {
        {GROUP(""), ERROR_NOT_FOUND},
        {GROUP(VERSION("v1")), ERROR_NOT_FOUND},
        {GROUP(VERSION("v1beta2") "," VERSION("v1beta") "," VERSION("V1beta1")), ERROR_NOT_FOUND},
        {GROUP("{'groupVersion':'v1beta1'}"), ERROR_NOT_FOUND},
        {"{'kind':'APIGroup'}", ERROR_NOT_FOUND},
        {"{'kind':'APIGroup','versions':null}", ERROR_NOT_FOUND},
        {"{'kind':'APIGroup','versions':{'version':'v1beta1'}}", ERROR_NOT_FOUND},
        {"{'kind':'Status','versions':[" VERSION("v1beta1") "]}", ERROR_INVALID},
        {"{'versions':[" VERSION("v1beta1") "]}", ERROR_INVALID},
        {"{'kind':null,'versions':[]}", ERROR_INVALID},
        {"[]", ERROR_INVALID},
        {"null", ERROR_INVALID},
        {"", ERROR_INVALID},
        {"404 page not found\n", ERROR_INVALID},
        {GROUP(VERSION("v1beta1")) "}", ERROR_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        char version[DISCOVERY_VERSION_SIZE] = "untouched";
        struct error error;
        if (discovery_read_group(json, strlen(json), version, &error) ||
            error.kind != rows[i].kind) {
            fail_msg("%s", rows[i].json);
        }
        assert_string_equal(version, "untouched");
    }
}

#define DEFINITION(versions)                                                                       \
    "{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition',"                   \
    "'metadata':{'name':'mcpservers.toolhive.stacklok.dev'},"                                      \
    "'spec':{'group':'toolhive.stacklok.dev','versions':[" versions                                \
    "],'scope':'Namespaced'},'status':{'conditions':[],'storedVersions':['v1beta1']}}"
#define SCHEMA(conditions)                                                                         \
    "'schema':{'openAPIV3Schema':{'type':'object','properties':{"                                  \
    "'spec':{'properties':{'conditions':{'type':'array'}}},"                                       \
    "'status':{'type':'object','properties':{'phase':{'type':'string'},'conditions':{" conditions  \
    "},'url':{'type':'string'}}}}}}"
#define MAP                                                                                        \
    "'type':'array','items':{'type':'object','required':['type']},"                                \
    "'x-kubernetes-list-map-keys':['type'],'x-kubernetes-list-type':'map'"
#define ATOMIC       "'type':'array','items':{'type':'object'}"
#define BETA(schema) "{'name':'v1beta1','served':true,'storage':true," schema "}"

static void test_discovery__says_whether_conditions_are_a_map(void **state) {
    (void)state;
    static const struct {
        const char *json;
        bool is_map;
    } rows[] = {
        {DEFINITION(BETA(SCHEMA(MAP))), true},
        {DEFINITION(BETA(SCHEMA(ATOMIC))), false},
        /* The name may be at any place, and each version has its own schema. */
        {DEFINITION("{" SCHEMA(MAP) ",'served':true,'name':'v1beta1'}"), true},
        {DEFINITION("{'name':'v1alpha1','served':true," SCHEMA(MAP) "}," BETA(SCHEMA(ATOMIC))),
         false},
        {DEFINITION(BETA(SCHEMA(ATOMIC)) ",{'name':'v1alpha1','served':true," SCHEMA(MAP) "}"),
         false},
        {DEFINITION("{'name':'v1alpha1','served':true," SCHEMA(ATOMIC) "}," BETA(SCHEMA(MAP))),
         true},
        {DEFINITION(BETA(SCHEMA(MAP)) ",{'name':'v1alpha1','served':true," SCHEMA(ATOMIC) "}"),
         true},
        /* Only a map by type alone keeps other writers' conditions. */
        {DEFINITION(BETA(SCHEMA("'x-kubernetes-list-type':'map'"))), false},
        {DEFINITION(BETA(SCHEMA("'x-kubernetes-list-map-keys':['type']"))), false},
        {DEFINITION(BETA(SCHEMA("'x-kubernetes-list-type':'set',"
                                "'x-kubernetes-list-map-keys':['type']"))),
         false},
        {DEFINITION(BETA(SCHEMA("'x-kubernetes-list-type':'map',"
                                "'x-kubernetes-list-map-keys':['type','status']"))),
         false},
        {DEFINITION(BETA(SCHEMA("'x-kubernetes-list-type':'map',"
                                "'x-kubernetes-list-map-keys':['status','type']"))),
         false},
        {DEFINITION(BETA(SCHEMA("'x-kubernetes-list-type':'map',"
                                "'x-kubernetes-list-map-keys':['reason']"))),
         false},
        {DEFINITION(BETA(SCHEMA("'x-kubernetes-list-type':'map',"
                                "'x-kubernetes-list-map-keys':[]"))),
         false},
        {DEFINITION(BETA(SCHEMA("'x-kubernetes-list-type':'map',"
                                "'x-kubernetes-list-map-keys':'type'"))),
         false},
        {DEFINITION(BETA(SCHEMA("'x-kubernetes-list-type':7,"
                                "'x-kubernetes-list-map-keys':['type']"))),
         false},
        {DEFINITION(BETA(SCHEMA("'items':{" MAP "}"))), false},
        /* Schemas that say nothing about the list. */
        {DEFINITION(BETA("'schema':null")), false},
        {DEFINITION("{'name':'v1beta1','served':true}"), false},
        {DEFINITION(BETA("'schema':{'openAPIV3Schema':{'x-kubernetes-preserve-unknown-fields':"
                         "true,'type':'object'}}")),
         false},
        {DEFINITION(BETA("'schema':{'openAPIV3Schema':{'properties':{'status':7}}}")), false},
        {DEFINITION(BETA("'schema':{'openAPIV3Schema':{'properties':{'conditions':{" MAP "}}}}")),
         false},
        {DEFINITION("null,7,[]," BETA(SCHEMA(MAP))), true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        bool is_map = !rows[i].is_map;
        struct error error;
        if (!discovery_read_definition(json, strlen(json), "v1beta1", &is_map, &error)) {
            fail_msg("%s: %s", rows[i].json, error.text);
        }
        if (is_map != rows[i].is_map) {
            fail_msg("%s", rows[i].json);
        }
    }
}

static void test_discovery__says_what_is_wrong_with_a_definition(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum error_kind kind;
    } rows[] = {
        {DEFINITION(""), ERROR_NOT_FOUND},
        {DEFINITION("{'name':'v1alpha1','served':true," SCHEMA(MAP) "}"), ERROR_NOT_FOUND},
        {DEFINITION("{'name':'v1beta1','served':false," SCHEMA(MAP) "}"), ERROR_NOT_FOUND},
        {DEFINITION("{'name':'v1beta1'," SCHEMA(MAP) "}"), ERROR_NOT_FOUND},
        {DEFINITION("{'name':'v1beta1','served':'true'," SCHEMA(MAP) "}"), ERROR_NOT_FOUND},
        {DEFINITION("{'name':'v1beta','served':true}"), ERROR_NOT_FOUND},
        {"{'kind':'CustomResourceDefinition','spec':null}", ERROR_NOT_FOUND},
        {"{'kind':'CustomResourceDefinition','spec':{'versions':null}}", ERROR_NOT_FOUND},
        {"{'kind':'CustomResourceDefinition'}", ERROR_NOT_FOUND},
        {"{'kind':'Status','code':403}", ERROR_INVALID},
        {"{'spec':{'versions':[" BETA(SCHEMA(MAP)) "]}}", ERROR_INVALID},
        {"[]", ERROR_INVALID},
        {"null", ERROR_INVALID},
        {"", ERROR_INVALID},
        {"<html>", ERROR_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        bool is_map = true;
        struct error error;
        if (discovery_read_definition(json, strlen(json), "v1beta1", &is_map, &error) ||
            error.kind != rows[i].kind) {
            fail_msg("%s", rows[i].json);
        }
        assert_true(is_map);
    }
}

/* Neither reader reads past the end, or takes a part for the whole. */
static void test_discovery__refuses_every_beginning(void **state) {
    (void)state;
    AUTO_FREE char *group = make_json(GROUP(VERSION("v1beta1")));
    AUTO_FREE char *definition = make_json(DEFINITION(BETA(SCHEMA(MAP))));
    struct error error;
    for (size_t size = 0; size < strlen(group); size++) {
        AUTO_FREE char *json = copy_exactly(group, size);
        char version[DISCOVERY_VERSION_SIZE];
        assert_false(discovery_read_group(json, size, version, &error));
    }
    for (size_t size = 0; size < strlen(definition); size++) {
        AUTO_FREE char *json = copy_exactly(definition, size);
        bool is_map;
        assert_false(discovery_read_definition(json, size, "v1beta1", &is_map, &error));
    }
}

static void test_discovery__a_version_serves_mcpservers_if_its_resources_say_so(void **state) {
    (void)state;
    static const struct {
        const char *json;
        bool is_list;
        bool has_servers;
    } rows[] = {
        {"{'kind':'APIResourceList','resources':[{'name':'mcpservers','kind':'MCPServer'}]}", true,
         true},
        {"{'resources':[{'x':1,'name':'mcpservers'},{'name':'b'}],'kind':'APIResourceList'}", true,
         true},
        {"{'kind':'APIResourceList','resources':[{'name':'mcpservers/status'},{'name':'mcpgroups'},"
         "{'kind':'mcpservers'},7,{}]}",
         true, false},
        {"{'kind':'APIResourceList','resources':null}", true, false},
        {"{'kind':'Status','resources':[{'name':'mcpservers'}]}", false, false},
        {"404 page not found", false, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        struct error error;
        bool has_servers = false;
        bool is_list = discovery_read_resources(json, strlen(json), &has_servers, &error);
        if (is_list != rows[i].is_list || (is_list && has_servers != rows[i].has_servers)) {
            fail_msg("%s: %d, %d", rows[i].json, is_list, has_servers);
        }
    }
}

static void test_discovery__versions_are_tried_one_after_the_other(void **state) {
    (void)state;
    assert_string_equal(discovery_next_version("v1beta1"), "v1alpha1");
    assert_null(discovery_next_version("v1alpha1"));
    assert_null(discovery_next_version("v2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_discovery__takes_the_best_version_that_is_known),
        cmocka_unit_test(test_discovery__says_what_is_wrong_with_a_group),
        cmocka_unit_test(test_discovery__says_whether_conditions_are_a_map),
        cmocka_unit_test(test_discovery__says_what_is_wrong_with_a_definition),
        cmocka_unit_test(test_discovery__refuses_every_beginning),
        cmocka_unit_test(test_discovery__a_version_serves_mcpservers_if_its_resources_say_so),
        cmocka_unit_test(test_discovery__versions_are_tried_one_after_the_other),
    };
    return cmocka_run_group_tests_name("core/discovery", tests, NULL, NULL);
}
