// SPDX-License-Identifier: Apache-2.0
#include "review_options.h"

#include <stddef.h>
#include <string.h>

#define OPTION(TYPE, NAME, LETTER, ARGUMENT, MEMBER, HELP)                                         \
    { NAME, ARGUMENT, HELP, OPTION_##TYPE, offsetof(struct review_options, MEMBER), LETTER }

static const struct option review_option_list[] = {
    OPTION(TEXTS, "filename", 'f', "PATH", paths,
           "review this: a file, a folder, or - for standard input; repeatable"),
    OPTION(TEXTS, "facts", 0, "PATH", facts, "more objects to judge by, not to review; repeatable"),
    OPTION(TEXT, "kubeconfig", 0, "FILE", kubeconfig,
           "take more objects to judge by from this cluster"),
    OPTION(TEXTS, "old", 0, "PATH", old,
           "earlier states of objects, to review updates; repeatable"),
    REPORT_OPTION_POLICY(struct review_options, report),
    OPTION(TEXT, "defaults", 0, "WHOSE", defaults,
           "server (default): add the defaults of the API server; or none"),
    REPORT_OPTION_FORMS(struct review_options, report),
    OPTION(SWITCH, "verbose", 'v', NULL, report.is_verbose,
           "list also objects without findings and of other kinds"),
};

static bool check(void *target, struct error *error) {
    struct review_options *options = target;
    if (options->paths.n_items == 0) {
        return error_set(error, ERROR_INVALID,
                         "review needs -f PATH (- for standard input); see --help");
    }
    options->fills_defaults = strcmp(options->defaults, "server") == 0;
    if (!options->fills_defaults && strcmp(options->defaults, "none") != 0) {
        return error_set(error, ERROR_INVALID, "--defaults: '%.64s' is neither server nor none",
                         options->defaults);
    }
    return report_options_check(&options->report, error);
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
    *ret_options = (struct review_options){.report = REPORT_OPTIONS_DEFAULT, .defaults = "server"};
    return options_begin(&review_table, argc, argv, ret_options, ret_status);
}

void review_options_fini(struct review_options *options) {
    option_texts_fini(&options->paths);
    option_texts_fini(&options->facts);
    option_texts_fini(&options->old);
}
