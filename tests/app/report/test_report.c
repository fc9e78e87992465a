// SPDX-License-Identifier: Apache-2.0

/*
 * Compares every form of a report with its golden file. tests/app/report/golden/README.md tells how
 * to make the files again.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/file.h"
#include "report_fixtures.h"

enum { PATH_SIZE = 4096, GOLDEN_MAX = 1 << 20, GOLDEN_MODE = 0644 };

/* Only the text form has colours. */
static bool has_golden(const struct scenario *scenario, const struct report_form *form) {
    return !scenario->is_coloured || strcmp(form->name, "text") == 0;
}

/* A golden SARIF file lists the rules, and so would change with each new one. Each rule that it has
   must stand in the report; then both lists and the indices into them are cut out. */
static void cut_rules(char *text, const char *other) {
    char *begin = strstr(text, "\"rules\":[");
    char *end = begin == NULL ? NULL : strstr(begin, "]}},\"columnKind\"");
    if (end == NULL) {
        return;
    }
    for (char *rule = strstr(begin, "{\"id\""); rule != NULL && rule < end;) {
        char *next = strstr(rule + 1, ",{\"id\"");
        char *stop = next != NULL && next < end ? next : end;
        char kept = *stop;
        *stop = '\0';
        assert_true(other == NULL || strstr(other, rule) != NULL);
        *stop = kept;
        rule = stop == end ? NULL : stop + 1;
    }
    memmove(begin, end, strlen(end) + 1);
    for (char *at = text; (at = strstr(at, "\"ruleIndex\":")) != NULL; at++) {
        char *digits = at + strlen("\"ruleIndex\":");
        memmove(digits, digits + strspn(digits, "0123456789"),
                strlen(digits + strspn(digits, "0123456789")) + 1);
    }
}

static void check_golden(const struct scenario *scenario, const struct report_form *form) {
    char path[PATH_SIZE];
    size_t size;
    struct error error;
    AUTO_FREE char *actual = render(form, scenario, &size);
    AUTO(buffer_fini) struct buffer expected;
    buffer_init(&expected, GOLDEN_MAX);
    snprintf(path, sizeof(path), "%s/app/report/golden/%s.%s", getenv("CAPSTAN_TESTS"),
             scenario->name, form->name);
    if (getenv("REPORT_UPDATE") != NULL) {
        assert_true(file_write(path, actual, size, GOLDEN_MODE, &error));
        return;
    }
    if (!file_read(path, &expected, &error)) {
        fail_msg("%s", error.text);
    }
    char *golden = expected.bytes;
    if (strcmp(form->name, "sarif") == 0) {
        golden = (char *)buffer_text(&expected);
        cut_rules(golden, actual);
        cut_rules(actual, NULL);
        expected.size = strlen(golden);
        size = strlen(actual);
    }
    if (expected.size != size || (size > 0 && memcmp(golden, actual, size) != 0)) {
        fail_msg("%s differs; the report is:\n%s", path, actual);
    }
}

static void test_report__is_as_the_golden_files_have_it(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        for (size_t form = 0; report_forms[form] != NULL; form++) {
            if (has_golden(&scenarios[i], report_forms[form])) {
                check_golden(&scenarios[i], report_forms[form]);
            }
        }
    }
}

static void test_report__forms_are_found_by_their_names(void **state) {
    (void)state;
    static const char *const names[] = {"text",   "json",  "yaml", "patch",
                                        "github", "sarif", "junit"};
    static const char *const strangers[] = {"", "tex", "textual", "JSON", "yml"};
    size_t n_forms = 0;
    for (; report_forms[n_forms] != NULL; n_forms++) {
        assert_true(report_forms[n_forms]->help[0] != '\0');
    }
    assert_int_equal(n_forms, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct report_form *form = report_find_form(names[i]);
        assert_ptr_equal(form, report_forms[i]);
        assert_string_equal(form->name, names[i]);
    }
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        assert_null(report_find_form(strangers[i]));
    }
}

struct finding_row {
    const char *name;
    const struct decision *decision;
    struct report_finding expected[REPORT_FINDINGS_MAX];
};

/* A decision holds at most three warnings. The fourth rule that warns has only its note. */
static const struct decision decision_full = {
    .warnings = {"stdio-cap: a", "stdio-cap: b", "replica-passthrough: c"},
    .n_warnings = 3,
    .actions = {ACTION_WARN, ACTION_WARN, ACTION_WARN, ACTION_NONE},
    .steps = {[STEP_STDIO_CAP].note = "a",
              [STEP_STDIO_CAP_SURGE].note = "b",
              [STEP_REPLICA_PASSTHROUGH].note = "c",
              [STEP_GRACE_PERIOD].note = "d"},
};

/* A warning belongs to a rule only if it begins with the rule's whole name. */
static const struct decision decision_prefix = {
    .patch = {.has = {[PATCH_REPLICAS] = true}},
    .warnings = {"stdio-capital: a", "stdio-cap b"},
    .n_warnings = 2,
    .actions = {[RULE_STDIO_CAP] = ACTION_PATCH},
    .steps = {[STEP_STDIO_CAP].note = "c"},
};

static const struct finding_row finding_rows[] = {
    {"nothing", &decision_allowed, {{.rule = NULL}}},
    {"a change with a warning, and one without",
     &decision_capped,
     {{"stdio-cap", REPORT_WARNING, true, "replicas 1, not 3; " CAP_WARNING},
      {"grace-period", REPORT_NOTE, true, "terminationGracePeriodSeconds 30"}}},
    {"a warning", &decision_warned, {{"session-storage", REPORT_WARNING, false, SHARE_TEXT}}},
    {"a denial", &decision_denied, {{"stdio-cap", REPORT_ERROR, false, CAP_REFUSAL}}},
    {"a denial takes back a change",
     &decision_denied_late,
     {{"stdio-cap", REPORT_WARNING, false, "replicas 1, not 3; " CAP_WARNING},
      {"session-storage", REPORT_ERROR, false,
       "3 replicas need sessionStorage.provider redis to share sessions"}}},
    {"unresolved", &decision_unresolved, {{"unresolved", REPORT_WARNING, false, UNKNOWN_TEXT}}},
    {"unresolved is an error",
     &decision_failing,
     {{"unresolved", REPORT_ERROR, false, UNKNOWN_TEXT}}},
    {"a warning for which there was no room",
     &decision_full,
     {{"stdio-cap", REPORT_WARNING, false, "a; b"},
      {"replica-passthrough", REPORT_WARNING, false, "c"},
      {"grace-period", REPORT_WARNING, false, "d"}}},
    {"another's warnings", &decision_prefix, {{"stdio-cap", REPORT_NOTE, true, "c"}}},
};

static void test_report_findings__are_what_the_rules_did(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(finding_rows); i++) {
        const struct finding_row *row = &finding_rows[i];
        struct report_finding actual[REPORT_FINDINGS_MAX];
        size_t n = report_findings(row->decision, actual);
        size_t n_expected = 0;
        while (n_expected < REPORT_FINDINGS_MAX && row->expected[n_expected].rule != NULL) {
            n_expected++;
        }
        print_message("%s\n", row->name);
        assert_int_equal(n, n_expected);
        for (size_t j = 0; j < n; j++) {
            assert_string_equal(actual[j].rule, row->expected[j].rule);
            assert_int_equal(actual[j].level, row->expected[j].level);
            assert_int_equal(actual[j].is_change, row->expected[j].is_change);
            assert_string_equal(actual[j].text, row->expected[j].text);
        }
    }
}

/* The report alone writes escape sequences, and only if asked to. Each colour ends on its
   own line. */
static void test_report_text__colours_only_where_it_is_asked_to(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        AUTO_FREE char *text = render_form("text", &scenarios[i]);
        assert_int_equal(strchr(text, '\033') != NULL, scenarios[i].is_coloured);
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            int depth = 0;
            for (const char *at = strchr(line, '\033'); at != NULL; at = strchr(at + 1, '\033')) {
                depth += strncmp(at, "\033[0m", 4) == 0 ? -1 : 1;
                assert_in_range(depth, 0, 1);
            }
            assert_int_equal(depth, 0);
        }
    }
}

/* GitHub takes any line that begins with :: for a command. */
static void test_report_github__has_no_commands_of_others(void **state) {
    (void)state;
    AUTO_FREE char *text = render_form("github", &scenarios[COUNT_OF(scenarios) - 1]);
    size_t n_commands = 0;
    size_t n_lines = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        bool is_ours = strncmp(line, "::error file=", 13) == 0 ||
                       strncmp(line, "::warning file=", 15) == 0 ||
                       strncmp(line, "::notice file=", 14) == 0;
        n_commands += is_ours;
        n_lines++;
    }
    assert_int_equal(n_commands, 3);
    assert_int_equal(n_lines, 4);
}

/* The same finding at another place or with other counts is the same alert. Another finding
   is not. */
static void test_report_sarif__fingerprints_are_of_the_rule_and_the_object(void **state) {
    (void)state;
    static const struct report_item items[] = {
        {"a.yaml", 1, 1, A_SERVER, &decision_warned, SAME(SERVER)},
        {"b.yaml", 9, 4, A_SERVER, &decision_warned, SAME(SERVER)},
        {"a.yaml", 1, 1, A_DEPLOYMENT, &decision_warned, SAME(SERVER)},
        {"a.yaml", 1, 1, A_SERVER, &decision_denied, SAME(SERVER)},
        {"a.yaml", 1, 1, "v1", "MCPServer", "default/", "github", "CREATE", &decision_warned,
         SAME(SERVER), NULL, NULL},
        {.path = NULL},
    };
    enum { N = COUNT_OF(items) - 1, DIGITS = 16 };
    const struct scenario scenario = {.items = items};
    AUTO_FREE char *text = render_form("sarif", &scenario);
    static const char key[] = "\"capstan/v1\":\"";
    const char *marks[N];
    const char *at = text;
    for (size_t i = 0; i < N; i++) {
        at = strstr(at, key);
        assert_non_null(at);
        at += sizeof(key) - 1;
        marks[i] = at;
        assert_int_equal(strspn(at, "0123456789abcdef"), DIGITS);
    }
    assert_memory_equal(marks[0], marks[1], DIGITS);
    for (size_t i = 2; i < N; i++) {
        assert_memory_not_equal(marks[0], marks[i], DIGITS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report__is_as_the_golden_files_have_it),
        cmocka_unit_test(test_report__forms_are_found_by_their_names),
        cmocka_unit_test(test_report_findings__are_what_the_rules_did),
        cmocka_unit_test(test_report_text__colours_only_where_it_is_asked_to),
        cmocka_unit_test(test_report_github__has_no_commands_of_others),
        cmocka_unit_test(test_report_sarif__fingerprints_are_of_the_rule_and_the_object),
    };
    return cmocka_run_group_tests_name("app/report", tests, NULL, NULL);
}
