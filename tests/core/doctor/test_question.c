// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "checkup_fixtures.h"

#define POD(arguments, mounts)                                                                     \
    "{'metadata':{'annotations':{'last-applied':'--webhook-cert-path=/x'}},'spec':{'template':{"   \
    "'spec':{'containers':[{'name':'x','args':['--config=/no/p.yaml']},{'name':'capstan',"         \
    "'volumeMounts':[" mounts "]," arguments "}],'volumes':["                                      \
    "{'name':'policy','configMap':{'name':'given-policy'}},"                                       \
    "{'name':'certs','secret':{'secretName':'given'}},"                                            \
    "{'name':'odd','secret':{'secretName':'../../configmaps/x'}},"                                 \
    "{'name':'csi','csi':{}},"                                                                     \
    "{'name':'both','projected':{'sources':[{'downwardAPI':{}},{'secret':{'name':'joined'}},"      \
    "{'configMap':{'name':'joined-policy'}}]}}]}}}}"
#define MOUNT(name, path) "{'name':'" name "','mountPath':'" path "'}"
#define SECRETS           "/api/v1/namespaces/capstan-system/secrets/"
#define CONFIG_MAPS       "/api/v1/namespaces/capstan-system/configmaps/"

static void test_question__asks_for_what_the_deployment_mounts(void **state) {
    static const struct {
        const char *json;   /* NULL: the Deployment may not be looked at */
        const char *secret; /* its path; NULL: nothing is asked */
        const char *config_map;
    } rows[] = {
        {POD("'args':['serve','--webhook-cert-path=/tls']", MOUNT("certs", "/tls")),
         SECRETS "given", NULL},
        {POD("'args':['--webhook-cert-path','/tls/']", MOUNT("certs", "/tls")), SECRETS "given",
         NULL},
        {POD("'command':['capstan','--webhook-cert-path=/a/b']",
             MOUNT("policy", "/a") "," MOUNT("certs", "/a/b")),
         SECRETS "given", NULL},
        {POD("'args':['--webhook-cert-path=/tls']", MOUNT("both", "/tls")), SECRETS "joined", NULL},
        {POD("'args':['--webhook-cert-path=/tls']", MOUNT("csi", "/tls")), NULL, NULL},
        {POD("'args':['--webhook-cert-path=/tls']", MOUNT("certs", "/tl")), NULL, NULL},
        {POD("'args':['--webhook-cert-path=/tls']", ""), NULL, NULL},
        /* No name may lead out of its folder. */
        {POD("'args':['--webhook-cert-path=/tls']", MOUNT("odd", "/tls")), NULL, NULL},
        {POD("'args':['serve']", ""), SECRETS "capstan-certs", NULL},
        {POD("'args':7", ""), SECRETS "capstan-certs", NULL},
        {POD("'args':['--config=/c/p.yaml']", MOUNT("policy", "/c")), SECRETS "capstan-certs",
         CONFIG_MAPS "given-policy"},
        {POD("'args':['--config','/c/p.yaml']", MOUNT("both", "/c")), SECRETS "capstan-certs",
         CONFIG_MAPS "joined-policy"},
        {POD("'args':['--config=/c/p.yaml']", MOUNT("certs", "/c")), SECRETS "capstan-certs", NULL},
        {"{", SECRETS "capstan-certs", NULL},
        {NULL, SECRETS "capstan-certs", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(answer_fini)
        const struct answer answer = answer_to(QUESTION_DEPLOYMENT, rows[i].json, 403);
        struct patient patient = unseen_patient();
        const char *const expected[] = {rows[i].secret, rows[i].config_map};
        patient.answers[QUESTION_DEPLOYMENT] = answer;
        for (size_t j = 0; j < COUNT_OF(expected); j++) {
            AUTO(buffer_fini) struct buffer path;
            buffer_init(&path, 1024);
            bool asks = question_add_path(j == 0 ? QUESTION_SECRET : QUESTION_POLICY,
                                          &patient.names, patient.answers, "", &path);
            if (asks != (expected[j] != NULL) ||
                (asks && strcmp(buffer_text(&path), expected[j]) != 0)) {
                fail_msg("row %zu: asks %d: %s", i, asks, buffer_text(&path));
            }
        }
    }
}

static void test_question__names_the_objects_of_the_installation(void **state) {
    static const struct {
        enum question question;
        const char *path;
    } rows[] = {
        {QUESTION_VERSION, "/version"},
        {QUESTION_CONFIGURATION,
         "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/c"},
        {QUESTION_SERVICE, "/api/v1/namespaces/n/services/s"},
        {QUESTION_SLICES, "/apis/discovery.k8s.io/v1/namespaces/n/endpointslices"
                          "?labelSelector=kubernetes.io%2Fservice-name%3Ds"},
        {QUESTION_MUTATIONS,
         "/apis/admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicies"},
    };
    static const struct finding_names names = {
        .namespace = "n", .service = "s", .configuration = "c"};
    const struct patient patient = unseen_patient();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer path;
        buffer_init(&path, 1024);
        assert_true(question_add_path(rows[i].question, &names, patient.answers, "v1beta1", &path));
        assert_string_equal(buffer_text(&path), rows[i].path);
    }
}

/* In the order of `serve`, until each kind is found. */
static void test_question__asks_for_the_resources_of_each_version_that_matters(void **state) {
#define MEMBER(name) "{'name':'" name "'}"
#define PATH         "/apis/toolhive.stacklok.dev/"
    static const struct {
        const char *lists[DISCOVERY_VERSIONS_MAX]; /* NULL: not found */
        const char *paths[DISCOVERY_VERSIONS_MAX]; /* NULL: nothing is asked */
    } rows[] = {
        {{"{'resources':[" MEMBER("mcpservers") "," MEMBER("mcpremoteproxies") "," MEMBER(
             "virtualmcpservers") "]}"},
         {PATH "v2"}},
        {{"{'resources':[" MEMBER("mcpservers") "," MEMBER("mcpremoteproxies") "]}",
          "{'resources':[" MEMBER("virtualmcpservers") "]}"},
         {PATH "v2", PATH "v1beta1"}},
        {{"{'resources':[" MEMBER("mcpservers") "]}"}, {PATH "v2", PATH "v1beta1", PATH "v9"}},
        {{NULL}, {PATH "v2", PATH "v1beta1", PATH "v9"}},
    };
    AUTO(answer_fini)
    const struct answer group = answer_to(
        QUESTION_GROUP,
        "{'preferredVersion':{'version':'v2'},'versions':[{'version':'v9'},{'version':'v1beta1'},"
        "{'version':'v2'},{'version':'../v1'}]}",
        0);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct patient patient = unseen_patient();
        struct answer lists[DISCOVERY_VERSIONS_MAX];
        patient.answers[QUESTION_GROUP] = group;
        for (size_t j = 0; j < DISCOVERY_VERSIONS_MAX; j++) {
            AUTO(buffer_fini) struct buffer path;
            enum question question = (enum question)(QUESTION_RESOURCES + j);
            const char *expected = rows[i].paths[j] != NULL ? rows[i].paths[j] : "";
            buffer_init(&path, 1024);
            assert_true(question_add_path(question, &patient.names, patient.answers, "", &path) ==
                        (rows[i].paths[j] != NULL));
            assert_string_equal(buffer_text(&path), expected);
            lists[j] = answer_to(question, rows[i].lists[j], 404);
            patient.answers[question] = lists[j];
        }
        for (size_t j = 0; j < DISCOVERY_VERSIONS_MAX; j++) {
            answer_fini(&lists[j]);
        }
    }
}

static void test_question__asks_for_the_resources_of_8_versions_and_not_one_more(void **state) {
    (void)state;
    for (size_t n = 7; n <= 9; n++) {
        AUTO(buffer_fini) struct buffer json;
        struct patient patient = unseen_patient();
        size_t n_asked = 0;
        buffer_init(&json, 1024);
        buffer_add_text(&json, "{\"kind\":\"APIGroup\",\"versions\":[");
        for (size_t i = 1; i <= n; i++) {
            buffer_add_format(&json, "%s{\"version\":\"v%zu\"}", i > 1 ? "," : "", i);
        }
        buffer_add_text(&json, "]}");
        patient.answers[QUESTION_GROUP] =
            (struct answer){.status = 200, .json = buffer_text(&json), .size = json.size};
        for (int i = QUESTION_RESOURCES; i <= QUESTION_RESOURCES_LAST; i++) {
            AUTO(buffer_fini) struct buffer path;
            buffer_init(&path, 1024);
            n_asked +=
                question_add_path((enum question)i, &patient.names, patient.answers, "", &path);
        }
        assert_int_equal(n_asked, n < 8 ? n : 8);
    }
}

static void test_question__says_of_each_what_it_is_about(void **state) {
    (void)state;
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        assert_non_null(question_rows[i].path);
        assert_non_null(question_rows[i].what);
        assert_non_null(question_rows[i].right);
    }
}

static void test_question__puts_names_into_remedies(void **state) {
    static const struct finding_names names = {
        .namespace = "n", .service = "s", .configuration = "c"};
    AUTO(buffer_fini) struct buffer out;
    (void)state;
    buffer_init(&out, 256);
    finding_add_named("/NAMESPACE/SERVICE: CONFIGURATION, NAME, OTHER", &names, &out);
    assert_string_equal(buffer_text(&out), "/n/s: c, NAME, ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_question__asks_for_what_the_deployment_mounts),
        cmocka_unit_test(test_question__names_the_objects_of_the_installation),
        cmocka_unit_test(test_question__asks_for_the_resources_of_each_version_that_matters),
        cmocka_unit_test(test_question__asks_for_the_resources_of_8_versions_and_not_one_more),
        cmocka_unit_test(test_question__says_of_each_what_it_is_about),
        cmocka_unit_test(test_question__puts_names_into_remedies),
    };
    return cmocka_run_group_tests_name("core/question", tests, NULL, NULL);
}
