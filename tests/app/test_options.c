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

#include "base/memory.h"
#include "exit_status.h"
#include "options.h"

enum { ARGUMENTS_MAX = 8, OUTPUT_MAX = 4096 };

struct target {
    bool is_quick;
    const char *config;
    struct option_texts objects;
    int64_t delay_ms;
    int64_t workers;
};

static const struct option all[] = {
    {"quick", NULL, "be quick", OPTION_SWITCH, offsetof(struct target, is_quick), 'q'},
    {"config", "FILE", "the policy", OPTION_TEXT, offsetof(struct target, config), 'c'},
    {"objects", "PATH", "objects; may be given again", OPTION_TEXTS,
     offsetof(struct target, objects), 0},
    {"shutdown-delay", "DURATION", "wait so long (default 10s)", OPTION_DURATION,
     offsetof(struct target, delay_ms), 0},
    {"a-name-that-is-longer-than-its-column", "N", "how many", OPTION_COUNT,
     offsetof(struct target, workers), 0},
};

static const struct option_table table = {
    .usage = "capstan do [option]...",
    .summary = "Does it.",
    .options = all,
    .n_options = COUNT_OF(all),
};

#define WORKERS "--a-name-that-is-longer-than-its-column"

static const struct target defaults = {.config = "default", .delay_ms = 10000, .workers = 4};

/* The arguments end at the first NULL. */
static int count(char *const *arguments) {
    int n = 0;
    while (n < ARGUMENTS_MAX && arguments[n] != NULL) {
        n++;
    }
    return n;
}

static void read_good(char **arguments, struct target *ret_target) {
    struct error error = {.text = ""};
    *ret_target = defaults;
    if (options_parse(&table, count(arguments), arguments, ret_target, &error) != OPTIONS_READ) {
        fail_msg("%s", error.text);
    }
}

static void test_options__without_arguments_leave_the_defaults(void **state) {
    (void)state;
    struct target target;
    read_good((char *[]){NULL}, &target);
    assert_false(target.is_quick);
    assert_string_equal(target.config, "default");
    assert_int_equal(target.objects.n_items, 0);
    assert_int_equal(target.delay_ms, 10000);
    assert_int_equal(target.workers, 4);
}

static void test_options__take_their_value_with_a_space_or_an_equals_sign(void **state) {
    (void)state;
    struct target target;
    read_good(
        (char *[]){"--quick", "--config", "a", "--shutdown-delay", "1m30s", WORKERS, "1024", NULL},
        &target);
    assert_true(target.is_quick);
    assert_string_equal(target.config, "a");
    assert_int_equal(target.delay_ms, 90000);
    assert_int_equal(target.workers, 1024);
    read_good((char *[]){"--config=a=b", "--shutdown-delay=0", WORKERS "=1", NULL}, &target);
    assert_false(target.is_quick);
    assert_string_equal(target.config, "a=b");
    assert_int_equal(target.delay_ms, 0);
    assert_int_equal(target.workers, 1);
}

static void test_options__take_any_text_but_none_as_a_value(void **state) {
    (void)state;
    static char *const values[] = {"-", "--quick", "-h", "--help", "a b", "\xff"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct target target;
        read_good((char *[]){"--config", values[i], NULL}, &target);
        assert_string_equal(target.config, values[i]);
        assert_false(target.is_quick);
    }
}

static void test_options__a_letter_takes_its_value_as_kubectl_has_it(void **state) {
    (void)state;
    static char *const rows[][3] = {{"-c", "a=b", NULL}, {"-ca=b", NULL}, {"-c=a=b", NULL}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct target target;
        read_good((char **)rows[i], &target);
        assert_string_equal(target.config, "a=b");
        assert_false(target.is_quick);
    }
    struct target target;
    read_good((char *[]){"-q", "-c-", NULL}, &target);
    assert_string_equal(target.config, "-");
    assert_true(target.is_quick);
}

static void test_options__refuse_an_empty_value(void **state) {
    (void)state;
    static char *const empty[][3] = {
        {"--config=", NULL}, {"--config", "", NULL}, {"--objects=", NULL}};
    for (size_t i = 0; i < COUNT_OF(empty); i++) {
        struct target target = defaults;
        struct error error;
        assert_int_equal(options_parse(&table, count(empty[i]), (char **)empty[i], &target, &error),
                         OPTIONS_WRONG);
        assert_non_null(strstr(error.text, "must not be empty"));
        option_texts_fini(&target.objects);
    }
}

/* Go's flags allow this, and admins know them. */
static void test_options__a_switch_may_say_true_or_false(void **state) {
    (void)state;
    struct target target;
    read_good((char *[]){"--quick=true", NULL}, &target);
    assert_true(target.is_quick);
    read_good((char *[]){"--quick", "--quick=false", NULL}, &target);
    assert_false(target.is_quick);
}

static void test_options__the_last_of_two_counts_but_lists_have_both(void **state) {
    (void)state;
    struct target target;
    read_good((char *[]){"--config", "a", "--objects", "x", "--config=b", "--objects=y", NULL},
              &target);
    assert_string_equal(target.config, "b");
    assert_int_equal(target.objects.n_items, 2);
    assert_string_equal(target.objects.items[0], "x");
    assert_string_equal(target.objects.items[1], "y");
    option_texts_fini(&target.objects);
    assert_int_equal(target.objects.n_items, 0);
    assert_null(target.objects.items);
    option_texts_fini(&target.objects);
}

static void test_options__refuse_what_they_do_not_know(void **state) {
    (void)state;
    static const struct {
        char *arguments[ARGUMENTS_MAX];
        const char *expected;
    } rows[] = {
        {{"config"}, "'config' is not an option; see --help"},
        {{"-x"}, "'-x' is not an option; see --help"},
        {{"-"}, "'-' is not an option; see --help"},
        {{"-qc"}, "'-qc' is not an option; see --help"},
        {{"-q="}, "'-q=' is not an option; see --help"},
        {{"-c"}, "--config needs a value: FILE"},
        {{"-c="}, "--config must not be empty"},
        {{""}, "'' is not an option; see --help"},
        {{"--quick", "x"}, "'x' is not an option; see --help"},
        {{"--"}, "unknown option '--'; see --help"},
        {{"--=x"}, "unknown option '--'; see --help"},
        {{"--configs"}, "unknown option '--configs'; see --help"},
        {{"--confi=x"}, "unknown option '--confi'; see --help"},
        {{"--Config", "x"}, "unknown option '--Config'; see --help"},
        {{"--config"}, "--config needs a value: FILE"},
        {{"--quick", "--objects"}, "--objects needs a value: PATH"},
        {{"--quick=True"}, "--quick is true or false, not 'True'"},
        {{"--quick="}, "--quick is true or false, not ''"},
        {{"--shutdown-delay", "10"},
         "--shutdown-delay: '10' is not a duration such as 10s or 1m30s (at most 24h)"},
        {{"--shutdown-delay="}, "--shutdown-delay: '' is not a duration"},
        {{"--shutdown-delay", "24h1ms"}, "--shutdown-delay: '24h1ms' is not a duration"},
        {{WORKERS, "0"}, WORKERS ": '0' is not an integer from 1 to 1024"},
        {{WORKERS, "1025"}, WORKERS ": '1025' is not an integer from 1 to 1024"},
        {{WORKERS, "-1"}, WORKERS ": '-1' is not an integer from 1 to 1024"},
        {{WORKERS, "2x"}, WORKERS ": '2x' is not an integer from 1 to 1024"},
        {{WORKERS "="}, WORKERS ": '' is not an integer from 1 to 1024"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *arguments[ARGUMENTS_MAX];
        struct target target = defaults;
        struct error error = {.text = ""};
        memcpy(arguments, rows[i].arguments, sizeof(arguments));
        enum option_result result =
            options_parse(&table, count(arguments), arguments, &target, &error);
        if (result != OPTIONS_WRONG || error.kind != ERROR_INVALID ||
            strncmp(error.text, rows[i].expected, strlen(rows[i].expected)) != 0) {
            fail_msg("%s: %s", rows[i].expected, error.text);
        }
        assert_int_equal(target.delay_ms, 10000);
        assert_int_equal(target.workers, 4);
    }
}

static void test_options__errors_about_very_long_arguments_are_cut(void **state) {
    (void)state;
    static const char *const beginnings[] = {"--", "", "--shutdown-delay="};
    for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
        AUTO_FREE char *argument = memory_new(100001, 1);
        struct target target = defaults;
        struct error error = {.text = ""};
        memset(argument, 'x', 100000);
        memcpy(argument, beginnings[i], strlen(beginnings[i]));
        assert_int_equal(options_parse(&table, 1, (char *[]){argument}, &target, &error),
                         OPTIONS_WRONG);
        assert_in_range(strlen(error.text), 20, sizeof(error.text) - 1);
    }
}

static void test_options__help_is_asked_for_in_two_ways(void **state) {
    (void)state;
    static const struct {
        char *arguments[ARGUMENTS_MAX];
    } rows[] = {
        {{"--help"}},
        {{"-h"}},
        {{"--quick", "--help"}},
        {{"--help", "--unknown"}},
        {{"--config", "x", "-h"}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *arguments[ARGUMENTS_MAX];
        struct target target = defaults;
        struct error error;
        memcpy(arguments, rows[i].arguments, sizeof(arguments));
        assert_int_equal(options_parse(&table, count(arguments), arguments, &target, &error),
                         OPTIONS_HELP);
    }
}

static const char expected_help[] =
    "Usage: capstan do [option]...\n"
    "\n"
    "Does it.\n"
    "\n"
    "Options:\n"
    "  -q, --quick                     be quick\n"
    "  -c, --config FILE               the policy\n"
    "  --objects PATH                  objects; may be given again\n"
    "  --shutdown-delay DURATION       wait so long (default 10s)\n"
    "  --a-name-that-is-longer-than-its-column N\n"
    "                                  how many\n"
    "  -h, --help                      show this help\n";

/* Free with free(). */
static char *print_help(const struct option_table *printed) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    options_print_help(printed, out);
    fclose(out);
    return text;
}

static void test_options__the_help_is_made_of_the_table(void **state) {
    (void)state;
    AUTO_FREE char *text = print_help(&table);
    assert_string_equal(text, expected_help);
    struct option_table longer = table;
    longer.epilogue = "And that is all.";
    AUTO_FREE char *longer_text = print_help(&longer);
    assert_memory_equal(longer_text, expected_help, strlen(expected_help));
    assert_string_equal(longer_text + strlen(expected_help), "\nAnd that is all.\n");
}

/* The output on stdout and stderr of a command that begins with these arguments. */
static bool begin(char **arguments, int *ret_status, char output[OUTPUT_MAX]) {
    struct target target = defaults;
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    fflush(stderr);
    int out = dup(STDOUT_FILENO);
    int err = dup(STDERR_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    bool goes_on = options_begin(&table, count(arguments), arguments, &target, ret_status);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    rewind(file);
    output[fread(output, 1, OUTPUT_MAX - 1, file)] = '\0';
    fclose(file);
    return goes_on;
}

static void test_options__a_command_goes_on_or_ends_with_a_status(void **state) {
    (void)state;
    char output[OUTPUT_MAX];
    int status = -1;
    assert_true(begin((char *[]){"--quick", NULL}, &status, output));
    assert_int_equal(status, -1);
    assert_string_equal(output, "");
    assert_false(begin((char *[]){"--help", NULL}, &status, output));
    assert_int_equal(status, STATUS_OK);
    assert_string_equal(output, expected_help);
    assert_false(begin((char *[]){"--quack", NULL}, &status, output));
    assert_int_equal(status, STATUS_USAGE);
    assert_string_equal(output, "capstan: unknown option '--quack'; see --help\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options__without_arguments_leave_the_defaults),
        cmocka_unit_test(test_options__take_their_value_with_a_space_or_an_equals_sign),
        cmocka_unit_test(test_options__take_any_text_but_none_as_a_value),
        cmocka_unit_test(test_options__a_letter_takes_its_value_as_kubectl_has_it),
        cmocka_unit_test(test_options__refuse_an_empty_value),
        cmocka_unit_test(test_options__a_switch_may_say_true_or_false),
        cmocka_unit_test(test_options__the_last_of_two_counts_but_lists_have_both),
        cmocka_unit_test(test_options__refuse_what_they_do_not_know),
        cmocka_unit_test(test_options__errors_about_very_long_arguments_are_cut),
        cmocka_unit_test(test_options__help_is_asked_for_in_two_ways),
        cmocka_unit_test(test_options__the_help_is_made_of_the_table),
        cmocka_unit_test(test_options__a_command_goes_on_or_ends_with_a_status),
    };
    return cmocka_run_group_tests_name("app/options", tests, NULL, NULL);
}
