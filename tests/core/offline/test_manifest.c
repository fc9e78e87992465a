// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "core/core_fixtures.h"
#include "core/offline/manifest.h"

/* Adds each visited object as a line "mcpserver n/a @offset". */
static void note(void *context, const struct object *object, size_t offset) {
    static const char *const kinds[] = {
        [OBJECT_OTHER] = "other",
        [OBJECT_MCPSERVER] = "mcpserver",
        [OBJECT_DEPLOYMENT] = "deployment",
        [OBJECT_SCALE] = "scale",
    };
    buffer_add_format(context, "%s %s/%s @%zu\n", kinds[object->kind], object->namespace,
                      object->name, offset);
}

static bool read_manifest(const char *text, struct buffer *out, size_t *ret_n_others,
                          struct error *error) {
    AUTO_FREE char *json = make_json(text);
    buffer_init(out, 65536);
    return manifest_read(json, strlen(json), note, out, ret_n_others, error);
}

static void check(const char *text, const char *expected, size_t n_others) {
    AUTO(buffer_fini) struct buffer out;
    struct error error;
    size_t n = 99;
    if (!read_manifest(text, &out, &n, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    if (strcmp(buffer_text(&out), expected) != 0 || n != n_others) {
        fail_msg("%s: %zu others and\n%s", text, n, buffer_text(&out));
    }
}

#define SERVER "'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer'"
#define DEPLOY "'apiVersion':'apps/v1','kind':'Deployment'"

static void test_manifest__one_object_is_visited(void **state) {
    (void)state;
    check("{" SERVER ",'metadata':{'namespace':'n','name':'a'}}", "mcpserver n/a @0\n", 0);
    check("{'metadata':{'name':'a','namespace':'n'}," DEPLOY "}", "deployment n/a @0\n", 0);
}

static void test_manifest__an_object_without_a_namespace_is_in_default(void **state) {
    (void)state;
    check("{" SERVER ",'metadata':{'name':'a'}}", "mcpserver default/a @0\n", 0);
    check("{" SERVER ",'metadata':{'name':'a','namespace':''}}", "mcpserver default/a @0\n", 0);
    check("{" SERVER ",'metadata':{'name':'a','namespace':null}}", "mcpserver default/a @0\n", 0);
}

static void test_manifest__other_kinds_are_counted(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a'}}",
        "{'apiVersion':'autoscaling/v1','kind':'Scale','metadata':{'name':'a'}}",
        "{'apiVersion':'apps/v1','kind':'StatefulSet'}",
        "{'apiVersion':'v1','kind':'Deployment'}",
        "{'apiVersion':'example.com/v1','kind':'MCPServer'}",
        "{'kind':'MCPServer','metadata':{'name':'a'}}",
        "{'apiVersion':'toolhive.stacklok.dev/v1beta1','metadata':{'name':'a'}}",
        "{'foo':'bar'}",
        "{}",
        /* A list without items is not a list. */
        "{'apiVersion':'v1','kind':'List'}",
        "{'apiVersion':'v1','kind':'AllowList','items':null,'kind':'ConfigMap'}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check(rows[i], "", 1);
    }
}

static void test_manifest__the_items_of_a_list_are_visited_where_they_begin(void **state) {
    (void)state;
    check("{'apiVersion':'v1','kind':'List','items':[{" SERVER
          ",'metadata':{'name':'a'}},  {" DEPLOY
          ",'metadata':{'name':'b','namespace':'n'}},{'kind':'Pod'}]}",
          "mcpserver default/a @42\ndeployment n/b @134\n", 1);
    check("{'items':[{" SERVER ",'metadata':{'name':'a'}}],'kind':'List'}",
          "mcpserver default/a @10\n", 0);
    check("{'apiVersion':'v1','kind':'List','metadata':{},'items':[]}", "", 0);
    check("{'apiVersion':'v1','kind':'List','items':null}", "", 0);
}

static void test_manifest__items_may_leave_their_kind_to_the_list(void **state) {
    (void)state;
    static const struct {
        const char *list;
        const char *expected;
        size_t n_others;
    } rows[] = {
        {"'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServerList'", "mcpserver", 0},
        {"'apiVersion':'toolhive.stacklok.dev/v1alpha1','kind':'MCPServerList'", "mcpserver", 0},
        {"'apiVersion':'toolhive.stacklok.dev\\/v1beta1','kind':'MCPServerLis\\u0074'", "mcpserver",
         0},
        {"'apiVersion':'apps/v1','kind':'DeploymentList'", "deployment", 0},
        {"'apiVersion':'v1','kind':'List'", NULL, 1},
        {"'apiVersion':'v1','kind':'DeploymentList'", NULL, 1},
        {"'kind':'DeploymentList'", NULL, 1},
        {"'apiVersion':'example.com/v1','kind':'MCPServerList'", NULL, 1},
        {"'apiVersion':'toolhive.stacklok.dev.example.com/v1','kind':'MCPServerList'", NULL, 1},
        {"'kind':'MCPServerList'", NULL, 1},
        {"'apiVersion':'apps/v1','kind':'ReplicaSetList'", NULL, 1},
        {"'apiVersion':'autoscaling/v1','kind':'ScaleList'", NULL, 1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char before[512];
        char behind[512];
        char expected[128] = "";
        snprintf(before, sizeof(before), "{%s,'items':[{'metadata':{'name':'a'}}]}", rows[i].list);
        snprintf(behind, sizeof(behind), "{'items':[{'metadata':{'name':'a'}}],%s}", rows[i].list);
        if (rows[i].expected != NULL) {
            snprintf(expected, sizeof(expected), "%s default/a @%zu\n", rows[i].expected,
                     strlen(rows[i].list) + strlen("{,'items':["));
        }
        check(before, expected, rows[i].n_others);
        if (rows[i].expected != NULL) {
            snprintf(expected, sizeof(expected), "%s default/a @10\n", rows[i].expected);
        }
        check(behind, expected, rows[i].n_others);
    }
}

static void test_manifest__an_item_that_says_a_kind_is_taken_at_its_word(void **state) {
    (void)state;
    check("{'apiVersion':'apps/v1','kind':'DeploymentList','items':[{'kind':'Pod'},"
          "{'kind':7},{'kind':'','metadata':{'name':'a'}}]}",
          "", 3);
    check("{'apiVersion':'apps/v1','kind':'DeploymentList','items':[{" SERVER
          ",'metadata':{'name':'a'}}]}",
          "mcpserver default/a @57\n", 0);
}

static void test_manifest__items_that_are_no_objects_count_as_others(void **state) {
    (void)state;
    check("{'apiVersion':'v1','kind':'List','items':[7,null,'x',[{" SERVER "}],{" SERVER
          ",'metadata':{'name':'a'}}]}",
          "mcpserver default/a @121\n", 4);
}

static void test_manifest__lists_in_lists_are_taken_apart(void **state) {
    (void)state;
    check(
        "{'apiVersion':'v1','kind':'List','items':[{'kind':'Pod'},{'kind':'List','items':[{" SERVER
        ",'metadata':{'name':'a'}},{'apiVersion':'apps/v1','kind':'DeploymentList','items':[{"
        "'metadata':{'name':'b'}}]},{'kind':'List','items':null}]},{" SERVER
        ",'metadata':{'name':'c'}}]}",
        "mcpserver default/a @81\ndeployment default/b @228\nmcpserver default/c @287\n", 1);
}

/* `depth` nested lists, the innermost one with these items. */
static void nest_lists(struct buffer *out, size_t depth, const char *items) {
    buffer_init(out, 65536);
    for (size_t i = 1; i < depth; i++) {
        buffer_add_text(out, "{'kind':'List','items':[");
    }
    buffer_add_format(out, "{'kind':'List','items':%s}", items);
    for (size_t i = 1; i < depth; i++) {
        buffer_add_text(out, "]}");
    }
}

static void test_manifest__lists_lie_16_deep_in_one_another(void **state) {
    (void)state;
    for (size_t depth = 16; depth <= 17; depth++) {
        AUTO(buffer_fini) struct buffer json;
        AUTO(buffer_fini) struct buffer out;
        struct error error = {.text = ""};
        size_t n_others;
        nest_lists(&json, depth, "[{" SERVER "}]");
        assert_int_equal(read_manifest(buffer_text(&json), &out, &n_others, &error), depth == 16);
        assert_int_equal(out.size > 0, depth == 16);
        if (depth > 16) {
            assert_int_equal(error.kind, ERROR_TOO_LARGE);
            assert_int_equal(error.offset, 16 * strlen("{'kind':'List','items':["));
        }
    }
}

static void test_manifest__refuses_items_that_are_no_list(void **state) {
    (void)state;
    static const char *const rows[] = {"{}", "7", "'x'", "true", "{'a':{" SERVER "}}"};
    for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
        AUTO(buffer_fini) struct buffer json;
        AUTO(buffer_fini) struct buffer out;
        struct error error;
        size_t n_others;
        size_t depth = 1 + i % 2;
        nest_lists(&json, depth, rows[i / 2]);
        assert_false(read_manifest(buffer_text(&json), &out, &n_others, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_string_equal(error.text, "the items of a list are no list");
        assert_int_equal(error.offset, depth * strlen("{'kind':'List','items':") + depth - 1);
    }
}

static void test_manifest__null_is_an_empty_document(void **state) {
    (void)state;
    check("null", "", 0);
    check(" null\n", "", 0);
}

static void test_manifest__refuses_what_is_no_object(void **state) {
    (void)state;
    static const char *const rows[] = {"7", "'x'", "true", "[]", "[{" SERVER "}]"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        struct error error;
        size_t n_others;
        assert_false(read_manifest(rows[i], &out, &n_others, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_string_equal(error.text, "not a Kubernetes object");
        assert_int_equal(error.offset, 0);
        assert_int_equal(out.size, 0);
    }
}

/* A document with a fault is refused before any visit. */
static void test_manifest__refuses_every_truncation(void **state) {
    (void)state;
    AUTO_FREE char *json =
        make_json("{'apiVersion':'v1','kind':'List','items':[{" SERVER
                  ",'metadata':{'name':'\\u00e4'},'spec':{'replicas':1.5e3}},null]}");
    size_t size = strlen(json);
    for (size_t i = 0; i < size; i++) {
        AUTO(buffer_fini) struct buffer out;
        AUTO_FREE char *part = copy_exactly(json, i);
        struct error error;
        size_t n_others;
        buffer_init(&out, 65536);
        if (manifest_read(part, i, note, &out, &n_others, &error) || out.size > 0) {
            fail_msg("cut at %zu", i);
        }
        assert_in_range(error.offset, 0, i);
    }
}

static void test_manifest__refuses_what_follows(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer out;
    struct error error;
    size_t n_others;
    assert_false(read_manifest("{" SERVER "} {" SERVER "}", &out, &n_others, &error));
    assert_int_equal(out.size, 0);
    assert_int_equal(error.offset, strlen("{" SERVER "} "));
}

static void test_manifest__tells_why_an_object_cannot_be(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *expected; /* empty: none */
    } rows[] = {
        {SERVER ",'metadata':{'name':'a.b','namespace':'n'}", ""},
        {SERVER ",'metadata':{'name':'a','namespace':'n'},'spec':{'replicas':2147483647}", ""},
        {DEPLOY ",'metadata':{'name':'a','namespace':'n'},'spec':{'transport':7}", ""},
        {DEPLOY ",'metadata':{'name':'a','namespace':'n'},'spec':{'sessionStorage':7}", ""},
        {SERVER ",'metadata':{'namespace':'n'}", "metadata.name is not a name"},
        {SERVER ",'metadata':{'name':'A','namespace':'n'}", "metadata.name is not a name"},
        {SERVER ",'metadata':{'generateName':'a-','namespace':'n'}", ""},
        {SERVER ",'metadata':{'name':'','generateName':'a-','namespace':'n'}", ""},
        {SERVER ",'metadata':{'generateName':null,'namespace':'n'}", "metadata.name is not a name"},
        {SERVER ",'metadata':{'name':'A','generateName':'a-','namespace':'n'}",
         "metadata.name is not a name"},
        {SERVER ",'metadata':{'generateName':'a-','namespace':'N'}",
         "metadata.namespace is not a name"},
        {SERVER ",'metadata':{'name':'../a','namespace':'n'}", "metadata.name is not a name"},
        {SERVER ",'metadata':{'name':'a','namespace':'n.m'}", "metadata.namespace is not a name"},
        {SERVER ",'metadata':{'name':'a','namespace':'..'}", "metadata.namespace is not a name"},
        {SERVER ",'metadata':{'name':'a','namespace':'n'},'spec':{'replicas':2147483648}",
         "spec.replicas is not an integer from 0 to 2147483647"},
        {DEPLOY ",'metadata':{'name':'a','namespace':'n'},'spec':{'replicas':'2'}",
         "spec.replicas is not an integer from 0 to 2147483647"},
        {SERVER ",'metadata':{'name':'a','namespace':'n'},'spec':{'transport':7}",
         "spec.transport is not a word"},
        {SERVER ",'metadata':{'name':'a','namespace':'n'},'spec':{'sessionStorage':{'provider':1}}",
         "spec.sessionStorage.provider is not a word"},
        {SERVER ",'metadata':{'name':'a','namespace':'n'},'spec':{'sessionStorage':'redis'}",
         "spec.sessionStorage.provider is not a word"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char json[512];
        struct object object;
        snprintf(json, sizeof(json), "{%s}", rows[i].json);
        read_object(json, &object);
        const char *fault = manifest_fault(&object);
        if (strcmp(fault == NULL ? "" : fault, rows[i].expected) != 0) {
            fail_msg("%s: %s", json, fault == NULL ? "no fault" : fault);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest__one_object_is_visited),
        cmocka_unit_test(test_manifest__an_object_without_a_namespace_is_in_default),
        cmocka_unit_test(test_manifest__other_kinds_are_counted),
        cmocka_unit_test(test_manifest__the_items_of_a_list_are_visited_where_they_begin),
        cmocka_unit_test(test_manifest__items_may_leave_their_kind_to_the_list),
        cmocka_unit_test(test_manifest__an_item_that_says_a_kind_is_taken_at_its_word),
        cmocka_unit_test(test_manifest__items_that_are_no_objects_count_as_others),
        cmocka_unit_test(test_manifest__lists_in_lists_are_taken_apart),
        cmocka_unit_test(test_manifest__lists_lie_16_deep_in_one_another),
        cmocka_unit_test(test_manifest__refuses_items_that_are_no_list),
        cmocka_unit_test(test_manifest__null_is_an_empty_document),
        cmocka_unit_test(test_manifest__refuses_what_is_no_object),
        cmocka_unit_test(test_manifest__refuses_every_truncation),
        cmocka_unit_test(test_manifest__refuses_what_follows),
        cmocka_unit_test(test_manifest__tells_why_an_object_cannot_be),
    };
    return cmocka_run_group_tests_name("core/manifest", tests, NULL, NULL);
}
