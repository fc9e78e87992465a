// SPDX-License-Identifier: Apache-2.0
#ifndef APP_REVIEW_REVIEW_OPTIONS_H
#define APP_REVIEW_REVIEW_OPTIONS_H

/*
 * The command line of `capstan review`.
 */

#include <stdbool.h>

#include "base/attribute.h"
#include "options.h"
#include "report.h"

/* A denial makes the exit status 1. This says whether something less does too. */
enum review_threshold { FAIL_ON_DENIAL, FAIL_ON_WARNING, FAIL_ON_CHANGE };

struct review_options {
    struct option_texts paths;
    struct option_texts facts;
    struct option_texts old;
    const char *config;
    const char *kubeconfig;
    const char *output;
    const char *defaults;
    const char *fail_on;
    bool has_diff;
    bool explains;
    bool is_verbose;
    /* These follow from the texts above. */
    const struct report_form *form;
    bool fills_defaults;
    enum review_threshold threshold;
};

/* As options_begin(). Free with review_options_fini() in either case. */
bool review_options_read(int argc, char **argv, struct review_options *ret_options,
                         int *ret_status) MUST_CHECK;
void review_options_fini(struct review_options *options);

#endif
