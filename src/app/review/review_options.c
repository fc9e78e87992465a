// SPDX-License-Identifier: Apache-2.0
#include "review_options.h"

#include <stddef.h>
#include <string.h>

#define OPTION(TYPE, NAME, LETTER, ARGUMENT, MEMBER, HELP)                                         \
    { NAME, ARGUMENT, HELP, OPTION_##TYPE, offsetof(struct review_options, MEMBER), LETTER }

static const struct option review_option_list[] = {
    OPTION(TEXTS, "filename", 'f', "PATH", paths,
           "review this: a file, a folder, or - for standard input; repeatable"),
    OPTION(TEXTS, "facts", 0, "PATH", facts, "more MCPServers, not to review; repeatable"),
    OPTION(TEXT, "kubeconfig", 0, "FILE", kubeconfig, "take more MCPServers from this cluster"),
    OPTION(TEXTS, "old", 0, "PATH", old,
           "earlier states of objects, to review updates; repeatable"),
    OPTION(TEXT, "config", 0, "FILE", config, "the policy; default: every rule has its default"),
    OPTION(TEXT, "defaults", 0, "WHOSE", defaults,
           "server (default): add the defaults of the API server; or none"),
    OPTION(TEXT, "output", 'o', "FORM", output,
           "text (default), json, yaml, patch, github, sarif or junit"),
    OPTION(SWITCH, "diff", 0, NULL, has_diff, "with text: show the changes as a unified diff"),
    OPTION(SWITCH, "explain", 0, NULL, explains,
           "with text, json and junit: give the reason of each rule"),
    OPTION(TEXT, "fail-on", 0, "WHAT", fail_on,
           "exit 1 also on a warning (or change), or only on a change"),
    OPTION(SWITCH, "verbose", 'v', NULL, is_verbose,
           "list also objects without findings and of other kinds"),
};

static bool check_words(struct review_options *options, struct error *error) {
    options->form = report_find_form(options->output);
    if (options->form == NULL) {
        return error_set(error, ERROR_INVALID,
                         "--output: '%.64s' is none of text, json, yaml, patch, github, sarif and "
                         "junit",
                         options->output);
    }
    options->fills_defaults = strcmp(options->defaults, "server") == 0;
    if (!options->fills_defaults && strcmp(options->defaults, "none") != 0) {
        return error_set(error, ERROR_INVALID, "--defaults: '%.64s' is neither server nor none",
                         options->defaults);
    }
    if (options->fail_on == NULL) {
        return true;
    }
    bool is_warning = strcmp(options->fail_on, "warning") == 0;
    options->threshold = is_warning ? FAIL_ON_WARNING : FAIL_ON_CHANGE;
    return is_warning || strcmp(options->fail_on, "change") == 0 ||
           error_set(error, ERROR_INVALID, "--fail-on: '%.64s' is neither warning nor change",
                     options->fail_on);
}

static bool check(void *target, struct error *error) {
    struct review_options *options = target;
    if (options->paths.n_items == 0) {
        return error_set(error, ERROR_INVALID,
                         "review needs -f PATH (- for standard input); see --help");
    }
    if (!check_words(options, error)) {
        return false;
    }
    const struct report_form *form = options->form;
    if (options->has_diff && !form->shows_diff) {
        return error_set(error, ERROR_INVALID, "--diff is of the output text, not of %s",
                         form->name);
    }
    return form->shows_explanation || !options->explains ||
           error_set(error, ERROR_INVALID,
                     "--explain is of the outputs text, json and junit, not of %s", form->name);
}

static const struct option_table review_table = {
    .usage = "capstan review -f PATH [option]...",
    .summary = "Judges manifests (YAML or JSON, several documents, Lists) or recorded\n"
               "AdmissionReviews as the webhook would, without a cluster.",
    .options = review_option_list,
    .n_options = COUNT_OF(review_option_list),
    .check = check,
    .epilogue = "Exit status: 0 admitted; 1 denied, or over --fail-on, or unresolved where the\n"
                "policy says onUnresolved: fail; 2 unusable input or usage.",
};

bool review_options_read(int argc, char **argv, struct review_options *ret_options,
                         int *ret_status) {
    *ret_options = (struct review_options){.output = "text", .defaults = "server"};
    return options_begin(&review_table, argc, argv, ret_options, ret_status);
}

void review_options_fini(struct review_options *options) {
    option_texts_fini(&options->paths);
    option_texts_fini(&options->facts);
    option_texts_fini(&options->old);
}
