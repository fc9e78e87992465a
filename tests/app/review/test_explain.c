// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "commands.h"
#include "core/admission/decide.h"
#include "exit_status.h"
#include "report/rule_text.h"

enum { OUTPUT_MAX = 8192, ARGUMENTS_MAX = 3, LINE_WIDTH = 80 };

/* The output of the command on stdout and stderr. */
static int explain(char **arguments, char output[OUTPUT_MAX]) {
    int argc = 0;
    while (argc < ARGUMENTS_MAX && arguments[argc] != NULL) {
        argc++;
    }
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    fflush(stderr);
    int out = dup(STDOUT_FILENO);
    int err = dup(STDERR_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    int status = explain_command(argc, arguments);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    rewind(file);
    output[fread(output, 1, OUTPUT_MAX - 1, file)] = '\0';
    fclose(file);
    return status;
}

static void assert_contains(const char *output, const char *expected) {
    if (strstr(output, expected) == NULL) {
        fail_msg("'%s' is not in:\n%s", expected, output);
    }
}

static void assert_fits(const char *output) {
    for (const char *line = output; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        if (size > LINE_WIDTH || (size > 0 && line[size - 1] == ' ')) {
            fail_msg("too long, or a space at the end: %.*s", (int)size, line);
        }
        line += size + (line[size] == '\n');
    }
}

static void test_explain__lists_the_rules(void **state) {
    (void)state;
    char output[OUTPUT_MAX];
    assert_int_equal(explain((char *[]){NULL}, output), STATUS_OK);
    for (size_t i = 0; i < RULE_TEXT_COUNT; i++) {
        assert_contains(output, rule_texts[i].id);
    }
    assert_fits(output);
}

static void test_explain__tells_of_each_rule(void **state) {
    (void)state;
    for (size_t i = 0; i < RULE_TEXT_COUNT; i++) {
        char output[OUTPUT_MAX];
        char id[64];
        snprintf(id, sizeof(id), "%s", rule_texts[i].id);
        assert_int_equal(explain((char *[]){id, NULL}, output), STATUS_OK);
        assert_int_equal(strncmp(output, id, strlen(id)), 0);
        assert_contains(output, rule_texts[i].setting);
        for (int kind = OBJECT_OTHER + 1; i < RULE_COUNT && kind < OBJECT_KIND_COUNT; kind++) {
            const char *kinds = strstr(output, "\nKinds: ");
            assert_non_null(kinds);
            char line[OUTPUT_MAX];
            char wanted[80];
            snprintf(line, sizeof(line), "%.*s,", (int)strcspn(kinds + 1, "\n"), kinds + 1);
            snprintf(wanted, sizeof(wanted), " %s,", kind_rows[kind].kind);
            bool is_there = strstr(line, wanted) != NULL;
            assert_int_equal(is_there, rule_is_about((enum rule_id)i, (enum object_kind)kind));
        }
        const struct rule_page *page = rule_texts[i].page;
        if (page->description != NULL) {
            assert_contains(output, "\nRows of the decision table:\n");
            assert_contains(output, "\nExample:\n");
        }
        for (const struct rule_line *mode = page->modes; mode->head != NULL; mode++) {
            char head[64];
            snprintf(head, sizeof(head), "\n  %s ", mode->head);
            assert_contains(output, head);
        }
        assert_fits(output);
    }
}

static void test_explain__refuses_what_it_does_not_know(void **state) {
    (void)state;
    static const struct {
        char *arguments[ARGUMENTS_MAX];
        const char *expected;
    } rows[] = {
        {{"stdio"}, "capstan: unknown rule 'stdio'; there are stdio-cap, replica-passthrough, "},
        {{""}, "capstan: unknown rule ''; there are "},
        {{"stdio-cap\n"}, "capstan: unknown rule 'stdio-cap?'; there are "},
        {{"stdio-cap", "grace-period"}, "capstan: 'grace-period' is not an option; see --help\n"},
        {{"--all"}, "capstan: unknown option '--all'; see --help\n"},
        {{"-x"}, "capstan: '-x' is not an option; see --help\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char output[OUTPUT_MAX];
        char *arguments[ARGUMENTS_MAX];
        memcpy(arguments, rows[i].arguments, sizeof(arguments));
        assert_int_equal(explain(arguments, output), STATUS_USAGE);
        if (strncmp(output, rows[i].expected, strlen(rows[i].expected)) != 0 ||
            strchr(output, '\n') != output + strlen(output) - 1) {
            fail_msg("expected '%s', but '%s'", rows[i].expected, output);
        }
    }
}

static void test_explain__has_a_help(void **state) {
    (void)state;
    static const struct {
        char *arguments[ARGUMENTS_MAX];
    } rows[] = {{{"--help"}}, {{"-h"}}, {{"stdio-cap", "--help"}}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char output[OUTPUT_MAX];
        char *arguments[ARGUMENTS_MAX];
        memcpy(arguments, rows[i].arguments, sizeof(arguments));
        assert_int_equal(explain(arguments, output), STATUS_OK);
        assert_contains(output, "Usage: capstan explain [RULE]\n");
    }
}

static void test_rule_text__there_is_one_for_each_rule(void **state) {
    (void)state;
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        assert_string_equal(rule_texts[rule].id, rule_name((enum rule_id)rule));
        assert_ptr_equal(rule_text_find(rule_texts[rule].id), &rule_texts[rule]);
    }
    assert_string_equal(rule_texts[RULE_COUNT].id, "unresolved");
    assert_null(rule_text_find("stdio"));
    assert_null(rule_text_find(""));
}

/* The lists of modes and rows need an empty one as end. Braces and brackets mean something in
   SARIF. */
static void test_rule_text__is_whole_and_plain(void **state) {
    (void)state;
    for (size_t i = 0; i < RULE_TEXT_COUNT; i++) {
        const struct rule_page *page = rule_texts[i].page;
        bool has_page = page->description != NULL;
        const char *const texts[] = {rule_texts[i].summary, page->description, page->example};
        assert_null(page->modes[RULE_TEXT_LINES_MAX - 1].head);
        assert_null(page->rows[RULE_TEXT_LINES_MAX - 1].head);
        assert_int_equal(page->modes[0].head != NULL, has_page);
        assert_int_equal(page->rows[0].head != NULL, has_page);
        for (size_t j = 0; j < (has_page ? COUNT_OF(texts) : 1); j++) {
            assert_null(strpbrk(texts[j], "{}[]\n"));
            assert_int_equal(texts[j][strlen(texts[j]) - 1], '.');
        }
    }
}

/* The example must quote the real warning. */
static void assert_example_is_true(enum rule_id rule, const char *object) {
    char json[1024];
    struct review review;
    struct subject subject;
    struct decision decision;
    struct error error;
    snprintf(json, sizeof(json),
             "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{"
             "\"uid\":\"u\",\"kind\":{\"group\":\"toolhive.stacklok.dev\",\"version\":\"v1beta1\","
             "\"kind\":\"MCPServer\"},\"resource\":{\"group\":\"toolhive.stacklok.dev\","
             "\"version\":\"v1beta1\",\"resource\":\"mcpservers\"},\"operation\":\"CREATE\","
             "\"object\":%s}}",
             object);
    assert_true(review_decode(json, strlen(json), &review, &error));
    struct facts *facts = facts_new();
    subject_find(facts, &review, NULL, &subject);
    struct policy *policy = policy_default();
    decide(policy, &review, &subject, 0, &decision);
    policy_free(policy);
    facts_free(facts);
    bool is_there = false;
    for (size_t i = 0; i < decision.n_warnings; i++) {
        char quoted[DECISION_WARNING_SIZE + 2];
        snprintf(quoted, sizeof(quoted), "\"%s\"", decision.warnings[i]);
        is_there = is_there || strstr(rule_texts[rule].page->example, quoted) != NULL;
    }
    assert_true(is_there);
}

static void test_rule_text__examples_quote_the_warnings(void **state) {
    (void)state;
    assert_example_is_true(
        RULE_STDIO_CAP, "{\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\",\"kind\":\"MCPServer\","
                        "\"metadata\":{\"name\":\"github\",\"namespace\":\"default\"},"
                        "\"spec\":{\"transport\":\"stdio\",\"replicas\":3}}");
    assert_example_is_true(
        RULE_SESSION_STORAGE,
        "{\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\",\"kind\":\"MCPServer\","
        "\"metadata\":{\"name\":\"search\",\"namespace\":\"default\"},"
        "\"spec\":{\"transport\":\"streamable-http\",\"replicas\":2}}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explain__lists_the_rules),
        cmocka_unit_test(test_explain__tells_of_each_rule),
        cmocka_unit_test(test_explain__refuses_what_it_does_not_know),
        cmocka_unit_test(test_explain__has_a_help),
        cmocka_unit_test(test_rule_text__there_is_one_for_each_rule),
        cmocka_unit_test(test_rule_text__is_whole_and_plain),
        cmocka_unit_test(test_rule_text__examples_quote_the_warnings),
    };
    return cmocka_run_group_tests_name("app/explain", tests, NULL, NULL);
}
