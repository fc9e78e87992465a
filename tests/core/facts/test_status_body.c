// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/core_fixtures.h"
#include "core/facts/status_body.h"

static const struct condition conditions[CONDITION_TYPE_COUNT] = {
    {.state = CONDITION_STDIO_NOT_ACTIVE, .observed_generation = 4, .last_transition = 9},
    {.state = CONDITION_STORAGE_NOT_APPLICABLE, .observed_generation = 4, .last_transition = 9}};

#define OURS                                                                                       \
    "{'type':'StdioReplicaCapped','status':'False','reason':'StdioReplicaCapNotActive','message':" \
    "'stdio replica cap is not active','observedGeneration':4,'lastTransitionTime':"               \
    "'1970-01-01T00:00:09Z'},{'type':'SessionStorageWarning','status':'False','reason':"           \
    "'SessionStorageWarningNotApplicable','message':'session storage warning is not active',"      \
    "'observedGeneration':4,'lastTransitionTime':'1970-01-01T00:00:09Z'}"

static void assert_bytes(const char *name, struct buffer *out, const char *expected) {
    AUTO_FREE char *json = make_json(expected);
    if (strcmp(buffer_text(out), json) != 0) {
        fail_msg("%s: %s", name, buffer_text(out));
    }
}

static void test_status_body__applies_ours_and_nothing_else(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, 4096);
    status_body_apply("toolhive.stacklok.dev/v1beta1", "n", "a", NULL, NULL, conditions, &out);
    assert_bytes("apply", &out,
                 "{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer','metadata':{"
                 "'name':'a','namespace':'n'},'status':{'conditions':[" OURS "]}}");
}

static void test_status_body__applies_to_one_version_of_the_object(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, 4096);
    status_body_apply("toolhive.stacklok.dev/v1beta1", "n", "a", "u", "7", conditions, &out);
    assert_bytes("apply", &out,
                 "{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer','metadata':{"
                 "'name':'a','namespace':'n','uid':'u','resourceVersion':'7'},"
                 "'status':{'conditions':[" OURS "]}}");
}

static void test_status_body__replaces_ours_and_leaves_the_rest_as_it_stands(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *object;
        const char *expected; /* after the metadata */
    } rows[] = {
        {"no status", "'metadata':{'resourceVersion':'7'}", "'status':{'conditions':[" OURS "]}"},
        {"status null", "'metadata':{'resourceVersion':'7'},'status':null",
         "'status':{'conditions':[" OURS "]}"},
        {"the spec is not sent", "'metadata':{'resourceVersion':'7'},'spec':{'replicas':2}",
         "'status':{'conditions':[" OURS "]}"},
        {"conditions null", "'metadata':{'resourceVersion':'7'},'status':{'conditions':null}",
         "'status':{'conditions':[" OURS "]}"},
        {"those of others",
         "'metadata':{'resourceVersion':'7'},'status':{'conditions':[{'type':'Ready','x': [ 1.50 "
         "]},"
         "{'type':'StdioReplicaCapped','status':'True'},7,{'type':'SessionStorageWarning'}],"
         "'phase':'\\u0041'}",
         "'status':{'phase':'\\u0041','conditions':[{'type':'Ready','x': [ 1.50 ]},7," OURS "]}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        char object[1024];
        char expected[2048];
        struct error error;
        buffer_init(&out, 4096);
        snprintf(object, sizeof(object), "{'kind':'MCPServer',%s}", rows[i].object);
        snprintf(expected, sizeof(expected),
                 "{'kind':'MCPServer','metadata':{'resourceVersion':'7'},%s}", rows[i].expected);
        AUTO_FREE char *json = make_json(object);
        assert_true(status_body_replace(json, strlen(json), conditions, &out, &error));
        assert_bytes(rows[i].name, &out, expected);
    }
}

static void test_status_body__refuses_what_is_no_object(void **state) {
    (void)state;
    static const char *const rows[] = {"", "[]", "{}", "{'metadata':", "{'metadata':{}} x"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        struct error error;
        buffer_init(&out, 4096);
        AUTO_FREE char *json = make_json(rows[i]);
        if (status_body_replace(json, strlen(json), conditions, &out, &error)) {
            fail_msg("taken: %s", rows[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_body__applies_ours_and_nothing_else),
        cmocka_unit_test(test_status_body__applies_to_one_version_of_the_object),
        cmocka_unit_test(test_status_body__replaces_ours_and_leaves_the_rest_as_it_stands),
        cmocka_unit_test(test_status_body__refuses_what_is_no_object),
    };
    return cmocka_run_group_tests_name("core/status_body", tests, NULL, NULL);
}
