// SPDX-License-Identifier: Apache-2.0

/*
 * Policy and objects that change while the program runs. The tests look at the decision. It must
 * change within 2 s, or stay the same if the new file is bad.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "wire.h"

/* A new Deployment of the MCPServer plain, with 3 replicas. */
#define CREATED "07-Deployment-CREATE-plain"

#define POLICY "apiVersion: capstan.dev/v1\nkind: PolicyConfig\n"
#define WARN   POLICY "stdioCap: {mode: warn}\n"
#define OFF    POLICY "stdioCap: {mode: \"off\"}\n"
#define BAD    POLICY "stdioCap: {mode: sometimes}\n"

#define PLAIN(transport)                                                                           \
    "apiVersion: toolhive.stacklok.dev/v1beta1\nkind: MCPServer\nmetadata:\n  name: plain\n"       \
    "  namespace: default\n  uid: 28e9cad6-1cc5-40cc-9840-71e43ffeb3ca\n  generation: 1\n"         \
    "spec: {image: example.com/plain, transport: " transport "}\n"

static int set_up(void **state) {
    struct program *program = memory_new(1, sizeof(*program));
    *state = program;
    program_init(program);
    program->has_policy = true;
    program_put(program, "policy.yaml", POLICY);
    program_put(program, "objects/plain.yaml", PLAIN("stdio"));
    return 0;
}

static int tear_down(void **state) {
    struct program *program = *state;
    int status = program_stop(program);
    program_fini(program);
    free(program);
    return status;
}

static void assert_capped(const struct program *program) {
    wire_wait_for(program, CREATED, PATCH_REPLICAS_TO_1, "stdio-cap");
}

static void assert_warned(const struct program *program) {
    wire_wait_for(program, CREATED, "", "stdio-cap");
}

static void assert_left_alone(const struct program *program) {
    wire_wait_for(program, CREATED, "", "");
}

static void assert_unresolved(const struct program *program) {
    wire_wait_for(program, CREATED, "", "unresolved");
}

static void test_reload__takes_up_a_policy_replaced_by_a_rename(void **state) {
    const struct program *program = *state;
    program_start(*state);
    assert_capped(program);
    program_put(program, "policy.yaml", WARN);
    assert_warned(program);
    program_put(program, "policy.yaml", OFF);
    assert_left_alone(program);
    assert_int_equal(program_metric(program, "capstan_config_reloads_total{result=\"ok\"}"), 2);
    assert_int_equal(program_metric(program, "capstan_config_reloads_total{result=\"refused\"}"),
                     0);
}

static void test_reload__takes_up_a_policy_written_in_place(void **state) {
    const struct program *program = *state;
    program_start(*state);
    program_write(program, "policy.yaml", WARN);
    assert_warned(program);
    program_write(program, "policy.yaml", POLICY);
    assert_capped(program);
}

/* The kubelet changes a mounted ConfigMap like this: the file is a link through `..data`, and a
   rename replaces `..data`. */
static void test_reload__takes_up_a_policy_swapped_by_the_kubelet(void **state) {
    const struct program *program = *state;
    char output[1024];
    program_put(program, "..1/policy.yaml", POLICY);
    program_put(program, "..2/policy.yaml", WARN);
    assert_int_equal(program_shell(program,
                                   "cd $FOLDER && ln -s ..1 ..data && rm policy.yaml && "
                                   "ln -s ..data/policy.yaml policy.yaml",
                                   output, sizeof(output)),
                     0);
    program_start(*state);
    assert_capped(program);
    assert_int_equal(
        program_shell(program, "cd $FOLDER && ln -s ..2 ..tmp && mv -T ..tmp ..data && rm -r ..1",
                      output, sizeof(output)),
        0);
    assert_warned(program);
}

/* In a ConfigMap, links lead nowhere for a moment after it has lost a key. */
static void test_reload__passes_over_links_that_lead_nowhere(void **state) {
    const struct program *program = *state;
    char output[1024];
    program_put(program, "objects/plain.yaml", PLAIN("stdio"));
    assert_int_equal(program_shell(program,
                                   "cd $FOLDER/objects && ln -s ..data/gone.yaml gone.yaml && "
                                   "ln -s itself.yaml itself.yaml",
                                   output, sizeof(output)),
                     0);
    program_start(*state);
    assert_capped(program);
    program_put(program, "objects/plain.yaml", PLAIN("sse"));
    assert_left_alone(program);
    assert_int_equal(program_count_log(program, "\"source.refused\""), 0);
}

static void test_reload__keeps_the_last_good_policy_when_one_is_refused(void **state) {
    const struct program *program = *state;
    program_put(program, "policy.yaml", WARN);
    program_start(*state);
    assert_warned(program);
    program_put(program, "policy.yaml", BAD);
    program_wait_for_log(program, "\"source.refused\"", 1);
    assert_int_equal(program_count_log(program, "policy.yaml:3:18: stdioCap.mode: 'sometimes'"), 1);
    assert_warned(program);
    program_put(program, "policy.yaml", OFF);
    assert_left_alone(program);
    assert_int_equal(program_metric(program, "capstan_config_reloads_total{result=\"ok\"}"), 1);
}

/* The program reads a refused file again whenever it looks at any file. */
static void test_reload__logs_a_refusal_once(void **state) {
    const struct program *program = *state;
    program_start(*state);
    program_put(program, "policy.yaml", BAD);
    program_wait_for_log(program, "\"source.refused\"", 1);
    program_signal(program, SIGHUP);
    program_put(program, "policy.yaml", BAD "# still\n");
    program_put(program, "objects/plain.yaml", PLAIN("sse"));
    assert_left_alone(program);
    program_put(program, "objects/plain.yaml", PLAIN("stdio"));
    assert_capped(program);
    assert_int_equal(program_count_log(program, "\"source.refused\""), 1);
    program_put(program, "policy.yaml", POLICY "stdioCap: {mode: never}\n");
    program_wait_for_log(program, "'never'", 1);
    assert_int_equal(program_count_log(program, "\"source.refused\""), 2);
}

static void test_reload__keeps_the_policy_when_its_file_goes(void **state) {
    const struct program *program = *state;
    program_put(program, "policy.yaml", WARN);
    program_start(*state);
    program_remove(program, "policy.yaml");
    program_wait_for_log(program, "\"source.refused\"", 1);
    assert_warned(program);
    program_put(program, "policy.yaml", OFF);
    assert_left_alone(program);
}

static void test_reload__reads_the_policy_again_on_sighup(void **state) {
    const struct program *program = *state;
    program_start(*state);
    assert_int_equal(program_count_log(program, "\"source.reloaded\""), 0);
    program_signal(program, SIGHUP);
    program_wait_for_log(program, "\"event\":\"source.reloaded\",\"source\":\"policy\"", 1);
    assert_true(program_is_running(program));
    assert_capped(program);
    program_put(program, "policy.yaml", BAD);
    program_signal(program, SIGHUP);
    program_wait_for_log(program, "\"source.refused\"", 1);
    assert_capped(program);
}

static void test_reload__survives_sighup_without_a_policy(void **state) {
    struct program *program = *state;
    program->has_policy = false;
    program_start(program);
    program_signal(program, SIGHUP);
    assert_capped(program);
    assert_true(program_is_running(program));
}

static void test_reload__takes_up_objects_that_come_change_and_go(void **state) {
    const struct program *program = *state;
    program_remove(program, "objects/plain.yaml");
    program_start(*state);
    assert_unresolved(program);
    program_put(program, "objects/plain.yaml", PLAIN("stdio"));
    assert_capped(program);
    program_put(program, "objects/plain.yaml", PLAIN("sse"));
    assert_left_alone(program);
    program_write(program, "objects/plain.yaml", PLAIN("stdio"));
    assert_capped(program);
    program_remove(program, "objects/plain.yaml");
    assert_unresolved(program);
    program_put(program, "objects/team/deep/plain.yml", PLAIN("stdio"));
    assert_capped(program);
    program_put(program, "objects/team/deep/plain.yml", PLAIN("sse"));
    assert_left_alone(program);
}

static void test_reload__takes_up_a_folder_that_comes_and_goes(void **state) {
    const struct program *program = *state;
    char output[1024];
    program_remove(program, "objects/plain.yaml");
    program_put(program, "aside/a/plain.yaml", PLAIN("stdio"));
    program_start(*state);
    assert_unresolved(program);
    assert_int_equal(
        program_shell(program, "mv $FOLDER/aside $FOLDER/objects/", output, sizeof(output)), 0);
    assert_capped(program);
    program_put(program, "objects/aside/a/plain.yaml", PLAIN("sse"));
    assert_left_alone(program);
    assert_int_equal(program_shell(program, "rm -r $FOLDER/objects/aside", output, sizeof(output)),
                     0);
    assert_unresolved(program);
}

static void test_reload__takes_up_a_list_with_other_kinds_in_it(void **state) {
    const struct program *program = *state;
    program_remove(program, "objects/plain.yaml");
    program_start(*state);
    assert_unresolved(program);
    program_put_sample(program, "mcpservers-live.json");
    program_put_sample(program, "deployments-live.json");
    assert_capped(program);
    assert_int_equal(program_metric(program, "capstan_mcpservers"), 7);
    assert_int_equal(program_metric(program, "capstan_deployments"), 2);
}

/* The program takes all objects or none. Half of a change would be a state that never existed. */
static void test_reload__keeps_all_objects_when_one_file_is_broken(void **state) {
    static const struct {
        const char *text;
        const char *refusal;
    } rows[] = {{"a: [\n", "objects/zz.yaml:2:1: "},
                {"just a text\n", "objects/zz.yaml:1:1: "},
                {PLAIN("sse") "---\n- a list\n", "objects/zz.yaml:10:1: "}};
    const struct program *program = *state;
    program_start(*state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        program_put(program, "objects/zz.yaml", rows[i].text);
        program_wait_for_log(program, rows[i].refusal, 1);
        program_put(program, "objects/plain.yaml", PLAIN("sse"));
        program_wait_for_pass(program);
        assert_capped(program);
        program_put(program, "objects/plain.yaml", PLAIN("stdio"));
        program_wait_for_pass(program);
    }
    program_put(program, "objects/plain.yaml", PLAIN("sse"));
    program_remove(program, "objects/zz.yaml");
    assert_left_alone(program);
}

static void test_reload__takes_up_many_changes_in_a_row(void **state) {
    const struct program *program = *state;
    program_start(*state);
    for (int i = 0; i < 50; i++) {
        program_put(program, "objects/plain.yaml", i % 2 == 0 ? PLAIN("sse") : PLAIN("stdio"));
    }
    assert_capped(program);
    for (int i = 0; i < 51; i++) {
        program_write(program, "objects/plain.yaml", i % 2 == 0 ? PLAIN("sse") : PLAIN("stdio"));
    }
    assert_left_alone(program);
}

/* Files that move beside the certificate, and files that are written again as they are. */
static void test_reload__says_nothing_where_nothing_changes(void **state) {
    const struct program *program = *state;
    char output[1024];
    program_start(*state);
    program_put(program, "certs/other.txt", "a");
    program_put(program, "certs/other.txt", "b");
    program_remove(program, "certs/other.txt");
    program_put(program, "policy.yaml", POLICY);
    program_write(program, "policy.yaml", POLICY);
    program_put(program, "objects/plain.yaml", PLAIN("stdio"));
    assert_int_equal(
        program_shell(program, "touch $FOLDER/objects/* $FOLDER/certs/*", output, sizeof(output)),
        0);
    /* Something that does change shows that the program has looked since. */
    program_put(program, "objects/other.yaml", PLAIN("stdio"));
    program_wait_for_log(program, "\"objects.remark\"", 1);
    program_wait_for_log(program, "\"source.reloaded\"", 1);
    assert_int_equal(program_count_log(program, "\"source.reloaded\""), 1);
    assert_int_equal(program_count_log(program, "\"source\":\"objects\",\"content\":\"new\""), 1);
    assert_int_equal(program_count_log(program, "\"certificate.caution\""), 0);
    assert_int_equal(program_metric(program, "capstan_config_reloads_total{result=\"ok\"}"), 0);
    /* Somebody who asks gets an answer. */
    program_signal(program, SIGHUP);
    program_wait_for_log(program, "\"content\":\"the same as before\"", 3);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_reload__takes_up_a_policy_replaced_by_a_rename),
        FRESH(test_reload__takes_up_a_policy_written_in_place),
        FRESH(test_reload__takes_up_a_policy_swapped_by_the_kubelet),
        FRESH(test_reload__passes_over_links_that_lead_nowhere),
        FRESH(test_reload__keeps_the_last_good_policy_when_one_is_refused),
        FRESH(test_reload__logs_a_refusal_once),
        FRESH(test_reload__keeps_the_policy_when_its_file_goes),
        FRESH(test_reload__reads_the_policy_again_on_sighup),
        FRESH(test_reload__survives_sighup_without_a_policy),
        FRESH(test_reload__takes_up_objects_that_come_change_and_go),
        FRESH(test_reload__takes_up_a_folder_that_comes_and_goes),
        FRESH(test_reload__takes_up_a_list_with_other_kinds_in_it),
        FRESH(test_reload__keeps_all_objects_when_one_file_is_broken),
        FRESH(test_reload__takes_up_many_changes_in_a_row),
        FRESH(test_reload__says_nothing_where_nothing_changes),
    };
    return cmocka_run_group_tests_name("wire/reload", tests, NULL, NULL);
}
