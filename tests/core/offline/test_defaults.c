// SPDX-License-Identifier: Apache-2.0
#include "core/offline/defaults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core_fixtures.h"

struct row {
    const char *json;     /* with apostrophes for quotation marks */
    const char *expected; /* NULL: the same */
};

static void apply(enum object_kind kind, const char *json, size_t size, struct buffer *out,
                  bool *ret_any) {
    AUTO_FREE char *copy = copy_exactly(json, size);
    struct error error;
    if (!defaults_apply(kind, copy, size, out, ret_any, &error)) {
        fail_msg("%s: %s", json, error.text);
    }
}

static void assert_rows(enum object_kind kind, const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        AUTO_FREE char *expected =
            make_json(rows[i].expected != NULL ? rows[i].expected : rows[i].json);
        AUTO(buffer_fini) struct buffer once;
        AUTO(buffer_fini) struct buffer twice;
        bool any = rows[i].expected == NULL;
        buffer_init(&once, 4096);
        buffer_init(&twice, 4096);
        apply(kind, json, strlen(json), &once, &any);
        assert_string_equal(buffer_text(&once), expected);
        assert_int_equal(any, rows[i].expected != NULL);
        /* An object with all defaults stays unchanged. */
        apply(kind, once.bytes, once.size, &twice, &any);
        assert_string_equal(buffer_text(&twice), expected);
        assert_false(any);
    }
}

static void test_defaults__of_an_mcpserver_are_the_transport(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{'spec':{}}", "{'spec':{'transport':'stdio'}}"},
        {"{'spec':{'replicas':3},'x':1}", "{'spec':{'replicas':3,'transport':'stdio'},'x':1}"},
        {"{'spec':{'transport':null,'a':1}}", "{'spec':{'transport':'stdio','a':1}}"},
        {"{'spec':{'transport':'sse','transport':null}}",
         "{'spec':{'transport':'sse','transport':'stdio'}}"},
        {"{'spec':{'transport':'sse'}}", NULL},
        {"{'spec':{'transport':''}}", NULL},
        {"{'spec':{'transport':7}}", NULL},
        {"{'spec':{'transport':{}}}", NULL},
        {"{ 'spec' : { '\\u0074ransport' : 'stdio' } }", NULL},
        {"{'spec':null}", NULL},
        {"{'spec':[]}", NULL},
        {"{'metadata':{}}", NULL},
        {"{}", NULL},
        {"[]", NULL},
        {"null", NULL},
    };
    assert_rows(OBJECT_MCPSERVER, rows, COUNT_OF(rows));
}

#define GRACE    "'template':{'spec':{'terminationGracePeriodSeconds':7}}"
#define RECREATE "'strategy':{'type':'Recreate'}"
#define ROLLING                                                                                    \
    "'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':'25%','maxUnavailable':'25%'}" \
    "}"

static void test_defaults__of_a_deployment_are_one_replica(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{'spec':{" RECREATE "}}", "{'spec':{" RECREATE ",'replicas':1}}"},
        {"{'spec':{'replicas':null," RECREATE "}}", "{'spec':{'replicas':1," RECREATE "}}"},
        {"{'spec':{'replicas':0," RECREATE "}}", NULL},
        {"{'spec':{'replicas':1e400," RECREATE "}}", NULL},
        {"{'spec':{'replicas':'2'," RECREATE "}}", NULL},
        {"{'spec':{'replicas':''," RECREATE "}}", NULL},
        {"{'spec':null}", NULL},
        {"{'spec':'x'}", NULL},
        {"{}", NULL},
    };
    assert_rows(OBJECT_DEPLOYMENT, rows, COUNT_OF(rows));
}

static void test_defaults__of_a_deployment_are_30_seconds_of_grace(void **state) {
    (void)state;
#define GRACE_ROW(before) "{'spec':{'replicas':2," RECREATE "," before "}}"
    static const struct row rows[] = {
        {GRACE_ROW("'template':{'spec':{}}"),
         GRACE_ROW("'template':{'spec':{'terminationGracePeriodSeconds':30}}")},
        {GRACE_ROW("'template':{'spec':{'containers':[]}}"),
         GRACE_ROW("'template':{'spec':{'containers':[],'terminationGracePeriodSeconds':30}}")},
        {GRACE_ROW("'template':{'spec':{'terminationGracePeriodSeconds':null}}"),
         GRACE_ROW("'template':{'spec':{'terminationGracePeriodSeconds':30}}")},
        {GRACE_ROW("'template':{'spec':{'terminationGracePeriodSeconds':0}}"), NULL},
        {GRACE_ROW("'template':{'spec':{'terminationGracePeriodSeconds':'60'}}"), NULL},
        {GRACE_ROW("'template':{'spec':null}"), NULL},
        {GRACE_ROW("'template':{'spec':[]}"), NULL},
        {GRACE_ROW("'template':{}"), NULL},
        {GRACE_ROW("'template':null"), NULL},
        {GRACE_ROW("'template':1"), NULL},
    };
    assert_rows(OBJECT_DEPLOYMENT, rows, COUNT_OF(rows));
#undef GRACE_ROW
}

static void test_defaults__of_a_deployment_are_a_rolling_update(void **state) {
    (void)state;
#define STRATEGY_ROW(strategy) "{'spec':{'replicas':2," GRACE "," strategy "}}"
    static const struct row rows[] = {
        {"{'spec':{'replicas':2," GRACE "}}", STRATEGY_ROW(ROLLING)},
        {STRATEGY_ROW("'strategy':null"), STRATEGY_ROW(ROLLING)},
        {STRATEGY_ROW("'strategy':{}"), STRATEGY_ROW(ROLLING)},
        {STRATEGY_ROW("'strategy':{'type':null}"), STRATEGY_ROW(ROLLING)},
        {STRATEGY_ROW("'strategy':{'type':''}"), STRATEGY_ROW(ROLLING)},
        {STRATEGY_ROW("'strategy':{'type':'RollingUpdate'}"), STRATEGY_ROW(ROLLING)},
        {STRATEGY_ROW("'strategy':{'type':'RollingUpdate','rollingUpdate':null}"),
         STRATEGY_ROW(ROLLING)},
        {STRATEGY_ROW("'strategy':{'rollingUpdate':{'maxSurge':0}}"),
         STRATEGY_ROW("'strategy':{'rollingUpdate':{'maxSurge':0,'maxUnavailable':'25%'},"
                      "'type':'RollingUpdate'}")},
        {STRATEGY_ROW("'strategy':{'rollingUpdate':{'maxUnavailable':1,'maxSurge':null},"
                      "'type':'RollingUpdate'}"),
         STRATEGY_ROW("'strategy':{'rollingUpdate':{'maxUnavailable':1,'maxSurge':'25%'},"
                      "'type':'RollingUpdate'}")},
        {STRATEGY_ROW(ROLLING), NULL},
        {STRATEGY_ROW(RECREATE), NULL},
        {STRATEGY_ROW("'strategy':{'type':'Recreate','rollingUpdate':{}}"), NULL},
        {STRATEGY_ROW("'strategy':{'type':'rollingupdate'}"), NULL},
        {STRATEGY_ROW("'strategy':{'type':7}"), NULL},
        {STRATEGY_ROW("'strategy':{'type':'RollingUpdate','rollingUpdate':'x'}"), NULL},
        {STRATEGY_ROW("'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':'',"
                      "'maxUnavailable':[]}}"),
         NULL},
        {STRATEGY_ROW("'strategy':[]"), NULL},
        {STRATEGY_ROW("'strategy':'Recreate'"), NULL},
    };
    assert_rows(OBJECT_DEPLOYMENT, rows, COUNT_OF(rows));
#undef STRATEGY_ROW
}

static void test_defaults__set_all_and_keep_all_other_bytes(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"{ 'kind' : 'Deployment' ,\n 'spec' : { 'template' : { 'spec' : { } },\n"
         " 'x' : [1e400, '\\u0041'] } }\n",
         "{ 'kind' : 'Deployment' ,\n 'spec' : { 'template' : { 'spec' : { "
         "'terminationGracePeriodSeconds':30} },\n"
         " 'x' : [1e400, '\\u0041'],'replicas':1," ROLLING " } }\n"},
    };
    assert_rows(OBJECT_DEPLOYMENT, rows, COUNT_OF(rows));
}

static void test_defaults__of_other_kinds_are_none(void **state) {
    (void)state;
    static const struct row rows[] = {{"{ 'spec' : {'template':{'spec':{}}} }", NULL}};
    assert_rows(OBJECT_SCALE, rows, COUNT_OF(rows));
    assert_rows(OBJECT_OTHER, rows, COUNT_OF(rows));
}

static void test_defaults__refuse_malformed_json(void **state) {
    (void)state;
    static const enum object_kind kinds[] = {OBJECT_OTHER, OBJECT_MCPSERVER, OBJECT_DEPLOYMENT};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        AUTO(buffer_fini) struct buffer out;
        struct error error;
        bool any;
        buffer_init(&out, 4096);
        assert_false(defaults_apply(kinds[i], "{\"spec\":{}", 10, &out, &any, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_int_equal(error.offset, 10);
        assert_int_equal(out.size, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults__of_an_mcpserver_are_the_transport),
        cmocka_unit_test(test_defaults__of_a_deployment_are_one_replica),
        cmocka_unit_test(test_defaults__of_a_deployment_are_30_seconds_of_grace),
        cmocka_unit_test(test_defaults__of_a_deployment_are_a_rolling_update),
        cmocka_unit_test(test_defaults__set_all_and_keep_all_other_bytes),
        cmocka_unit_test(test_defaults__of_other_kinds_are_none),
        cmocka_unit_test(test_defaults__refuse_malformed_json),
    };
    return cmocka_run_group_tests_name("core/defaults", tests, NULL, NULL);
}
