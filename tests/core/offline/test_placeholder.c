// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/core_fixtures.h"
#include "core/offline/placeholder.h"

/* The result for the last object of a document. */
struct found {
    bool is_found;
    size_t offset;
};

static void look(void *context, const struct manifest_item *item) {
    struct found *found = context;
    found->is_found = placeholder_find(item, &found->offset);
}

static struct found find(const char *json) {
    struct found found = {.is_found = false};
    struct error error;
    if (!manifest_split(json, strlen(json), look, &found, &error)) {
        fail_msg("%s: %s", json, error.text);
    }
    return found;
}

#define SERVER "'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer'"
#define DEPLOY "'apiVersion':'apps/v1','kind':'Deployment'"

static void test_placeholder__is_found_where_it_would_decide(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{'kind':'{{ .Values.kind }}'}",
        "{'apiVersion':'{{ .v }}','kind':'MCPServer'}",
        "{'apiVersion':'{{ .v }}','kind':'Deployment'}",
        "{" SERVER ",'metadata':{'name':'{{ .Release.Name }}'}}",
        "{" SERVER ",'metadata':{'name':'a','namespace':'{{ .n }}'}}",
        "{" SERVER ",'spec':{'transport':'{{ .Values.transport | default \\'stdio\\' | quote }}'}}",
        "{" SERVER ",'spec':{'replicas':'{{ .Values.n }}'}}",
        "{" SERVER ",'spec':{'sessionStorage':{'provider':'{{ .p }}'}}}",
        "{" DEPLOY ",'metadata':{'labels':{'app.kubernetes.io/name':'{{ .n }}'}}}",
        "{" DEPLOY ",'metadata':{'labels':{'app.kubernetes.io/instance':'x-{{ .n }}'}}}",
        "{" DEPLOY ",'metadata':{'ownerReferences':[{'name':'{{ .n }}'}]}}",
        "{" DEPLOY ",'spec':{'replicas':'{{ .n }}'}}",
        "{" DEPLOY ",'spec':{'strategy':{'type':'{{ .t }}'}}}",
        "{" DEPLOY ",'spec':{'template':{'metadata':{'annotations':{'toolhive.stacklok.dev/"
        "mcpserver-generation':'{{ .g }}'}}}}}",
        "{" DEPLOY ",'spec':{'template':{'spec':{'terminationGracePeriodSeconds':'{{ .s }}'}}}}",
        "{'apiVersion':'apps/v1','kind':'DeploymentList','items':[{'spec':{'replicas':'{{'}}]}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i]);
        struct found found = find(json);
        const char *braces = strstr(json, "{{");
        if (!found.is_found || json + found.offset > braces) {
            fail_msg("%s: %d at %zu", json, found.is_found, found.offset);
        }
    }
}

static void test_placeholder__is_where_the_value_begins(void **state) {
    (void)state;
    AUTO_FREE char *json = make_json("{'kind':'List','items':[{" DEPLOY "},{" SERVER
                                     ",'metadata':{'name':  'a-{{ .x }}'}}]}");
    assert_int_equal(find(json).offset, strstr(json, "\"a-{{") - json);
}

static void test_placeholder__elsewhere_is_of_no_interest(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{" SERVER ",'metadata':{'name':'a','annotations':{'a':'{{ .x }}'}}}",
        "{" SERVER ",'spec':{'image':'{{ .x }}','args':['{{ .y }}']}}",
        "{" DEPLOY ",'spec':{'template':{'spec':{'containers':[{'image':'{{ .x }}'}]}}}}",
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'{{ .x }}'}}",
        "{'apiVersion':'{{ .x }}','kind':'ConfigMap'}",
        "{'kind':'List','items':['{{ .x }}',7,null]}",
        "{" SERVER ",'metadata':{'name':'a'},'spec':{'transport':'{ {'}}",
        "{" SERVER "}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i]);
        if (find(json).is_found) {
            fail_msg("%s", json);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholder__is_found_where_it_would_decide),
        cmocka_unit_test(test_placeholder__is_where_the_value_begins),
        cmocka_unit_test(test_placeholder__elsewhere_is_of_no_interest),
    };
    return cmocka_run_group_tests_name("core/placeholder", tests, NULL, NULL);
}
