// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core_fixtures.h"
#include "core/doctor/checkup.h"

static struct checkup_answer answer_of(const char *json) {
    return (struct checkup_answer){.status = 200, .json = json, .size = strlen(json)};
}

static void test_checkup__reads_a_review_of_rights(void **state) {
    static const struct {
        const char *json;
        bool allows;
    } rows[] = {
        {"{'status':{'allowed':true}}", true},
        {"{'status':{'allowed':false}}", false},
        {"{'status':{'allowed':'true'}}", false},
        {"{'spec':{'allowed':true}}", false},
        {"{", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        const struct checkup_answer review = answer_of(json);
        assert_int_equal(checkup_allows(&review), rows[i].allows);
    }
}

static void test_checkup__reads_the_version(void **state) {
    static const struct {
        const char *json;
        const char *message;
    } rows[] = {
        {"{'gitVersion':'v1.33.1'}", "it answers; version \"v1.33.1\""},
        {"{}", "it answers; version ?"},
        {"7", "it answers; version ?"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        const struct checkup_answer version = answer_of(json);
        struct finding finding = {.check = "x"};
        checkup_server(&version, &finding);
        assert_int_equal(finding.level, FINDING_OK);
        assert_string_equal(finding.message, rows[i].message);
    }
}

static void test_checkup__finds_the_secret_that_a_deployment_mounts(void **state) {
#define POD(arguments, volumes)                                                                    \
    "{'metadata':{'annotations':{'last-applied':'--webhook-cert-path=/x'}},'spec':{'template':{"   \
    "'spec':{'containers':[{'name':'x'},{" arguments "}],'volumes':[" volumes "]}}}}"
#define VOLUMES                                                                                    \
    "{'name':'policy','configMap':{'name':'x'}},{'name':'certs','secret':{'secretName':'given'}}," \
    "{'name':'more','secret':{'secretName':'other'}}"
    static const struct {
        const char *json;
        bool makes;
        const char *secret;
    } rows[] = {
        {POD("'args':['serve','--webhook-cert-path=/tls']", VOLUMES), false, "given"},
        {POD("'args':['--webhook-cert-path','/tls']", VOLUMES), false, "given"},
        {POD("'command':['capstan','--webhook-cert-path=/tls']", VOLUMES), false, "given"},
        {POD("'args':['--webhook-cert-path=/tls']", ""), false, "capstan-certs"},
        {POD("'args':['serve']", VOLUMES), true, "capstan-certs"},
        {POD("'args':7", VOLUMES), true, "capstan-certs"},
        {"{", true, "capstan-certs"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *json = make_json(rows[i].json);
        AUTO(buffer_fini) struct buffer name;
        const struct checkup_answer deployment = answer_of(json);
        buffer_init(&name, 256);
        checkup_add_secret(&deployment, &name);
        assert_int_equal(checkup_makes_certificates(&deployment), rows[i].makes);
        assert_string_equal(buffer_text(&name), rows[i].secret);
    }
}

static void test_checkup__puts_names_into_remedies_and_paths(void **state) {
    static const struct checkup_names names = {
        .namespace = "n", .service = "s", .configuration = "c"};
    AUTO(buffer_fini) struct buffer out;
    (void)state;
    buffer_init(&out, 256);
    checkup_add_named("/NAMESPACE/SERVICE: CONFIGURATION, NAME", &names, &out);
    assert_string_equal(buffer_text(&out), "/n/s: c, NAME");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkup__reads_a_review_of_rights),
        cmocka_unit_test(test_checkup__reads_the_version),
        cmocka_unit_test(test_checkup__finds_the_secret_that_a_deployment_mounts),
        cmocka_unit_test(test_checkup__puts_names_into_remedies_and_paths),
    };
    return cmocka_run_group_tests_name("core/checkup_values", tests, NULL, NULL);
}
