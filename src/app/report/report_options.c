// SPDX-License-Identifier: Apache-2.0
#include "report_options.h"

#include <string.h>

static bool check_words(struct report_options *options, struct error *error) {
    options->form = report_find_form(options->output);
    if (options->form == NULL) {
        return error_set(error, ERROR_INVALID,
                         "--output: '%.64s' is none of text, json, yaml, patch, github, sarif and "
                         "junit",
                         options->output);
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

bool report_options_check(struct report_options *options, struct error *error) {
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
