// SPDX-License-Identifier: Apache-2.0

/*
 * `capstan doctor --kubeconfig`: what it asks about other webhooks and policies, and what it says.
 * The judgements are tested in core/doctor.
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
#include "core/core_fixtures.h"

#define WEBHOOKS "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
#define POLICIES "/mutatingadmissionpolicies"
#define BINDINGS "/mutatingadmissionpolicybindings"

#define LIST(items) "{'items':[" items "]}"
#define ENTRY(name, service, policy)                                                               \
    "{'name':'" name "','clientConfig':{'service':{'namespace':'capstan-system','name':'" service  \
    "'}},'reinvocationPolicy':'" policy "','rules':[{'apiGroups':['apps'],'apiVersions':['v1'],"   \
    "'operations':['*'],'resources':['deployments']}]}"
#define CONFIGURATION(name, entry) "{'metadata':{'name':'" name "'},'webhooks':[" entry "]}"
#define OURS(policy)                                                                               \
    CONFIGURATION("zz-capstan", ENTRY("deployments.capstan.dev", "capstan", policy))

#define OLD    CONFIGURATION("capstan", ENTRY("deployments.capstan.dev", "capstan", "Never"))
#define THEIRS CONFIGURATION("zzz", ENTRY("x.example.com", "other", "IfNeeded"))

/* The words of doctor, a line for each of the two checks, and its exit status. */
static void ask(const struct cluster *cluster, char *out, size_t size) {
    (void)program_shell(
        &cluster->program,
        "cd $FOLDER && \"$CAPSTAN\" doctor --kubeconfig kubeconfig -o json >report; "
        "echo $?; jq -r '.checks[] | select(.name == (\"leftover\", \"last-word\")) "
        "| \"\\(.level): \\(.message)\" + if .remedy then \" -> \\(.remedy)\" else "
        "\"\" end' report",
        out, size);
}

/* The JSON of answers; a fault borrows it. */
struct bodies {
    char *json[8];
    size_t n;
};

static void bodies_fini(struct bodies *bodies) {
    for (size_t i = 0; i < bodies->n; i++) {
        free(bodies->json[i]);
    }
    bodies->n = 0;
}

/* From now on, answers paths with this part with this JSON. */
static void answer(const struct cluster *cluster, const char *path, const char *text,
                   struct bodies *bodies) {
    char *json = make_json(text);
    const struct fake_fault fault = {
        .path = path, .kind = FAKE_ANSWER, .status = 200, .body = json};
    assert_true(bodies->n < COUNT_OF(bodies->json));
    bodies->json[bodies->n++] = json;
    fake_inject(cluster->api, &fault);
}

static void test_doctor__names_the_others_and_the_remedy(void **state) {
    const struct cluster *cluster = *state;
    AUTO(bodies_fini) struct bodies bodies = {.n = 0};
    char output[4096];
    answer(cluster, WEBHOOKS, LIST(OLD "," OURS("IfNeeded") "," THEIRS), &bodies);
    answer(cluster, "/version", "{'gitVersion':'v1.37.0'}", &bodies);
    ask(cluster, output, sizeof(output));
    assert_string_equal(
        output,
        "1\n"
        "problem: another configuration leads to the Service too, and nobody keeps the caBundle "
        "there: capstan -> kubectl delete mutatingwebhookconfiguration capstan\n"
        "note: these see the same objects, and may undo what Capstan does: zzz (x.example.com) -> "
        "have them leave MCPServers and their Deployments alone, or rename zz-capstan so that it "
        "sorts last: see docs/doctor.md\n");
    (void)program_shell(&cluster->program,
                        "cd $FOLDER && \"$CAPSTAN\" doctor --kubeconfig kubeconfig | grep -A1 "
                        "leftover | tail -1",
                        output, sizeof(output));
    assert_string_equal(output, "                              -> kubectl delete "
                                "mutatingwebhookconfiguration capstan\n");
    fake_heal(cluster->api);
}

static void test_doctor__asks_for_the_version_of_policies_that_is_served(void **state) {
    static const struct {
        const char *version; /* NULL: none is served */
        size_t n_asked;
        const char *last_word;
    } rows[] = {
        {"v1", 1,
         "note: these see the same objects, and may undo what Capstan does: "
         "MutatingAdmissionPolicy p"},
        {"v1beta1", 2,
         "note: these see the same objects, and may undo what Capstan does: "
         "MutatingAdmissionPolicy p"},
        {"v1alpha1", 3,
         "note: these see the same objects, and may undo what Capstan does: "
         "MutatingAdmissionPolicy p"},
        {NULL, 3, "ok: it has the last word over all others; 0 of them may see the same objects"},
    };
    const struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(bodies_fini) struct bodies bodies = {.n = 0};
        char output[4096];
        char policies_path[128];
        char bindings_path[128];
        const char *version = rows[i].version != NULL ? rows[i].version : "never";
        snprintf(policies_path, sizeof(policies_path), "/%s" POLICIES, version);
        snprintf(bindings_path, sizeof(bindings_path), "/%s" BINDINGS, version);
        answer(cluster, WEBHOOKS, LIST(OURS("Never")), &bodies);
        answer(cluster, "/version", "{}", &bodies);
        answer(cluster, policies_path,
               LIST("{'metadata':{'name':'p'},'spec':{'reinvocationPolicy':'IfNeeded',"
                    "'matchConstraints':{'resourceRules':[]}}}"),
               &bodies);
        answer(cluster, bindings_path, LIST("{'spec':{'policyName':'p'}}"), &bodies);
        fake_forget(cluster->api);
        ask(cluster, output, sizeof(output));
        if (strstr(output, rows[i].last_word) == NULL) {
            fail_msg("%s: %s", version, output);
        }
        cluster_assert_count(cluster, "GET", POLICIES, rows[i].n_asked);
        cluster_assert_count(cluster, "GET", BINDINGS, rows[i].version != NULL);
        fake_heal(cluster->api);
    }
}

static void test_doctor__calls_nothing_ok_that_it_cannot_look_at(void **state) {
    static const struct {
        const char *path; /* a list that the asker may not have */
        const char *leftover;
        const char *last_word;
    } rows[] = {
        {WEBHOOKS, "note: the list of MutatingWebhookConfigurations may not be looked at",
         "note: the list of MutatingWebhookConfigurations may not be looked at"},
        {POLICIES, "ok: no other configuration leads to the Service",
         "note: the list of MutatingAdmissionPolicies may not be looked at"},
        {BINDINGS, "ok: no other configuration leads to the Service",
         "note: the list of MutatingAdmissionPolicyBindings may not be looked at"},
    };
    const struct cluster *cluster = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(bodies_fini) struct bodies bodies = {.n = 0};
        char output[4096];
        const struct fake_fault refusal = {
            .path = rows[i].path, .kind = FAKE_ANSWER, .status = 403};
        fake_inject(cluster->api, &refusal);
        answer(cluster, WEBHOOKS, LIST(OURS("IfNeeded")), &bodies);
        answer(cluster, "/version", "{}", &bodies);
        answer(cluster, POLICIES, LIST(""), &bodies);
        answer(cluster, BINDINGS, LIST(""), &bodies);
        ask(cluster, output, sizeof(output));
        if (strstr(output, rows[i].leftover) == NULL || strstr(output, rows[i].last_word) == NULL) {
            fail_msg("%s: %s", rows[i].path, output);
        }
        fake_heal(cluster->api);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_doctor__names_the_others_and_the_remedy, cluster_setup,
                                        cluster_teardown),
        cmocka_unit_test_setup_teardown(
            test_doctor__asks_for_the_version_of_policies_that_is_served, cluster_setup,
            cluster_teardown),
        cmocka_unit_test_setup_teardown(test_doctor__calls_nothing_ok_that_it_cannot_look_at,
                                        cluster_setup, cluster_teardown),
    };
    return cmocka_run_group_tests_name("cluster/doctor", tests, NULL, NULL);
}
