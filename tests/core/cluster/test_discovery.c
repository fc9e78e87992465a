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
#define PREFERS(versions, preferred)                                                               \
    "{'kind':'APIGroup','apiVersion':'v1','name':'toolhive.stacklok.dev','versions':[" versions    \
    "],'preferredVersion':" preferred "}"
#define GROUP(versions) PREFERS(versions, "null")
#define LONG_63         "a23456789b123456789c123456789d123456789e123456789f123456789g123"

/* The versions in the order in which they are asked for: "v1 v2". */
static void list_versions(const struct discovery *discovery, char out[1024]) {
    out[0] = '\0';
    for (size_t i = 0; i < discovery->n_versions; i++) {
        size_t used = strlen(out);
        snprintf(out + used, 1024 - used, "%s%s", i > 0 ? " " : "", discovery->versions[i]);
    }
}

static void test_discovery__orders_the_versions_of_a_group(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *versions;
    } rows[] = {
        /* The preferred one, then those that are known, then the others as they come. */
        {GROUP(VERSION("v1beta1") "," VERSION("v1alpha1")), "v1beta1 v1alpha1"},
        {GROUP(VERSION("v1alpha1") "," VERSION("v1beta1")), "v1beta1 v1alpha1"},
        {PREFERS(VERSION("v1alpha1") "," VERSION("v1beta1"), VERSION("v1alpha1")),
         "v1alpha1 v1beta1"},
        {PREFERS(VERSION("v1") "," VERSION("v1beta2") "," VERSION("v1beta1"), VERSION("v1")),
         "v1 v1beta1 v1beta2"},
        {GROUP(VERSION("v2") "," VERSION("v1") "," VERSION("v1alpha1")), "v1alpha1 v2 v1"},
        {PREFERS(VERSION("v2") "," VERSION("v1") "," VERSION("v1alpha1"), VERSION("v1")),
         "v1 v1alpha1 v2"},
        {GROUP(VERSION("v1beta2")), "v1beta2"},
        {"{'preferredVersion':" VERSION("v2") ",'versions':[" VERSION("v1") "," VERSION(
             "v2") "],'kind':'APIGroup'}",
         "v2 v1"},
        /* A preference for what is not there, or cannot be read. */
        {PREFERS(VERSION("v1alpha1"), VERSION("v9")), "v1alpha1"},
        {PREFERS(VERSION("v1alpha1") "," VERSION("v1"), "7"), "v1alpha1 v1"},
        {PREFERS(VERSION("v1alpha1") "," VERSION("v1"), "{'version':null}"), "v1alpha1 v1"},
        /* Each counts once, and names that are no part of a path do not count. */
        {GROUP(VERSION("v1") "," VERSION("v1alpha1") "," VERSION("v1alpha1") "," VERSION("v1")),
         "v1alpha1 v1"},
        {GROUP("null,7,[],{},{'version':7},{'version':null,'x':{}}," VERSION("v1alpha1")),
         "v1alpha1"},
        {GROUP(VERSION("") "," VERSION("../v1") "," VERSION("v1?x") "," VERSION("V1") "," VERSION(
             "v1 ") "," VERSION("v3")),
         "v3"},
        {GROUP(VERSION(LONG_63) "," VERSION(LONG_63 "4")), LONG_63},
        {"{'versions':[{'version':'v1b\\u0065ta1'}],'kind':'APIGroup'}", "v1beta1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        char versions[1024];
        struct discovery discovery;
        struct error error;
        if (!discovery_read_group(json, strlen(json), &discovery, &error)) {
            fail_msg("%s: %s", rows[i].json, error.text);
        }
        list_versions(&discovery, versions);
        assert_string_equal(versions, rows[i].versions);
        assert_ptr_equal(discovery_next(&discovery), discovery.versions[0]);
    }
}

#define SEVEN                                                                                      \
    VERSION("v1")                                                                                  \
    "," VERSION("v2") "," VERSION("v3") "," VERSION("v4") "," VERSION("v5") "," VERSION(           \
        "v6") "," VERSION("v7")

/* The ninth has no room. It is the last in the order, wherever it stands in the group. */
static void test_discovery__takes_8_versions_and_not_the_ninth(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *versions;
    } rows[] = {
        {GROUP(SEVEN "," VERSION("v8")), "v1 v2 v3 v4 v5 v6 v7 v8"},
        {GROUP(SEVEN "," VERSION("v8") "," VERSION("v9")), "v1 v2 v3 v4 v5 v6 v7 v8"},
        {GROUP(SEVEN "," VERSION("v8") "," VERSION("v1alpha1")), "v1alpha1 v1 v2 v3 v4 v5 v6 v7"},
        {PREFERS(SEVEN
                 "," VERSION("v8") "," VERSION("v1alpha1") "," VERSION("v1beta1") "," VERSION("v9"),
                 VERSION("v9")),
         "v9 v1beta1 v1alpha1 v1 v2 v3 v4 v5"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        char versions[1024];
        struct discovery discovery;
        struct error error;
        assert_true(discovery_read_group(json, strlen(json), &discovery, &error));
        list_versions(&discovery, versions);
        assert_string_equal(versions, rows[i].versions);
    }
    assert_int_equal(DISCOVERY_VERSIONS_MAX, 8);
}

static void test_discovery__says_what_is_wrong_with_a_group(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum error_kind kind;
    } rows[] = {
        {GROUP(""), ERROR_NOT_FOUND},
        {GROUP(VERSION("V1beta1")), ERROR_NOT_FOUND},
        {PREFERS("", VERSION("v1beta1")), ERROR_NOT_FOUND},
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
        struct discovery discovery = {.n_versions = 77};
        struct error error;
        if (discovery_read_group(json, strlen(json), &discovery, &error) ||
            error.kind != rows[i].kind) {
            fail_msg("%s", rows[i].json);
        }
        assert_int_equal(discovery.n_versions, 77);
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
        struct discovery discovery;
        assert_false(discovery_read_group(json, size, &discovery, &error));
    }
    for (size_t size = 0; size < strlen(definition); size++) {
        AUTO_FREE char *json = copy_exactly(definition, size);
        bool is_map;
        assert_false(discovery_read_definition(json, size, "v1beta1", &is_map, &error));
    }
}

#define LIST(names) "{'kind':'APIResourceList','resources':[" names "]}"
#define ITEM(name)  "{'name':'" name "'}"
#define SERVER      ITEM("mcpservers")
#define PROXY       ITEM("mcpremoteproxies")
#define VIRTUAL     ITEM("virtualmcpservers")

enum { LISTS_MAX = 4 };

/* A group of v1, v1beta1 and v1alpha1, asked for v1beta1, v1alpha1 and v1 in this order. An empty
   list: the version cannot be read. */
static void test_discovery__takes_for_each_kind_the_first_version_that_has_it(void **state) {
    (void)state;
    static const struct {
        const char *lists[LISTS_MAX];
        const char *server;
        const char *proxy;
        const char *virtual;
    } rows[] = {
        {{LIST(SERVER "," PROXY "," VIRTUAL)}, "v1beta1", "v1beta1", "v1beta1"},
        {{LIST(SERVER), LIST(SERVER "," PROXY), LIST(SERVER "," PROXY "," VIRTUAL)},
         "v1beta1",
         "v1alpha1",
         "v1"},
        {{LIST(ITEM("mcpgroups")), LIST(SERVER), LIST(VIRTUAL)}, "v1alpha1", "", "v1"},
        {{LIST(PROXY), LIST(""), LIST("")}, "", "v1beta1", ""},
        {{LIST(""), LIST(""), LIST("")}, "", "", ""},
        {{"", LIST(SERVER "," PROXY), LIST(SERVER "," VIRTUAL)}, "v1alpha1", "v1alpha1", "v1"},
        {{"", "", ""}, "", "", ""},
    };
    AUTO_FREE char *group =
        make_json(GROUP(VERSION("v1") "," VERSION("v1alpha1") "," VERSION("v1b"
                                                                          "eta1")));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct discovery discovery;
        struct error error;
        size_t n = 0;
        assert_true(discovery_read_group(group, strlen(group), &discovery, &error));
        for (; discovery_next(&discovery) != NULL; n++) {
            assert_non_null(rows[i].lists[n]);
            AUTO_FREE char *json = make_json(rows[i].lists[n]);
            if (json[0] == '\0') {
                discovery_skip(&discovery);
            } else if (!discovery_read_resources(&discovery, json, strlen(json), &error)) {
                fail_msg("%zu: %s", i, error.text);
            }
        }
        assert_null(rows[i].lists[n]);
        assert_string_equal(discovery_version(&discovery, OBJECT_MCPSERVER), rows[i].server);
        assert_string_equal(discovery_version(&discovery, OBJECT_MCPREMOTEPROXY), rows[i].proxy);
        assert_string_equal(discovery_version(&discovery, OBJECT_VIRTUALMCPSERVER),
                            rows[i].virtual);
    }
}

static void test_discovery__reads_resources_by_their_plural(void **state) {
    (void)state;
    static const struct {
        const char *json;
        bool is_list;
        bool has_servers;
    } rows[] = {
        {LIST("{'name':'mcpservers','kind':'MCPServer'}"), true, true},
        {"{'resources':[{'x':1,'name':'mcpservers'},{'name':'b'}],'kind':'APIResourceList'}", true,
         true},
        {LIST(SERVER "," SERVER), true, true},
        {LIST(ITEM("mcpservers/status") "," ITEM("mcpgroups") ",{'kind':'mcpservers'},7,{},null"),
         true, false},
        {LIST(ITEM("MCPServers") "," ITEM("mcpserver") "," ITEM("virtualmcpservers")), true, false},
        {"{'kind':'APIResourceList','resources':null}", true, false},
        {"{'kind':'Status','resources':[{'name':'mcpservers'}]}", false, false},
        {LIST(SERVER) "}", false, false},
        {"404 page not found", false, false},
        {"", false, false},
    };
    AUTO_FREE char *group = make_json(GROUP(VERSION("v1beta1")));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        struct discovery discovery;
        struct error error;
        assert_true(discovery_read_group(group, strlen(group), &discovery, &error));
        bool is_list = discovery_read_resources(&discovery, json, strlen(json), &error);
        const char *version = discovery_version(&discovery, OBJECT_MCPSERVER);
        if (is_list != rows[i].is_list ||
            strcmp(version, rows[i].has_servers ? "v1beta1" : "") != 0) {
            fail_msg("%s: %d, %s", rows[i].json, is_list, version);
        }
        /* Without a list, the version is still the next one. */
        assert_true((discovery_next(&discovery) == NULL) == is_list);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_discovery__orders_the_versions_of_a_group),
        cmocka_unit_test(test_discovery__takes_8_versions_and_not_the_ninth),
        cmocka_unit_test(test_discovery__says_what_is_wrong_with_a_group),
        cmocka_unit_test(test_discovery__says_whether_conditions_are_a_map),
        cmocka_unit_test(test_discovery__says_what_is_wrong_with_a_definition),
        cmocka_unit_test(test_discovery__refuses_every_beginning),
        cmocka_unit_test(test_discovery__takes_for_each_kind_the_first_version_that_has_it),
        cmocka_unit_test(test_discovery__reads_resources_by_their_plural),
    };
    return cmocka_run_group_tests_name("core/discovery", tests, NULL, NULL);
}
