// SPDX-License-Identifier: Apache-2.0
#include "review_options.h"

#include <stddef.h>
#include <string.h>

#include "exit_status.h"

static const struct option review_option_list[] = {
    {"filename", "PATH", "what to review: a file, a folder, or - for stdin; repeatable",
     OPTION_TEXTS, offsetof(struct review_options, paths), 'f'},
    {"facts", "PATH", "MCPServers that are there and not under review; repeatable", OPTION_TEXTS,
     offsetof(struct review_options, facts), 0},
    {"kubeconfig", "FILE", "take those of a live cluster", OPTION_TEXT,
     offsetof(struct review_options, kubeconfig), 0},
    {"old", "PATH", "how objects stood before: those are updates; repeatable", OPTION_TEXTS,
     offsetof(struct review_options, old), 0},
    {"config", "FILE", "the policy; without it every rule has its default", OPTION_TEXT,
     offsetof(struct review_options, config), 0},
    {"defaults", "WHOSE", "server (default): review what the API server makes of it; or none",
     OPTION_TEXT, offsetof(struct review_options, defaults), 0},
    {"output", "FORM", "text (default), json, yaml, patch, github, sarif or junit", OPTION_TEXT,
     offsetof(struct review_options, output), 'o'},
    {"diff", NULL, "with text: what would change, as a unified diff", OPTION_SWITCH,
     offsetof(struct review_options, has_diff), 0},
    {"explain", NULL, "with text, json and junit: why each rule did or did not act", OPTION_SWITCH,
     offsetof(struct review_options, explains), 0},
    {"fail-on", "WHAT", "exit 1 also on a warning (or change), or only on a change", OPTION_TEXT,
     offsetof(struct review_options, fail_on), 0},
    {"verbose", NULL, "tell of objects without findings and of other kinds too", OPTION_SWITCH,
     offsetof(struct review_options, is_verbose), 'v'},
};

static const struct option_table review_table = {
    .usage = "capstan review -f PATH [option]...",
    .summary = "Asks what admission would do, without a cluster: manifests (YAML or JSON, several\n"
               "documents, Lists) or recorded AdmissionReviews in, verdicts out.",
    .options = review_option_list,
    .n_options = COUNT_OF(review_option_list),
    .epilogue = "Exit status: 0 admitted; 1 denied, or over --fail-on, or unresolved where the\n"
                "policy says onUnresolved: fail; 2 unusable input or usage.",
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

static bool check(struct review_options *options, struct error *error) {
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

bool review_options_read(int argc, char **argv, struct review_options *ret_options,
                         int *ret_status) {
    struct error error;
    *ret_options = (struct review_options){.output = "text", .defaults = "server"};
    if (!options_begin(&review_table, argc, argv, ret_options, ret_status)) {
        return false;
    }
    if (!check(ret_options, &error)) {
        *ret_status = exit_with(&error);
        return false;
    }
    return true;
}

void review_options_fini(struct review_options *options) {
    option_texts_fini(&options->paths);
    option_texts_fini(&options->facts);
    option_texts_fini(&options->old);
}
