// SPDX-License-Identifier: Apache-2.0

/*
 * `capstan doctor --kubeconfig`: what it asks, its exit status, and its JSON. The judgements are
 * tested in core/doctor, whose installations are the answers here.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cluster/cluster.h"
#include "core/doctor/installation.h"
#include "edge/clock.h"

enum { OUTPUT_SIZE = 8192, PATH_SIZE = 256 };

#define MUTATIONS "/mutatingadmissionpolicies"
#define BINDINGS  "/mutatingadmissionpolicybindings"
#define REVIEWS   "/v1/subjectaccessreviews"
#define OF_SELF   "/v1/selfsubjectaccessreviews"
#define WHO_AM_I  "/v1/selfsubjectreviews"
#define ACCOUNT   "system:serviceaccount:capstan-system:capstan"
#define ALLOWED   "{\"kind\":\"SubjectAccessReview\",\"status\":{\"allowed\":true}}"

/* Runs doctor; its exit status, its verdict, and each check that is not ok follow in lines. */
static void ask(const struct cluster *cluster, char out[OUTPUT_SIZE]) {
    (void)program_shell(&cluster->program,
                        "cd $FOLDER && \"$CAPSTAN\" doctor --kubeconfig kubeconfig -o json >report;"
                        " echo $?; jq -r '.healthy, (.checks[] | select(.level != \"ok\") | "
                        "\"\\(.level) \\(.name)\")' report",
                        out, OUTPUT_SIZE);
}

/* The text that jq makes of the last report. */
static void read_report(const struct cluster *cluster, const char *filter, char out[OUTPUT_SIZE]) {
    AUTO_FREE char *command = memory_format("cd $FOLDER && jq -r '%s' report", filter);
    (void)program_shell(&cluster->program, command, out, OUTPUT_SIZE);
}

static void inject(const struct cluster *cluster, const char *verb, const char *path, int status,
                   const char *body) {
    const struct fake_fault fault = {
        .verb = verb, .path = path, .kind = FAKE_ANSWER, .status = status, .body = body};
    fake_inject(cluster->api, &fault);
}

/* An installation behind the fake API server. */
struct stage {
    const struct cluster *cluster;
    struct installation installation;
    char paths[QUESTION_COUNT][PATH_SIZE]; /* that are not served yet */
    char kept[QUESTION_COUNT][PATH_SIZE];
};

static void stage_make(struct stage *stage, const struct cluster *cluster) {
    stage->cluster = cluster;
    installation_make(&stage->installation, "default", 90, clock_wall_seconds());
}

static void stage_fini(struct stage *stage) {
    fake_heal(stage->cluster->api);
    installation_fini(&stage->installation);
}

/* The path that is the longest of those that are not empty; a fault for a path also matches longer
   ones, and the first fault counts. */
static size_t longest(const struct stage *stage) {
    size_t best = 0;
    for (size_t i = 1; i < QUESTION_COUNT; i++) {
        best = strlen(stage->paths[i]) > strlen(stage->paths[best]) ? i : best;
    }
    return best;
}

/* Answers as the installation does. The right to ask about rights goes with the asker. */
static void stage_serve(struct stage *stage, enum asker asker) {
    const struct patient *patient = &stage->installation.patient;
    char(*kept)[PATH_SIZE] = stage->kept;
    installation_seal(&stage->installation);
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        AUTO(buffer_fini) struct buffer path;
        buffer_init(&path, PATH_SIZE);
        bool is_asked =
            question_add_path((enum question)i, &patient->names, patient->answers, "v1", &path);
        assert_true(is_asked || (i > QUESTION_RESOURCES && i <= QUESTION_RESOURCES_LAST));
        snprintf(stage->paths[i], PATH_SIZE, "%s", buffer_text(&path));
    }
    memcpy(kept, stage->paths, sizeof(stage->paths));
    installation_hide(&stage->installation, asker);
    for (size_t i = longest(stage); stage->paths[i][0] != '\0'; i = longest(stage)) {
        const struct answer *answer = &patient->answers[i];
        stage->paths[i][0] = '\0';
        inject(stage->cluster, NULL, kept[i], answer->status,
               answer->status == 200 ? answer->json : NULL);
    }
    inject(stage->cluster, "POST", REVIEWS, asker == ASKER_ADMIN ? 201 : 403,
           asker == ASKER_ADMIN ? ALLOWED : NULL);
}

static void test_doctor__ends_with_what_each_asker_can_know(void **state) {
    static const struct {
        enum asker asker;
        const char *patch; /* of the Deployment; NULL: it is healthy */
        const char *expected;
    } rows[] = {
        {ASKER_ADMIN, NULL, "0\ntrue\nnote operator\n"},
        {ASKER_ADMIN, "[{'op':'remove','path':'/spec/template/spec/containers/0/args/1'}]",
         "1\nfalse\nproblem leader\nnote operator\n"},
        {ASKER_VIEWER, NULL,
         "2\nnull\nunknown crd\nunknown webhook-configuration\nunknown leftover\n"
         "unknown last-word\nunknown scope\nunknown ca-bundle\nunknown certificate\n"
         "unknown owner\nunknown rbac\nunknown leader\nnote operator\n"},
        {ASKER_VIEWER, "[{'op':'remove','path':'/spec/template/spec/containers/0/args/1'}]",
         "1\nfalse\nunknown crd\nunknown webhook-configuration\nunknown leftover\n"
         "unknown last-word\nunknown scope\nunknown ca-bundle\nunknown certificate\n"
         "unknown owner\nunknown rbac\nproblem leader\nnote operator\n"},
        {ASKER_NOBODY, NULL,
         "2\nnull\nunknown crd\nunknown webhook-configuration\nunknown leftover\n"
         "unknown last-word\nunknown scope\nunknown ca-bundle\nunknown certificate\n"
         "unknown owner\nunknown service\nunknown deployment\nunknown pods\nunknown flags\n"
         "unknown version\nunknown rbac\nunknown leader\nunknown operator\n"
         "unknown operator-users\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(stage_fini) struct stage stage;
        char output[OUTPUT_SIZE];
        stage_make(&stage, *state);
        if (rows[i].patch != NULL) {
            installation_patch(&stage.installation, QUESTION_DEPLOYMENT, rows[i].patch);
        }
        stage_serve(&stage, rows[i].asker);
        ask(*state, output);
        assert_string_equal(output, rows[i].expected);
    }
}

static void test_doctor__names_the_right_that_is_missing(void **state) {
    AUTO(stage_fini) struct stage stage;
    char output[OUTPUT_SIZE];
    stage_make(&stage, *state);
    stage_serve(&stage, ASKER_NOBODY);
    ask(*state, output);
    read_report(*state, ".checks[] | select(.name == \"service\") | .message, .remedy", output);
    assert_string_equal(
        output,
        "the Service may not be looked at: the right to get services in namespace capstan-system "
        "is missing\nask a cluster admin for the right to get services; docs/doctor.md has a role "
        "for doctor\n");
    (void)program_shell(&((const struct cluster *)*state)->program,
                        "cd $FOLDER && \"$CAPSTAN\" doctor --kubeconfig kubeconfig | tail -1",
                        output, sizeof(output));
    assert_string_equal(output, "18 checks: 1 ok, 0 notes, 17 unknown, 0 problems\n");
}

/* Rights may be bound to the groups of all ServiceAccounts, or of those in a namespace. */
static void test_doctor__asks_about_the_account_with_its_groups(void **state) {
    const struct cluster *cluster = *state;
    AUTO(stage_fini) struct stage stage;
    struct fake_request request;
    char output[OUTPUT_SIZE];
    stage_make(&stage, cluster);
    stage_serve(&stage, ASKER_ADMIN);
    fake_forget(cluster->api);
    ask(cluster, output);
    cluster_assert_count(cluster, "POST", REVIEWS, checkup_n_rights);
    cluster_find(cluster, "POST", REVIEWS, 0, &request);
    assert_non_null(strstr(request.body, "\"user\":\"" ACCOUNT "\""));
    assert_non_null(strstr(request.body, "\"groups\":[\"system:serviceaccounts\","
                                         "\"system:serviceaccounts:capstan-system\","
                                         "\"system:authenticated\"]"));
}

/* From within a pod, the ServiceAccount may ask about itself alone. The rights of any other asker
   say nothing of Capstan's. */
static void test_doctor__asks_about_the_asker_if_that_is_the_account(void **state) {
    static const struct {
        const char *user;
        const char *level;
    } rows[] = {{ACCOUNT, "ok\n"}, {"somebody", "unknown\n"}};
    const struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(stage_fini) struct stage stage;
        AUTO_FREE char *who =
            memory_format("{\"status\":{\"userInfo\":{\"username\":\"%s\"}}}", rows[i].user);
        char output[OUTPUT_SIZE];
        bool is_self = strcmp(rows[i].user, ACCOUNT) == 0;
        stage_make(&stage, cluster);
        stage_serve(&stage, ASKER_VIEWER);
        inject(cluster, "POST", WHO_AM_I, 201, who);
        inject(cluster, "POST", OF_SELF, 201, ALLOWED);
        fake_forget(cluster->api);
        ask(cluster, output);
        read_report(cluster, ".checks[] | select(.name == \"rbac\") | .level", output);
        assert_string_equal(output, rows[i].level);
        cluster_assert_count(cluster, "POST", OF_SELF, is_self ? checkup_n_rights : 0);
    }
}

static void test_doctor__asks_for_the_version_of_policies_that_is_served(void **state) {
    static const struct {
        const char *version; /* NULL: none is served */
        size_t n_asked;
    } rows[] = {{"v1", 1}, {"v1beta1", 2}, {"v1alpha1", 3}, {NULL, 3}};
    const struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(stage_fini) struct stage stage;
        char output[OUTPUT_SIZE];
        char policies_path[128];
        char bindings_path[128];
        const char *version = rows[i].version != NULL ? rows[i].version : "never";
        snprintf(policies_path, sizeof(policies_path), "/%s" MUTATIONS, version);
        snprintf(bindings_path, sizeof(bindings_path), "/%s" BINDINGS, version);
        stage_make(&stage, cluster);
        inject(cluster, NULL, policies_path, 200,
               "{\"kind\":\"MutatingAdmissionPolicyList\",\"items\":null}");
        inject(cluster, NULL, bindings_path, 200,
               "{\"kind\":\"MutatingAdmissionPolicyBindingList\",\"items\":null}");
        inject(cluster, NULL, MUTATIONS, 404, NULL);
        stage_serve(&stage, ASKER_ADMIN);
        fake_forget(cluster->api);
        ask(cluster, output);
        assert_string_equal(output, "0\ntrue\nnote operator\n");
        cluster_assert_count(cluster, "GET", MUTATIONS, rows[i].n_asked);
        cluster_assert_count(cluster, "GET", BINDINGS, rows[i].version != NULL);
    }
}

/* An API server that does not answer any more is left alone after two questions. */
static void test_doctor__does_not_wait_for_each_answer(void **state) {
    const struct cluster *cluster = *state;
    const struct fake_fault reset = {.kind = FAKE_RESET};
    char output[OUTPUT_SIZE];
    fake_forget(cluster->api);
    inject(cluster, NULL, "/version", 200, "{\"gitVersion\":\"v1.37.0\"}");
    fake_inject(cluster->api, &reset);
    ask(cluster, output);
    assert_memory_equal(output, "2\nnull\nunknown crd\n", strlen("2\nnull\nunknown crd\n"));
    /* libcurl repeats the first of them, whose connection was in use before. */
    assert_in_range(fake_count(cluster->api, NULL, NULL), 3, 4);
    fake_heal(cluster->api);
    fake_inject(cluster->api, &reset);
    ask(cluster, output);
    assert_string_equal(output, "2\nnull\nunknown api-server\n");
    read_report(cluster, ".checks[0].message", output);
    assert_non_null(strstr(output, "could not be looked at: GET /version: "));
    fake_heal(cluster->api);
}

static void test_doctor__offers_outside_of_a_pod_what_it_has(void **state) {
    const struct cluster *cluster = *state;
    char output[OUTPUT_SIZE];
    (void)program_shell(&cluster->program,
                        "unset KUBERNETES_SERVICE_HOST; \"$CAPSTAN\" doctor 2>&1; echo $?", output,
                        sizeof(output));
    assert_string_equal(output, "capstan: this is not a pod, since KUBERNETES_SERVICE_HOST is not "
                                "set; outside of a cluster give --kubeconfig FILE\n2\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_doctor__ends_with_what_each_asker_can_know,
                                        cluster_setup, cluster_teardown),
        cmocka_unit_test_setup_teardown(test_doctor__names_the_right_that_is_missing, cluster_setup,
                                        cluster_teardown),
        cmocka_unit_test_setup_teardown(test_doctor__asks_about_the_account_with_its_groups,
                                        cluster_setup, cluster_teardown),
        cmocka_unit_test_setup_teardown(test_doctor__asks_about_the_asker_if_that_is_the_account,
                                        cluster_setup, cluster_teardown),
        cmocka_unit_test_setup_teardown(
            test_doctor__asks_for_the_version_of_policies_that_is_served, cluster_setup,
            cluster_teardown),
        cmocka_unit_test_setup_teardown(test_doctor__does_not_wait_for_each_answer, cluster_setup,
                                        cluster_teardown),
        cmocka_unit_test_setup_teardown(test_doctor__offers_outside_of_a_pod_what_it_has,
                                        cluster_setup, cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/doctor", tests, NULL, NULL);
}
