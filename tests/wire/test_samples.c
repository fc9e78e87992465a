// SPDX-License-Identifier: Apache-2.0

/*
 * The twelve AdmissionReviews of a real kube-apiserver, over TLS. The verdicts come from the
 * decision table, by hand; "row" means its rows.
 *
 * The facts: github is stdio with spec.replicas 1 (generation 2), plain is stdio without
 * spec.replicas, weather is sse without it, search is streamable-http with 3 and redis. There are
 * also the Deployments of github and weather, for the Scales. Every Deployment has
 * terminationGracePeriodSeconds 30, so rows 9 and 10 change nothing in any of them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "wire.h"

struct sample_row {
    const char *sample;
    const char *uid;
    const char *patch;
    const char *warned;
    const char *audited;
};

static const struct sample_row rows[] = {
    /* Rows 1 and 2: stdio asks for 3, without redis. It is admitted unchanged, with a warning of
       each rule. */
    {"01-MCPServer-CREATE-github", "4912ced4-3c55-4d61-95ca-c6210824597e", "",
     "stdio-cap,session-storage", "stdio-cap,session-storage"},
    /* Row 2 alone: sse may have 2, but the two share no sessions. */
    {"02-MCPServer-CREATE-weather", "62e34b7b-f6cf-4d78-b8eb-adfa0b3faca3", "", "session-storage",
     "session-storage"},
    /* streamable-http may have 3 with redis, so no rule acts. */
    {"03-MCPServer-CREATE-search", "ee109498-d69e-4348-a525-3f8a1387de80", "", "", ""},
    /* From 3 to 1: the server now keeps every rule. */
    {"04-MCPServer-UPDATE-github", "6bcdac16-3dd7-46f1-8527-17b34853721e", "", "", ""},
    /* Row 3: spec.replicas is set (now to 1, within the cap), so the new Deployment gets this
       count. The rule is replica-passthrough, which does not warn. */
    {"05-Deployment-CREATE-github", "e0191840-b7d2-40da-9a45-6a8c4af70889", PATCH_REPLICAS_TO_1, "",
     "replica-passthrough"},
    /* Row 4: spec.replicas is nil, so the creator of the Deployment chooses the count. */
    {"06-Deployment-CREATE-weather", "d150334e-36f2-4f26-b39b-77c65c64e81d", "", "", ""},
    /* Row 4 leaves the count, and row 5 caps it: stdio with 3, and row 3 has not decided. */
    {"07-Deployment-CREATE-plain", "aed2a1e1-f69f-41c9-9565-e6507264583c", PATCH_REPLICAS_TO_1,
     "stdio-cap", "stdio-cap"},
    /* It has no owner, but the name and the selector of an MCPServer's Deployment: for the cap. */
    {"08-Deployment-CREATE-foreign", "5cf5efad-4577-4033-80d5-25e781b2f261", PATCH_REPLICAS_TO_1,
     "stdio-cap", "stdio-cap"},
    /* Row 6: a scale of stdio to 5. */
    {"09-Scale-UPDATE-github", "9911038e-11c8-4629-ad7a-7de4e97d837f", PATCH_REPLICAS_TO_1,
     "stdio-cap", "stdio-cap"},
    /* Row 11: an absent count in a Scale is 0. */
    {"10-Scale-UPDATE-weather", "85da4f0d-e701-4b7d-b768-057bce304c31", "", "", ""},
    /* Row 5: an update of stdio from 5 to 4. Row 3 concerns only a create. */
    {"11-Deployment-UPDATE-github", "0b624e0d-c13e-4a53-b4bd-1cdabb83f873", PATCH_REPLICAS_TO_1,
     "stdio-cap", "stdio-cap"},
    /* Row 8: a restart by an admin; sse keeps its 5. */
    {"12-Deployment-UPDATE-weather", "e75c7e94-285b-4be3-a2bc-7fece3f28a00", "", "", ""},
};

static void assert_row(const struct program *program, const struct sample_row *row) {
    struct verdict verdict;
    wire_ask_sample(program, row->sample, &verdict);
    wire_assert(&verdict, row->sample, row->patch, row->warned);
    assert_string_equal(verdict.uid, row->uid);
    assert_string_equal(verdict.audited, row->audited);
}

#define SAMPLE_TEST(name, index)                                                                   \
    static void test_samples__##name(void **state) {                                               \
        assert_row(*state, &rows[index]);                                                          \
    }

SAMPLE_TEST(warns_of_an_mcpserver_over_the_cap_and_without_redis, 0)
SAMPLE_TEST(warns_of_two_replicas_without_redis, 1)
SAMPLE_TEST(is_silent_about_three_replicas_with_redis, 2)
SAMPLE_TEST(is_silent_about_a_return_to_one, 3)
SAMPLE_TEST(gives_a_new_deployment_the_replicas_of_the_spec, 4)
SAMPLE_TEST(leaves_a_new_deployment_alone_where_the_spec_says_nothing, 5)
SAMPLE_TEST(caps_a_new_deployment_of_stdio_where_the_spec_says_nothing, 6)
SAMPLE_TEST(caps_a_deployment_with_a_forged_selector, 7)
SAMPLE_TEST(caps_a_scale_of_stdio, 8)
SAMPLE_TEST(leaves_a_scale_to_zero_alone, 9)
SAMPLE_TEST(caps_an_update_of_a_stdio_deployment, 10)
SAMPLE_TEST(leaves_an_update_of_an_sse_deployment_alone, 11)

/* Row 6: the Scale itself names the MCPServer. */
static void test_samples__needs_no_deployment_to_cap_a_scale(void **state) {
    (void)state;
    struct program program;
    struct verdict verdict;
    program_init(&program);
    program_put_sample(&program, "mcpservers-live.json");
    program_start(&program);
    wire_ask_sample(&program, "09-Scale-UPDATE-github", &verdict);
    wire_assert(&verdict, "to 5", PATCH_REPLICAS_TO_1, "stdio-cap");
    wire_ask_sample(&program, "10-Scale-UPDATE-weather", &verdict);
    wire_assert(&verdict, "to 0", "", "");
    assert_int_equal(program_metric(&program, "capstan_admission_unresolved_total"), 0);
    assert_int_equal(program_stop(&program), 0);
    program_fini(&program);
}

/* The bytes of sample 12 as they came. The figures are measured with them. */
static void test_samples__answers_the_bytes_of_a_real_request(void **state) {
    struct verdict verdict;
    wire_ask_sample(*state, "raw-Deployment-UPDATE-16k", &verdict);
    wire_assert(&verdict, "raw", "", "");
    assert_string_equal(verdict.uid, "e75c7e94-285b-4be3-a2bc-7fece3f28a00");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples__warns_of_an_mcpserver_over_the_cap_and_without_redis),
        cmocka_unit_test(test_samples__warns_of_two_replicas_without_redis),
        cmocka_unit_test(test_samples__is_silent_about_three_replicas_with_redis),
        cmocka_unit_test(test_samples__is_silent_about_a_return_to_one),
        cmocka_unit_test(test_samples__gives_a_new_deployment_the_replicas_of_the_spec),
        cmocka_unit_test(test_samples__leaves_a_new_deployment_alone_where_the_spec_says_nothing),
        cmocka_unit_test(test_samples__caps_a_new_deployment_of_stdio_where_the_spec_says_nothing),
        cmocka_unit_test(test_samples__caps_a_deployment_with_a_forged_selector),
        cmocka_unit_test(test_samples__caps_a_scale_of_stdio),
        cmocka_unit_test(test_samples__leaves_a_scale_to_zero_alone),
        cmocka_unit_test(test_samples__caps_an_update_of_a_stdio_deployment),
        cmocka_unit_test(test_samples__leaves_an_update_of_an_sse_deployment_alone),
        cmocka_unit_test(test_samples__needs_no_deployment_to_cap_a_scale),
        cmocka_unit_test(test_samples__answers_the_bytes_of_a_real_request),
    };
    return cmocka_run_group_tests_name("wire/samples", tests, program_setup, program_teardown);
}
